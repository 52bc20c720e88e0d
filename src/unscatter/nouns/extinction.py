"""An extinction symbol that a lattice admits, and how likely it is."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class ExtinctionSymbol:
    """Space groups of one lattice that extinguish the same lines.

    name: Hermann-Mauguin symbols of the groups, all of which powder data tell alike; space_groups: their numbers; axes:
    the setting, where the lattice leaves a choice, as "cab": the standard axes by those of the cell; probability: among
    the symbols of the lattice; extinguished: resolved lines that it forbids; seen: how many of these are there all the
    same, as foreign lines may be.
    """

    name: str
    space_groups: tuple[int, ...]
    axes: str
    probability: float
    extinguished: int
    seen: int

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain numbers and words, for JSON."""
        return asdict(self) | {"space_groups": list(self.space_groups)}

    @classmethod
    def from_dict(cls, record: dict[str, Any]) -> ExtinctionSymbol:
        """Make a symbol again from what to_dict gave."""
        return cls(**{**record, "space_groups": tuple(record["space_groups"])})
