"""What a search to the end finds that trials of lines do not, on the same simulated lines.

python benchmarks/index_exhaustive.py runs/icsd.h5 [--recipes paper measured] [--count 30] [--part validation]

Patterns of structures with cubic, tetragonal, hexagonal, rhombohedral and orthorhombic lattices are drawn; lines are
found once. A lattice is found where its reduced cell is that of the structure within 0.3 %, among all that are listed:
by the search of `unscatter index`, and by the search to the end alone (powder/refine/dichotomy.py), refined on the same
lines. Times are CPU seconds, lines left out.
"""

import time
from collections import Counter

import numpy as np
from engine_accuracy import draw
from known_structures import asked_structures, asking, recipe_called, true_metric

from unscatter.nouns.arrays import Floats
from unscatter.nouns.lines import Lines
from unscatter.powder.refine.dichotomy import EXHAUSTIVE, LINES, SIGMAS, WINDOW, exhaust
from unscatter.powder.refine.index import index
from unscatter.powder.refine.lines import find_lines
from unscatter.powder.refine.metric import primitive_metric, same_lattice, symmetry_of
from unscatter.powder.refine.search import Effort, pose
from unscatter.powder.refine.settle import Observed, settle
from unscatter.symmetry import bravais_lattice

AMONG = 36


def by_trials(lines: Lines, seconds: float) -> list[Floats]:
    return [primitive_metric(one.cell, one.bravais[1]) for one in index(lines, time_limit=seconds)]


def to_the_end(lines: Lines, seconds: float) -> list[Floats]:
    observed = Observed.of(lines, np.array([not flag for flag in lines.flags]))
    seen = observed.strongest(LINES, AMONG)
    problem = pose(seen, Effort(window=WINDOW, sigmas=SIGMAS))
    found = []
    for system in EXHAUSTIVE:
        metrics, _ = exhaust(problem, system, time.thread_time() + seconds)
        found += [settle(symmetry_of(one, 3e-3), seen).metric.matrix for one in metrics]
    return found


def main() -> None:
    parser = asking(__doc__, count=30, seed=5)
    parser.add_argument("--seconds", type=float, default=10.0, help="CPU seconds of the trials, and of each system")
    options = parser.parse_args()
    crystals, split, rows = asked_structures(options)
    chosen = [row for row in rows if bravais_lattice(int(crystals.space_group[row]))[0] in "ctho"]
    searches = {"trials": by_trials, "to the end": to_the_end}
    warm = False
    for name in options.recipes:
        outcome: Counter[tuple[bool, ...]] = Counter()
        seconds: dict[str, list[float]] = {who: [] for who in searches}
        for number, row in enumerate(chosen[: options.count]):
            pattern, phase, _ = draw(recipe_called(name), crystals, row, options.seed, number, split.training)
            lines = find_lines(pattern)
            if sum(not flag for flag in lines.flags) < 6:
                continue
            if not warm:  # Loops are compiled, or loaded, with the first pattern.
                to_the_end(lines, 0.1)
                by_trials(lines, 0.1)
                warm = True
            truth = true_metric(phase.cell, phase.space_group)
            right = []
            for who, search in searches.items():
                begin = time.process_time()
                found = search(lines, options.seconds)
                seconds[who].append(time.process_time() - begin)
                right.append(any(same_lattice(truth, one) for one in found))
            outcome[tuple(right)] += 1
        total = sum(outcome.values())
        print(f"{name}, {total} patterns of cubic to orthorhombic lattices")
        print(f"  found by both {outcome[True, True]}, by trials alone {outcome[True, False]}, "
              f"to the end alone {outcome[False, True]}, by neither {outcome[False, False]}")  # fmt: skip
        for who, taken in seconds.items():
            half, most = np.quantile(taken, [0.5, 0.9])
            print(f"  {who:<10} {half:.2f} CPU-s in the median, {most:.2f} in the tenth that takes longest", flush=True)


if __name__ == "__main__":
    main()
