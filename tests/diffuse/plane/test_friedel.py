"""I(Q) = I(-Q): gaps of a plane through Q = 0 are filled with their mates, and a picture shows whether it is one."""

import numpy as np
import pytest

from unscatter.diffuse.plane.friedel import beam_pixel, fill_from_mates, picture_centre
from unscatter.nouns.cell import Cell
from unscatter.nouns.plane import PlaneAxes

CELL = Cell(5.0, 7.0, 9.0, 90.0, 100.0, 90.0)
PLACE = np.arange(80) - 39.5
EVEN = 3 + np.cos(PLACE / 7)[:, None] * np.cos(PLACE / 4 + 0.2 * PLACE[:, None])
ODD = np.sin(PLACE / 9)[None, :] + 0 * EVEN


def with_gap(image: np.ndarray) -> np.ndarray:
    gapped = image.copy()
    gapped[5:30, 50:70] = np.nan
    return gapped


def test_q_of_zero_lies_where_hkl_is_zero_and_not_on_a_plane_above_it() -> None:
    axes = PlaneAxes(np.array([-2.0, 0.0, 1.0]), np.eye(3)[0], np.eye(3)[1], np.arange(9.0), np.arange(-4, 5.0))
    assert beam_pixel(axes, CELL) is None
    through = PlaneAxes(np.array([-2.0, 0.0, 0.0]), np.eye(3)[0], np.eye(3)[1], np.arange(9.0), np.arange(-4, 5.0))
    assert beam_pixel(through, CELL) == pytest.approx((2.0, 4.0))


def test_a_gap_is_filled_from_the_pixel_opposite_and_what_was_measured_stays() -> None:
    noisy = EVEN + np.random.default_rng(0).normal(0, 0.1, EVEN.shape)
    filled = fill_from_mates(with_gap(noisy), (39.5, 39.5))
    seen = np.isfinite(with_gap(noisy))
    np.testing.assert_array_equal(filled[seen], noisy[seen])
    np.testing.assert_array_equal(filled[~seen], noisy[::-1, ::-1][~seen])


def test_between_pixels_the_mate_is_interpolated() -> None:
    ramp = np.abs(np.arange(80) - 39.3)[None, :] + 0 * EVEN
    gapped = ramp.copy()
    gapped[:, 60:64] = np.nan
    assert fill_from_mates(gapped, (39.3, 39.5)) == pytest.approx(ramp)


def test_pixels_missing_on_both_sides_stay_missing() -> None:
    gapped = EVEN.copy()
    gapped[35:45, 35:45] = np.nan
    assert np.isnan(fill_from_mates(gapped, (39.5, 39.5))).sum() == 100


def test_a_picture_of_even_intensity_is_centred_and_one_with_an_odd_part_is_not() -> None:
    assert picture_centre(with_gap(EVEN), 0.0) == (39.5, 39.5)
    assert picture_centre(with_gap(EVEN + 0.5 * ODD), 0.0) is None


def test_noise_does_not_hide_the_centre() -> None:
    noise = np.random.default_rng(1).normal(0, 0.6, EVEN.shape)
    relative = float(np.abs(noise).sum() / EVEN.sum())
    assert picture_centre(with_gap(EVEN + noise), relative) == (39.5, 39.5)
