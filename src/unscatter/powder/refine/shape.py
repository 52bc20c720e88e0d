"""The shape that all lines of a pattern share, as a few numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from unscatter.powder.pattern.columns import Columns, profile_columns
from unscatter.powder.pattern.profile import CUT

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]

# How far widths may move from those first guessed.
_FACTOR = 1.8
# Least FWHM in degrees.
_NARROWEST = 0.005


@dataclass(frozen=True)
class Shape:
    """Pseudo-Voigts of FWHM^2 = U tan^2 + V tan + W (deg^2) and Lorentzian share mixing[0] + mixing[1] two-theta (deg).

    axial: half height of sample and of detector, taken as equal, over their distance; wavelengths of the beam, of which
    the ratios count, and their weights; cut: FWHM from the centre where lines end; guess: U, V, W
    as first guessed.
    """

    caglioti: tuple[float, float, float]
    mixing: tuple[float, float] = (0.3, 0.0)
    axial: float = 0.0
    wavelengths: tuple[float, ...] = (1.0,)
    weights: tuple[float, ...] = (1.0,)
    cut: float = CUT
    guess: tuple[float, float, float] | None = None

    def keeps_to_guess(self, low: float, high: float) -> bool:
        """Whether widths between two angles in degrees are within a factor of those first guessed."""
        if self.guess is None:
            return True
        place = np.linspace(low, high, 9)
        ratio = self.fwhm(place) / Shape(self.guess).fwhm(place)
        return bool(np.all((ratio > 1 / _FACTOR) & (ratio < _FACTOR)))

    def fwhm(self, two_theta: Floats) -> Floats:
        """Full widths at half maximum (n,) in degrees."""
        t = np.tan(np.radians(two_theta / 2))
        u, v, w = self.caglioti
        return np.asarray(np.sqrt(np.maximum((u * t + v) * t + w, _NARROWEST**2)))

    def eta(self, two_theta: Floats) -> Floats:
        """Lorentzian shares (n,)."""
        return np.asarray(np.clip(self.mixing[0] + self.mixing[1] * two_theta, 0.0, 1.0))

    def columns(self, position: Floats, two_theta: Floats, derivatives: bool = False) -> Columns:
        """Lines of unit area at position (m,) in degrees over the grid two_theta (n,), increasing."""
        return profile_columns(
            two_theta,
            position,
            self.fwhm(position),
            self.eta(position),
            axial=(self.axial, self.axial),
            wavelengths=self.wavelengths,
            weights=self.weights,
            cut=self.cut,
            derivatives=derivatives,
        )
