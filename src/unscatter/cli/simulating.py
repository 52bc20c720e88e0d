"""Commands that write frozen sets of simulated data, and the lines they are drawn from."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Literal

from tyro.conf import Positional


def simulate_diffuse(
    out: Path,
    recipe: str = "physical",
    count: int = 1000,
    seed: int = 0,
    split: Literal["training", "validation"] = "training",
    drop_duplicates: bool = False,
) -> int:
    """Write a frozen set of simulated planes with their I_FF and I_SRO; goes on where it was interrupted.

    Args:
        out: HDF5 file to write.
        recipe: paper, physical, measured, or the path of a TOML file.
        count: number of samples.
        seed: another seed is another set.
        split: which molecules and models to draw from.
        drop_duplicates: leave out near-duplicates by sliced Wasserstein distance.
    """
    from unscatter.diffuse.samples.draw import read_recipe
    from unscatter.diffuse.samples.duplicates import THRESHOLD
    from unscatter.diffuse.samples.frozen import write_samples

    write_samples(
        out, read_recipe(recipe), count, seed=seed, split=split, drop_duplicates=THRESHOLD if drop_duplicates else None
    )
    return 0


def simulate_powder(
    out: Path,
    recipe: str = "paper",
    count: int = 1000,
    seed: int = 0,
    structures: tuple[Path, ...] = (),
    axis: Literal["network", "instrument"] | None = None,
) -> int:
    """Write a frozen set of simulated powder patterns with their space groups; goes on where it was interrupted.

    Args:
        out: HDF5 file to write.
        recipe: paper, measured, or the path of a TOML file.
        count: number of samples.
        seed: another seed is another set.
        structures: files that `unscatter simulate reflections` wrote; random crystals where none is given.
        axis: network (three channels, free of the wavelength) or instrument, where not as the recipe says.
    """
    from dataclasses import replace

    from unscatter.powder.samples.draw import CachedCrystals, RandomCrystals, read_recipe
    from unscatter.powder.samples.frozen import write_samples

    chosen = read_recipe(recipe)
    if axis is not None:
        chosen = replace(chosen, axis=axis)
    write_samples(out, chosen, count, CachedCrystals(structures) if structures else RandomCrystals(seed), seed)
    return 0


def simulate_reflections(
    sources: Positional[tuple[Path, ...]], /, out: Path, workers: int = 1, years: Path | None = None
) -> int:
    """Compute the lines of many structures once, neutrons and X-rays, for training; goes on where it was interrupted.

    Args:
        sources: folders or zips of CIFs, .parquet or .csv tables of structures, random crystals (random:40000), or the
            Materials Project by chemical system or ids, with your key in MP_API_KEY: mp:Fe-O, mp:mp-19770,mp-24972.
        out: HDF5 file to write, about 2 kB a structure.
        workers: number of processes.
        years: .csv or .csv.gz with columns material_id and year, for splits in time.
    """
    from unscatter.powder.samples.cache import read_years, write_reflection_cache

    failed = write_reflection_cache(sources, out, workers, years=None if years is None else read_years(years))
    for name, reason in failed.items():
        print(f"left out {name}: {reason}", file=sys.stderr)
    return 0
