"""FullProf's formats with numbers of counters: INS 6 (D1A, D2B), INS 3 (D1B, D20) and INS 1 (old D1A).

The header gives start and step, the counts follow as 10(I2,F6) or 10(I2,F8), and -1000 ends them.
Layout: J. Rodriguez-Carvajal, FullProf manual, "Intensity data file", and the read statements of CrysFML.
"""

from __future__ import annotations

from dataclasses import dataclass

from unscatter.io.patterns.content import Content
from unscatter.io.patterns.header import facts
from unscatter.io.patterns.printed_numbers import (
    counted_fields,
    counting_error,
    grid_numbers,
    is_counted,
)
from unscatter.io.patterns.scan import Scan, announced, grid
from unscatter.quantities import parse_number

ASSUMES: tuple[str, ...] = ("data of these formats are of neutrons",)
NAME = "FullProf INS 1, 3, 6"
BLOCKS = ""


@dataclass(frozen=True)
class _Header:
    lines: int
    start: float
    step: float
    width: int
    count: int | None = None


def recognises(content: Content) -> bool:
    """Whether the first lines are a header of one of the three, with fields of counts after it."""
    return _header(content) is not None


def read(content: Content) -> Scan:
    """Read counts with their numbers of counters, up to the end mark.

    Raises ValueError if fewer points than announced are found.
    """
    header = _header(content)
    if header is None:
        raise ValueError("not a FullProf file of counts; expected INS 1, 3 or 6: save two-theta and intensity")
    counts, counters = counted_fields(content.lines[header.lines :], header.width)
    told = announced(header.count or 0, counts.size)
    counts, counters = counts[: header.count], counters[: header.count]
    # these are formats of neutron instruments
    known = facts([*content.lines[: header.lines], "neutron"])
    two_theta = grid(header.start, header.step, counts.size)
    return Scan(two_theta, counts, counting_error(counts, counters), **known).telling(told)


def _header(content: Content) -> _Header | None:
    """What the header says, or None if it is of another format."""
    return _old_d1a(content) or _d1a(content) or _d1b(content)


def _old_d1a(content: Content) -> _Header | None:
    grid_line, first = content.head(2)
    numbers = grid_numbers(grid_line)
    if len(numbers) < 3 or not is_counted(first, 6) or not 0 < numbers[1] < numbers[2] - numbers[0]:
        return None
    start, step, stop = numbers[:3]
    return _Header(lines=1, start=start, step=step, width=6, count=round((stop - start) / step) + 1)


def _d1a(content: Content) -> _Header | None:
    _, step_line, start_line, _, first = content.head(5)
    step, start = _at(step_line, 16, 8), _at(start_line, 0, 8)
    if step is None or start is None or step <= 0 or not is_counted(first, 6):
        return None
    return _Header(lines=4, start=start, step=step, width=6)


def _d1b(content: Content) -> _Header | None:
    _, _, _, numbers, count_line, first = content.head(6)
    start, step, count = _at(numbers, 23, 8), _at(numbers, 76, 9), _at(count_line, 0, 4)
    if start is None or step is None or count is None or min(step, count) <= 0 or not is_counted(first, 8):
        return None
    return _Header(lines=5, start=start, step=step, width=8, count=int(count))


def _at(line: str, begin: int, width: int) -> float | None:
    found = parse_number(line[begin : begin + width].strip())
    return None if found is None else found[0]
