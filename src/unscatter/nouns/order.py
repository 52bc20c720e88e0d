"""Warren-Cowley parameters: of every vector of a half space, or one for each orbit of vectors."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from unscatter.laue import laue_rotations, orbit
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


@dataclass(frozen=True, eq=False, repr=False)
class OrderTargets(Noun):
    """One alpha for each orbit of vectors under a Laue class: what is refined, kept in tables and drawn crystals from.

    vectors: (n, 3), one of each orbit, the origin not among them; alpha, standard_error: (n,); laue: name of the
    class. Raises ValueError for lists that do not belong together or alphas that no arrangement has.
    """

    vectors: NDArray[np.int64]
    alpha: NDArray[np.float64]
    standard_error: NDArray[np.float64]
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
