"""The spectrum of a plane with its form factor divided away: where the periods of I_SRO stand as spikes.

log I_D = log I_FF + log I_SRO. A molecule is small, so what is left of the first term is broad and smooth in the
spectrum; the second repeats over the whole plane, so its spectrum is a lattice of spikes as sharp as the plane is wide.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

from unscatter.nouns.arrays import Floats

#: Planes with more pixels an edge are averaged in blocks first.
LARGEST_EDGE = 512
#: Translations looked for: the shortest in pixels, the longest as a share of the longer edge. Harmonics count down to
#: the shortest wave in pixels.
SHORTEST_PERIOD = 5.5
LONGEST_PERIOD = 0.37
SHORTEST_WAVE = 5.0
#: Width of the soft border, as a share of an edge.
BORDER = 0.1
#: Added to I / I_FF before the logarithm, so that noise where I_SRO is nearly zero does not dominate.
FLOOR = 0.15
#: The spectrum is sampled this many times finer than a plane's own resolution; widths below are in such bins.
PADDING = 2
#: Width of the Gaussian that averages the log power around a spike.
SURROUNDINGS = 6.0
#: Log power over the surroundings that makes a spike (noise alone reaches 2.7), and how many are tried in pairs.
LEAST_SPIKE = 3.0
SPIKES = 20


@dataclass(frozen=True)
class FlatPlane:
    """The logarithm of a plane over its form factor, mean zero, and the weight of each pixel, (ny, nx).

    The weight falls where I_FF is weak or a border near, and is zero where nothing was measured.
    """

    logarithm: Floats
    weight: Floats

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        rows, columns = self.logarithm.shape
        return rows, columns


def flatten(intensity: Floats, measured: NDArray[np.bool_], form_factor: Floats) -> FlatPlane:
    """Divide a plane by a first form factor and take the logarithm.

    intensity: (ny, nx), any value where not measured; form_factor: (ny, nx) in the same units, everywhere.
    """
    seen = measured.astype(np.float64)
    values = np.where(measured, np.clip(intensity, 0.0, None), 0.0)
    total, near = (ndimage.gaussian_filter(a, 1.0, mode="constant", truncate=3.0) for a in (values, seen))
    typical = float(np.sum(form_factor * seen)) / max(float(np.sum(seen)), 1.0)
    if typical <= 0:
        return FlatPlane(np.zeros_like(values), np.zeros_like(values))
    logarithm = np.log(total / np.maximum(near, 1e-3) / (form_factor + 0.02 * typical) + FLOOR)
    rows, columns = (_soft_border(n) for n in values.shape)
    weight = seen * form_factor / (form_factor + 0.3 * typical) * np.outer(rows, columns)
    return FlatPlane(logarithm - np.sum(weight * logarithm) / np.sum(weight), weight)


def _soft_border(pixels: int) -> Floats:
    """A weight that falls to zero at both ends, (pixels,): sharp ends would blur every spike into a cross."""
    place = np.arange(pixels) + 0.5
    edge = np.minimum(place, pixels - place) / (BORDER * pixels)
    return np.asarray(0.5 - 0.5 * np.cos(np.pi * np.clip(edge, 0.0, 1.0)))


@dataclass(frozen=True)
class Spectrum:
    """Log power of a plane over its surroundings, (2 reach + 1, 2 reach + 1), zero frequency in the middle.

    Frequencies are counted in bins of 1 / size waves a pixel, as (x, y).
    """

    excess: Floats
    size: int

    @property
    def reach(self) -> int:
        """Bins from the middle to the border."""
        return len(self.excess) // 2

    @property
    def lowest(self) -> float:
        """The frequency of the longest period looked for, in bins."""
        return PADDING / LONGEST_PERIOD

    @property
    def highest(self) -> float:
        """The frequency of the shortest period looked for, in bins."""
        return self.size / SHORTEST_PERIOD

    def at(self, bins: Floats) -> Floats:
        """Excess at frequencies (..., 2), zero out of range."""
        index = np.moveaxis(bins[..., ::-1] + self.reach, -1, 0)
        return np.asarray(ndimage.map_coordinates(self.excess, index, order=1, mode="constant"))

    @cached_property
    def spikes(self) -> tuple[Floats, Floats]:
        """The highest spikes of one half plane, highest first: frequencies (n, 2) and heights (n,)."""
        reach = self.reach
        y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
        top = (self.excess == ndimage.maximum_filter(self.excess, 5)) & (self.excess > LEAST_SPIKE)
        top &= ((y > 0) | ((y == 0) & (x > 0))) & (np.hypot(x, y) >= self.lowest)
        order = np.argsort(-self.excess[top], kind="stable")[:SPIKES]
        return np.stack([x[top], y[top]], axis=-1)[order].astype(np.float64), self.excess[top][order]


def log_spectrum(plane: FlatPlane) -> Spectrum:
    """The spectrum of a flattened plane down to `SHORTEST_WAVE`."""
    size = fft.next_fast_len(PADDING * max(plane.shape))
    power = np.abs(fft.fft2(plane.logarithm * plane.weight, s=(size, size))) ** 2
    reach = min(int(1.1 * size / SHORTEST_WAVE), size // 2 - 1)
    power = np.roll(power, (reach, reach), axis=(0, 1))[: 2 * reach + 1, : 2 * reach + 1]
    log_power = np.log(power + 1e-9 * power.max() + 1e-300)
    # The mean of a logarithm hardly notices the spikes it runs over.
    return Spectrum(log_power - ndimage.gaussian_filter(log_power, SURROUNDINGS), size)


def average_blocks(plane: Floats, factor: int) -> Floats:
    """Mean of the measured pixels (not NaN) of blocks of factor x factor; NaN where less than half was measured."""
    if factor == 1:
        return plane
    rows, columns = (n // factor for n in plane.shape)
    blocks = plane[: rows * factor, : columns * factor].reshape(rows, factor, columns, factor)
    seen = np.isfinite(blocks)
    share = seen.mean(axis=(1, 3))
    total = np.where(seen, blocks, 0.0).mean(axis=(1, 3))
    return np.asarray(np.where(share >= 0.5, total / np.maximum(share, 1e-9), np.nan))


def averaging_factor(shape: tuple[int, ...]) -> int:
    """Pixels averaged along either edge before the search."""
    return math.ceil(max(shape) / LARGEST_EDGE)
