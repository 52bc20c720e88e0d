"""A fast sum of peaks: on an axis stretched so that all of them are equally wide it is one convolution.

profile.py sums any lines exactly; this serves training, where lines of one pattern have the width and the shape of
their angle, and where a thousand patterns a second are wanted of one core.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import TypeAlias

import numpy as np
import scipy.fft
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
#: FWHM in degrees and Lorentzian share at angles two-theta in degrees.
Shape: TypeAlias = Callable[[Floats], tuple[Floats, Floats]]

# Points a FWHM where lines are spread and folded with the peak, and how much finer the sum is read off.
_SAMPLES, _FINER = 4, 4
# Angles at which the width is asked for.
_NODES = 512
# Lengths are multiples of this many points, so that kernels are found again.
_BLOCK = 256


def sum_equal_lines(position: Floats, area: Floats, two_theta: Floats, shape: Shape, cut: float = 8.0) -> Floats:
    """Sum (n,) of pseudo-Voigt peaks at two_theta (n,), increasing; position (m,) in degrees, area (m,).

    Peaks are cut `cut` FWHM from their centre. The FWHM is taken to vary little over a peak: each is right to about
    1 % of its height where the FWHM grows by 2 % from one end of itself to the other.
    """
    nodes, coordinate, fwhm, eta = _stretch(two_theta, shape, cut)
    inside = (position > nodes[0]) & (position < nodes[-1])
    position, area = position[inside], area[inside]
    fwhm, eta = np.interp(position, nodes, fwhm), np.interp(position, nodes, eta)
    # In the new coordinate peaks have FWHM 1, so that area / FWHM keeps the heights.
    area = area / fwhm
    size = math.ceil((coordinate[-1] + 2 * cut) * _SAMPLES / _BLOCK) * _BLOCK
    place = (np.interp(position, nodes, coordinate) + cut) * _SAMPLES
    gaussian, lorentzian = _kernels(size, cut)
    spread = _spread(place, np.stack([area * (1 - eta), area * eta]), size)
    spectrum = scipy.fft.rfft(spread[0]) * gaussian + scipy.fft.rfft(spread[1]) * lorentzian
    fine = scipy.fft.irfft(spectrum, n=_FINER * size) * _FINER
    wanted = (np.interp(two_theta, nodes, coordinate) + cut) * (_SAMPLES * _FINER)
    below = wanted.astype(np.int64)
    part = wanted - below
    return np.asarray(fine[below] * (1 - part) + fine[below + 1] * part)


def _stretch(two_theta: Floats, shape: Shape, cut: float) -> tuple[Floats, Floats, Floats, Floats]:
    """Angles (512,), how many FWHM each lies above the first, the integral of d(two-theta) / FWHM, and their shape."""
    ends = two_theta[[0, -1]]
    reach = cut * shape(ends)[0]
    nodes = np.linspace(max(ends[0] - reach[0], 0.05), min(ends[1] + reach[1], 179.5), _NODES)
    fwhm, eta = shape(nodes)
    steps = (nodes[1] - nodes[0]) / 2 * (1 / fwhm[1:] + 1 / fwhm[:-1])
    return nodes, np.concatenate([[0.0], np.cumsum(steps)]), fwhm, eta


def _spread(place: Floats, weights: Floats, size: int) -> Floats:
    """Weights (k, m) shared between the four nearest points of a grid by cubic B-splines, (k, size)."""
    below = place.astype(np.int64)
    t = place - below
    u = 1 - t
    shares = np.stack([u * u * u, 4 - 3 * t * t * (2 - t), 4 - 3 * u * u * (2 - u), t * t * t]) / 6
    index = (below + np.array([[-1], [0], [1], [2]])).ravel()
    return np.stack([np.bincount(index, (weight * shares).ravel(), size) for weight in weights])


@lru_cache(maxsize=256)
def _kernels(size: int, cut: float) -> tuple[Floats, Floats]:
    """Transforms (size / 2 + 1,) of a Gaussian and a Lorentzian of FWHM 1 and unit area, divided by the B-spline's."""
    x = np.minimum(np.arange(size), size - np.arange(size)) / _SAMPLES
    gaussian = 2 * math.sqrt(math.log(2) / math.pi) * np.exp(-4 * math.log(2) * x**2)
    lorentzian = 2 / math.pi / (1 + 4 * x**2)
    spline = np.sinc(np.fft.rfftfreq(size)) ** 4
    gaussian, lorentzian = (np.fft.rfft(np.where(x <= cut, peak, 0.0)).real / spline for peak in (gaussian, lorentzian))
    return gaussian, lorentzian
