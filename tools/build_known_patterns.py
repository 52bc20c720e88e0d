"""Tell what patterns the shipped network was trained on: data/known_patterns.toml, from simulated patterns.

python tools/build_known_patterns.py runs/icsd.h5 [--count 100] [--recipes paper measured]

Patterns of training structures are drawn, and the numbers of powder.classify.known_patterns taken of each.
"""

import argparse
from pathlib import Path

import numpy as np

from unscatter.nouns.pattern import Pattern
from unscatter.powder.classify.known_patterns import NUMBERS, numbers_of
from unscatter.powder.refine.lines import find_lines
from unscatter.powder.samples.draw import draw_pattern, read_recipe
from unscatter.powder.samples.tables import CachedCrystals
from unscatter.train.powder.splits import split_table

TARGET = Path(__file__).parents[1] / "src" / "unscatter" / "data" / "known_patterns.toml"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("structures", type=Path, nargs="+")
    parser.add_argument("--count", type=int, default=100, help="patterns of each recipe")
    parser.add_argument("--recipes", nargs="+", default=["paper", "measured"])
    options = parser.parse_args()
    crystals = CachedCrystals(options.structures)
    rows = split_table(crystals, "prototype", 0).training
    found = []
    for name in options.recipes:
        for number in range(options.count):
            row = int(np.random.default_rng([2028, number]).choice(rows))
            x, y, instrument, _ = draw_pattern(read_recipe(name), crystals, row, 2028, number, rows)
            pattern = Pattern(x, y, wavelength=instrument.wavelengths[0], radiation=instrument.radiation)
            lines = find_lines(pattern)
            if len(lines):
                found.append(numbers_of(pattern, lines))
    lines = [f"# Made by tools/build_known_patterns.py from {len(found)} patterns of {' and '.join(options.recipes)}."]
    for name in NUMBERS:
        low, high = np.quantile([one[name] for one in found], (0.005, 0.995))
        lines.append(f"{name} = [{low:.5g}, {high:.5g}]")
    TARGET.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
