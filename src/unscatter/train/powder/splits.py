"""Which structures are learned from, which steer the training, and which judge it.

A random split, as in Lolla et al. (2022), leaves most test structures with their structure type in the training set.
Split by prototype, no structure type is on two sides; split by year, the test set is what came later.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

Rows: TypeAlias = NDArray[np.int64]
SplitName = Literal["random", "prototype", "year"]
#: Training, validation and test; the test set is as large as in the paper.
FRACTIONS = (0.85, 0.05, 0.10)


class StructureTable(Protocol):
    """What a split looks at, one entry a structure: prototype, equal for one structure type; year, 0 if not known."""

    @property
    def prototype(self) -> NDArray[Any]:
        """Structure types, (n,): numbers or keys."""
        ...

    @property
    def year(self) -> NDArray[np.int64]:
        """Years of publication, (n,)."""
        ...


@dataclass(frozen=True, eq=False)
class Split:
    """Rows of a table in three parts that share none, each sorted."""

    training: Rows
    validation: Rows
    test: Rows


def split_table(
    table: StructureTable, name: SplitName, seed: int = 0, fractions: tuple[float, float, float] = FRACTIONS
) -> Split:
    """Part the rows of a table; the same table, name, seed and fractions give the same parts.

    random: every row by itself, parts of exactly these sizes. prototype: every structure type by itself, decided by
    its key and the seed alone, so that it stays on its side when structures are added to the table. year: whole years
    in their order, the latest for the test; rows without a year are learned from, and the fractions are of the
    others. Raises ValueError for a split or fractions that cannot be, or where a part stays empty.
    """
    if name not in _SPLITS:
        raise ValueError(f"no split is called {name!r}: expected one of {', '.join(_SPLITS)}")
    if min(fractions) <= 0 or abs(sum(fractions) - 1) > 1e-6:
        raise ValueError(
            f"fractions {fractions} of training, validation and test: expected three above 0 that sum to 1"
        )
    part = _SPLITS[name](table, seed, fractions)
    split = Split(*(np.flatnonzero(part == number) for number in range(3)))
    for side in ("training", "validation", "test"):
        if not len(getattr(split, side)):
            raise ValueError(f"split {name!r} of {len(part)} structures leaves {side} empty: give more structures")
    return split


def _random(table: StructureTable, seed: int, fractions: tuple[float, float, float]) -> Rows:
    count = len(table.prototype)
    place = np.empty(count, dtype=np.int64)
    place[np.random.default_rng(seed).permutation(count)] = np.arange(count)
    return _part((place + 0.5) / max(count, 1), fractions)


def part_prototypes(table: StructureTable, seed: int, fractions: tuple[float, float, float]) -> Rows:
    """0, 1 or 2 for training, validation and test of each row, (n,), by the key of its structure type and the seed."""
    keys, of_row = np.unique(table.prototype, return_inverse=True)
    return _part(np.array([_hashed(f"{seed} {key}") for key in keys.tolist()]), fractions)[of_row]


def _by_year(table: StructureTable, seed: int, fractions: tuple[float, float, float]) -> Rows:
    year = np.asarray(table.year)
    known = year > 0
    years, counts = np.unique(year[known], return_counts=True)
    if not len(years):
        raise ValueError("no year is known of any structure: split by 'prototype' or 'random'")
    # The fewest last years that hold the fraction, so that no part is empty however full a year is.
    share_after = (counts.sum() - np.cumsum(counts)) / counts.sum()
    first_test = int(np.argmax(share_after < fractions[2]))
    share_between = share_after - share_after[first_test - 1]
    first_validation = int(np.argmax(share_between < fractions[1]))
    part = np.zeros(len(year), dtype=np.int64)
    part[known & (year >= years[first_validation])] = 1
    part[known & (year >= years[first_test])] = 2
    return part


def _hashed(key: str) -> float:
    """A number in [0, 1) that is the same on every machine."""
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=6).digest()) / 2**48


def _part(share: NDArray[np.float64], fractions: tuple[float, float, float]) -> Rows:
    """0, 1 or 2 for training, validation and test, by where in [0, 1) a share lies."""
    return np.searchsorted(np.cumsum(fractions[:2]), share, side="right")


_SPLITS: dict[str, Callable[[StructureTable, int, tuple[float, float, float]], Rows]] = {
    "random": _random,
    "prototype": part_prototypes,
    "year": _by_year,
}
