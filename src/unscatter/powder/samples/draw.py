"""Training samples of wing B: (recipe, seed, index, structure) -> a powder pattern with its labels, a pure function."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from unscatter.nouns.cell import Cell
from unscatter.powder.pattern.background import amorphous_background, chebyshev_background
from unscatter.powder.pattern.channels import network_channels
from unscatter.powder.pattern.factors import march_dollase
from unscatter.powder.pattern.instrument import Instrument
from unscatter.powder.pattern.peaks import Peaks, join_peaks, place_lines
from unscatter.powder.pattern.profile import show_peaks, sum_peaks
from unscatter.powder.samples.artefacts import add_counting_noise, damping, pole_cosine, stretch_cell
from unscatter.powder.samples.cache import PhaseLines
from unscatter.powder.samples.foreign import draw_can, draw_magnetic
from unscatter.powder.samples.recipe import Axis, PowderRecipe, read_recipe, recipe_record
from unscatter.powder.samples.setup import draw_instrument, draw_log, spoil_instrument
from unscatter.powder.samples.tables import CachedCrystals, Crystals, RandomCrystals

__all__ = [
    "Axis",
    "CachedCrystals",
    "Crystals",
    "PowderRecipe",
    "PowderSamples",
    "RandomCrystals",
    "draw_pattern",
    "draw_samples",
    "read_recipe",
    "recipe_record",
]

# A draw that shows no line is drawn again so often, the last time over the whole range of the instrument.
_ATTEMPTS = 8


@dataclass(frozen=True)
class PowderSamples:
    """Patterns and what they are of.

    inputs: (B, 3, 4096) channels on the network's axis, or (B, 1, n) on the angles of the instrument, highest point
    1; group: (B,) space group number - 1; cell: (B, 4), ln of the volume (Angstrom^3) and of a, b, c (Angstrom) of the
    conventional cell.
    """

    inputs: NDArray[np.float32]
    group: NDArray[np.int64]
    cell: NDArray[np.float32]


def draw_samples(
    recipe: PowderRecipe,
    crystals: Crystals,
    rows: NDArray[np.int64],
    seed: int,
    first: int,
    impurities: NDArray[np.int64] | None = None,
) -> PowderSamples:
    """Samples first, first + 1, ... of (recipe, seed), each of the structure in its place of `rows` (B,).

    impurities: rows (n,) from which an impurity may be drawn; None for all. In training give the training rows, lest
    structures of the test be seen as impurities. A sample depends on (recipe, seed, its number, its structure,
    impurities) and on nothing else, to the last digit. Raises ValueError for no impurities where the recipe has some.
    """
    drawn = [_draw_sample(recipe, crystals, int(row), seed, first + j, impurities) for j, row in enumerate(rows)]
    return PowderSamples(
        np.stack([sample for sample, _, _ in drawn]),
        np.array([group - 1 for _, group, _ in drawn], dtype=np.int64),
        np.log([[cell.volume, cell.a, cell.b, cell.c] for _, _, cell in drawn]).astype(np.float32),
    )


def draw_pattern(
    recipe: PowderRecipe,
    crystals: Crystals,
    row: int,
    seed: int,
    index: int,
    impurities: NDArray[np.int64] | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64], Instrument, PhaseLines]:
    """One pattern as an instrument would write it: two-theta (n,) in degrees, intensity (n,), instrument, phase.

    The phase has the cell it was measured with, the instrument the wavelengths that are meant to be in its beam.
    impurities: as for draw_samples. Raises ValueError for a structure
    without a line in the range.
    """
    if recipe.impurity and impurities is not None and not len(impurities):
        raise ValueError(f"recipe {recipe.name!r} adds impurities, and impurities has no row to draw them from")
    rng = np.random.default_rng([seed, index])
    neutron = rng.random() < recipe.neutron_share
    phase = crystals.lines(row, "neutron" if neutron else "x-ray")
    if recipe.cell_scale or recipe.cell_strain:
        cell = stretch_cell(rng, phase.cell, phase.space_group, recipe.cell_scale, recipe.cell_strain)
        phase = replace(phase, cell=cell)
    # What later versions of a recipe add is drawn from numbers of its own: all else stays as it was.
    more = np.random.default_rng([seed, index, 1]) if recipe.adds_foreign_lines else None
    for attempt in range(_ATTEMPTS):
        instrument = draw_instrument(rng, recipe, neutron, whole=attempt == _ATTEMPTS - 1)
        peaks, instrument = _draw_peaks(rng, more, recipe, crystals, phase, instrument, impurities)
        two_theta = instrument.two_theta
        pattern = sum_peaks(peaks, two_theta, cut=instrument.cut)[0]
        if pattern.max() > 0:
            return two_theta, _draw_measurement(rng, recipe, two_theta, pattern / pattern.max()), instrument, phase
    raise ValueError(f"structure {row} has no line in the range of {instrument.name}")


def _draw_sample(
    recipe: PowderRecipe,
    crystals: Crystals,
    row: int,
    seed: int,
    index: int,
    impurities: NDArray[np.int64] | None,
) -> tuple[NDArray[np.float32], int, Cell]:
    two_theta, intensity, instrument, phase = draw_pattern(recipe, crystals, row, seed, index, impurities)
    if recipe.axis == "network":
        inputs = network_channels(two_theta, intensity, instrument.wavelengths[0])
    else:
        inputs = (intensity / intensity.max()).astype(np.float32)[None]
    return inputs, phase.space_group, phase.cell


def _draw_peaks(
    rng: np.random.Generator,
    more: np.random.Generator | None,
    recipe: PowderRecipe,
    crystals: Crystals,
    phase: PhaseLines,
    instrument: Instrument,
    impurities: NDArray[np.int64] | None,
) -> tuple[Peaks, Instrument]:
    """All peaks that the instrument shows, and the instrument with its displacement and what is wrong with it."""
    lines = _weigh_lines(rng, recipe, phase)
    mixed = []
    if rng.random() < recipe.impurity:
        number = int(rng.integers(len(crystals) if impurities is None else len(impurities)))
        other = crystals.lines(number if impurities is None else int(impurities[number]), instrument.radiation)
        mixed.append(
            (_weigh_lines(rng, recipe, other), recipe.impurity_area * float(rng.random()) ** recipe.impurity_power)
        )
    size = draw_log(rng, recipe.size) if recipe.size[1] > 0 else np.inf
    strain = draw_log(rng, recipe.strain) if recipe.strain[1] > 0 else 0.0
    instrument = replace(instrument, displacement=recipe.displacement * float(rng.standard_normal()))
    wavelengths, weights = instrument.wavelengths, instrument.weights
    if more is not None:
        instrument = spoil_instrument(more, recipe, instrument)
        if more.random() < recipe.can:
            mixed.append((draw_can(more, instrument.radiation), float(more.uniform(*recipe.can_area))))
        if instrument.radiation == "neutron" and more.random() < recipe.magnetic:
            mixed.append((draw_magnetic(more, phase), float(more.uniform(*recipe.magnetic_area))))
    peaks = place_lines(*lines, instrument, size=size, strain=strain)
    area = peaks.area.sum()
    for others, share in mixed:
        foreign = place_lines(*others, instrument, size=size, strain=strain)
        scale = share / (1 - share) * area / max(foreign.area.sum(), 1e-300)
        peaks = join_peaks([peaks, replace(foreign, area=scale * foreign.area)])
    return show_peaks(peaks, instrument), replace(instrument, wavelengths=wavelengths, weights=weights)


def _weigh_lines(
    rng: np.random.Generator, recipe: PowderRecipe, phase: PhaseLines
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """1/d (n,) and m |F|^2 (n,) of a phase, its atoms moving and its crystallites lying as they happen to."""
    inverse_d = phase.inverse_d()
    strength = phase.strength * inverse_d**2
    if not phase.damped and recipe.b_iso[1] > 0:
        strength = strength * damping(inverse_d, float(rng.uniform(*recipe.b_iso)))
    poles = [axis for axis in range(3) if phase.poles >> axis & 1]
    if poles and rng.random() < recipe.textured:
        r = draw_log(rng, (1 / recipe.texture, recipe.texture))
        strength = strength * march_dollase(pole_cosine(phase.hkl, phase.cell, poles[int(rng.integers(len(poles)))]), r)
    return inverse_d, strength


def _draw_measurement(
    rng: np.random.Generator, recipe: PowderRecipe, two_theta: NDArray[np.float64], peaks: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Background under the peaks, whose highest point is 1, and counting noise."""
    intensity = peaks
    if recipe.background[1] > 0:
        level = draw_log(rng, recipe.background)
        smooth = chebyshev_background(two_theta, [1.0, *(rng.standard_normal(5) * 0.4 / np.arange(1, 6)).tolist()])
        intensity = intensity + level * np.maximum(smooth, 0.1)
        if rng.random() < recipe.amorphous:
            centre, width = rng.uniform(two_theta[0], two_theta[-1]), rng.uniform(5.0, 20.0)
            intensity = intensity + amorphous_background(two_theta, centre, width, level * 2 * float(rng.random()))
    if recipe.counts[1] > 0:
        counts = draw_log(rng, recipe.counts)
        normal = rng.standard_normal(len(two_theta), dtype=np.float32)
        intensity = add_counting_noise(intensity * (counts / intensity.max()), normal)
    return intensity
