"""Vectors between sites as planes see them: what tells them apart, and up to which length pixels resolve them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unscatter.diffuse.plane.fold import plane_lattice
from unscatter.nouns.arrays import Floats
from unscatter.nouns.cell import Cell
from unscatter.nouns.plane import PlaneAxes

#: Where the list that the data choose from ends: waves of so many periods a pixel.
FINEST_WAVE = 1.0
#: The list goes at least so far, in shortest edges of the cell.
LEAST_SHORTEST = 5.5
#: In three dimensions, the longest vectors that are tried, in shortest edges of the cell.
MOST_SHORTEST = 6.0


def common_row(planes: Sequence[PlaneAxes]) -> Floats:
    """The row of the direct lattice along which no plane varies, in lattice units: [0 0 1] for planes hk*l*.

    Vectors that differ by it make one wave. Raises ValueError if the planes have different normals.
    """
    rows = [np.cross(axes.u, axes.v) for axes in planes]
    units = [row / np.linalg.norm(row) for row in rows]
    if any(np.linalg.norm(np.cross(units[0], unit)) > 1e-6 for unit in units):
        raise ValueError(
            "planes with different normals see order along each other's normal: refine them with --no-in-plane "
            "(in_plane=False)"
        )
    return np.where(np.abs(units[0]) < 1e-9, 0.0, units[0])


def sees_all_directions(planes: Sequence[PlaneAxes]) -> bool:
    """Whether planes together tell vectors apart that differ along a normal: other normals, other levels, or no row."""
    if any(plane_lattice(axes) is None for axes in planes):
        return True
    row = np.cross(planes[0].u, planes[0].v)
    if any(np.linalg.norm(np.cross(row, np.cross(axes.u, axes.v))) > 1e-6 for axes in planes):
        return True
    step = smallest_step(row)
    levels = [float(axes.origin @ step) for axes in planes]
    return any(abs((level - levels[0] + 0.5) % 1 - 0.5) > 1e-4 for level in levels)


def smallest_step(row: Floats) -> NDArray[np.int64]:
    """The shortest lattice vector along a row."""
    scaled = row / np.abs(row).max()
    for number in range(1, 25):
        whole = np.rint(scaled * number)
        if np.allclose(whole, scaled * number, atol=1e-6 * number):
            return np.asarray(whole // np.gcd.reduce(whole.astype(np.int64)), dtype=np.int64)
    return np.zeros(3, dtype=np.int64)


@dataclass(frozen=True)
class SeenVectors:
    """Vectors as the planes see them: all, or in rows along the normal (one of each stands for its row)."""

    axes: PlaneAxes
    cell: Cell
    row: Floats | None

    def key(self, vector: NDArray[np.int64]) -> tuple[int, ...]:
        """What tells vectors apart."""
        if self.row is None:
            return tuple(int(c) for c in vector)
        return round(float(vector @ self.axes.u) * 1e5), round(float(vector @ self.axes.v) * 1e5)

    def length(self, vectors: NDArray[np.int64]) -> Floats:
        """Length in Angstrom, of the part in the plane where rows are seen."""
        straight = np.asarray(vectors, dtype=np.float64) @ self.cell.direct
        if self.row is not None:
            along = self.row @ self.cell.direct
            along = along / np.linalg.norm(along)
            straight = straight - np.outer(straight @ along, along)
        return np.asarray(np.linalg.norm(straight, axis=1))

    def _away(self, vectors: NDArray[np.int64]) -> Floats:
        """What tells which vector names a row: it has no index along an axis, and lies in the plane along others."""
        if self.row is not None and np.count_nonzero(self.row) == 1:
            return np.asarray(np.abs(vectors @ np.abs(np.sign(self.row))), dtype=np.float64)
        return np.asarray(np.round(np.linalg.norm(vectors @ self.cell.direct, axis=1), 4))

    def listed(self, radius: float) -> NDArray[np.int64]:
        """All vectors up to a length but the origin, nearest first, one for each row."""
        spacing = 1 / np.linalg.norm(self.cell.reciprocal / (2 * np.pi), axis=1)
        if self.row is None:
            tops = np.ceil(radius / spacing).astype(int)
        else:
            # A vector of a row that lies nearest to the plane is out of it by half a step of the row at most.
            step = np.linalg.norm(smallest_step(self.row) @ self.cell.direct)
            tops = np.ceil(np.hypot(radius, step) / spacing).astype(int)
        grid = [np.arange(-top, top + 1) for top in tops]
        flat = np.stack(np.meshgrid(*grid, indexing="ij"), axis=-1).reshape(-1, 3)
        length = self.length(flat)
        near = (length <= radius * (1 + 1e-6)) & (length > 1e-6 * self.cell.a)
        flat, length = flat[near], length[near]
        # Equal lengths in a fixed order, as tables list them: few minus signs, then the larger first index first.
        signs = np.sum(flat < 0, axis=1)
        order = np.lexsort((flat[:, 1], -flat[:, 0], signs, self._away(flat), np.round(length, 4)))
        flat = flat[order]
        if self.row is None:
            return np.asarray(flat)
        keys = np.stack([np.rint(flat @ self.axes.u * 1e5), np.rint(flat @ self.axes.v * 1e5)], axis=1)
        return np.asarray(flat[np.sort(np.unique(keys, axis=0, return_index=True)[1])])


def resolved_length(planes: Sequence[PlaneAxes], cell: Cell, seen: SeenVectors) -> float:
    """Length in Angstrom up to which every wave has FINEST_WAVE periods a pixel at most on one of the planes."""
    found = 0.0
    for axes in planes:
        steps = [(axes.x[1] - axes.x[0]) * axes.u, (axes.y[1] - axes.y[0]) * axes.v]
        lengths = [FINEST_WAVE * 2 * np.pi / float(np.linalg.norm(step @ cell.reciprocal)) for step in steps]
        found = max(found, *lengths)
    edges = np.linalg.norm(cell.direct, axis=1)
    # Coarse pixels sample waves too: those of near vectors count even where they are finer.
    found = max(found, LEAST_SHORTEST * float(edges.min()))
    return min(found, MOST_SHORTEST * float(edges.min())) if seen.row is None else found


def told_apart_by_pixels(members: list[NDArray[np.int64]], planes: Sequence[PlaneAxes]) -> list[NDArray[np.int64]]:
    """Leave out orbits whose waves are those of a shorter vector at every pixel: where a cell is few whole pixels."""
    kept, known = [], [np.empty((0, 2)) for _ in planes]
    for orbit_ in members:
        waves = [_periods_a_pixel(orbit_, axes) for axes in planes]
        if any(not _alike(one, old, axes) for one, old, axes in zip(waves, known, planes, strict=True)):
            kept.append(orbit_)
            known = [np.concatenate([old, one]) for one, old in zip(waves, known, strict=True)]
    return kept


def _periods_a_pixel(members: NDArray[np.int64], axes: PlaneAxes) -> Floats:
    steps = np.stack([(axes.x[1] - axes.x[0]) * axes.u, (axes.y[1] - axes.y[0]) * axes.v], axis=1)
    return np.asarray(np.concatenate([members @ steps, -members @ steps]))


def _alike(waves: Floats, known: Floats, axes: PlaneAxes) -> bool:
    """Whether the first wave is a known one at every pixel: they differ by less than half a period over the plane."""
    apart = known - waves[0]
    apart = np.abs(apart - np.round(apart)) * [axes.x.size, axes.y.size]
    return bool(np.any(np.all(apart < 0.5, axis=1)))


def vector_name(vector: NDArray[np.int64]) -> str:
    """The vector as notes and labels write it, such as (1 0 -1)."""
    return "(" + " ".join(str(int(c)) for c in vector) + ")"
