"""Numbers as instruments and Fortran print them: in fields of fixed width, run together, with counters."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from unscatter.quantities import parse_number

#: Widths of Fortran fields that are tried where numbers run together.
_WIDTHS = (8, 7, 6, 9, 10, 12)


def leading_numbers(line: str) -> list[float]:
    """The numbers a line begins with, up to the first word."""
    values: list[float] = []
    for token in line.split():
        found = parse_number(token)
        if found is None:
            break
        values.append(found[0])
    return values


def grid_numbers(line: str) -> list[float]:
    """Three numbers of a line "start step stop", also where they run together: `3.0000  0.0500167.7500`."""
    numbers = leading_numbers(line)
    if len(numbers) >= 3:
        return numbers
    for width in (8, 10):
        fields = [parse_number(line[i : i + width].strip()) for i in (0, width, 2 * width)]
        if all(field is not None for field in fields):
            return [field[0] for field in fields if field is not None]
    return numbers


def run_together(line: str) -> list[float]:
    """The numbers a line begins with; where fields of one width run together, they are parted again."""
    numbers = leading_numbers(line)
    # two points with nothing but digits between them, or a sign behind the decimals
    if not re.search(r"\.\d*(?:\.|-\d)", line):
        return numbers
    width = next((width for width in _WIDTHS if _fits(line, width)), 0)
    return list(fixed_fields([line], width)) if width else numbers


def _fits(line: str, width: int) -> bool:
    """Whether a line is made of fields of one width, each a number."""
    bare = line.rstrip()
    fields = [bare[i : i + width].strip() for i in range(0, len(bare), width)]
    return len(bare) % width == 0 and all(field and parse_number(field) is not None for field in fields)


def fixed_fields(lines: Iterable[str], width: int) -> NDArray[np.float64]:
    """The numbers of a Fortran table `10Fwidth`, which may run together; blank fields are left out."""
    fields = (line[i : i + width].strip() for line in lines for i in range(0, len(line.rstrip()), width))
    return np.array([_field(field) for field in fields if field], dtype=np.float64)


def counted_fields(lines: Iterable[str], width: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean counts and number of counters of a Fortran table `10(I2,Fwidth)`, up to a negative end mark."""
    counts: list[float] = []
    counters: list[float] = []
    for line in lines:
        for i in range(0, len(line.rstrip()), width + 2):
            count = line[i + 2 : i + 2 + width].strip()
            if not count:
                continue
            value = _field(count)
            if value < 0:
                return np.array(counts), np.array(counters)
            counts.append(value)
            # 0 or blank stands for one counter
            counters.append(max(_field(line[i : i + 2].strip() or "1"), 1.0))
    return np.array(counts), np.array(counters)


def is_counted(line: str, width: int) -> bool:
    """Whether a line holds nothing but fields `I2,Fwidth`: a small integer, then a count."""
    fields = [line.rstrip()[i : i + width + 2] for i in range(0, len(line.rstrip()), width + 2)]
    return bool(fields) and all(re.fullmatch(r"[ \d]\d *\d+\.?", field) for field in fields)


def _field(field: str) -> float:
    found = parse_number(field)
    if found is None:
        raise ValueError(f"{field[:20]!r} is not a number; expected a table of counts: export the pattern again")
    return found[0]


def counting_error(counts: NDArray[np.float64], counters: NDArray[np.float64] | float = 1.0) -> NDArray[np.float64]:
    """Standard uncertainty of the mean counts of several counters: sqrt(counts / counters)."""
    return np.asarray(np.sqrt(np.maximum(counts, 1.0) / counters), dtype=np.float64)
