"""How often the true lattice is among the lattices that `unscatter index` finds, on simulated patterns of unseen types.

python benchmarks/index_accuracy.py runs/icsd.h5 [--recipes paper noisy measured] [--count 100]

Structures are those of the test part of the split by prototype. `noisy` is recipe paper with 2 % background and 2e4
counts in the highest point. A lattice is right where its reduced cell is that of the structure within 0.3 %, all
lengths alike; its name is right where the Bravais lattice is too. Times are CPU seconds, lines and lattices.
"""

import argparse
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from known_structures import recipe_called, true_metric

from unscatter.nouns.arrays import Floats
from unscatter.nouns.cell import Cell
from unscatter.nouns.lattice import Lattice
from unscatter.nouns.pattern import Pattern
from unscatter.powder.refine.index import index
from unscatter.powder.refine.lines import find_lines
from unscatter.powder.refine.metric import primitive_metric, same_lattice
from unscatter.powder.refine.search import warm_up
from unscatter.powder.samples.cache import read_reflection_cache
from unscatter.powder.samples.draw import CachedCrystals, draw_pattern
from unscatter.symmetry import bravais_lattice
from unscatter.train.powder.splits import split_table

RANKS = (1, 5, 20)
SYSTEMS = {"a": "triclinic", "m": "monoclinic", "o": "orthorhombic", "t": "tetragonal", "h": "hexagonal", "c": "cubic"}


@dataclass(frozen=True)
class Answer:
    """Bravais lattice of the truth, its place among those found (0 for none), and whether the first has its name."""

    bravais: str
    place: int
    named: bool
    lines: int
    seconds: tuple[float, float]


def place_of(truth: Floats, found: Sequence[Lattice]) -> int:
    metrics = (primitive_metric(one.cell, one.bravais[1]) for one in found)
    return next((place for place, metric in enumerate(metrics, 1) if same_lattice(truth, metric)), 0)


def answer(pattern: Pattern, cell: Cell, group: int, time_limit: float) -> Answer:
    begin = time.process_time()
    lines = find_lines(pattern)
    middle = time.process_time()
    found = index(lines, time_limit=time_limit, count=max(RANKS)) if len(lines) >= 4 else ()
    end = time.process_time()
    bravais = bravais_lattice(group)
    place = place_of(true_metric(cell, group), found)
    named = place == 1 and found[0].bravais == bravais
    return Answer(bravais, place, named, len(lines), (middle - begin, end - middle))


def report(name: str, answers: list[Answer]) -> None:
    def row(title: str, some: list[Answer]) -> str:
        among = "  ".join(f"{100 * np.mean([0 < a.place <= r for a in some]):6.1f}" for r in RANKS)
        named = 100 * np.mean([a.named for a in some])
        total = np.array([sum(a.seconds) for a in some])
        half, most = np.quantile(total, [0.5, 0.9])
        return f"  {title:<14}{len(some):5d}  {among}  {named:8.1f}  {half:8.2f}  {most:6.2f}"

    print(f"{name}\n  {'':<14}{'n':>5}  {'first':>6}  {'of 5':>6}  {'of 20':>6}  {'and name':>8}  CPU-s 50 %    90 %")
    by_system = defaultdict(list)
    for one in answers:
        by_system[SYSTEMS[one.bravais[0]]].append(one)
    for system in SYSTEMS.values():
        if by_system[system]:
            print(row(system, by_system[system]))
    print(row("all", answers))
    finding = np.quantile([a.seconds[0] for a in answers], [0.5, 0.9])
    print(f"  of that lines: {finding[0]:.2f} and {finding[1]:.2f} CPU-s", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cache", type=Path, help="made by unscatter simulate reflections")
    parser.add_argument("--recipes", nargs="+", default=["paper", "noisy", "measured"])
    parser.add_argument("--count", type=int, default=100, help="structures of the test part")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--time-limit", type=float, default=120.0, help="seconds on the clock a pattern; loaded machine"
    )
    options = parser.parse_args()
    cache = read_reflection_cache(options.cache)
    split = split_table(cache, "prototype")
    rows = np.random.default_rng(options.seed + 1).permutation(split.test)[: options.count]
    crystals = CachedCrystals((cache,))
    warm_up()
    for name in options.recipes:
        recipe, answers = recipe_called(name), []
        for number, row in enumerate(rows):
            drawn = draw_pattern(recipe, crystals, int(row), options.seed, number, split.training)
            two_theta, intensity, instrument, phase = drawn
            first, *others = instrument.wavelengths
            second = others[0] if others else None
            pattern = Pattern(two_theta, intensity, None, first, second, instrument.radiation)
            answers.append(answer(pattern, phase.cell, phase.space_group, options.time_limit))
        report(name, answers)


if __name__ == "__main__":
    main()
