"""Lattices of two and three times the volume that explain what a lattice leaves: weak lines of a superstructure."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from unscatter.nouns.arrays import Floats
from unscatter.nouns.lattice import Lattice
from unscatter.powder.refine.metric import inverse, lattice_of, metric_of_lattice, superlattices, symmetry_of
from unscatter.powder.refine.nodes import predicted
from unscatter.powder.refine.whole_pattern import Model

# Foreign lines from which a larger lattice is looked for, and how many lattices are worth a fit.
_FEWEST, _MOST = 4, 3
# FWHM within which a line is explained, and degrees over which predicted ones are counted.
_NEAR, _AROUND = 0.25, 2.0
# Share of the foreign lines that the right lattice explains, others being of other phases, and nats it gains at least.
_EXPLAINED, _GAIN = 0.6, 4.0


def larger_lattices(lattice: Lattice, model: Model) -> tuple[Lattice, ...]:
    """Superlattices that explain the foreign lines of a fit better than chance, the best first.

    Of n foreign lines, those explained gain ln(s / p_i) each and the others ln((1 - s) / (1 - p_i)), with s the share
    that is expected to be explained and p_i the chance that a predicted line lies as near.
    """
    foreign = model.foreign
    if len(foreign) < _FEWEST:
        return ()
    angle = foreign - lattice.zero - model.parameters.displacement * np.cos(np.radians(foreign / 2))
    width = model.shape.fwhm(foreign)
    gains = []
    for matrix in superlattices(metric_of_lattice(lattice).matrix):
        gain = _gain(matrix, angle, width, model.shape.wavelength)
        if gain > _GAIN:
            gains.append((gain, matrix))
    best = sorted(gains, key=lambda one: -one[0])[:_MOST]
    return tuple(replace(lattice_of(symmetry_of(matrix)), zero=lattice.zero) for _, matrix in best)


def _gain(matrix: Floats, angle: Floats, width: Floats, wavelength: float) -> float:
    """Nats by which a metric (3, 3) explains lines at angles (n,) of widths (n,), in degrees, better than chance."""
    last = np.sin(np.radians(min(float(angle.max()) + _AROUND, 179.0) / 2)) * 2 / wavelength
    _, q = predicted(inverse(matrix), float(last) ** 2)
    if not len(q):
        return -np.inf
    places = np.degrees(2 * np.arcsin(np.minimum(np.sqrt(q) * wavelength / 2, 1.0)))
    above = (
        np.clip(np.searchsorted(places, angle), 1, len(places) - 1) if len(places) > 1 else np.zeros(len(angle), int)
    )
    off = np.minimum(np.abs(places[above] - angle), np.abs(places[above - 1] - angle))
    distinct = places[np.concatenate([[True], np.diff(places) > 1e-3])]
    around = np.searchsorted(distinct, angle + _AROUND) - np.searchsorted(distinct, angle - _AROUND)
    reach = _NEAR * width
    chance = np.clip(-np.expm1(-around * reach / _AROUND), 1e-3, 1 - 1e-3)
    gains = np.where(off < reach, np.log(_EXPLAINED / chance), np.log((1 - _EXPLAINED) / (1 - chance)))
    return float(np.sum(gains))
