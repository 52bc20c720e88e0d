"""Widths of instruments, and of crystallites that are small or strained."""

import math

import numpy as np
import pytest

from unscatter.powder.pattern.instrument import read_instruments
from unscatter.powder.pattern.width import broaden, caglioti_fwhm

INSTRUMENTS = read_instruments()


def test_published_widths():
    bt1 = INSTRUMENTS["lolla-2022"]
    widths = caglioti_fwhm(np.radians(np.array([20, 60, 120]) / 2), *bt1.caglioti)
    np.testing.assert_allclose(widths, [0.18, 0.35, 0.99], atol=0.01)
    assert bt1.two_theta.size == 3041
    assert bt1.mixing[0] + 45 * bt1.mixing[1] == pytest.approx(0.20, abs=0.005)
    assert bt1.mixing[0] + 140 * bt1.mixing[1] == pytest.approx(0.05, abs=0.005)
    # 354, -760, 652 hundredths of a degree squared, as a Gaussian variance.
    assert INSTRUMENTS["d1a"].caglioti[0] == pytest.approx(354e-4 * 8 * math.log(2))


def test_large_perfect_crystallites_change_nothing():
    theta = np.radians(np.linspace(5, 70, 20))
    fwhm, eta = np.linspace(0.1, 0.5, 20), np.linspace(0.0, 1.0, 20)
    width, share = broaden(fwhm, eta, theta, 1.54, np.inf, 0.0)
    # The formulas of Thompson, Cox & Hastings are fits, and so is their inverse.
    np.testing.assert_allclose(width, fwhm, rtol=3e-3)
    np.testing.assert_allclose(share, eta, atol=6e-3)


def test_small_crystallites_have_lorentzian_lines_of_scherrers_width():
    theta = np.radians(np.array([10.0, 40.0]))
    width, share = broaden(np.full(2, 1e-4), np.zeros(2), theta, 1.54, 100.0, 0.0)
    np.testing.assert_allclose(width, np.degrees(0.9 * 1.54 / 100 / np.cos(theta)), rtol=1e-3)
    np.testing.assert_allclose(share, 1, atol=1e-3)


def test_strain_broadens_with_the_tangent():
    theta = np.radians(np.array([10.0, 40.0]))
    width, _ = broaden(np.full(2, 1e-4), np.zeros(2), theta, 1.54, np.inf, 1e-3)
    assert width[1] / width[0] == pytest.approx(np.tan(theta[1]) / np.tan(theta[0]), rel=1e-3)
