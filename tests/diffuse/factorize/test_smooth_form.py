"""I_FF as a smooth random field: it follows data, is no finer than it may be, and bridges gaps."""

import numpy as np
import pytest
from scipy import fft

from unscatter.diffuse.factorize.smooth_form import field, smooth_form

PIXELS, FINEST = 96, 24.0
AXIS = np.arange(PIXELS, dtype=float)
FLAT = np.ones((PIXELS, PIXELS))
TRUE = 2 + np.cos(2 * np.pi * AXIS / 40)[None, :] * np.cos(2 * np.pi * AXIS / 50)[:, None]
ORDER = 1 + 0.8 * np.cos(2 * np.pi * AXIS / 8)[None, :] * FLAT


def fitted(measured: np.ndarray, first: np.ndarray, rounds: int = 4) -> np.ndarray:
    series = smooth_form(first, (8.0, 8.0), (1.0, 1.0), np.eye(2), FINEST)
    form, white = first, None
    for _ in range(rounds):
        form, white = series.fit(TRUE * ORDER * measured, 1e4 * measured, ORDER, white)
    return form


def test_the_field_holds_no_wave_shorter_than_its_finest_fringes() -> None:
    made = field((PIXELS, PIXELS), (1.0, 1.0), np.eye(2), FINEST)
    drawn = fft.irfft2(fft.rfft2(np.random.default_rng(0).normal(size=made.padded)) * made.root, s=made.padded)
    wave = np.hypot(fft.fftfreq(made.padded[0])[:, None], fft.fftfreq(made.padded[1]))
    assert np.abs(fft.fft2(drawn))[wave > 1 / FINEST].max() < 1e-9


def test_the_field_has_variance_one() -> None:
    made = field((PIXELS, PIXELS), (1.0, 1.0), np.eye(2), FINEST)
    rng = np.random.default_rng(0)
    drawn = [made(rng.normal(size=made.padded)) for _ in range(40)]
    assert np.var(drawn) == pytest.approx(1.0, rel=0.15)


def test_field_and_adjoint_are_transposes() -> None:
    made = field((50, 70), (1.0, 1.0), np.array([[1.0, 0.4], [0.4, 1.5]]), FINEST)
    rng = np.random.default_rng(0)
    white, image = rng.normal(size=made.padded), rng.normal(size=made.shape)
    assert np.vdot(made(white), image) == pytest.approx(np.vdot(white, made.adjoint(image)))


def test_axes_that_are_not_at_right_angles_are_measured_by_their_metric() -> None:
    gram = np.array([[1.0, -0.5], [-0.5, 1.0]])
    made = field((PIXELS, PIXELS), (1.0, 1.0), gram, FINEST)
    rows, columns = (fft.fftfreq(n) for n in made.padded)
    kept = made.root[:, : made.padded[1] // 2] > 0
    y, x = np.meshgrid(rows, columns[: made.padded[1] // 2], indexing="ij")
    length = np.sqrt(np.einsum("i...,ij,j...->...", np.stack([x, y]), np.linalg.inv(gram), np.stack([x, y])))
    np.testing.assert_array_equal(kept, length < 1 / FINEST)


def test_it_finds_a_smooth_form_factor_under_known_order() -> None:
    left = fitted(FLAT, 2 * FLAT) - TRUE
    assert np.abs(left[8:-8, 8:-8]).max() < 0.06
    # Corners come last.
    assert np.abs(left).max() < 0.2


def test_it_runs_on_into_a_gap_without_a_step_at_its_edge() -> None:
    measured = FLAT.copy()
    measured[40:50] = 0
    form = fitted(measured, 2 * FLAT)
    assert form[40:50] == pytest.approx(TRUE[40:50], abs=0.1)
    bend = np.abs(np.diff(form, n=2, axis=0))
    assert bend[38:51].max() < 1.5 * np.abs(np.diff(TRUE, n=2, axis=0)).max()


def test_waves_of_the_order_stay_out_of_it() -> None:
    ghost = 2 * (1 + 0.3 * np.cos(2 * np.pi * AXIS / 8))[None, :] * FLAT
    wave = np.cos(2 * np.pi * AXIS / 8)
    amplitude = [2 * float(np.mean((form - TRUE) * wave)) for form in (ghost, fitted(FLAT, ghost))]
    assert amplitude[0] == pytest.approx(0.6, abs=0.01)
    assert abs(amplitude[1]) < 0.06


def test_blocks_of_pixels_give_what_pixels_give() -> None:
    fine = smooth_form(2 * FLAT, (8.0, 8.0), (1.0, 1.0), np.eye(2), 60.0)
    assert fine.block == 4
    form, _ = fine.fit(ORDER * (2 + 0.4 * np.cos(2 * np.pi * AXIS / 90)), 1e4 * FLAT, ORDER, None)
    assert form[10:-10, 10:-10] == pytest.approx(
        (2 + 0.4 * np.cos(2 * np.pi * AXIS / 90) + 0 * FLAT)[10:-10, 10:-10], abs=0.03
    )
