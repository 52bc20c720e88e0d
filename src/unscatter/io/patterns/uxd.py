"""Bruker UXD: text with `_KEY=value` lines, then counts with or without their angles, range after range."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from unscatter.io.patterns.binary import positive
from unscatter.io.patterns.conditions import conditions
from unscatter.io.patterns.content import Content
from unscatter.io.patterns.header import wavelength_of, wavelength_of_tube
from unscatter.io.patterns.printed_numbers import leading_numbers
from unscatter.io.patterns.scan import Scan, at_same_time, choose_number, grid, join

NAME = "Bruker UXD"
BLOCKS = "number of the range"
ASSUMES: tuple[str, ...] = ("where no wavelength is given, K-alpha 1 of the anode",)

_KEY = re.compile(r"_(\w+)\s*=\s*(.*)")
_DATA = re.compile(r"_(2THETA)?(COUNTS|CPS)(TIME)?\s*")
_PEAKS = re.compile(r"_(ACTUAL_I100|D-I|2THETA-I)\b")
_OTHER_DRIVES = ("THETA", "OMEGA", "CHI", "KHI", "PHI", "X", "Y", "Z")


def recognises(content: Content) -> bool:
    """Whether the first lines give a file version or a drive the way UXD does."""
    return any(re.match(r"_(FILEVERSION|DRIVE|SAMPLE)\s*=", line) for line in content.head(50))


def read(content: Content) -> Scan:
    """Read every range over two-theta and put them end to end.

    Raises ValueError for scans over another axis and for ranges that overlap.
    """
    if any(_PEAKS.match(line) for line in content.lines):
        raise ValueError("a list of lines (UXD peaks), not a pattern; give the measured pattern")
    found = choose_number(list(_ranges(content.lines)), content.block)
    _refuse_absorbers([keys for keys, _, _ in found])
    return join([_range(keys, mark, rows) for keys, mark, rows in found])


def _refuse_absorbers(ranges: list[dict[str, str]]) -> None:
    """Raise ValueError for ranges behind absorbers that differ: whether they were corrected for, no key tells."""
    factors = {_number(keys, "ABSORPTIONFACTOR") or 1.0 for keys in ranges}
    if len(factors) > 1:
        raise ValueError(
            f"{len(ranges)} ranges behind absorbers of factors {min(factors):g} to {max(factors):g}, and whether "
            "counts were corrected for them is not known: choose one range with --block 1 (or 2, ...)"
        )


def _ranges(lines: list[str]) -> Iterator[tuple[dict[str, str], str, list[list[float]]]]:
    """Keys in force, data mark and rows of each range; a key holds until it is given again."""
    keys: dict[str, str] = {}
    mark = ""
    rows: list[list[float]] = []
    for line in lines:
        key, data = _KEY.match(line), _DATA.fullmatch(line)
        if (key or data) and mark:
            yield dict(keys), mark, rows
            mark, rows = "", []
        if key:
            keys[key.group(1)] = key.group(2).strip(" '")
        elif data:
            mark = line.strip()
        elif mark and (numbers := leading_numbers(line.replace(",", " "))):
            rows.append(numbers)
    if mark:
        yield keys, mark, rows


def _range(keys: dict[str, str], mark: str, rows: list[list[float]]) -> Scan:
    if keys.get("DRIVE", "").upper() in _OTHER_DRIVES:
        raise ValueError(f"scan over {keys['DRIVE']}, not over two-theta; expected a coupled or detector scan")
    angles, timed = mark.startswith("_2THETA"), mark.endswith("TIME")
    if angles and any(len(row) < 2 + timed for row in rows):
        raise ValueError(f"a row below {mark} has no intensity, perhaps cut short; copy the file again")
    counts = [row[1] for row in rows] if angles else [value for row in rows for value in row]
    times = np.array([row[2] for row in rows]) if angles and timed else None
    if timed and not angles:
        # a count and its time, one after the other
        counts, times = counts[::2], np.array(counts[1::2])
    start, step = _number(keys, "START"), _number(keys, "STEPSIZE")
    # the printed angles are rounded: the grid is the better one, where both agree
    two_theta = np.array([row[0] for row in rows]) if angles else np.array([])
    told = ""
    if start is not None and step is not None:
        even = grid(start, step, len(counts))
        if two_theta.size and np.max(np.abs(two_theta - even)) > 0.5 * abs(step):
            told = f"_START and _STEPSIZE ({start:g}, {step:g}) are not those of the angles: the angles are used"
        else:
            two_theta = even
    if two_theta.size != len(counts):
        raise ValueError("UXD range without _START and _STEPSIZE; expected both, or _2THETACOUNTS with the angles")
    unit = keys.get("WLUNIT", "")
    first, second = (positive(_number(keys, name) or 0) for name in ("WL1", "WL2"))
    wavelength, assumed = wavelength_of_tube(first, keys.get("ANODE", ""), unit)
    scan = Scan(
        positions=two_theta,
        intensity=np.array(counts, dtype=np.float64),
        wavelength=wavelength,
        second_wavelength=wavelength_of(second, unit) if _number(keys, "WLRATIO") else None,
        radiation="x-ray",
        title=keys.get("SAMPLE", ""),
        seconds=_number(keys, "STEPTIME"),
        per_second="CPS" in mark,
    )
    shifts = conditions(f"{key} = {value}" for key, value in keys.items())
    return at_same_time(scan, times).telling(assumed, told, *shifts)


def _number(keys: dict[str, str], name: str) -> float | None:
    numbers = leading_numbers(keys.get(name, ""))
    return numbers[0] if numbers else None
