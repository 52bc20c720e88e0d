"""How a diffractometer is set up for one sample: width, range, alignment, and what its beam holds besides."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from unscatter.powder.pattern.channels import SHORTEST
from unscatter.powder.pattern.instrument import Instrument, read_instruments
from unscatter.powder.samples.recipe import PowderRecipe, Range

# Wavelengths and relative widths of synchrotron diffractometers, on a logarithmic scale.
_SYNCHROTRON_WAVELENGTH = (0.4, 1.6)
_SYNCHROTRON_WIDTH = (0.01, 0.04)  # FWHM in degrees
_MOST_POINTS = 8000
# W L-alpha in Angstrom: tungsten of the filament settles on the anode of an old tube.
_W_L_ALPHA = 1.47639
# S/L and H/L as factors of the instrument's: alike, or one of the two higher.
_HEIGHTS = ((1.0, 1.0), (1.4, 0.6), (0.6, 1.4))


def draw_instrument(rng: np.random.Generator, recipe: PowderRecipe, neutron: bool, whole: bool) -> Instrument:
    """An instrument of the recipe, set up in its own way; over its whole range if asked for."""
    names = recipe.neutron if neutron else recipe.x_ray
    instrument = read_instruments()[names[int(rng.integers(len(names)))]]
    factor = draw_log(rng, recipe.width) ** 2
    u, v, w = (factor * number for number in instrument.caglioti)
    wavelengths, weights, step = instrument.wavelengths, instrument.weights, instrument.range[2]
    start, stop = instrument.range[:2]
    optics: dict[str, Any] = {"axial": instrument.axial, "monochromator": instrument.monochromator}
    if neutron and recipe.wavelength_spread:
        turn = float(np.exp(recipe.wavelength_spread * rng.standard_normal()))
        wavelengths = tuple(wavelength * turn for wavelength in wavelengths)
    if not neutron and rng.random() < recipe.synchrotron:
        wavelengths, weights = (draw_log(rng, _SYNCHROTRON_WAVELENGTH),), (1.0,)
        fwhm = draw_log(rng, _SYNCHROTRON_WIDTH)
        u, v, w = fwhm**2, 0.0, fwhm**2
        # The beam is narrow, and polarised across the plane of diffraction.
        start, optics = 1.0, {"axial": (0.0, 0.0), "monochromator": 90.0, "k_beta": 0.0}
        step = max(fwhm / 3, (stop - start) / _MOST_POINTS)
    # What lies beyond the network's axis is of no use to it.
    if recipe.axis == "network":
        end = 2 * np.degrees(np.arcsin(min(min(wavelengths) / (2 * SHORTEST), 1.0)))
        stop = min(stop, float(end) + step)
    if not whole and max(recipe.cut) > 0:
        length = stop - start
        start, stop = start + length * recipe.cut[0] * rng.random(), stop - length * recipe.cut[1] * rng.random()
    return replace(
        instrument,
        wavelengths=wavelengths,
        weights=weights,
        caglioti=(u, v, w),
        range=(start, stop, step * draw_log(rng, recipe.step)),
        zero=instrument.zero + recipe.zero_shift * float(rng.standard_normal()),
        **optics,
    )


def spoil_instrument(rng: np.random.Generator, recipe: PowderRecipe, instrument: Instrument) -> Instrument:
    """The instrument with other heights, a zero that is far off, and other wavelengths in its beam, as it happens."""
    factor = draw_log(rng, recipe.axial)
    sample, detector = _HEIGHTS[int(rng.integers(len(_HEIGHTS)))]
    axial = (instrument.axial[0] * factor * sample, instrument.axial[1] * factor * detector)
    zero = instrument.zero
    if rng.random() < recipe.zero_outlier:
        zero = float(rng.uniform(-recipe.zero_most, recipe.zero_most))
    instrument = replace(instrument, axial=axial, zero=zero)
    return _contaminate(rng, recipe, instrument) if rng.random() < recipe.contaminated else instrument


def _contaminate(rng: np.random.Generator, recipe: PowderRecipe, instrument: Instrument) -> Instrument:
    """Other wavelengths in the beam: K-beta and W L-alpha of a tube, lambda / 2 of a neutron monochromator."""
    total = sum(instrument.weights)
    if instrument.radiation == "neutron":
        others = [(instrument.wavelengths[0] / 2, recipe.half_wavelength)]
    elif instrument.k_beta:
        others = [(instrument.k_beta, recipe.k_beta), (_W_L_ALPHA, recipe.tungsten)]
    else:
        return instrument
    shares = [float(rng.uniform(*limits)) for _, limits in others]
    return replace(
        instrument,
        wavelengths=(*instrument.wavelengths, *(wavelength for wavelength, _ in others)),
        weights=(*instrument.weights, *(share * total for share in shares)),
    )


def draw_log(rng: np.random.Generator, limits: Range) -> float:
    """A number between two, even on a logarithmic scale."""
    low, high = limits
    return float(low * (high / low) ** rng.random())
