"""Jade MDI: a line of date and title, a line "start step time anode wavelength stop count", then counts.

Layout: files of Materials Data Inc., as in DASH (W. I. F. David et al., J. Appl. Cryst. 39, 910 (2006)). A count of -1
ends them.
"""

from __future__ import annotations

import re

from unscatter.io.patterns.content import Content
from unscatter.io.patterns.header import wavelength_of_tube
from unscatter.io.patterns.scan import Scan, announced, grid, whole
from unscatter.io.text.table import number_list

NAME = "Jade MDI"
BLOCKS = ""
ASSUMES: tuple[str, ...] = ("where no wavelength is given, K-alpha 1 of the anode",)

_NUMBER = r"([-+]?\d*\.?\d+)"
_FIELDS = (_NUMBER, _NUMBER, _NUMBER, r"([A-Za-z]{1,2})", _NUMBER, _NUMBER, r"(\d+)\.?")
_GRID = re.compile(r"\s*" + r"[\s,]+".join(_FIELDS) + r"\s*")


def recognises(content: Content) -> bool:
    """Whether the second line gives grid, anode and wavelength in the order of MDI."""
    return _GRID.fullmatch(content.head(2)[1]) is not None


def read(content: Content) -> Scan:
    """Read the counts; raises ValueError if there are too few, or words among them."""
    title, second = content.head(2)
    found = _GRID.fullmatch(second)
    if found is None:
        raise ValueError("no line with start, step, time, anode, wavelength, stop and count; expected an MDI file")
    start, step, seconds = (float(found.group(i)) for i in (1, 2, 3))
    count = int(found.group(7))
    counts = whole(number_list(_body(content.text)), count, content.text)
    if counts.size and counts[-1] == -1:
        counts = counts[:-1]
    told = [announced(count, counts.size)]
    counts = counts[:count]
    wavelength, assumed = wavelength_of_tube(found.group(5), found.group(4))
    return Scan(
        positions=grid(start, step, counts.size),
        intensity=counts,
        wavelength=wavelength,
        radiation="x-ray",
        title=title.strip(),
        seconds=seconds if seconds > 0 else None,
    ).telling(*told, assumed)


def _body(text: str) -> str:
    """What is below the two lines, without the point that may end the file."""
    return text.split("\n", 2)[-1].rstrip().removesuffix("\n.")
