"""Bruker DIFFRACplus raw data, "RAW1.01": a 712-byte header, then ranges of a header and counts.

Layout: DIFFRACplus XCH manual, appendix A, as in xylib (M. Wojdyr, J. Appl. Cryst. 43, 1126 (2010)).
"""

from __future__ import annotations

from unscatter.io.patterns.binary import floats, positive, string, unpack
from unscatter.io.patterns.content import Content
from unscatter.io.patterns.scan import Scan, grid, join

NAME = "Bruker RAW1.01"
BLOCKS = "number of the range"
ASSUMES: tuple[str, ...] = ()

#: Scans of omega, chi, phi, x, y, z: the detector stands still.
_OTHER_AXES = range(3, 9)


def recognises(content: Content) -> bool:
    """Whether the file begins with "RAW1.01"."""
    return content.start.startswith(b"RAW1.01")


def read(content: Content) -> Scan:
    """Read every range over two-theta and put them end to end.

    Raises ValueError if the file is cut short, scans another axis, or holds ranges that overlap.
    """
    data = content.data
    (count,) = unpack(data, "I", 12)
    ranges: list[Scan] = []
    at = 712
    for _ in range(count):
        header, points = unpack(data, "II", at)
        if header < 304:
            raise ValueError(f"range header of {header} bytes: damaged; copy the file again")
        record, extra = unpack(data, "II", at + 252)
        ranges.append(_range(data, at, points, at + header + extra, record or 4))
        at += header + extra + points * (record or 4)
    return join(ranges, content.block)


def _range(data: bytes, at: int, points: int, counts_at: int, record: int) -> Scan:
    alpha1, alpha2, _, ratio = unpack(data, "dddd", 624)
    (start,) = unpack(data, "d", at + 16)
    (step, _, seconds, axis) = unpack(data, "ddfI", at + 176)
    if axis in _OTHER_AXES:
        raise ValueError(f"scan of axis {axis}, not over two-theta; expected a coupled or detector scan")
    intensity = floats(data, counts_at, points, record)
    return Scan(
        positions=grid(start, step, points),
        intensity=intensity,
        wavelength=positive(alpha1),
        second_wavelength=positive(alpha2) if ratio > 0 else None,
        radiation="x-ray",
        title=string(data, 326, 60),
        seconds=positive(seconds),
    )
