"""Siemens DIFFRAC-AT raw data, version 2: "RAW2", a 256-byte header, then ranges of single-precision counts.

Layout: DIFFRAC-AT manual, appendix B, as in xylib (M. Wojdyr, J. Appl. Cryst. 43, 1126 (2010)).
"""

from __future__ import annotations

from unscatter.io.patterns.binary import floats, positive, unpack
from unscatter.io.patterns.content import Content
from unscatter.io.patterns.scan import Scan, grid, join

NAME = "Bruker RAW, version 2"
BLOCKS = "number of the range"
ASSUMES: tuple[str, ...] = ()


def recognises(content: Content) -> bool:
    """Whether the file begins with "RAW2"."""
    return content.start.startswith(b"RAW2") and not content.text


def read(content: Content) -> Scan:
    """Read every range and put them end to end.

    Raises ValueError if the file is cut short or its ranges overlap.
    """
    data = content.data
    (count,) = unpack(data, "H", 4)
    ranges: list[Scan] = []
    at = 256
    for _ in range(count):
        header, points = unpack(data, "HH", at)
        if header < 48:
            raise ValueError(f"range header of {header} bytes: damaged; copy the file again")
        ranges.append(_range(data, at, header, points))
        at += header + 4 * points
    return join(ranges, content.block)


def _range(data: bytes, at: int, header: int, points: int) -> Scan:
    alpha1, alpha2, ratio = unpack(data, "fff", 190)
    seconds, step, start = unpack(data, "fff", at + 8)
    intensity = floats(data, at + header, points)
    return Scan(
        positions=grid(start, step, points),
        intensity=intensity,
        wavelength=positive(alpha1),
        second_wavelength=positive(alpha2) if ratio > 0 else None,
        radiation="x-ray",
        seconds=positive(seconds),
    )
