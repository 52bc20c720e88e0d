"""Patterns drawn once are read from then on, by whoever asks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from unscatter.train.powder.splits import Rows
from unscatter.train.powder.store import Drawn, PatternStore


def make(folder: Path, seen: list[int], seed: int = 0, rows: int = 50) -> PatternStore:
    return PatternStore(folder, {"seed": seed}, rows, (2, 8), counted(seen, seed))


def counted(seen: list[int], seed: int) -> Callable[[Rows], Drawn]:
    def draw(rows: Rows) -> Drawn:
        seen.extend(rows.tolist())
        numbers = np.stack([np.random.default_rng([seed, row]).random((2, 8)) for row in rows.tolist()])
        return Drawn(numbers.astype(np.float32), np.repeat(rows[:, None], 4, axis=1).astype(np.float32))

    return draw


def test_a_pattern_is_drawn_once_and_stays_the_same(tmp_path: Path) -> None:
    seen: list[int] = []
    store = make(tmp_path, seen)
    first = store.get(np.array([3, 7, 3]))
    again = store.get(np.array([7, 3, 9]))
    assert seen == [3, 7, 9]
    np.testing.assert_array_equal(first.inputs[[1, 0]], again.inputs[:2])
    np.testing.assert_array_equal(again.cell[:, 0], [7, 3, 9])


def test_half_precision_is_all_that_is_lost(tmp_path: Path) -> None:
    kept = make(tmp_path, []).get(np.array([5])).inputs
    drawn = counted([], 0)(np.array([5])).inputs
    assert kept.dtype == np.float32
    np.testing.assert_array_equal(kept, drawn.astype(np.float16))


def test_another_process_finds_what_was_drawn(tmp_path: Path) -> None:
    seen: list[int] = []
    make(tmp_path, seen).get(np.arange(10))
    other = make(tmp_path, seen)
    other.get(np.arange(20))
    assert seen == list(range(20))


def test_another_recipe_has_a_store_of_its_own(tmp_path: Path) -> None:
    one, two = make(tmp_path, [], seed=0), make(tmp_path, [], seed=1)
    assert not np.array_equal(one.get(np.array([4])).inputs, two.get(np.array([4])).inputs)
    assert len(list(tmp_path.iterdir())) == 2


def test_a_store_takes_room_as_it_fills(tmp_path: Path) -> None:
    store = PatternStore(
        tmp_path,
        {},
        100_000,
        (2, 64),
        lambda rows: Drawn(np.ones((len(rows), 2, 64), np.float32), np.ones((len(rows), 4), np.float32)),
    )
    store.get(np.arange(10))
    (place,) = tmp_path.iterdir()
    assert (place / "inputs.npy").stat().st_size > 25e6
    assert (place / "inputs.npy").stat().st_blocks * 512 < 1e6


def test_a_row_that_failed_is_not_taken_for_known(tmp_path: Path) -> None:
    def fail(rows: Rows) -> Drawn:
        raise ValueError("no line")

    store = make(tmp_path, [])
    store.draw = fail
    with pytest.raises(ValueError, match="no line"):
        store.get(np.array([2]))
    assert not store.known[2]
    assert not list(tmp_path.glob("*/*.part"))
