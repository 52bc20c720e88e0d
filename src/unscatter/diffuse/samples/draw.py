"""Training samples of wing A: (recipe, seed, index) -> sample, a pure function.

`draw_sample` turns an index into the numbers of one sample (NumPy); `collate` stacks many; `render` makes the planes
with any array library, so that on a GPU nothing but numbers ever leaves the host.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

import numpy as np
from array_api_compat import array_namespace
from numpy.typing import NDArray

from unscatter.diffuse.crystal.molecules import Species, draw_rotation, rotate, species_pairs, vegard_cell
from unscatter.diffuse.plane.fold import plane_lattice
from unscatter.diffuse.plane.forward import (
    AtomPair,
    ScatteringPlane,
    Waves,
    atom_pair,
    diffuse_scattering,
    molecular_form_factor,
    order_waves,
    q_squared,
    scattering_plane,
    short_range_order,
)
from unscatter.diffuse.plane.planes import axis_plane
from unscatter.diffuse.samples.artefacts import (
    Background,
    add_background,
    add_blur,
    add_counting_noise,
    add_whole_counts,
    bragg_residue,
    debye_waller,
    draw_background,
)
from unscatter.diffuse.samples.gaps import draw_gaps
from unscatter.diffuse.samples.order_draws import (
    Split,
    cut_off,
    draw_level,
    draw_monte_carlo,
    draw_streaks,
    draw_symmetric,
)
from unscatter.diffuse.samples.orientation import View, draw_view
from unscatter.diffuse.samples.recipe import DiffuseRecipe as DiffuseRecipe
from unscatter.diffuse.samples.recipe import Range
from unscatter.diffuse.samples.recipe import read_recipe as read_recipe
from unscatter.diffuse.samples.recipe import recipe_record as recipe_record
from unscatter.diffuse.samples.scan import plane_measured_by_scan
from unscatter.diffuse.samples.scan_draws import draw_scan
from unscatter.nouns.arrays import Array
from unscatter.nouns.cell import Cell
from unscatter.nouns.molecule import Molecule
from unscatter.nouns.order import OrderParameters
from unscatter.nouns.plane import PlaneAxes

#: Mean counts a pixel below which a recipe with whole counts has them.
FEW_COUNTS = 30.0


@dataclass(frozen=True)
class SampleDraw:
    """The numbers of one sample: what crystal, which plane of it, and how it was measured."""

    pair: AtomPair
    order: OrderParameters
    cell: Cell
    axes: PlaneAxes
    waves: Waves
    shape: tuple[float, float, float]
    measured: NDArray[np.bool_]
    normal: NDArray[np.float32]
    debye_waller: float
    counts: float
    background: Background
    bragg_height: float
    bragg_width: float
    bragg_seed: int
    blur: float
    names: tuple[str, str]


@dataclass(frozen=True)
class DrawBatch:
    """Many draws as stacked arrays with a leading batch dimension; what `render` needs and nothing else."""

    plane: ScatteringPlane
    pair: AtomPair
    waves: Waves
    concentration: Array
    frequencies: Array
    window: Array
    measured: Array
    normal: Array
    debye_waller: Array
    counts: Array
    background: Background
    bragg: Array
    blur: Array
    physical: Array
    shape: Array
    whole_counts: Array


@dataclass(frozen=True)
class Samples:
    """Rendered planes, (B, ny, nx): what is measured, where, and the truth behind it."""

    intensity: Array
    measured: Array
    clean: Array
    form_factor: Array
    short_range_order: Array


def draw_sample(recipe: DiffuseRecipe, seed: int, index: int, split: Split = "training") -> SampleDraw:
    """Draw sample number `index`: molecules, order, cell, plane, and how it was measured.

    Consecutive indices run through the pairs of molecules, so that any 98 in a row hold every validation pair once.
    """
    rng = np.random.default_rng([seed, index, split == "validation"])
    pairs = species_pairs(split)
    # Training visits the pairs in random order; validation each in turn.
    chosen = pairs[index % len(pairs) if split == "validation" else int(rng.integers(len(pairs)))]
    a, b = (_posed(species, rng) for species in chosen)
    if rng.random() < 0.5:
        a, b = b, a
    monte_carlo = split == "validation" or rng.random() < recipe.monte_carlo
    alpha, concentration = draw_monte_carlo(rng, split) if monte_carlo else draw_symmetric(rng, recipe, a.group)
    order = cut_off(recipe, rng, alpha, concentration)
    cell = vegard_cell(a, b, concentration)
    q_max = float(rng.uniform(*recipe.q_max))
    normal = int(rng.integers(3)) if monte_carlo else 1
    level = draw_level(rng, order, cell, normal, q_max)
    # What came later has a stream of its own, so that older recipes give the samples they always gave.
    later = np.random.default_rng([seed, index, split == "validation", 2])
    order = draw_streaks(later, recipe, order, normal)
    view = draw_view(later, recipe, View(cell, axis_plane(cell, normal, level, q_max, recipe.pixels)), normal)
    measured = _draw_measured(rng, recipe, level * float(np.linalg.norm(cell.reciprocal[normal])) / q_max)
    return SampleDraw(
        pair=atom_pair(a, b),
        order=order,
        cell=view.cell,
        axes=view.axes,
        waves=order_waves(order, view.axes),
        shape=_draw_shape(later, recipe),
        measured=_draw_gaps(later, recipe, measured, view),
        normal=rng.standard_normal((recipe.pixels, recipe.pixels), dtype=np.float32)
        if recipe.counts[1] > 0
        else np.zeros((1, 1), dtype=np.float32),
        debye_waller=float(rng.uniform(*recipe.debye_waller)),
        counts=float(np.exp(rng.uniform(*np.log(recipe.counts)))) if recipe.counts[1] > 0 else 0.0,
        background=_scaled_background(rng, recipe.background),
        bragg_height=float(rng.exponential(2.0)) if rng.random() < recipe.bragg_residue else 0.0,
        bragg_width=float(rng.uniform(0.01, 0.05)),
        bragg_seed=int(rng.integers(1 << 30)),
        blur=float(rng.uniform(*recipe.blur)),
        names=(a.name, b.name),
    )


def _posed(species: Species, rng: np.random.Generator) -> Molecule:
    return rotate(species.molecule, draw_rotation(rng)) if species.rotated else species.molecule


def _draw_shape(rng: np.random.Generator, recipe: DiffuseRecipe) -> tuple[float, float, float]:
    """Threshold, power and strength of I_SRO; each as it is in half the samples of a recipe that changes it."""

    def draw(neutral: float, limits: Range) -> float:
        return float(rng.uniform(*limits)) if rng.random() < 0.5 and limits[0] != limits[1] else neutral

    return draw(0.0, recipe.order_threshold), draw(1.0, recipe.order_power), draw(1.0, recipe.order_strength)


def _draw_gaps(
    rng: np.random.Generator, recipe: DiffuseRecipe, measured: NDArray[np.bool_], view: View
) -> NDArray[np.bool_]:
    """What a scan measured as the view shows it, less other kinds of gaps."""
    measured = view.distort(measured)
    return draw_gaps(rng, measured, recipe.least_coverage) if rng.random() < recipe.wide_gaps else measured


def _draw_measured(rng: np.random.Generator, recipe: DiffuseRecipe, height: float) -> NDArray[np.bool_]:
    if rng.random() >= recipe.artefacts:
        return np.ones((recipe.pixels, recipe.pixels), dtype=bool)
    number, level = int(rng.integers(recipe.scans)), round(height * 4) / 4
    mask = _scan_mask(number, level, recipe.pixels, recipe.least_coverage)
    # A reconstruction may be turned and mirrored against the detector in any way.
    mask = np.rot90(mask, int(rng.integers(4)))
    return np.ascontiguousarray(mask if rng.random() < 0.5 else mask[::-1])


@lru_cache(maxsize=4096)
def _scan_mask(number: int, height: float, pixels: int, least: float) -> NDArray[np.bool_]:
    """What scan `number` of the pool measures of a plane at a height given in units of its half width."""
    grid = np.linspace(-7.0, 7.0, pixels, dtype=np.float32)
    for attempt in range(20):
        rng = np.random.default_rng([5, number, attempt])
        mask = plane_measured_by_scan(
            [0.0, 0.0, 7.0 * height], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], grid, grid, draw_scan(rng, 7.0)
        )
        if mask.mean() > least:
            break
    return np.asarray(mask)


def _scaled_background(rng: np.random.Generator, strength: float) -> Background:
    drawn = draw_background(rng)
    scale = strength * float(rng.random())
    return Background(
        drawn.constant * scale,
        drawn.air * scale,
        drawn.air_width,
        drawn.halo * scale,
        drawn.halo_centre,
        drawn.halo_width,
    )


def collate(recipe: DiffuseRecipe, draws: Sequence[SampleDraw]) -> DrawBatch:
    """Stack draws, lists of different length filled up with atoms and waves of weight zero (NumPy, float64)."""
    lattices = [plane_lattice(draw.axes) for draw in draws]
    planes = [scattering_plane(draw.axes, draw.cell) for draw in draws]
    pixels = recipe.pixels
    shape = (len(draws), pixels, pixels)
    return DrawBatch(
        plane=_stack(planes),
        pair=_stack_padded([draw.pair for draw in draws]),
        waves=_stack_padded([draw.waves for draw in draws]),
        concentration=np.array([draw.order.concentration for draw in draws]),
        frequencies=np.stack([np.zeros((2, 2)) if l is None else l.frequencies for l in lattices]),  # noqa: E741
        window=np.array([(1.0, 1.0) if l is None else l.window for l in lattices]),  # noqa: E741
        measured=np.stack([draw.measured for draw in draws]),
        normal=np.stack([np.broadcast_to(draw.normal, shape[1:]) for draw in draws]),
        debye_waller=np.array([draw.debye_waller for draw in draws]),
        counts=np.array([draw.counts for draw in draws]),
        background=_stack([draw.background for draw in draws]),
        bragg=np.stack([_bragg_peaks(draw, pixels) for draw in draws]),
        blur=np.array([draw.blur for draw in draws]),
        physical=np.full(len(draws), recipe.physical),
        shape=np.array([draw.shape for draw in draws]),
        whole_counts=np.full(len(draws), recipe.whole_counts),
    )


def _bragg_peaks(draw: SampleDraw, pixels: int) -> NDArray[np.float32]:
    """Residue at the Bragg positions in units of the mean intensity; one zero where there is none."""
    if draw.bragg_height == 0:
        return np.zeros((pixels, pixels), dtype=np.float32)
    return bragg_residue(draw.axes.hkl(), draw.bragg_height, draw.bragg_width, draw.bragg_seed)


def _stack(values: Sequence[Any]) -> Any:
    names = [field.name for field in fields(values[0])]
    return type(values[0])(**{name: np.stack([np.asarray(getattr(v, name)) for v in values]) for name in names})


def _stack_padded(values: Sequence[Any]) -> Any:
    """Stack dataclasses of arrays, each array filled up with zeros to the largest of the batch."""
    stacked = {}
    for field in fields(values[0]):
        arrays = [getattr(value, field.name) for value in values]
        shape = np.max([array.shape for array in arrays], axis=0)
        target = np.zeros((len(arrays), *shape))
        for row, array in zip(target, arrays, strict=True):
            row[tuple(slice(n) for n in array.shape)] = array
        stacked[field.name] = target
    return type(values[0])(**stacked)


def render(batch: DrawBatch) -> Samples:
    """Make the planes of a batch, in the array library and precision of its arrays."""
    xp = array_namespace(batch.normal)
    q2 = q_squared(batch.plane)
    form = molecular_form_factor(batch.pair, batch.plane, batch.concentration)
    form = form * debye_waller(q2, batch.debye_waller)
    # The published recipe clips what its cut-off series made negative; a physical one is negative only by rounding.
    ordered = xp.clip(short_range_order(batch.waves, batch.plane.x, batch.plane.y), 0.0, None)
    ordered = _shape_order(ordered, batch.shape)
    clean = diffuse_scattering(form, ordered)
    mean = xp.mean(clean, axis=(-2, -1), keepdims=True)
    spoiled = add_background(clean + mean * batch.bragg, q2, batch.background)
    spoiled = add_blur(spoiled, batch.blur) if bool(xp.any(batch.blur > 0)) else spoiled
    counted = batch.counts > 0
    noisy = add_counting_noise(spoiled, xp.where(counted, batch.counts, xp.ones_like(batch.counts)), batch.normal)
    few = batch.whole_counts & counted & (batch.counts < FEW_COUNTS)
    if bool(xp.any(few)):
        counts = add_whole_counts(spoiled, xp.where(few, batch.counts, xp.ones_like(batch.counts)), batch.normal)
        noisy = xp.where(few[..., None, None], counts, noisy)
    spoiled = xp.where(counted[..., None, None], noisy, spoiled)
    return Samples(spoiled, batch.measured, clean, form, ordered)


def _shape_order(ordered: Array, shape: Array) -> Array:
    """Clip, sharpen and weaken I_SRO pixel by pixel, which leaves it periodic; its mean over the plane stays.

    shape: (..., 3), the share of the maximum that is clipped away, the power, and the strength of what deviates.
    """
    xp = array_namespace(ordered)
    threshold, power, strength = (shape[..., i, None, None] for i in range(3))
    if not bool(xp.any((threshold != 0) | (power != 1) | (strength != 1))):
        return ordered
    mean = xp.mean(ordered, axis=(-2, -1), keepdims=True)
    top = xp.max(ordered, axis=(-2, -1), keepdims=True)
    sharp = xp.clip(ordered / (top + 1e-30) - threshold, 0.0, None) ** power
    sharp = sharp * mean / (xp.mean(sharp, axis=(-2, -1), keepdims=True) + 1e-30)
    sharp = xp.where((threshold != 0) | (power != 1), sharp, ordered)
    return mean + strength * (sharp - mean)
