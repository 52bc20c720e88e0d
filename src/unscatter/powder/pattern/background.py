"""What lies under the lines of a powder pattern: simulated, and estimated to be looked at."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from array_api_compat import array_namespace

from unscatter.nouns.arrays import Array, Floats

#: Points of the even grid on which the estimate is made.
GRID = 2048
#: Widest line, as half of its foot over the range of the pattern, that is not taken for background.
HALF_FOOT = 1 / 30
#: Width of the averages before clipping, on the same scale: noise would pull the estimate to its lower edge.
AVERAGED = 1 / 250


def chebyshev_background(two_theta: Array, coefficients: Sequence[float]) -> Array:
    """Smooth background (n,): sum_k c_k T_k(x), x from -1 at the first angle to 1 at the last."""
    xp = array_namespace(two_theta)
    x = 2 * (two_theta - two_theta[0]) / (two_theta[-1] - two_theta[0]) - 1
    terms = [xp.ones_like(x), x]
    while len(terms) < len(coefficients):
        terms.append(2 * x * terms[-1] - terms[-2])
    return sum(c * term for c, term in zip(coefficients, terms, strict=False))


def amorphous_background(two_theta: Array, centre: float, width: float, height: float) -> Array:
    """Hump (n,) of an amorphous part or a sample holder: a Gaussian of FWHM `width`, all in degrees."""
    return height * array_namespace(two_theta).exp(-4 * math.log(2) * ((two_theta - centre) / width) ** 2)


def estimate_background(two_theta: Floats, intensity: Floats) -> Floats:
    """Background (n,) in the units of intensity (n,), over two_theta (n,) in degrees, increasing.

    SNIP on v = sqrt(I): the root makes noise alike everywhere and the result free of the units, and averaging keeps
    the estimate in the middle of the noise. Where lines overlap over more than a foot, they count as background.
    Source: Ryan et al., Nucl. Instrum. Meth. B 34, 396 (1988); order and steps after Morhac, Nucl. Instrum. Meth.
    A 600, 478 (2009).
    """
    grid = np.linspace(two_theta[0], two_theta[-1], GRID)
    averaged = _average(two_theta, intensity, grid, AVERAGED * (two_theta[-1] - two_theta[0]))
    clipped = clip_lines(np.sqrt(np.clip(averaged, 0.0, None)), round(HALF_FOOT * GRID))
    return np.asarray(np.interp(two_theta, grid, clipped**2))


def clip_lines(values: Floats, half_foot: int) -> Floats:
    """Values (n,) with every maximum narrower than 2 half_foot steps cut off.

    For p from half_foot down to 1, v(i) becomes the smallest of v(i) and the larger of the chord
    (v(i - p) + v(i + p)) / 2 and of the cubic through v(i - p), v(i - p/2), v(i + p/2) and v(i + p), which does not
    wear down a slow hump as chords alone would. At the ends there is room for smaller p only.
    """
    clipped = np.array(values, dtype=np.float64)
    for reach in range(half_foot, 0, -1):
        inner = slice(reach, -reach)
        ends = clipped[: -2 * reach] + clipped[2 * reach :]
        near = (reach + 1) // 2
        middle = clipped[reach - near : -reach - near] + clipped[reach + near : len(clipped) - reach + near]
        # Lagrange's weights of the cubic at its middle, with the inner points at a share s of the way.
        share = (near / reach) ** 2
        cubic = (middle - share * ends) / (2 * (1 - share)) if share < 1 else ends / 2
        clipped[inner] = np.minimum(clipped[inner], np.maximum(ends / 2, cubic))
    return clipped


def _average(two_theta: Floats, intensity: Floats, grid: Floats, width: float) -> Floats:
    """Mean over `width` degrees of the lines drawn through the points, at each place of the grid."""
    pieces = np.diff(two_theta) * (intensity[1:] + intensity[:-1]) / 2
    total = np.concatenate([[0.0], np.cumsum(pieces)])
    low = np.maximum(grid - width / 2, two_theta[0])
    high = np.minimum(grid + width / 2, two_theta[-1])
    return np.asarray((np.interp(high, two_theta, total) - np.interp(low, two_theta, total)) / (high - low))
