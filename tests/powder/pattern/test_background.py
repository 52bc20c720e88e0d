"""The estimated background follows what is slow and ignores lines, on any scale."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from unscatter.powder.demonstration import simulate_corundum
from unscatter.powder.pattern.background import (
    amorphous_background,
    chebyshev_background,
    clip_lines,
    estimate_background,
)

ANGLES = np.arange(5.0, 150.0, 0.05)
SLOW = 120 + 80 * np.exp(-ANGLES / 30) + 40 * np.exp(-(((ANGLES - 50) / 25) ** 2))


def lines(width: float) -> np.ndarray:
    places = np.array([12.0, 25, 31, 33, 47, 60, 61, 75, 90, 110, 130])
    return (4000 * np.exp(-(((ANGLES[:, None] - places) / width) ** 2))).sum(axis=1)


def test_lines_on_a_slow_background_are_left_out() -> None:
    counts = np.random.default_rng(1).poisson(SLOW + lines(0.4))
    miss = estimate_background(ANGLES, counts.astype(float)) / SLOW - 1
    assert np.abs(miss).max() < 0.2
    assert abs(np.median(miss)) < 0.04


def test_a_hump_wider_than_any_line_is_background() -> None:
    hump = 300 * np.exp(-(((ANGLES - 60) / 20) ** 2))
    found = estimate_background(ANGLES, hump + lines(0.3) + 10)
    assert found[np.argmin(np.abs(ANGLES - 68))] > 0.8 * hump[np.argmin(np.abs(ANGLES - 68))]


@given(st.floats(1e-3, 1e5))
def test_the_units_of_the_intensity_do_not_matter(scale: float) -> None:
    intensity = SLOW + lines(0.4)
    np.testing.assert_allclose(
        estimate_background(ANGLES, scale * intensity), scale * estimate_background(ANGLES, intensity), rtol=1e-9
    )


def test_uneven_steps_give_the_same_background() -> None:
    kept = np.sort(np.random.default_rng(0).choice(ANGLES.size, ANGLES.size // 2, replace=False))
    kept[[0, -1]] = 0, ANGLES.size - 1
    intensity = SLOW + lines(0.8)
    uneven = estimate_background(ANGLES[kept], intensity[kept])
    np.testing.assert_allclose(uneven, estimate_background(ANGLES, intensity)[kept], rtol=0.05)


def test_clipping_never_raises_and_keeps_straight_lines() -> None:
    values = np.random.default_rng(3).random(200)
    assert np.all(clip_lines(values, 20) <= values)
    straight = np.linspace(3.0, 9.0, 200)
    np.testing.assert_allclose(clip_lines(straight, 20), straight)


def test_corundum_stands_on_its_background() -> None:
    pattern = simulate_corundum()
    found = estimate_background(pattern.two_theta, pattern.intensity)
    middle = (pattern.two_theta > 15) & (pattern.two_theta < 100)
    assert 95 < np.median(found[middle]) < 125
    assert found[middle].max() < 200


def test_simulated_backgrounds_are_what_they_are_called():
    x = np.linspace(3, 155, 50)
    np.testing.assert_allclose(chebyshev_background(x, [2.0]), 2)
    np.testing.assert_allclose(chebyshev_background(x, [0, 0, 1])[[0, -1]], 1)
    hump = amorphous_background(np.linspace(3, 155, 1521), 30.0, 10.0, 5.0)
    assert hump.max() == 5
    assert np.sum(hump >= 2.5) == 101
