"""FullProf PRF: the profile after a refinement, rows of 2Theta, Yobs, Ycal, Yobs-Ycal, Backg and positions of lines.

Layout: J. Rodriguez-Carvajal, FullProf manual, "The .prf file"; the second line holds numbers of phases and points,
two wavelengths and the zero shift.
"""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from unscatter.io.patterns.content import Content
from unscatter.io.patterns.header import facts
from unscatter.io.patterns.printed_numbers import leading_numbers
from unscatter.io.patterns.scan import Scan, announced
from unscatter.quantities import find_quantity

NAME = "FullProf PRF"
BLOCKS = ""
ASSUMES: tuple[str, ...] = ("Yobs is the pattern; the zero shift of the refinement is subtracted from 2Theta",)

_NAMES = re.compile(r"\s*(\S+)\s+Yobs\s+Ycal", re.IGNORECASE)
_HEADER_LINES = 60


def recognises(content: Content) -> bool:
    """Whether a line near the top names the columns of a PRF file."""
    return _names_line(content) is not None


def read(content: Content) -> Scan:
    """Read the observed pattern; raises ValueError if there are too few rows."""
    at = _names_line(content)
    if at is None:
        raise ValueError("no line 2Theta Yobs Ycal; expected a PRF file of FullProf: write it again with Prf = 3")
    found = _NAMES.match(content.lines[at])
    axis = find_quantity(found.group(1)) if found else None
    numbers = leading_numbers(content.lines[1])
    wavelength, second, zero, count = _second_line(numbers)
    rows = _rows(content.lines[at + 1 :])[: count or None]
    known = facts(content.lines[:1])
    told = [announced(count, len(rows)), *known.pop("assumptions")]
    known |= {"wavelength": wavelength or known["wavelength"], "second_wavelength": second}
    scan = Scan(rows[:, 0], rows[:, 1], axis=axis, **known)
    if zero and axis is not None and axis.kind == "two-theta":
        told.append(f"the zero shift of the refinement, {zero:g} deg, was subtracted")
        scan = Scan(rows[:, 0] - zero, rows[:, 1], axis=axis, **known)
    return scan.telling(*told)


def _names_line(content: Content) -> int | None:
    lines = content.head(_HEADER_LINES)
    numbers = leading_numbers(lines[1])
    if len(numbers) < 3 or not all(number >= 0 and number == int(number) for number in numbers[:2]):
        return None
    return next((i for i, line in enumerate(lines) if i > 1 and _NAMES.match(line)), None)


def _second_line(numbers: list[float]) -> tuple[float | None, float | None, float, int]:
    """Wavelengths, zero shift and number of points; a second wavelength equal to the first is none."""
    count, first, second, zero = (*numbers[1:5], 0.0, 0.0)[:4]
    doublet = second > 0 and abs(second - first) > 1e-6
    return first if first > 0 else None, second if doublet else None, zero, int(count)


def _rows(lines: list[str]) -> NDArray[np.float64]:
    """Position and observed intensity of each row; behind the last point only positions of lines may follow."""
    pairs: list[list[float]] = []
    for line in lines:
        numbers = leading_numbers(line)
        if len(numbers) < 4 or (pairs and numbers[0] <= pairs[-1][0]):
            break
        pairs.append(numbers[:2])
    return np.array(pairs, dtype=np.float64).reshape(-1, 2)
