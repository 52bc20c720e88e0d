"""A rigid molecule, ion or atom."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unscatter.nouns.arrays import Noun


@dataclass(frozen=True, eq=False, repr=False)
class Molecule(Noun):
    """A rigid molecule, ion or atom: element symbols and Cartesian positions (n, 3) in Angstrom.

    cell_lengths are the edges in Angstrom of the cell it would fill; group is its shape class; labels are the
    names of the atoms, such as N1, or () where the file has none.
    """

    name: str
    elements: tuple[str, ...]
    positions: NDArray[np.float64]
    group: int = 0
    cell_lengths: tuple[float, float, float] | None = None
    labels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse positions or labels that do not match the elements."""
        object.__setattr__(self, "positions", np.asarray(self.positions, dtype=np.float64).reshape(-1, 3))
        if len(self.elements) != len(self.positions):
            raise ValueError(f"{self.name}: {len(self.elements)} elements but {len(self.positions)} positions")
        if self.labels and len(self.labels) != len(self.elements):
            raise ValueError(f"{self.name}: {len(self.elements)} elements but {len(self.labels)} labels")

    @property
    def atom_labels(self) -> tuple[str, ...]:
        """The labels, or element and place in the list, counted from 1: C1, C2, O3."""
        return self.labels or tuple(f"{element}{n}" for n, element in enumerate(self.elements, 1))
