"""Normal equations of overlapping lines: only neighbours share points, so the matrix is a band.

Columns are ragged: that of line i covers the points start[i], start[i] + 1, ... with values[begin[i] : begin[i + 1]].
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import solveh_banded

from unscatter.nouns.arrays import Floats, Integers
from unscatter.powder.pattern.kernels import compiled

# Lines that cannot be told apart are held by this share of their own weight, by more where that is not enough.
_RIDGES = (1e-9, 1e-6, 1e-3)


@compiled
def band_width(start: Integers, begin: Integers) -> int:
    """Most neighbours that a column shares points with, itself included; start: (m,), nearly sorted."""
    widest = 1
    for i in range(len(start)):
        end = start[i] + begin[i + 1] - begin[i]
        for j in range(i + widest, len(start)):
            if start[j] >= end:
                break
            widest = j - i + 1
    return widest


@compiled
def banded_gram(start: Integers, begin: Integers, values: Floats, weight: Floats, band: int) -> Floats:
    """Weighted scalar products of columns i and i + k, (m, band); weight: (n,) of the points."""
    count = len(start)
    gram = np.zeros((count, band))
    weighted = values.copy()
    for i in range(count):
        for p in range(begin[i], begin[i + 1]):
            weighted[p] *= weight[start[i] + p - begin[i]]
    for i in range(count):
        end = start[i] + begin[i + 1] - begin[i]
        for k in range(min(band, count - i)):
            j = i + k
            first, last = max(start[i], start[j]), min(end, start[j] + begin[j + 1] - begin[j])
            if last > first:
                one = weighted[begin[i] + first - start[i] : begin[i] + last - start[i]]
                other = values[begin[j] + first - start[j] : begin[j] + last - start[j]]
                gram[i, k] = _product(one, other)
    return gram


@compiled
def _product(one: Floats, other: Floats) -> float:
    """Scalar product, in four sums at once."""
    a, b, c, d = 0.0, 0.0, 0.0, 0.0
    whole = len(one) - len(one) % 4
    for p in range(0, whole, 4):
        a += one[p] * other[p]
        b += one[p + 1] * other[p + 1]
        c += one[p + 2] * other[p + 2]
        d += one[p + 3] * other[p + 3]
    for p in range(whole, len(one)):
        a += one[p] * other[p]
    return a + b + c + d


@compiled
def project(start: Integers, begin: Integers, values: Floats, weighted: Floats) -> Floats:
    """Scalar products (m,) of columns with weighted data (n,)."""
    found = np.empty(len(start))
    for i in range(len(start)):
        size = begin[i + 1] - begin[i]
        found[i] = _product(values[begin[i] : begin[i + 1]], weighted[start[i] : start[i] + size])
    return found


@compiled
def combine(start: Integers, begin: Integers, values: Floats, factors: Floats, points: int) -> Floats:
    """Sum (points,) of columns times factors (m,)."""
    total = np.zeros(points)
    for i in range(len(start)):
        for p in range(begin[i], begin[i + 1]):
            total[start[i] + p - begin[i]] += factors[i] * values[p]
    return total


@compiled
def nonnegative(gram: Floats, target: Floats, rounds: int, tolerance: float) -> Floats:
    """x >= 0 (m,) with the least x G x / 2 - target x, by coordinate descent; gram: band (m, band).

    Nodes that are at zero and want to stay there are looked at in every eighth round only.
    """
    count, band = gram.shape
    x = np.zeros(count)
    slope = target.copy()
    for turn in range(rounds):
        moved = 0.0
        for i in range(count):
            if x[i] == 0.0 and (slope[i] <= 0.0 or turn % 8):
                continue
            new = max(0.0, x[i] + slope[i] / gram[i, 0])
            step = new - x[i]
            if step == 0.0:
                continue
            x[i] = new
            moved = max(moved, abs(step) * np.sqrt(gram[i, 0]))
            for k in range(min(band, count - i)):
                slope[i + k] -= gram[i, k] * step
            for k in range(1, min(band, i + 1)):
                slope[i - k] -= gram[i - k, k] * step
        if moved < tolerance and turn % 8 == 0:
            break
    return x


def solve_held(band: Floats, right: Floats) -> Floats:
    """Solution (k, r) of a banded system; band: (bands, k), from the diagonal down.

    Where rounding makes the matrix indefinite, lines are held more firmly.
    """
    for ridge in _RIDGES[:-1]:
        try:
            return np.asarray(solveh_banded(_ridged(band, ridge), right, lower=True, check_finite=False))
        except np.linalg.LinAlgError:
            continue
    return np.asarray(solveh_banded(_ridged(band, _RIDGES[-1]), right, lower=True, check_finite=False))


def _ridged(band: Floats, ridge: float) -> Floats:
    held = band.copy()
    held[0] = held[0] * (1 + ridge)
    return held
