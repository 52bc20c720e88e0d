"""Warren-Cowley parameters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unscatter.nouns.arrays import FloatArray, IntArray, Noun


@dataclass(frozen=True, eq=False, repr=False)
class OrderParameters(Noun):
    """Warren-Cowley parameters alpha of a half space of vectors: I_SRO = sum over v and -v of alpha cos(2 pi hkl.v).

    vectors: (n, 3) in lattice units, each of v and -v once, the origin (where listed) with alpha = 1 as a rule;
    alpha: (n,); concentration: mean fraction of species A; standard_error: (n,) or None.
    """

    vectors: IntArray
    alpha: FloatArray
    concentration: float = 0.5
    standard_error: FloatArray | None = None

    def __post_init__(self) -> None:
        """Refuse lists that do not belong together."""
        object.__setattr__(self, "vectors", np.asarray(self.vectors))
        object.__setattr__(self, "alpha", np.asarray(self.alpha))
        if self.vectors.ndim != 2 or self.vectors.shape[1] != 3 or self.alpha.shape != self.vectors.shape[:1]:
            raise ValueError(f"vectors must be (n, 3) and alpha (n,), got {self.vectors.shape} and {self.alpha.shape}")
