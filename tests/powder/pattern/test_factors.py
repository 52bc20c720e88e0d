"""Factors of an intensity: what averages to one, and which way it goes."""

import numpy as np
import pytest

from unscatter.powder.pattern.factors import march_dollase


@pytest.mark.parametrize("r", [0.3, 0.7, 1.0, 1.5, 3.0])
def test_march_dollase_has_mean_one_over_all_orientations(r):
    x, w = np.polynomial.legendre.leggauss(200)
    assert np.sum(w * march_dollase(x, r)) / 2 == pytest.approx(1, abs=1e-6)


def test_plates_show_their_face_and_needles_their_side():
    assert march_dollase(np.array(1.0), 0.5) > 1 > march_dollase(np.array(0.0), 0.5)
    assert march_dollase(np.array(1.0), 2.0) < 1 < march_dollase(np.array(0.0), 2.0)
