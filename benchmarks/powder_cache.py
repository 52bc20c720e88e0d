"""How fast powder patterns come out of a table of structures on one core: python benchmarks/powder_cache.py [TABLE ...]

(a) structures a second into a reflection cache, and bytes a structure;
(b) samples a second of each recipe out of the cache;
(c) patterns a second through the channels of the network, as inference does.
Without a table, 300 random crystals are drawn first. All times are those of the core, not of the clock on the wall.
"""

# The number of threads has to be set before NumPy is imported.
# ruff: noqa: E402

from __future__ import annotations

import os

for library in ("OMP", "OPENBLAS", "MKL"):
    os.environ[f"{library}_NUM_THREADS"] = "1"

import csv
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from unscatter.atoms import atomic_number
from unscatter.powder.crystal.random_crystals import draw_crystal
from unscatter.powder.pattern.channels import network_channels
from unscatter.powder.samples.cache import read_reflection_cache
from unscatter.powder.samples.cache_writing import write_reflection_cache
from unscatter.powder.samples.draw import CachedCrystals, RandomCrystals, draw_pattern, draw_samples, read_recipe

STRUCTURES = 300


def seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def write_random_table(path: Path) -> Path:
    rng = np.random.default_rng(0)
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["id", "sg", "cell", "Z", "xyz"])
        for n in range(STRUCTURES):
            crystal = draw_crystal(rng, int(rng.integers(1, 231)), tolerance=None)
            numbers = " ".join(str(atomic_number(e)) for e in crystal.elements)
            cell, xyz = (
                " ".join(f"{x:.8f}" for x in np.ravel(v)) for v in (crystal.cell.parameters, crystal.positions)
            )
            rows.writerow([f"random{n}", crystal.space_group, cell, numbers, xyz])
    return path


def main(tables: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        sources = tables or [str(write_random_table(Path(folder) / "random.csv"))]
        path = Path(folder) / "reflections.h5"
        taken = seconds(lambda: write_reflection_cache(sources, path, progress=False))
        count = len(read_reflection_cache(path))
        print(f"cache        {count / taken:7.0f} structures/s, {path.stat().st_size / count:.0f} bytes a structure")
        known = CachedCrystals([path])
        rows = np.random.default_rng(0).integers(count, size=256)
        paper, measured = read_recipe("paper"), read_recipe("measured")
        for name, recipe in (
            ("paper, instrument axis", replace(paper, axis="instrument")),
            ("paper, network axis", paper),
            ("measured", measured),
        ):
            draw_samples(recipe, known, rows[:16], 0, 0)
            taken = seconds(lambda recipe=recipe: draw_samples(recipe, known, rows, 0, 0))  # type: ignore[misc]
            print(f"samples      {len(rows) / taken:7.0f}/s  {name}")
        taken = seconds(lambda: draw_samples(paper, RandomCrystals(), np.arange(64), 0, 0))
        print(f"samples      {64 / taken:7.0f}/s  paper, of random crystals")
        two_theta, intensity, instrument, _ = draw_pattern(measured, known, 0, 0, 0)
        taken = seconds(lambda: [network_channels(two_theta, intensity, instrument.wavelengths[0]) for _ in range(200)])
        print(f"channels     {200 / taken:7.0f}/s  patterns of {two_theta.size} points")


if __name__ == "__main__":
    main(sys.argv[1:])
