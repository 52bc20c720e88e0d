"""Job: take a whole volume of diffuse scattering apart."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Literal, TypeAlias

from unscatter.diffuse.suitability.volumes import assess_volume
from unscatter.diffuse.volume import factorize_volume
from unscatter.io.planes.volumes import read_volume
from unscatter.io.results.order_tables import write_parameters
from unscatter.io.results.picture import save_figure
from unscatter.io.results.volume import begun_volume, write_volume, write_yell
from unscatter.jobs.options import refuse_reading
from unscatter.jobs.plane_reading import PlaneReading
from unscatter.jobs.provenance import record
from unscatter.nouns.volume import Volume
from unscatter.nouns.volume_components import VolumeComponents

JOB = "factorize"
#: A file, or a volume.
VolumeSource: TypeAlias = str | Path | Volume
#: Called with the share that is done, 0 to 1, and what is being done.
Report: TypeAlias = Callable[[float, str], None]


def run(
    source: VolumeSource,
    options: PlaneReading,
    report: Report | None = None,
    stem: str | Path | None = None,
) -> VolumeComponents:
    """Take a volume apart by its lattice; what a call killed while it wrote STEM had found is taken up again.

    Raises ValueError for what is no volume or cannot be taken apart, FileNotFoundError for no such file.
    """
    volume = _read(source, options)
    # A volume that was read already is not read again to hash it: its file stands for it.
    known = source if isinstance(source, str | Path) else volume.source
    provenance = record(JOB, options, [known] if known and Path(known).is_file() else [])
    found = None if stem is None else begun_volume(_target(stem), volume, _what(provenance))
    components = found or factorize_volume(volume, report=report)
    notes = {"notes": list(volume.notes)} if volume.notes else {}
    whole = {**components.provenance, **notes, **provenance}
    return replace(components, provenance=whole, findings=assess_volume(components))


def write(
    components: VolumeComponents,
    stem: str | Path,
    *,
    layout: Literal["nexus", "yell"] = "nexus",
    picture: bool = True,
    report: Report | None = None,
) -> tuple[Path, ...]:
    """Write STEM.factorized.h5, the alphas as STEM.order.csv and a PNG; with layout yell a file for each factor too."""
    target = _target(stem)
    target.parent.mkdir(parents=True, exist_ok=True)
    table = target.with_name(f"{Path(stem).name}.order.csv")
    write_parameters(table, components.order)
    pair = write_yell(target.parent, Path(stem).name, components) if layout == "yell" else ()
    pictures = (target.with_suffix(".png"),) if picture else ()
    for path in pictures:
        save_figure(components.plot(), path)
    write_volume(target, components, _what(components.provenance), report)
    return target, table, *pair, *pictures


def _read(source: VolumeSource, options: PlaneReading) -> Volume:
    if isinstance(source, Volume):
        refuse_reading(options, PlaneReading, "Volume")
        return source
    for name in ("plane", "mask"):
        if getattr(options, name):
            raise ValueError(f"--volume takes the whole volume: leave out --{name}")
    return read_volume(
        source,
        cell=options.cell,
        axes=options.axes,
        dataset=options.dataset,
        missing=options.missing,
        zeros=options.zeros,
    )


def _target(stem: str | Path) -> Path:
    return Path(f"{stem}.factorized.h5")


def _what(provenance: dict[str, object]) -> str:
    """A text that is the same for the same input, options and version alone."""
    kept = {name: provenance.get(name) for name in ("version", "options", "input_sha256")}
    return hashlib.sha256(json.dumps(kept, sort_keys=True, default=str).encode()).hexdigest()
