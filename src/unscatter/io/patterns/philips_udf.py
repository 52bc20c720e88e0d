"""Philips UDF: text with `Name,value,/` lines, then RawScan and counts parted by commas up to a stroke.

Layout: files of PC-APD and X'Pert, as in xylib (M. Wojdyr, J. Appl. Cryst. 43, 1126 (2010)).
"""

from __future__ import annotations

import re

from unscatter.io.patterns.content import Content
from unscatter.io.patterns.header import wavelength_of, wavelength_of_tube
from unscatter.io.patterns.scan import Scan, announced, count_points, grid, whole
from unscatter.io.text.table import number_list
from unscatter.quantities import parse_number

NAME = "Philips UDF"
BLOCKS = ""
ASSUMES: tuple[str, ...] = ("where no wavelength is given, K-alpha 1 of the anode",)

_FIELD = re.compile(r"^(\w+)\s*,(.*?),?\s*/?\s*$", re.MULTILINE)
_DATA = re.compile(r"^RawScan\b[^\n]*\n", re.MULTILINE)


def recognises(content: Content) -> bool:
    """Whether the fields of a UDF header stand near the top."""
    top = "\n".join(content.head(60))
    return re.search(r"^DataAngleRange\s*,", top, re.MULTILINE) is not None


def read(content: Content) -> Scan:
    """Read counts on the grid of the header; raises ValueError if there are too few, or no grid."""
    data = _DATA.search(content.text)
    if data is None:
        raise ValueError("a UDF file without RawScan, perhaps a list of lines; expected a scan: export it again")
    fields = dict(_FIELD.findall(content.text[: data.start()]))
    ends = [_number(part) for part in fields.get("DataAngleRange", "").split(",")[:2]]
    step = _number(fields.get("ScanStepSize", ""))
    if len(ends) < 2 or ends[0] is None or ends[1] is None or step is None:
        raise ValueError("a UDF header without DataAngleRange and ScanStepSize; expected both: export the scan again")
    listed = content.text[data.end() :].partition("/")[0]
    count = count_points(ends[0], ends[1], step)
    counts = whole(number_list(listed), count, listed)
    told = announced(count, counts.size)
    wavelength, assumed = wavelength_of_tube(fields.get("LabdaAlpha1"), fields.get("Anode", ""))
    automatic = fields.get("DivergenceSlit", "").upper().startswith("AUTO")
    return Scan(
        positions=grid(ends[0], step, counts.size),
        intensity=counts,
        wavelength=wavelength,
        second_wavelength=wavelength_of(fields.get("LabdaAlpha2")),
        radiation="x-ray",
        title=fields.get("SampleIdent", "").strip(" ,"),
        seconds=_number(fields.get("ScanStepTime", "")),
    ).telling(told, assumed, "the divergence slit was automatic: intensities were not corrected for it" * automatic)


def _number(text: str) -> float | None:
    found = parse_number(text.strip())
    return None if found is None else found[0]
