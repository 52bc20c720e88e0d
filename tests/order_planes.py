"""Counted planes of known order, for tests of what is read: I_FF (1 + sum alpha cos) with Poisson noise."""

import numpy as np

CELL = (10.0, 10.0, 7.0, 90.0, 90.0, 90.0)
#: alpha of (100) and (110); everything else is zero, so hk0 shows them as they are.
ALPHA = (-0.12, 0.06)


def expected_plane(
    mean: float = 50.0, pixels: int = 101, reach: float = 4.0, slope: bool = True
) -> tuple[np.ndarray, np.ndarray]:
    """Indices along an edge, and what a plane hk0 is expected to hold, (pixels, pixels), rows along k.

    slope: I_FF is not the same under Q -> -Q, which no crystal does, and a plane that is turned wrongly shows.
    """
    h = np.linspace(-reach, reach, pixels)
    H, K = np.meshgrid(h, h)
    cos_h, cos_k = np.cos(2 * np.pi * H), np.cos(2 * np.pi * K)
    order = 1 + 2 * ALPHA[0] * (cos_h + cos_k) + 4 * ALPHA[1] * cos_h * cos_k
    places = np.random.default_rng(5).uniform(-0.14, 0.14, (7, 2))
    factors = np.array([6.0, 7.0, 8.0, 6.0, 1.0, 3.0, 5.0])
    amplitude = sum(f * np.exp(2j * np.pi * (H * x + K * y)) for f, (x, y) in zip(factors, places, strict=True))
    intensity = np.abs(amplitude) ** 2 * np.exp(-0.02 * (H**2 + K**2)) * order
    intensity = intensity * (1 + 0.05 * H + 0.08 * K) if slope else intensity
    return h, intensity * mean / intensity.mean()


def counted_plane(
    mean: float = 50.0, pixels: int = 101, seed: int = 0, slope: bool = True
) -> tuple[np.ndarray, np.ndarray]:
    """Indices along an edge, and counts."""
    h, expected = expected_plane(mean, pixels, slope=slope)
    return h, np.random.default_rng(seed).poisson(expected).astype(np.float64)


def strips(pixels: int, width: int = 7) -> np.ndarray:
    """The gaps between the modules of a detector: a row and a column of pixels."""
    gap = np.zeros((pixels, pixels), dtype=bool)
    gap[pixels // 3 : pixels // 3 + width] = True
    gap[:, 3 * pixels // 5 : 3 * pixels // 5 + width] = True
    return gap
