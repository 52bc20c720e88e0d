"""Axial asymmetry against the integral of Finger, Cox & Jephcoat (1994), done by brute force."""

import itertools
import math

import numpy as np
import pytest

from unscatter.powder.pattern.axial import axial_nodes, spread_axially
from unscatter.powder.pattern.peaks import Peaks
from unscatter.powder.pattern.profile import pseudo_voigt, sum_peaks


def one_peak(position, fwhm=0.05, eta=0.0):
    return Peaks(*(np.array([v]) for v in (position, 1.0, fwhm, eta)), np.array([0]))


def published(x, two_theta, fwhm, eta, sample, detector):
    """Profile at x (n,): the integral over 2 phi of W / (h cos 2 phi) P, with W and h of Finger, Cox & Jephcoat, in L.

    With 2 phi = 2 theta -+ s^2 the root of h at s = 0 goes; W has a kink, and Gauss' rule takes each side by itself.
    """
    angle, side = math.radians(two_theta), 1 if two_theta < 90 else -1

    def length(h):
        return math.sqrt(abs(angle - math.acos(math.cos(angle) * math.sqrt(1 + h * h))))

    ends = sorted({0.0, length(abs(sample - detector)), length(sample + detector)})
    total, seen = 0.0, np.zeros(len(x))
    for a, b in itertools.pairwise(ends):
        nodes, weights = np.polynomial.legendre.leggauss(200)
        s, weights = (a + b) / 2 + (b - a) / 2 * nodes, weights * (b - a) / 2
        phi = angle - side * s**2
        # cos^2(2 phi) - cos^2(2 theta) without the cancellation
        h = np.sqrt(np.abs(np.sin(s**2) * np.sin(angle + phi))) / abs(math.cos(angle))
        window = np.minimum(2 * min(sample, detector), sample + detector - h)
        density = weights * 2 * s * window / (h * np.abs(np.cos(phi)))
        total += density.sum()
        seen += pseudo_voigt(x[:, None] - np.degrees(phi), fwhm, eta) @ density
    return seen / total


@pytest.mark.parametrize(("sample", "detector"), [(0.02, 0.02), (0.005, 0.03), (0.03, 0.01)])
@pytest.mark.parametrize(("two_theta", "fwhm"), [(3.0, 0.1), (8.0, 0.08), (25.0, 0.05), (60.0, 0.1), (140.0, 0.06)])
@pytest.mark.parametrize("eta", [0.0, 0.6])
def test_the_profile_is_the_published_one(two_theta, fwhm, eta, sample, detector):
    x = two_theta + np.linspace(-12, 8, 41) * fwhm
    found = sum_peaks(spread_axially(one_peak(two_theta, fwhm, eta), (sample, detector)), x)[0]
    expected = published(x, two_theta, fwhm, eta, sample, detector)
    np.testing.assert_allclose(found, expected, atol=1e-6 * expected.max())


def test_lines_lean_to_low_angles_below_90_degrees_and_to_high_ones_above():
    for two_theta, side in ((10.0, -1), (90.0, 0), (170.0, 1)):
        rays = spread_axially(one_peak(two_theta), (0.03, 0.03))
        assert np.all(np.sign(np.round(rays.position - two_theta, 6)) == side)
        assert rays.area.sum() == pytest.approx(1)


def test_the_mean_shift_is_that_of_the_second_moment_of_the_heights():
    # To second order <z^2> / 2 cot(2 theta), <z^2> = (2 a)^2 / 6 for equal heights a.
    nodes = axial_nodes(np.array([30.0]), np.array([0.1]), (0.02, 0.02))
    shift = 30.0 - np.sum(nodes.angle * nodes.share)
    assert shift == pytest.approx(np.degrees(0.04**2 / 12 / np.tan(np.radians(30))), rel=0.01)


def test_which_of_sample_and_detector_is_higher_does_not_matter():
    one, other = (spread_axially(one_peak(12.0), heights) for heights in ((0.01, 0.03), (0.03, 0.01)))
    np.testing.assert_allclose(one.position, other.position)


def test_flat_sample_and_detector_change_nothing():
    peaks = one_peak(10.0)
    assert spread_axially(peaks, (0.0, 0.0)) is peaks


def test_a_line_nearer_to_the_beam_than_its_cone_reaches_keeps_its_area():
    rays = spread_axially(one_peak(2.0, 0.1), (0.04, 0.04))
    assert rays.area.sum() == pytest.approx(1)
    assert np.all(np.isfinite(rays.position))
