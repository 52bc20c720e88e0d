"""A constant-wavelength powder diffractometer, and those that come with the package."""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unscatter.atoms import Radiation


@dataclass(frozen=True)
class Instrument:
    """A constant-wavelength powder diffractometer.

    wavelengths in Angstrom and their weights; caglioti: U, V, W in deg^2, FWHM^2 = U tan^2 + V tan + W;
    mixing: Lorentzian share eta = mixing[0] + mixing[1] two-theta (deg), kept within 0 and 1; axial: S/L and H/L,
    half heights of sample and of detector over their distance; monochromator: two-theta of its crystal in degrees;
    range: first and last two-theta and step in degrees; cut: lines end this many FWHM from their centre;
    mu_r: absorption times radius of a cylindrical sample; zero: shift of all angles in degrees; displacement: shift at
    two-theta = 0 in degrees of a sample off the axis, which falls as cos(theta); k_beta: wavelength of a tube's
    K-beta in Angstrom, 0 where the beam cannot hold it.
    """

    name: str
    radiation: Radiation
    wavelengths: tuple[float, ...]
    caglioti: tuple[float, float, float]
    range: tuple[float, float, float]
    weights: tuple[float, ...] = (1.0,)
    mixing: tuple[float, float] = (0.0, 0.0)
    axial: tuple[float, float] = (0.0, 0.0)
    monochromator: float = 0.0
    cut: float = 8.0
    mu_r: float = 0.0
    zero: float = 0.0
    displacement: float = 0.0
    k_beta: float = 0.0
    title: str = ""

    def __post_init__(self) -> None:
        """Refuse what is not an instrument."""
        if len(self.wavelengths) != len(self.weights) or min(self.wavelengths, default=0) <= 0:
            raise ValueError(f"{self.name}: give one weight for each wavelength (Angstrom, more than 0)")
        start, stop, step = self.range
        if not (0 <= start < stop < 180 and step > 0):
            raise ValueError(f"{self.name}: range {self.range} cannot be; give first, last and step in degrees")

    @property
    def two_theta(self) -> NDArray[np.float64]:
        """Angles at which the instrument measures, in degrees, evenly spaced."""
        start, stop, step = self.range
        return np.asarray(start + step * np.arange(round((stop - start) / step) + 1), dtype=np.float64)

    @property
    def limit(self) -> float:
        """Largest 1/d in 1/Angstrom that is measured: 2 sin(theta_max) / lambda."""
        return 2 * math.sin(math.radians(self.range[1] / 2)) / min(self.wavelengths)


@cache
def read_instruments() -> dict[str, Instrument]:
    """Instruments that come with the package, by name ("lolla-2022", "bt1-ge311", "hrpt", "lab-cu", ...)."""
    table = tomllib.loads((files("unscatter.data") / "instruments.toml").read_text(encoding="utf-8"))
    return {name: _instrument(name, dict(entry)) for name, entry in table.items()}


def _instrument(name: str, entry: dict[str, Any]) -> Instrument:
    # A variance in hundredths of a degree squared, as GSAS writes it, becomes a squared FWHM in degrees.
    unit = {"deg2": 1.0, "centideg2": 8 * math.log(2) * 1e-4}[entry.pop("caglioti_unit", "deg2")]
    numbers: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()}
    numbers["caglioti"] = tuple(unit * number for number in entry["caglioti"])
    # One number is for a sample as high as the detector.
    if isinstance(entry.get("axial"), float):
        numbers["axial"] = (entry["axial"], entry["axial"])
    return Instrument(name=name, **numbers)
