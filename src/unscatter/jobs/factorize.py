"""Job: take a plane of diffuse scattering apart."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from unscatter.diffuse.factorize.factorize import factorize as take_apart
from unscatter.diffuse.suitability import assess_suitability
from unscatter.io.results.components import write_components
from unscatter.io.results.picture import save_figure
from unscatter.jobs.options import CHECKED, checked_dataclass, make_options, rest_of, with_keywords
from unscatter.jobs.plane_reading import PlaneReading, PlaneSource, read_plane_source
from unscatter.jobs.provenance import record
from unscatter.nouns.components import Components

JOB = "factorize"


@checked_dataclass(frozen=True, kw_only=True, config=CHECKED)
class FactorizeOptions(PlaneReading):
    """How a plane is read and taken apart; what is not of the reader is a keyword of diffuse.factorize."""

    weights: str = "factorize-256"
    """name or path of the network."""
    find_lattice: bool = False
    """where the lattice is not known, look for it in the picture."""
    saturation: float | None = None
    """measured intensities from here on are only known to be at least this."""


def run(source: PlaneSource, options: FactorizeOptions = FactorizeOptions()) -> Components:
    """Read one plane, take it apart, and say what the data tell of the assumptions.

    Raises ValueError for a plane that cannot be read or taken apart, FileNotFoundError for no such file or weights.
    """
    plane = read_plane_source(source, options)
    components = take_apart(plane, **rest_of(options, PlaneReading))
    findings = assess_suitability(components, images=False)
    provenance = {**components.provenance, **record(JOB, options, [source])}
    return replace(components, findings=findings, provenance=provenance)


@with_keywords(FactorizeOptions)
def factorize(source: PlaneSource, weights: str = FactorizeOptions.weights, **options: Any) -> Components:
    """Take a plane of diffuse scattering apart, I_D = I_FF I_SRO, as `unscatter factorize` does.

    source: a file, an array (ny, nx) with axes and cell as options, or a Plane. With cell and axes, I_SRO is exactly
    periodic and of mean 1 over a reciprocal cell, and I_FF carries the scale of the input; without them both come from
    the network alone. Raises ValueError for what cannot be read or taken apart, FileNotFoundError for no such file.
    """
    return run(source, make_options(FactorizeOptions, {"weights": weights, **options}, JOB))


def write(components: Components, stem: str | Path, *, picture: bool = True) -> tuple[Path, ...]:
    """Write STEM.factorized.h5 and, if a picture is wanted, STEM.factorized.png; the folder is made."""
    target = Path(f"{stem}.factorized.h5")
    target.parent.mkdir(parents=True, exist_ok=True)
    write_components(target, components)
    if not picture:
        return (target,)
    save_figure(components.plot(), target.with_suffix(".png"))
    return target, target.with_suffix(".png")
