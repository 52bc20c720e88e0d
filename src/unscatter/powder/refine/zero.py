"""The zero of the two-theta scale from lines that are orders of one another."""

from __future__ import annotations

import numpy as np

from unscatter.nouns.arrays import Floats

# Largest zero in degrees that is looked for in all systems, smallest that a search at zero does not cover, width of a
# peak; zeros are usually within the last.
_LARGEST, _SMALLEST, _WIDTH, _USUAL = 0.2, 0.03, 0.015, 0.07
# The same where zeros far off are looked for, as of a detector that was moved.
_FAR = (0.6, 0.1, 0.02, 0.4)
# sin^2(theta) of one line over that of another: second and third orders, and rows of square and hexagonal nets.
_RATIOS = (4.0, 9.0, 2.0, 3.0)


def likely_zeros(two_theta: Floats, lines: int = 20, most: int = 3, far: bool = False) -> list[float]:
    """Zeros in degrees, the likeliest first, for which most pairs of lines (n,) are orders of one another.

    sin^2(theta_j - z/2) = r sin^2(theta_i - z/2) is solved for z by one Newton step for each pair and r. far: zeros of
    up to 0.6 degrees.
    """
    largest, smallest, width, usual = _FAR if far else (_LARGEST, _SMALLEST, _WIDTH, _USUAL)
    theta = np.radians(two_theta[:lines] / 2)
    low, high = theta[:, None], theta[None, :]
    found = []
    for ratio in _RATIOS:
        root = np.sqrt(ratio)
        miss = np.sin(high) - root * np.sin(low)
        slope = (np.cos(high) - root * np.cos(low)) / 2
        zero = np.degrees(np.where(np.abs(slope) > 1e-3, miss / np.where(slope == 0, 1, slope), np.inf))
        # A pair counts by how sharply it tells the zero.
        weight = np.abs(slope) * np.ones_like(zero) * (1.0 if ratio > 3.5 else 0.5)
        near = (high > low) & (np.abs(zero) < largest)
        found += list(zip(zero[near], weight[near], strict=True))
    if not found:
        return []
    zeros, weights = np.array(found).T
    grid = np.arange(-largest, largest + 1e-9, 0.005)
    height = np.exp(-0.5 * ((grid[:, None] - zeros) / width) ** 2) @ weights * np.exp(-0.5 * (grid / usual) ** 2)
    chosen: list[float] = []
    for n in np.argsort(-height):
        if abs(grid[n]) > smallest and all(abs(grid[n] - z) > 2 * width for z in chosen):
            chosen.append(float(grid[n]))
    return chosen[:most]
