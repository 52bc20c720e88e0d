"""The gain is the ratio of data to model where there are data, runs on into gaps, and is 1 far from all data."""

import numpy as np
import pytest

from unscatter.diffuse.plane.gain import smooth_gain

PIXELS, CELL = 120, (20.0, 20.0)
AXIS = np.arange(PIXELS, dtype=float)
MODEL = 2 + np.cos(AXIS / 9)[None, :] * np.cos(AXIS / 13)[:, None]


def test_a_model_of_the_wrong_scale_is_put_right_in_narrow_gaps_too():
    weight = np.ones((PIXELS, PIXELS))
    weight[50:60] = 0
    gain = smooth_gain(1.5 * MODEL * weight, MODEL, weight, AXIS, AXIS, CELL)
    assert gain == pytest.approx(np.full_like(gain, 1.5), rel=0.01)


def test_the_gain_is_continuous_across_the_edge_of_a_gap():
    weight = np.ones((PIXELS, PIXELS))
    weight[:, 60:] = 0
    gain = smooth_gain((1 + 0.3 * np.sin(AXIS / 7)) * MODEL * weight, MODEL, weight, AXIS, AXIS, CELL)
    assert np.abs(np.diff(gain, axis=1)).max() < 0.06


def test_the_gain_is_one_where_nothing_was_measured():
    gain = smooth_gain(np.zeros_like(MODEL), MODEL, np.zeros_like(MODEL), AXIS, AXIS, CELL)
    np.testing.assert_allclose(gain, 1.0)
