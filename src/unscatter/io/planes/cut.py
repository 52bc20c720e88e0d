"""Cut a plane out of a volume: any plane, by linear interpolation that invents nothing."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import combinations, product

import numpy as np
from numpy.typing import NDArray

from unscatter.io.hdf5 import LARGEST_READ, require_size
from unscatter.io.planes.asked import Zeros
from unscatter.io.planes.grids import StoredArray
from unscatter.io.planes.missing import Block, describe_missing
from unscatter.io.planes.notation import Section
from unscatter.io.planes.zeros import judge_zeros
from unscatter.nouns.plane import Plane, PlaneAxes
from unscatter.nouns.volume import Volume

#: A point this close to a layer, in voxels, lies on it: axes kept as float32 are not sharper than that.
_ON_LAYER = 1e-4
#: Rows interpolated together: enough to read the disk in blocks, few enough to hold a thin slab in memory.
_ROWS = 32
#: Voxels that are read at once.
_LARGEST_SLAB = 4 * LARGEST_READ

_Vector = NDArray[np.float64]


def cut_plane(volume: Volume, section: Section, *, zeros: Zeros = "measured") -> Plane:
    """Cut a plane out of a volume.

    Pixels are as far apart as the voxels that the plane passes. A pixel on a voxel takes its value; any
    other is interpolated linearly between the nearest layers (between 2, 4 or 8 voxels), and is NaN, not
    measured, if one of them is. zeros: what voxels of exactly zero are, see `judge_zeros`; "auto" decides on the layers
    that a plane parallel to two axes lies between, and on the plane itself elsewhere.
    Raises ValueError with the range that is there if the plane does not pass through the volume.
    """
    axes = _pixel_axes(volume, section)
    require_size(axes.shape, "the plane", volume.source or "this volume")
    thin = _thin_axis(volume, section)
    clean = _Cleaning(zeros if thin is not None or zeros == "missing" else "measured", thin)
    count = axes.y.size if thin is not None else _ROWS
    rows = [axes.y[first : first + count] for first in range(0, axes.y.size, count)]
    intensity = np.concatenate([_interpolate(volume, _points(volume, section, axes.x, y), clean) for y in rows])
    notes = [*volume.notes, *describe_missing(clean.tally, max(clean.read, 1)), *clean.words]
    if thin is None and zeros == "auto":
        judged = judge_zeros(intensity)
        intensity = np.where(judged.gaps, np.nan, intensity)
        notes += [judged.words] if judged.words else []
    return Plane(
        intensity,
        axes,
        volume.cell,
        volume.title,
        simulated=volume.simulated,
        source=volume.source,
        notes=tuple(dict.fromkeys(notes)),
    )


@dataclass
class _Cleaning:
    """What is done to each block that is read, and what was found in it. thin: axis of l, k, h across the layers."""

    zeros: Zeros
    thin: int | None
    tally: Counter[str] = field(default_factory=Counter)
    words: list[str] = field(default_factory=list)
    read: int = 0

    def __call__(self, block: Block) -> NDArray[np.float64]:
        """Return the values, NaN where zeros are gaps."""
        self.tally.update(block.tally)
        self.read += block.values.size
        values = np.array(block.values, dtype=np.float64)
        if self.thin is None:
            return np.where(values == 0, np.nan, values) if self.zeros == "missing" else values
        for layer in np.moveaxis(values, self.thin, 0):
            judged = judge_zeros(layer, self.zeros)
            layer[judged.gaps] = np.nan
            self.words += [judged.words] if judged.words else []
        return values


def _thin_axis(volume: Volume, section: Section) -> int | None:
    """Axis of l, k, h along which a plane does not run, counted in voxels; None for a plane that runs along all."""
    _, u, v = _in_voxels(volume, section)
    flat = [2 - i for i in range(3) if abs(u[i]) < 1e-9 and abs(v[i]) < 1e-9]
    return flat[0] if flat else None


def lone_layer(volume: Volume) -> Section | None:
    """Give the plane of a volume that is a single layer along one axis; None for any other volume."""
    thin = [i for i, axis in enumerate((volume.h, volume.k, volume.l)) if axis.size == 1]
    if len(thin) != 1:
        return None
    u, v = (volume.basis[i] for i in range(3) if i != thin[0])
    value = (volume.h, volume.k, volume.l)[thin[0]][0]
    return Section(value * volume.basis[thin[0]], u, v)


def _grid(volume: Volume) -> tuple[_Vector, _Vector, NDArray[np.int_]]:
    """First value, step and number of voxels along h, k, l."""
    axes = (volume.h, volume.k, volume.l)
    count = np.array([axis.size for axis in axes])
    first, last = (np.array([axis[end] for axis in axes]) for end in (0, -1))
    # An axis of one layer has no step: any will do.
    return first, np.where(count > 1, (last - first) / np.maximum(count - 1, 1), 1.0), count


def _in_voxels(volume: Volume, section: Section) -> tuple[_Vector, _Vector, _Vector]:
    """Origin, u and v of a section counted in voxels along h, k, l."""
    first, step, _ = _grid(volume)
    inverse = np.linalg.inv(volume.basis)
    return (section.origin @ inverse - first) / step, section.u @ inverse / step, section.v @ inverse / step


def _pixel_axes(volume: Volume, section: Section) -> PlaneAxes:
    origin, u, v = _in_voxels(volume, section)
    corners = _corners(origin, u, v, _grid(volume)[2] - 1)
    if corners.size == 0:
        raise ValueError(_no_such_plane(volume, section))
    x, y = (_steps(origin, vector, corners[:, i]) for i, vector in enumerate((u, v)))
    if min(x.size, y.size) < 2:
        raise ValueError(_no_such_plane(volume, section))
    return PlaneAxes(section.origin, section.u, section.v, x, y)


def _corners(origin: _Vector, u: _Vector, v: _Vector, top: NDArray[np.int_]) -> NDArray[np.float64]:
    """Corners (n, 2) in x and y of the polygon in which origin + x u + y v crosses the box from 0 to top."""
    found = []
    for i, j in combinations(range(3), 2):
        matrix = np.array([[u[i], v[i]], [u[j], v[j]]])
        if abs(np.linalg.det(matrix)) < 1e-9:
            continue
        for edges in product((0, top[i]), (0, top[j])):
            xy = np.linalg.solve(matrix, np.array(edges) - origin[[i, j]])
            point = origin + xy[0] * u + xy[1] * v
            if np.all((point > -_ON_LAYER) & (point < top + _ON_LAYER)):
                found.append(xy)
    return np.array(found)


def _steps(origin: _Vector, vector: _Vector, ends: _Vector) -> _Vector:
    """Positions along a vector, between the ends, on the layers of the axis with the finest voxels."""
    finest = int(np.argmax(np.abs(vector)))
    per_unit = abs(vector[finest])
    shift = np.sign(vector[finest]) * origin[finest]
    low, high = np.min(ends) * per_unit + shift, np.max(ends) * per_unit + shift
    layers = np.arange(np.ceil(low - _ON_LAYER), np.floor(high + _ON_LAYER) + 1)
    return np.asarray((layers - shift) / per_unit)


def _points(volume: Volume, section: Section, x: _Vector, y: _Vector) -> NDArray[np.float64]:
    """Positions of pixels in voxels along l, k, h: (3, ny, nx)."""
    origin, u, v = _in_voxels(volume, section)
    points = origin[:, None, None] + u[:, None, None] * x + v[:, None, None] * y[:, None]
    nearest = np.rint(points)
    return np.where(np.abs(points - nearest) < _ON_LAYER, nearest, points)[::-1]


def _interpolate(volume: Volume, points: NDArray[np.float64], clean: _Cleaning) -> NDArray[np.float64]:
    """Values at positions in voxels, NaN outside the volume and beside a voxel that was not measured."""
    from scipy.ndimage import map_coordinates

    top = _grid(volume)[2][::-1, None, None] - 1
    inside = np.all((points >= 0) & (points <= top), axis=0)
    values = np.full(points.shape[1:], np.nan)
    if not inside.any():
        return values
    wanted = points[:, inside]
    low, high = np.floor(wanted.min(axis=1)).astype(int), np.ceil(wanted.max(axis=1)).astype(int)
    slab = clean(_read_block(volume, low, high))
    missing = ~np.isfinite(slab)
    slab[missing] = 0.0
    wanted = wanted - low[:, None]
    values[inside] = map_coordinates(slab, wanted, order=1, mode="nearest")
    if missing.any():
        share = map_coordinates(missing.astype(np.float64), wanted, order=1, mode="nearest")
        values[inside] = np.where(share > 1e-9, np.nan, values[inside])
    return values


def _read_block(volume: Volume, low: NDArray[np.int_], high: NDArray[np.int_]) -> Block:
    """The voxels from low to high along l, k, h."""
    count = int(np.prod(high - low + 1))
    if count > _LARGEST_SLAB:
        raise ValueError(
            f"{volume.source}: a plane as oblique as this needs {count:.3g} voxels at a time; at most {_LARGEST_SLAB} "
            "are read: bin the volume first, or choose a plane such as hk1"
        )
    slices = tuple(slice(a, b + 1) for a, b in zip(low, high, strict=True))
    if isinstance(volume.intensity, StoredArray):
        return volume.intensity.block(slices)
    return Block(np.asarray(volume.intensity[slices], dtype=np.float64))


def _no_such_plane(volume: Volume, section: Section) -> str:
    names = ["h", "k", "l"]
    if not np.allclose(volume.basis, np.eye(3)):
        names = ["(" + " ".join(f"{c:g}" for c in row) + ")" for row in volume.basis]
    axes = zip(names, (volume.h, volume.k, volume.l), strict=True)
    ranges = ", ".join(f"{name} {axis[0]:g} to {axis[-1]:g}" for name, axis in axes)
    what = section.name or f"origin {section.origin}, u {section.u}, v {section.v}"
    return f'no plane "{what}" in {volume.source or "this volume"}, which covers {ranges}: choose a plane within'
