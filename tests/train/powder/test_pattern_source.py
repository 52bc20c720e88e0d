"""Structures that are only learned from, subsets, and patterns that are drawn once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from unscatter.powder.samples.cache_writing import write_reflection_cache
from unscatter.train.powder.patterns import PatternOptions, PatternSet, PatternSource
from unscatter.train.powder.splits import part_prototypes


@pytest.fixture(scope="session")
def random_structures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("random") / "random.h5"
    write_reflection_cache("random:40,1", path, progress=False)
    return path


@pytest.fixture
def options(structures: Path) -> PatternOptions:
    return PatternOptions(
        structures=(structures,), split="random", fractions=(0.6, 0.2, 0.2), recipes=("measured", "paper"), batch=20
    )


def test_extra_structures_are_learned_from_and_never_asked(options: PatternOptions, random_structures: Path) -> None:
    alone = PatternSource(options, "network")
    source = PatternSource(replace(options, extra=(random_structures,)), "network")
    for part in ("training", "validation", "test"):
        np.testing.assert_array_equal(getattr(source.split, part), getattr(alone.split, part))
    assert len(source.extra) > 30
    assert source.extra.min() >= len(alone.crystals)


def test_extra_structures_of_a_type_that_is_held_out_are_left_out(
    structures: Path, by_prototype: dict[str, Any]
) -> None:
    source = PatternSource(PatternOptions(structures=(structures,), extra=(structures,), **by_prototype), "network")
    prototype = source.crystals.prototype
    held_out = np.concatenate([source.split.validation, source.split.test])
    assert len(source.extra) == len(source.split.training)
    assert not np.isin(prototype[source.extra], prototype[held_out]).any()


def test_a_held_out_type_is_left_out_where_the_table_has_none_of_it(
    structures: Path, random_structures: Path, by_prototype: dict[str, Any]
) -> None:
    # What is learned from must not depend on the table, since another table may be asked.
    options = PatternOptions(structures=(structures,), extra=(random_structures,), **by_prototype)
    source = PatternSource(options, "network")
    part = part_prototypes(source.crystals, options.split_seed, options.fractions)
    assert set(part[source.extra].tolist()) == {0}
    assert len(source.extra) < 30


def test_extra_structures_take_their_share_among_groups(options: PatternOptions, structures: Path) -> None:
    options = replace(options, extra=(structures,), extra_share=0.3)
    source = PatternSource(options, "network")
    items = PatternSet(source, 0)
    rows = np.concatenate([items._pick(*items.pickers[0], index) for index in range(300)])
    extra = np.isin(rows, source.extra)
    assert extra.mean() == pytest.approx(0.3)
    groups = source.crystals.space_group
    of_extra, of_own = (np.bincount(groups[rows[chosen]], minlength=231) / chosen.sum() for chosen in (extra, ~extra))
    np.testing.assert_allclose(of_extra, of_own, atol=0.05)


def test_impurities_are_structures_that_are_learned_from(options: PatternOptions, random_structures: Path) -> None:
    source = PatternSource(replace(options, extra=(random_structures,)), "network")
    held_out = np.concatenate([source.split.validation, source.split.test])
    assert not np.isin(source.impurities, held_out).any()
    assert np.isin(source.extra, source.impurities).all()


def test_a_subset_is_part_of_the_whole_on_the_same_sides(options: PatternOptions) -> None:
    whole, part = (PatternSource(replace(options, most_structures=most), "network") for most in (0, 30))
    sizes = 0
    for side in ("training", "validation", "test"):
        assert np.isin(getattr(part.split, side), getattr(whole.split, side)).all()
        sizes += len(getattr(part.split, side))
        # As large a share of every part, within what chance does to so few.
        assert abs(len(getattr(part.split, side)) / len(getattr(whole.split, side)) - 0.5) < 0.35
    assert sizes == 30


def test_stored_patterns_come_again_in_another_process(options: PatternOptions, tmp_path: Path) -> None:
    options = replace(options, store=tmp_path / "store", views=2)
    first, second = (PatternSet(PatternSource(options, "network"), 0) for _ in range(2))
    one = first[5]
    for stores in second.source._stores.values():
        stores.draw = lambda rows: pytest.fail("drawn again")  # type: ignore[assignment]
    torch.testing.assert_close(one.inputs, second[5].inputs, rtol=0, atol=0)
    torch.testing.assert_close(one.cell, second[5].cell, rtol=0, atol=0)
    assert torch.equal(one.labels, second[5].labels)


def test_views_of_one_structure_differ_unless_nothing_is_left_to_chance(
    options: PatternOptions, tmp_path: Path
) -> None:
    source = PatternSource(replace(options, store=tmp_path, views=2), "network")
    rows = source.labelled[:3]
    measured, paper = source.recipes
    views = [source.draw_training(measured, rows, 1, first) for first in (0, 3, 6)]
    assert not torch.equal(views[0].inputs, views[1].inputs)
    torch.testing.assert_close(views[0].inputs, views[2].inputs, rtol=0, atol=0)
    same = [source.draw_training(paper, rows, 1, first) for first in (0, 3)]
    torch.testing.assert_close(same[0].inputs, same[1].inputs, rtol=0, atol=0)
