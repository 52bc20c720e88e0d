"""The 11 Laue classes as rotations, the orbits of vectors under them, and what is left of a class on a plane.

A rotation R moves a vector between lattice points as v' = R v and indices, as a row, as hkl' = hkl R, so that
hkl . (R v) = (hkl R) . v: a sum over the orbit of v has the symmetry of the class as a function of hkl.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import gemmi
import numpy as np
from numpy.typing import ArrayLike, NDArray

from unscatter.types import Cell, PlaneAxes

#: The 11 Laue classes; monoclinic with unique axis b, trigonal on hexagonal axes, -3m as -3m1.
LAUE_CLASSES: tuple[str, ...] = ("-1", "2/m", "mmm", "4/m", "4/mmm", "-3", "-3m", "6/m", "6/mmm", "m-3", "m-3m")

#: A symmorphic group of every class, and of those that may lie otherwise on the axes.
_GROUPS: dict[str, str] = {
    **{name: f"P {name}" for name in LAUE_CLASSES},
    "2/m": "P 1 2/m 1",
    "-3m": "P -3 m 1",
    "112/m": "P 1 1 2/m",
    "2/m11": "P 2/m 1 1",
    "-31m": "P -3 1 m",
    "-3:R": "R -3:R",
    "-3m:R": "R -3 m:R",
}


@cache
def laue_rotations(name: str) -> NDArray[np.int64]:
    """Rotations (n, 3, 3) of a Laue class on lattice vectors, v' = R v; the identity is the first.

    Besides LAUE_CLASSES there are 112/m and 2/m11 (unique axis c or a), -31m, and -3:R and -3m:R on rhombohedral axes.

    >>> [len(laue_rotations(name)) for name in LAUE_CLASSES]
    [2, 4, 8, 8, 16, 6, 12, 12, 24, 24, 48]

    Raises ValueError for a name that is not known.
    """
    if name not in _GROUPS:
        raise ValueError(f"no Laue class is called {name!r}; there are {', '.join(_GROUPS)}")
    operations = gemmi.SpaceGroup(_GROUPS[name]).operations().sym_ops
    return np.array([operation.rot for operation in operations], dtype=np.int64) // gemmi.Op.DEN


def class_fits(name: str, cell: Cell, tolerance: float = 0.02) -> bool:
    """Whether a class is a symmetry of the metric of a cell, to a relative tolerance."""
    metric = cell.direct @ cell.direct.T
    lengths = np.sqrt(np.outer(np.diag(metric), np.diag(metric)))
    moved = np.einsum("nji,jk,nkl->nil", laue_rotations(name), metric, laue_rotations(name))
    return bool(np.all(np.abs(moved - metric) <= tolerance * lengths))


def check_class_fits(name: str, cell: Cell) -> None:
    """Raise ValueError if a class is no symmetry of the metric of a cell."""
    if not class_fits(name, cell):
        fitting = [other for other in _GROUPS if class_fits(other, cell)]
        raise ValueError(
            f"the cell {cell} does not have the symmetry of Laue class {name}; classes that it allows: "
            f"{', '.join(fitting)}"
        )


def orbit(vector: ArrayLike, rotations: NDArray[np.int64]) -> NDArray[np.int64]:
    """All different R v, sorted, (n, 3).

    The six-fold axis takes (u, v) to (u - v, u), so in 6/m the vectors (3, 1) and (3, 2) are not equivalent:

    >>> [2, 3, 0] in orbit([3, 1, 0], laue_rotations("6/m")).tolist()
    True
    >>> [3, 2, 0] in orbit([3, 1, 0], laue_rotations("6/m")).tolist()
    False
    """
    return np.unique(rotations @ np.asarray(vector, dtype=np.int64), axis=0)


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
