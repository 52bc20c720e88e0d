"""Splits keep what belongs together on one side, and are the same wherever they are made."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from unscatter.train.powder.splits import FRACTIONS, Split, SplitName, split_table

NAMES: tuple[SplitName, ...] = ("random", "prototype", "year")


@dataclass(frozen=True)
class Table:
    prototype: NDArray[np.int64]
    year: NDArray[np.int64]


@pytest.fixture(scope="module")
def table() -> Table:
    rng = np.random.default_rng(0)
    # Three common structure types and many rare ones; one structure in five without a year.
    prototype = np.where(rng.random(5000) < 0.1, rng.integers(3, size=5000), rng.integers(3, 1500, size=5000))
    year = np.where(rng.random(5000) < 0.2, 0, rng.integers(1930, 2020, 5000))
    return Table(prototype, year)


def parts(split: Split) -> list[NDArray[np.int64]]:
    return [split.training, split.validation, split.test]


@pytest.mark.parametrize("name", NAMES)
def test_every_row_is_in_one_part_and_sorted(table: Table, name: SplitName) -> None:
    rows = parts(split_table(table, name))
    np.testing.assert_array_equal(np.sort(np.concatenate(rows)), np.arange(5000))
    assert all(np.all(np.diff(part) > 0) for part in rows)


@pytest.mark.parametrize("name", NAMES)
def test_parts_have_about_the_wanted_size(table: Table, name: SplitName) -> None:
    counted = table.year > 0 if name == "year" else np.ones(5000, dtype=bool)
    for part, wanted in zip(parts(split_table(table, name)), FRACTIONS, strict=True):
        tolerance = 1e-3 if name == "random" else 0.05
        assert counted[part].sum() / counted.sum() == pytest.approx(wanted, abs=tolerance)


def test_no_prototype_is_on_two_sides(table: Table) -> None:
    sides = [set(table.prototype[part].tolist()) for part in parts(split_table(table, "prototype"))]
    for one, other in ((0, 1), (0, 2), (1, 2)):
        assert not sides[one] & sides[other]
    # The random split does what this one is against.
    sides = [set(table.prototype[part].tolist()) for part in parts(split_table(table, "random"))]
    assert sides[0] & sides[2]


def test_a_prototype_stays_on_its_side_when_structures_are_added(table: Table) -> None:
    more = Table(np.concatenate([[9001, 9002, 9003], table.prototype]), np.concatenate([[0, 0, 0], table.year]))
    before, after = split_table(table, "prototype"), split_table(more, "prototype")
    for old, new in zip(parts(before), parts(after), strict=True):
        np.testing.assert_array_equal(new[new >= 3] - 3, old)


def test_years_come_in_their_order_and_unknown_ones_are_learned_from(table: Table) -> None:
    split = split_table(table, "year")
    training = table.year[split.training]
    assert np.all(np.isin(np.flatnonzero(table.year == 0), split.training))
    assert training.max() < table.year[split.validation].min()
    assert table.year[split.validation].max() < table.year[split.test].min()


@pytest.mark.parametrize("name", ["random", "prototype"])
def test_the_seed_decides(table: Table, name: SplitName) -> None:
    first, again, other = (split_table(table, name, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.test, again.test)
    assert len(np.intersect1d(first.test, other.test)) < 0.5 * len(first.test)


def test_splits_are_the_same_on_every_machine() -> None:
    table = Table(np.arange(40), np.zeros(40, dtype=np.int64))
    assert split_table(table, "prototype", 0, (0.6, 0.2, 0.2)).test.tolist() == PROTOTYPES
    assert split_table(table, "random", 0, (0.6, 0.2, 0.2)).test.tolist() == ROWS


#: Made once and kept: a checkpoint's test set must not move into the training set of a later version.
PROTOTYPES = [10, 19, 23, 28, 39]
ROWS = [5, 7, 14, 15, 29, 31, 33, 39]


def test_what_cannot_be_is_refused(table: Table) -> None:
    with pytest.raises(ValueError, match="expected one of random, prototype, year"):
        split_table(table, "colour")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="sum to 1"):
        split_table(table, "random", 0, (0.9, 0.05, 0.1))
    with pytest.raises(ValueError, match="no year is known"):
        split_table(Table(np.arange(9), np.zeros(9, dtype=np.int64)), "year")
    with pytest.raises(ValueError, match="leaves validation empty"):
        split_table(Table(np.zeros(9, dtype=np.int64), np.zeros(9, dtype=np.int64)), "random", 0, (0.98, 0.01, 0.01))
