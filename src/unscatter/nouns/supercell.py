"""Supercell: arrangements of A and B in boxes of cells, drawn towards refined Warren-Cowley parameters."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unscatter.nouns.arrays import Floats
from unscatter.nouns.cell import Cell
from unscatter.nouns.findings import Findings
from unscatter.nouns.order import OrderTargets
from unscatter.nouns.table import Result, Table


@dataclass(frozen=True, eq=False, repr=False)
class Supercell(Result):
    """Boxes of cells, each cell with A (1) or B (0), and how near they come to the alphas they were drawn towards.

    occupied: (boxes, nx, ny, nz), periodic; reached: (boxes, n), the alphas of each box averaged over the orbits;
    concentration: fraction of A, the same in all boxes.
    """

    cell: Cell
    occupied: NDArray[np.uint8]
    targets: OrderTargets
    reached: Floats
    notes: tuple[str, ...] = ()
    provenance: dict[str, Any] = field(default_factory=dict, compare=False)
    findings: Findings = field(default_factory=Findings)

    @property
    def box(self) -> tuple[int, int, int]:
        """Cells along a, b and c."""
        nx, ny, nz = self.occupied.shape[1:]
        return nx, ny, nz

    @property
    def concentration(self) -> float:
        """Fraction of A."""
        return float(self.occupied.mean())

    @property
    def worst(self) -> float:
        """The largest difference between an alpha, averaged over the boxes, and its target."""
        return float(np.abs(self.reached.mean(axis=0) - self.targets.alpha).max())

    def rows(self) -> list[dict[str, Any]]:
        """One plain dictionary for each target."""
        mean, spread = self.reached.mean(axis=0), self.reached.std(axis=0)
        return [
            {
                "u": int(vector[0]),
                "v": int(vector[1]),
                "w": int(vector[2]),
                "target": float(self.targets.alpha[n]),
                "standard_error": float(self.targets.standard_error[n]),
                "reached": float(mean[n]),
                "spread": float(spread[n]),
            }
            for n, vector in enumerate(self.targets.vectors)
        ]

    def table(self) -> Table:
        """Each target with its s.u., what was reached on average, and how boxes differ."""
        size = " x ".join(map(str, self.box))
        boxes = f"{len(self.occupied)} box" + ("es" if len(self.occupied) > 1 else "")
        rows = tuple(
            (
                label,
                f"{row['target']:+.4f}",
                f"{row['standard_error']:.4f}",
                f"{row['reached']:+.4f}",
                f"{row['spread']:.4f}",
            )
            for label, row in zip(self.targets.labels, self.rows(), strict=True)
        )
        return Table(
            f"supercell of {size} cells, {boxes}, {self.concentration:.1%} A, Laue class {self.targets.laue}",
            rows,
            ("vector", "target", "s.u.", "reached", "spread of boxes"),
            "lrrrr",
            (f"largest difference {self.worst:.4f}", *(f"note: {note}" for note in self.notes)),
        )
