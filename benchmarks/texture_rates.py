"""How often preferred orientation is found in simulated patterns that have it, and in those that have none.

python benchmarks/texture_rates.py runs/icsd.h5 [--count 60] [--recipe paper] [--seed 9]

Structures are those of validation; the true lattice is fitted. r of March and Dollase is drawn between 1/R and R,
evenly on a logarithmic scale, along one pole that symmetry leaves: half the patterns of a row have less than the root
of R. Structures without such a pole, and patterns with fewer than 20 resolved lines, are left out.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
from engine_accuracy import draw, recipe_called

from unscatter.nouns.lattice import Lattice
from unscatter.powder.classify.findings import LIMITS
from unscatter.powder.classify.texture import find_texture
from unscatter.powder.refine.fit_pattern import fit_pattern
from unscatter.powder.samples.tables import CachedCrystals
from unscatter.symmetry import bravais_lattice
from unscatter.train.powder.splits import split_table

RATIOS = (1.0, 1.6, 2.5)


def nats_of(crystals: CachedCrystals, row: int, number: int, ratio: float, options: argparse.Namespace) -> float | None:
    """How far a preferred orientation is likelier than none in one pattern; None where that cannot be told."""
    recipe = replace(recipe_called(options.recipe), textured=float(ratio > 1), texture=ratio, impurity=0.0)
    pattern, phase, _ = draw(recipe, crystals, row, options.seed, number, np.array([row]))
    if not phase.poles:
        return None
    found = find_texture(fit_pattern(pattern, Lattice(phase.cell, bravais_lattice(phase.space_group))))
    return None if found is None else found.nats


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("structures", type=Path)
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--recipe", default="paper")
    parser.add_argument("--seed", type=int, default=9)
    options = parser.parse_args()
    crystals = CachedCrystals([options.structures])
    rows = np.random.default_rng(options.seed).permutation(split_table(crystals, "prototype").validation)
    fair, poor = LIMITS["preferred orientation"]
    print(f"recipe {options.recipe}, r drawn from 1/R to R; share of patterns with a finding")
    print(f"{'R':>5} {'n':>4} {'fair or poor':>13} {'poor':>6}")
    for ratio in RATIOS:
        each = (nats_of(crystals, int(row), k, ratio, options) for k, row in enumerate(rows[: options.count]))
        found = np.array([one for one in each if one is not None])
        shares = [100 * float(np.mean(found >= limit)) for limit in (fair, poor)]
        print(f"{ratio:5.1f} {len(found):4d} {shares[0]:11.0f} % {shares[1]:4.0f} %", flush=True)


if __name__ == "__main__":
    main()
