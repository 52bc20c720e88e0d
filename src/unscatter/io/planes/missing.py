"""What was not measured, in all its spellings: the one place where numbers of a file become intensities or NaN.

Files say it with a mask beside the data, a fill value in an attribute, the largest number of an integer type, -1 and
-2 (Pilatus, Eiger), an absurdly large number, or NaN. Zeros are another matter: see `zeros`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unscatter.nouns.arrays import Floats, Mask

#: Numbers beyond this are fill values (1e37 and 9.97e36 are usual), not intensities.
ABSURD = 1e30
#: Largest numbers of the types and counters of detectors, as they look once a file was saved with another type; one
#: less marks a broken pixel (Eiger).
FOREIGN_LARGEST = (2.0**16 - 1, 2.0**16 - 2, 2.0**20 - 1, 2.0**24 - 1, 2.0**31 - 1, 2.0**31, 2.0**32 - 1, 2.0**32 - 2,
                   2.0**32, 2.0**63, 2.0**64)  # fmt: skip
#: Numbers beyond this are printed with fewer digits than they have.
_PRINTED = 2.0**25
#: Largest numbers of converters of 12, 14 and 16 bits, which stand often where they were reached.
_OF_CONVERTERS = (2.0**12 - 1, 2.0**14 - 1, 2.0**15 - 1)
#: A number of nines, or a power of ten from this on (1e20 and 999999 of masked arrays), is one too, if it stands often.
_LEAST_ROUND = 999.0
#: What marks gaps and broken pixels where everything else counts from zero.
_MARKS = (-1, -2)


@dataclass(frozen=True)
class Block:
    """A part of a plane or volume: values as float64, NaN where not measured, and how many of them said so how."""

    values: Floats
    tally: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Spelling:
    """What a file, or its reader, says of an array beside its numbers.

    fills: values that stand for "not measured"; factor, offset: intensity = factor * number + offset, fills counting
    before it.
    """

    fills: tuple[float, ...] = ()
    factor: float = 1.0
    offset: float = 0.0


def measured_values(
    raw: NDArray[Any], spelling: Spelling | None = None, masks: Sequence[tuple[str, NDArray[Any]]] = ()
) -> Block:
    """Numbers of a file as intensities, NaN where not measured.

    raw: any shape and real type; masks: names and arrays of the same shape, non-zero = not measured.
    """
    spelling = spelling or Spelling()
    values = raw.astype(np.float64)
    tally: Counter[str] = Counter()

    def drop(which: Mask, reason: str) -> None:
        which = which & np.isfinite(values)
        if count := int(which.sum()):
            tally[reason] += count
            values[which] = np.nan

    for name, mask in masks:
        drop(mask != 0, f"marked in {name}")
    for fill in spelling.fills:
        drop(values == (np.float32(fill) if raw.dtype == np.float32 else fill), f"equal to {fill:g}, said to be a gap")
    if raw.dtype.kind in "iu":
        _drop_marks(raw, values, drop)
    elif raw.dtype.kind == "f":
        drop(np.abs(values) > ABSURD, "beyond 1e30")
        values[~np.isfinite(values)] = np.nan
    if raw.dtype.kind != "b":
        largest = foreign_largest(values)
        if largest is not None:
            drop(values == largest, f"equal to {largest:.7g}, a mark far above all else")
    if spelling.factor != 1 or spelling.offset != 0:
        values = spelling.factor * values + spelling.offset
    return Block(values, tally)


def _drop_marks(raw: NDArray[Any], values: Floats, drop: Any) -> None:
    limits = np.iinfo(raw.dtype)
    drop(raw == limits.max, f"equal to {limits.max}, the largest {raw.dtype}")
    if limits.min == 0:
        return
    drop(raw == limits.min, f"equal to {limits.min}, the smallest {raw.dtype}")
    negative = np.isfinite(values) & (raw < 0)
    # Counts below zero do not exist; where others than these occur, a background was subtracted and all are kept.
    if negative.any() and np.isin(raw[negative], _MARKS).all():
        for mark in _MARKS:
            drop(raw == mark, f"equal to {mark} among counts")


def foreign_largest(values: Floats) -> float | None:
    """The largest number, if it is a mark and far above all the rest: 4294967295 in float64, or 9999 and 1e20 often."""
    top = float(np.max(values, where=np.isfinite(values), initial=-np.inf))
    often = np.count_nonzero(values == top) > 1
    if not _is_of_type(top) and not (often and (_is_round(top) or top in _OF_CONVERTERS)):
        return None
    second = float(np.max(values, where=values < top, initial=0.0))
    return top if 0 < second < top / 4 else None


def _is_of_type(number: float) -> bool:
    """Whether a number is the largest of a type; one of many digits may be printed with fewer, 4.29497e+09."""
    printed = f"{number:.6g}"
    return number in FOREIGN_LARGEST or any(printed == f"{one:.6g}" for one in FOREIGN_LARGEST if one > _PRINTED)


def _is_round(number: float) -> bool:
    """Whether a number is written with a one and zeros, or with nines alone."""
    if not _LEAST_ROUND <= number < np.inf:
        return False
    # as single precision has it
    digits = f"{number:.7g}".partition("e")[0].replace(".", "")
    return digits.rstrip("0") == "1" or set(digits) == {"9"}


def describe_missing(tally: Counter[str], total: int) -> list[str]:
    """Say how much was not measured, one line for each spelling that occurred."""
    return [
        f"{100 * count / total:.1f} % of the pixels are {reason}: not measured" for reason, count in tally.most_common()
    ]
