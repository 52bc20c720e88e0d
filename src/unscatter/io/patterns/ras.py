"""Rigaku RAS: text with `*KEY "value"` lines, then rows of two-theta, counts and attenuator factor."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from unscatter.io.patterns.content import Content
from unscatter.io.patterns.header import wavelength_of
from unscatter.io.patterns.scan import Scan, join, require_few
from unscatter.io.text.table import number_table
from unscatter.quantities import parse_number

NAME = "Rigaku RAS"
BLOCKS = "number of the scan"

ASSUMES: tuple[str, ...] = ()

_START, _END = "*RAS_INT_START", "*RAS_INT_END"
_KEY = re.compile(r'^\*(\w+)\s+"([^"\n]*)"', re.MULTILINE)


def recognises(content: Content) -> bool:
    """Whether the text begins with a RAS mark."""
    return content.text[:200].lstrip().startswith(("*RAS_DATA_START", "*RAS_HEADER_START"))


def read(content: Content) -> Scan:
    """Read every scan over two-theta and put them end to end.

    Raises ValueError for scans over another axis, for scans that overlap, and for files cut short.
    """
    scans: list[Scan] = []
    keys: dict[str, str] = {}
    for head, block in _blocks(content.text):
        keys |= {name: value.strip() for name, value in _KEY.findall(head)}
        require_two_theta(keys.get("MEAS_SCAN_AXIS_X") or "TwoTheta")
        scans.append(_scan(block, keys))
        require_few(scans)
    if not scans:
        raise ValueError("no complete *RAS_INT_START ... *RAS_INT_END, perhaps cut short; copy the file again")
    return join(scans, content.block)


def require_two_theta(axis: str) -> None:
    """Raise ValueError if a scan axis, as Rigaku names them, does not move the detector."""
    if not re.search(r"(two|2)\W?theta", axis, re.IGNORECASE):
        raise ValueError(f"scan over {axis}, not over two-theta; expected a two-theta or coupled scan: give that one")


def table(text: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Angles in degrees and intensities of rows "two-theta counts factor": counts times attenuator factor.

    Raises ValueError if a row has fewer than two numbers.
    """
    rows = number_table(text.lstrip("\ufeff"))
    if rows is None or rows.shape[1] < 2:
        raise ValueError("a row without intensity, perhaps cut short; copy the file again")
    factors = rows[:, 2] if rows.shape[1] > 2 else 1.0
    return rows[:, 0], rows[:, 1] * factors


def seconds_of_a_step(speed: str | None, unit: str | None, two_theta: NDArray[np.float64]) -> float | None:
    """Counting time of a point from a speed in degrees a minute, or that time itself; None where neither is said."""
    number = parse_number((speed or "").strip())
    if number is None or not number[0] > 0 or two_theta.size < 2:
        return None
    plain = (unit or "").lower().replace(" ", "")
    if re.fullmatch(r"(deg\.?|degrees?|°)/min\.?", plain):
        return 60 * abs(float(two_theta[1] - two_theta[0])) / number[0]
    return number[0] if re.fullmatch(r"s(ec(onds?)?)?\.?(/step)?", plain) else None


def _blocks(text: str) -> Iterator[tuple[str, str]]:
    """Each table, and what stands between it and the one before, in one pass."""
    last, at = 0, text.find(_START)
    while at >= 0:
        first, end = text.find("\n", at), text.find(_END, at)
        if first < 0 or end < 0:
            return
        yield text[last:at], text[first + 1 : end]
        last, at = end, text.find(_START, end)


def _scan(block: str, keys: dict[str, str]) -> Scan:
    two_theta, intensity = table(block)
    unit = keys.get("HW_XG_WAVE_LENGTH_UNIT", "")
    line = keys.get("MEAS_COND_XG_WAVE_TYPE", "").lower().replace("-", "")
    beta = line.startswith(("kb", "kβ"))
    both = not beta and not line.endswith("1")
    return Scan(
        positions=two_theta,
        intensity=intensity,
        wavelength=wavelength_of(keys.get(f"HW_XG_WAVE_LENGTH_{'BETA' if beta else 'ALPHA1'}"), unit),
        second_wavelength=wavelength_of(keys.get("HW_XG_WAVE_LENGTH_ALPHA2"), unit) if both else None,
        radiation="x-ray",
        title=keys.get("FILE_SAMPLE", ""),
        seconds=seconds_of_a_step(keys.get("MEAS_SCAN_SPEED"), keys.get("MEAS_SCAN_SPEED_UNIT"), two_theta),
        per_second="cps" in keys.get("MEAS_SCAN_UNIT_Y", "").lower(),
    )
