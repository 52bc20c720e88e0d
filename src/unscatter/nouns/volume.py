"""A volume of reciprocal space."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from unscatter.nouns.arrays import Array
from unscatter.nouns.cell import Cell


@dataclass(frozen=True, eq=False)
class Volume:
    """A volume of reciprocal space: intensity[l, k, h], axes h, k, l in reciprocal-lattice units; NaN = not measured.

    intensity may be a lazily read array (an h5py dataset): only the planes asked for are read, and two volumes are
    equal only if they are one and the same.
    basis: (3, 3), a row for each axis: hkl = h basis[0] + k basis[1] + l basis[2]. It is the identity unless the
    volume was binned along other directions, such as [H,H,0], [H,-H,0] and [0,0,L]. notes: what was assumed in reading.
    """

    intensity: Array
    h: NDArray[np.float64]
    k: NDArray[np.float64]
    l: NDArray[np.float64]  # noqa: E741  the index is called l
    cell: Cell | None = None
    title: str = ""
    simulated: bool = False
    source: str = ""
    basis: NDArray[np.float64] = field(default_factory=lambda: np.eye(3))
    notes: tuple[str, ...] = ()
