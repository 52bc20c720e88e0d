"""Preferred orientation of a fitted lattice: whether intensities go with the direction of their planes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from unscatter.nouns.arrays import Floats
from unscatter.nouns.pattern_fit import PatternFit
from unscatter.powder.pattern.factors import march_dollase
from unscatter.powder.refine.evidence import area_as_around, lorentz_factor
from unscatter.powder.refine.intensity_prior import intensity_mixture, log_components, reweighted
from unscatter.powder.refine.predicted import holohedry

#: Planes that crystallites lie on or needles stand along; those that symmetry makes equivalent count once.
POLES = ((1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0), (1, 1, 1))
#: March-Dollase r that are tried beside 1, a random powder.
RATIOS = tuple(float(r) for r in np.geomspace(0.3, 1 / 0.3, 21))
#: Fewer resolved lines tell texture from structure no more.
FEWEST_LINES = 20
#: Nats that one line may count for.
MOST = 3.0


@dataclass(frozen=True)
class Texture:
    """The preferred orientation that explains intensities best.

    pole: hkl of the planes; ratio: March-Dollase r, below 1 for plates, above for needles; nats: logarithm of the
    likelihood over that of a random powder, less ln of the number of poles and ratios that were tried.
    """

    pole: tuple[int, int, int]
    ratio: float
    nats: float


def find_texture(fit: PatternFit) -> Texture | None:
    """The likeliest preferred orientation of a fit; None where too few lines are resolved.

    Areas are compared with m W / (sin^2 cos) times a slow function of angle, W the March-Dollase weight averaged over
    the planes equivalent by the lattice, and z = area / expected follows the mixture of exponentials that intensities
    of structures follow. Source: Dollase, J. Appl. Cryst. 19, 267 (1986).
    """
    lines = _Lines.of(fit)
    none = lines.log_likelihoods(np.ones(len(fit.column)))
    if len(none) < FEWEST_LINES:
        return None
    poles = _distinct_poles(fit.lattice.bravais)
    tried = [
        (_gain(lines.log_likelihoods(_mean_weight(fit, pole, ratio)), none), pole, ratio)
        for pole in poles
        for ratio in RATIOS
        if ratio != 1.0
    ]
    gain, pole, ratio = max(tried)
    return Texture(pole, ratio, gain - float(np.log(len(poles) * (len(RATIOS) - 1))))


def _gain(of_texture: Floats, without: Floats) -> float:
    """Nats that a texture gains over none; no line counts for more than MOST, for a foreign one may lie upon it."""
    return float(np.sum(np.clip(of_texture - without, -MOST, MOST)))


@dataclass(frozen=True, eq=False)
class _Lines:
    """Resolved lines of a fit: area and variance (m,), weight of each reflection without texture, and its line (n,).

    telling: (m,) lines whose area is known to their expected area or better.
    """

    area: Floats
    variance: Floats
    centre: Floats
    weight: Floats
    column: NDArray[np.int64]
    telling: NDArray[np.bool_]
    radiation: str | None

    @classmethod
    def of(cls, fit: PatternFit) -> _Lines:
        """The lines of a fit."""
        multiplicity = fit.multiplicity.astype(np.float64)
        count = np.bincount(fit.column)
        area, error = _summed(fit.column, fit.area), _summed(fit.column, fit.area_error)
        centre = _summed(fit.column, fit.two_theta) / count
        weight = multiplicity * lorentz_factor(fit.two_theta)
        telling = error < area_as_around(centre, area, _summed(fit.column, weight))
        return cls(area, error**2, centre, weight, fit.column, telling, fit.pattern.radiation)

    def log_likelihoods(self, orientation: Floats) -> Floats:
        """ln of the likelihood of each telling area where reflections (n,) are weighed by their orientation."""
        weight = _summed(self.column, self.weight * orientation)
        expected = area_as_around(self.centre, self.area, weight)[self.telling]
        z = self.area[self.telling] / expected
        variance = np.maximum(self.variance[self.telling] / expected**2, 1e-8)
        means, common = intensity_mixture(self.radiation, special=False)
        own = reweighted(means, common, z, variance)
        logs = log_components(means, own, z[:, None], variance[:, None])
        return np.asarray(logsumexp(logs, axis=1) - np.log(expected))


def _summed(column: NDArray[np.int64], values: Floats) -> Floats:
    """Sum (m,) of the values (n,) of the reflections of each resolved line."""
    return np.asarray(np.bincount(column, values), dtype=np.float64)


def _distinct_poles(bravais: str) -> list[tuple[int, int, int]]:
    """Poles of which none is equivalent to another by the symmetry of the lattice."""
    found: list[tuple[int, int, int]] = []
    for pole in POLES:
        orbit = np.array(pole) @ holohedry(bravais)
        if not any(np.any(np.all(orbit == one, axis=1) | np.all(orbit == -np.array(one), axis=1)) for one in found):
            found.append(pole)
    return found


def _mean_weight(fit: PatternFit, pole: tuple[int, int, int], ratio: float) -> Floats:
    """March-Dollase weight (n,) of each set of equivalent reflections."""
    reciprocal = fit.lattice.cell.reciprocal
    planes = fit.hkl @ reciprocal
    planes = planes / np.linalg.norm(planes, axis=1, keepdims=True)
    poles = (np.array(pole) @ holohedry(fit.lattice.bravais)) @ reciprocal
    poles = poles / np.linalg.norm(poles, axis=1, keepdims=True)
    return np.asarray(march_dollase(planes @ poles.T, ratio).mean(axis=1))
