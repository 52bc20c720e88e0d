"""First guesses of the profile: widths at half maximum, and the instruments whose widths grow like them."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.signal import find_peaks

from unscatter.nouns.arrays import Floats
from unscatter.powder.pattern.instrument import read_instruments

Law: TypeAlias = tuple[float, float, float]

# Overlap makes lines wider, never narrower: the law runs below most of the widths.
_QUANTILE = 0.25
# Standard deviations of the noise that a maximum rises above its surroundings at least.
_RIPPLE = 4.0
# Weights of the points over which maxima are sought, and maxima below which that is done over more points.
_KERNEL, _ENOUGH = np.array([1, 4, 6, 4, 1]) / 16, 4
# FWHM of a normal distribution in standard deviations.
_FWHM = 2.355


def half_widths(two_theta: Floats, intensity: Floats, sigma: Floats, least: float = 8.0) -> tuple[Floats, Floats]:
    """Places (m,) of maxima that rise `least` sigma and their FWHM (m,), twice the narrower half, in degrees.

    Of ripples of noise upon a broad line the highest counts. Where few lines rise so far above the noise, they are
    sought over more points at once, as long as that brings more of them.
    """
    place, width = _half_widths(two_theta, intensity, sigma, least, _KERNEL)
    kernel = _KERNEL
    while len(place) < _ENOUGH and len(kernel) * 8 < len(intensity):
        kernel = np.convolve(np.convolve(kernel, kernel), kernel)
        wider = _half_widths(two_theta, intensity, sigma, least, kernel)
        if len(wider[0]) > len(place):
            place, width = wider
    return place, width


def _half_widths(
    two_theta: Floats, intensity: Floats, sigma: Floats, least: float, kernel: Floats
) -> tuple[Floats, Floats]:
    """Places and widths in the intensity smoothed by a kernel, whose own width is taken off them."""
    smooth = _smooth(intensity, kernel)
    # What noise a kernel leaves, beside that of the narrowest, for which the limits are meant.
    noise = sigma * float(np.sqrt(np.sum(kernel**2) / np.sum(_KERNEL**2)))
    top, _ = find_peaks(smooth, height=least * noise, prominence=_RIPPLE * noise)
    found = [(two_theta[i], w) for i in top if (w := _width(two_theta, smooth, noise, int(i))) > 0]
    place, width = np.array([p for p, _ in found]), np.array([w for _, w in found])
    if kernel is _KERNEL:
        return place, width
    reach = np.arange(len(kernel)) - len(kernel) // 2
    own = _FWHM * float(np.sqrt(np.sum(kernel * reach**2))) * float(np.median(np.diff(two_theta)))
    return place, np.sqrt(np.maximum(width**2 - own**2, (width / 2) ** 2))


def find_maxima(intensity: Floats, sigma: Floats, least: float) -> NDArray[np.int64]:
    """Points (m,) that are maxima of the smoothed intensity and rise `least` sigma above zero."""
    smooth = _smooth(intensity)
    inner = smooth[1:-1]
    return 1 + np.flatnonzero((inner >= smooth[:-2]) & (inner > smooth[2:]) & (inner > least * sigma[1:-1]))


def _smooth(intensity: Floats, kernel: Floats = _KERNEL) -> Floats:
    return np.convolve(np.pad(intensity, len(kernel) // 2, mode="edge"), kernel, mode="valid")


def _width(two_theta: Floats, values: Floats, sigma: Floats, top: int) -> float:
    halves = [h for direction in (-1, 1) if (h := _half(two_theta, values, sigma, top, direction)) > 0]
    return 2 * min(halves, default=0.0)


def _half(two_theta: Floats, values: Floats, sigma: Floats, top: int, direction: int) -> float:
    """Distance in degrees to where a line falls to half of its height, 0 where it rises again before."""
    half = values[top] / 2
    i = top
    while 0 <= i + direction < len(values) and values[i] > half:
        i += direction
        if values[i] > values[i - direction] * 1.02 + 2 * sigma[i]:
            return 0.0
    if values[i] > half:
        return 0.0
    before = i - direction
    part = (values[before] - half) / max(values[before] - values[i], 1e-300)
    return float(abs(two_theta[before] + direction * part * abs(two_theta[i] - two_theta[before]) - two_theta[top]))


def width_laws(place: Floats, width: Floats, most: int = 3) -> list[Law]:
    """The likeliest laws U, V, W in deg^2, the best first: instruments' own, scaled so that few lines are narrower."""
    tangent = np.tan(np.radians(place / 2))
    shapes = {i.caglioti for i in read_instruments().values()} | {(0.0, 0.0, 1.0), (1.0, 0.0, 1.0)}
    ranked = sorted((_loss(shape, tangent, width) for shape in shapes), key=lambda found: found[0])
    return [law for _, law in ranked[:most]]


def _loss(shape: Law, tangent: Floats, width: Floats) -> tuple[float, Law]:
    squared = np.maximum((shape[0] * tangent + shape[1]) * tangent + shape[2], 1e-4)
    ratio = np.log(width) - np.log(squared) / 2
    level = float(np.quantile(ratio, _QUANTILE))
    rest = ratio - level
    loss = float(np.mean(np.where(rest > 0, _QUANTILE * rest, (_QUANTILE - 1) * rest)))
    factor = float(np.exp(2 * level))
    return loss, (shape[0] * factor, shape[1] * factor, shape[2] * factor)
