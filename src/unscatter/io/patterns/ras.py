"""Rigaku RAS: text with `*KEY "value"` lines, then rows of two-theta, counts and attenuator factor."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from unscatter.io.patterns.content import Content
from unscatter.io.patterns.printed_numbers import leading_numbers, number
from unscatter.io.patterns.scan import Scan, join

NAME = "Rigaku RAS"

_BLOCK = re.compile(r"\*RAS_INT_START[^\n]*\n(.*?)\*RAS_INT_END", re.DOTALL)


def accepts(content: Content) -> bool:
    """Whether the text begins with a RAS mark."""
    return content.text.lstrip().startswith(("*RAS_DATA_START", "*RAS_HEADER_START"))


def read(content: Content) -> Scan:
    """Read every scan over two-theta and put them end to end.

    Raises ValueError for scans over another axis, for scans that overlap, and for files cut short.
    """
    axis = _value(content.text, "MEAS_SCAN_AXIS_X")
    require_two_theta(axis or "TwoTheta")
    blocks = _BLOCK.findall(content.text)
    if not blocks:
        raise ValueError("no complete *RAS_INT_START ... *RAS_INT_END, perhaps cut short; copy the file again")
    return join([_scan(block, content.text) for block in blocks])


def require_two_theta(axis: str) -> None:
    """Raise ValueError if a scan axis, as Rigaku names them, does not move the detector."""
    if not re.search(r"(two|2)\W?theta", axis, re.IGNORECASE):
        raise ValueError(f"scan over {axis}, not over two-theta; expected a two-theta or coupled scan")


def table(text: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Angles in degrees and intensities of rows "two-theta counts factor": counts times attenuator factor.

    Raises ValueError if a row has fewer than two numbers.
    """
    rows = [leading_numbers(line.lstrip("\ufeff")) for line in text.split("\n") if line.strip()]
    if any(len(row) < 2 for row in rows):
        raise ValueError("a row without intensity, perhaps cut short; copy the file again")
    factors = [row[2] if len(row) > 2 else 1.0 for row in rows]
    return np.array([row[0] for row in rows]), np.array([row[1] for row in rows]) * np.array(factors)


def _scan(block: str, text: str) -> Scan:
    two_theta, intensity = table(block)
    return Scan(
        two_theta=two_theta,
        intensity=intensity,
        wavelength=_number(text, "HW_XG_WAVE_LENGTH_ALPHA1"),
        second_wavelength=_number(text, "HW_XG_WAVE_LENGTH_ALPHA2"),
        radiation="x-ray",
        title=_value(text, "FILE_SAMPLE"),
    )


def _value(text: str, key: str) -> str:
    found = re.search(rf'^\*{key}\s+"([^"\n]*)"', text, re.MULTILINE)
    return found.group(1).strip() if found else ""


def _number(text: str, key: str) -> float | None:
    found = number(_value(text, key))
    return found[0] if found and found[0] > 0 else None
