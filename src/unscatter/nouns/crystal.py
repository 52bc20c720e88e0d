"""A crystal structure."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from unscatter.nouns.arrays import Noun
from unscatter.nouns.cell import Cell

#: A site holds one atom at most, and a refinement may say a little more.
MOST_OCCUPIED = 1.1


@dataclass(frozen=True, eq=False, repr=False)
class Crystal(Noun):
    """A crystal structure: a cell, the sites of its asymmetric unit, and the operations that repeat them.

    elements: n symbols, isotopes as D or 7Li; positions: (n, 3) fractional; rotations: (m, 3, 3) integers and
    translations: (m, 3), x' = R x + t, the identity first, centring included; occupancies: (n,), 1 where not
    given; b_iso: (n,) in Angstrom^2, NaN where not known; space_group: number of the label, None if unknown.
    Atoms that share a site are listed at the same position. Raises ValueError for lists that do not match.
    """

    cell: Cell
    elements: tuple[str, ...]
    positions: NDArray[np.float64]
    rotations: NDArray[np.int64]
    translations: NDArray[np.float64]
    occupancies: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    b_iso: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    space_group: int | None = None
    name: str = ""

    def __post_init__(self) -> None:
        """Fill in what was left out and refuse what does not match."""
        n = len(self.elements)
        if n == 0:
            raise ValueError(f"structure {self.name!r} has no atoms")
        shapes = {"positions": (n, 3), "rotations": (-1, 3, 3), "translations": (-1, 3)}
        for name, shape in shapes.items():
            values = np.asarray(getattr(self, name), dtype=np.int64 if name == "rotations" else np.float64)
            object.__setattr__(self, name, values.reshape(shape))
        for name, missing in (("occupancies", 1.0), ("b_iso", np.nan)):
            values = np.asarray(getattr(self, name), dtype=np.float64)
            object.__setattr__(self, name, values if values.size else np.full(n, missing))
        if self.occupancies.shape != (n,) or self.b_iso.shape != (n,):
            raise ValueError(f"structure {self.name!r}: {n} atoms need {n} occupancies and {n} factors b_iso")
        if len(self.rotations) != len(self.translations) or len(self.rotations) == 0:
            raise ValueError(f"structure {self.name!r}: every operation needs a rotation and a translation")
        if not np.all(np.isfinite(self.positions)):
            raise ValueError(f"structure {self.name!r}: some positions are not numbers")
        if np.any(self.occupancies < 0) or np.any(self.occupancies > MOST_OCCUPIED):
            raise ValueError(
                f"structure {self.name!r}: occupancies from {self.occupancies.min():g} to {self.occupancies.max():g}, "
                "expected 0 to 1: divide percents by 100"
            )
