"""What is left of a Laue class on a plane, and whether a class fits a cell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unscatter.laue import LAUE_GROUPS, laue_rotations
from unscatter.nouns.cell import Cell
from unscatter.nouns.plane import PlaneAxes


def class_fits(name: str, cell: Cell, tolerance: float = 0.02) -> bool:
    """Whether a class is a symmetry of the metric of a cell, to a relative tolerance."""
    metric = cell.direct @ cell.direct.T
    lengths = np.sqrt(np.outer(np.diag(metric), np.diag(metric)))
    moved = np.einsum("nji,jk,nkl->nil", laue_rotations(name), metric, laue_rotations(name))
    return bool(np.all(np.abs(moved - metric) <= tolerance * lengths))


def check_class_fits(name: str, cell: Cell) -> None:
    """Raise ValueError if a class is no symmetry of the metric of a cell."""
    if not class_fits(name, cell):
        fitting = [other for other in LAUE_GROUPS if class_fits(other, cell)]
        raise ValueError(
            f"the cell {cell} does not have the symmetry of Laue class {name}; classes that it allows: "
            f"{', '.join(fitting)}"
        )


@dataclass(frozen=True)
class PlaneOperation:
    """A symmetry of I_SRO on a plane in the units of its axes: (x, y)' = matrix (x, y) + shift, up to translations."""

    matrix: NDArray[np.float64]
    shift: NDArray[np.float64]


def plane_group(axes: PlaneAxes, rotations: NDArray[np.int64]) -> list[PlaneOperation]:
    """The 2-D point group of a plane: operations that carry it into itself or into a plane a whole hkl away.

    I_SRO repeats with the reciprocal lattice, so hk1 and hk-1 count as one plane. The identity is among them.
    """
    basis = np.stack([axes.u, axes.v], axis=1)
    normal = np.cross(axes.u, axes.v)
    normal /= np.linalg.norm(normal)
    index = np.arange(-6, 7)
    whole = np.stack(np.meshgrid(index, index, index, indexing="ij"), axis=-1).reshape(-1, 3)
    whole = whole[np.argsort(np.sum(whole**2, axis=1), kind="stable")]
    found = []
    for rotation in rotations:
        moved = (basis.T @ rotation).T
        offset = axes.origin @ rotation - axes.origin
        reachable = whole[np.abs((offset + whole) @ normal) < 1e-5]
        if np.any(np.abs(normal @ moved) > 1e-6) or not len(reachable):
            continue
        matrix = np.linalg.lstsq(basis, moved, rcond=None)[0]
        shift = np.linalg.lstsq(basis, offset + reachable[0], rcond=None)[0]
        found.append(PlaneOperation(matrix, shift))
    return found


def operations_about_origin(axes: PlaneAxes, rotations: NDArray[np.int64]) -> list[NDArray[np.float64]]:
    """The symmetry of I_FF on a plane: matrices on (x, y) from the foot of Q = 0 that carry the plane into itself.

    I_FF does not repeat, so hk1 and hk-1 are two planes here, and only a rotation that keeps the plane counts.
    """
    basis = np.stack([axes.u, axes.v], axis=1)
    normal = np.cross(axes.u, axes.v)
    normal /= np.linalg.norm(normal)
    found: list[NDArray[np.float64]] = []
    for rotation in rotations:
        moved = (basis.T @ rotation).T
        offset = axes.origin @ rotation - axes.origin
        if np.any(np.abs(normal @ moved) > 1e-6) or abs(offset @ normal) > 1e-6:
            continue
        matrix = np.linalg.lstsq(basis, moved, rcond=None)[0]
        if not any(np.allclose(matrix, known, atol=1e-6) for known in found):
            found.append(matrix)
    return found
