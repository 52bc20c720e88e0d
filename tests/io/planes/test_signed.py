"""Noise of a subtracted background stays; what is no noise is refused with what to type."""

import numpy as np
import pytest

from order_planes import counted_plane, expected_plane, strips
from unscatter.io import read_plane
from unscatter.io.planes.signed import settle_negative


def subtracted(mean=3.0, background=20.0, seed=0):
    _, expected = expected_plane(mean, 101)
    return np.random.default_rng(seed).poisson(expected + background) - background


@pytest.mark.parametrize("scale", [1.0, 0.013, 500.0])
def test_noise_around_zero_is_kept_as_it_is(scale):
    noisy = scale * subtracted()
    assert np.mean(noisy < 0) > 0.1
    kept, notes = settle_negative(noisy, "auto", "p")
    np.testing.assert_array_equal(kept, noisy)
    assert "kept, as noise" in notes[0]


def test_rounded_noise_is_noise():
    noisy = np.rint(subtracted() / 3)
    assert np.isin(noisy, [-1.0]).mean() > 0.05
    np.testing.assert_array_equal(settle_negative(noisy, "auto", "p")[0], noisy)


def test_a_broken_pixel_far_below_is_not_measured():
    noisy = subtracted()
    noisy[3, 4] = -1e4
    kept, notes = settle_negative(noisy, "auto", "p")
    assert np.argwhere(np.isnan(kept)).tolist() == [[3, 4]]
    assert "not measured" in notes[1]


@pytest.mark.parametrize("shift", [15.0, 40.0])
def test_too_much_subtracted_is_refused(shift):
    with pytest.raises(ValueError, match=r"too much background was subtracted.*--negative shift"):
        settle_negative(subtracted(mean=10.0) - shift, "auto", "p")


@pytest.mark.parametrize("mark", [-1.0, -0.5, -999.0])
def test_a_mark_is_named_and_the_advice_helps(tmp_path, mark):
    _, counts = counted_plane()
    gap = strips(len(counts))
    np.save(tmp_path / "p.npy", np.where(gap, mark, counts + 0.25))
    with pytest.raises(ValueError, match=rf"{100 * gap.mean():.2g} % are exactly {mark:g}.*type --missing") as caught:
        read_plane(tmp_path / "p.npy")
    value = float(str(caught.value).rsplit("--missing ", 1)[1])
    plane = read_plane(tmp_path / "p.npy", missing=value)
    np.testing.assert_array_equal(plane.measured, ~gap)


def test_each_word_does_what_it_says():
    noisy = subtracted()
    assert settle_negative(noisy, "clip", "p")[0].min() == 0
    assert settle_negative(noisy, "shift", "p")[0].min() == 0
    np.testing.assert_array_equal(settle_negative(noisy - 40, "keep", "p")[0], noisy - 40)
    with pytest.raises(ValueError, match="--negative keep"):
        settle_negative(noisy, "refuse", "p")
