"""A unit cell."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class Cell:
    """A unit cell: edges in Angstrom, angles in degrees.

    Raises ValueError if an edge is not positive or the three angles cannot meet in a corner.
    """

    a: float
    b: float
    c: float
    alpha: float = 90.0
    beta: float = 90.0
    gamma: float = 90.0

    def __post_init__(self) -> None:
        """Refuse a cell that cannot be."""
        numbers = np.array([self.a, self.b, self.c, self.alpha, self.beta, self.gamma], dtype=float)
        if not np.all(np.isfinite(numbers)) or np.any(numbers[:3] <= 0):
            raise ValueError(
                f"cell {self} cannot be: edges must be positive numbers in Angstrom, "
                "for example --cell 14.12 14.12 6.93 90 90 120"
            )
        if np.any(numbers[3:] <= 0) or np.any(numbers[3:] >= 180) or self._corner() <= 1e-10:
            raise ValueError(
                f"cell {self} cannot be: angles {self.alpha:g}, {self.beta:g}, {self.gamma:g} deg do not close; "
                "give alpha, beta, gamma in degrees, for example --cell 14.12 14.12 6.93 90 90 120"
            )

    def __str__(self) -> str:
        """Six numbers, as a crystallographer writes them."""
        return f"({self.a:g} {self.b:g} {self.c:g} {self.alpha:g} {self.beta:g} {self.gamma:g})"

    def _corner(self) -> float:
        """Squared volume of the cell of unit edges."""
        ca, cb, cg = np.cos(np.radians([self.alpha, self.beta, self.gamma]))
        return float(1 - ca**2 - cb**2 - cg**2 + 2 * ca * cb * cg)

    @classmethod
    def from_sequence(cls, numbers: ArrayLike) -> Cell:
        """Make a cell from a sequence of 3 (right angles) or 6 numbers."""
        values = [float(n) for n in np.ravel(np.asarray(numbers, dtype=float))]
        if len(values) not in (3, 6):
            raise ValueError(f"a cell has 3 or 6 numbers (a b c alpha beta gamma), got {len(values)}: {values}")
        return cls(*values)

    @property
    def parameters(self) -> tuple[float, float, float, float, float, float]:
        """a, b, c in Angstrom, alpha, beta, gamma in degrees."""
        return (self.a, self.b, self.c, self.alpha, self.beta, self.gamma)

    @property
    def volume(self) -> float:
        """Volume in cubic Angstrom."""
        return self.a * self.b * self.c * float(np.sqrt(self._corner()))

    @cached_property
    def direct(self) -> NDArray[np.float64]:
        """Rows a, b, c in Cartesian Angstrom: a along x, b in the xy plane (the PDB convention)."""
        ca, cb, cg = np.cos(np.radians([self.alpha, self.beta, self.gamma]))
        sg = np.sin(np.radians(self.gamma))
        rows = np.array(
            [
                [self.a, 0.0, 0.0],
                [self.b * cg, self.b * sg, 0.0],
                [self.c * cb, self.c * (ca - cb * cg) / sg, self.volume / (self.a * self.b * sg)],
            ]
        )
        rows[np.abs(rows) < 1e-12] = 0.0
        return rows

    @cached_property
    def reciprocal(self) -> NDArray[np.float64]:
        """Rows a*, b*, c* in Cartesian 1/Angstrom with 2 pi: Q = hkl @ reciprocal, a . a* = 2 pi."""
        return np.asarray(2 * np.pi * np.linalg.inv(self.direct).T, dtype=np.float64)
