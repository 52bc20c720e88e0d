"""Read a powder pattern from any file: find its format, place it over two-theta, check it, say what was assumed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike

from unscatter.io.patterns import (
    bruker_brml,
    bruker_raw1,
    bruker_raw2,
    bruker_raw3,
    bruker_raw4,
    columns,
    free_format,
    fullprof,
    fullprof_prf,
    gsas,
    jade_mdi,
    keyed_grid,
    nexus,
    pdcif,
    philips_rd,
    philips_udf,
    ras,
    rasx,
    sietronics_cpi,
    uxd,
    xrdml,
)
from unscatter.io.patterns.axis import Axis, place
from unscatter.io.patterns.checks import check, trim
from unscatter.io.patterns.content import Content
from unscatter.io.patterns.refused import refuse
from unscatter.io.patterns.scan import Radiation, Scan
from unscatter.nouns.pattern import Pattern
from unscatter.quantities import require_wavelength


class Format(Protocol):
    """What a module of this package offers for the format it reads.

    BLOCKS: what `block` is, where files of this format may hold several patterns, else "". ASSUMES: what is taken for
    granted where a file does not say it, one sentence each.
    """

    NAME: str
    BLOCKS: str
    ASSUMES: tuple[str, ...]

    def recognises(self, content: Content) -> bool:
        """Whether the content of a file is of this format."""
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
    philips_rd,
    nexus,
    bruker_brml,
    rasx,
    xrdml,
    ras,
    uxd,
    philips_udf,
    sietronics_cpi,
    jade_mdi,
    fullprof_prf,
    gsas,
    pdcif,
    fullprof,
    free_format,
    keyed_grid,
    columns,
)


def read_pattern(
    path: str | Path | Sequence[ArrayLike] | ArrayLike,
    *,
    wavelength: float | None = None,
    radiation: Radiation | None = None,
    axis: Axis | None = None,
    block: str | None = None,
) -> Pattern:
    """Read a powder pattern: two-theta in degrees, intensity and, where the file has it, its uncertainty.

    path: a file, or two or three columns: two-theta (or what `axis` says), intensity, s.u. wavelength (Angstrom) and
    radiation ("neutron" or "x-ray") win over what the file says; where neither says it, they stay None. axis wins over
    the name of the axis in the file: "two-theta", "theta" (degrees), "q" (1/A), "q-nm" (1/nm) or "d" (A). block: which
    of several patterns in a file, by its name (CIF data block, NXdata group) or number (GSAS bank, range or scan of a
    vendor's format). K-alpha2 is kept only with the file's own K-alpha1. Points at two-theta up to zero and points
    without an intensity are left out. What was assumed is in `assumptions` of the pattern.

    Raises FileNotFoundError if there is no such file and ValueError, in one line with what was seen, what was
    expected and what to do, if it holds no usable pattern.
    """
    from_file = isinstance(path, str | Path)
    name = Path(path).name if isinstance(path, str | Path) else "the columns"
    try:
        scan = _read(Path(path), block or "") if isinstance(path, str | Path) else _scan_of_columns(path)
        scan = trim(place(_override(scan, wavelength, radiation), axis))
        check(scan)
        return Pattern(
            two_theta=scan.positions,
            intensity=scan.intensity,
            sigma=scan.sigma,
            wavelength=scan.wavelength,
            second_wavelength=scan.second_wavelength,
            radiation=scan.radiation,
            title=scan.title,
            source=str(path) if from_file else "",
            simulated=scan.simulated,
            assumptions=scan.assumptions,
        )
    except ValueError as error:
        # the store of HDF5 names the file itself
        reason = str(error).removeprefix(str(path)).lstrip(": ") if from_file else str(error)
        raise ValueError(f"{name}: {reason}") from error
    except (MemoryError, RecursionError) as error:
        raise ValueError(
            f"{name}: reading it takes more memory than there is ({type(error).__name__}); expected one powder "
            "pattern: export the scan as two columns of text (.xy)"
        ) from error


def _scan_of_columns(columns: Sequence[ArrayLike] | ArrayLike) -> Scan:
    """Columns side by side, (n, 2) or (n, 3), or one after another, as numpy.loadtxt gives them either way."""
    table = np.asarray(columns, dtype=np.float64)
    if table.ndim != 2 or (table.shape[0] not in (2, 3) and table.shape[1] not in (2, 3)):
        raise ValueError(f"expected two-theta, intensity and perhaps s.u., each (n,), got an array of {table.shape}")
    table = table if table.shape[0] in (2, 3) else table.T
    return Scan(table[0], table[1], table[2] if len(table) == 3 else None)


def find_format(content: Content) -> Format:
    """The format of a file, by its content; raises ValueError if none is known."""
    refuse(content)
    for candidate in FORMATS:
        if candidate.recognises(content):
            return candidate
    raise ValueError(
        f"a binary file of unknown kind (it begins with {content.start[:8]!r}); "
        "expected a powder pattern: export the scan as two columns of text (.xy)"
    )


def _read(path: Path, block: str) -> Scan:
    content = Content(_sound_file(path), block)
    form = find_format(content)
    if content.block and not form.BLOCKS:
        raise ValueError(f"{form.NAME} files hold one pattern; expected no choice of a block: leave out --block")
    return form.read(content)


def _sound_file(path: Path) -> Path:
    if path.is_dir():
        raise ValueError("a folder; expected one file with a powder pattern: give the path of the file")
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist; give the path of a powder pattern")
    if path.stat().st_size == 0:
        raise ValueError("the file is empty; expected a powder pattern: copy the file again")
    return path


def _override(scan: Scan, wavelength: float | None, radiation: Radiation | None) -> Scan:
    """What the caller knows, put in place of what the file says, which is refused where it cannot be."""
    if wavelength is not None:
        same = scan.wavelength is not None and abs(wavelength - scan.wavelength) < 1e-3 * scan.wavelength
        said = tuple(told for told in scan.assumptions if "wavelength" not in told or "axis" in told)
        scan = replace(
            scan,
            wavelength=wavelength,
            second_wavelength=scan.second_wavelength if same else None,
            assumptions=scan.assumptions if same else said,
        )
    elif scan.wavelength is not None:
        require_wavelength(scan.wavelength)
        if scan.second_wavelength is not None and not 0 < scan.second_wavelength <= 50:
            scan = replace(scan, second_wavelength=None)
    return replace(scan, radiation=radiation or scan.radiation)
