"""Samples of wing B: pure functions, right labels, recipes that refuse what they do not know."""

import json
from dataclasses import replace

import numpy as np
import pytest

from structures import GROUPS
from unscatter.powder.crystal.reflections import simulate_reflections
from unscatter.powder.pattern.channels import network_axis, network_channels
from unscatter.powder.pattern.instrument import read_instruments
from unscatter.powder.pattern.profile import simulate_profile
from unscatter.powder.samples.cache import read_reflection_cache
from unscatter.powder.samples.draw import (
    CachedCrystals,
    PowderRecipe,
    RandomCrystals,
    draw_pattern,
    draw_samples,
    read_recipe,
    recipe_record,
)

PAPER, MEASURED = read_recipe("paper"), read_recipe("measured")
ROWS = np.array([4, 0, 9, 9, 7])


@pytest.fixture(scope="module")
def known(cache_path):
    return CachedCrystals([cache_path])


# --- recipes ---


def test_an_unknown_key_is_refused(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("zero_shift = 0.1\nzeroshift = 0.2\n")
    with pytest.raises(ValueError, match=r"unknown keys \['zeroshift'\]"):
        read_recipe(path)


def test_a_recipe_is_named_by_its_file(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("size = [100.0, 200.0]\n")
    assert read_recipe(path) == PowderRecipe("mine", size=(100.0, 200.0))


def test_a_missing_recipe_says_which_there_are():
    with pytest.raises(FileNotFoundError, match="measured, measured-1, paper"):
        read_recipe("published")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"neutron": ("d19",)}, "no instrument 'd19'"),
        ({"neutron_share": 0.5}, "needs instruments"),
        ({"axis": "q"}, "axis 'q'"),
        ({"axis": "instrument", "cut": (0.1, 0.1)}, "one length"),
        ({"axis": "instrument", "neutron": ("hrpt", "d20")}, "one length"),
    ],
)
def test_recipes_that_cannot_be_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        replace(PAPER, **changes)


@pytest.mark.parametrize("recipe", [PAPER, MEASURED])
def test_a_recipe_comes_back_from_its_record(recipe):
    assert PowderRecipe(**json.loads(json.dumps(recipe_record(recipe)))) == recipe


# --- samples ---


@pytest.mark.parametrize("recipe", [PAPER, replace(PAPER, axis="instrument"), MEASURED])
def test_a_sample_depends_on_its_number_and_structure_alone(known, recipe):
    together = draw_samples(recipe, known, ROWS, seed=5, first=10)
    for j, row in enumerate(ROWS):
        alone = draw_samples(recipe, known, np.array([row]), seed=5, first=10 + j)
        np.testing.assert_array_equal(alone.inputs[0], together.inputs[j])
        np.testing.assert_array_equal(alone.cell[0], together.cell[j])


def test_other_numbers_and_seeds_are_other_measurements(known):
    same = np.array([3, 3])
    first = draw_samples(MEASURED, known, same, seed=1, first=0).inputs
    assert not np.array_equal(first[0], first[1])
    assert not np.array_equal(first, draw_samples(MEASURED, known, same, seed=2, first=0).inputs)


@pytest.mark.parametrize("recipe", [PAPER, MEASURED])
def test_labels_are_those_of_the_structure(known, crystals, recipe):
    rows = np.arange(len(GROUPS))
    samples = draw_samples(recipe, known, rows, seed=0, first=0)
    assert (samples.group + 1).tolist() == list(GROUPS)
    expected = np.log([[c.cell.volume, c.cell.a, c.cell.b, c.cell.c] for c in crystals])
    np.testing.assert_allclose(samples.cell, expected, atol=1e-5 if recipe is PAPER else 0.15)
    assert np.allclose(samples.cell, expected, atol=1e-5) == (recipe is PAPER)


def test_published_patterns_have_3041_points_and_maximum_one(known):
    samples = draw_samples(replace(PAPER, axis="instrument"), known, ROWS, seed=0, first=0)
    assert samples.inputs.shape == (len(ROWS), 1, 3041)
    assert samples.inputs.dtype == np.float32
    assert np.all(samples.inputs.max(axis=(1, 2)) == 1)


def test_a_paper_pattern_is_the_profile_of_the_structure(known, crystals):
    instrument = read_instruments()["lolla-2022"]
    samples = draw_samples(replace(PAPER, axis="instrument"), known, np.arange(12), seed=0, first=0)
    for i, crystal in enumerate(crystals):
        # The cache keeps strengths to 2 %, and damping where a structure has some.
        direct = simulate_profile(simulate_reflections(crystal, 1.1 * instrument.limit), instrument)
        np.testing.assert_allclose(samples.inputs[i, 0], direct / direct.max(), atol=0.03)


@pytest.mark.parametrize("recipe", [PAPER, MEASURED])
def test_training_and_inference_see_the_same_numbers(known, recipe):
    samples = draw_samples(recipe, known, ROWS, seed=3, first=0)
    for j, row in enumerate(ROWS):
        two_theta, intensity, instrument, _ = draw_pattern(recipe, known, int(row), 3, j)
        channels = network_channels(two_theta, intensity, instrument.wavelengths[0])
        np.testing.assert_array_equal(samples.inputs[j], channels)


def test_measured_samples_are_finite_and_masked(known):
    samples = draw_samples(MEASURED, known, np.arange(60) % len(known), seed=0, first=0)
    assert np.isfinite(samples.inputs).all()
    measured = samples.inputs[:, 2] > 0
    assert np.all(samples.inputs[:, :2].transpose(0, 2, 1)[~measured] == 0)
    shares = measured.mean(axis=1)
    assert shares.min() < 0.6 < shares.max()


def test_noise_of_a_pattern_is_that_of_its_counts(known):
    quiet = replace(PAPER, background=(0.5, 0.5))
    noisy = replace(quiet, counts=(1000.0, 1000.0))
    ratios = []
    for index in range(10):
        _, clean, _, _ = draw_pattern(quiet, known, 3, 0, index)
        _, counts, _, _ = draw_pattern(noisy, known, 3, 0, index)
        expected = clean * 1000 / clean.max()
        ratios.append(np.mean((counts - expected) ** 2 / expected))
    assert np.mean(ratios) == pytest.approx(1, abs=0.05)


def test_a_larger_cell_moves_the_pattern_along_the_axis(known):
    big = replace(PAPER, cell_scale=0.02)
    samples = draw_samples(big, known, np.full(6, 9), seed=0, first=0)
    d = network_axis()
    edges = samples.cell[:, 1]
    strongest = np.log(d[samples.inputs[:, 0].argmax(axis=1)])
    np.testing.assert_allclose(strongest - strongest[0], edges - edges[0], atol=2e-3)
    assert np.ptp(edges) > 0.01


def test_impurities_add_lines_of_another_structure(known):
    dirty = replace(PAPER, impurity=1.0, impurity_area=0.15)
    clean = draw_samples(PAPER, known, np.full(4, 9), seed=0, first=0).inputs[:, 0]
    mixed = draw_samples(dirty, known, np.full(4, 9), seed=0, first=0).inputs[:, 0]
    empty = clean < 1e-4
    assert np.any(mixed[empty] > 5e-3)
    assert np.all(mixed.max(axis=1) == 1)


class Watched:
    """A table that remembers which structures were asked for."""

    def __init__(self, table):
        self.table, self.asked = table, []

    def __len__(self):
        return len(self.table)

    def lines(self, i, radiation):
        self.asked.append(i)
        return self.table.lines(i, radiation)


def test_impurities_come_from_the_rows_they_may_come_from(known):
    dirty, watched = replace(PAPER, impurity=1.0, impurity_area=0.15), Watched(known)
    draw_samples(dirty, watched, np.full(12, 9), 0, 0, impurities=np.array([2, 5]))
    assert set(watched.asked[::2]) == {9}
    assert set(watched.asked[1::2]) == {2, 5}


def test_the_only_impurity_allowed_shows_its_lines_and_no_others(known):
    dirty = replace(PAPER, impurity=1.0, impurity_area=0.15)
    (clean, only), mixed = (
        draw_samples(recipe, known, rows, 0, 0, impurities=np.array([4])).inputs[:, 0]
        for recipe, rows in ((PAPER, np.array([9, 4])), (dirty, np.full(4, 9)))
    )
    neither = (clean == 0) & (only == 0)
    assert neither.sum() > 100
    assert np.all(mixed[:, neither] < 1e-6)
    assert np.any(mixed[:, (clean < 1e-4) & (only > 0.1)] > 5e-3)


def test_all_rows_as_impurities_are_what_is_drawn_unasked(known):
    rows = np.arange(12)
    asked = draw_samples(MEASURED, known, rows, 3, 0, impurities=np.arange(len(known)))
    np.testing.assert_array_equal(asked.inputs, draw_samples(MEASURED, known, rows, 3, 0).inputs)


def test_no_rows_for_impurities_are_refused_where_there_should_be_some(known):
    with pytest.raises(ValueError, match="adds impurities"):
        draw_samples(replace(PAPER, impurity=0.5), known, ROWS, 0, 0, impurities=np.arange(0))
    assert len(draw_samples(PAPER, known, ROWS, 0, 0, impurities=np.arange(0)).group) == len(ROWS)


# --- tables of structures ---


def test_caches_lie_one_after_the_other(cache_path):
    twice = CachedCrystals([cache_path, read_reflection_cache(cache_path)])
    n = len(GROUPS)
    assert len(twice) == 2 * n
    assert twice.space_group.tolist() == [*GROUPS, *GROUPS]
    np.testing.assert_array_equal(twice.prototype[:n], twice.prototype[n:])
    assert twice.year.tolist().count(1999) == 2
    assert twice.cells.shape == (2 * n, 6)
    np.testing.assert_array_equal(twice.lines(n + 2).strength, twice.lines(2).strength)
    with pytest.raises(IndexError, match="structure 24 of a table of 24"):
        twice.lines(2 * n)
    with pytest.raises(ValueError, match="one reflection cache or more"):
        CachedCrystals([])


def test_random_crystals_are_a_pure_function_of_seed_and_row():
    table = RandomCrystals(seed=3, count=10, groups=(225, 62))
    assert table.space_group.tolist() == [225, 62] * 5
    again = RandomCrystals(seed=3, count=20, groups=(225, 62)).lines(5)
    lines = table.lines(5)
    assert lines.space_group == 62
    np.testing.assert_array_equal(lines.hkl, again.hkl)
    np.testing.assert_array_equal(lines.strength, again.strength)
    assert table.lines(3).cell != lines.cell
    with pytest.raises(IndexError):
        table.lines(10)


def test_samples_of_random_crystals_have_the_wanted_group():
    samples = draw_samples(MEASURED, RandomCrystals(groups=(225, 62)), np.arange(4), seed=0, first=0)
    assert (samples.group + 1).tolist() == [225, 62, 225, 62]
