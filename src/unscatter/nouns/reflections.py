"""The lines of a powder as a structure makes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from unscatter.nouns.arrays import Array, IntArray


@dataclass(frozen=True, eq=False)
class Reflections:
    """The lines of a powder, one entry for each set of equivalent reflections, by increasing 1/d.

    inverse_d: (n,) in 1/Angstrom; multiplicity: (n,), reflections in the set; f_squared: (n,), |F|^2 a cell,
    averaged over Friedel pairs, in fm^2 (neutron) or electrons^2 (x-ray); volume of that cell in Angstrom^3;
    hkl: (n, 3) integers, None where they were not kept. f_squared may be an array of any library, so two of
    them are equal only if they are one and the same.
    """

    inverse_d: Array
    multiplicity: Array
    f_squared: Array
    volume: float
    hkl: IntArray | None = None
    radiation: Literal["neutron", "x-ray"] = "neutron"
    name: str = ""

    def __post_init__(self) -> None:
        """Refuse columns of different length."""
        if not tuple(self.inverse_d.shape) == tuple(self.multiplicity.shape) == tuple(self.f_squared.shape):
            raise ValueError(
                "reflections need one multiplicity and one |F|^2 for each 1/d, got "
                f"{self.inverse_d.shape}, {self.multiplicity.shape}, {self.f_squared.shape}"
            )

    def __len__(self) -> int:
        """Return the number of lines."""
        return int(self.inverse_d.shape[0])
