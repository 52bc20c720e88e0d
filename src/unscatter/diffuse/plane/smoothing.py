"""Smooth a plane with a Gaussian, as fast for a wide one as for a narrow one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from scipy import ndimage

from unscatter.nouns.arrays import Floats

#: A Gaussian wider than this standard deviation, in pixels, is four boxes in turn: their shape differs from it by at
#: most 4 % of its height along an axis, and their cost does not grow with its width.
WIDE = 6.0
_BOXES = 4


def smooth_plane(values: Floats, sigma: float | Sequence[float], mode: Literal["constant", "reflect"]) -> Floats:
    """Mean of values (ny, nx) over a Gaussian of standard deviation sigma, in pixels, one or (2,) along y and x.

    mode: what lies beyond the edges, zeros or a mirror image.
    Source: Wells, IEEE Trans. Pattern Anal. Mach. Intell. 8, 234 (1986), for the boxes.
    """
    for axis, width in enumerate(np.broadcast_to(sigma, values.ndim).tolist()):
        if width == 0:
            continue
        if width <= WIDE:
            values = ndimage.gaussian_filter1d(values, width, axis=axis, mode=mode, truncate=3.0)
            continue
        for size in _box_sizes(width):
            values = ndimage.uniform_filter1d(values, size, axis=axis, mode=mode)
    return np.asarray(values)


def _box_sizes(sigma: float) -> list[int]:
    """Odd lengths of boxes whose variances, (n^2 - 1) / 12 each, add up to sigma^2 as nearly as whole numbers can."""
    ideal = (12 * sigma**2 / _BOXES + 1) ** 0.5
    short = int(ideal) - (int(ideal) + 1) % 2
    # So many short ones, the rest two longer, that the sum of variances is right.
    number = round((12 * sigma**2 - _BOXES * (short**2 + 4 * short + 3)) / (-4 * short - 4))
    return [short] * number + [short + 2] * (_BOXES - number)
