"""What several benchmarks of lattices share: questions, recipes by name, and the true metric of a structure."""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from unscatter.nouns.arrays import Floats
from unscatter.nouns.cell import Cell
from unscatter.powder.refine.metric import primitive_metric
from unscatter.powder.samples.draw import CachedCrystals, PowderRecipe, read_recipe
from unscatter.symmetry import space_group
from unscatter.train.powder.splits import Split, split_table


def asking(description: str | None, count: int, seed: int) -> argparse.ArgumentParser:
    """A parser that asks which structures, by which recipes, how many, of which part of the split."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("structures", type=Path, help="made by unscatter simulate reflections")
    parser.add_argument("--recipes", nargs="+", default=["paper", "measured"])
    parser.add_argument("--count", type=int, default=count, help="patterns of each recipe")
    parser.add_argument("--part", choices=("training", "validation", "test"), default="validation", help="of the split")
    parser.add_argument("--seed", type=int, default=seed)
    return parser


def asked_structures(options: argparse.Namespace) -> tuple[CachedCrystals, Split, list[int]]:
    """The structures that were asked for, how they are split, and all rows of the part in the order of the seed."""
    crystals = CachedCrystals([options.structures])
    split = split_table(crystals, "prototype")
    rows = np.random.default_rng(options.seed).permutation(getattr(split, options.part))
    return crystals, split, rows.tolist()


def recipe_called(name: str) -> PowderRecipe:
    """A recipe of the package, or one that is made of it."""
    if name == "noisy":
        return replace(read_recipe("paper"), name=name, counts=(2e4, 2e4), background=(0.02, 0.02))
    return read_recipe(name)


def true_metric(cell: Cell, group: int) -> Floats:
    """Reduced primitive metric of a structure in the reference setting of its group."""
    centring = space_group(group).centring_type()
    if centring == "A":
        return primitive_metric(Cell(cell.b, cell.c, cell.a, cell.beta, cell.gamma, cell.alpha), "C")
    return primitive_metric(cell, centring)
