"""Random crystals have the group that was asked for."""

import numpy as np
import pytest

from unscatter.io.structures.crystal_symmetry import label_space_group, site_multiplicities
from unscatter.powder.crystal.random_crystals import draw_crystal, draw_crystals, read_crystal_statistics
from unscatter.symmetry import SPACE_GROUPS


@pytest.mark.parametrize("number", SPACE_GROUPS)
def test_spglib_finds_the_group_that_was_drawn(number):
    crystal = draw_crystal(np.random.default_rng(number), number)
    assert label_space_group(crystal, 0.01) == number == crystal.space_group


def test_the_same_seed_draws_the_same_crystal():
    one, two = (draw_crystal(np.random.default_rng(5), 62) for _ in range(2))
    assert one.elements == two.elements
    assert np.array_equal(one.positions, two.positions)
    assert one.cell == two.cell


def test_densities_and_contents_are_those_of_real_crystals():
    rng = np.random.default_rng(2)
    crystals = [draw_crystal(rng, int(n)) for n in rng.choice([2, 14, 62, 139, 166, 194, 225], size=60)]
    per_atom = [c.cell.volume / site_multiplicities(c).sum() for c in crystals]
    assert 12 < np.median(per_atom) < 30
    assert 2 <= np.median([len(set(c.elements)) for c in crystals]) <= 4


def test_statistics_know_oxygen_is_common():
    assert np.argmax(read_crystal_statistics().elements) == 8


def test_too_few_attempts():
    with pytest.raises(ValueError, match="0 attempts"):
        draw_crystal(np.random.default_rng(0), 62, attempts=0)


def test_a_source_of_random_crystals_is_a_function_of_seed_and_number():
    crystals = list(draw_crystals("random:12,3"))
    assert [crystal.name for crystal in crystals] == [f"random-3-{i}" for i in range(12)]
    again = list(draw_crystals("9,3"))
    for one, other in zip(crystals, again, strict=False):
        assert one.space_group == other.space_group
        np.testing.assert_array_equal(one.positions, other.positions)
    assert len({crystal.space_group for crystal in crystals}) > 6


@pytest.mark.parametrize("query", ["random:", "random:0", "random:ten", "random:5,x"])
def test_a_wrong_number_of_random_crystals_says_what_to_type(query):
    with pytest.raises(ValueError, match=r"type .*random:50000"):
        next(draw_crystals(query))
