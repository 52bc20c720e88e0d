"""Tables of numbers in text, read by NumPy's parser: a pattern of three million rows in a second."""

from __future__ import annotations

import re
from io import StringIO

import numpy as np
from numpy.typing import NDArray

from unscatter.io.text.brackets import take_brackets

#: What parts columns becomes a blank; with decimal commas only what cannot stand in a number.
_SEPARATORS = str.maketrans({",": " ", ";": " ", '"': " ", "\t": " "})
_SEPARATORS_COMMA = str.maketrans({",": ".", ";": " ", '"': " ", "\t": " "})
#: A row wider than this is no row of a table (characters).
WIDEST_ROW = 10_000
#: Lines at the end that tell how the table is written.
_SAMPLE = 200
#: What people and programs write behind an angle where nothing was measured.
NO_NUMBER = frozenset({"-", "--", "---", "*", "?", "n/a", "N/A", "NA", "na", "null", "None", "none", "NULL", "#N/A"})
_DECIMAL_COMMA = re.compile(r"[-+]?\d*,\d+|[-+]?\d+,?|[-+]?\d*,?\d+[eE][-+]?\d+")
_MARK_OF_GAP = re.compile(
    rf"([ \t,;])(?:{'|'.join(re.escape(mark) for mark in sorted(NO_NUMBER, reverse=True))})(?=[ \t,;\r\n]|$)"
)
_REMARK = re.compile(r"[#!][^\n]*")
# The line end stands first: what an expression begins with is searched for fast.
_LINE_OF_WORDS = re.compile(r"\n(?![ \t\"]*[-+]?\.?\d)[^\n]*")
#: A line that begins with two numbers.
_FIRST_ROW = re.compile(r"\n[ \t\"]*[-+]?\.?\d[\d.,eEdD+'\u2019\u00a0\u202f\u2009-]*[ \t,;\"]+[-+]?\.?\d")
_FORTRAN_EXPONENT = re.compile(r"[dD](?<=[\d.].)(?=[-+]?\d)")


def number_table(text: str, *, decimal_comma: bool = False) -> NDArray[np.float64] | None:
    """The numbers of a text that holds nothing else, (rows, columns); None if rows differ or words stand between."""
    # A file without line ends is no table; its first rows tell.
    if not text.strip() or max(map(len, text[: 20 * WIDEST_ROW].split("\n"))) > WIDEST_ROW:
        return None
    plain = text.translate(_SEPARATORS_COMMA if decimal_comma else _SEPARATORS)
    try:
        return np.loadtxt(StringIO(plain), dtype=np.float64, comments=None, ndmin=2)
    except ValueError:
        return None


def number_list(text: str) -> NDArray[np.float64]:
    """All numbers of a text, whatever parts them; raises ValueError for words."""
    try:
        return np.array(text.translate(_SEPARATORS).split(), dtype=np.float64)
    except ValueError:
        words = [word for word in text.translate(_SEPARATORS).split() if not _is_number(word)]
        raise ValueError(f"{words[0][:30]!r} stands among the numbers; correct it, or export the scan again") from None


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def first_row(text: str) -> int:
    """Where the first line begins that begins with two numbers, where there may be a table; 0 if there is none."""
    if _FIRST_ROW.match("\n" + text[:WIDEST_ROW]):
        return 0
    found = _FIRST_ROW.search(text)
    return found.start() + 1 if found else 0


def first_remark(text: str) -> str:
    """The first line of words with a row of numbers above and below it, "" where there is none."""
    found = _LINE_OF_WORDS.search(text)
    while found is not None and not found[0].strip():
        found = _LINE_OF_WORDS.search(text, found.end())
    return found[0].strip() if found is not None and _FIRST_ROW.search(text, found.end()) else ""


def remarked_table(text: str, *, decimal_comma: bool = False) -> NDArray[np.float64] | None:
    """The numbers of a text that begins with a row, has remarks behind # and !, and words in lines of their own."""
    if "#" in text or "!" in text:
        text = _REMARK.sub("", text)
    text = _LINE_OF_WORDS.sub("", text)
    values = number_table(text, decimal_comma=decimal_comma)
    if values is None:
        text = _FORTRAN_EXPONENT.sub("e", _MARK_OF_GAP.sub(r"\1nan", text))
        values = number_table(text, decimal_comma=decimal_comma)
    return values


def bracketed_table(
    text: str, *, decimal_comma: bool = False
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """The numbers of a text with rows such as 10.02 153.2(12), and the uncertainties of the second ones, NaN without.

    None if it is no such table. An uncertainty counts in units of the last digit.
    """
    if "#" in text or "!" in text:
        text = _REMARK.sub("", text)
    text = _LINE_OF_WORDS.sub("", text)
    taken = take_brackets(text)
    if taken is None:
        return None
    values = remarked_table(taken[0], decimal_comma=decimal_comma)
    return None if values is None or len(values) != len(taken[1]) else (values, taken[1])


def has_decimal_comma(text: str) -> bool:
    """Whether commas stand inside the numbers: something else parts the columns, no number of the table has a point.

    Judged from the end, where the table is: a header may hold anything.
    """
    # the last line may be cut off
    lines = [line.strip(" \t;") for line in text[-100 * _SAMPLE :].split("\n")[1:] or text.split("\n")]
    rows = [line for line in lines if re.match(r"[-+]?[\d,]", line)][-_SAMPLE:]
    if not any("," in row for row in rows):
        return False
    tables = [re.split(r"[\s;]+", row) for row in rows]
    return all(len(table) > 1 and all(_may_have_comma(token) for token in table) for table in tables)


def _may_have_comma(token: str) -> bool:
    return bool(_DECIMAL_COMMA.fullmatch(token)) or token in NO_NUMBER or token.lower() in ("nan", "")
