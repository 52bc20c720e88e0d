"""Read a list of lines: positions and intensities that a program found, or a database holds, instead of a pattern.

Tables with names (AMCSD, peak lists of HighScore, reflection lists of FullProf, GSAS-II, Mercury, VESTA), the peaks of
a powder CIF, cards of JCPDS as Dioptas keeps them, and bare columns whose axis is declared.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unscatter.io.files import require_file
from unscatter.io.patterns import pdcif
from unscatter.io.patterns.axis import AXES, Axis, reaching
from unscatter.io.patterns.checks import uneven
from unscatter.io.patterns.cif_blocks import blocks_of
from unscatter.io.patterns.content import Content
from unscatter.io.patterns.header import facts
from unscatter.io.patterns.labels import Label, are_lines, choose_axis, choose_intensity, column_of, find_labels
from unscatter.io.patterns.scan import Radiation, Scan
from unscatter.io.patterns.table_of_text import Table, table_of
from unscatter.nouns.lines import Lines
from unscatter.quantities import Quantity, parse_number, require_wavelength, spacings, spacings_to_two_theta

#: Fewer positions than this at uneven steps may be anything.
_LEAST_LINES = 3
_CARD = re.compile(r"^\s*DIHKL:\s*(\S+)\s+(\S+)", re.MULTILINE)


@dataclass(frozen=True)
class _List:
    """Positions as they stand, what they are, intensities and widths (NaN where not given), and what else is known."""

    scan: Scan
    axis: Quantity
    fwhm: NDArray[np.float64]


def read_lines(
    path: str | Path,
    *,
    wavelength: float | None = None,
    radiation: Radiation | None = None,
    axis: Axis | None = None,
) -> Lines:
    """Read a list of lines, by increasing two-theta; lines at one position are one, of summed intensity.

    wavelength (Angstrom) and radiation win over what the file says; a list over d or Q needs none, and gets a nominal
    one that reaches its smallest spacing. axis: what the first column is where it has no name, as for read_pattern. The
    uncertainty of a position is that of its rounding, r / sqrt(12) for multiples of r.

    Raises FileNotFoundError if there is no such file and ValueError, in one line, if it holds no list of lines.
    """
    path = require_file(path)
    try:
        found = _find(Content(path), axis)
        return _lines(found, wavelength, radiation, path)
    except ValueError as error:
        raise ValueError(f"{path.name}: {str(error).removeprefix(str(path)).lstrip(': ')}") from error


def _find(content: Content, axis: str | None) -> _List:
    if pairs := _CARD.findall(content.text):
        numbers = np.array([[_value(d), _value(i)] for d, i in pairs])
        return _list(Scan(numbers[:, 0], numbers[:, 1]), AXES["d"])
    if pdcif.recognises(content):
        return _peaks_of_cif(content)
    table = _one_column(content.text) or table_of(content.text)
    found = find_labels(table.header, table.values.shape[1], table.separator)
    if found is not None:
        return _named(table, *found, axis)
    if axis is None:
        raise ValueError(
            "columns without names; expected to know what the first of them is: add --axis two-theta (or d, q, q-nm)"
        )
    return _list(_bare(table), AXES[axis])


def _one_column(text: str) -> Table | None:
    """A list of positions alone, with intensities that are not known; None where rows have more numbers."""
    lines = [re.split(r"[#!]", line)[0].strip(' \t\r,;"') for line in text.split("\n")]
    values = [parse_number(line) for line in lines]
    numbers = [value[0] for value in values if value is not None]
    first = next((place for place, value in enumerate(values) if value is not None), 0)
    if len(numbers) < _LEAST_LINES or sum(bool(line) for line in lines[first:]) > len(numbers):
        return None
    table = np.stack([numbers, np.full(len(numbers), np.nan)], axis=1)
    return Table(table, np.full(len(numbers), np.nan), [line for line in text.split("\n")[:first] if line.strip()], "")


def _bare(table: Table) -> Scan:
    values = table.values
    numbered = np.array_equal(values[:, 0], np.arange(len(values)) + values[0, 0]) and values[0, 0] in (0, 1)
    if values.shape[1] > 2 and numbered:
        values = values[:, 1:]
    if not uneven(values[:, 0]) and len(values) > _LEAST_LINES * 10:
        raise ValueError("steps as even as those of a pattern, not a list of lines; expected positions of lines alone")
    return Scan(values[:, 0], values[:, 1], **facts(table.header))


def _named(table: Table, labels: Sequence[Label], header: list[str], axis: str | None) -> _List:
    place, intensity = choose_axis(labels), choose_intensity(labels)
    if place is None:
        raise ValueError("no column of the table is two-theta, d or Q; expected one of them: name it in the header")
    positions = table.values[:, place]
    if not are_lines(labels) and not uneven(np.sort(positions)) and len(positions) > _LEAST_LINES * 10:
        raise ValueError("steps as even as those of a pattern, not a list of lines; expected positions of lines alone")
    heights = table.values[:, intensity] if intensity is not None else np.full(len(positions), np.nan)
    width = column_of(labels, "width")
    fwhm = np.full(len(positions), np.nan) if width is None else table.values[:, width]
    quantity = labels[place].axis
    known = AXES[axis] if axis is not None else quantity
    assert known is not None, "an axis is a quantity"
    return _list(Scan(positions, heights, **facts(header)), known, fwhm)


def _peaks_of_cif(content: Content) -> _List:
    for block in blocks_of(content.text):
        for tag, axis in (
            ("_pd_peak_2theta_centroid", AXES["two-theta"]),
            ("_pd_peak_2theta_maximum", AXES["two-theta"]),
            ("_pd_peak_d_spacing", AXES["d"]),
            ("_refln_d_spacing", AXES["d"]),
        ):
            positions, _ = block.column(tag)
            if np.isfinite(positions).sum() >= _LEAST_LINES:
                tags = ("_pd_peak_intensity", "_pd_peak_pk_height", "_refln_f_squared_meas", "_refln_f_squared_calc")
                heights = next((block.column(name)[0] for name in tags if name in block.tags), np.array([]))
                heights = heights if heights.size == positions.size else np.full(positions.size, np.nan)
                first, second, _ = pdcif.wavelengths([block], block)
                scan = Scan(positions, heights, wavelength=first, second_wavelength=second, title=block.name)
                return _list(scan, axis)
    raise ValueError("a CIF without _pd_peak_2theta_centroid, _pd_peak_d_spacing or _refln_d_spacing; expected a list")


def _list(scan: Scan, axis: Quantity, fwhm: NDArray[np.float64] | None = None) -> _List:
    fwhm = np.full(scan.positions.size, np.nan) if fwhm is None else fwhm
    kept = np.isfinite(scan.positions) & (scan.positions > 0)
    return _List(scan[kept], axis, fwhm[kept])


def _lines(found: _List, wavelength: float | None, radiation: Radiation | None, path: Path) -> Lines:
    scan, axis = found.scan, found.axis
    if scan.positions.size < _LEAST_LINES:
        raise ValueError(f"{scan.positions.size} positions; expected a list of at least {_LEAST_LINES} lines")
    known = wavelength if wavelength is not None else scan.wavelength
    if wavelength is None and known is not None:
        require_wavelength(known)
    rounding = _rounding(scan.positions)
    two_theta, known, nominal = _to_two_theta(axis, scan.positions, known)
    up = _to_two_theta(axis, scan.positions + rounding / 2, known)[0]
    down = _to_two_theta(axis, scan.positions - rounding / 2, known)[0]
    error = np.nan_to_num(np.abs(up - down), nan=0.0) / math.sqrt(12)
    order = np.argsort(two_theta, kind="stable")
    lines = _merged(two_theta[order], error[order], scan.intensity[order], found.fwhm[order])
    provenance = {"source": str(path), "axis": axis.name or axis.kind, "assumptions": list(scan.assumptions)}
    if nominal:
        provenance["assumptions"] = [
            *scan.assumptions,
            f"the wavelength {known:g} A is nominal: the list is over {axis.kind}",
        ]
    return Lines(
        two_theta=lines[0],
        two_theta_error=lines[1],
        area=lines[2],
        area_error=np.full(len(lines[0]), np.nan),
        fwhm=lines[3],
        wavelength=known,
        range=(float(lines[0][0]), float(lines[0][-1])),
        radiation=radiation or scan.radiation,
        second_wavelength=scan.second_wavelength if wavelength is None else None,
        title=scan.title,
        provenance=provenance,
    )


def _to_two_theta(
    axis: Quantity, positions: NDArray[np.float64], wavelength: float | None
) -> tuple[NDArray[np.float64], float, bool]:
    """Two-theta in degrees, the wavelength, and whether that is a nominal one."""
    if axis.kind in ("two-theta", "an angle", "theta"):
        if wavelength is None:
            raise ValueError(
                "the wavelength is not known; expected it in Angstrom: add for example --wavelength 1.5406"
            )
        return axis.values(positions) * (2 if axis.kind == "theta" else 1), wavelength, False
    d = spacings(axis, positions)
    known = reaching(d) if wavelength is None else wavelength
    two_theta = spacings_to_two_theta(d, known)
    if wavelength is not None and not np.all(np.isfinite(two_theta)):
        raise ValueError(
            f"spacings down to {float(d.min()):.4g} A are out of reach of {wavelength:g} A; expected one below "
            f"{2 * float(d.min()):.4g} A: leave out --wavelength, a list over {axis.kind} needs none"
        )
    return two_theta, known, wavelength is None


def _rounding(positions: NDArray[np.float64]) -> float:
    """The power of ten that all positions are multiples of: what they were rounded to."""
    for decimals in range(8):
        if np.allclose(positions, np.round(positions, decimals), rtol=0, atol=1e-9):
            return float(10.0**-decimals)
    return 0.0


def _merged(
    two_theta: NDArray[np.float64], error: NDArray[np.float64], area: NDArray[np.float64], fwhm: NDArray[np.float64]
) -> tuple[NDArray[np.float64], ...]:
    """Lines at one position as one: the sum of their intensities, the first of all else."""
    first = np.flatnonzero(np.concatenate([[True], np.diff(two_theta) > 1e-9]))
    return two_theta[first], error[first], np.add.reduceat(area, first), fwhm[first]


def _value(text: str) -> float:
    found = parse_number(text)
    return math.nan if found is None else found[0]
