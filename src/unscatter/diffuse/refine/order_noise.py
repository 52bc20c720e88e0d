"""How uncertain a pixel is, and what a saturated one still says: the weights of a refinement against intensities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls
from scipy.special import log_ndtr

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

#: A residual of so many standard deviations halves the weight of a pixel (Cauchy): Bragg residue, hot pixels.
TRUST = 4.0
#: Median of the square of a standard normal deviate.
_MEDIAN_SQUARE = 0.4549
_BINS, _SMALLEST_BIN = 40, 25


@dataclass(frozen=True)
class Noise:
    """Variance of a pixel by what the model says of it: constant + linear |I| + (relative I)^2, units of the input.

    The three terms are the noise of the instrument, counting, and what the model itself gets wrong.
    """

    constant: float
    linear: float
    square: float

    def variance(self, model: Floats) -> Floats:
        """Variance of every pixel of a model."""
        positive = np.clip(model, 0.0, None)
        return np.asarray(self.constant + self.linear * positive + self.square * positive**2)


def estimate_noise(residual: Floats, model: Floats) -> Noise:
    """Fit the three terms to the median squared residual in bins of the model; (n,) each, uncensored pixels."""
    positive = np.clip(model, 0.0, None)
    bins = int(np.clip(positive.size // _SMALLEST_BIN, 1, _BINS))
    edges = np.quantile(positive, np.linspace(0, 1, bins + 1)[1:-1])
    place = np.searchsorted(edges, positive)
    order = np.argsort(place, kind="stable")
    starts = np.flatnonzero(np.diff(place[order], prepend=-1))
    groups = np.split(order, starts[1:])
    level = np.array([positive[group].mean() for group in groups])
    spread = np.array([np.median(residual[group] ** 2) for group in groups]) / _MEDIAN_SQUARE
    floor = 1e-8 * float(np.mean(model**2)) + 1e-300
    spread = np.maximum(spread, floor)
    terms = np.stack([np.ones_like(level), level, level**2], axis=1)
    weight = 1 / spread
    for _ in range(4):
        found = nnls(terms * weight[:, None], spread * weight)[0]
        weight = 1 / np.maximum(terms @ found, floor)
    return Noise(max(float(found[0]), floor), float(found[1]), float(found[2]))


def working_residuals(
    intensity: Floats, model: Floats, variance: Floats, measured: Mask, censored: Mask
) -> tuple[Floats, Floats]:
    """Residual and weight of every pixel for one step of Gauss and Newton, (ny, nx) each; weight 0: says nothing.

    A measured pixel: I - model with weight 1 / variance, less where it lies far out. A censored one, known to be at
    least `intensity`, counts with the probability of that: its score and curvature take the place of both (Tobit).
    """
    sigma = np.sqrt(variance)
    residual = np.where(measured, intensity - model, 0.0)
    weight = measured / (variance * (1 + residual**2 / (TRUST**2 * variance)))
    z = (intensity - model)[censored] / sigma[censored]
    # Inverse Mills ratio phi(z) / (1 - Phi(z)), safe in both tails.
    ratio = np.exp(-0.5 * z**2 - 0.5 * np.log(2 * np.pi) - log_ndtr(-z))
    curvature = np.clip(ratio * (ratio - z), 1e-9, 1.0)
    # Beyond TRUST the score grows no more: a saturated Bragg peak on a weak plane says little.
    curvature /= 1 + np.clip(z, 0, None) ** 2 / TRUST**2
    residual[censored] = sigma[censored] * ratio / np.clip(ratio * (ratio - z), 1e-9, 1.0)
    weight[censored] = curvature / variance[censored]
    return residual, weight
