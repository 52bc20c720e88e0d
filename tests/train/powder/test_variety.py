"""Variety of generated patterns: 0 for copies, 1 for the real set, and in between what one expects."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from unscatter.train.powder.variety import CELLS, mean_distance, peak_variety, variety

POINTS = 3041
AXIS = np.arange(POINTS)


def lines(*positions: float) -> NDArray[np.float64]:
    """A pattern with lines of equal height, the first a little higher."""
    heights = [1.0, *[0.8] * (len(positions) - 1)]
    return sum(
        (h * np.exp(-(((AXIS - p) / 6) ** 2)) for h, p in zip(heights, positions, strict=True)), np.zeros(POINTS)
    )


@pytest.fixture(scope="module")
def real() -> NDArray[np.float64]:
    rng = np.random.default_rng(0)
    return np.stack([lines(*rng.uniform(50, 2990, 8)) for _ in range(24)])


def test_one_pattern_again_and_again_has_no_variety(real: NDArray[np.float64]) -> None:
    assert variety(np.repeat(real[:1], len(real), axis=0), real) == (0, 0)
    assert variety(np.full_like(real, 0.5), real) == (0, 0)


def test_the_real_set_has_the_variety_of_the_real_set(real: NDArray[np.float64]) -> None:
    assert variety(real, real) == (1, 1)
    np.testing.assert_allclose(variety(real[::-1].astype(np.float32), real), (1, 1), rtol=1e-6)


def test_other_patterns_of_the_kind_come_near_one(real: NDArray[np.float64]) -> None:
    rng = np.random.default_rng(1)
    other = np.stack([lines(*rng.uniform(50, 2990, 8)) for _ in range(24)])
    np.testing.assert_allclose(variety(other, real), (1, 1), atol=0.15)


def test_a_generator_of_two_patterns_is_found_out(real: NDArray[np.float64]) -> None:
    collapsed = np.repeat([lines(300, 900, 1500), lines(600, 1200)], 12, axis=0)
    # Two patterns without a common peak tell ln 2 of which one it is, 24 of them nearly ln 24.
    assert peak_variety(collapsed) == pytest.approx(np.log(2))
    assert max(variety(collapsed, real)) < 0.6


def test_heights_alone_change_no_positions(real: NDArray[np.float64]) -> None:
    scaled = real[:1] * np.linspace(0.2, 1, len(real))[:, None]
    distance, peaks = variety(scaled, real)
    assert peaks == 0
    assert distance > 0.05


def test_patterns_with_a_line_each_of_their_own_tell_all() -> None:
    width = POINTS / CELLS
    patterns = np.stack([lines((cell + 0.5) * width) for cell in range(10, 26)])
    assert peak_variety(patterns) == pytest.approx(np.log(16))


def test_distance_is_that_of_two_patterns() -> None:
    one, other = np.zeros(9), np.zeros(9)
    one[2], other[5] = 3, 4
    assert mean_distance(np.stack([one, other])) == 5


def test_sets_that_cannot_be_compared_are_refused(real: NDArray[np.float64]) -> None:
    with pytest.raises(ValueError, match="expected the same"):
        variety(real[:5], real)
    with pytest.raises(ValueError, match="expected the same"):
        variety(real[:1], real[:1])
    with pytest.raises(ValueError, match="all alike"):
        variety(real[:2], np.repeat(real[:1], 2, axis=0))
