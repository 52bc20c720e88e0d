"""Tables that are not all of numbers: dates and names beside them, fields left empty, NaN in odd spellings."""

from __future__ import annotations

import re

from unscatter.io.text.table import NO_NUMBER
from unscatter.quantities import parse_number

#: Lines at the end that tell how the table is written, and characters of a text that is read in this way.
_SAMPLE, _MOST_CHARACTERS = 60, 24 * 2**20
#: Rows that are enough, and lines of names that may stand above them.
_LEAST_ROWS, _MOST_NAMES = 3, 5


#: What Microsoft's library prints for what is no number, with a # that else begins a remark.
_NO_NUMBER = re.compile(r"[-+]?1\.#(?:QNAN|SNAN|IND|INF)\w*", re.IGNORECASE)


def as_numbers(text: str) -> str:
    """The text with nan for 1.#QNAN and the like, and signs of minus for those of typesetters."""
    text = _NO_NUMBER.sub("nan", text) if ".#" in text else text
    return text.replace("\u2212", "-") if "\u2212" in text else text


def with_empty_fields(text: str) -> str | None:
    """The text with nan in fields that are empty in some rows; None without such, or without marks between columns."""
    if len(text) > _MOST_CHARACTERS:
        return None
    lines = text.split("\n")
    tail = [line for line in lines[-_SAMPLE:-1] if line.strip()]
    for mark in (";", "\t", ","):
        width = max((line.count(mark) for line in tail), default=0) + 1
        if width > 1 and all(line.count(mark) == width - 1 for line in tail):
            filled = [_filled(line, mark, width) for line in lines]
            return "\n".join(filled) if filled != lines else None
    return None


def _filled(line: str, mark: str, width: int) -> str:
    fields = line.split(mark)
    if len(fields) != width or not fields[0].strip() or all(field.strip() for field in fields):
        return line
    return mark.join(field if field.strip() else "nan" for field in fields)


def numbers_beside_words(text: str) -> str | None:
    """The text with nan in place of columns of words, such as 2024-05-01 12:30:00; None where there is no such column.

    Columns are parted by semicolons, tabs, commas or blanks, each row into as many; at least one of them holds numbers.
    """
    if len(text) > _MOST_CHARACTERS:
        return None
    lines = text.split("\n")
    tail = [line for line in lines[-_SAMPLE:] if line.strip()]
    for mark in (";", "\t", ",", None):
        decimal = "," if mark != "," else "."
        kinds = [tuple(_is_number(field, decimal) for field in line.split(mark)) for line in tail]
        known = kinds[-1] if kinds else ()
        words = {place for place, number in enumerate(known) if not number}
        # the names above a short table are in the sample too
        rows = sum(kind == known for kind in kinds)
        if words and len(words) < len(known) and rows >= max(_LEAST_ROWS, 0.8 * (len(kinds) - _MOST_NAMES)):
            width = len(known)
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
