"""Tables of numbers in text, read by NumPy's parser: a pattern of three million rows in a second."""

from __future__ import annotations

from io import StringIO

import numpy as np
from numpy.typing import NDArray

#: What parts columns becomes a blank; with decimal commas only what cannot stand in a number.
_SEPARATORS = str.maketrans({",": " ", ";": " ", '"': " ", "\t": " "})
_SEPARATORS_COMMA = str.maketrans({",": ".", ";": " ", '"': " ", "\t": " "})
#: A row wider than this is no row of a table (characters).
_WIDEST_ROW = 10_000


def number_table(text: str, *, decimal_comma: bool = False) -> NDArray[np.float64] | None:
    """The numbers of a text that holds nothing else, (rows, columns); None if rows differ or words stand between."""
    if not text.strip() or _longest_row(text) > _WIDEST_ROW:
        return None
    plain = text.translate(_SEPARATORS_COMMA if decimal_comma else _SEPARATORS)
    try:
        return np.loadtxt(StringIO(plain), dtype=np.float64, comments=None, ndmin=2)
    except ValueError:
        return None


def _longest_row(text: str) -> int:
    """Length of the first rows; a file without line ends is no table."""
    top = text[: 20 * _WIDEST_ROW].split("\n")
    return max(len(row) for row in top)


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
