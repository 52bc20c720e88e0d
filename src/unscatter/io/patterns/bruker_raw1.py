"""Siemens DIFFRAC-AT raw data, version 1: "RAW ", then ranges of a 152-byte header and counts.

Layout: DIFFRAC-AT manual, appendix B, as in xylib (M. Wojdyr, J. Appl. Cryst. 43, 1126 (2010)).
"""

from __future__ import annotations

from unscatter.io.patterns.binary import floats, positive, string, unpack
from unscatter.io.patterns.content import Content
from unscatter.io.patterns.scan import Scan, grid, join, require_few

NAME = "Bruker RAW, version 1"
BLOCKS = "number of the range"
ASSUMES: tuple[str, ...] = ()

_MAGIC = b"RAW "
_HEADER = 152


def recognises(content: Content) -> bool:
    """Whether the file begins with "RAW " and is not text."""
    return content.start.startswith(_MAGIC) and not content.text


def read(content: Content) -> Scan:
    """Read every range and put them end to end.

    Raises ValueError if the file is cut short or its ranges overlap.
    """
    data = content.data
    ranges: list[Scan] = []
    at, more = 0, 1
    while more:
        # later files repeat the magic before every range, early ones do not
        at += 4 if data[at : at + 4] == _MAGIC else 0
        scan, more = _range(data, at)
        ranges.append(scan)
        require_few(ranges)
        at += _HEADER + 4 * scan.intensity.size
    return join(ranges, content.block)


def _range(data: bytes, at: int) -> tuple[Scan, int]:
    count, seconds, step = unpack(data, "Iff", at)
    (start,) = unpack(data, "f", at + 20)
    alpha1, alpha2 = unpack(data, "ff", at + 68)
    (more,) = unpack(data, "I", at + 148)
    intensity = floats(data, at + _HEADER, count)
    scan = Scan(
        positions=grid(start, step, count),
        intensity=intensity,
        wavelength=positive(alpha1),
        second_wavelength=positive(alpha2),
        radiation="x-ray",
        title=string(data, at + 36, 32),
        seconds=positive(seconds),
    )
    return scan, more
