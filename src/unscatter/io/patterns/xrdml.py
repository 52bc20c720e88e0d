"""PANalytical XRDML: XML with start and end positions, counts as one list, counting times and wavelengths."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import numpy as np
from numpy.typing import NDArray

from unscatter.io.patterns.content import Content
from unscatter.io.patterns.safe_xml import find_number, find_text, parse_xml
from unscatter.io.patterns.scan import Scan, join

NAME = "PANalytical XRDML"


def accepts(content: Content) -> bool:
    """Whether the text is XML of xrdMeasurements."""
    return content.text.lstrip().startswith("<") and "<xrdMeasurements" in content.text


def read(content: Content) -> Scan:
    """Read every scan over two-theta and put them end to end.

    Raises ValueError if no scan is over two-theta or scans overlap, and for XML that is damaged or unsafe.
    """
    root = parse_xml(content.text)
    found = [_scan(points, root) for points in root.findall(".//{*}dataPoints")]
    scans = [scan for scan in found if scan is not None]
    if found and not scans:
        raise ValueError("no scan over 2Theta (start and end positions); expected a coupled or detector scan")
    return join(scans)


def _scan(points: ET.Element, root: ET.Element) -> Scan | None:
    intensity = _intensity(points)
    two_theta = _two_theta(points, intensity.size)
    if two_theta is None:
        return None
    ratio = find_number(root, "ratioKAlpha2KAlpha1")
    return Scan(
        two_theta=two_theta,
        intensity=intensity,
        wavelength=find_number(root, "kAlpha1"),
        second_wavelength=find_number(root, "kAlpha2") if ratio else None,
        radiation="x-ray",
        title=find_text(root, "name") or find_text(root, "id") or "",
        seconds=find_number(points, "commonCountingTime"),
    )


def _intensity(points: ET.Element) -> NDArray[np.float64]:
    """Intensities as listed, or counts times the attenuation that lowered them."""
    listed = _list(points, "intensities")
    if listed is not None:
        return listed
    counts, factors = _list(points, "counts"), _list(points, "beamAttenuationFactors")
    if counts is None:
        raise ValueError("a scan without intensities; expected <intensities> or <counts>: export it again")
    return counts * factors if factors is not None and factors.size == counts.size else counts


def _two_theta(points: ET.Element, count: int) -> NDArray[np.float64] | None:
    axis = points.find("{*}positions[@axis='2Theta']")
    if axis is None:
        return None
    listed = _list(axis, "listPositions")
    if listed is not None:
        return listed
    start, end = _list(axis, "startPosition"), _list(axis, "endPosition")
    # a common position: the detector stood still
    return None if start is None or end is None else np.linspace(float(start[0]), float(end[0]), count)


def _list(element: ET.Element, tag: str) -> NDArray[np.float64] | None:
    text = find_text(element, tag)
    if text is None:
        return None
    try:
        return np.array(text.split(), dtype=np.float64)
    except ValueError:
        raise ValueError(f"<{tag}> holds more than numbers ({text[:30]!r}...); export the scan again") from None
