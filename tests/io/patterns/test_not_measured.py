"""What was not measured is left out, however a file spells it; what was measured stays."""

import time
from pathlib import Path

import numpy as np
import pattern_writers as w
import pytest
from test_pattern_kinds import table, told
from test_same_pattern import read

from unscatter.io.patterns.not_measured import not_measured

X, Y = w.TWO_THETA, w.COUNTS
MISSING = (X > 40) & (X < 41)
NOISY = np.round(np.random.default_rng(7).poisson(np.maximum(Y, 80.0))).astype(float)
SPELLED = {
    "-1 among counts": (np.where(MISSING, -1, NOISY), "exactly -1"),
    "-999 beside fractions": (np.where(MISSING, -999, NOISY / 7), "exactly -999"),
    "the largest of 16 bits": (np.where(MISSING, 65535.0, NOISY), "65535"),
    "the largest of 14 bits": (np.where(MISSING, 16383.0, NOISY), "16383"),
    "nan": (np.where(MISSING, np.nan, NOISY), "without a number"),
    "1e37": (np.where(MISSING, 1e37, NOISY), "without a number"),
    "zeros of a gap between modules": (np.where(MISSING, 0, NOISY), "exactly zero"),
    "zeros of bins that no pixel fell into": (np.where(MISSING, 0, NOISY * 0.013), "exactly zero"),
}


@pytest.mark.parametrize("name", SPELLED)
def test_what_was_not_measured_is_left_out_in_all_its_spellings(name: str, tmp_path: Path) -> None:
    values, words = SPELLED[name]
    pattern = read(tmp_path, table("# 2theta counts", X, values))
    np.testing.assert_allclose(pattern.two_theta, X[~MISSING])
    assert told(pattern, words)
    assert told(pattern, f"{MISSING.sum()} points")


WORDS = {"Visual C": "1.#QNAN", "a sign": "-1.#IND00", "nothing": "", "a dash": "-", "words": "n/a"}


@pytest.mark.parametrize("name", WORDS)
def test_words_for_what_was_not_measured(name: str, tmp_path: Path) -> None:
    rows = [f"{x:.4f},{WORDS[name] if gap else y}" for x, y, gap in zip(X, NOISY, MISSING, strict=True)]
    pattern = read(tmp_path, "\n".join(["2theta,counts", *rows, ""]).encode())
    np.testing.assert_array_equal(pattern.intensity, NOISY[~MISSING])


@pytest.mark.parametrize("mark", [np.nan, -1.0, 1e31])
def test_a_point_whose_uncertainty_is_none_was_not_measured(mark: float, tmp_path: Path) -> None:
    sigma = np.where(MISSING, mark, w.SIGMA)
    pattern = read(tmp_path, table("# 2theta counts sigma", X, np.where(MISSING, 12345, Y), sigma))
    np.testing.assert_array_equal(pattern.intensity, Y[~MISSING])
    assert told(pattern, "19 points have no uncertainty")


@pytest.mark.parametrize("end", [X[-60] < X, X[60] > X])
def test_zeros_at_an_end_beside_counts_are_no_measurement(end: np.ndarray, tmp_path: Path) -> None:
    pattern = read(tmp_path, table("# 2theta counts", X, np.where(end, 0, NOISY)))
    np.testing.assert_allclose(pattern.two_theta, X[~end])


def test_a_zero_among_few_counts_is_a_count(tmp_path: Path) -> None:
    few = np.random.default_rng(8).poisson(np.maximum(Y / Y.max() * 40, 1.5)).astype(float)
    pattern = read(tmp_path, table("# 2theta counts", X, few))
    np.testing.assert_allclose(pattern.intensity, few)


def test_zeros_between_the_lines_of_a_calculated_pattern_are_calculated(tmp_path: Path) -> None:
    lines = sum(np.exp(-(((X - place) / 0.3) ** 2)) for place in (28.0, 47.0, 56.0))
    cut = np.where(lines > 1e-3, lines, 0.0)
    pattern = read(tmp_path, table("# 2theta I", X, cut))
    np.testing.assert_allclose(pattern.intensity, cut, atol=1e-8)


def test_noise_about_a_background_that_was_taken_away_is_kept(tmp_path: Path) -> None:
    noise = np.random.default_rng(9).normal(0, 0.01 * Y.max(), X.size)
    pattern = read(tmp_path, table("# 2theta I", X, Y - np.median(Y) + noise))
    assert np.mean(pattern.intensity < 0) > 0.3
    assert told(pattern, "a background was taken away")


def test_millions_of_points_of_few_counts_are_soon_looked_through() -> None:
    counts = np.random.default_rng(1).poisson(1.2, 3_000_000).astype(float)
    begin = time.process_time()
    assert not not_measured(counts)
    assert time.process_time() - begin < 5
