"""Short-range order of a sample, and the height of a plane that shows it, drawn with a NumPy generator."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from unscatter.diffuse.crystal import order as ordering
from unscatter.diffuse.samples.recipe import DiffuseRecipe
from unscatter.nouns.cell import Cell
from unscatter.nouns.order import OrderParameters

Split: TypeAlias = Literal["training", "validation"]

#: One of so many Monte Carlo models of the bank is kept for validation.
VALIDATION_SHARE = 8


def draw_monte_carlo(rng: np.random.Generator, split: Split) -> tuple[NDArray[np.float64], float]:
    """A model of the bank with its axes in a random order; validation models are never trained on."""
    count = len(ordering.monte_carlo_bank()[1])
    models = np.arange(count)
    held_out = models % VALIDATION_SHARE == 0
    cube, concentration = ordering.bank_cube(int(rng.choice(models[held_out == (split == "validation")])))
    cube = np.transpose(cube, rng.permutation(3))
    return cube, concentration if rng.random() < 0.5 else 1 - concentration


def draw_symmetric(rng: np.random.Generator, recipe: DiffuseRecipe, group: int) -> tuple[NDArray[np.float64], float]:
    """Order on the hexagonal or square net normal to the unique axis, concentration 1/2."""
    net: ordering.Net = "hexagonal" if group == 3 else "square"
    if rng.random() < recipe.clapp_moss:
        layer = ordering.clapp_moss(
            net, rng.normal(size=4) * [1, 0.5, 0.3, 0.2], rng.uniform(0.2, 0.95), ordering.BANK_RADIUS
        )
    else:
        amplitude, decay = rng.uniform(0.6, 1.5), rng.uniform(0.1, 1.2)
        layer = ordering.damped_oscillator(
            net, amplitude, decay, rng.uniform(*recipe.oscillator_frequency), ordering.BANK_RADIUS
        )
    if recipe.physical:
        layer = ordering.make_non_negative(layer)
    return ordering.stack_layers(layer, float(rng.uniform(-0.5, 0.9))), 0.5


def cut_off(
    recipe: DiffuseRecipe, rng: np.random.Generator, alpha: NDArray[np.float64], concentration: float
) -> OrderParameters:
    """The alphas (2n+1, 2n+1, 2n+1) as order parameters, within a window where the recipe is physical."""
    width = float(rng.uniform(*recipe.window))
    if recipe.physical:
        return ordering.to_order_parameters(ordering.apply_window(alpha, width), concentration)
    return ordering.published_order(ordering.to_order_parameters(alpha, concentration))


def draw_level(rng: np.random.Generator, order: OrderParameters, cell: Cell, normal: int, q_max: float) -> float:
    """Height of a plane: h0l to h3l where layers are not negatively correlated along b; else near a diffuse layer.

    The mean of I_SRO over a layer at height l is the series of the alphas along the normal alone.
    """
    highest = 0.6 * q_max / float(np.linalg.norm(cell.reciprocal[normal]))
    along = np.all(np.delete(order.vectors, normal, axis=1) == 0, axis=1)
    steps, alpha = order.vectors[along, normal], order.alpha[along]
    nearest = float(alpha[np.abs(steps) == 1].sum())
    if normal == 1 and nearest > -0.05:
        return float(rng.integers(0, max(int(highest), 0) + 1) % 4)
    if rng.random() < 0.3:
        return float(rng.uniform(0, highest))
    heights = np.linspace(0, 1, 64, endpoint=False)
    layer = np.cos(2 * np.pi * np.outer(heights, steps)) @ alpha
    strongest = heights[int(np.argmax(layer))]
    return float(strongest + rng.integers(0, max(int(highest - strongest), 0) + 1))


def draw_streaks(
    rng: np.random.Generator, recipe: DiffuseRecipe, order: OrderParameters, normal: int
) -> OrderParameters:
    """Order along one direction of the plane alone: a subgroup of the vectors, which is positive definite too."""
    if rng.random() >= recipe.streaks:
        return order
    kept = (normal + 1 + int(rng.integers(2))) % 3
    along = np.all(np.delete(order.vectors, kept, axis=1) == 0, axis=1)
    return OrderParameters(order.vectors[along], np.asarray(order.alpha)[along], order.concentration)
