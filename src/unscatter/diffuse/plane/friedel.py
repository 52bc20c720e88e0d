"""Friedel's law on a plane: where Q was not measured and -Q was, the intensity is known."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from unscatter.nouns.arrays import Floats, Mask
from unscatter.nouns.cell import Cell
from unscatter.nouns.plane import PlaneAxes

#: How far a plane may pass from Q = 0, as a share of its own reach, and still go through it.
THROUGH = 1e-4
#: A picture is centred where pairs differ, noise apart, by less than this share of their sum and a tenth of the noise,
#: and where so many pairs, as a share of the pixels, were measured.
ALIKE, PAIRS = 0.02, 0.1


def beam_pixel(axes: PlaneAxes, cell: Cell) -> tuple[float, float] | None:
    """Column and row of Q = 0; None for a plane that does not go through it."""
    units = np.stack([axes.u, axes.v]) @ cell.reciprocal
    origin = axes.origin @ cell.reciprocal
    place = -np.linalg.lstsq(units.T, origin, rcond=None)[0]
    reach = max(float(np.linalg.norm(unit) * np.ptp(axis)) for unit, axis in zip(units, (axes.x, axes.y), strict=True))
    if np.linalg.norm(origin + place @ units) > THROUGH * reach:
        return None
    steps = axes.x[1] - axes.x[0], axes.y[1] - axes.y[0]
    return float((place[0] - axes.x[0]) / steps[0]), float((place[1] - axes.y[0]) / steps[1])


def fill_from_mates(intensity: Floats, centre: tuple[float, float]) -> Floats:
    """The plane (ny, nx) with every gap (NaN) filled from the pixel opposite, where that was measured.

    centre: column and row of Q = 0. Between pixels the mate is interpolated linearly.
    """
    return np.where(np.isfinite(intensity), intensity, _opposite(intensity, centre))


def _opposite(intensity: Floats, centre: tuple[float, float]) -> Floats:
    """The plane turned by 180 degrees about a point, NaN where nothing was measured there."""
    measured = np.isfinite(intensity)
    sums = 2 * centre[1], 2 * centre[0]
    whole = [round(total) for total in sums]
    if max(abs(total - near) for total, near in zip(sums, whole, strict=True)) < 0.02:
        rows, columns = (near - np.arange(n) for near, n in zip(whole, intensity.shape, strict=True))
        known = [(index >= 0) & (index < n) for index, n in zip((rows, columns), intensity.shape, strict=True)]
        turned = intensity[np.ix_(np.where(known[0], rows, 0), np.where(known[1], columns, 0))]
        return np.where(np.logical_and.outer(*known), turned, np.nan)
    index = np.meshgrid(*(total - np.arange(n) for total, n in zip(sums, intensity.shape, strict=True)), indexing="ij")
    values, weight = (
        ndimage.map_coordinates(layer, index, order=1, mode="constant")
        for layer in (np.where(measured, intensity, 0.0), measured.astype(np.float64))
    )
    return np.where(weight > 0.99, values, np.nan)


def picture_centre(intensity: Floats, noise: float) -> tuple[float, float] | None:
    """The point near the middle of a picture about which it is the same turned by 180 degrees; None if there is none.

    noise: relative residual that the noise of pixels leaves. A plane that does not go through Q = 0 need not have one.
    """
    rows, columns = intensity.shape
    best, found = ALIKE + 0.1 * noise, None
    for down in (0.0, 0.5, -0.5):
        for along in (0.0, 0.5, -0.5):
            centre = ((columns - 1) / 2 + along, (rows - 1) / 2 + down)
            differ = _difference(intensity, _opposite(intensity, centre))
            # The difference of two pixels has the noise of both, their sum twice the intensity.
            excess = float(np.sqrt(max(differ**2 - noise**2 / 2, 0.0)))
            if excess < best:
                best, found = excess, centre
    return found


def _difference(one: Floats, other: Floats) -> float:
    """Sum of |a - b| over that of a + b, of pixels that both have; 1 where those are few."""
    both: Mask = np.isfinite(one) & np.isfinite(other)
    total = float((one + other)[both].sum())
    if both.mean() < PAIRS or total <= 0:
        return 1.0
    return float(np.abs(one - other)[both].sum()) / total
