"""Powder CIF: intensities in a loop, two-theta in the same loop or as a range with an increment.

Names: IUCr powder dictionary cif_pd.dic; B. H. Toby et al., J. Appl. Cryst. 36, 1290 (2003).
"""

from __future__ import annotations

import re

import gemmi
import numpy as np
from numpy.typing import NDArray

from unscatter.io.patterns.content import Content
from unscatter.io.patterns.printed_numbers import number
from unscatter.io.patterns.scan import Radiation, Scan, grid

NAME = "powder CIF"

_INTENSITIES = (
    "_pd_meas_counts_total",
    "_pd_meas_intensity_total",
    "_pd_proc_intensity_total",
    "_pd_proc_intensity_net",
)
_ANGLES = ("_pd_meas_2theta_scan", "_pd_proc_2theta_corrected")
_RANGES = ("_pd_meas_2theta_range", "_pd_proc_2theta_range")
_WAVELENGTHS = ("_diffrn_radiation_wavelength", "_diffrn_radiation_wavelength_value")
_DATA_BLOCK = re.compile(r"^data_\S*", re.MULTILINE | re.IGNORECASE)


def accepts(content: Content) -> bool:
    """Whether the text has a data block and names of CIF."""
    return bool(_DATA_BLOCK.search(content.text)) and bool(re.search(r"^\s*_\w", content.text, re.MULTILINE))


def read(content: Content) -> Scan:
    """Read the first block that holds a pattern.

    Raises ValueError if no block does, if the angles are missing or do not match, and for damaged CIF.
    """
    try:
        document = gemmi.cif.read_string(content.text)
    except (ValueError, RuntimeError) as error:
        first = str(error).split("\n")[0]
        raise ValueError(f"CIF that cannot be read ({first}); correct the line or export it again") from error
    for block in document:
        for tag in _INTENSITIES:
            if len(block.find_values(tag)) > 1:
                return _scan(document, block, tag)
    raise ValueError(
        "a CIF without a powder pattern (perhaps a crystal structure); "
        "expected a loop with _pd_meas_counts_total or _pd_proc_intensity_total"
    )


def _scan(document: gemmi.cif.Document, block: gemmi.cif.Block, tag: str) -> Scan:
    intensity, uncertainty = _column(block, tag)
    if f"{tag}_su" in {name for item in block if item.loop for name in item.loop.tags}:
        uncertainty, _ = _column(block, f"{tag}_su")
    wavelengths = _wavelengths(document, block)
    return Scan(
        two_theta=_two_theta(block, intensity.size),
        intensity=intensity,
        sigma=uncertainty if uncertainty.size == intensity.size and np.isfinite(uncertainty).any() else None,
        wavelength=wavelengths[0] if wavelengths else None,
        second_wavelength=wavelengths[1] if len(wavelengths) > 1 else None,
        radiation=_radiation(document, block),
        title=block.name,
    )


def _two_theta(block: gemmi.cif.Block, count: int) -> NDArray[np.float64]:
    for tag in _ANGLES:
        angles, _ = _column(block, tag)
        if angles.size == count:
            return angles
    for tag in _RANGES:
        ends = [_column(block, f"{tag}_{end}")[0] for end in ("min", "max", "inc")]
        if all(end.size == 1 for end in ends):
            start, stop, step = (float(end[0]) for end in ends)
            return _checked_grid(start, stop, step, count)
    raise ValueError(
        f"{count} intensities but no two-theta for them; expected _pd_meas_2theta_scan, "
        "_pd_proc_2theta_corrected or _pd_meas_2theta_range_min, _max and _inc"
    )


def _checked_grid(start: float, stop: float, step: float, count: int) -> NDArray[np.float64]:
    # a few files count one point more or less than their range has steps
    if not step > 0 or not abs((stop - start) / step + 1 - count) < 1.5:
        raise ValueError(f"range {start:g} to {stop:g} by {step:g} deg does not have {count} points; correct it")
    return grid(start, step, count)


def _column(block: gemmi.cif.Block, tag: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Values and uncertainties of a tag, NaN where the file has "?" or "."."""
    pairs = [number(token) or (np.nan, np.nan) for token in block.find_values(tag)]
    table = np.array(pairs, dtype=np.float64).reshape(-1, 2)
    return table[:, 0], table[:, 1]


def _wavelengths(document: gemmi.cif.Document, block: gemmi.cif.Block) -> list[float]:
    """Wavelengths of the block, or of the first block that has any."""
    for place in [block, *document]:
        for tag in _WAVELENGTHS:
            values, _ = _column(place, tag)
            if values.size and np.all(values > 0):
                return [float(value) for value in values]
    return []


def _radiation(document: gemmi.cif.Document, block: gemmi.cif.Block) -> Radiation | None:
    for place in [block, *document]:
        probe = place.find_value("_diffrn_radiation_probe") or place.find_value("_diffrn_radiation_type") or ""
        if "neutron" in probe.lower():
            return "neutron"
        if re.search(r"x-?ray|k\\a|synchrotron", probe, re.IGNORECASE):
            return "x-ray"
    return None
