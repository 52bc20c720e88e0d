"""Bruker BRML: a zip of XML, Experiment0/RawData0.xml with one Datum per step, or one with all counts of a detector.

Layout: files of DIFFRAC.SUITE; a Datum is a list whose parts DataViews name: times, the axes that vary, counters.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from typing import cast

import numpy as np
from numpy.typing import NDArray

from unscatter.io.patterns.archive import Archive, is_zip
from unscatter.io.patterns.content import Content
from unscatter.io.patterns.header import wavelength_of
from unscatter.io.patterns.safe_xml import parse_xml
from unscatter.io.patterns.scan import Scan, at_same_time, join, refuse_changing
from unscatter.io.text.table import number_table
from unscatter.quantities import parse_number

NAME = "Bruker BRML"
BLOCKS = "number of the scan"
ASSUMES: tuple[str, ...] = ("of the counters of a step the last is the detector",)

_RAW = re.compile(r"(?:.*/)?RawData\d*\.xml")
_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_MOST_SCANS, _MOST_STEPS = 100, 200_000


def recognises(content: Content) -> bool:
    """Whether the file is a zip that holds RawData XML."""
    if not is_zip(content):
        return False
    with Archive(content) as archive:
        return any(_RAW.fullmatch(name) for name in archive.names)


def read(content: Content) -> Scan:
    """Read every scan over two-theta and put them end to end.

    Raises ValueError for damage, members too large, and scans over another axis.
    """
    with Archive(content) as archive:
        names = sorted(name for name in archive.names if _RAW.fullmatch(name))
        if len(names) > _MOST_SCANS:
            raise ValueError(f"{len(names)} scans in one file; expected one: export the scan you want")
        scans = [scan for name in names for scan in _scans(parse_xml(archive.text(name)))]
    if not scans:
        raise ValueError("no scan over two-theta in the BRML file; expected a coupled or detector scan: give that one")
    return join(scans, content.block)


def _scans(root: ET.Element) -> list[Scan]:
    """The scans of one RawData: of each DataRoute with steps over two-theta."""
    found = []
    for route in root.findall(".//{*}DataRoute"):
        data = route.findall("{*}Datum")
        if len(data) > _MOST_STEPS:
            raise ValueError(
                f"{len(data)} steps; expected a scan of at most {_MOST_STEPS}: export it as columns of text"
            )
        rows = _rows([datum.text or "" for datum in data])
        points = _steps(route, rows) if len(rows) > 1 else _still(route, rows)
        if points is not None:
            scan = _scan(root, route, *points)
            found.append(_same_conditions(scan, route, rows) if len(rows) > 1 else scan)
    return found


def _same_conditions(scan: Scan, route: ET.Element, rows: list[list[float]]) -> Scan:
    """Counts as for one counting time; raises ValueError where an absorber was moved in and out."""
    absorption, times = (_column(route, rows, word) for word in ("absorption", "time"))
    if absorption is not None:
        refuse_changing(absorption, "the factor of the absorber")
    # measured times jitter
    return at_same_time(scan, times, least=0.02) if times is not None and np.all(times > 0) else scan


def _column(route: ET.Element, rows: list[list[float]], word: str) -> NDArray[np.float64] | None:
    """The numbers of each Datum that a view by this name begins with; None where no view has it."""
    for view in route.findall(".//{*}RawDataView"):
        place = int(_positive(view.get("Start")) or 0)
        if word in (view.get("LogicName") or "").lower() and all(place < len(row) for row in rows):
            return np.array([row[place] for row in rows])
    return None


def _scan(root: ET.Element, route: ET.Element, two_theta: NDArray[np.float64], counts: NDArray[np.float64]) -> Scan:
    time = route.find(".//{*}TimePerStep")
    return Scan(
        positions=two_theta,
        intensity=counts,
        wavelength=_wavelength(root, "WaveLengthAlpha1"),
        second_wavelength=_wavelength(root, "WaveLengthAlpha2") if _ratio(root) else None,
        radiation="x-ray",
        title=_title(root),
        seconds=_positive(time.text if time is not None else None),
    )


def _steps(route: ET.Element, rows: list[list[float]]) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Two-theta and counts of a scan with one Datum a step; None if two-theta did not move."""
    width = min(len(row) for row in rows)
    table = np.array([row[:width] for row in rows], dtype=np.float64)
    place = _place_of_two_theta(route)
    if place is None or place >= width or width < 2:
        return None
    counts = table[:, min(_place_of_counter(route, width), width - 1)]
    angles = table[:, place]
    return (angles, counts) if np.ptp(angles) > 0 else None


def _still(route: ET.Element, rows: list[list[float]]) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Two-theta and counts of a line detector that stood still: the axis of its channels is given by its ends."""
    axis = next((a for tag in ("ScaleAxisInfo", "ScanAxisInfo") for a in route.findall(f".//{{*}}{tag}")
                 if "twotheta" in (a.get("AxisName") or a.get("AxisId") or "").lower()), None)  # fmt: skip
    ends = [_positive(_text(axis, name)) for name in ("Start", "Stop", "Increment")] if axis is not None else []
    if not rows or len(ends) < 3 or ends[0] is None or ends[1] is None or ends[2] is None:
        return None
    count = round((ends[1] - ends[0]) / ends[2]) + 1
    # the counts of the channels are the last numbers of the Datum
    counts = np.array(rows[0][-count:] if 0 < count <= len(rows[0]) else [], dtype=np.float64)
    return (np.linspace(ends[0], ends[1], counts.size), counts) if counts.size else None


def _place_of_two_theta(route: ET.Element) -> int | None:
    """Where in a Datum two-theta stands, by its views; by the names of the scan axes where they do not say."""
    for view in route.findall(".//{*}RawDataView"):
        if view.get(_TYPE) == "VaryingRawDataView":
            names = [(field.get("FieldName") or field.get("AxisName") or "") for field in view.iter()
                     if field.tag.endswith("FieldDefinitions")]  # fmt: skip
            start = int(_positive(view.get("Start")) or 0)
            for place, name in enumerate(names):
                if "twotheta" in name.lower().replace(" ", ""):
                    return start + place
    axes = [axis.get("AxisName") or "" for axis in route.findall(".//{*}ScanAxisInfo")]
    if not axes or any("twotheta" in name.lower() for name in axes):
        # as DIFFRAC.SUITE writes coupled scans: time, status, two-theta, theta, counts
        place = next((i for i, name in enumerate(axes) if "twotheta" in name.lower()), 0)
        return 2 + place
    return None


def _place_of_counter(route: ET.Element, width: int) -> int:
    places = [
        int(_positive(view.get("Start")) or 0)
        for view in route.findall(".//{*}RawDataView")
        if view.get(_TYPE) == "RecordedRawDataView"
    ]
    return places[-1] if places else width - 1


def _wavelength(root: ET.Element, tag: str) -> float | None:
    found = root.find(f".//{{*}}{tag}")
    return None if found is None else wavelength_of(found.get("Value"), found.get("Unit") or "")


def _ratio(root: ET.Element) -> float | None:
    found = root.find(".//{*}WaveLengthRatio")
    return None if found is None else _positive(found.get("Value"))


def _title(root: ET.Element) -> str:
    found = root.find(".//{*}SampleName")
    return (found.get("Value") or found.text or "").strip() if found is not None else ""


def _text(element: ET.Element, tag: str) -> str | None:
    found = element.find(f"{{*}}{tag}")
    return None if found is None else (found.text or found.get("Value"))


def _positive(text: str | None) -> float | None:
    found = parse_number((text or "").strip())
    return found[0] if found is not None and found[0] > 0 else None


def _rows(texts: list[str]) -> list[list[float]]:
    """The numbers of each Datum, read at once where all of them have as many."""
    table = number_table("\n".join(" ".join(text.split()) for text in texts))
    if table is not None and len(table) == len(texts):
        return cast("list[list[float]]", table.tolist())
    return [_numbers(text) for text in texts]


def _numbers(text: str) -> list[float]:
    pairs = [parse_number(part.strip()) for part in text.split(",")]
    return [pair[0] for pair in pairs if pair is not None]
