"""Carry a plane of any size and shape onto the network's square canvas and its answer back."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from unscatter.diffuse.plane.planes import cartesian_axes
from unscatter.nouns.cell import Cell
from unscatter.nouns.plane import PlaneAxes

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Canvas:
    """A square grid of pixels laid over a plane: which canvas pixel lies where.

    centre: (2,), half: half the edge, both in canvas units along its x and y; to_pixels: (2, 3) affine map from
    (x, y, 1) in canvas units to (column, row) of the plane; axes: of the canvas in hkl, where the lattice is known.
    """

    centre: tuple[float, float]
    half: float
    pixels: int
    to_pixels: Floats
    frame: tuple[Floats, Floats, Floats] | None = None

    @property
    def x(self) -> Floats:
        """Positions of the columns, (pixels,)."""
        return np.linspace(self.centre[0] - self.half, self.centre[0] + self.half, self.pixels)

    @property
    def y(self) -> Floats:
        """Positions of the rows, (pixels,)."""
        return np.linspace(self.centre[1] - self.half, self.centre[1] + self.half, self.pixels)

    @property
    def axes(self) -> PlaneAxes | None:
        """The canvas as axes in reciprocal-lattice units; x and y are in 1/Angstrom."""
        return None if self.frame is None else PlaneAxes(*self.frame, self.x, self.y)

    def paint(self, plane: Floats) -> tuple[Floats, Floats]:
        """Resample a plane with gaps (NaN): intensity (0 in gaps) and the fraction measured, (pixels, pixels) each.

        Averages where the plane has more pixels than the canvas, interpolates linearly where it has fewer.
        """
        measured = np.isfinite(plane).astype(np.float64)
        intensity = np.where(measured > 0, plane, 0.0)
        step = 2 * self.half / (self.pixels - 1)
        # An odd number of pixels: an even one would shift the plane by half a pixel.
        size = [2 * int(float(np.linalg.norm(row[:2])) * step / 2) + 1 for row in self.to_pixels[::-1]]
        if max(size) > 1:
            intensity, measured = (ndimage.uniform_filter(a, size, mode="nearest") for a in (intensity, measured))
        x, y = np.meshgrid(self.x, self.y)
        columns, rows = np.tensordot(self.to_pixels, np.stack([x, y, np.ones_like(x)]), axes=1)
        total, weight = (
            ndimage.map_coordinates(a, [rows, columns], order=1, mode="constant") for a in (intensity, measured)
        )
        seen = weight > 0.5
        return np.where(seen, total / np.where(seen, weight, 1.0), 0.0), seen.astype(np.float64)

    def read_back(self, painted: Floats, shape: tuple[int, int]) -> Floats:
        """Values of a canvas on the pixels of the plane, (ny, nx), by cubic interpolation; NaN off the canvas."""
        columns, rows = np.meshgrid(np.arange(shape[1], dtype=float), np.arange(shape[0], dtype=float))
        inverse = np.linalg.inv(self.to_pixels[:, :2])
        offset = self.to_pixels[:, 2]
        position = np.tensordot(inverse, np.stack([columns - offset[0], rows - offset[1]]), axes=1)
        step = 2 * self.half / (self.pixels - 1)
        index = [(position[i] - self.centre[i] + self.half) / step for i in (1, 0)]
        values = ndimage.map_coordinates(painted, index, order=3, mode="nearest")
        # Half a pixel of extrapolation is rounding, more is another tile's business.
        inside = np.all([(i > -0.51) & (i < self.pixels - 0.49) for i in index], axis=0)
        return np.where(inside, values, np.nan)


def canvas_with_lattice(axes: PlaneAxes, cell: Cell, pixels: int) -> Canvas:
    """Canvas in Cartesian 1/Angstrom over a whole plane, x along its first axis, as in training."""
    origin, u, v = cartesian_axes(cell, axes.origin, axes.u, axes.v)
    # Position of a canvas point in the plane's own axes, then in pixels.
    basis = np.stack([axes.u, axes.v], axis=1)
    in_axes = np.linalg.lstsq(basis, np.stack([u, v, origin - axes.origin], axis=1), rcond=None)[0]
    step = np.array([axes.x[1] - axes.x[0], axes.y[1] - axes.y[0]])
    start = np.array([axes.x[0], axes.y[0]])
    in_axes[:, 2] -= start
    to_pixels = in_axes / step[:, None]
    return _fit(to_pixels, axes.shape, pixels, (origin, u, v))


def canvas_without_lattice(shape: tuple[int, int], pixels: int) -> Canvas:
    """Canvas in pixels of the plane over a whole plane."""
    return _fit(np.eye(2, 3), shape, pixels, None)


def _fit(to_pixels: Floats, shape: tuple[int, int], pixels: int, frame: tuple[Floats, Floats, Floats] | None) -> Canvas:
    """The smallest square that holds all corners of the plane."""
    corners = np.array([(c, r) for c in (0, shape[1] - 1) for r in (0, shape[0] - 1)], dtype=float)
    points = np.linalg.solve(to_pixels[:, :2], (corners - to_pixels[:, 2]).T)
    low, high = points.min(axis=1), points.max(axis=1)
    centre = (low + high) / 2
    return Canvas((float(centre[0]), float(centre[1])), float((high - low).max()) / 2, pixels, to_pixels, frame)


def tiles(canvas: Canvas, largest_half: float, overlap: float = 0.25) -> Iterator[Canvas]:
    """Cover a canvas with smaller ones of half edge at most largest_half that overlap, itself if it is small enough."""
    if canvas.half <= largest_half:
        yield canvas
        return
    count = math.ceil((canvas.half - overlap * largest_half) / (largest_half * (1 - overlap)))
    reach = canvas.half - largest_half
    for offset_y in np.linspace(-reach, reach, count):
        for offset_x in np.linspace(-reach, reach, count):
            centre = (canvas.centre[0] + float(offset_x), canvas.centre[1] + float(offset_y))
            yield replace(canvas, centre=centre, half=largest_half)


def tile_weight(pixels: int) -> Floats:
    """Weight that falls towards the border of a tile, so that tiles blend into each other, (pixels, pixels)."""
    ramp = np.clip(np.minimum(np.arange(pixels), np.arange(pixels)[::-1]) / (0.125 * pixels), 0.02, 1.0)
    return np.outer(ramp, ramp)
