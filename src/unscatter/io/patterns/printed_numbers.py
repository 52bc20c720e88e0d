"""Numbers as instruments print them, and the few facts their header lines give in words."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

_NUMBER = re.compile(r"([-+]?)(\d+\.?\d*|\.\d+)(?:[eEdD]([-+]?\d{1,3}))?(?:\((\d+)\))?")
_MISSING = re.compile(r"[-+]?(nan|inf)", re.IGNORECASE)
_WAVELENGTH = re.compile(r"(?:lambda|wavelength|\bWL)[^\d\n]{0,20}?(\d{0,2}\.\d+)(\s*nm\b)?", re.IGNORECASE)
_WORDS = {"neutron": r"\bneutrons?\b", "x-ray": r"\bx-?\s?rays?\b|\bsynchrotron\b"}


def number(token: str) -> tuple[float, float] | None:
    """Value and uncertainty of one printed number, or None if it is none: "12.3(4)" is (12.3, 0.4).

    The uncertainty is NaN where none is given; "90.", "1.5D+03" and "nan" are numbers too.
    """
    found = _NUMBER.fullmatch(token)
    if found is None:
        return (math.nan, math.nan) if _MISSING.fullmatch(token) else None
    sign, digits, exponent, brackets = found.groups()
    value = float(f"{sign}{digits}e{exponent or 0}")
    if brackets is None:
        return value, math.nan
    # the bracket counts in units of the last digit
    decimals = len(digits.partition(".")[2])
    return value, float(f"{brackets}e{int(exponent or 0) - decimals}")


def leading_numbers(line: str) -> list[float]:
    """The numbers a line begins with, up to the first word."""
    values: list[float] = []
    for token in line.split():
        found = number(token)
        if found is None:
            break
        values.append(found[0])
    return values


def fixed_fields(lines: Iterable[str], width: int) -> NDArray[np.float64]:
    """The numbers of a Fortran table `10Fwidth`, which may run together; blank fields are left out."""
    fields = (line[i : i + width].strip() for line in lines for i in range(0, len(line.rstrip()), width))
    return np.array([_field(field) for field in fields if field], dtype=np.float64)


def counted_fields(lines: Iterable[str], width: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean counts and number of counters of a Fortran table `10(I2,Fwidth)`, up to a negative end mark."""
    counts: list[float] = []
    counters: list[float] = []
    for line in lines:
        for i in range(0, len(line.rstrip()), width + 2):
            count = line[i + 2 : i + 2 + width].strip()
            if not count:
                continue
            value = _field(count)
            if value < 0:
                return np.array(counts), np.array(counters)
            counts.append(value)
            # 0 or blank stands for one counter
            counters.append(max(_field(line[i : i + 2].strip() or "1"), 1.0))
    return np.array(counts), np.array(counters)


def is_counted(line: str, width: int) -> bool:
    """Whether a line holds nothing but fields `I2,Fwidth`: a small integer, then a count."""
    fields = [line.rstrip()[i : i + width + 2] for i in range(0, len(line.rstrip()), width + 2)]
    return bool(fields) and all(re.fullmatch(r"[ \d]\d *\d+\.?", field) for field in fields)


def _field(field: str) -> float:
    found = number(field)
    if found is None:
        raise ValueError(f"{field[:20]!r} is not a number; expected a table of counts: export the pattern again")
    return found[0]


def facts(lines: Iterable[str]) -> dict[str, Any]:
    """What header lines say in words: title, wavelength in Angstrom, radiation, whether simulated.

    A wavelength counts only after "lambda", "wavelength" or "WL": a bare "1.9 A" may be anything.
    """
    kept = [line.strip(" \t#;!'\"%*") for line in lines]
    text = "\n".join(kept)
    named = [name for name, words in _WORDS.items() if re.search(words, text, re.IGNORECASE)]
    return {
        "title": next((line for line in kept if re.search(r"[^\W\d]", line)), "")[:200],
        "wavelength": _wavelength(text),
        "radiation": named[0] if len(named) == 1 else None,
        "simulated": re.search(r"\bsimulated\b", text, re.IGNORECASE) is not None,
    }


def _wavelength(text: str) -> float | None:
    found = _WAVELENGTH.search(text)
    return None if found is None else float(found.group(1)) * (10 if found.group(2) else 1)


def counting_error(counts: NDArray[np.float64], counters: NDArray[np.float64] | float = 1.0) -> NDArray[np.float64]:
    """Standard uncertainty of the mean counts of several counters: sqrt(counts / counters)."""
    return np.asarray(np.sqrt(np.maximum(counts, 1.0) / counters), dtype=np.float64)
