"""Smoothing by boxes is smoothing by a Gaussian, within what is promised."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from unscatter.diffuse.plane.smoothing import smooth_plane

POINT = np.zeros((301, 281))
POINT[150, 140] = 1.0


@pytest.mark.parametrize("sigma", [0.7, 5.9, 6.1, 9.3, 24.0])
def test_a_point_becomes_a_gaussian(sigma: float) -> None:
    exact = gaussian_filter(POINT, sigma, mode="constant")
    found = smooth_plane(POINT, sigma, "constant")
    assert found.sum() == pytest.approx(1.0, abs=0.01)
    np.testing.assert_allclose(found, exact, atol=(0.08 if sigma > 6 else 0.02) * exact.max())


@pytest.mark.parametrize("sigma", [6.5, 11.0, 17.3])
def test_boxes_keep_the_variance(sigma: float) -> None:
    found = smooth_plane(POINT, (sigma, 0.0), "constant")
    distance = np.arange(301) - 150
    assert np.sum(found.sum(axis=1) * distance**2) == pytest.approx(sigma**2, rel=0.05)


def test_a_constant_stays_where_the_edges_are_mirrors() -> None:
    np.testing.assert_allclose(smooth_plane(np.full((80, 90), 3.0), 14.0, "reflect"), 3.0, rtol=1e-12)
