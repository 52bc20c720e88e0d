"""Order of one wave along each axis, seen through noise: its period is found, and no multiple of it."""

import numpy as np
import pytest

from unscatter import factorize
from unscatter.diffuse.factorize.lattice.weighing import noise_residual


def plane_of_waves(pixels: int, reach: float, along_h: float, along_k: float) -> tuple[np.ndarray, float]:
    """Counts about 1 + 2 a cos(2 pi h) + 2 b cos(2 pi k) under a bell, with two gaps; and the period in pixels."""
    h = np.linspace(-reach, reach, pixels)
    x, y = np.meshgrid(h, h)
    bell = 200 * np.exp(-(x**2 + y**2) / (0.9 * reach**2))
    order = 1 + 2 * along_h * np.cos(2 * np.pi * x) + 2 * along_k * np.cos(2 * np.pi * y)
    counts = np.random.default_rng(3).poisson(bell * order).astype(float)
    counts[np.abs(y - 1.03) < 0.015 * reach] = np.nan
    counts[np.abs(x + 2.02) < 0.012 * reach] = np.nan
    return counts, (pixels - 1) / (2 * reach)


@pytest.mark.parametrize(("pixels", "reach"), [(256, 5.0), (512, 8.0), (256, 8.0)])
def test_the_period_is_found_and_no_multiple_of_it(pixels: int, reach: float) -> None:
    counts, period = plane_of_waves(pixels, reach, -0.12, -0.05)
    found = factorize(counts).found_lattice
    assert found is not None
    np.testing.assert_allclose(np.sort(np.linalg.norm(found.translations, axis=1)), period, rtol=0.01)


def test_the_noise_of_pixels_is_told_from_what_repeats() -> None:
    rng = np.random.default_rng(5)
    x = np.arange(256)
    clean = 100 * (1 + 0.5 * np.cos(2 * np.pi * x / 16))[:, None] * np.ones(256)
    seen = rng.random(clean.shape) > 0.1
    noise = rng.normal(0, 10, clean.shape)
    exact = np.abs(noise[seen]).sum() / clean[seen].sum()
    assert noise_residual(clean + noise, seen) == pytest.approx(exact, rel=0.05)
    assert noise_residual(clean, seen) < 0.05 * exact
