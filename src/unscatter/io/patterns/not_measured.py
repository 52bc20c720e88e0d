"""Points of a pattern that were not measured, however the file spells it: marks, largest numbers, gaps of zeros."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from unscatter.io.planes.missing import ABSURD, foreign_largest
from unscatter.nouns.arrays import Floats, Mask

#: What programs write where nothing was measured, in a pattern that else does not go below zero.
MARKS = (-1.0, -2.0, -9.0, -99.0, -999.0, -9999.0, -99999.0, -32768.0, -2147483648.0)
# Points on either side that a gap of zeros is compared with, and the least share of their median at its edge: where
# a line fades to nothing it has no edge.
_BESIDE, _EDGE = 20, 0.5
# The mean of a run of zeros is improbable this many of its standard deviations below what lies beside it; of counts
# also where this many were expected in the run, and so many a point at least.
_IMPROBABLE, _EXPECTED, _A_POINT = 4.0, 25.0, 4.0
# Noise below this share of the maximum is the rounding of a calculated pattern, where zeros are what was calculated.
_CALCULATED = 1e-5
# Zeros in more than this share of the points are no gap.
_MOST_ZEROS = 0.6


def not_measured(intensity: Floats) -> dict[str, Mask]:
    """Masks (n,) of the points of a pattern (n,) that hold no intensity, by the reason, one after the other.

    NaN, numbers beyond 1e30, one mark such as -1 where nothing else is negative, the largest number of an integer type
    far above all else, and runs of exact zeros that begin and end abruptly where neighbours are far above the noise.
    """
    found = {"without a number": ~np.isfinite(intensity) | (np.abs(intensity) > ABSURD)}
    left = np.where(found["without a number"], np.nan, intensity)
    for mark in _marks(left):
        found[f"exactly {mark:g}, where nothing else is negative"] = left == mark
        left = np.where(left == mark, np.nan, left)
    if (largest := foreign_largest(left)) is not None:
        found[f"exactly {largest:.0f}, the largest number of a type"] = left == largest
        left = np.where(left == largest, np.nan, left)
    found["exactly zero beside intensities far above the noise"] = zero_gaps(left)
    return {reason: which for reason, which in found.items() if which.any()}


def _marks(values: Floats) -> list[float]:
    """Negative numbers that stand for what was not measured."""
    negative = np.unique(values[values < 0])
    if not len(negative) or not np.isin(negative, MARKS).all() or len(negative) > 2:
        return []
    # Of a few counts with their background taken away -1 is a number like others, and so are halves and tenths.
    rest = values[values >= 0]
    if np.any(rest != np.round(rest)) and negative.min() > -9:
        return []
    return [float(mark) for mark in negative]


def zero_gaps(values: Floats) -> Mask:
    """Points (n,) in runs of exact zeros that cannot be a measurement of what lies on their sides; NaN is passed over.

    A run is a gap where on each side that the pattern has the next point is at least half of the median m of the next
    twenty, and zeros are improbable: m sqrt(n), n points long, is four standard deviations of the noise of one point,
    by the differences there, and of whole numbers also n m is 25 or more (exp(-25) by Poisson).
    """
    gap = np.zeros(len(values), dtype=bool)
    zero = values == 0
    places = np.flatnonzero(np.isfinite(values) & ~zero)
    if not zero.any() or zero.mean() > _MOST_ZEROS or len(places) < _BESIDE:
        return gap
    seen = values[places]
    edges = np.flatnonzero(np.diff(np.concatenate([[False], zero, [False]]).astype(int)))
    first, end = edges[::2], edges[1::2]
    # The window of twenty points that ends before a run, and the one that begins behind it; -1 where it has none.
    after = np.searchsorted(places, first)
    before = after - _BESIDE
    after = np.where(after + _BESIDE <= len(places), after, -1)
    before = np.where(before >= 0, before, -1)
    least = np.full(len(first), _CALCULATED * float(seen.max()))
    if np.all(seen == np.round(seen)):
        expected = np.maximum(_A_POINT, _EXPECTED / (end - first))
        # The next point is half of the median or more: most runs of few counts are settled by it.
        ends = ((before, _BESIDE - 1), (after, 0))
        nearest = np.minimum(*(np.where(at >= 0, seen[at + k], np.inf) for at, k in ends))
    else:
        expected, nearest = np.zeros(len(first)), np.full(len(first), np.inf)
    worth = np.flatnonzero(((before >= 0) | (after >= 0)) & (nearest > _EDGE * expected))
    windows = sliding_window_view(seen, _BESIDE)
    for run in worth.tolist():
        sides = [windows[at][::step] for at, step in ((before[run], -1), (after[run], 1)) if at >= 0]
        if all(_improbable_beside(side, int(end[run] - first[run]), expected[run], least[run]) for side in sides):
            gap[first[run] : end[run]] = True
    return gap


def _improbable_beside(side: Floats, length: int, expected: float, least: float) -> bool:
    """Whether so many zeros beside these points (20,), the nearest first, are improbable and come at once.

    expected: least median of the points; least: noise that is none.
    """
    level = float(np.median(side))
    if level < expected or float(side[0]) <= _EDGE * level:
        return False
    noise = float(np.median(np.abs(np.diff(side)))) / 0.954  # of differences of a normal distribution
    return noise > least and level * length**0.5 > _IMPROBABLE * noise
