"""Order along one direction only: whether the picture determines the second axis of a lattice, or shows streaks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from unscatter.diffuse.factorize.asking import Answer
from unscatter.diffuse.factorize.folding import Grid
from unscatter.diffuse.factorize.lattice.weighing import SHARPNESS, excess_residual
from unscatter.diffuse.plane.fold import PlaneLattice
from unscatter.diffuse.plane.separable import sum_waves
from unscatter.diffuse.plane.streaks import fit_streaks
from unscatter.nouns.arrays import Floats, Mask
from unscatter.nouns.found_lattice import LatticeCandidate

#: Waves of a lattice that streaks may follow: harmonics of its two axes.
DIRECTIONS = ((1, 0), (0, 1), (1, 1), (1, -1))
#: Harmonics in the fit of a period, its steps, and how far it may drift over the plane, in periods.
ORDER, STEPS, DRIFT = 4, 4, 1.0
#: Ratio of residuals, the lattice's noise taken out, up to which streaks predict as well as the lattice, and from which
#: no more is asked.
AS_WELL, HOPELESS = 1.004, 1.6


class Predicts(Protocol):
    """What lattices predict of hidden pixels; translations (2, 2), streaks along the second if one_dimensional."""

    def residual(self, translations: Floats, one_dimensional: bool = False) -> float:
        """Relative residual of hidden pixels, I_FF as it is without a lattice."""

    def fitted_residual(self, translations: Floats, one_dimensional: bool = False) -> tuple[float, int]:
        """The same with I_FF fitted too, on means over so many pixels along either edge."""

    def period(self, frequency: Floats) -> Floats | None:
        """The wave (2,) nearby that explains most of I / I_FF as streaks; None where there is none."""


def with_streaks(candidates: Sequence[LatticeCandidate], hidden: Predicts, noise: float) -> list[LatticeCandidate]:
    """Lattices and, beside each, the streaks that hold its waves along one direction, by what both predict.

    I_SRO of streaks is constant along the second axis. Errors of I_FF are no order, but the waves of a second axis
    take them up; so hidden pixels are predicted twice, with I_FF as it is without a lattice and with I_FF fitted.
    noise: relative residual that the noise of pixels leaves. The weight of a lattice is shared by both in the ratio
    of these residuals to the power of `SHARPNESS`, and goes to the streaks where they predict as well.
    """
    shared = []
    for candidate in candidates:
        streaks = _streaks_of(candidate, hidden)
        share = 0.0 if streaks is None else _share_of(streaks, candidate, hidden, noise)
        shared.append(replace(candidate, weight=(1 - share) * candidate.weight))
        if streaks is not None:
            shared.append(replace(streaks, weight=share * candidate.weight))
    return [candidate for candidate in shared if candidate.weight > 0]


def _streaks_of(candidate: LatticeCandidate, hidden: Predicts) -> LatticeCandidate | None:
    """The direction of a lattice whose waves alone predict most."""
    frequencies = np.linalg.inv(candidate.translations).T
    waves = [hidden.period(np.array(numbers) @ frequencies) for numbers in DIRECTIONS]
    tried = [streak_translations(wave) for wave in waves if wave is not None]
    if not tried:
        return None
    residual, best = min(((hidden.residual(each, True), k) for k, each in enumerate(tried)))
    return replace(candidate, translations=tried[best], residual=residual, one_dimensional=True)


def streak_translations(frequency: Floats) -> Floats:
    """The period that belongs to a wave (2,), and one as long at right angles that stands for any, (2, 2)."""
    x, y = frequency / (frequency @ frequency)
    return np.array([[x, y], [-y, x]])


def _share_of(streaks: LatticeCandidate, lattice: LatticeCandidate, hidden: Predicts, noise: float) -> float:
    """Share of the streaks in the weight of the lattice that they come from, 0 to 1."""
    as_it_is = excess_residual([streaks.residual, lattice.residual], noise)
    first = float(as_it_is[0] / as_it_is[1])
    if first <= AS_WELL:
        return 1.0
    if first > HOPELESS:
        return 0.0
    (one, _), (other, block) = (hidden.fitted_residual(e.translations, e.one_dimensional) for e in (streaks, lattice))
    fitted = excess_residual([one, other], noise / block)
    return float(1 / (1 + (first * fitted[0] / fitted[1]) ** (SHARPNESS / 2)))


def refine_wave(intensity: Floats, measured: Mask, blind: Answer, grid: Grid, frequency: Floats) -> Floats | None:
    """Gauss-Newton on the series of one direction, fitted to I / I_FF; None where it runs away.

    frequency: (2,), waves per unit of x and y of the first harmonic, to begin from.
    """
    form = np.maximum(blind.form_factor, 1e-2 * blind.form_factor.max())
    values, weight = intensity / form, measured * form
    x, y = (axis - axis.mean() for axis in (grid.x, grid.y))
    start = frequency
    order = min(ORDER, Grid(x, y, PlaneLattice(streak_translations(start), None, True)).order)
    for _ in range(STEPS):
        series = fit_streaks(values, weight, frequency, x, y, order)
        turned = 2 * np.pi * np.arange(order + 1)
        slope = sum_waves(series.sine * turned, -series.cosine * turned, series.frequency_x, series.frequency_y, x, y)
        design = np.stack([(slope * place).ravel() for place in (x[None, :], y[:, None])])
        weighted = design * weight.ravel()
        normal = weighted @ design.T
        normal += np.eye(2) * (1e-6 * np.trace(normal) + 1e-300)
        frequency = frequency + np.linalg.solve(normal, weighted @ (values - series(x, y)).ravel())
    moved = np.abs(frequency - start) * [float(np.ptp(x)), float(np.ptp(y))]
    return np.asarray(frequency) if bool(np.all(moved < DRIFT)) else None
