"""The profile as machine code: loops over the points that a line reaches, compiled once and kept on disk."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

from unscatter.nouns.arrays import Floats
from unscatter.powder.pattern.profile import FADE

Ints = NDArray[np.int64]
Function = TypeVar("Function", bound=Callable[..., object])

_LN2 = math.log(2)
_ROOT = math.sqrt(math.log(2) / math.pi)
# A Gaussian exp(-y^2) ends here, at 1e-7 of its height.
_GAUSSIAN_REACH = 4.0
# Points of a Gaussian that are computed at once.
_LANES = 8


def compiled(function: Function) -> Function:
    """Compile with numba, without its lock; kept on disk where a folder for that can be found."""
    try:
        return cast(Function, numba.njit(function, cache=True, nogil=True, error_model="numpy"))
    except RuntimeError:  # neither the package nor the home folder can be written to
        return cast(Function, numba.njit(function, nogil=True, error_model="numpy"))


@compiled
def add_peaks(
    total: Floats,
    two_theta: Floats,
    step: float,
    position: Floats,
    area: Floats,
    fwhm: Floats,
    eta: Floats,
    row: Ints,
    cut: float,
    norm: float,
) -> None:
    """Add peaks (m,) to total (rows, n).

    step: of an even grid in degrees, 0 where it is uneven; norm: of the Lorentzian, see pattern.profile.
    """
    lanes = np.empty((2, _LANES))
    for j in range(position.size):
        out, width, share, centre = total[row[j]], fwhm[j], eta[j], position[j]
        first, last = _reached(two_theta, step, centre, cut * width)
        if last <= first:
            continue
        if share > 0:
            height = area[j] * share * 2 / (norm * width)
            _add_lorentzian(out[first:last], two_theta[first:last], centre, 2 / width, height, 2 * cut)
        if share < 1:
            height, scale = area[j] * (1 - share) * 2 * _ROOT / width, 2 * _LN2**0.5 / width
            reach = min(cut * width, _GAUSSIAN_REACH / scale)
            first, last = _reached(two_theta, step, centre, reach)
            _add_gaussian(out, two_theta, step, centre, scale, height, first, last, lanes)


@compiled
def _add_lorentzian(part: Floats, x: Floats, centre: float, scale: float, height: float, edge: float) -> None:
    """Add height (1 - s^2)^2 / (1 + v^2), v = scale |x - centre|, s from 0 at FADE edge to 1 at the edge."""
    whole, steep = FADE * edge, 1 / ((1 - FADE) * edge)
    for i in range(x.size):
        v = abs(x[i] - centre) * scale
        s = max(v - whole, 0.0) * steep
        left = 1 - s * s
        part[i] += height * left * left / (1 + v * v)


@compiled
def _reached(two_theta: Floats, step: float, centre: float, reach: float) -> tuple[int, int]:
    """First point within `reach` of the centre, and the one after the last."""
    n, low, high = two_theta.size, centre - reach, centre + reach
    if step > 0:
        first = math.ceil((low - two_theta[0]) / step)
        last = math.floor((high - two_theta[0]) / step) + 1
        return min(max(0, first), n), max(0, min(n, last))
    return int(np.searchsorted(two_theta, low)), int(np.searchsorted(two_theta, high, "right"))


@compiled
def _add_gaussian(
    out: Floats,
    two_theta: Floats,
    step: float,
    centre: float,
    scale: float,
    height: float,
    first: int,
    last: int,
    lanes: Floats,
) -> None:
    """Add height exp(-y^2), y = scale x; on an even grid by ratios of neighbours, _LANES points side by side."""
    x, part = two_theta[first:last], out[first:last]
    if step == 0 or x.size < 2 * _LANES:
        for i in range(x.size):
            y = (x[i] - centre) * scale
            part[i] += height * math.exp(-y * y)
        return
    # exp(-(y + h)^2) = exp(-y^2) r with r = exp(-h (2 y + h)), and r itself falls by exp(-2 h^2) from step to step.
    values, ratios = lanes[0], lanes[1]
    y, h = (x[0] - centre) * scale, step * scale
    value, ratio, bend = height * math.exp(-y * y), math.exp(-h * (2 * y + h)), math.exp(-2 * h * h)
    # The ratio over eight steps, how it falls from lane to lane and from one leap to the next.
    b4, r4 = bend**4, ratio**4
    root = b4 * b4
    turn, fall = r4 * r4 * root**3 * b4, root**8
    for k in range(_LANES):
        values[k], ratios[k] = value, turn
        value *= ratio
        ratio *= bend
        turn *= root
    for block in range(x.size // _LANES):
        eight = part[block * _LANES : (block + 1) * _LANES]
        for k in range(_LANES):
            eight[k] += values[k]
            values[k] *= ratios[k]
            ratios[k] *= fall
    rest = part[x.size // _LANES * _LANES :]
    for k in range(rest.size):
        rest[k] += values[k]


@compiled
def find_spans(
    two_theta: Floats, step: float, owner: Ints, position: Floats, fwhm: Floats, cut: float, start: Ints, end: Ints
) -> None:
    """First point (n,) that the rays (m,) of each line reach, and the one after the last; 0 and 0 for none.

    fwhm: (n,) of the lines; start must hold the number of points before, end zeros.
    """
    for j in range(owner.size):
        line = owner[j]
        first, last = _reached(two_theta, step, position[j], cut * fwhm[line])
        if last > first:
            start[line], end[line] = min(start[line], first), max(end[line], last)
    for line in range(start.size):
        start[line] = min(start[line], end[line])


@compiled
def fill_columns(
    two_theta: Floats,
    step: float,
    owner: Ints,
    position: Floats,
    share: Floats,
    slope: Floats,
    fwhm: Floats,
    eta: Floats,
    cut: float,
    norm: float,
    start: Ints,
    begin: Ints,
    columns: Floats,
) -> None:
    """Add the rays (m,) of lines (n,) to columns (1 or 4, total): values and derivatives by position, fwhm and eta.

    The column of line i holds the points from start[i] on, in columns[:, begin[i] : begin[i + 1]].
    """
    for j in range(owner.size):
        line = owner[j]
        width, part = fwhm[line], eta[line]
        first, last = _reached(two_theta, step, position[j], cut * width)
        if last <= first:
            continue
        shift = begin[line] - start[line]
        x, column = two_theta[first:last], columns[:, first + shift : last + shift]
        _fill_lorentzian(x, column, position[j], share[j] * 2 / (norm * width), part, width, slope[j], 2 * cut)
        reach = min(cut * width, _GAUSSIAN_REACH * width / (2 * _LN2**0.5))
        first, last = _reached(two_theta, step, position[j], reach)
        x, column = two_theta[first:last], columns[:, first + shift : last + shift]
        _fill_gaussian(x, column, position[j], share[j] * 2 * _ROOT / width, part, width, slope[j])


@compiled
def _fill_lorentzian(
    x: Floats, column: Floats, centre: float, height: float, eta: float, width: float, slope: float, edge: float
) -> None:
    scale, whole, fading = 2 / width, FADE * edge, (1 - FADE) * edge
    for i in range(x.size):
        v = (x[i] - centre) * scale
        q = 1 / (1 + v * v)
        s = max(abs(v) - whole, 0.0) / fading
        left = max(1 - s * s, 0.0)
        value = height * q * left * left
        column[0, i] += eta * value
        if column.shape[0] > 1:
            fall = 4 * s * left / fading
            rise = -height * q * (2 * v * q * left * left + (fall if v > 0 else -fall))
            column[1, i] -= eta * slope * scale * rise
            column[2, i] -= eta * (value + v * rise) / width
            column[3, i] += value


@compiled
def _fill_gaussian(
    x: Floats, column: Floats, centre: float, height: float, eta: float, width: float, slope: float
) -> None:
    scale = 2 * _LN2**0.5 / width
    for i in range(x.size):
        y = (x[i] - centre) * scale
        value = height * math.exp(-y * y)
        column[0, i] += (1 - eta) * value
        if column.shape[0] > 1:
            column[1, i] += (1 - eta) * slope * 2 * y * scale * value
            column[2, i] += (1 - eta) * (2 * y * y - 1) / width * value
            column[3, i] -= value
