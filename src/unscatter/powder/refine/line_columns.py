"""One column of a pattern for each line: what a line of unit area adds to every point."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array

from unscatter.nouns.lines import Lines
from unscatter.powder.pattern.width import broaden

Floats = NDArray[np.float64]
#: Height of K-alpha 2 over K-alpha 1, where the beam holds both.
DOUBLET = 0.5
#: Peaks end this many FWHM from their centre, of neutrons and of X-rays, whose tails are those of crystallites.
CUT = {"neutron": 8.0, "x-ray": 20.0}
# A Gaussian is below 1e-7 of its maximum beyond this many FWHM.
_GAUSSIAN_CUT = 2.5
# Nodes of the integral over the heights of rays, and the least lean, in FWHM, that is worth it.
_NODES = 8
_LEAN = 0.05


@dataclass(frozen=True)
class LineShape:
    """Width and shape of lines at each angle.

    caglioti: U, V, W in deg^2, FWHM^2 = U tan^2 + V tan + W; mixing: Lorentzian share, constant and slope per degree;
    axial: half height of sample and detector over their distance; wavelength and second_wavelength in Angstrom;
    size, strain: FWHM in degrees of Lorentzians that small and strained crystallites add, size / cos + strain tan;
    cut: lines end this many FWHM from their centre.
    """

    caglioti: tuple[float, float, float]
    mixing: tuple[float, float]
    axial: float
    wavelength: float
    second_wavelength: float | None = None
    size: float = 0.0
    strain: float = 0.0
    cut: float = 8.0

    def law(self, two_theta: Floats) -> tuple[Floats, Floats]:
        """FWHM in degrees, at least 0.005, and Lorentzian share at two-theta in degrees.

        Source: Thompson, Cox & Hastings, J. Appl. Cryst. 20, 79 (1987), for what size and strain add.
        """
        u, v, w = self.caglioti
        theta = np.radians(np.clip(two_theta, 0.1, 176.0) / 2)
        tangent = np.tan(theta)
        fwhm = np.sqrt(np.maximum((u * tangent + v) * tangent + w, 2.5e-5))
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


def shape_of(lines: Lines) -> LineShape:
    """Line shape that was found with a list of lines; from the widths of the lines where no law is known."""
    caglioti = lines.caglioti
    if caglioti is None:
        width = float(np.median(lines.fwhm)) if len(lines) else 0.1
        caglioti = (0.0, 0.0, width**2)
    cut = CUT[lines.radiation or ("neutron" if lines.second_wavelength is None else "x-ray")]
    return LineShape(caglioti, lines.mixing, lines.axial, lines.wavelength, lines.second_wavelength, cut=cut)


def line_columns(two_theta: Floats, position: Floats, shape: LineShape) -> csc_array:
    """Columns (n, m) of lines of unit area at positions (m,) in degrees on angles two_theta (n,), increasing.

    A column is eta L + (1 - eta) G of the K-alpha 1 line and, by a factor of 0.5, of the K-alpha 2 line, each spread to
    one side by axial divergence; it is cut where the shape says.
    Source: Finger, Cox & Jephcoat, J. Appl. Cryst. 27, 892 (1994), for the divergence.
    """
    owner, place, share = _components(position, shape)
    fwhm, eta = shape.law(place)
    reach = np.where(eta > 0, shape.cut, _GAUSSIAN_CUT) * fwhm
    first, last = np.searchsorted(two_theta, place - reach), np.searchsorted(two_theta, place + reach)
    counts = last - first
    component = np.repeat(np.arange(len(place)), counts)
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    row = np.arange(counts.sum()) - np.repeat(starts - first, counts)
    x = (two_theta[row] - place[component]) / fwhm[component]
    square = x * x
    lorentzian = 2 / math.pi / (1 + 4 * square)
    gaussian = 2 * math.sqrt(math.log(2) / math.pi) * np.exp(-4 * math.log(2) * np.minimum(square, 9.0))
    part = eta[component]
    value = (part * lorentzian + (1 - part) * gaussian) * (share / fwhm)[component]
    shape_ = (len(two_theta), len(position))
    if len(place) == len(position):
        return csc_array((value, row, np.concatenate([starts, [counts.sum()]])), shape=shape_)
    return csc_array((value, (row, owner[component])), shape=shape_)


def _components(position: Floats, shape: LineShape) -> tuple[NDArray[np.int64], Floats, Floats]:
    """Owner, place in degrees and share of the peaks that lines are made of."""
    owner, place = np.arange(len(position)), position
    share = np.ones(len(position))
    if shape.second_wavelength is not None:
        sine = np.sin(np.radians(position / 2)) * (shape.second_wavelength / shape.wavelength)
        seen = sine < 1
        second = 2 * np.degrees(np.arcsin(sine[seen]))
        owner, place = np.concatenate([owner, owner[seen]]), np.concatenate([place, second])
        share = np.concatenate([share, np.full(len(second), DOUBLET)]) / (1 + DOUBLET)
    if shape.axial <= 0:
        return owner, place, share
    return _spread(owner, place, share, shape)


def _spread(
    owner: NDArray[np.int64], place: Floats, share: Floats, shape: LineShape
) -> tuple[NDArray[np.int64], Floats, Floats]:
    """Split peaks that lean to one side into several."""
    cosine = np.cos(np.radians(place))
    leaning = np.abs(_seen(cosine, 2 * shape.axial) - place) > _LEAN * shape.fwhm(place)
    x, w = np.polynomial.legendre.leggauss(_NODES)
    x = (x + 1) / 2
    w = w * (1 - x) / np.sum(w * (1 - x))
    moved = _seen(cosine[leaning][:, None], 2 * shape.axial * x)
    return (
        np.concatenate([owner[~leaning], np.repeat(owner[leaning], _NODES)]),
        np.concatenate([place[~leaning], moved.ravel()]),
        np.concatenate([share[~leaning], (share[leaning][:, None] * w).ravel()]),
    )


def _seen(cosine: Floats, height: Floats | float) -> Floats:
    """Angle in degrees at which rays are seen that leave the plane by `height` times the distance."""
    return np.asarray(np.degrees(np.arccos(np.clip(cosine * np.sqrt(1 + np.square(height)), -1.0, 1.0))))
