"""Rigaku RASX: a zip of one text table and one XML of measuring conditions per scan."""

from __future__ import annotations

import re
import zipfile
import zlib
from io import BytesIO

from unscatter.io.patterns.content import Content
from unscatter.io.patterns.ras import require_two_theta, table
from unscatter.io.patterns.safe_xml import find_number, find_text, parse_xml
from unscatter.io.patterns.scan import Scan, join

NAME = "Rigaku RASX"

#: A member that unpacks to more than this is no pattern (bytes).
_LARGEST_MEMBER = 64 * 2**20
#: More scans than this are a series or a map.
_MOST_SCANS = 100
_PROFILE = re.compile(r"Data(\d+)/Profile\d+\.txt")
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, KeyError, NotImplementedError)


def accepts(content: Content) -> bool:
    """Whether the file is a zip; `read` says what else it may be."""
    return content.data.startswith(b"PK\x03\x04")


def read(content: Content) -> Scan:
    """Read every scan over two-theta and put them end to end.

    Raises ValueError for another kind of zip, members too large, damage, and scans over another axis.
    """
    try:
        with zipfile.ZipFile(BytesIO(content.data)) as archive:
            profiles = [name for name in archive.namelist() if _PROFILE.fullmatch(name)]
            if not profiles:
                raise ValueError(
                    "a zip without Data0/Profile0.txt, so not a RASX pattern (a workbook? an image?); "
                    "export the scan as two columns of text"
                )
            if len(profiles) > _MOST_SCANS:
                raise ValueError(f"{len(profiles)} scans in one file; expected one: export the scan you want")
            return join([_scan(archive, name) for name in profiles])
    except _DAMAGE as error:
        raise ValueError(f"a damaged zip ({type(error).__name__}); copy the file again") from error


def _scan(archive: zipfile.ZipFile, profile: str) -> Scan:
    two_theta, intensity = table(_text(archive, profile))
    # the maker's own spelling
    conditions = profile.replace("Profile", "MesurementConditions").replace(".txt", ".xml")
    if conditions not in archive.namelist():
        return Scan(two_theta, intensity, radiation="x-ray")
    root = parse_xml(_text(archive, conditions))
    require_two_theta(find_text(root, "AxisName") or "TwoTheta")
    return Scan(
        two_theta=two_theta,
        intensity=intensity,
        wavelength=find_number(root, "WavelengthKalpha1"),
        second_wavelength=find_number(root, "WavelengthKalpha2"),
        radiation="x-ray",
        title=find_text(root, "SampleName") or "",
    )


def _text(archive: zipfile.ZipFile, name: str) -> str:
    """A member as text; never more than the limit is unpacked, whatever the archive claims."""
    with archive.open(name) as member:
        data = member.read(_LARGEST_MEMBER + 1)
    if len(data) > _LARGEST_MEMBER:
        raise ValueError(f"{name} unpacks to more than {_LARGEST_MEMBER >> 20} MB, too much for a pattern")
    return Content(data).text
