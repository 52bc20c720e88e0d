"""Bruker raw data, "RAW4.00": a chain of segments, then ranges of a header, segments and counts.

Layout: as in xylib (M. Wojdyr, J. Appl. Cryst. 43, 1126 (2010)) and checked on measured files.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from unscatter.io.patterns.binary import floats, positive, string, unpack
from unscatter.io.patterns.content import Content
from unscatter.io.patterns.scan import Scan, grid, join, require_few

NAME = "Bruker RAW4.00"
BLOCKS = "number of the range"
ASSUMES: tuple[str, ...] = ()

_FIRST_SEGMENT = 61
_TEXT, _SOURCE = 10, 30
_RANGE = (0, 160)
_RANGE_HEADER = 160
_TWO_THETA_SCANS = ("locked coupled", "unlocked coupled", "detector scan", "2theta", "twotheta", "psd")


@dataclass(frozen=True)
class _Source:
    """What the segments before the ranges say."""

    title: str = ""
    wavelength: float | None = None
    second_wavelength: float | None = None


def recognises(content: Content) -> bool:
    """Whether the file begins with "RAW4.00"."""
    return content.start.startswith(b"RAW4.00")


def read(content: Content) -> Scan:
    """Read every range over two-theta and put them end to end.

    Raises ValueError if the file is cut short, scans another axis, or holds ranges that overlap.
    """
    data = content.data
    source = _Source()
    ranges: list[Scan] = []
    at = _FIRST_SEGMENT
    while at < len(data):
        kind, length = unpack(data, "II", at)
        if kind in _RANGE:
            scan, at = _range(data, at, source)
            ranges.append(scan)
            require_few(ranges)
        elif length < 8:
            raise ValueError(f"segment of {length} bytes at byte {at}: damaged; copy the file again")
        else:
            source = _segment(data, at, kind, length, source)
            at += length
    return join(ranges, content.block)


def _segment(data: bytes, at: int, kind: int, length: int, source: _Source) -> _Source:
    if kind == _SOURCE:
        alpha1, alpha2, _, ratio = unpack(data, "dddd", at + 80)
        second = positive(alpha2) if ratio > 0 else None
        return replace(source, wavelength=positive(alpha1), second_wavelength=second)
    if kind == _TEXT and string(data, at + 12, 24) == "SAMPLEID":
        return replace(source, title=string(data, at + 36, length - 36))
    return source


def _range(data: bytes, at: int, source: _Source) -> tuple[Scan, int]:
    """One range, and the byte after it."""
    scan_type = string(data, at + 32, 24)
    if scan_type and not scan_type.lower().startswith(_TWO_THETA_SCANS):
        raise ValueError(f"{scan_type!r} is not a scan over two-theta; expected a coupled or detector scan")
    start, step, points, seconds = unpack(data, "ddIf", at + 72)
    record, segments = unpack(data, "II", at + 136)
    counts_at = at + _RANGE_HEADER + segments
    intensity = floats(data, counts_at, points, record)
    scan = Scan(
        positions=grid(start, step, points),
        intensity=intensity,
        wavelength=source.wavelength,
        second_wavelength=source.second_wavelength,
        radiation="x-ray",
        title=source.title,
        seconds=positive(seconds),
    )
    return scan, counts_at + record * points
