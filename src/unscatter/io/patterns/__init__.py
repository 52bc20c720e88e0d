"""Powder patterns in, whatever instrument or program wrote them: the format is found by content.

Each format is one module with three names: NAME, `accepts(content)` and `read(content)`. To add one, write
the module and put it into FORMATS before those that would also accept its files.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike

from unscatter.io.patterns import (
    bruker_raw1,
    bruker_raw2,
    bruker_raw3,
    bruker_raw4,
    columns,
    free_format,
    fullprof,
    gsas,
    nexus,
    pdcif,
    ras,
    rasx,
    uxd,
    xrdml,
)
from unscatter.io.patterns.checks import check, trim
from unscatter.io.patterns.content import Content
from unscatter.io.patterns.refused import refuse
from unscatter.io.patterns.scan import Radiation, Scan
from unscatter.nouns.pattern import Pattern

__all__ = ["FORMATS", "Format", "read_pattern"]

#: A larger file is no powder pattern (bytes).
_LARGEST_FILE = 256 * 2**20


class Format(Protocol):
    """What a module of this package offers for the format it reads."""

    NAME: str

    def accepts(self, content: Content) -> bool:
        """Whether a file looks like this format."""
        ...

    def read(self, content: Content) -> Scan:
        """The numbers in the file, unchecked; raises ValueError if they cannot be found."""
        ...


#: Tried from first to last: what is recognised by its first bytes, then texts, the loosest at the end.
FORMATS: tuple[Format, ...] = (
    bruker_raw4,
    bruker_raw3,
    bruker_raw2,
    bruker_raw1,
    nexus,
    rasx,
    xrdml,
    ras,
    uxd,
    gsas,
    pdcif,
    fullprof,
    free_format,
    columns,
)


def read_pattern(
    path: str | Path | Sequence[ArrayLike] | ArrayLike,
    *,
    wavelength: float | None = None,
    radiation: Radiation | None = None,
) -> Pattern:
    """Read a powder pattern: two-theta in degrees, intensity and, where the file has it, its uncertainty.

    path: a file, or two or three columns: two-theta, intensity, s.u.
    wavelength (Angstrom) and radiation ("neutron" or "x-ray") win over what the file says; where neither says
    it, they stay None. K-alpha2 is kept only with the file's own K-alpha1. Points at two-theta up to zero and
    masked points at the ends are left out.

    Raises FileNotFoundError if there is no such file and ValueError, in one line with what was seen, what was
    expected and what to do, if it holds no usable pattern.
    """
    name = Path(path).name if isinstance(path, str | Path) else "the columns"
    try:
        scan = trim(_scan_of_file(Path(path)) if isinstance(path, str | Path) else _scan_of_columns(path))
        scan = _override(scan, wavelength, radiation)
        check(scan)
        return Pattern(
            two_theta=scan.two_theta,
            intensity=scan.intensity,
            sigma=scan.sigma,
            wavelength=scan.wavelength,
            second_wavelength=scan.second_wavelength,
            radiation=scan.radiation,
            title=scan.title,
            source=str(path) if isinstance(path, str | Path) else "",
            simulated=scan.simulated,
        )
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error


def _scan_of_file(path: Path) -> Scan:
    content = Content(_bytes(path))
    refuse(content)
    return _format(content).read(content)


def _scan_of_columns(columns: Sequence[ArrayLike] | ArrayLike) -> Scan:
    """Columns side by side, (n, 2) or (n, 3), or one after another, as numpy.loadtxt gives them either way."""
    table = np.asarray(columns, dtype=np.float64)
    if table.ndim != 2 or (table.shape[0] not in (2, 3) and table.shape[1] not in (2, 3)):
        raise ValueError(f"expected two-theta, intensity and perhaps s.u., each (n,), got an array of {table.shape}")
    table = table if table.shape[0] in (2, 3) else table.T
    return Scan(table[0], table[1], table[2] if len(table) == 3 else None)


def _bytes(path: Path) -> bytes:
    if path.is_dir():
        raise ValueError("a folder; expected one file with a powder pattern: give the path of the file")
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist; give the path of a powder pattern")
    size = path.stat().st_size
    if size == 0:
        raise ValueError("the file is empty; expected a powder pattern: copy the file again")
    if size > _LARGEST_FILE:
        raise ValueError(f"{size >> 20} MB are too much for a powder pattern; give one scan, not a series or image")
    return path.read_bytes()


def _format(content: Content) -> Format:
    for candidate in FORMATS:
        if candidate.accepts(content):
            return candidate
    raise ValueError(
        f"a binary file of unknown kind (it begins with {content.data[:8]!r}); "
        "expected a powder pattern: export the scan as two columns of text (.xy)"
    )


def _override(scan: Scan, wavelength: float | None, radiation: Radiation | None) -> Scan:
    """What the caller knows, put in place of what the file says."""
    if wavelength is not None:
        same = scan.wavelength is not None and abs(wavelength - scan.wavelength) < 1e-3 * scan.wavelength
        scan = replace(scan, wavelength=wavelength, second_wavelength=scan.second_wavelength if same else None)
    return replace(scan, radiation=radiation or scan.radiation)
