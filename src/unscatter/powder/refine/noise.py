"""The noise of a powder pattern, from the pattern itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from unscatter.nouns.pattern import Pattern

Floats: TypeAlias = NDArray[np.float64]

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
    # The lower half of the classes is background; above, lines can only add, so the least a / I rules.
    lower = slice(0, max(3, len(level) // 2))
    slope, constant = _line_through(level[lower], variance[lower])
    ratio = float(np.min(variance / np.maximum(level, 1e-300)))
    if slope <= 0 or constant < 0:
        slope, constant = ratio, 0.0
    return max(min(slope, 2 * ratio if constant == 0 else slope), 0.0), max(constant, 0.0)


def _line_through(x: Floats, y: Floats) -> tuple[float, float]:
    weight = 1 / np.maximum(y, 1e-300)
    matrix = np.stack([x, np.ones_like(x)], axis=1) * weight[:, None]
    slope, constant = np.linalg.lstsq(matrix, y * weight, rcond=None)[0]
    return float(slope), float(constant)


def _smooth(values: Floats, reach: int = 2) -> Floats:
    padded = np.pad(values, reach, mode="edge")
    return np.convolve(padded, np.full(2 * reach + 1, 1 / (2 * reach + 1)), mode="valid")


def _positive(sigma: Floats, floor: float) -> Floats:
    """Sigmas of which none is so small that its point decides alone."""
    usual = float(np.median(sigma[sigma > 0]))
    return np.maximum(sigma, max(floor, 0.1 * usual))
