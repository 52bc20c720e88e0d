"""Scaling as facts: [-1, 1] with a square root, and exactly back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from unscatter.diffuse.plane.scaling import plane_maximum, scale_by_maximum, scale_plane, unscale_plane

planes = arrays(np.float64, (2, 3, 4), elements=st.floats(0, 1e6, allow_subnormal=False))


def test_zero_a_quarter_and_the_maximum_become_minus_one_zero_and_one():
    np.testing.assert_array_equal(scale_plane(np.array([[0.0, 2.0, 8.0]]), 8.0), [[-1.0, 0.0, 1.0]])


@given(planes)
def test_unscaling_gives_the_intensity_back(intensity):
    maximum = plane_maximum(intensity) + 1.0
    np.testing.assert_allclose(
        unscale_plane(scale_plane(intensity, maximum), maximum), intensity, rtol=1e-12, atol=1e-12 * maximum.max()
    )


@given(planes)
def test_each_plane_is_scaled_by_itself_into_minus_one_to_one(intensity):
    scaled = scale_by_maximum(intensity + 1.0)
    assert scaled.min() >= -1
    np.testing.assert_allclose(scaled.max(axis=(1, 2)), 1.0)


def test_negative_intensity_becomes_the_lower_bound():
    assert scale_plane(np.array([[-3.0]]), 2.0)[0, 0] == -1


def test_torch_agrees_with_numpy():
    torch = pytest.importorskip("torch")
    intensity = np.random.default_rng(0).random((2, 5, 5))
    np.testing.assert_allclose(scale_by_maximum(torch.asarray(intensity)), scale_by_maximum(intensity))
