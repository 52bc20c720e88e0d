"""PANalytical XRDML: XML with start and end positions, counts as one list, counting times and wavelengths."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import numpy as np
from numpy.typing import NDArray

from unscatter.io.patterns.content import Content
from unscatter.io.patterns.header import wavelength_of, wavelength_of_tube
from unscatter.io.patterns.safe_xml import find_number, find_text, parse_xml
from unscatter.io.patterns.scan import Scan, at_same_time, choose_number, join
from unscatter.io.text.table import number_list
from unscatter.quantities import find_quantity

NAME = "PANalytical XRDML"
BLOCKS = "number of the scan"
ASSUMES: tuple[str, ...] = (
    "scans over the same range are repeats, and are added (counts) or averaged (counts per second)",
    "ranges that follow one another are one pattern, scaled to the longest counting time where they hold counts",
)

_ROOT = re.compile(r"<(?:\w+:)?xrdMeasurements\b")
#: What a scan is called that ended before its end.
_ABORTED = ("aborted", "not finished", "unfinished", "interrupted")
#: Degrees of a strip of PIXcel and X'Celerator at 240 mm.
_STRIPS = (0.0131303, 0.0167113)
#: More scans than this are a series or a map.
_MOST_SCANS = 1000
#: Repeats whose temperatures differ by more are no repeats (the unit of the file, K or degrees Celsius).
_SAME_TEMPERATURE = 2.0


def recognises(content: Content) -> bool:
    """Whether the text is XML of xrdMeasurements."""
    return content.text[:1000].lstrip().startswith("<") and _ROOT.search(content.text) is not None


def read(content: Content) -> Scan:
    """Read every scan over two-theta, or the one that was asked for by its number, and put them end to end.

    Raises ValueError if no scan is over two-theta or scans overlap, and for XML that is damaged or unsafe.
    """
    root = parse_xml(content.text)
    found = [
        (scan, measurement)
        for measurement in root.iterfind(".//{*}xrdMeasurement")
        for scan in measurement.iterfind("{*}scan")
    ]
    if len(found) > _MOST_SCANS:
        raise ValueError(f"{len(found)} scans in one file; expected one: export the scan you want")
    title = find_text(root, "name") or find_text(root, "id") or ""
    chosen = choose_number(found, content.block)
    empty = [scan for scan, _ in chosen if _is_empty(scan)]
    if len(empty) < len(chosen):
        # a scan that was stopped before its first point
        found, chosen = ([one for one in scans if not _is_empty(one[0])] for scans in (found, chosen))
    usual = _usual_step([scan for scan, _ in found])
    scans = [_scan(*one, title, usual) for one in chosen]
    if chosen and all(scan is None for scan in scans):
        raise ValueError("no scan over 2Theta (start and end positions); expected a coupled or detector scan: give one")
    _refuse_series([scan for scan, part in zip(chosen, scans, strict=True) if part is not None])
    told = f"{len(empty)} scans hold no intensities: left out" if empty else ""
    return join([scan for scan in scans if scan is not None]).telling(told)


def _refuse_series(scans: list[tuple[ET.Element, ET.Element]]) -> None:
    """Raise ValueError for scans at different temperatures: their sum is no pattern."""
    values = [_list(scan, "nonAmbientValues") for scan, _ in scans]
    means = [float(np.mean(value)) for value in values if value is not None and value.size]
    if len(means) > 1 and np.ptp(means) > _SAME_TEMPERATURE:
        raise ValueError(
            f"{len(scans)} scans at different temperatures ({min(means):g} to {max(means):g}); expected one: "
            "choose it by its number, for example --block 1"
        )


def _is_empty(scan: ET.Element) -> bool:
    listed = [scan.find(f".//{{*}}dataPoints/{{*}}{tag}") for tag in ("intensities", "counts")]
    return not any(one is not None and (one.text or "").strip() for one in listed)


def _usual_step(scans: list[ET.Element]) -> float | None:
    """The step that all scans of a file have which were not aborted; None where they differ, or there is none."""
    steps = set()
    for scan in scans:
        points = scan.find(".//{*}dataPoints")
        axis = None if points is None else points.find("{*}positions[@axis='2Theta']")
        ends = [] if axis is None else [find_number(axis, name) for name in ("startPosition", "endPosition")]
        if points is None or _is_aborted(scan) or len(ends) < 2 or None in ends:
            continue
        count = _intensity(points)[0].size
        steps.add(round(((ends[1] or 0.0) - (ends[0] or 0.0)) / max(count - 1, 1), 6))
    return steps.pop() if len(steps) == 1 else None


def _is_aborted(scan: ET.Element) -> bool:
    return (scan.get("status") or "").lower() in _ABORTED


def _scan(scan: ET.Element, measurement: ET.Element, title: str, usual: float | None) -> Scan | None:
    points = scan.find(".//{*}dataPoints")
    if points is None:
        return None
    intensity, per_second = _intensity(points)
    times = _list(points, "countingTimes")
    two_theta, told = _two_theta(points, intensity.size), ""
    if two_theta is None:
        return None
    if _is_aborted(scan):
        two_theta, told = _up_to_abort(points, two_theta, intensity.size, usual)
        times = times if times is None else times[: intensity.size]
    axis = points.find("{*}positions[@axis='2Theta']")
    first, second = _wavelengths(measurement)
    first, of_anode = wavelength_of_tube(first, find_text(measurement, "anodeMaterial") or "")
    part = Scan(
        positions=two_theta,
        intensity=intensity,
        axis=find_quantity("2Theta", (axis.get("unit") or "deg") if axis is not None else "deg"),
        wavelength=first,
        second_wavelength=second,
        radiation="x-ray",
        title=title,
        seconds=find_number(points, "commonCountingTime"),
        per_second=per_second,
    )
    return at_same_time(part, times).telling(_of_slits(measurement), told, of_anode)


def _up_to_abort(
    points: ET.Element, positions: NDArray[np.float64], count: int, usual: float | None
) -> tuple[NDArray[np.float64], str]:
    """Positions of the points of an aborted scan, whose header may give the end that was planned; and what is told.

    How many points were planned a list of positions, times or attenuation tells, or the step the scans beside it.
    """
    if positions.size > count:
        return positions[:count], f"the scan was aborted: of {positions.size} positions the first {count} are used"
    lists = [_list(points, tag) for tag in ("countingTimes", "beamAttenuationFactors")]
    planned = max((found.size for found in lists if found is not None), default=0)
    step = float(positions[1] - positions[0]) if count > 1 else 0.0
    if planned > count:
        whole = np.linspace(positions[0], positions[-1], planned)
        return whole[:count], f"the scan was aborted after {count} of {planned} points: these are used"
    if usual is not None and count > 1 and abs(step - usual) > 0.01 * abs(usual):
        told = f"the scan was aborted: the step of the scans beside it, {usual:g} deg, is taken for its own"
        return positions[0] + usual * np.arange(count), told
    if usual is None and count > 1 and points.find(".//{*}listPositions") is None and not _is_step(step):
        raise ValueError(
            f"the scan was aborted after {count} points, and whether its end, {positions[-1]:g} deg, was reached or "
            f"only planned is not known (reached, it had steps of {step:.6g} deg, which no instrument is set to): "
            "export the scan as two columns of text (.xy)"
        )
    return positions, "the scan was aborted: its end is taken for the position of its last point"


def _is_step(step: float) -> bool:
    """Whether an instrument has such steps: ten-thousandths of a degree, or strips of a detector at its radius."""
    if abs(step - round(step, 4)) < 1e-6:
        return True
    return any(abs(step / (strip * 2.0**n) - 1) < 2e-4 for strip in _STRIPS for n in (-1, 0, 1, 2))


def _intensity(points: ET.Element) -> tuple[NDArray[np.float64], bool]:
    """Intensities as listed, or counts times the attenuation that lowered them; and whether per second."""
    listed = points.find(".//{*}intensities")
    if listed is not None and listed.text:
        return _numbers(listed), (listed.get("unit") or "").lower() == "cps"
    counts, factors = _list(points, "counts"), _list(points, "beamAttenuationFactors")
    if counts is None:
        raise ValueError("a scan without intensities; expected <intensities> or <counts>: export it again")
    if factors is not None and factors.size != counts.size:
        raise ValueError(
            f"{factors.size} attenuation factors for {counts.size} counts; expected one for each: export it again"
        )
    factor = find_number(points, "commonBeamAttenuationFactor") or 1.0
    return factor * (counts if factors is None else counts * factors), False


def _of_slits(measurement: ET.Element) -> str:
    """What is told of slits that open with the angle: more of the sample is lit the further they are open."""
    kinds = [value for slit in measurement.iterfind(".//{*}divergenceSlit") for value in slit.attrib.values()]
    automatic = any("automatic" in kind.lower() for kind in kinds)
    return "the divergence slit was automatic: intensities were not corrected for it" if automatic else ""


def _wavelengths(measurement: ET.Element) -> tuple[float | None, float | None]:
    """Wavelength that was used, and K-alpha 2 where the beam holds both."""
    used = measurement.find("{*}usedWavelength")
    if used is None:
        return None, None
    intended = (used.get("intended") or "").lower().replace(" ", "")
    if "beta" in intended:
        return _wavelength(used, "kBeta"), None
    # what is intended is what angles are converted with: a beam of K-alpha 1 may hold both
    both = find_number(used, "ratioKAlpha2KAlpha1")
    return _wavelength(used, "kAlpha1"), _wavelength(used, "kAlpha2") if both else None


def _wavelength(used: ET.Element, tag: str) -> float | None:
    found = used.find(f"{{*}}{tag}")
    value = None if found is None else wavelength_of(found.text or "", found.get("unit") or "")
    return value if value and value > 0 else None


def _two_theta(points: ET.Element, count: int) -> NDArray[np.float64] | None:
    axis = points.find("{*}positions[@axis='2Theta']")
    if axis is None:
        return None
    listed = _list(axis, "listPositions")
    if listed is not None:
        return listed
    start, end = _list(axis, "startPosition"), _list(axis, "endPosition")
    # a common position, or an end that is the start: the detector stood still
    if start is None or end is None or start[0] == end[0]:
        return None
    return np.linspace(float(start[0]), float(end[0]), count)


def _list(element: ET.Element, tag: str) -> NDArray[np.float64] | None:
    found = element.find(f".//{{*}}{tag}")
    return _numbers(found) if found is not None and (found.text or "").strip() else None


def _numbers(element: ET.Element) -> NDArray[np.float64]:
    return number_list(element.text or "")
