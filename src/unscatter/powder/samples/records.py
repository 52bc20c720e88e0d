"""The lines of one structure as a few bytes: hkl and a logarithm of the strength, for neutrons and X-rays.

Nothing is stored of where a line lies: 1/d follows from hkl and the cell, and follows it when the cell is changed.
"""

from __future__ import annotations

import math
import zlib

import numpy as np
from numpy.typing import NDArray

from unscatter.nouns.arrays import IntArray

#: Lines weaker than this share of the strongest are dropped, where strength is m |F|^2 d^2.
FAINTEST = 1e-4
# Code 0 is no line; 1 to 255 are FAINTEST to 1 on a logarithmic scale: steps of 3.7 %, so errors below 1.9 %.
_STEP = -math.log(FAINTEST) / 254


def pack_lines(hkl: IntArray, strength: NDArray[np.float64]) -> tuple[bytes, NDArray[np.float64]]:
    """Bytes of the lines of one structure, and the strength of the strongest in each beam (beams,).

    hkl: (n, 3); strength: (beams, n), m |F|^2 d^2, not negative. hkl is kept exactly, strengths to 1.9 %
    (root mean square 1.1 %), those below FAINTEST of the strongest become zero. Raises ValueError where all
    strengths of a beam are zero.
    """
    strongest = strength.max(axis=1, initial=0.0)
    if not np.all(strongest > 0):
        raise ValueError("no line has any strength")
    share = strength / strongest[:, None]
    codes = np.round(255 + np.log(np.maximum(share, 1e-30)) / _STEP)
    codes = np.where(share < FAINTEST, 0, np.maximum(codes, 1)).astype(np.uint8)
    seen = codes.any(axis=0)
    order = np.flatnonzero(seen)[np.lexsort(hkl[seen].T[::-1])]
    # In this order indices hardly change from line to line: they take a quarter of a byte a line.
    steps = np.diff(hkl[order], axis=0, prepend=0).astype("<i2")
    return zlib.compress(steps.T.tobytes() + codes[:, order].tobytes(), 6), strongest


def unpack_lines(record: bytes, strongest: NDArray[np.floating]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """hkl (n, 3) and strengths m |F|^2 d^2 (beams, n) of a record, in no particular order of 1/d."""
    content = zlib.decompress(record)
    beams = len(strongest)
    count = len(content) // (6 + beams)
    steps = np.frombuffer(content, dtype="<i2", count=3 * count).reshape(3, count)
    codes = np.frombuffer(content, dtype=np.uint8, offset=6 * count).reshape(beams, count)
    hkl = np.cumsum(steps, axis=1, dtype=np.int64).T
    return hkl, _SHARES[codes] * np.asarray(strongest, dtype=np.float64)[:, None]


_SHARES = np.exp(_STEP * (np.arange(256) - 255.0))
_SHARES[0] = 0.0


def merge_lines(
    hkl: IntArray, inverse_d: NDArray[np.float64], strength: NDArray[np.float64], most: int
) -> tuple[IntArray, NDArray[np.float64]]:
    """At most about `most` lines (1/d increasing) instead of many: hkl (k, 3) and strengths (beams, k).

    The first half of `most` lines stay as they are. The others, which lie closer than any diffractometer
    resolves, are gathered in intervals of equal width, each with the indices of its strongest line and the sum
    of its strengths; their multiplicity is in the strength.
    """
    count = len(hkl)
    if count <= most:
        return hkl, strength
    kept = most // 2
    width = (inverse_d[-1] - inverse_d[kept]) / (most - kept)
    interval = np.minimum((inverse_d[kept:] - inverse_d[kept]) // width, most - kept - 1).astype(np.int64)
    share = (strength / np.maximum(strength.max(axis=1, keepdims=True), 1e-30)).sum(axis=0)[kept:]
    # Sorted by interval, the strongest first: the first entry of each interval is its representative.
    order = np.lexsort((-share, interval))
    _, first = np.unique(interval[order], return_index=True)
    summed = np.add.reduceat(strength[:, kept:][:, order], first, axis=1)
    chosen = kept + order[first]
    return np.concatenate([hkl[:kept], hkl[chosen]]), np.concatenate([strength[:, :kept], summed], axis=1)
