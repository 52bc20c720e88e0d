"""Normal equations of overlapping lines: only neighbours share points, so the matrix is a band."""

from __future__ import annotations

import numpy as np

from unscatter.powder.refine.columns import Floats, Integers
from unscatter.powder.refine.compiled import compiled


@compiled
def band_width(start: Integers, span: int) -> int:
    """Most neighbours that a column shares points with, itself included; start: (m,), nearly sorted."""
    widest = 1
    for i in range(len(start)):
        for j in range(i + widest, len(start)):
            if start[j] >= start[i] + span:
                break
            widest = j - i + 1
    return widest


@compiled
def banded_gram(start: Integers, values: Floats, weight: Floats, band: int) -> Floats:
    """Weighted scalar products of columns i and i + k, (m, band); values: (m, span), weight: (n,) of the points."""
    count, span = values.shape
    gram = np.zeros((count, band))
    weighted = np.empty(span)
    for i in range(count):
        for p in range(span):
            weighted[p] = values[i, p] * weight[start[i] + p]
        for k in range(min(band, count - i)):
            offset = start[i + k] - start[i]
            total = 0.0
            if offset >= 0:
                for p in range(offset, span):
                    total += weighted[p] * values[i + k, p - offset]
            else:
                for p in range(span + offset):
                    total += weighted[p] * values[i + k, p - offset]
            gram[i, k] = total
    return gram


@compiled
def project(start: Integers, values: Floats, weighted: Floats) -> Floats:
    """Scalar products (m,) of columns with weighted data (n,)."""
    count, span = values.shape
    found = np.empty(count)
    for i in range(count):
        total = 0.0
        for p in range(span):
            total += values[i, p] * weighted[start[i] + p]
        found[i] = total
    return found


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
