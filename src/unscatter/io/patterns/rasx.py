"""Rigaku RASX: a zip of one text table and one XML of measuring conditions per scan."""

from __future__ import annotations

import re

from unscatter.io.patterns.archive import Archive, is_zip
from unscatter.io.patterns.content import Content
from unscatter.io.patterns.header import wavelength_of
from unscatter.io.patterns.ras import require_two_theta, seconds_of_a_step, table
from unscatter.io.patterns.safe_xml import find_text, parse_xml
from unscatter.io.patterns.scan import Scan, join

NAME = "Rigaku RASX"
BLOCKS = "number of the scan"
ASSUMES: tuple[str, ...] = ()

#: More scans than this are a series or a map.
_MOST_SCANS = 100
_PROFILE = re.compile(r"Data(\d+)/Profile\d+\.txt")


def recognises(content: Content) -> bool:
    """Whether the file is a zip; `read` says what else it may be."""
    return is_zip(content)


def read(content: Content) -> Scan:
    """Read every scan over two-theta and put them end to end.

    Raises ValueError for another kind of zip, members too large, damage, and scans over another axis.
    """
    with Archive(content) as archive:
        profiles = [name for name in archive.names if _PROFILE.fullmatch(name)]
        if not profiles:
            raise ValueError(
                "a zip without Data0/Profile0.txt, so not a RASX pattern (a workbook? an image?); "
                "export the scan as two columns of text"
            )
        if len(profiles) > _MOST_SCANS:
            raise ValueError(f"{len(profiles)} scans in one file; expected one: export the scan you want")
        return join([_scan(archive, name) for name in profiles], content.block)


def _scan(archive: Archive, profile: str) -> Scan:
    two_theta, intensity = table(archive.text(profile))
    # the maker's own spelling
    conditions = profile.replace("Profile", "MesurementConditions").replace(".txt", ".xml")
    if conditions not in archive.names:
        return Scan(two_theta, intensity, radiation="x-ray")
    root = parse_xml(archive.text(conditions))
    require_two_theta(find_text(root, "AxisName") or "TwoTheta")
    unit = find_text(root, "WavelengthKalpha1Unit") or find_text(root, "WavelengthUnit") or ""
    return Scan(
        positions=two_theta,
        intensity=intensity,
        wavelength=wavelength_of(find_text(root, "WavelengthKalpha1"), unit),
        second_wavelength=wavelength_of(find_text(root, "WavelengthKalpha2"), unit),
        radiation="x-ray",
        title=find_text(root, "SampleName") or "",
        seconds=seconds_of_a_step(find_text(root, "Speed"), find_text(root, "SpeedUnit"), two_theta),
        per_second="cps" in (find_text(root, "IntensityUnit") or "").lower(),
    )
