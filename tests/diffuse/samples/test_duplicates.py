"""Near-duplicates as facts: a shift in any direction is seen, whatever the scale."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import wasserstein_distance

from unscatter.diffuse.samples.duplicates import THRESHOLD, embed_planes, find_duplicates, later_of


def spot(x, y, edge=64, width=4.0):
    """A plane of one round maximum at column x and row y."""
    rows, columns = np.mgrid[:edge, :edge]
    return np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * width**2))


def sliced_distance(a, b):
    first, second = embed_planes([a, b])
    return float(np.abs(first - second).sum())


# --- the distance ---


@given(st.floats(-12, 12), st.floats(-12, 12))
@settings(max_examples=30, deadline=None)
def test_shifted_plane_is_two_over_pi_of_the_shift_away(dx, dy):
    expected = 2 / np.pi * np.hypot(dx, dy) / 64
    assert sliced_distance(spot(32, 32), spot(32 + dx, 32 + dy)) == pytest.approx(expected, rel=0.01, abs=1e-6)


def test_shift_of_a_single_pixel_of_256_is_seen_and_half_as_much_is_near_the_threshold():
    plane = spot(128, 128, 256)
    assert sliced_distance(plane, spot(128, 129, 256)) > 2 * THRESHOLD
    assert sliced_distance(plane, spot(128, 128.3, 256)) < THRESHOLD


def test_projection_on_x_alone_agrees_with_scipy():
    """Two planes that differ along x alone: the mean of |cos| over 16 directions times the distance along x."""
    rng = np.random.default_rng(0)
    a, b = (np.outer(np.eye(64)[32], rng.random(64)) for _ in range(2))
    along_x = wasserstein_distance(np.arange(64) / 64, np.arange(64) / 64, a.sum(0), b.sum(0))
    share = np.mean(np.abs(np.cos(np.arange(16) * np.pi / 16)))
    assert sliced_distance(a, b) == pytest.approx(share * along_x, rel=0.15)


def test_scale_and_negative_values_do_not_count():
    plane = spot(20, 40)
    assert sliced_distance(plane, 7e4 * plane) == pytest.approx(0, abs=1e-6)
    assert sliced_distance(plane, np.where(plane < 0.01, -1.0, plane)) < 0.01


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_distance_is_a_metric(seed):
    a, b, c = np.random.default_rng(seed).random((3, 16, 16))
    assert sliced_distance(a, b) == pytest.approx(sliced_distance(b, a))
    assert sliced_distance(a, c) <= sliced_distance(a, b) + sliced_distance(b, c) + 1e-7
    assert sliced_distance(a, a) == 0


@pytest.mark.parametrize("along", [(0, 24), (24, 0), (17, 17)])
def test_a_shift_is_seen_in_any_direction(along):
    assert sliced_distance(spot(20, 20), spot(20 + along[0], 20 + along[1])) > 100 * THRESHOLD


# --- the search ---


@pytest.fixture(scope="module")
def many():
    """300 planes of three spots, 30 of them near-copies of others."""
    rng = np.random.default_rng(2)
    planes = np.stack([sum(spot(*rng.uniform(5, 59, 2)) for _ in range(3)) for _ in range(300)])
    source, target = rng.permutation(300)[:60].reshape(2, 30)
    planes[target] = planes[source] * rng.uniform(0.5, 2, (30, 1, 1)) + 1e-7
    return planes, {tuple(sorted(pair)) for pair in zip(source.tolist(), target.tolist(), strict=True)}


def test_all_near_duplicates_are_found_and_no_others(many):
    planes, copies = many
    assert {tuple(pair) for pair in find_duplicates(planes)} == copies


def test_search_equals_the_comparison_of_all_pairs(many):
    planes = many[0][:12]
    distance = np.array(
        [[sliced_distance(a, b) if i < j else np.inf for j, b in enumerate(planes)] for i, a in enumerate(planes)]
    )
    for threshold in (1e-3, 0.05, 0.1, 0.2):
        np.testing.assert_array_equal(find_duplicates(planes, threshold), np.argwhere(distance < threshold))
    assert 0 < np.sum(distance < 0.1) < 66


def test_of_a_chain_of_copies_only_what_has_a_kept_twin_is_dropped():
    assert later_of(np.array([[0, 1], [1, 2], [3, 5], [3, 6], [5, 6]])) == {1, 5, 6}


def test_no_pairs_drop_nothing():
    distinct = np.stack([spot(10, 10), spot(50, 50)])
    assert find_duplicates(distinct).shape == (0, 2)
    assert later_of(find_duplicates(distinct)) == set()


def test_plane_without_mass_is_refused():
    for empty in (np.zeros((8, 8)), np.full((8, 8), np.nan)):
        with pytest.raises(ValueError, match="no mass"):
            find_duplicates([np.ones((8, 8)), empty])
