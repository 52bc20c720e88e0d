"""Sietronics CPI: a line each of start, stop, step, anode, wavelength, date, speed and remarks, then SCANDATA.

Layout: files of Sieray and PowderCell, as in xylib (M. Wojdyr, J. Appl. Cryst. 43, 1126 (2010)).
"""

from __future__ import annotations

from unscatter.io.patterns.content import Content
from unscatter.io.patterns.header import wavelength_of_tube
from unscatter.io.patterns.scan import Scan, announced, count_points, grid, whole
from unscatter.io.text.table import number_list
from unscatter.quantities import parse_number

NAME = "Sietronics CPI"
BLOCKS = ""
ASSUMES: tuple[str, ...] = ("where no wavelength is given, K-alpha 1 of the anode",)

_MARKS = ("SIETRONICS XRD SCAN", "Calculated Values from PowderCell")
_DATA = "SCANDATA"


def recognises(content: Content) -> bool:
    """Whether the first line is that of a CPI file."""
    return content.head(1)[0].strip().startswith(_MARKS)


def read(content: Content) -> Scan:
    """Read the counts below SCANDATA; raises ValueError if there are too few, or no grid."""
    head, mark, data = content.text.partition(_DATA)
    lines = [line.strip() for line in head.split("\n")]
    numbers = [parse_number(line.replace(",", ".")) for line in lines[1:4]]
    if not mark or len(numbers) < 3 or any(number is None for number in numbers):
        raise ValueError("a CPI file without start, stop, step and SCANDATA; expected all: export the scan again")
    start, stop, step = (number[0] for number in numbers if number is not None)
    count = count_points(start, stop, step)
    counts = whole(number_list(data), count, data)
    told = [announced(count, counts.size)]
    anode, said = (lines[4], lines[5]) if len(lines) > 5 else ("", "")
    wavelength, assumed = wavelength_of_tube(said, anode)
    return Scan(
        positions=grid(start, step, counts.size),
        intensity=counts,
        wavelength=wavelength,
        radiation="x-ray",
        title=lines[8] if len(lines) > 8 else "",
        simulated=lines[0].startswith(_MARKS[1]),
    ).telling(*told, assumed)
