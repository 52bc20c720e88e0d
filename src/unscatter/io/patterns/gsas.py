"""GSAS raw powder data: one BANK line, then counts as STD, ESD, FXY or FXYE records.

Layout: A. C. Larson and R. B. Von Dreele, GSAS manual, Los Alamos report LAUR 86-748, "Powder data files".
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from unscatter.io.patterns.content import Content
from unscatter.io.patterns.header import facts
from unscatter.io.patterns.printed_numbers import (
    counted_fields,
    counting_error,
    fixed_fields,
    is_counted,
    leading_numbers,
)
from unscatter.io.patterns.scan import Scan, announced, grid, require_few, whole
from unscatter.quantities import parse_number

NAME = "GSAS STD, ESD, FXY, FXYE"
BLOCKS = "number of the bank"

ASSUMES: tuple[str, ...] = ()

_BANK = re.compile(r"BANK\s+(\d+)\s+(\d+)\s+\d+\s+(\S+)(.*)", re.IGNORECASE)
_HEADER_LINES = 30
_WITH_ANGLES = ("FXY", "FXYE")
_LARGEST = 180.0
_TIME_OF_FLIGHT = ("SLOG", "TIME", "RALF", "LPSD", "COND")


@dataclass(frozen=True)
class _Bank:
    """A BANK line: where it is, number of the bank, points announced, angles in degrees, and type of the records."""

    line: int
    number: int
    count: int
    binning: str
    start: float = 0.0
    step: float = 0.0
    kind: str = ""


def recognises(content: Content) -> bool:
    """Whether a BANK line stands near the top."""
    return any(_BANK.match(line) for line in content.head(_HEADER_LINES))


def read(content: Content) -> Scan:
    """Read the bank of a constant-wavelength file, the first or the one that was asked for.

    Raises ValueError for time-of-flight data, unknown record types and files cut short.
    """
    lines = [(i, line) for i, line in enumerate(content.lines) if _BANK.match(line)]
    require_few(lines)
    banks = [_bank(i, line) for i, line in lines]
    bank, told = _choose(banks, content.block)
    after = [other.line for other in banks if other.line > bank.line]
    rows = content.lines[bank.line + 1 : after[0] if after else None]
    rows = [line for line in rows if not line.startswith("#")]
    bank, named = _with_kind(bank, rows)
    told.append(named)
    scan = _records(bank, rows)
    # two-theta of 180 degrees is the largest there is
    if scan.positions.size and 0.05 < scan.positions[-1] <= _LARGEST / 100:
        scan = replace(scan, positions=100 * scan.positions)
        told.append("the angles are in degrees, not in hundredths of them as GSAS has it")
    # fields of one width tell a number that is whole from one that was cut
    if bank.kind == "STD" and len(content.lines[-1]) % 8:
        scan = scan[: whole(scan.intensity, bank.count, content.text).size]
    told.append(announced(bank.count, scan.intensity.size))
    header = content.lines[: banks[0].line]
    return Scan(scan.positions, scan.intensity, scan.sigma, **facts(header)).telling(*told)


def _choose(banks: list[_Bank], wanted: str) -> tuple[_Bank, list[str]]:
    """The bank to read, and what is told of the others."""
    numbers = ", ".join(str(bank.number) for bank in banks)
    chosen = [bank for bank in banks if not wanted or str(bank.number) == wanted.strip()]
    if not chosen:
        raise ValueError(f"no bank {wanted!r}; the file has {numbers}: choose for example --block {banks[0].number}")
    usable = [
        bank for bank in chosen if bank.binning.startswith("CONS") and (bank.step > 0 or bank.kind in _WITH_ANGLES)
    ]
    if not usable:
        kind = "time of flight" if chosen[0].binning.startswith(_TIME_OF_FLIGHT) else "no constant step"
        raise ValueError(
            f"BANK {chosen[0].number} is binned as {chosen[0].binning[:20]}, {kind}; expected CONST start step in "
            "two-theta: export the bank over d as columns and type --axis d --wavelength 1.0"
        )
    told = [] if len(banks) == 1 else [f"bank {usable[0].number} of {numbers} is read (--block chooses)"]
    return usable[0], told


def _bank(place: int, line: str) -> _Bank:
    found = _BANK.match(line)
    assert found is not None, "matched before"
    words = found.group(4).upper().split()
    numbers = leading_numbers(" ".join(words))
    kind = words[-1] if words and words[-1].isalpha() else ""
    start, step = numbers[:2] if len(numbers) >= 2 else (0.0, 0.0)
    # angles are in hundredths of a degree
    return _Bank(place, int(found.group(1)), int(found.group(2)), found.group(3).upper(), start / 100, step / 100, kind)


def _with_kind(bank: _Bank, rows: list[str]) -> tuple[_Bank, str]:
    """The bank with the type of its records, told by their looks where the BANK line does not name it."""
    first = next((line for line in rows if line.strip()), "")
    numbers = leading_numbers(first)
    if bank.kind not in ("", "FXYE") or (bank.kind == "FXYE" and len(numbers) != 2):
        return bank, ""
    if bank.kind == "" and is_counted(first, 6):
        return replace(bank, kind="STD"), ""
    begins = len(numbers) in (2, 3) and abs(numbers[0] / 100 - bank.start) < max(bank.step, 0.01)
    if bank.kind == "FXYE" or begins:
        kind = "FXYE" if len(numbers) == 3 else "FXY"
        return replace(bank, kind=kind), f"the records look like {kind} and are read as such"
    return replace(bank, kind="STD"), "the BANK line names no type of records: STD is assumed"


def _pairs(lines: list[str]) -> NDArray[np.float64]:
    """Counts and their uncertainties in fields of eight characters, or, as some programs write them, between blanks."""
    first = next((line.rstrip() for line in lines if line.strip()), "")
    fields = [first[i : i + 8].strip() for i in range(0, len(first), 8)]
    if all(parse_number(field) is not None for field in fields):
        return fixed_fields(lines, width=8)
    return np.array([number for line in lines for number in leading_numbers(line)], dtype=np.float64)


def _records(bank: _Bank, lines: list[str]) -> Scan:
    """The points that are there, at most as many as the BANK line announces."""
    count = bank.count
    if bank.kind == "STD":
        counts, counters = (column[:count] for column in counted_fields(lines, width=6))
        return Scan(grid(bank.start, bank.step, counts.size), counts, counting_error(counts, counters))
    if bank.kind == "ESD":
        pairs = _pairs(lines)
        pairs = pairs[: 2 * (pairs.size // 2)].reshape(-1, 2)[:count]
        return Scan(grid(bank.start, bank.step, len(pairs)), pairs[:, 0], pairs[:, 1])
    if bank.kind in _WITH_ANGLES:
        width = len(bank.kind) - 1
        rows = [leading_numbers(line)[:width] for line in lines if line.strip()][:count]
        table = np.array([row for row in rows if len(row) == width], dtype=np.float64).reshape(-1, width)
        return Scan(table[:, 0] / 100, table[:, 1], table[:, 2] if width == 3 else None)
    raise ValueError(
        f"GSAS record type {bank.kind[:20]!r} is not known; expected STD, ESD, FXY or FXYE: export as FXYE"
    )
