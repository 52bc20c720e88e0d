"""What multiplies |F|^2 on its way into a powder pattern: Lorentz, polarisation, absorption, preferred orientation."""

from __future__ import annotations

import math

from array_api_compat import array_namespace

from unscatter.nouns.arrays import Array
from unscatter.powder.pattern.instrument import Instrument


def lorentz_polarisation(theta: Array, polarised: Array | float = 0.0) -> Array:
    """Lorentz factor 1 / (sin^2 cos) at theta (radians) times polarisation (1 + P cos^2 2 theta) / (1 + P).

    P = cos^2 of the monochromator's two-theta for X-rays (1 without one), 0 for neutrons.
    """
    xp = array_namespace(theta)
    lorentz = 1 / (xp.sin(theta) ** 2 * xp.cos(theta))
    return lorentz * (1 + polarised * xp.cos(2 * theta) ** 2) / (1 + polarised)


def polarised_share(instrument: Instrument) -> float:
    """P = cos^2 of the monochromator's two-theta for X-rays, 0 for neutrons; see lorentz_polarisation."""
    return 0.0 if instrument.radiation == "neutron" else math.cos(math.radians(instrument.monochromator)) ** 2


def cylinder_absorption(theta: Array, mu_r: Array | float) -> Array:
    """Transmission of a cylinder of absorption mu times radius r below 1, at theta in radians.

    Source: Hewat, Acta Cryst. A35, 248 (1979), after Rouse et al., Acta Cryst. A26, 682 (1970).
    """
    xp = array_namespace(theta)
    sine = xp.sin(theta) ** 2
    return xp.exp(-(1.7133 - 0.0368 * sine) * mu_r + (0.0927 + 0.375 * sine) * mu_r**2)


def march_dollase(cosine: Array, r: float) -> Array:
    """Weight of lines whose normals stand at an angle alpha from the preferred axis: mean 1 over the sphere.

    W = (r^2 cos^2 + sin^2 / r)^(-3/2), r < 1 for plates, r > 1 for needles, 1 for a random powder.
    Source: Dollase, J. Appl. Cryst. 19, 267 (1986).
    """
    squared = cosine**2
    return (r**2 * squared + (1 - squared) / r) ** -1.5
