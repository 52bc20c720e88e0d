"""A zero of a counter is a count; a gap of zeros is none."""

import numpy as np
import pytest

from order_planes import counted_plane, expected_plane, strips
from unscatter.io.planes.zeros import judge_zeros


@pytest.mark.parametrize("mean", [0.5, 1.0, 2.0, 5.0, 20.0, 100.0, 400.0])
def test_zeros_of_a_plane_without_gaps_are_counts(mean):
    _, expected = expected_plane(mean, 151)
    lost = [expected[judge_zeros(counted_plane(mean, 151, seed)[1]).gaps].sum() for seed in range(3)]
    # Of all counts that the plane is expected to hold, one in 200 is the most that is left out with zeros.
    assert max(lost) < 0.005 * expected.sum()


@pytest.mark.parametrize("corrected", [False, True])
@pytest.mark.parametrize("mean", [1.0, 2.0, 5.0, 20.0, 400.0])
def test_gaps_between_modules_are_found_where_counts_are_expected(mean, corrected):
    _, expected = expected_plane(mean, 151)
    _, counts = counted_plane(mean, 151)
    gap = strips(151)
    counts[gap] = 0
    if corrected:
        # Polarization and solid angle make other numbers of counts; zeros stay zeros.
        counts *= 0.37 * (1 + 0.3 * np.cos(np.arange(151) / 90))
    judged = judge_zeros(counts)
    assert judged.gaps[gap & (expected > 1)].mean() > 0.99
    assert judged.gaps[gap & (expected > 0.3)].mean() > 0.85
    assert expected[judged.gaps & ~gap].sum() < 0.005 * expected.sum()
    assert "cannot be counts" in judged.words


def test_broken_pixels_are_found_where_counts_are_many():
    _, counts = counted_plane(400, 151)
    rows, columns = np.random.default_rng(1).integers(20, 130, (2, 40))
    bright = counts[rows, columns] > 60
    counts[rows, columns] = 0
    assert judge_zeros(counts).gaps[rows, columns][bright].mean() > 0.9


def test_a_plane_that_fades_to_nothing_has_no_gap():
    """|F_A - F_B| passes through zero, as it does at Q = 0 for two orientations of one molecule."""
    y, x = np.mgrid[-60:61, -60:61] / 15
    counts = np.random.default_rng(0).poisson(4 * (x**2 + y**2)).astype(float)
    assert (counts == 0).sum() > 100
    assert not judge_zeros(counts).gaps.any()


def test_zeros_of_a_smooth_calculated_plane_are_gaps():
    y, x = np.mgrid[:60, :60] / 60
    plane = 2 + np.cos(7 * x) * np.cos(5 * y)
    plane[20:23, 30:40] = plane[5, 5] = 0
    np.testing.assert_array_equal(judge_zeros(plane).gaps, plane == 0)


def test_exact_zeros_in_noise_of_both_signs_are_gaps_and_rounded_ones_are_not():
    noise = np.random.default_rng(0).normal(1, 2, (60, 60))
    spoilt = noise.copy()
    spoilt[10:20, 10:12] = 0
    np.testing.assert_array_equal(judge_zeros(spoilt).gaps, spoilt == 0)
    assert not judge_zeros(np.rint(noise)).gaps.any()


def test_what_is_said_overrules():
    _, counts = counted_plane(1.0)
    assert not judge_zeros(counts, "measured").gaps.any()
    np.testing.assert_array_equal(judge_zeros(counts, "missing").gaps, counts == 0)
