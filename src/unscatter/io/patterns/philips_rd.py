"""Philips RD and SD, versions 3 and 5: a binary header, then counts as square roots in 16 bits.

Layout: as in xylib (M. Wojdyr, J. Appl. Cryst. 43, 1126 (2010)) and in DASH (W. I. F. David et al., J. Appl. Cryst. 39,
910 (2006)).
"""

from __future__ import annotations

import numpy as np

from unscatter.io.patterns.binary import positive, string, unpack
from unscatter.io.patterns.content import Content
from unscatter.io.patterns.header import wavelength_of_tube
from unscatter.io.patterns.scan import Scan, count_points, grid

NAME = "Philips RD, SD"
BLOCKS = ""
ASSUMES: tuple[str, ...] = ("where no wavelength is given, K-alpha 1 of the anode",)

#: Where the counts begin in each version.
_COUNTS = {b"V3RD": 250, b"V5RD": 810}
_ANODES = ("Cu", "Mo", "Co", "Fe", "Cr")
#: What other files of the program hold, by the second half of their mark.
_OTHERS = {b"DI": "a list of lines", b"BK": "a background", b"2D": "a second derivative"}


def recognises(content: Content) -> bool:
    """Whether the file begins with V3 or V5 and what it holds."""
    return content.start[:2] in (b"V3", b"V5", b"D3") and content.start[2:4] in (b"RD", *_OTHERS)


def read(content: Content) -> Scan:
    """Read the counts: (n / 10)^2 of each number n. Raises ValueError for lists of lines and files cut short."""
    data = content.data
    if data[:4] not in _COUNTS:
        what = _OTHERS.get(data[2:4], "an older version")
        raise ValueError(f"a Philips file with {what}, not a pattern; expected a scan: give the measured pattern")
    step, start, end = unpack(data, "ddd", 214)
    (continuous,) = unpack(data, "B", 126)
    # in a continuous scan a point is the middle of what was passed
    start, end = (start + step / 2, end - step / 2) if continuous else (start, end)
    count = count_points(start, end, step)
    roots = np.array(unpack(data, f"{count}H", _COUNTS[data[:4]]), dtype=np.float64)
    alpha1, alpha2 = unpack(data, "dd", 94)
    (anode,) = unpack(data, "B", 85)
    wavelength, assumed = wavelength_of_tube(positive(alpha1), _ANODES[anode] if anode < len(_ANODES) else "")
    return Scan(
        positions=grid(start, step, count),
        intensity=np.floor(0.01 * roots**2),
        wavelength=wavelength,
        second_wavelength=positive(alpha2),
        radiation="x-ray",
        title=string(data, 146, 20),
    ).telling(assumed)
