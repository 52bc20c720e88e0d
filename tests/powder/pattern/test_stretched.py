"""The fast sum of peaks against the direct one, at the widths of real instruments."""

import math

import numpy as np
import pytest

from unscatter.powder.crystal.random_crystals import draw_crystal
from unscatter.powder.crystal.reflections import simulate_reflections
from unscatter.powder.pattern.profile import caglioti_fwhm, find_lines, read_instruments
from unscatter.powder.pattern.stretched import sum_equal_lines

INSTRUMENTS = read_instruments()


def shape_of(instrument):
    def shape(two_theta):
        eta = np.clip(instrument.mixing[0] + instrument.mixing[1] * two_theta, 0, 1)
        return caglioti_fwhm(np.radians(two_theta / 2), *instrument.caglioti), eta

    return shape


def direct_sum(position, area, two_theta, shape, cut):
    fwhm, eta = shape(position)
    u = (two_theta[:, None] - position) / fwhm
    lorentzian = 2 / math.pi / (1 + 4 * u**2)
    gaussian = 2 * math.sqrt(math.log(2) / math.pi) * np.exp(-4 * math.log(2) * u**2)
    return np.sum(np.where(np.abs(u) <= cut, (eta * lorentzian + (1 - eta) * gaussian) / fwhm * area, 0.0), axis=1)


@pytest.mark.parametrize("name", ["lolla-2022", "bt1-ge311", "hrpt", "d20", "3t2", "lab-cu"])
@pytest.mark.parametrize("number", [62, 166, 225])
def test_it_is_the_direct_sum_to_3_per_cent_of_the_highest_peak(name, number):
    instrument = INSTRUMENTS[name]
    crystal = draw_crystal(np.random.default_rng(number), number, tolerance=None)
    powder = simulate_reflections(crystal, instrument.limit, instrument.radiation)
    lines = find_lines([powder], [instrument])
    shape, grid = shape_of(instrument), instrument.two_theta
    fast = sum_equal_lines(lines.position, lines.area, grid, shape, instrument.cut)
    slow = direct_sum(lines.position, lines.area, grid, shape, instrument.cut)
    np.testing.assert_allclose(fast, slow, atol=0.03 * slow.max())
    assert np.mean(np.abs(fast - slow)) < 2e-3 * slow.max()
    assert fast.sum() == pytest.approx(slow.sum(), rel=3e-3)


def test_peaks_of_constant_width_are_right_to_half_a_per_cent_wherever_they_lie():
    two_theta = np.arange(20, 60, 0.01)

    def shape(angles):
        return np.full_like(angles, 0.2), np.full_like(angles, 0.4)

    for position in 30 + 0.2 * np.random.default_rng(0).random(20):
        place, area = np.array([position]), np.array([3.0])
        fast = sum_equal_lines(place, area, two_theta, shape)
        slow = direct_sum(place, area, two_theta, shape, 8.0)
        np.testing.assert_allclose(fast, slow, atol=0.005 * slow.max())


def test_lines_outside_the_range_reach_in_with_their_tails_alone():
    two_theta = np.arange(20, 60, 0.01)

    def shape(angles):
        return np.full_like(angles, 0.2), np.full_like(angles, 1.0)

    seen = sum_equal_lines(np.array([19.5, 100.0]), np.ones(2), two_theta, shape)
    assert seen[0] > 0.01
    height = 2 / math.pi / 0.2
    assert np.abs(seen[two_theta > 21.2]).max() < 1e-3 * height


def test_no_line_is_no_intensity():
    def shape(angles):
        return np.full_like(angles, 0.2), np.full_like(angles, 1.0)

    assert np.all(sum_equal_lines(np.array([]), np.array([]), np.arange(20, 60, 0.05), shape) == 0)
