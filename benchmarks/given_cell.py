"""Whether `unscatter fit` tells a cell that is right from one that is wrong, and names the extinction symbol with it.

python benchmarks/given_cell.py runs/icsd.h5 [--recipes paper measured] [--count 14] [--part validation]

Each pattern is fitted with the cell of its structure, and with one whose edges are off by 9 and 13 % (cubic: 7 %); the
lattice is named. Printed are the shares of lines that are explained, how many fits have a poor finding among those that
tell a wrong cell, how often the true symbol is first where the cell is true, and CPU seconds.
"""

import time

import numpy as np
from engine_accuracy import draw
from known_structures import asked_structures, asking, recipe_called

from unscatter.jobs.fit import fit
from unscatter.nouns.cell import Cell
from unscatter.symmetry import bravais_lattice

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
    options = asking(__doc__, count=14, seed=9).parse_args()
    crystals, split, rows = asked_structures(options)
    rows = rows[: options.count]
    for name in options.recipes:
        explained: dict[str, list[float]] = {"true": [], "wrong": []}
        poor, named, seconds = {"true": 0, "wrong": 0}, 0, []
        for number, row in enumerate(rows):
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
