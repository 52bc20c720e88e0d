"""Jobs: write frozen sets of simulated planes and patterns, and the lines that patterns are drawn from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

from unscatter.io.files import sha256_of
from unscatter.jobs.options import CHECKED, checked_dataclass
from unscatter.jobs.provenance import record
from unscatter.workers import Workers


@checked_dataclass(frozen=True, kw_only=True, config=CHECKED)
class SimulateDiffuseOptions:
    """A set of planes: a pure function of these."""

    recipe: str = "physical"
    """paper, physical, measured, or the path of a TOML file."""
    count: int = 1000
    """number of samples."""
    seed: int = 0
    """another seed is another set."""
    split: Literal["training", "validation"] = "training"
    """which molecules and models to draw from."""
    drop_duplicates: bool = False
    """leave out near-duplicates by sliced Wasserstein distance."""


@checked_dataclass(frozen=True, kw_only=True, config=CHECKED)
class SimulatePowderOptions:
    """A set of powder patterns: a pure function of these and the structures."""

    recipe: str = "paper"
    """paper, measured, or the path of a TOML file."""
    count: int = 1000
    """number of samples."""
    seed: int = 0
    """another seed is another set."""
    structures: tuple[Path, ...] = ()
    """files that `unscatter simulate reflections` wrote; random crystals where none is given."""
    axis: Literal["network", "instrument"] | None = None
    """network (three channels, free of the wavelength) or instrument, where not as the recipe says."""


@checked_dataclass(frozen=True, kw_only=True, config=CHECKED)
class SimulateReflectionsOptions:
    """How the lines of many structures are computed."""

    workers: int = 1
    """number of processes."""
    years: Path | None = None
    """.csv or .csv.gz with columns material_id and year, for splits in time."""


def simulate_diffuse(
    out: str | Path,
    options: SimulateDiffuseOptions = SimulateDiffuseOptions(),
    *,
    progress: bool = False,
    workers: Workers = Workers(),
) -> int:
    """Write planes with their I_FF and I_SRO to an HDF5 file, and say how many; goes on where it was interrupted."""
    from unscatter.diffuse.samples.draw import read_recipe
    from unscatter.diffuse.samples.duplicates import THRESHOLD
    from unscatter.diffuse.samples.frozen import write_samples

    return write_samples(
        out,
        read_recipe(options.recipe),
        options.count,
        options.seed,
        options.split,
        drop_duplicates=THRESHOLD if options.drop_duplicates else None,
        provenance=record("simulate diffuse", options, []),
        progress=progress,
        workers=workers,
    )


def simulate_powder(
    out: str | Path,
    options: SimulatePowderOptions = SimulatePowderOptions(),
    *,
    progress: bool = False,
    workers: Workers = Workers(),
) -> int:
    """Write patterns with their space groups to an HDF5 file, and say how many; goes on where it was interrupted."""
    from unscatter.powder.samples.draw import CachedCrystals, RandomCrystals, read_recipe
    from unscatter.powder.samples.frozen import write_samples

    recipe = read_recipe(options.recipe)
    if options.axis is not None:
        recipe = replace(recipe, axis=options.axis)
    crystals = CachedCrystals(options.structures) if options.structures else RandomCrystals(options.seed)
    provenance = record("simulate powder", options, [])
    write_samples(
        out,
        recipe,
        options.count,
        crystals,
        options.seed,
        provenance=provenance,
        progress=progress,
        workers=workers,
    )
    return options.count


def simulate_reflections(
    sources: tuple[Path, ...],
    out: str | Path,
    options: SimulateReflectionsOptions = SimulateReflectionsOptions(),
    *,
    progress: bool = False,
) -> dict[str, str]:
    """Write the lines of many structures to an HDF5 file, and say which were left out and why."""
    from unscatter.powder.samples.cache_writing import read_years, write_reflection_cache

    years = None if options.years is None else read_years(options.years)
    files = [source for source in sources if source.is_file()]
    provenance = record("simulate reflections", options, [])
    # random:40000 and mp:Fe-O are sources that are no files.
    provenance["inputs"] = [
        {"name": str(source), **({"sha256": sha256_of(source)} if source in files else {})} for source in sources
    ]
    return write_reflection_cache(sources, out, options.workers, progress=progress, years=years, provenance=provenance)
