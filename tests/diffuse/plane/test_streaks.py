"""A series along one direction comes back through gaps, and equals the fold of a lattice that has no other waves."""

import numpy as np

from unscatter.diffuse.plane.fold import fit_waves
from unscatter.diffuse.plane.streaks import fit_streaks

FREQUENCY = np.array([0.061, -0.023])
X, Y = np.arange(90.0) - 20, np.arange(70.0) - 31


def streaks(shift: float = 0.0) -> np.ndarray:
    """Order of two harmonics, moved by a share of a period, (70, 90)."""
    phase = 2 * np.pi * (FREQUENCY[0] * X + FREQUENCY[1] * Y[:, None] - shift)
    return 1 + 0.5 * np.cos(phase) - 0.2 * np.cos(2 * phase)


def test_a_series_comes_back_through_gaps() -> None:
    weight = (np.random.default_rng(0).random((70, 90)) > 0.5).astype(float)
    weight[:, 30:45] = 0
    true = streaks(0.2)
    made = fit_streaks(np.where(weight > 0, true, 7.0), weight, FREQUENCY, X, Y, 4, ridge=1e-9)
    np.testing.assert_allclose(made(X, Y), true, atol=1e-5)


def test_it_equals_the_fold_of_a_lattice_without_waves_of_the_other_axis() -> None:
    weight = np.ones((70, 90))
    across = np.array([0.023, 0.061])
    line = fit_streaks(streaks(0.1), weight, FREQUENCY, X, Y, 3, ridge=1e-9)
    fold = fit_waves(streaks(0.1), weight, np.stack([FREQUENCY, across]), X, Y, 3, ridge=1e-9)
    np.testing.assert_allclose(line(X, Y), fold(X, Y), atol=1e-5)


def test_about_a_centre_there_are_no_sines() -> None:
    made = fit_streaks(streaks(), np.ones((70, 90)), FREQUENCY, X, Y, 3, ridge=1e-9, centric=True)
    assert not np.any(made.sine)
    np.testing.assert_allclose(made(X, Y), streaks(), atol=1e-5)


def test_what_the_data_leave_open_stays_at_the_prior() -> None:
    prior = (np.array([1.0, 0.5, -0.2]), np.zeros(3))
    nothing = np.zeros((70, 90))
    nothing[3, 4] = 1e-12
    made = fit_streaks(streaks(), nothing, FREQUENCY, X, Y, 2, prior=prior)
    np.testing.assert_allclose(made.cosine[1:], prior[0][1:], atol=0.3)
