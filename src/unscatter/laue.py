"""The 11 Laue classes as rotations, the orbits of vectors under them, and what is left of a class on a plane.

A rotation R moves a vector between lattice points as v' = R v and indices, as a row, as hkl' = hkl R, so that
hkl . (R v) = (hkl R) . v: a sum over the orbit of v has the symmetry of the class as a function of hkl.
"""

from __future__ import annotations

from functools import cache

import gemmi
import numpy as np
from numpy.typing import ArrayLike, NDArray

#: The 11 Laue classes; monoclinic with unique axis b, trigonal on hexagonal axes, -3m as -3m1.
LAUE_CLASSES: tuple[str, ...] = ("-1", "2/m", "mmm", "4/m", "4/mmm", "-3", "-3m", "6/m", "6/mmm", "m-3", "m-3m")

#: A symmorphic group of every class, and of those that may lie otherwise on the axes.
LAUE_GROUPS: dict[str, str] = {
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
    if name not in LAUE_GROUPS:
        raise ValueError(f"no Laue class is called {name!r}; there are {', '.join(LAUE_GROUPS)}")
    operations = gemmi.SpaceGroup(LAUE_GROUPS[name]).operations().sym_ops
    return np.array([operation.rot for operation in operations], dtype=np.int64) // gemmi.Op.DEN


def orbit(vector: ArrayLike, rotations: NDArray[np.int64]) -> NDArray[np.int64]:
    """All different R v, sorted, (n, 3).

    The six-fold axis takes (u, v) to (u - v, u), so in 6/m the vectors (3, 1) and (3, 2) are not equivalent:

    >>> [2, 3, 0] in orbit([3, 1, 0], laue_rotations("6/m")).tolist()
    True
    >>> [3, 2, 0] in orbit([3, 1, 0], laue_rotations("6/m")).tolist()
    False
    """
    return np.unique(rotations @ np.asarray(vector, dtype=np.int64), axis=0)
