"""From peaks to intensity at the angles of a measurement: one profile for samples, pictures, tests and fits."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from array_api_compat import array_namespace, device, is_numpy_array, is_torch_namespace
from numpy.typing import NDArray

from unscatter.nouns.arrays import Array
from unscatter.nouns.reflections import Reflections
from unscatter.powder.pattern.axial import spread_axially
from unscatter.powder.pattern.instrument import Instrument
from unscatter.powder.pattern.peaks import Peaks, join_peaks, misalign, place_peaks

#: Share of the way to its end over which a Lorentzian is itself.
FADE = 0.875
#: Lines end this many FWHM from their centre where nothing else is asked for.
CUT = 8.0
# Steps that differ by less than this share of the mean step, summed over the range, make an even grid.
_EVEN = 1e-6
# Elements of the largest array of windows.
_CHUNK = 1 << 20


def pseudo_voigt(x: Array, fwhm: Array, eta: Array, cut: float = CUT) -> Array:
    """Peak of unit area at x from its centre, x and fwhm in degrees: eta L + (1 - eta) G, zero beyond cut FWHM.

    With v = 2 x / fwhm, G = 2 sqrt(ln 2 / pi) / fwhm exp(-ln 2 v^2) and L = 2 / (N fwhm) f / (1 + v^2). A Lorentzian
    never ends; over the last eighth of the way to the cut, f = (1 - s^2)^2 takes it to zero without a step or a bend, s
    from 0 to 1. N makes its area one and is pi without a cut.
    """
    xp = array_namespace(x)
    v, edge = xp.abs(2 * x / fwhm), 2 * cut
    inside = v < edge
    v = xp.where(inside, v, edge)
    beyond = v - FADE * edge
    s = xp.where(beyond > 0, beyond, 0.0) / ((1 - FADE) * edge)
    lorentzian = (1 - s * s) ** 2 / (1 + v * v) * (2 / lorentzian_norm(cut))
    gaussian = xp.exp(-math.log(2) * v * v) * (2 * math.sqrt(math.log(2) / math.pi))
    return xp.where(inside, (eta * lorentzian + (1 - eta) * gaussian) / fwhm, 0.0)


@cache
def lorentzian_norm(cut: float) -> float:
    """N of `pseudo_voigt`: the integral of f / (1 + v^2) from -2 cut to 2 cut."""
    nodes, weights = np.polynomial.legendre.leggauss(64)
    s = (nodes + 1) / 2
    fading = (1 - FADE) * 2 * cut
    end = np.sum(weights / 2 * fading * (1 - s * s) ** 2 / (1 + (FADE * 2 * cut + fading * s) ** 2))
    return 2 * (math.atan(FADE * 2 * cut) + float(end))


def sum_peaks(peaks: Peaks, two_theta: Array, rows: int = 1, cut: float = CUT) -> Array:
    """Sum of all peaks of each pattern at two_theta (n,) in degrees, increasing and even or not: (rows, n).

    Every peak is evaluated at every point that it reaches, so the sum is right to rounding. NumPy arrays go through
    compiled loops; those of other libraries through the same formula in windows, with derivatives by all columns.
    """
    if is_numpy_array(peaks.position):
        return _sum_compiled(peaks, np.asarray(two_theta, dtype=np.float64), rows, cut)
    return _sum_windows(peaks, two_theta, rows, cut)


def simulate_profile(
    reflections: Reflections, instrument: Instrument, *, size: float = math.inf, strain: float = 0.0
) -> Array:
    """Intensity (n,) of one powder on the grid of the instrument, without background or noise.

    I(2 theta) = sum over lines of m |F|^2 / V^2 LP A p(2 theta - position), p of unit area in degrees; size of the
    crystallites in Angstrom and their strain broaden the lines.
    """
    return simulate_profiles([reflections], [instrument], size=size, strain=strain)[0, ...]


def simulate_profiles(
    powders: Sequence[Reflections],
    instruments: Sequence[Instrument],
    *,
    size: float = math.inf,
    strain: float = 0.0,
) -> Array:
    """Intensities (rows, n), one powder and one instrument a row, as simulate_profile; all on one grid.

    The arrays of the reflections decide the library, the device and the precision of the result. Raises
    ValueError if the instruments do not share range and cut.
    """
    if len({(i.range, i.cut) for i in instruments}) != 1 or len(powders) != len(instruments):
        raise ValueError("profiles simulated together need an instrument for each powder, and one common range and cut")
    pairs = enumerate(zip(powders, instruments, strict=True))
    peaks = join_peaks([show_peaks(place_peaks(p, i, size=size, strain=strain, row=row), i) for row, (p, i) in pairs])
    return sum_peaks(peaks, instruments[0].two_theta, len(powders), instruments[0].cut)


def show_peaks(peaks: Peaks, instrument: Instrument) -> Peaks:
    """Peaks of `place_peaks` with the asymmetry and the alignment of the instrument."""
    return misalign(spread_axially(peaks, instrument.axial), instrument.zero, instrument.displacement)


def even_step(two_theta: NDArray[np.float64]) -> float:
    """Step of an even grid (n,), 0 where it is not even."""
    step = float(two_theta[-1] - two_theta[0]) / (len(two_theta) - 1)
    even = two_theta[0] + step * np.arange(len(two_theta))
    return step if float(np.max(np.abs(two_theta - even))) < _EVEN * step else 0.0


def _sum_compiled(peaks: Peaks, two_theta: NDArray[np.float64], rows: int, cut: float) -> NDArray[Any]:
    from unscatter.powder.pattern.kernels import add_peaks

    total = np.zeros((rows, len(two_theta)))
    position, area, fwhm, eta = (
        np.asarray(column, dtype=np.float64) for column in (peaks.position, peaks.area, peaks.fwhm, peaks.eta)
    )
    row, step = np.asarray(peaks.row), even_step(two_theta)
    add_peaks(total, two_theta, step, position, area, fwhm, eta, row, cut, lorentzian_norm(cut))
    return total.astype(peaks.area.dtype, copy=False)


def _sum_windows(peaks: Peaks, two_theta: Array, rows: int, cut: float) -> Array:
    """The sum with array operations: peaks that reach about as many points are evaluated together."""
    xp = array_namespace(peaks.position)
    grid = xp.asarray(two_theta, dtype=peaks.position.dtype, device=device(peaks.position))
    points = grid.shape[0]
    start = xp.searchsorted(grid, peaks.position - cut * peaks.fwhm)
    count = xp.searchsorted(grid, peaks.position + cut * peaks.fwhm, side="right") - start
    order = xp.argsort(count)
    lengths = np.asarray(count[order].tolist())
    total = xp.zeros(rows * points, dtype=peaks.area.dtype, device=device(peaks.area))
    first = int(np.searchsorted(lengths, 1))
    while first < len(lengths):
        longest = max(8, round(1.25 * lengths[first]))
        last = min(int(np.searchsorted(lengths, longest, side="right")), first + max(1, _CHUNK // longest))
        chosen = order[first:last]
        index = start[chosen, None] + xp.arange(longest, device=device(grid))
        there = index < points
        x = xp.take(grid, xp.reshape(xp.where(there, index, 0), (-1,)))
        x = xp.reshape(x, there.shape) - peaks.position[chosen, None]
        values = pseudo_voigt(x, peaks.fwhm[chosen, None], peaks.eta[chosen, None], cut) * peaks.area[chosen, None]
        places = xp.where(there, index, 0) + peaks.row[chosen, None] * points
        total = _scatter_add(total, places, xp.where(there, values, 0.0))
        first = last
    return xp.reshape(total, (rows, points))


def _scatter_add(total: Array, index: Array, values: Array) -> Array:
    # The array API has no scatter; each library has its own fastest one.
    xp = array_namespace(values)
    index, values = xp.reshape(index, (-1,)), xp.reshape(values, (-1,))
    if is_torch_namespace(xp):
        return total.index_add(0, index, values)
    return total + np.bincount(index, weights=values, minlength=total.shape[0])
