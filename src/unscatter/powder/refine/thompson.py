"""The widths of a fit in the five numbers of Thompson, Cox and Hastings, which all Rietveld programs read."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from scipy.optimize import least_squares

from unscatter.nouns.arrays import Floats
from unscatter.nouns.pattern_fit import PatternFit
from unscatter.powder.pattern.line_shape import LineShape

#: U, V, W of the Gaussian in deg^2 of FWHM^2, and X, Y of the Lorentzian in degrees of FWHM.
Thompson: TypeAlias = tuple[float, float, float, float, float]

# A Lorentzian share may be off by this for a per cent of the width, which comes first.
_SHARE = 0.4
_POINTS = 80


def thompson_law(fit: PatternFit) -> Thompson:
    """U, V, W, X, Y whose pseudo-Voigts are those of a fit: FWHM and Lorentzian share over the range of its lines.

    Gaussian FWHM^2 = U tan^2 + V tan + W, Lorentzian FWHM = X / cos + Y tan (X, Y >= 0), all in degrees; they are
    joined as in Thompson, Cox & Hastings, J. Appl. Cryst. 20, 79 (1987), and fitted by least squares of ln FWHM and
    share.
    """
    place = np.linspace(fit.two_theta.min(), fit.two_theta.max(), _POINTS)
    width, share = LineShape(fit.caglioti, fit.mixing, size=fit.size, strain=fit.strain).law(place)
    size = float(np.median(width))
    scale = np.array([size**2] * 3 + [size] * 2)

    def off(numbers: Floats) -> Floats:
        found, mixed = thompson_widths(tuple(numbers * scale), place)
        return np.concatenate([100 * np.log(found / width), (mixed - share) / _SHARE])

    part = float(np.median(share))
    start = np.concatenate([np.array(fit.caglioti) * (1 - part) / size**2, [0.9 * part + 0.01, 0.01]])
    bounds = ([-np.inf, -np.inf, -np.inf, 0.0, 0.0], np.inf)
    u, v, w, x, y = np.round(least_squares(off, start, bounds=bounds).x * scale, 9).tolist()
    return u, v, w, x, y


def thompson_widths(law: tuple[float, ...], two_theta: Floats) -> tuple[Floats, Floats]:
    """FWHM in degrees and Lorentzian share (n,) of five numbers at two-theta (n,) in degrees."""
    u, v, w, x, y = law
    return LineShape((u, v, w), (0.0, 0.0), size=x, strain=y).law(two_theta)
