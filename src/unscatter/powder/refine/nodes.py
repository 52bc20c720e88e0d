"""Nodes of a reciprocal lattice up to a length: the lines that it predicts."""

from __future__ import annotations

import numpy as np

from unscatter.nouns.arrays import Floats, Integers
from unscatter.powder.pattern.kernels import compiled

# Nodes beyond which a cell is too large to be looked at.
_MOST_NODES = 50_000


def predicted(reciprocal: Floats, most: float) -> tuple[Integers, Floats]:
    """Indices (m, 3), one of each pair of opposites, and q (m,) up to `most` of a reciprocal metric (3, 3), sorted.

    None at all where a cell is so large that it predicts more than 50 000.
    """
    hkl, q = _nodes(np.ascontiguousarray(reciprocal), most, _MOST_NODES)
    order = np.argsort(q)
    return hkl[order], q[order]


@compiled
def _nodes(reciprocal: Floats, most: float, limit: int) -> tuple[Integers, Floats]:
    """hkl and q of the nodes but the origin, one of each pair of opposites; nothing where there are more than limit."""
    nothing = np.empty((0, 3), dtype=np.int64), np.empty(0)
    a, b, c = reciprocal[0, 0], reciprocal[1, 1], reciprocal[2, 2]
    d, e, f = 2 * reciprocal[1, 2], 2 * reciprocal[0, 2], 2 * reciprocal[0, 1]
    # Along h for every k, l: bounds from the form with h, then h and k, taken out.
    if a <= 0 or b - f * f / (4 * a) <= 0:
        return nothing
    b1, d1, c1 = b - f * f / (4 * a), d - e * f / (2 * a), c - e * e / (4 * a)
    c1 -= d1 * d1 / (4 * b1)
    # The volume of the sphere over that of a node, half of which counts, tells how many there are.
    if c1 <= 0 or 2 * np.pi / 3 * most**1.5 > limit * np.sqrt(a * b1 * c1):
        return nothing
    size = 256
    hkl, q, count = np.empty((size, 3), dtype=np.int64), np.empty(size), 0
    for l in range(int(np.sqrt(most / c1)) + 1):  # noqa: E741
        centre, half = -d1 * l / (2 * b1), np.sqrt(max((most - c1 * l * l) / b1, 0.0))
        for k in range(0 if l == 0 else int(np.ceil(centre - half)), int(np.floor(centre + half)) + 1):
            slope, rest = e * l + f * k, b * k * k + c * l * l + d * k * l
            middle = -slope / (2 * a)
            reach = np.sqrt(max(middle * middle + (most - rest) / a, 0.0))
            for h in range(1 if l == 0 and k == 0 else int(np.ceil(middle - reach)), int(np.floor(middle + reach)) + 1):
                if count == size:
                    if size > 4 * limit:
                        return nothing
                    hkl, q = np.concatenate((hkl, np.empty_like(hkl))), np.concatenate((q, np.empty_like(q)))
                    size *= 2
                hkl[count, 0], hkl[count, 1], hkl[count, 2] = h, k, l
                q[count] = a * h * h + slope * h + rest
                count += 1
    return hkl[:count], q[:count]
