"""Lines of a powder pattern as columns of a sparse matrix: pseudo-Voigts of one profile, with their slopes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]

_LN2 = math.log(2)
# Lines that lean by less than this share of their width are taken as symmetric.
_LEANING = 0.03
_NODES = 6


@dataclass(frozen=True)
class Profile:
    """The shape of all lines of a pattern.

    FWHM^2 = U tan^2 + V tan + W in deg^2; Lorentzian share = mixing[0] + mixing[1] two-theta (deg); axial: half height
    of sample and detector over their distance; doublet: ratio of the second wavelength to the first and the weight of
    its line, (1, 0) for one wavelength; cut: FWHM from the centre where lines end.
    """

    caglioti: tuple[float, float, float]
    mixing: tuple[float, float] = (0.3, 0.0)
    axial: float = 0.0
    doublet: tuple[float, float] = (1.0, 0.0)
    cut: float = 8.0

    def fwhm(self, two_theta: Floats) -> Floats:
        """Full widths at half maximum (n,) in degrees, 0.005 at least."""
        t = np.tan(np.radians(two_theta / 2))
        u, v, w = self.caglioti
        return np.sqrt(np.maximum((u * t + v) * t + w, 2.5e-5))

    def eta(self, two_theta: Floats) -> Floats:
        """Lorentzian shares (n,)."""
        return np.clip(self.mixing[0] + self.mixing[1] * two_theta, 0.0, 1.0)


@dataclass(frozen=True, eq=False)
class Columns:
    """Lines of unit area over a grid of n points: values and slopes (m, span), the first at point start (m,).

    slopes are derivatives by the position in degrees. Line j covers the points start[j], ..., start[j] + span - 1.
    """

    start: Integers
    values: Floats
    slopes: Floats

    def sum(self, area: Floats, points: int) -> Floats:
        """Sum (points,) of all lines times their areas (m,)."""
        index = self.start[:, None] + np.arange(self.values.shape[1])
        return np.bincount(index.ravel(), (self.values * area[:, None]).ravel(), points)[:points]


def make_columns(
    position: Floats, profile: Profile, two_theta: Floats, wider: float = 1.0, more_lorentzian: float = 0.0
) -> Columns:
    """Columns of lines at position (m,) in degrees over the grid two_theta (n,), increasing.

    wider: factor of all widths; more_lorentzian: added to the mixing; both for derivatives.
    """
    pieces = _pieces(position, profile)
    fwhm, eta = profile.fwhm(position) * wider, profile.eta(position) + more_lorentzian
    low = min(float(np.min(shift)) for _, shift in pieces)
    high = max(float(np.max(shift)) for _, shift in pieces)
    reach = profile.cut * fwhm
    start = np.searchsorted(two_theta, position + low - reach)
    stop = np.searchsorted(two_theta, position + high + reach)
    span = int(max(np.max(stop - start, initial=1), 1))
    start = np.minimum(start, max(len(two_theta) - span, 0))
    span = min(span, len(two_theta))
    x = two_theta[start[:, None] + np.arange(span)] - position[:, None]
    values, slopes = np.zeros_like(x), np.zeros_like(x)
    for weight, shift in pieces:
        moved = np.flatnonzero(weight > 0)
        value, slope = _pseudo_voigt(x[moved] - shift[moved, None], fwhm[moved, None], eta[moved, None], profile.cut)
        values[moved] += weight[moved, None] * value
        slopes[moved] += weight[moved, None] * slope
    return Columns(start, values, slopes)


def _pieces(position: Floats, profile: Profile) -> list[tuple[Floats, Floats]]:
    """Weights (m,) and shifts (m,) in degrees of what a line is made of: its doublet, and where it leans to."""
    ones = np.ones_like(position)
    found = []
    for ratio, weight in ((1.0, 1.0), profile.doublet):
        if weight > 0:
            shift = _second_shift(position, ratio)
            share = weight / (1 + profile.doublet[1]) * ones
            found += _leaning(position + shift, share, shift, profile)
    return found


def _second_shift(position: Floats, ratio: float) -> Floats:
    sine = np.minimum(np.sin(np.radians(position / 2)) * ratio, 1.0)
    return np.degrees(2 * np.arcsin(sine)) - position if ratio != 1 else np.zeros_like(position)


def _leaning(position: Floats, share: Floats, shift: Floats, profile: Profile) -> list[tuple[Floats, Floats]]:
    if profile.axial <= 0:
        return [(share, shift)]
    cosine = np.cos(np.radians(position))
    furthest = _axial_angle(cosine, 2 * profile.axial) - position
    leaning = np.abs(furthest) > _LEANING * profile.fwhm(position)
    heights, weights = _triangle()
    found = [(share * ~leaning, shift)]
    for height, weight in zip(heights, weights, strict=True):
        moved = np.where(leaning, _axial_angle(cosine, 2 * profile.axial * height) - position, 0.0)
        found.append((share * weight * leaning, shift + moved))
    return found


def _axial_angle(cosine: Floats, z: float) -> Floats:
    """Two-theta in degrees at which a ray that leaves the plane by z is seen. Finger, Cox & Jephcoat (1994)."""
    return np.degrees(np.arccos(np.clip(cosine * math.sqrt(1 + z * z), -1, 1)))


@cache
def _triangle() -> tuple[Floats, Floats]:
    x, w = np.polynomial.legendre.leggauss(_NODES)
    x = (x + 1) / 2
    return x, w * (1 - x) / np.sum(w * (1 - x))


def _pseudo_voigt(x: Floats, fwhm: Floats, eta: Floats, cut: float) -> tuple[Floats, Floats]:
    """Pseudo-Voigt of unit area at x from its centre, and its derivative by the centre; 0 beyond the cut."""
    s = x / fwhm
    squared = s * s
    inside = squared <= cut * cut
    gaussian = np.exp(-4 * _LN2 * np.minimum(squared, 12.0)) * (2 * math.sqrt(_LN2 / math.pi))
    bell = 1 / (1 + 4 * squared)
    lorentzian = bell * (2 / math.pi)
    value = ((1 - eta) * gaussian + eta * lorentzian) / fwhm * inside
    slope = 8 * s * ((1 - eta) * _LN2 * gaussian + eta * bell * lorentzian) / fwhm**2 * inside
    return value, slope
