"""Patterns as line plots in one grey image, for the log of a training: drawn with NumPy, no plotting library."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Grey of paper, ink and the line between two sets.
PAPER, INK, RULE = 1.0, 0.0, 0.6


def draw_patterns(patterns: NDArray[Any], height: int = 48, width: int = 760) -> NDArray[np.float32]:
    """Line plots of patterns (n, points), values from 0 to 1, one below the other: (n height, width) in [0, 1].

    Every column is inked from the least to the largest value of its points and of the next one, so that the line is
    unbroken and the narrowest peak is seen. Larger and smaller values are cut off.
    """
    count, points = patterns.shape
    starts = np.arange(min(width, points)) * points // min(width, points)
    low, high = np.minimum.reduceat(patterns, starts, axis=1), np.maximum.reduceat(patterns, starts, axis=1)
    first = patterns[:, np.append(starts[1:], points - 1)]
    # Row 0 is the top of a plot; a pixel stays free above and below.
    rows = np.arange(height)[:, None]
    top, bottom = (_row_of(value, height)[:, None] for value in (np.maximum(high, first), np.minimum(low, first)))
    inked = (rows >= top) & (rows <= bottom)
    return np.where(inked, INK, PAPER).astype(np.float32).reshape(count * height, -1)


def draw_sets(above: NDArray[Any], below: NDArray[Any], height: int = 48, width: int = 760) -> NDArray[np.float32]:
    """Two sets of patterns, the first above, with a grey bar between them."""
    upper, lower = (draw_patterns(patterns, height, width) for patterns in (above, below))
    bar = np.full((4, upper.shape[1]), RULE, dtype=np.float32)
    return np.concatenate([upper, bar, lower])


def _row_of(value: NDArray[Any], height: int) -> NDArray[np.int64]:
    """Rows of values: 0 near the bottom, 1 near the top."""
    return np.asarray(np.round((1 - np.clip(value, 0, 1)) * (height - 3)), dtype=np.int64) + 1
