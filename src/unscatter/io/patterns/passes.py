"""Points in the order they were measured: passes over the same angles, ranges that overlap, points in no order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from unscatter.io.patterns.scan import Scan, choose_number
from unscatter.io.patterns.shapes import DIFFERENT, shapes_differ

#: Passes over a range, and points that each has at least.
_MOST_PASSES, _LEAST_POINTS = 100, 10
#: Angles this share of a step apart are one.
_SAME = 0.01


def choose_pass(scan: Scan, block: str) -> Scan:
    """One of the passes of a scan, by its number from 1; all of it where none is asked for."""
    if not block:
        return scan
    passes = _passes(scan.positions)
    if len(passes) < 2:
        raise ValueError("the file holds one pattern; expected no choice of a block: leave out --block")
    return scan[choose_number(passes, block)[0]]


def in_order(scan: Scan) -> Scan:
    """A scan whose points stand in the order of their angles, each angle once.

    Passes over the same points are added, points that occur in several ranges averaged, what is in no order sorted; all
    of which is told. Raises ValueError for passes that differ, and for columns that are no axis in any order.
    """
    steps = np.diff(scan.positions)
    if not np.any(steps <= 0) or not np.all(np.isfinite(scan.positions)):
        return scan
    passes = _passes(scan.positions)
    few = len(passes) <= min(_MOST_PASSES, scan.positions.size / _LEAST_POINTS)
    order = np.argsort(scan.positions, kind="stable")
    ordered = scan[order]
    group = _groups(ordered.positions)
    count = np.bincount(group)
    if not few and not (count.max() == count.min() and _is_even(ordered.positions[np.diff(group, prepend=-1) > 0])):
        raise ValueError(_no_order(scan.positions))
    if few:
        _refuse_different([scan[part] for part in passes], count)
    if count.max() == 1:
        return ordered.telling("the points were not in the order of their angles: sorted")
    added = bool(count.max() == count.min())
    merged = _merged(ordered, group, count, added=added)
    what = (
        f"each of {count.size} angles occurs {count.max()} times"
        if added
        else (f"{int((count > 1).sum())} of {count.size} angles occur more than once")
    )
    return merged.telling(f"{what}: their intensities were {'added' if added else 'averaged'}")


def _passes(positions: NDArray[np.float64]) -> list[slice]:
    """Runs of points that go one way."""
    passes, first = [], 0
    signs = np.sign(np.diff(positions))
    for place in range(1, positions.size):
        # a run ends where its direction does or an angle comes twice, and the next begins with the point behind it
        if signs[place - 1] == 0 or (place > first + 1 and signs[place - 1] != signs[first]):
            passes.append(slice(first, place))
            first = place
            if len(passes) > _MOST_PASSES:
                break
    return [*passes, slice(first, positions.size)]


def _groups(ordered: NDArray[np.float64]) -> NDArray[np.intp]:
    """Number of the angle of each point, those that differ by next to nothing being one."""
    steps = np.diff(ordered)
    usual = float(np.median(steps[steps > 0])) if np.any(steps > 0) else 1.0
    return np.concatenate([[0], np.cumsum(steps > _SAME * usual)]).astype(np.intp)


def _is_even(positions: NDArray[np.float64]) -> bool:
    steps = np.diff(positions)
    return bool(steps.size > 1 and np.mean(np.abs(steps / np.median(steps) - 1) < 0.2) > 0.9)


def _refuse_different(passes: Sequence[Scan], count: NDArray[np.intp]) -> None:
    """Raise ValueError where passes over the same angles are not of one pattern."""
    if count.max() == 1:
        return
    every = sorted(passes, key=lambda part: float(part.positions.min()))
    for before, following in pairwise(every):
        one, other = _upwards(before), _upwards(following)
        shared = (other.positions >= one.positions[0]) & (other.positions <= one.positions[-1])
        if shared.sum() < 2:
            continue
        here = other.intensity[shared]
        there = np.interp(other.positions[shared], one.positions, one.intensity)
        whole = shared.all() and one.positions.size == other.positions.size
        ratio = 1.0 if whole or not there.sum() > 0 else float(here.sum() / there.sum())
        noise = 0.0 if there.sum() <= 0 else 5 / float(np.sqrt(max(min(there.sum(), here.sum()), 1.0)))
        share = shapes_differ(there, here) or (abs(ratio - 1) if abs(ratio - 1) > DIFFERENT + noise else 0.0)
        if share:
            raise ValueError(
                f"{len(passes)} passes over the angles that differ by {share:.0%} where they overlap, so they are not "
                "of one pattern; expected one: save one of them, or, of columns of text, choose one with --block 1"
            )


def _upwards(part: Scan) -> Scan:
    return part[::-1] if part.positions[0] > part.positions[-1] else part


def _merged(scan: Scan, group: NDArray[np.intp], count: NDArray[np.intp], *, added: bool) -> Scan:
    divisor = 1.0 if added else count
    sigma = None
    if scan.sigma is not None:
        sigma = np.sqrt(np.bincount(group, scan.sigma**2)) / divisor
    first = np.flatnonzero(np.diff(group, prepend=-1))
    return replace(scan[first], intensity=np.bincount(group, scan.intensity) / divisor, sigma=sigma)


def _no_order(positions: NDArray[np.float64]) -> str:
    row = int(np.argmax(np.diff(positions) <= 0))
    return (
        f"two-theta does not increase: {positions[row]:g} is followed by {positions[row + 1]:g} deg, and sorted the "
        "points are no even scan; expected one scan: look whether the right column is first, or save one scan"
    )
