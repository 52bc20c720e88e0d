"""The table of numbers in a text, with the lines above it: what parts its columns, where it begins, words among it."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from unscatter.io.patterns.checks import LEAST_POINTS
from unscatter.io.text.table import (
    NO_NUMBER,
    WIDEST_ROW,
    bracketed_table,
    first_remark,
    first_row,
    has_decimal_comma,
    number_table,
    remarked_table,
)
from unscatter.io.text.thousands import without_thousands
from unscatter.io.text.words import as_numbers, numbers_beside_words, with_empty_fields
from unscatter.quantities import parse_number

#: A text with words between its numbers is read line by line, up to this size.
_MOST_CHARACTERS = 24 * 2**20
_NOTHING = (float("nan"), float("nan"))
ONE_COLUMN = "one column of numbers; expected two-theta (deg) and intensity: put the angle before every number"


@dataclass(frozen=True)
class Table:
    """A table of numbers in a text, with the lines above it.

    values: (rows, columns); brackets: (rows,) uncertainty in brackets behind the second number, NaN where there is
    none; header: lines above; separator: "," ";" "\\t" or "" for blanks; remark: first line of words among rows.
    """

    values: NDArray[np.float64]
    brackets: NDArray[np.float64]
    header: list[str]
    separator: str
    remark: str = ""


@dataclass(frozen=True)
class _Row:
    line: int
    values: tuple[float, ...]
    uncertainty: float


def table_of(text: str) -> Table:
    """The table of numbers of a text; raises ValueError if there is none or it breaks off."""
    text = without_thousands(as_numbers(text))
    comma = has_decimal_comma(text)
    table = _quick_table(text, comma)
    for mend in (numbers_beside_words, with_empty_fields) if table is None else ():
        mended = mend(text)
        table = table or (None if mended is None else _quick_table(mended, comma))
    return _without_numbered_names(table or _patient_table(text.split("\n"), comma))


def _without_numbered_names(table: Table) -> Table:
    """The table without a first row 0, 1, 2 that numbers its columns, as pandas writes names that nobody gave."""
    first, count = table.values[0], table.values.shape[1]
    numbers = any(np.array_equal(first, np.arange(count) + start) for start in (0, 1))
    steps = np.abs(np.diff(table.values[:, 0]))
    if not numbers or len(steps) < LEAST_POINTS or steps[0] <= 3 * np.median(steps):
        return table
    return replace(table, values=table.values[1:], brackets=table.brackets[1:])


def _quick_table(text: str, comma: bool) -> Table | None:
    """A table whose rows are plain numbers, or become such without the remarks among them, read at once; or None."""
    above = first_row(text)
    top = text[above : above + 2**16].split("\n")
    rows = [i for i, line in enumerate(top) if _is_row(line, comma)]
    if not rows:
        return None
    width = len(_tokens(top[rows[-1]], comma)) if rows[-1] < len(top) - 1 else len(_tokens(top[rows[0]], comma))
    first = next((i for i in rows if len(_tokens(top[i], comma)) == width), None)
    if first is None or width < 2:
        return None
    below = text[above + sum(len(line) + 1 for line in top[:first]) :]
    values, brackets, remark = None, None, ""
    if any("(" in top[i] for i in rows):
        values, brackets = bracketed_table(below, decimal_comma=comma) or (None, None)
    else:
        values = number_table(below, decimal_comma=comma)
        if values is None:
            values, remark = remarked_table(below, decimal_comma=comma), first_remark(below)
    if values is None:
        return None
    header = [line for line in [*text[:above].split("\n"), *top[:first]] if line.strip()]
    brackets = np.full(len(values), np.nan) if brackets is None else brackets
    return Table(values, brackets, header, _separator(top[first], comma), remark)


def _is_row(line: str, comma: bool) -> bool:
    tokens = _tokens(line, comma)
    return bool(tokens) and all(parse_number(token) is not None for token in tokens)


def _separator(line: str, comma: bool) -> str:
    return next((mark for mark in (";", "\t", "" if comma else ",") if mark and mark in line), "")


def _patient_table(lines: list[str], comma: bool) -> Table:
    """A table with remarks, brackets or words between its rows, line by line."""
    if sum(len(line) for line in lines) > _MOST_CHARACTERS:
        raise ValueError(
            f"more than {_MOST_CHARACTERS >> 20} MB of text that is no plain table of numbers; expected rows of one "
            "width and no words between them: export the scan as two columns of text"
        )
    rows, header = _rows(lines, comma)
    first, rows = _widest(rows)
    values = np.array([row.values for row in rows], dtype=np.float64)
    brackets = np.array([row.uncertainty for row in rows], dtype=np.float64)
    return Table(values, brackets, header, _separator(lines[first - 1], comma))


def _rows(lines: list[str], comma: bool) -> tuple[list[_Row], list[str]]:
    """Rows of numbers, and the lines of words before the first of them."""
    rows: list[_Row] = []
    header: list[str] = []
    for i, line in enumerate(lines):
        if len(line) > WIDEST_ROW and line.lstrip(' \t"+-.')[:1].isdigit():
            raise ValueError(
                f"line {i + 1} has {len(line)} characters; expected a row for each point: export the scan as two "
                "columns of text"
            )
        tokens = _tokens(line, comma)
        parsed = [_NOTHING if k and token in NO_NUMBER else parse_number(token) for k, token in enumerate(tokens)]
        values = [pair for pair in parsed if pair is not None]
        if parsed and len(values) == len(parsed):
            # brackets belong to the intensity, the second number
            rows.append(_Row(i + 1, tuple(pair[0] for pair in values), values[:2][-1][1]))
        elif len(rows) > 10 and parsed and parsed[0] is not None:
            raise ValueError(f"line {i + 1} {line[:40]!r} is not a row of numbers; correct it or take it out")
        elif not rows and line.strip():
            header.append(line)
    return rows, header


def _tokens(line: str, comma: bool) -> list[str]:
    bare = re.split(r"[#!]", line)[0].replace('"', "").strip()
    if bare.startswith((";", "'", "%")):
        return []
    if comma:
        return [token.replace(",", ".") for token in re.split(r"[\s;]+", bare) if token]
    return [token for token in re.split(r"[\s,;]+", bare) if token]


def _widest(rows: list[_Row]) -> tuple[int, list[_Row]]:
    """The rows from the first of the commonest width on: what is before them belongs to the header."""
    if not rows:
        raise ValueError(
            "no numbers found; expected columns two-theta (deg), intensity and perhaps its uncertainty, "
            "for example a line 10.02 153 12.4"
        )
    width = Counter(len(row.values) for row in rows).most_common(1)[0][0]
    if width == 1:
        raise ValueError(ONE_COLUMN)
    first = next(i for i, row in enumerate(rows) if len(row.values) == width)
    for row in rows[first:]:
        if len(row.values) != width:
            raise ValueError(
                f"line {row.line} holds {len(row.values)} numbers, the lines around it {width}; "
                "perhaps the file was cut short: complete the line or take it out"
            )
    return rows[first].line, rows[first:]
