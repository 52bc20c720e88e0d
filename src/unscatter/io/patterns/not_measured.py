"""Points of a pattern that were not measured, however the file spells it: marks, largest numbers, gaps of zeros."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

#: Beyond this a number is a fill value.
ABSURD = 1e30
#: What programs write where nothing was measured, in a pattern that else does not go below zero.
MARKS = (-1.0, -2.0, -9.0, -99.0, -999.0, -9999.0, -99999.0, -32768.0, -2147483648.0)
#: Largest numbers of the types of detectors.
LARGEST = (2.0**16 - 1, 2.0**31 - 1, 2.0**32 - 1, 2.0**32, 2.0**63, 2.0**64)
# A largest number is a mark where nothing else comes this near to it.
_NEAR = 0.25
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
    for reason, which in (*_marked(left), *_largest(left)):
        found[reason] = which
        left = np.where(which, np.nan, left)
    if (gaps := zero_gaps(left)).any():
        found["exactly zero beside intensities far above the noise"] = gaps
    return {reason: which for reason, which in found.items() if which.any()}


def _marked(values: Floats) -> list[tuple[str, Mask]]:
    negative = np.unique(values[values < 0])
    if not len(negative) or not np.isin(negative, MARKS).all() or len(negative) > 2:
        return []
    # Of a few counts with their background taken away -1 is a number like others, and so are halves and tenths.
    rest = values[values >= 0]
    if np.any(rest != np.round(rest)) and negative.min() > -9:
        return []
    return [(f"exactly {mark:g}, where nothing else is negative", values == mark) for mark in negative]


def _largest(values: Floats) -> list[tuple[str, Mask]]:
    top = float(np.nanmax(values, initial=-np.inf))
    rest = values[values < top]
    if top not in LARGEST or not rest.size or not 0 < float(rest.max()) < _NEAR * top:
        return []
    return [(f"exactly {top:.0f}, the largest number of a type", values == top)]


def zero_gaps(values: Floats) -> Mask:
    """Points (n,) in runs of exact zeros that cannot be a measurement of what lies on their sides; NaN is passed over.

    A run is a gap where on each side that the pattern has the next point is at least half of the median m of the next
    twenty, and zeros are improbable: m sqrt(n), n points long, is four standard deviations of the noise of one point,
    by the differences there, and of whole numbers also n m is 25 or more (exp(-25) by Poisson).
    """
    gap = np.zeros(len(values), dtype=bool)
    zero = values == 0
    if not zero.any() or zero.mean() > _MOST_ZEROS:
        return gap
    seen = np.isfinite(values) & ~zero
    counted = bool(np.all(values[seen] == np.round(values[seen])))
    least = _CALCULATED * float(np.nanmax(values))
    edges = np.flatnonzero(np.diff(np.concatenate([[False], zero, [False]]).astype(int)))
    places = np.flatnonzero(seen)
    for first, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        before = values[places[places < first][-_BESIDE:]][::-1]
        after = values[places[places >= end][:_BESIDE]]
        sides = [side for side in (before, after) if len(side) == _BESIDE]
        if counted and min(map(np.median, sides), default=0.0) < max(_A_POINT, _EXPECTED / (end - first)):
            continue
        gap[first:end] = bool(sides) and all(_improbable_beside(side, end - first, least) for side in sides)
    return gap


def _improbable_beside(side: Floats, length: int, least: float) -> bool:
    """Whether so many zeros beside these points (20,), the nearest first, are improbable and come at once.

    least: noise that is none.
    """
    level = float(np.median(side))
    noise = float(np.median(np.abs(np.diff(side)))) / 0.954  # of differences of a normal distribution
    return noise > least and level * length**0.5 > _IMPROBABLE * noise and float(side[0]) > _EDGE * level
