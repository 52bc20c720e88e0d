"""The noise of a powder pattern, from the pattern itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls

from unscatter.nouns.arrays import Floats
from unscatter.nouns.pattern import Pattern

#: Share of the maximum below which nothing is trusted in a pattern without noise (rounding, ends of profiles).
FLOOR = 3e-5
# Points a class of intensity holds at least.
_CLASS_SIZE = 40
# Fifth differences of independent noise have 252 times its variance; of lines of three points and more they leave
# next to nothing, where third differences still see them.
_ORDER, _FACTOR = 5, 252.0
# The square of a normal number is below this with a probability of a quarter.
_QUARTILE = 0.10153
# Relative noise of the highest point, and noise of the others beside it, that rounding and interpolation stay below.
_COUNTED, _STEADY = 2e-4, 6e-5


@dataclass(frozen=True, eq=False)
class Noise:
    """Standard deviation sigma (n,) of each point; present: whether there is any noise beyond rounding.

    gain, constant: variance = gain I + constant in the units of the intensity, where the pattern brought no sigma.
    """

    sigma: Floats
    present: bool
    gain: float = 0.0
    constant: float = 0.0


def find_noise(pattern: Pattern) -> Noise:
    """Noise of a pattern: its own sigma, or variance = a I + b from fifth differences.

    Where lines are, differences hold more than noise, so that of points of like intensity the calmest quarter counts.
    """
    floor = FLOOR * float(np.max(pattern.intensity, initial=0.0))
    if pattern.sigma is not None and np.all(pattern.sigma >= 0) and np.any(pattern.sigma > 0):
        return Noise(_positive(pattern.sigma, floor), True)
    gain, constant = _variance_law(pattern.intensity)
    sigma = np.sqrt(np.maximum(gain * np.maximum(pattern.intensity, 0.0) + constant, 0.0))
    highest = max(float(np.max(pattern.intensity, initial=0.0)), 1e-300)
    present = bool(np.sqrt(gain / highest) > _COUNTED or np.sqrt(constant) > _STEADY * highest)
    if not present:
        return Noise(np.full(len(sigma), floor), False)
    return Noise(_positive(_smooth(sigma), floor), True, gain, constant)


def _variance_law(intensity: Floats) -> tuple[float, float]:
    """a and b of variance = a I + b, both not negative, from classes of points of like intensity."""
    height = np.convolve(intensity, np.full(_ORDER + 1, 1 / (_ORDER + 1)), mode="valid")
    change = np.diff(intensity, _ORDER)
    # Runs of zeros are counts that were clipped, or nothing at all: they say nothing of noise.
    counted = (height > 0) & (change != 0)
    change, height = change[counted], height[counted]
    if len(change) < 2 * _CLASS_SIZE:
        return 0.0, 0.0
    order = np.argsort(height)
    classes = np.array_split(order, min(24, len(order) // _CLASS_SIZE))
    level = np.array([np.mean(height[c]) for c in classes])
    variance = np.array([np.quantile(change[c] ** 2, 0.25) for c in classes]) / (_FACTOR * _QUARTILE)
    return _law(level, np.maximum(variance, 1e-300))


def _law(level: Floats, variance: Floats) -> tuple[float, float]:
    """a and b >= 0 of a I + b through variances (m,) at intensities (m,), each right to the same share.

    Lines that are narrow for the grid can only add, so that a class counts for less the further it is above the law.
    """
    weight = 1 / variance
    gain, constant = 0.0, 0.0
    for _ in range(5):
        matrix = np.stack([level, np.ones_like(level)], axis=1) * weight[:, None]
        gain, constant = nnls(matrix, variance * weight)[0]
        law = np.maximum(gain * level + constant, 1e-3 * variance)
        weight = np.minimum(1.0, (1.5 * law / variance) ** 2) / law
    return float(gain), float(constant)


def _smooth(values: Floats, reach: int = 2) -> Floats:
    padded = np.pad(values, reach, mode="edge")
    return np.convolve(padded, np.full(2 * reach + 1, 1 / (2 * reach + 1)), mode="valid")


def _positive(sigma: Floats, floor: float) -> Floats:
    """Sigmas of which none is so small that its point decides alone."""
    usual = float(np.median(sigma[sigma > 0]))
    return np.maximum(sigma, max(floor, 0.1 * usual))
