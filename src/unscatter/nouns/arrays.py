"""Arrays as type hints name them, and nouns that hold arrays."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

#: An array of any library that follows the array API standard (NumPy, torch, ...).
Array: TypeAlias = Any
FloatArray: TypeAlias = NDArray[np.floating[Any]]
IntArray: TypeAlias = NDArray[np.integer[Any]]
Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]
Mask: TypeAlias = NDArray[np.bool_]

#: Longer texts are cut in the short form of a noun.
_LONGEST = 40


class Noun:
    """A dataclass with arrays in it that compares by value, may be hashed, and shows itself in one line.

    Two are equal if they are of one class and every field is, NaN being equal to NaN. What says how a noun was made
    (fields with compare=False) does not count. To be made with @dataclass(frozen=True, eq=False, repr=False).
    """

    def __eq__(self, other: object) -> bool:
        """Whether all that counts is the same."""
        if type(self) is not type(other):
            return NotImplemented
        return all(_same(getattr(self, name), getattr(other, name)) for name in self._counting())

    def __hash__(self) -> int:
        """Hash what counts; equal nouns have equal hashes."""
        return hash((type(self).__name__, *(_digest(getattr(self, name)) for name in self._counting())))

    def __repr__(self) -> str:
        """One line: fields that differ from their defaults, arrays by type and shape."""
        shown = [
            f"{one.name}={_short(getattr(self, one.name))}"
            for one in fields(self)  # type: ignore[arg-type]  # every noun is a dataclass
            if one.repr and not _is_empty(getattr(self, one.name))
        ]
        return f"{type(self).__name__}({', '.join(shown)})"

    def _counting(self) -> list[str]:
        return [one.name for one in fields(self) if one.compare]  # type: ignore[arg-type]


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        one, other = np.asarray(a), np.asarray(b)
        numbers = one.dtype.kind in "fc" and other.dtype.kind in "fc"
        return one.shape == other.shape and bool(np.array_equal(one, other, equal_nan=numbers))
    if isinstance(a, tuple | list) and isinstance(b, tuple | list):
        return len(a) == len(b) and all(_same(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_same(a[key], b[key]) for key in a)
    return bool(a == b or (a != a and b != b))  # NaN is what does not equal itself


def _digest(value: Any) -> Any:
    """Something that may be hashed and is equal for equal values; of arrays their shape and their sum."""
    if isinstance(value, np.ndarray):
        return value.shape, _sum(value) if value.dtype.kind in "fiub" else 0.0
    if isinstance(value, tuple | list):
        return tuple(_digest(one) for one in value)
    if isinstance(value, dict):
        return tuple(sorted(value))
    return 0.0 if value != value else value


def _sum(array: NDArray[Any]) -> float:
    # In one order, whatever the layout: equal arrays have to have equal sums to the last bit.
    flat = np.ascontiguousarray(array, dtype=np.float64).ravel()
    with np.errstate(all="ignore"):
        total = float(np.nansum(flat))
    return total if np.isfinite(total) else 0.0


def _short(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"{value.dtype}{value.shape}".replace(",)", ")")
    if isinstance(value, tuple | list) and len(value) > 4:
        return f"{len(value)} {type(value[0]).__name__}"
    if isinstance(value, tuple):
        return f"({', '.join(_short(one) for one in value)})"
    if isinstance(value, dict):
        return f"{{{', '.join(map(str, value))}}}"
    if isinstance(value, Noun):
        return f"{type(value).__name__}(...)"
    text = repr(value)
    return text if len(text) <= _LONGEST or not isinstance(value, str) else f"{text[: _LONGEST - 4]}...'"


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, str | tuple | list | dict) and not value)
