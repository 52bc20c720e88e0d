"""Where peaks lie, how strong they are, and how they are seen on a badly aligned instrument."""

import numpy as np
import pytest

from unscatter.nouns.cell import Cell
from unscatter.nouns.reflections import Reflections
from unscatter.powder.pattern.factors import cylinder_absorption, lorentz_polarisation
from unscatter.powder.pattern.instrument import read_instruments
from unscatter.powder.pattern.peaks import Peaks, join_peaks, misalign, place_peaks, position_by_metric

INSTRUMENTS = read_instruments()


def peaks_at(position):
    position = np.asarray(position, dtype=float)
    return Peaks(position, *(np.ones_like(position) for _ in range(3)), np.zeros(len(position), dtype=int))


def test_a_doublet_is_two_to_one_at_one_d():
    lab = INSTRUMENTS["lab-cu"]
    line = Reflections(np.array([0.8]), np.array([1]), np.array([1.0]), 1.0, radiation="x-ray")
    peaks = place_peaks(line, lab)
    assert peaks.area[0] / peaks.area[1] == pytest.approx(2, rel=0.02)
    np.testing.assert_allclose(np.sin(np.radians(peaks.position / 2)) / np.array(lab.wavelengths), 0.4)


def test_every_peak_keeps_its_indices():
    hkl = np.array([[1, 0, 0], [1, 1, 0], [9, 9, 9]])
    line = Reflections(np.array([0.3, 0.5, 3.0]), np.ones(3), np.ones(3), 1.0, hkl, "x-ray")
    peaks = place_peaks(line, INSTRUMENTS["lab-cu"])
    np.testing.assert_array_equal(peaks.hkl, hkl[[0, 1, 0, 1]])
    np.testing.assert_array_equal(join_peaks([peaks, peaks]).hkl, np.concatenate([peaks.hkl, peaks.hkl]))
    assert join_peaks([peaks, peaks_at([3.0])]).hkl is None


def test_a_displaced_sample_shifts_low_angles_and_a_wrong_zero_all():
    seen = misalign(peaks_at([0.0, 90.0, 180.0]), zero=0.02, displacement=-0.1).position
    np.testing.assert_allclose(seen - [0, 90, 180], 0.02 - 0.1 * np.array([1, np.sqrt(0.5), 0]), atol=1e-12)


def test_positions_follow_the_metric_as_their_derivative_says(torch):
    cell, wavelength = Cell(5.0, 6.0, 7.0, 80.0, 95.0, 100.0), 1.54
    hkl = np.array([[1, 0, 0], [1, -2, 1], [0, 1, 3], [2, 1, -1]])
    g = cell.reciprocal @ cell.reciprocal.T / (2 * np.pi) ** 2
    metric = np.array([g[0, 0], g[1, 1], g[2, 2], 2 * g[1, 2], 2 * g[0, 2], 2 * g[0, 1]])

    def two_theta(m):
        h, k, l = hkl.T  # noqa: E741
        square = np.stack([h * h, k * k, l * l, k * l, h * l, h * k], axis=1) @ m
        return np.degrees(2 * np.arcsin(wavelength / 2 * np.sqrt(square)))

    found = position_by_metric(hkl, two_theta(metric), wavelength)
    for j in range(6):
        step = np.eye(6)[j] * 1e-7
        np.testing.assert_allclose(found[:, j], (two_theta(metric + step) - two_theta(metric - step)) / 2e-7, rtol=1e-5)
    tensor = position_by_metric(torch.tensor(hkl), torch.tensor(two_theta(metric)), wavelength)
    np.testing.assert_allclose(tensor.numpy(), found)


def test_factors():
    theta = np.radians([10.0, 45.0])
    np.testing.assert_allclose(lorentz_polarisation(theta), 1 / (np.sin(theta) ** 2 * np.cos(theta)))
    ratio = lorentz_polarisation(theta, 1.0) / lorentz_polarisation(theta)
    np.testing.assert_allclose(ratio, [(1 + np.cos(np.radians(20)) ** 2) / 2, 0.5])
    np.testing.assert_allclose(cylinder_absorption(theta, 0.0), 1)
    assert np.all(np.diff(cylinder_absorption(np.linspace(0.1, 1.5, 9), 0.8)) > 0)
