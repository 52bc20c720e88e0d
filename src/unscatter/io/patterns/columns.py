"""Columns of text: two-theta, intensity and perhaps its uncertainty (xy, xye, csv, dat, txt, INS 10).

Comments begin with # ; ! ' % or a word; columns are parted by blanks, tabs, commas or semicolons; a decimal
comma is understood where no number has a point. Uncertainties stand in the third of three columns or in
brackets.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

import numpy as np

from unscatter.io.patterns.content import Content
from unscatter.io.patterns.printed_numbers import facts, number
from unscatter.io.patterns.scan import Scan

NAME = "columns of text"

#: More columns than this are the rows of an image, not a pattern.
_MOST_COLUMNS = 10
_DECIMAL_COMMA = re.compile(r"[-+]?\d*,\d+|[-+]?\d+,?|[-+]?\d*,?\d+[eE][-+]?\d+")


@dataclass(frozen=True)
class _Row:
    line: int
    values: tuple[float, ...]
    uncertainty: float


def accepts(content: Content) -> bool:
    """Whether the file is text: the format to try when every other has declined."""
    return bool(content.text.strip())


def read(content: Content) -> Scan:
    """Read columns of numbers.

    Raises ValueError if there are none, if a line breaks off, or if there are so many that it is an image.
    """
    rows, header = _rows(content.lines)
    rows = _table(rows)
    values = np.array([row.values for row in rows], dtype=np.float64)
    brackets = np.array([row.uncertainty for row in rows], dtype=np.float64)
    sigma = values[:, 2] if values.shape[1] == 3 else brackets if np.all(np.isfinite(brackets)) else None
    return Scan(values[:, 0], values[:, 1], sigma, **facts(header))


def _rows(lines: list[str]) -> tuple[list[_Row], list[str]]:
    """Rows of numbers, and the lines of words before the first of them."""
    comma = _has_decimal_comma(lines)
    rows: list[_Row] = []
    header: list[str] = []
    for i, line in enumerate(lines):
        parsed = [number(token) for token in _tokens(line, comma)]
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


def _has_decimal_comma(lines: list[str]) -> bool:
    """Whether commas stand inside the numbers: something else parts the columns, no number has a point."""
    rows = [line.strip(" \t;") for line in lines if re.match(r"\s*[-+]?[\d,]", line)]
    if not any("," in row for row in rows):
        return False
    tables = [re.split(r"[\s;]+", row) for row in rows]
    return all(len(table) > 1 and all(_DECIMAL_COMMA.fullmatch(token) for token in table) for table in tables)


def _table(rows: list[_Row]) -> list[_Row]:
    """The rows from the first of the commonest width on: what is before them belongs to the header."""
    if not rows:
        raise ValueError(
            "no numbers found; expected columns two-theta (deg), intensity and perhaps its uncertainty, "
            "for example a line 10.02 153 12.4"
        )
    width = Counter(len(row.values) for row in rows).most_common(1)[0][0]
    if width == 1:
        raise ValueError(
            "one column of numbers; expected two-theta (deg) and intensity: put the angle before every number"
        )
    if width > _MOST_COLUMNS:
        raise ValueError(
            f"{width} numbers a line: an image or a table of many patterns; expected two or three columns: "
            "integrate the image, or save one pattern as two-theta and intensity"
        )
    first = next(i for i, row in enumerate(rows) if len(row.values) == width)
    for row in rows[first:]:
        if len(row.values) != width:
            raise ValueError(
                f"line {row.line} holds {len(row.values)} numbers, the lines around it {width}; "
                "perhaps the file was cut short: complete the line or take it out"
            )
    return rows[first:]
