"""How wide a line is and how much of it is Lorentzian: of the instrument, and of small, strained crystallites."""

from __future__ import annotations

import math

from array_api_compat import array_namespace

from unscatter.nouns.arrays import Array

# Polynomials of Thompson, Cox & Hastings (1987): the fifth power of the FWHM, and the Lorentzian share.
_GAUSSIAN = (1.0, -0.74417, -0.24781, -0.00810)
_LORENTZIAN = (0.72928, 0.19289, 0.07783)


def caglioti_fwhm(theta: Array, u: Array | float, v: Array | float, w: Array | float) -> Array:
    """FWHM in degrees at theta (radians): FWHM^2 = U tan^2 + V tan + W, at least 0.01 deg.

    Source: Caglioti, Paoletti & Ricci, Nucl. Instrum. 3, 223 (1958).
    """
    xp = array_namespace(theta)
    tangent = xp.tan(theta)
    squared = (u * tangent + v) * tangent + w
    return xp.sqrt(xp.where(squared > 1e-4, squared, 1e-4))


def broaden(
    fwhm: Array, eta: Array, theta: Array, wavelength: float, size: float, strain: float
) -> tuple[Array, Array]:
    """FWHM (deg) and Lorentzian share of pseudo-Voigt lines at theta (radians) of small, strained crystallites.

    Adds a Lorentzian of 0.9 lambda / (L cos) + 4 epsilon tan (radians), size L in Angstrom, to the Lorentzian part.
    Source: Thompson, Cox & Hastings, J. Appl. Cryst. 20, 79 (1987).
    """
    xp = array_namespace(theta)
    more = (0.9 * wavelength / size / xp.cos(theta) + 4 * strain * xp.tan(theta)) * (180 / math.pi)
    c0, c1, c2, c3 = _GAUSSIAN
    squared = c0 + eta * (c1 + eta * (c2 + eta * c3))
    g = fwhm * xp.sqrt(xp.where(squared > 0, squared, 0.0))
    l = fwhm * eta * (_LORENTZIAN[0] + eta * (_LORENTZIAN[1] + eta * _LORENTZIAN[2])) + more  # noqa: E741
    g2, l2 = g * g, l * l
    fifth = g * g2 * (g2 + 2.69269 * g * l + 2.42843 * l2) + l * l2 * (4.47163 * g2 + 0.07842 * g * l + l2)
    width = fifth**0.2
    q = l / width
    share = q * (1.36603 + q * (-0.47719 + 0.11116 * q))
    return width, xp.where(share < 1, share, 1.0)
