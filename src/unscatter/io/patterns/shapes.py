"""What the shapes of columns tell: an axis rises or falls all the way, repeats of one pattern are alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Columns = NDArray[np.float64]

#: Fewer points than this may run all one way by chance.
_LEAST_POINTS = 50
#: Points that are put together where two patterns are compared, and by how much their shapes may differ.
_TOGETHER, DIFFERENT = 10, 0.15


@dataclass(frozen=True)
class SecondAxis:
    """Columns of a table with a second axis, such as d beside two-theta: the intensity and its uncertainty, if any."""

    intensity: int
    sigma: int | None
    words: str

    def columns(self, table: Columns) -> tuple[Columns, Columns | None]:
        """The intensity and its uncertainty."""
        return table[:, self.intensity], None if self.sigma is None else table[:, self.sigma]


def without_counter(table: Columns) -> tuple[Columns, str]:
    """A table (n, columns) without a first column that counts 0, 1, 2, ..., where two are left; and what is told."""
    counts = table.shape[1] > 2 and table[0, 0] in (0, 1) and bool(np.all(np.diff(table[:, 0]) == 1))
    # two-theta may count degrees too: then no other column runs
    if not counts or not _runs(table[:, 1]):
        return table, ""
    return table[:, 1:], "the first column counts the points: it is left out"


def second_axis(table: Columns) -> SecondAxis | None:
    """What is what in a table (n, columns) without names, two of whose columns are axes; None in any other."""
    if table.shape[1] < 3 or not _runs(table[:, 0]):
        return None
    others = [place for place in range(1, table.shape[1]) if not _runs(table[:, place])]
    axes = [place for place in range(1, table.shape[1]) if place not in others]
    if not axes or not others:
        return None
    sigma = others[1] if len(others) == 2 else None
    told = f"column {axes[0] + 1} runs as an axis does: column {others[0] + 1} is assumed to be the intensity"
    told += f", column {sigma + 1} its uncertainty" if sigma is not None else ""
    return SecondAxis(others[0], sigma, told)


def shapes_differ(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """By which share two patterns over the same points (n,) differ in shape, beyond noise of counts; 0 if they agree.

    Both are brought to one sum and averaged over ten points; what is whole numbers may differ by their square roots.
    """
    if one.size < 2 * _TOGETHER or not (one.sum() > 0 and other.sum() > 0):
        return 0.0
    first = np.arange(0, one.size - _TOGETHER + 1, _TOGETHER)
    a, b = (np.add.reduceat(np.maximum(values, 0.0), first) for values in (one, other))
    scale = a.sum() / b.sum()
    noise = np.sqrt(np.maximum(a + scale**2 * b, 1.0)) if np.all(one == np.rint(one)) else 0.0 * a
    share = float(np.sum(np.maximum(np.abs(a - scale * b) - noise, 0.0)) / a.sum())
    return share if share > DIFFERENT else 0.0


def _runs(column: Columns) -> bool:
    """Whether a column rises, or falls, from each point to the next."""
    steps = np.diff(column)
    return column.size >= _LEAST_POINTS and bool(np.all(steps > 0) or np.all(steps < 0))
