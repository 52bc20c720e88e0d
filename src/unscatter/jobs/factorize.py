"""Job: take a plane of diffuse scattering apart."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, overload

from unscatter.diffuse.factorize.factorize import factorize as take_apart
from unscatter.diffuse.suitability import assess_suitability
from unscatter.io.results.components import write_components
from unscatter.io.results.picture import save_figure
from unscatter.jobs import volume as whole_volume
from unscatter.jobs.options import CHECKED, checked_dataclass, make_options, rest_of, with_keywords
from unscatter.jobs.plane_reading import PlaneReading, PlaneSource, read_plane_source
from unscatter.jobs.provenance import record
from unscatter.nouns.components import Components
from unscatter.nouns.volume import Volume
from unscatter.nouns.volume_components import VolumeComponents

JOB = "factorize"
_NOT_WITHOUT = "cell and axes are known, and are used: lattice none is for pictures without them"


@checked_dataclass(frozen=True, kw_only=True, config=CHECKED)
class VolumeOptions:
    """Whether a volume is taken apart as a whole, and how it is written."""

    volume: bool = False
    """take a whole volume apart by its lattice: one three-dimensional I_SRO, one I_FF, and alphas."""
    layout: Literal["nexus", "yell"] = "nexus"
    """of a volume: one NeXus file, or besides it I_FF and I_SRO as files in the layout of Yell 1.0."""


@checked_dataclass(frozen=True, kw_only=True, config=CHECKED)
class FactorizeOptions(VolumeOptions, PlaneReading):
    """How a plane is read and taken apart; what is not of the reader is a keyword of diffuse.factorize."""

    weights: str = "factorize-256"
    """name or path of the network."""
    lattice: Literal["find", "none"] = "find"
    """where cell and axes are not known: find it in the picture, or none: I_SRO by its strongest waves."""
    find_lattice: bool = True
    """an older name: --no-find-lattice is --lattice none."""
    pixel: float | None = None
    """edge of a pixel of a picture in 1/Angstrom (Q includes 2 pi), where no cell says it."""
    saturation: float | None = None
    """measured intensities from here on are only known to be at least this."""


def run(source: PlaneSource, options: FactorizeOptions = FactorizeOptions()) -> Components:
    """Read one plane, take it apart, and say what the data tell of the assumptions.

    Raises ValueError for a plane that cannot be read or taken apart, FileNotFoundError for no such file or weights.
    """
    if options.volume:
        raise ValueError("volume takes a whole volume apart: unscatter.factorize(..., volume=True), or --volume")
    plane = read_plane_source(source, options)
    without = options.lattice == "none" or not options.find_lattice
    if without and plane.axes is not None and plane.cell is not None:
        plane = replace(plane, notes=(*plane.notes, _NOT_WITHOUT))
    components = take_apart(plane, **rest_of(options, PlaneReading, VolumeOptions))
    findings = assess_suitability(components, images=False)
    provenance = {**components.provenance, **record(JOB, options, [source])}
    return replace(components, findings=findings, provenance=provenance)


@overload
def factorize(source: Volume, weights: str = ..., **options: Any) -> VolumeComponents: ...
@overload
def factorize(source: PlaneSource, weights: str = ..., **options: Any) -> Components: ...
@with_keywords(FactorizeOptions)
def factorize(
    source: PlaneSource | Volume, weights: str = FactorizeOptions.weights, **options: Any
) -> Components | VolumeComponents:
    """Take a plane or a volume of diffuse scattering apart, I_D = I_FF I_SRO, as `unscatter factorize` does.

    source: a file, an array (ny, nx) with axes and cell as options, a Plane, or a Volume; with volume=True a file is
    taken as a whole, with its lattice and without a network. A plane: with cell and axes, I_SRO is exactly
    periodic and of mean 1 over a reciprocal cell, and I_FF carries the scale of the input; without them the
    lattice is looked for in the picture. Raises ValueError for what cannot be read or taken apart, FileNotFoundError
    for no such file.
    """
    chosen = make_options(FactorizeOptions, {"weights": weights, **options}, JOB)
    if isinstance(source, Volume):
        return whole_volume.run(source, replace(chosen, volume=True))
    if not chosen.volume:
        return run(source, chosen)
    if not isinstance(source, str | Path):
        raise ValueError(f"volume=True takes a file or a Volume, got {type(source).__name__}")
    return whole_volume.run(source, chosen)


def write(components: Components, stem: str | Path, *, picture: bool = True) -> tuple[Path, ...]:
    """Write STEM.factorized.h5 and, if a picture is wanted, STEM.factorized.png; the folder is made."""
    target = Path(f"{stem}.factorized.h5")
    target.parent.mkdir(parents=True, exist_ok=True)
    write_components(target, components)
    if not picture:
        return (target,)
    save_figure(components.plot(), target.with_suffix(".png"))
    return target, target.with_suffix(".png")
