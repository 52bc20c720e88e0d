"""The shape that all lines of a pattern share, as a few numbers, and the lines of unit area that it makes."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from unscatter.nouns.arrays import Floats
from unscatter.nouns.lines import Lines
from unscatter.powder.pattern.columns import Columns, profile_columns
from unscatter.powder.pattern.profile import CUT
from unscatter.powder.pattern.width import broaden

#: Intensity of K-alpha 2 over K-alpha 1, where the beam holds both.
DOUBLET = 0.5
#: Lines end this many FWHM from their centre, of neutrons and of X-rays, whose tails are those of crystallites.
CUTS = {"neutron": CUT, "x-ray": 20.0}

# How far widths may move from those first guessed.
_FACTOR = 1.8
# Least FWHM in degrees.
_NARROWEST = 0.005


@dataclass(frozen=True)
class LineShape:
    """Pseudo-Voigts of FWHM^2 = U tan^2 + V tan + W (deg^2) and Lorentzian share mixing[0] + mixing[1] two-theta (deg).

    axial: half height of sample and of detector, taken as equal, over their distance; wavelengths: of the beam in
    Angstrom, the first of which places the lines, and their weights; size, strain: FWHM in degrees of Lorentzians that
    small and strained crystallites add, size / cos + strain tan; cut: FWHM from the centre where lines end; guess: U,
    V, W as first guessed.
    """

    caglioti: tuple[float, float, float]
    mixing: tuple[float, float] = (0.3, 0.0)
    axial: float = 0.0
    wavelengths: tuple[float, ...] = (1.0,)
    weights: tuple[float, ...] = (1.0,)
    size: float = 0.0
    strain: float = 0.0
    cut: float = CUT
    guess: tuple[float, float, float] | None = None

    @property
    def wavelength(self) -> float:
        """The wavelength, in Angstrom, that places the lines."""
        return self.wavelengths[0]

    def law(self, two_theta: Floats) -> tuple[Floats, Floats]:
        """FWHM in degrees, at least 0.005, and Lorentzian share at two-theta in degrees.

        Source: Thompson, Cox & Hastings, J. Appl. Cryst. 20, 79 (1987), for what size and strain add.
        """
        u, v, w = self.caglioti
        theta = np.radians(np.clip(two_theta, 0.1, 176.0) / 2)
        tangent = np.tan(theta)
        fwhm = np.sqrt(np.maximum((u * tangent + v) * tangent + w, _NARROWEST**2))
        eta = np.clip(self.mixing[0] + self.mixing[1] * two_theta, 0.0, 1.0)
        if self.size <= 0 and self.strain <= 0:
            return fwhm, eta
        # broaden takes lengths and strains, in whose units these degrees are.
        size = 0.9 / math.radians(self.size) if self.size > 0 else math.inf
        return broaden(fwhm, eta, theta, 1.0, size, math.radians(max(self.strain, 0.0)) / 4)

    def fwhm(self, two_theta: Floats) -> Floats:
        """FWHM in degrees at two-theta in degrees."""
        return self.law(two_theta)[0]

    def scaled(self, factor: float) -> LineShape:
        """All widths by a factor."""
        u, v, w = (factor**2 * number for number in self.caglioti)
        return replace(self, caglioti=(u, v, w), size=self.size * factor, strain=self.strain * factor)

    def keeps_to_guess(self, low: float, high: float) -> bool:
        """Whether widths between two angles in degrees are within a factor of those first guessed."""
        if self.guess is None:
            return True
        place = np.linspace(low, high, 9)
        ratio = self.fwhm(place) / LineShape(self.guess).fwhm(place)
        return bool(np.all((ratio > 1 / _FACTOR) & (ratio < _FACTOR)))

    def columns(self, position: Floats, two_theta: Floats, derivatives: bool = False) -> Columns:
        """Lines of unit area at position (m,) in degrees over the grid two_theta (n,), increasing."""
        fwhm, eta = self.law(position)
        return profile_columns(
            two_theta,
            position,
            fwhm,
            eta,
            axial=(self.axial, self.axial),
            wavelengths=self.wavelengths,
            weights=self.weights,
            cut=self.cut,
            derivatives=derivatives,
        )


def beam_of(wavelength: float, second: float | None = None) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Wavelengths and weights of a beam of one wavelength, or of a K-alpha doublet."""
    return ((wavelength,), (1.0,)) if second is None else ((wavelength, second), (1.0, DOUBLET))


def shape_of(lines: Lines) -> LineShape:
    """Line shape that was found with a list of lines; from the widths of the lines where no law is known."""
    caglioti = lines.caglioti
    if caglioti is None:
        width = float(np.median(lines.fwhm)) if len(lines) else 0.1
        caglioti = (0.0, 0.0, width**2)
    cut = CUTS[lines.radiation or ("neutron" if lines.second_wavelength is None else "x-ray")]
    return LineShape(caglioti, lines.mixing, lines.axial, *beam_of(lines.wavelength, lines.second_wavelength), cut=cut)
