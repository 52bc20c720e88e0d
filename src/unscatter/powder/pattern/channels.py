"""What the network sees of a powder pattern: an axis free of the wavelength, and three channels on it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import numpy as np
from array_api_compat import array_namespace, device
from numpy.typing import NDArray

from unscatter.nouns.arrays import Array, FloatArray

#: Points of the network's axis, evenly spaced in ln(1/d): a cell that grows moves the pattern, and a step is 0.084 %.
SIZE = 4096
#: First and last d of the axis in Angstrom.
LONGEST, SHORTEST = 25.0, 0.8
#: Names of the channels, in order; a network remembers those it was trained with.
CHANNELS = ("intensity", "log_lines", "measured")

#: Points from which the noise is estimated.
_SAMPLED = 512
#: Height of the highest line, as a share of the highest point, below which a pattern is taken for one without lines.
_FLAT = 1e-3
#: Range of the noise as a share of the highest point: below it, weak lines of clean patterns would be all there is.
_FLOOR = (1e-3, 0.1)
#: Bins whose mean counts as one in the search for what lies under the lines, and how many of these a line may span.
_BLOCK, _REACH = 16, 3
#: Two points further apart than this many mean steps have a gap between them.
_GAP = 5.0


@cache
def network_axis() -> NDArray[np.float64]:
    """Spacings d (4096,) in Angstrom at the centres of the network's bins, from 25 down to 0.8."""
    edges = _edges()
    return np.asarray(1 / np.sqrt(edges[:-1] * edges[1:]))


def network_channels(two_theta: FloatArray, intensity: Array, wavelength: float) -> Array:
    """Channels (..., 3, 4096), float32, of patterns: intensity (..., n) over two_theta (n,) in degrees, increasing.

    Bins of ln(1/d) hold the mean over their width of the lines drawn through the points: fine points are averaged,
    coarse ones interpolated. 0: intensity / maximum, negative ones zero; 1: ln(1 + s / f) / ln(1 + 1 / f) with s the
    intensity above lower_envelope and f the noise, as shares of the largest s; 2: one where the pattern has data, else
    all are zero.
    Wavelength in Angstrom, the strongest of several. Raises ValueError for what is no pattern on this axis.
    """
    xp = array_namespace(intensity)
    bins = _find_bins(np.asarray(two_theta, dtype=np.float64), intensity.shape, float(wavelength))
    intensity = xp.astype(intensity, xp.float64)
    mask = _beside(intensity, bins.measured.astype(np.float64))
    mean = bins.means(intensity) * mask
    top = xp.max(mean, axis=-1, keepdims=True)
    if not bool(xp.all(top > 0)):
        raise ValueError(_nothing(wavelength))
    # The mean over a bin has less noise than the points in it.
    noise = _noise(intensity) * min(1.0, float(bins.measured.sum()) / intensity.shape[-1]) ** 0.5
    return stack_channels(mean, mask, noise)


def network_background(two_theta: FloatArray, intensity: FloatArray, wavelength: float) -> NDArray[np.float64]:
    """What the network takes for background (n,) of a pattern (n,): `lower_envelope` of its bins, at its own angles.

    Beyond the spacings that the network sees, the last value goes on. Raises ValueError as `network_channels`.
    """
    bins = _find_bins(np.asarray(two_theta, dtype=np.float64), np.shape(intensity), float(wavelength))
    mask = bins.measured.astype(np.float64)
    below = lower_envelope(bins.means(np.asarray(intensity, dtype=np.float64)) * mask, mask)
    sine = np.minimum(wavelength / 2 / network_axis(), 1.0)
    angle = np.degrees(2 * np.arcsin(sine))[bins.measured]
    return np.asarray(np.interp(two_theta, angle, below[bins.measured]))


def stack_channels(mean: Array, mask: Array, noise: Array) -> Array:
    """Channels (..., 3, 4096), float32, of intensities (..., 4096) that are zero where mask (..., 4096) is.

    noise: (..., 1), standard deviation of an intensity. Every highest intensity must be positive.
    """
    xp = array_namespace(mean)
    top = xp.max(mean, axis=-1, keepdims=True)
    lines = mean - lower_envelope(mean, mask)
    lines = xp.where(lines > 0, lines, 0.0)
    height = xp.max(lines, axis=-1, keepdims=True)
    # Where nothing rises above its surroundings, what is there counts as it is.
    height = xp.where(height > _FLAT * top, height, _FLAT * top)
    floor = noise / height
    floor = xp.where(floor < _FLOOR[0], _FLOOR[0], xp.where(floor > _FLOOR[1], _FLOOR[1], floor))
    share, above = (xp.astype(x, xp.float32) for x in (mean / top, lines / (height * floor)))
    mask = xp.astype(mask, xp.float32)
    logarithm = xp.log(1 + above) / xp.astype(xp.log(1 + 1 / floor), xp.float32) * mask
    return xp.stack([xp.where(share > 0, share, 0.0), logarithm, xp.broadcast_to(mask, share.shape)], axis=-2)


def lower_envelope(mean: Array, mask: Array) -> Array:
    """What lies under the lines of intensities (..., 4096), zero where mask (..., 4096) is zero.

    Peak clipping on the means of blocks of 16 bins: b_i <- min(b_i, (b_(i-k) + b_(i+k)) / 2) for k = 3, 2, 1, so that
    a straight background stays and lines go that are narrower than 8 % in d; straight lines lie between the blocks.
    Blocks that are measured in part count with that part.
    Sources: Ryan et al., Nucl. Instrum. Methods B 34, 396 (1988); Morhac & Matousek, Appl. Spectrosc. 62, 91 (2008).
    """
    xp = array_namespace(mean)
    total, weight = (
        xp.sum(xp.reshape(x, (*x.shape[:-1], SIZE // _BLOCK, _BLOCK)), axis=-1) for x in (mean * mask, mask)
    )
    level = xp.where(weight > 0, total / xp.where(weight > 0, weight, 1.0), xp.inf)
    for k in range(_REACH, 0, -1):
        between = (level[..., : -2 * k] + level[..., 2 * k :]) / 2
        clipped = xp.minimum(level[..., k:-k], between)
        level = xp.concat([level[..., :k], clipped, level[..., -k:]], axis=-1)
    place = (np.arange(SIZE) + 0.5) / _BLOCK - 0.5
    below = np.clip(np.floor(place), 0, SIZE // _BLOCK - 2).astype(np.int64)
    part = _beside(mean, np.clip(place - below, 0.0, 1.0).astype(np.float32))
    left, right = (xp.take(level, _beside(mean, below + k), axis=-1) for k in (0, 1))
    # Beside a block that was not measured, the level of the other one goes on.
    left, right = xp.where(left == xp.inf, right, left), xp.where(right == xp.inf, left, right)
    left, right = (xp.where(side == xp.inf, 0.0, side) for side in (left, right))
    return (left + part * (right - left)) * mask


@dataclass(frozen=True)
class _Bins:
    """Where the edges of the bins lie among the points of a pattern; all angles in degrees.

    step: (n - 1,) between points; k: (4097,) point below each edge; beyond: (4097,) from that point to the edge;
    width: (4096,) of the part of a bin within the pattern, 1 where not measured; measured: (4096,).
    """

    step: NDArray[np.float64]
    k: NDArray[np.int64]
    beyond: NDArray[np.float64]
    width: NDArray[np.float64]
    measured: NDArray[np.bool_]

    def means(self, intensity: Array) -> Array:
        """Mean of intensity (..., n) over each bin, (..., 4096); not to be used where it was not measured."""
        xp = array_namespace(intensity)
        k, beyond, half, part, width = (
            _beside(intensity, numbers)
            for numbers in (self.k, self.beyond, self.step / 2, self.beyond / (2 * self.step[self.k]), self.width)
        )
        # The integral over two-theta up to each point, and then up to the edges of the bins between them.
        total = xp.cumulative_sum(half * (intensity[..., 1:] + intensity[..., :-1]), axis=-1, include_initial=True)
        below, above = xp.take(intensity, k, axis=-1), xp.take(intensity, k + 1, axis=-1)
        integral = xp.take(total, k, axis=-1) + beyond * (below + part * (above - below))
        return (integral[..., 1:] - integral[..., :-1]) / width


def _beside(array: Array, numbers: NDArray[Any]) -> Array:
    """Numbers in the library and on the device of an array."""
    if isinstance(array, np.ndarray):
        return numbers
    return array_namespace(array).asarray(numbers, device=device(array))


def _find_bins(two_theta: NDArray[np.float64], shape: tuple[int, ...], wavelength: float) -> _Bins:
    count = len(two_theta)
    if two_theta.ndim != 1 or shape[-1] != count or count < 8:
        raise ValueError(
            f"a pattern has one intensity for each angle, 8 or more: got intensities of shape {shape} "
            f"and angles of shape {two_theta.shape}"
        )
    if not wavelength > 0:
        raise ValueError(f"wavelength {wavelength:g} cannot be: give it in Angstrom, for example 1.5406")
    step = np.diff(two_theta)
    edges = _edge_angles(wavelength)
    clipped = np.minimum(np.maximum(edges, two_theta[0]), two_theta[-1])
    k = np.minimum(np.searchsorted(two_theta, clipped, side="right") - 1, count - 2)
    width = clipped[1:] - clipped[:-1]
    gap = step[k[:-1]] > _GAP * (two_theta[-1] - two_theta[0]) / (count - 1)
    # A bin cut by an end of the pattern counts when more than half of it was measured.
    measured = (width > 0.5 * (edges[1:] - edges[:-1])) & ~gap
    if not measured.any():
        raise ValueError(_nothing(wavelength))
    return _Bins(step, k, clipped - two_theta[k], np.where(measured, width, 1.0), measured)


def _nothing(wavelength: float) -> str:
    return (
        f"no intensity between d = {LONGEST:g} and {SHORTEST:g} Angstrom at {wavelength:g} Angstrom: "
        "expected two-theta in degrees and the wavelength in Angstrom; check both"
    )


def _noise(intensity: Array) -> Array:
    """Standard deviation of the noise (..., 1) from fourth differences, which hardly see peaks some points wide."""
    xp = array_namespace(intensity)
    places = _sample(intensity.shape[-1])
    size = len(places) // 5
    near = xp.take(intensity, _beside(intensity, places), axis=-1)
    near = [near[..., k * size : (k + 1) * size] for k in range(5)]
    difference = xp.abs(near[0] - 4 * near[1] + 6 * near[2] - 4 * near[3] + near[4])
    middle = size // 2
    # Of a normal distribution the median of |x| is 0.6745 sigma; 70 = 1 + 16 + 36 + 16 + 1.
    return xp.sort(difference, axis=-1)[..., middle : middle + 1] / (0.6745 * 70**0.5)


@cache
def _edges() -> NDArray[np.float64]:
    """Edges of the bins as 1/d, (4097,)."""
    return np.asarray(np.geomspace(1 / LONGEST, 1 / SHORTEST, SIZE + 1))


@lru_cache(maxsize=64)
def _edge_angles(wavelength: float) -> NDArray[np.float64]:
    """Two-theta of the edges in degrees, 180 where the wavelength does not reach."""
    return np.asarray(2 * np.degrees(np.arcsin(np.minimum(wavelength / 2 * _edges(), 1.0))))


@cache
def _sample(count: int) -> NDArray[np.int64]:
    """At most 512 places among `count` points, all moved by -2, then all by -1, 0, 1 and 2: (5 * 512,)."""
    size = min(_SAMPLED, count - 4)
    places = 2 + np.arange(size) * (count - 5) // max(size - 1, 1)
    return np.asarray((np.arange(-2, 3)[:, None] + places).ravel())
