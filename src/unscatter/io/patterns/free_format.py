"""Titles, a line "start step stop" (or "start stop step", "start step count"), then counts and perhaps uncertainties.

So write ILL (FullProf INS 5), PSI's DMC and HRPT (INS 8), DBWS and FullProf's free format (INS 0).
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from unscatter.io.patterns.content import Content
from unscatter.io.patterns.header import facts
from unscatter.io.patterns.printed_numbers import grid_numbers, leading_numbers, run_together
from unscatter.io.patterns.scan import Scan, announced, grid, whole

ASSUMES: tuple[str, ...] = ("the numbers below start, step and stop are counts at two-theta",)
NAME = "start step stop (ILL, PSI, DBWS, FullProf INS 0, 5, 8)"
BLOCKS = ""

_HEADER_LINES = 8
#: Rows that tell columns from counts.
_ROWS = 24


def recognises(content: Content) -> bool:
    """Whether a line near the top gives start, step and stop of an even grid."""
    return _grid_line(content) is not None


def read(content: Content) -> Scan:
    """Read counts on the grid of the header, and the uncertainties that may follow them.

    Raises ValueError if there are fewer counts than grid points.
    """
    at = _grid_line(content)
    if at is None:
        raise ValueError("no line with start, step and stop; expected for example 5.0 0.05 120.0 above the counts")
    start, step, stop = _start_step_stop(content, at)
    count = _count(start, step, stop)
    values = whole(_values(content.lines[at + 1 :]), count, content.text)
    told = announced(count, values.size)
    sigma = values[count : 2 * count] if values.size >= 2 * count else None
    count = min(count, values.size)
    scan = Scan(grid(start, step, count), values[:count], sigma, **facts(content.lines[:at]))
    return scan.telling(told)


def _grid_line(content: Content) -> int | None:
    for i, line in enumerate(content.head(_HEADER_LINES)):
        numbers = grid_numbers(line)
        is_grid = len(numbers) >= 3 and (_is_grid(*numbers[:3]) or _other_order(content, i, numbers) is not None)
        if is_grid and not _is_table(content.lines[i : i + _ROWS], len(numbers)):
            return i
    return None


def _is_table(lines: list[str], width: int) -> bool:
    """Whether lines are rows of columns: as many numbers in each, the first of them rising all the way."""
    rows = [leading_numbers(line) for line in lines if line.strip()]
    firsts = [row[0] for row in rows if len(row) == width]
    return len(firsts) == len(rows) >= _ROWS / 2 and all(a < b for a, b in pairwise(firsts))


def _start_step_stop(content: Content, at: int) -> tuple[float, float, float]:
    numbers = grid_numbers(content.lines[at])
    start, step, stop = numbers[:3]
    return (start, step, stop) if _is_grid(start, step, stop) else _other_order(content, at, numbers) or (0, 0, 0)


def _other_order(content: Content, at: int, numbers: list[float]) -> tuple[float, float, float] | None:
    """Start, step and stop of "start stop step" or "start step count", where as many numbers follow as that makes."""
    start, second, third = numbers[:3]
    stop = start + second * (third - 1)
    ways = [way for way in ((start, third, second), (start, second, stop)) if _is_grid(*way)]
    if not ways:
        return None
    found = _values(content.lines[at + 1 :]).size
    return next((way for way in ways if _count(*way) == found), None)


def _is_grid(start: float, step: float, stop: float) -> bool:
    # no intensity is a step that divides the range into whole, fine parts
    if not (-20 <= start < stop <= 180 and 0.001 <= step <= 1 and stop - start >= 20 * step):
        return False
    steps = (stop - start) / step
    return abs(steps - round(steps)) < 0.02


def _count(start: float, step: float, stop: float) -> int:
    return round((stop - start) / step) + 1


def _values(lines: list[str]) -> NDArray[np.float64]:
    """All numbers up to the first line that has none: notes on the measurement may stand at the end."""
    values: list[float] = []
    for line in lines:
        numbers = run_together(line)
        if not numbers and line.strip():
            break
        values += numbers
    return np.array(values, dtype=np.float64)
