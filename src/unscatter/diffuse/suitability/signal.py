"""Is there anything but noise? How probable the periodic part of a plane is if there is none."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr

from unscatter.nouns.arrays import Floats

#: Pixels between those that are compared where no lattice is known: noise that neighbours share does not count.
FAR_NEIGHBOURS = 4


def probability_of_halves(first: Floats, second: Floats) -> float:
    """How probable it is that two independent sets of coefficients (n,) agree so well if both hold noise alone.

    Their correlation r scatters about 0 as 1 / sqrt(n); Fisher's z of it is normal.
    """
    scale = np.sqrt(np.sum(first**2) * np.sum(second**2))
    if not scale > 0:
        return 1.0
    r = float(np.clip(np.sum(first * second) / scale, -1 + 1e-12, 1 - 1e-12))
    return _tail(np.arctanh(r) * np.sqrt(max(len(first) - 1, 1)))


def probability_of_neighbours(intensity: Floats, measured: NDArray[np.bool_], model: Floats) -> float:
    """The same for pixels some apart, about a smooth model: noise of pixels is not alike, scattering is; (ny, nx)."""
    level = np.maximum(model, 1e-3 * float(np.max(model)) + 1e-300)
    rest = np.where(measured, (intensity - model) / np.sqrt(level), 0.0)
    limit = 5 * float(np.std(rest[measured])) if measured.any() else 0.0
    rest = np.clip(rest, -limit, limit)
    far = FAR_NEIGHBOURS
    products = [rest[far:] * rest[:-far], rest[:, far:] * rest[:, :-far]]
    pairs = np.sum(measured[far:] & measured[:-far]) + np.sum(measured[:, far:] & measured[:, :-far])
    power = float(np.sum(rest**2)) / max(int(measured.sum()), 1)
    total = sum(float(product.sum()) for product in products)
    return _tail(total / (power * np.sqrt(max(int(pairs), 1)))) if power > 0 else 1.0


def _tail(deviate: float) -> float:
    """Probability of a larger normal deviate, at least 1e-300."""
    return float(np.exp(max(log_ndtr(-deviate), -690.0)))
