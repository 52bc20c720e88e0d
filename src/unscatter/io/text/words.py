"""Tables whose columns are not all of numbers: dates, clocks, names and remarks stand beside them."""

from __future__ import annotations

from unscatter.io.text.table import NO_NUMBER
from unscatter.quantities import parse_number

#: Lines at the end that tell how the table is written, and characters of a text that is read in this way.
_SAMPLE, _MOST_CHARACTERS = 60, 24 * 2**20


def numbers_beside_words(text: str) -> str | None:
    """The text with nan in place of columns of words, such as 2024-05-01 12:30:00; None where there is no such column.

    Columns are parted by semicolons, tabs, commas or blanks, each row into as many; two of them hold numbers.
    """
    if len(text) > _MOST_CHARACTERS:
        return None
    lines = text.split("\n")
    sample = [line for line in lines[-_SAMPLE:-1] if line.strip()]
    for mark in (";", "\t", ",", None):
        rows = [line.split(mark) for line in sample]
        width = len(rows[0]) if rows else 0
        if width < 3 or any(len(row) != width for row in rows):
            continue
        decimal = "," if mark != "," else "."
        known = [[_is_number(field, decimal) for field in column] for column in zip(*rows, strict=True)]
        words = {place for place, column in enumerate(known) if not any(column)}
        if words and sum(all(column) for column in known) >= 2:
            return "\n".join(_without(line, mark, width, words, decimal) for line in lines)
    return None


def _is_number(field: str, decimal: str) -> bool:
    bare = field.strip(' "\r').replace(decimal, ".")
    return bare in NO_NUMBER or not bare or parse_number(bare) is not None


def _without(line: str, mark: str | None, width: int, words: set[int], decimal: str) -> str:
    """A row with nan in the columns of words; what is no row, such as the names above, as it is."""
    fields = line.split(mark)
    if len(fields) != width or not all(_is_number(f, decimal) for place, f in enumerate(fields) if place not in words):
        return line
    return (mark or " ").join("nan" if place in words else field for place, field in enumerate(fields))
