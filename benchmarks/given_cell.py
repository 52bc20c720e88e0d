"""Whether `unscatter fit` tells a cell that is right from one that is wrong, and names the extinction symbol with it.

python benchmarks/given_cell.py runs/icsd.h5 [--recipes paper measured] [--count 14] [--part validation]

Each pattern is fitted with the cell of its structure, and with one whose edges are off by 9 and 13 % (cubic: 7 %); the
lattice is named. Printed are the shares of lines that are explained, how many fits have a poor finding among those that
tell a wrong cell, how often the true symbol is first where the cell is true, and CPU seconds.
"""

import argparse
import time
from pathlib import Path

import numpy as np
from engine_accuracy import draw
from known_structures import recipe_called

from unscatter.jobs.fit import fit
from unscatter.nouns.cell import Cell
from unscatter.powder.samples.draw import CachedCrystals
from unscatter.symmetry import bravais_lattice
from unscatter.train.powder.splits import split_table

#: Findings that tell a wrong cell; the others tell of noise and samples too.
TELLING = ("lines explained", "lines seen", "foreign intensity")


def wrong_cell(cell: Cell, bravais: str) -> Cell:
    a, b, c, *angles = cell.parameters
    return (
        Cell(1.07 * a, 1.07 * b, 1.07 * c, *angles)
        if bravais[0] == "c"
        else Cell(1.09 * a, 1.09 * b, 0.87 * c, *angles)
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("structures", type=Path)
    parser.add_argument("--recipes", nargs="+", default=["paper", "measured"])
    parser.add_argument("--count", type=int, default=14, help="patterns of each recipe")
    parser.add_argument("--part", choices=("training", "validation", "test"), default="validation")
    parser.add_argument("--seed", type=int, default=9)
    options = parser.parse_args()
    crystals = CachedCrystals([options.structures])
    split = split_table(crystals, "prototype")
    rows = np.random.default_rng(options.seed).permutation(getattr(split, options.part))[: options.count]
    for name in options.recipes:
        explained: dict[str, list[float]] = {"true": [], "wrong": []}
        poor, named, seconds = {"true": 0, "wrong": 0}, 0, []
        for number, row in enumerate(rows.tolist()):
            pattern, phase, _ = draw(recipe_called(name), crystals, row, options.seed, number, split.training)
            bravais = bravais_lattice(phase.space_group)
            for kind, cell in (("true", phase.cell), ("wrong", wrong_cell(phase.cell, bravais))):
                begin = time.process_time()
                found = fit(pattern, cell=cell.parameters, bravais=bravais)
                seconds.append(time.process_time() - begin)
                explained[kind].append(float(found.findings["lines explained"].value or 0.0))
                poor[kind] += any(found.findings[one].verdict == "poor" for one in TELLING)
                named += kind == "true" and bool(found.symbols) and phase.space_group in found.symbols[0].space_groups
        print(f"{name}, {len(rows)} patterns")
        for kind, shares in explained.items():
            low, high = 100 * min(shares), 100 * max(shares)
            print(f"  {kind} cell: explains {low:.0f} to {high:.0f} % of the lines, poor {poor[kind]}")
        print(f"  true symbol first with the true cell: {named}")
        print(f"  CPU-s a fit: {np.median(seconds):.1f} in the median, at most {max(seconds):.1f}", flush=True)


if __name__ == "__main__":
    main()
