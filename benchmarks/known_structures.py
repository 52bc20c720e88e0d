"""What several benchmarks of lattices share: recipes by name, and the true metric of a structure."""

from dataclasses import replace

from unscatter.nouns.arrays import Floats
from unscatter.nouns.cell import Cell
from unscatter.powder.refine.metric import primitive_metric
from unscatter.powder.samples.draw import PowderRecipe, read_recipe
from unscatter.symmetry import space_group


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
