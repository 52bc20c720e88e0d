"""Carry a plane of any size and shape onto the network's square canvas and its answer back."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.sparse import csr_array

from unscatter.diffuse.plane.planes import cartesian_axes
from unscatter.nouns.arrays import Floats
from unscatter.nouns.cell import Cell
from unscatter.nouns.plane import PlaneAxes


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
        step = 2 * self.half / (self.pixels - 1)
        # An odd number of pixels: an even one would shift the plane by half a pixel.
        size = [2 * int(float(np.linalg.norm(row[:2])) * step / 2) + 1 for row in self.to_pixels[::-1]]
        rows, columns = self.window(plane.shape, max(size) // 2 + 2)
        part = plane[rows, columns]
        if not part.size:
            return np.zeros((self.pixels,) * 2), np.zeros((self.pixels,) * 2)
        measured = np.isfinite(part).astype(np.float64)
        intensity = np.where(measured > 0, part, 0.0)
        if max(size) > 1:
            intensity, measured = (ndimage.uniform_filter(a, size, mode="nearest") for a in (intensity, measured))
        x, y = np.meshgrid(self.x, self.y)
        place = np.tensordot(self.to_pixels, np.stack([x, y, np.ones_like(x)]), axes=1)
        index = [place[1] - rows.start, place[0] - columns.start]
        total, weight = (ndimage.map_coordinates(a, index, order=1, mode="constant") for a in (intensity, measured))
        seen = weight > 0.5
        return np.where(seen, total / np.where(seen, weight, 1.0), 0.0), seen.astype(np.float64)

    def window(self, shape: tuple[int, ...], margin: int = 0) -> tuple[slice, slice]:
        """Rows and columns of a plane of `shape` that the canvas lies over, and so many more on each side."""
        edges = np.array([-self.half, self.half])
        x, y = np.meshgrid(self.centre[0] + edges, self.centre[1] + edges)
        columns, rows = np.tensordot(self.to_pixels, np.stack([x, y, np.ones_like(x)]), axes=1)
        low = [max(int(np.floor(place.min())) - margin, 0) for place in (rows, columns)]
        high = [min(int(np.ceil(place.max())) + margin + 1, n) for place, n in zip((rows, columns), shape, strict=True)]
        return slice(low[0], max(high[0], low[0])), slice(low[1], max(high[1], low[1]))

    def read_back(self, painted: Floats, shape: tuple[int, int]) -> Floats:
        """Values of a canvas on the pixels of the plane, (ny, nx), by cubic interpolation; NaN off the canvas."""
        values = np.full(shape, np.nan)
        window = self.window(shape, 1)
        values[window] = self.read_window(painted, window)
        return values

    def read_window(self, painted: Floats, window: tuple[slice, slice]) -> Floats:
        """`read_back` for some rows and columns of the plane alone."""
        rows, columns = (np.arange(part.start, part.stop, dtype=float) for part in window)
        inverse = np.linalg.inv(self.to_pixels[:, :2])
        offset = self.to_pixels[:, 2]
        step = 2 * self.half / (self.pixels - 1)
        columns, rows = columns - offset[0], rows - offset[1]
        start = [self.half - self.centre[i] for i in (0, 1)]
        if abs(inverse[0, 1]) + abs(inverse[1, 0]) < 1e-12 * np.abs(inverse).max():
            along_y, along_x = (rows * inverse[1, 1] + start[1]) / step, (columns * inverse[0, 0] + start[0]) / step
            values = _interpolate_grid(painted, along_y, along_x)
            values[~self._holds(along_y)] = np.nan
            values[:, ~self._holds(along_x)] = np.nan
            return values
        position = np.tensordot(inverse, np.stack(np.meshgrid(columns, rows)), axes=1)
        index = [(position[i] + start[i]) / step for i in (1, 0)]
        values = ndimage.map_coordinates(painted, index, order=3, mode="nearest")
        inside = self._holds(index[0]) & self._holds(index[1])
        return np.where(inside, values, np.nan)

    def _holds(self, index: Floats) -> NDArray[np.bool_]:
        # Half a pixel of extrapolation is rounding, more is another tile's business.
        return np.asarray((index > -0.51) & (index < self.pixels - 0.49))


def spread_blocks(averaged: Floats, factor: int, shape: tuple[int, ...]) -> Floats:
    """Values on the pixels of a plane (ny, nx) from means over blocks of factor x factor, by cubic interpolation."""
    if factor == 1:
        return averaged
    rows, columns = ((np.arange(n) + 0.5) / factor - 0.5 for n in shape)
    return _interpolate_grid(averaged, rows, columns)


def _interpolate_grid(image: Floats, rows: Floats, columns: Floats) -> Floats:
    """What map_coordinates of order 3 gives on a grid of rows and columns: two products with sparse matrices."""
    # As map_coordinates does: the edge goes on for a few pixels, so that the spline does not turn at it.
    pad = 12
    padded = np.pad(image, pad, mode="edge")
    coefficients = ndimage.spline_filter(padded, order=3, mode="nearest")
    by_row, by_column = (
        _cubic_weights(np.clip(index + pad, 1, n + 2 * pad - 3), n + 2 * pad)
        for index, n in zip((rows, columns), image.shape, strict=True)
    )
    return np.asarray(by_row @ (by_column @ coefficients.T).T)


def _cubic_weights(index: Floats, count: int) -> csr_array:
    """Values of the cubic B-splines on `count` knots at some positions, (n, count), four of which are not zero."""
    knots = np.floor(index).astype(int)[:, None] + np.arange(-1, 3)
    distance = np.abs(index[:, None] - knots)
    near, far = 2 / 3 - distance**2 + distance**3 / 2, np.clip(2 - distance, 0, None) ** 3 / 6
    starts = np.arange(0, 4 * index.size + 1, 4)
    return csr_array((np.where(distance < 1, near, far).ravel(), knots.ravel(), starts), shape=(index.size, count))


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
