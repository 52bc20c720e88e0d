"""How various generated patterns are beside real ones: what shows a generator that makes the same few again and again.

Both numbers are ratios generated / real: 0 where all generated patterns are one, 1 for the real set itself.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.signal import find_peaks
from scipy.spatial.distance import pdist

#: Least height of a peak above its surroundings as a share of the highest point, and cells of the axis for positions.
PROMINENCE, CELLS = 0.03, 128


class Variety(NamedTuple):
    """distance: of the mean distances between two patterns of a set; peaks: of the variety of peak positions."""

    distance: float
    peaks: float


def variety(generated: NDArray[Any], real: NDArray[Any]) -> Variety:
    """Variety of generated patterns as a share of that of real ones; both (n, points), as many of each.

    Raises ValueError for sets of different shape, of one pattern, or where the real ones do not differ.
    """
    if generated.shape != real.shape or generated.ndim != 2 or len(real) < 2:
        raise ValueError(
            f"generated patterns of shape {generated.shape} and real ones of {real.shape}: expected the same (n, "
            "points) with n = 2 or more, as the variety of a set grows with its size"
        )
    distance, peaks = mean_distance(real), peak_variety(real)
    if distance == 0 or peaks == 0:
        raise ValueError(f"{len(real)} real patterns that are all alike have no variety to compare with")
    return Variety(mean_distance(generated) / distance, peak_variety(generated) / peaks)


def mean_distance(patterns: NDArray[Any]) -> float:
    """Mean Euclidean distance between any two patterns (n, points)."""
    return float(pdist(np.asarray(patterns, dtype=np.float64)).mean())


def peak_variety(patterns: NDArray[Any]) -> float:
    """H(mean of p) - mean of H(p), p the histogram of the peak positions of a pattern, from 0 to ln(n).

    The Jensen-Shannon divergence of the set: how much a peak position tells of which pattern it is of. Entropies H in
    natural units; a pattern without peaks has all of p in a cell of its own.
    """
    p = np.stack([_positions(pattern) for pattern in np.asarray(patterns, dtype=np.float64)])
    return max(float(_entropy(p.mean(axis=0)) - _entropy(p).mean()), 0.0)


def _positions(pattern: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share of the peaks in each cell of the axis, and last whether there is none, (CELLS + 1,)."""
    peaks, _ = find_peaks(pattern, prominence=PROMINENCE * float(pattern.max()))
    cells = peaks * CELLS // len(pattern) if len(peaks) else np.array([CELLS])
    return np.asarray(np.bincount(cells, minlength=CELLS + 1) / len(cells))


def _entropy(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """-sum p ln p over the last axis."""
    return np.asarray(-np.sum(p * np.log(np.where(p > 0, p, 1.0)), axis=-1))
