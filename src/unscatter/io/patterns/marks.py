"""Columns and arrays beside the intensities that mark what was not measured."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unscatter.nouns.arrays import Mask


def marked(values: NDArray[np.generic], role: str) -> Mask:
    """Which points a column marks as not measured.

    role: "bad", what is not zero is marked; "good", what is zero; "quality", flags: of whole numbers what is not zero,
    or, where that would be most of the points and all others are one, what is zero. Fractions mark nothing.
    """
    numbers = np.asarray(values, dtype=np.float64)
    seen = numbers[np.isfinite(numbers)]
    if not seen.size or np.any(seen != np.rint(seen)):
        return np.zeros(numbers.shape, dtype=bool)
    if role == "quality" and set(np.unique(seen).tolist()) == {0.0, 1.0} and seen.mean() > 0.5:
        role = "good"
    found = numbers == 0 if role == "good" else numbers != 0
    return np.asarray(found & ~found.all())
