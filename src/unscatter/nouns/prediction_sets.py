"""Prediction sets: how far down a ranking one must read to hold the truth as often as is promised."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class PredictionSets:
    """Limits by which the first classes of a ranking make a set that holds the truth in `coverage` of the patterns.

    A class is in the set of its level as long as the probability of all classes above it together is not beyond the
    limit of that level. limits: by level, each from 0 (the likeliest class alone) to 1; basis: the patterns on which
    the limits were found, in words: the promise holds for patterns like those.
    Source: Vovk, Gammerman & Shafer, Algorithmic Learning in a Random World (2005), split conformal prediction.
    """

    coverage: float
    limits: Mapping[str, float]
    basis: str

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain numbers and words, for JSON."""
        return {"coverage": self.coverage, "limits": dict(self.limits), "basis": self.basis}

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> PredictionSets:
        """Make it again from what to_dict gave."""
        return cls(float(record["coverage"]), dict(record["limits"]), str(record["basis"]))
