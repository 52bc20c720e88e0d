"""Tables of structures that patterns are drawn of: caches of known ones, and random ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from unscatter.atoms import Radiation
from unscatter.powder.crystal.random_crystals import NAME, draw_crystal
from unscatter.powder.samples.cache import X_RAY_WAVELENGTH, PhaseLines, ReflectionCache, read_reflection_cache
from unscatter.powder.samples.cache_writing import find_phase_lines, find_poles
from unscatter.symmetry import SPACE_GROUPS

# Random crystals are drawn again so often where an element has no scattering length.
_ATTEMPTS = 8


class Crystals(Protocol):
    """A table of structures to draw patterns of."""

    def __len__(self) -> int:
        """Return the number of structures."""
        ...

    def lines(self, i: int, radiation: Radiation) -> PhaseLines:
        """Lines of structure i."""
        ...


class CachedCrystals:
    """Several reflection caches seen as one table, one after the other."""

    def __init__(self, caches: Sequence[ReflectionCache | str | Path]) -> None:
        """Open the caches; raises ValueError if none is given."""
        if not caches:
            raise ValueError("give one reflection cache or more; unscatter simulate reflections makes them")
        self.caches = tuple(c if isinstance(c, ReflectionCache) else read_reflection_cache(c) for c in caches)
        self._starts = np.cumsum([0, *(len(cache) for cache in self.caches)])

    def __len__(self) -> int:
        """Return the number of structures."""
        return int(self._starts[-1])

    @cached_property
    def space_group(self) -> NDArray[np.int64]:
        """Numbers of the space groups, (n,)."""
        return np.concatenate([cache.space_group for cache in self.caches])

    @cached_property
    def prototype(self) -> NDArray[np.int64]:
        """Numbers of the structure types, the same in all caches, (n,)."""
        return np.concatenate([cache.prototype for cache in self.caches])

    @cached_property
    def year(self) -> NDArray[np.int64]:
        """Years of publication, 0 where not known, (n,)."""
        return np.concatenate([cache.year for cache in self.caches])

    @cached_property
    def cells(self) -> NDArray[np.float64]:
        """Cells in Angstrom and degrees, (n, 6)."""
        return np.concatenate([cache.cells for cache in self.caches])

    @cached_property
    def random(self) -> NDArray[np.bool_]:
        """Whether each structure was drawn at random, as its name random-SEED-NUMBER says, (n,)."""
        names = (name for cache in self.caches for name in cache.names.tolist())
        return np.array([NAME.fullmatch(name.decode("utf-8", errors="replace")) is not None for name in names])

    def lines(self, i: int, radiation: Radiation = "neutron") -> PhaseLines:
        """Lines of structure i in no particular order; IndexError if it is not there."""
        cache, row = self._find(i)
        return cache.lines(row, radiation)

    def name(self, i: int) -> str:
        """Name of structure i in the table it came from."""
        cache, row = self._find(i)
        return cache.name(row)

    def _find(self, i: int) -> tuple[ReflectionCache, int]:
        if not 0 <= i < len(self):
            raise IndexError(f"structure {i} of a table of {len(self)}")
        number = int(np.searchsorted(self._starts, i, side="right")) - 1
        return self.caches[number], int(i - self._starts[number])


@dataclass(frozen=True)
class RandomCrystals:
    """Structures that are drawn, not known: row i is a pure function of (seed, i) and of space group groups[i % n].

    attempts: crystals drawn until spglib finds the wanted group within 0.01 Angstrom.
    """

    seed: int = 0
    count: int = 1_000_000
    groups: tuple[int, ...] = SPACE_GROUPS
    attempts: int = 200

    def __len__(self) -> int:
        """Return the number of structures."""
        return self.count

    @cached_property
    def space_group(self) -> NDArray[np.int64]:
        """Numbers of the space groups, (n,)."""
        return np.resize(np.array(self.groups, dtype=np.int64), self.count)

    @cached_property
    def prototype(self) -> NDArray[np.int64]:
        """Every structure is a type of its own, (n,)."""
        return np.arange(self.count)

    @cached_property
    def year(self) -> NDArray[np.int64]:
        """Nothing was published: zeros, (n,)."""
        return np.zeros(self.count, dtype=np.int64)

    def lines(self, i: int, radiation: Radiation = "neutron") -> PhaseLines:
        """Lines of structure i; IndexError if it is not there."""
        if not 0 <= i < self.count:
            raise IndexError(f"structure {i} of a table of {self.count}")
        rng = np.random.default_rng([self.seed, i])
        number = self.groups[i % len(self.groups)]
        beam = (radiation, X_RAY_WAVELENGTH if radiation == "x-ray" else None)
        for _ in range(_ATTEMPTS):
            crystal = draw_crystal(rng, number, attempts=self.attempts)
            try:
                hkl, _, strength = find_phase_lines(crystal, beams=[beam])
            except ValueError:  # an element without a scattering length
                continue
            return PhaseLines(hkl, strength[0], crystal.cell, number, find_poles(crystal), False)
        raise ValueError(f"no crystal of space group {number} with known scattering lengths in {_ATTEMPTS} attempts")
