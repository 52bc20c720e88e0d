"""A lattice that may explain the lines of a powder pattern."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from unscatter.nouns.cell import Cell


@dataclass(frozen=True)
class Lattice:
    """A conventional cell with its Bravais lattice, and how well it explains a list of lines.

    bravais: one of the 14 symbols aP mP mC oP oC oI oF tP tI hP hR cP cI cF, hR on hexagonal axes, monoclinic with
    unique axis b; score: log Bayes factor of the lines against chance (nats), the larger the better; m20, f20: de
    Wolff's and Smith & Snyder's figures of merit over the first 20 lines (all, where there are fewer), NaN where they
    were not computed; indexed, foreign: lines explained and not; zero: shift of all angles in degrees,
    two_theta(measured) = two_theta(lattice) + zero.
    """

    cell: Cell
    bravais: str
    score: float = 0.0
    m20: float = float("nan")
    f20: float = float("nan")
    indexed: int = 0
    foreign: int = 0
    zero: float = 0.0
    provenance: dict[str, Any] = field(default_factory=dict, compare=False)

    @property
    def volume(self) -> float:
        """Volume of the conventional cell in cubic Angstrom."""
        return self.cell.volume

    @property
    def primitive_volume(self) -> float:
        """Volume of a primitive cell in cubic Angstrom."""
        return self.volume / {"P": 1, "C": 2, "I": 2, "F": 4, "R": 3}[self.bravais[1]]

    def describe(self) -> str:
        """Symbol and cell in a few words."""
        *edges, alpha, beta, gamma = self.cell.parameters
        lengths = " ".join(f"{edge:.4g}" for edge in edges)
        return f"{self.bravais}, {lengths} A, {alpha:.4g} {beta:.4g} {gamma:.4g} deg"

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain numbers and words, for JSON."""
        return {
            "bravais": self.bravais,
            "cell": list(self.cell.parameters),
            "volume": self.volume,
            "score": float(self.score),
            "m20": float(self.m20),
            "f20": float(self.f20),
            "indexed": int(self.indexed),
            "foreign": int(self.foreign),
            "zero": float(self.zero),
        }

    @classmethod
    def from_dict(cls, record: dict[str, Any]) -> Lattice:
        """Make a lattice again from what to_dict gave."""
        names = ("bravais", "score", "m20", "f20", "indexed", "foreign", "zero")
        return cls(Cell(*record["cell"]), **{name: record[name] for name in names})
