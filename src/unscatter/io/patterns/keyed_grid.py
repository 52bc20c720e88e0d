"""Counts below a header that names start and step: "*START = 20", "*STEP = 0.02", as Rigaku's .asc and others have it.

Only where as many numbers follow as the grid has points: a header may name them above columns too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from unscatter.io.patterns.content import Content
from unscatter.io.patterns.header import facts
from unscatter.io.patterns.scan import Scan, grid
from unscatter.io.text.table import number_list

NAME = "counts below a named start and step (Rigaku .asc)"
BLOCKS = ""
ASSUMES: tuple[str, ...] = ("the numbers below a named start and step are counts at two-theta",)

_NUMBER = r"\s*[:=]?\s*([-+]?\d*\.?\d+)"
_KEYS = {
    name: re.compile(rf"(?<![A-Za-z]){words}(?![A-Za-z]){_NUMBER}", re.IGNORECASE)
    for name, words in {
        "start": r"(?:start|begin|first|2?theta[_ ]?(?:start|min))(?:[_ ]?angle)?",
        "step": r"step(?:[_ -]?(?:size|width))?",
        "stop": r"(?:stop|end|last|2?theta[_ ]?(?:stop|end|max))(?:[_ ]?angle)?",
        "count": r"(?:count|points|number of points|npts|n[_ ]?points)",
    }.items()
}
_AXIS = re.compile(r"SCAN[_ ]?AXIS\s*[:=]\s*(\S+)", re.IGNORECASE)
#: Lines above the counts.
_HEADER_LINES = 200
_BARE = re.compile(r"[\s,;]*[-+]?\d*\.?\d+(?:[eE][-+]?\d+)?[\s,;]*")


@dataclass(frozen=True)
class _Grid:
    """Lines above the counts, start and step in degrees, and the text of the counts."""

    lines: int
    start: float
    step: float
    body: str


def recognises(content: Content) -> bool:
    """Whether a header names start and step, and as many numbers follow as that makes."""
    return _grid(content) is not None


def read(content: Content) -> Scan:
    """Read the counts; raises ValueError for a scan over another axis than two-theta."""
    found = _grid(content)
    if found is None:
        raise ValueError("no header with start and step; expected both by name above the counts")
    header = content.lines[: found.lines]
    axis = _AXIS.search("\n".join(header))
    if axis is not None and not re.search(r"2|two", axis[1], re.IGNORECASE):
        raise ValueError(
            f"scan over {axis[1]}, not over two-theta; expected a two-theta or coupled scan: give that one"
        )
    counts = number_list(found.body)
    return Scan(grid(found.start, found.step, counts.size), counts, **facts(header))


def _grid(content: Content) -> _Grid | None:
    top = content.head(_HEADER_LINES)
    first = next((i for i, line in enumerate(top) if _is_row(line)), None)
    if first is None or first == 0:
        return None
    header = "\n".join(top[:first])
    found = {name: pattern.search(header) for name, pattern in _KEYS.items()}
    known = {name: float(match[1]) for name, match in found.items() if match is not None}
    if not {"start", "step"} <= set(known) or not 0 < known["step"] <= 5:
        return None
    rows = []
    for line in content.lines[first:]:
        if line.strip() and not _is_row(line):
            break
        rows.append(line)
    body = "\n".join(rows)
    count = len(re.split(r"[\s,;]+", body.strip(" \t\n,;")))
    stop = known.get("stop")
    wanted = known.get("count") if stop is None else round((stop - known["start"]) / known["step"]) + 1
    one_column = all(_BARE.fullmatch(row) for row in rows if row.strip())
    if count != wanted and not (wanted is None and one_column):
        return None
    return _Grid(first, known["start"], known["step"], body)


def _is_row(line: str) -> bool:
    """Whether a line holds numbers and nothing else."""
    return bool(line.strip()) and all(_BARE.fullmatch(word) for word in re.split(r"[\s,;]+", line.strip(" \t,;")))
