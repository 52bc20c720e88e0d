"""GSAS raw powder data: one BANK line, then counts as STD, ESD, FXY or FXYE records.

Layout: A. C. Larson and R. B. Von Dreele, GSAS manual, Los Alamos report LAUR 86-748, "Powder data files".
"""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from unscatter.io.patterns.content import Content
from unscatter.io.patterns.printed_numbers import (
    counted_fields,
    counting_error,
    facts,
    fixed_fields,
    leading_numbers,
)
from unscatter.io.patterns.scan import Scan, grid

NAME = "GSAS STD, ESD, FXY, FXYE"

_BANK = re.compile(r"BANK\s+\d+\s+(\d+)\s+\d+\s+(\S+)(.*)")
_HEADER_LINES = 30


def accepts(content: Content) -> bool:
    """Whether a BANK line stands near the top."""
    return any(_BANK.match(line) for line in content.head(_HEADER_LINES))


def read(content: Content) -> Scan:
    """Read the one bank of a constant-wavelength file.

    Raises ValueError for time-of-flight data, several banks, unknown record types and files cut short.
    """
    banks = [i for i, line in enumerate(content.lines) if _BANK.match(line)]
    if len(banks) > 1:
        raise ValueError(f"{len(banks)} banks in one GSAS file; expected one: save the bank you want by itself")
    count, start, step, kind = _bank(content.lines[banks[0]])
    lines = [line for line in content.lines[banks[0] + 1 :] if not line.startswith("#")]
    scan = _records(kind, lines, grid(start, step, count))
    if scan.intensity.size < count:
        raise ValueError(f"cut short: BANK announces {count} points, {scan.intensity.size} found; copy the file again")
    return Scan(scan.two_theta, scan.intensity, scan.sigma, **facts(content.lines[: banks[0]]))


def _bank(line: str) -> tuple[int, float, float, str]:
    """Number of points, start and step in degrees, and record type of a BANK line."""
    found = _BANK.match(line)
    words = found.group(3).split() if found else []
    numbers = leading_numbers(" ".join(words))
    if found is None or not found.group(2).startswith("CONS") or len(numbers) < 2:
        raise ValueError(
            f"BANK line {line.strip()[:60]!r} is not at constant wavelength; "
            "expected CONST start step: convert time-of-flight data to two-theta"
        )
    kind = words[-1] if words[-1].isalpha() else "STD"
    # angles are in hundredths of a degree
    return int(found.group(1)), numbers[0] / 100, numbers[1] / 100, kind


def _records(kind: str, lines: list[str], two_theta: NDArray[np.float64]) -> Scan:
    count = two_theta.size
    if kind == "STD":
        counts, counters = (column[:count] for column in counted_fields(lines, width=6))
        return Scan(two_theta, counts, counting_error(counts, counters))
    if kind == "ESD":
        pairs = fixed_fields(lines, width=8)
        pairs = pairs[: 2 * (pairs.size // 2)].reshape(-1, 2)[:count]
        return Scan(two_theta, pairs[:, 0], pairs[:, 1])
    if kind in ("FXY", "FXYE"):
        width = len(kind) - 1
        rows = [leading_numbers(line)[:width] for line in lines if line.strip()][:count]
        table = np.array([row for row in rows if len(row) == width], dtype=np.float64).reshape(-1, width)
        return Scan(table[:, 0] / 100, table[:, 1], table[:, 2] if width == 3 else None)
    raise ValueError(f"GSAS record type {kind[:20]!r} is not known; expected STD, ESD, FXY or FXYE: export as FXYE")
