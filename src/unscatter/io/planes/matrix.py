"""A matrix of text (.csv, .txt, .dat), as numpy.savetxt and spreadsheets write it: a row of pixels a line.

The first line of numbers is row 0, the lowest value of the second axis. Columns are parted by blanks, tabs, commas or
semicolons; nan, NA, - and empty fields are not measured. Lines of words above the matrix are told and not read. Refused
are a first row or column that counts evenly, which names rows or columns, and remarks or blank lines among the rows,
which part planes of a stack.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unscatter.io.files import first_bytes
from unscatter.io.hdf5 import require_size
from unscatter.io.planes.arrays import bare_array
from unscatter.io.planes.asked import Asked
from unscatter.io.text.decode import decode, encoding_of
from unscatter.io.text.table import NO_NUMBER, first_row, has_decimal_comma
from unscatter.io.text.transformed import refuse_transformed_words
from unscatter.nouns.plane import Plane
from unscatter.nouns.volume import Volume

NAME = "matrix of text"
GAPS_KNOWN = False
DATASETS = ""

#: A line of fewer numbers belongs to a powder pattern or a list.
LEAST_COLUMNS = 11
#: Bytes of a file, and characters of a row, that are read.
LARGEST_FILE, _WIDEST_ROW = 2**27, 2**21
_HEAD = 2**16
_THOUSANDS = re.compile(r"[-+]?\d{1,3}(,\d{3})+")


@dataclass(frozen=True)
class _Layout:
    """How the rows are written. skipped: lines above the first; mark: between the columns, None for blanks."""

    skipped: int
    mark: str | None
    decimal_comma: bool
    trailing: bool
    whole: bool


def recognises(path: Path) -> bool:
    """Whether the file is text with a line of numbers near its beginning."""
    text = decode(first_bytes(path, _HEAD))
    return bool(text) and (first_row(text) > 0 or _starts_with_numbers(text))


def read(path: Path, asked: Asked = Asked()) -> Plane | Volume:  # noqa: B008  frozen
    """Read a matrix of numbers; raises ValueError for a table of few columns, rows of several lengths, and words."""
    size = path.stat().st_size
    if size > LARGEST_FILE:
        raise ValueError(
            f"{path} has {size >> 20} MB; at most {LARGEST_FILE >> 20} of text are read: save the array as .npy"
        )
    start = first_bytes(path, _HEAD)
    text = decode(start)
    layout = _find_layout(path, text)
    try:
        rows = _rows(path, encoding_of(start), layout)
        values = np.loadtxt(rows, dtype=np.float64, comments=None, delimiter=layout.mark, quotechar='"', ndmin=2)
    except ValueError as error:
        if str(error).startswith(str(path)):
            raise
        reason = " ".join(str(error).split())[:120]
        raise ValueError(f"{path} is no matrix of numbers ({reason}); expected as many numbers in each row") from error
    _refuse_names(path, values)
    if text.lstrip()[:6].lower() == "ncols ":
        raise ValueError(
            f"{path} is an ESRI grid, whose first row lies at the top; expected the lowest row first: "
            "numpy.save('plane.npy', numpy.loadtxt(FILE, skiprows=6)[::-1])"
        )
    header = [line for line in text.split("\n")[: layout.skipped] if line.strip()]
    refuse_transformed_words(header)
    notes = (f"{len(header)} lines above the numbers were not read: {header[0].strip()[:60]!r}",) if header else ()
    whole = layout.whole and bool(np.all(np.isfinite(values) & (np.abs(values) < 2**53)))
    return bare_array(values.astype(np.int64) if whole else values, path, asked, notes=notes)


def _starts_with_numbers(text: str) -> bool:
    return re.match(r"[ \t\"]*[-+]?\.?\d", text) is not None


def _find_layout(path: Path, text: str) -> _Layout:
    begin = first_row(text)
    lines = text[begin:].split("\n")
    # the last line of the part that is looked at may be cut off
    row, sample = lines[0].rstrip(), "\n".join(lines[:-1] if len(lines) > 1 else lines)
    comma = has_decimal_comma(sample)
    mark = next((mark for mark in (";", "\t", "" if comma else ",") if mark and mark in row), None)
    fields = [field.strip(' "') for field in (row.split(mark) if mark else row.split())]
    if len(fields) < LEAST_COLUMNS:
        raise ValueError(
            f"{path} is a table of {len(fields)} columns; expected a matrix (ny, nx) of intensities with at least "
            f"{LEAST_COLUMNS}: a powder pattern is for unscatter classify"
        )
    if comma and all(_THOUSANDS.fullmatch(word) for word in re.split(r"[\s;]+", sample) if "," in word):
        raise ValueError(
            f"{path} has numbers such as {next(word for word in fields if ',' in word)}, which may mean a thousand or "
            "a decimal comma: save it with decimal points and without separators of thousands"
        )
    return _Layout(text[:begin].count("\n"), mark, comma, bool(mark) and row.endswith(str(mark)), "." not in sample)


def _rows(path: Path, encoding: str, layout: _Layout) -> Iterator[str]:
    """The rows as NumPy reads them, one after another, so that a large file takes no memory."""
    with path.open(encoding=encoding, errors="replace") as file:
        for _ in range(layout.skipped):
            file.readline(_HEAD)
        number, columns, ended = 0, 0, False
        while line := file.readline(_WIDEST_ROW):
            if not line.strip() or line.lstrip()[0] in "#!%":
                ended = True
                continue
            number += 1
            row = _plain(line, layout)
            columns = columns or (row.count(layout.mark) + 1 if layout.mark else len(row.split()))
            if ended:
                raise ValueError(
                    f"{path} has remarks or blank lines between its rows, before row {number}, as a stack of planes "
                    "has; save one plane a file, or the stack as .npy"
                )
            require_size((number, columns), "the matrix", path)
            yield row


def _plain(line: str, layout: _Layout) -> str:
    row = line.split("#")[0].strip(" \r\n" if layout.mark == "\t" else None)
    if layout.trailing:
        row = row.removesuffix(str(layout.mark))
    if layout.decimal_comma:
        row = row.replace(",", ".")
    fields: list[Any] = row.split(layout.mark)
    if any(field.strip() in NO_NUMBER or not field.strip() for field in fields):
        fields = ["nan" if field.strip() in NO_NUMBER or not field.strip() else field for field in fields]
        return (layout.mark or " ").join(fields)
    return row


def _refuse_names(path: Path, values: NDArray[np.float64]) -> None:
    """Raise ValueError where the first row or column counts up or down in even steps."""
    for name, numbers in (("row", values[0]), ("column", values[:, 0])):
        # the corner belongs to neither
        steps = np.diff(numbers[1:])
        if steps.size > 2 and np.all(np.isfinite(steps)) and steps[0] and np.ptp(steps) <= 0.05 * abs(steps[0]):
            raise ValueError(
                f"{path}: the first {name} counts from {numbers[1]:g} to {numbers[-1]:g} in even steps, as names or an "
                f"axis do, and no intensities: take that {name} out, and say where the pixels lie with --axes"
            )
