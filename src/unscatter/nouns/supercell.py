"""Supercell: arrangements of A and B in boxes of cells, drawn towards refined Warren-Cowley parameters."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from unscatter.laue import laue_rotations, orbit
from unscatter.nouns.arrays import Noun
from unscatter.nouns.cell import Cell
from unscatter.nouns.findings import Findings
from unscatter.nouns.order import OrderParameters
from unscatter.nouns.table import Result, Table

Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class OrderTargets(Noun):
    """Alphas to reach: one for each orbit of vectors under a Laue class.

    vectors: (n, 3), one of each orbit, the origin not among them; alpha, standard_error: (n,); laue: name of the
    class. Raises ValueError for lists that do not belong together or alphas that no arrangement has.
    """

    vectors: NDArray[np.int64]
    alpha: Floats
    standard_error: Floats
    laue: str = "-1"

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        object.__setattr__(self, "vectors", np.asarray(self.vectors, dtype=np.int64).reshape(-1, 3))
        for name in ("alpha", "standard_error"):
            object.__setattr__(self, name, np.asarray(getattr(self, name), dtype=np.float64))
        if not len(self.vectors) == len(self.alpha) == len(self.standard_error) or not len(self.vectors):
            raise ValueError(
                f"order parameters need one alpha and one s.u. for each vector, got {len(self.vectors)} vectors, "
                f"{len(self.alpha)} alphas and {len(self.standard_error)} s.u."
            )
        if np.any(np.all(self.vectors == 0, axis=1)):
            raise ValueError("the vector 0 0 0 is no target: its alpha is 1 in every arrangement; leave it out")
        if not np.all(np.abs(self.alpha) <= 1):
            raise ValueError(f"alphas lie between -1 and 1, got {self.alpha.min():.3g} to {self.alpha.max():.3g}")

    @property
    def labels(self) -> tuple[str, ...]:
        """The vectors as text."""
        return tuple("(" + " ".join(str(int(c)) for c in vector) + ")" for vector in self.vectors)

    @cached_property
    def members(self) -> tuple[NDArray[np.int64], ...]:
        """All vectors of each orbit, v and -v both."""
        return tuple(orbit(vector, laue_rotations(self.laue)) for vector in self.vectors)

    @cached_property
    def half_space(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """One of each v and -v of all orbits, (m, 3), and the number of its orbit, (m,)."""
        kept = [members[_leads(members)] for members in self.members]
        return np.concatenate(kept), np.repeat(np.arange(len(kept)), [len(half) for half in kept])

    def order(self, concentration: float) -> OrderParameters:
        """The targets as order parameters with the origin."""
        vectors, number = self.half_space
        return OrderParameters(
            np.concatenate([np.zeros((1, 3), dtype=np.int64), vectors]),
            np.concatenate([[1.0], self.alpha[number]]),
            concentration,
        )


def _leads(vectors: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether the first component that is not zero is positive: true for one of v and -v."""
    first = np.argmax(vectors != 0, axis=1)
    return np.asarray(vectors[np.arange(len(vectors)), first] > 0)


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
