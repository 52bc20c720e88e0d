"""Uncertainties in brackets, 153.2(12) or 1.5E3(7), taken out of a text at once, all characters side by side."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

_Letters = NDArray[np.uint8]
_Places = NDArray[np.intp]

_DIGITS, _SEPARATORS, _EXPONENTS = (
    np.isin(np.arange(256), np.frombuffer(letters, dtype=np.uint8)) for letters in (b"0123456789", b' \t,;"\n', b"eEdD")
)
_NEWLINE = ord("\n")
#: More digits than this are no uncertainty and no exponent; characters that are looked at together.
_MOST_DIGITS, _TOGETHER = 9, 2**22


def take_brackets(text: str) -> tuple[str, NDArray[np.float64]] | None:
    """A text without the brackets behind its numbers, and the uncertainty of the second number of each row.

    An uncertainty counts in units of the last digit; NaN where a row has none. Rows are the lines that are not blank.
    None where brackets hold anything but a few digits.
    """
    texts, found = [], []
    for part in _parts(text):
        taken = _take(np.frombuffer(f"\n{part}".encode("latin-1", "replace"), dtype=np.uint8))
        if taken is None:
            return None
        texts.append(taken[0])
        found.append(taken[1])
    return "".join(texts), np.concatenate(found) if found else np.empty(0)


def _parts(text: str) -> Iterator[str]:
    """A text in parts that end with lines."""
    begin = 0
    while begin < len(text):
        end = text.find("\n", begin + _TOGETHER) + 1 or len(text)
        yield text[begin:end]
        begin = end


def _take(letters: _Letters) -> tuple[str, NDArray[np.float64]] | None:
    first, last = (np.flatnonzero(letters == ord(mark)) for mark in "()")
    others = np.flatnonzero(~_DIGITS[letters])
    if first.size != last.size or np.any(last - first > _MOST_DIGITS + 1) or np.any(last < first):
        return None
    # from one to the other there are digits alone
    if np.any(_before(others, last) != first):
        return None
    end, power = _exponents(letters, others, first)
    before = _before(others, end)
    decimals = np.where(letters[before] == ord("."), end - before - 1, 0)
    uncertainty = _whole_numbers(letters, first + 1, last) * 10.0 ** (power - decimals)
    row, place, count = _rows_and_columns(letters, first)
    found = np.full(count, np.nan)
    second = place == 2
    found[row[second]] = uncertainty[second]
    keep = np.ones(letters.size, dtype=bool)
    for step in range(int((last - first).max(initial=-1)) + 1):
        keep[np.minimum(first + step, last)] = False
    return letters[keep][1:].tobytes().decode("latin-1"), found


def _before(others: _Places, places: _Places) -> _Places:
    """The last of some increasing places before each of others."""
    return np.asarray(others[np.searchsorted(others, places) - 1])


def _exponents(letters: _Letters, others: _Places, first: _Places) -> tuple[_Places, NDArray[np.float64]]:
    """Where the digits of the numbers before some places end, and the power of ten behind them."""
    before = _before(others, first)
    signed = (letters[before] == ord("+")) | (letters[before] == ord("-"))
    mark = before - signed
    has = _EXPONENTS[letters[mark]]
    size = _whole_numbers(letters, np.where(has, before + 1, first), first)
    return np.where(has, mark, first), np.where(letters[before] == ord("-"), -size, size) * has


def _whole_numbers(letters: _Letters, first: _Places, end: _Places) -> NDArray[np.float64]:
    """The numbers whose digits run from a place to another, which does not belong to them."""
    values = np.zeros(first.size)
    for step in range(min(int((end - first).max(initial=0)), _MOST_DIGITS)):
        there = first + step < end
        digit = letters[np.minimum(first + step, letters.size - 1)] - float(ord("0"))
        values = np.where(there, 10 * values + digit, values)
    return values


def _rows_and_columns(letters: _Letters, places: _Places) -> tuple[_Places, _Places, int]:
    """Row and column of the numbers at some places, from 0 and from 1, and how many rows there are."""
    parting = _SEPARATORS[letters]
    words = np.flatnonzero(~parting[1:] & parting[:-1]) + 1
    ends = np.flatnonzero(letters == _NEWLINE)
    line = np.searchsorted(ends, places) - 1
    before = np.searchsorted(words, np.append(ends, letters.size))
    filled = np.diff(before) > 0
    row = np.cumsum(filled) - 1
    return row[line], np.searchsorted(words, places) - before[line], int(filled.sum())
