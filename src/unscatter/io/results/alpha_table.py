"""Tables of alphas as text: names u, v, w, alpha and perhaps of uncertainties, then a line for each vector."""

from __future__ import annotations

import csv
from typing import Any

import numpy as np

from unscatter.quantities import parse_number

_ERRORS = ("standard_error", "su", "s.u.", "esd", "sigma", "error", "err", "std", "uncertainty")
#: Names of columns, without case.
_COLUMNS = {
    **{letter: letter for letter in "uvw"},
    **dict.fromkeys(("alpha", "\u03b1", "warren-cowley"), "alpha"),
    **dict.fromkeys(_ERRORS, "standard_error"),
}


def read_alpha_table(text: str) -> list[dict[str, Any]]:
    """Rows of a table, parted by tabs, semicolons, commas or blanks; columns of other names are passed over.

    Raises ValueError for what is no number, and for vectors that are no whole numbers of cells.
    """
    lines = [line for line in text.split("\n") if line.strip() and not line.startswith("#")]
    if not lines:
        raise ValueError("no line with numbers; expected a header u, v, w, alpha and one line for each vector")
    mark = next((mark for mark in ("\t", ";", ",") if mark in lines[0]), None)
    rows = list(csv.reader(lines, delimiter=mark)) if mark else [line.split() for line in lines]
    names = [_COLUMNS.get(name.strip().lower(), "") for name in rows[0]]
    decimal = "." if mark == "," else ","
    return [_row(names, [field.strip().replace(decimal, ".") for field in row]) for row in rows[1:]]


def _row(names: list[str], fields: list[str]) -> dict[str, Any]:
    """Numbers of a line by the names of their columns; an uncertainty in brackets behind alpha is its own."""
    found: dict[str, Any] = {}
    for name, field in zip(names, fields, strict=False):
        number = parse_number(field)
        if not name or (name == "standard_error" and not field):
            continue
        if number is None:
            raise ValueError(f"{name} is {field[:20]!r}; expected a number")
        value, error = number
        if name in "uvw" and value != round(value):
            raise ValueError(f"{name} is {value:g}; expected whole numbers of cells")
        if name == "alpha" and np.isfinite(error):
            found.setdefault("standard_error", error)
        if name != "standard_error" or np.isfinite(value):
            found[name] = round(value) if name in "uvw" else value
    return found
