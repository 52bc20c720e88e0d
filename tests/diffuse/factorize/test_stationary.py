"""Without a lattice: what repeats goes to I_SRO and runs on through gaps, what is slow is I_FF, noise is neither."""

import numpy as np
import pytest

from unscatter.diffuse.factorize.asking import Answer
from unscatter.diffuse.factorize.stationary import combine_without_lattice

PIXELS = 128
AXIS = np.arange(PIXELS, dtype=float)
#: Two waves finer than fringes of I_FF can be; neither has a period of whole pixels.
WAVE = 0.5 * np.cos(2 * np.pi * AXIS / 6.3)[None, :] + 0.3 * np.cos(2 * np.pi * (AXIS[:, None] / 5.6 + AXIS / 27))
ORDER = 1 + WAVE
FORM = 5 * np.exp(-(((AXIS - 50) / 60) ** 2))[None, :] * np.exp(-(((AXIS - 70) / 45) ** 2))[:, None] + 1
#: What a network might say: part of the order in I_FF, and a few pixels far too low.
MIXED = Answer(FORM * (1 + 0.3 * WAVE), (1 + WAVE) / (1 + 0.3 * WAVE) * np.where(AXIS % 37 == 5, 0.05, 1.0))


def error(made: np.ndarray, true: np.ndarray, where: np.ndarray | slice = slice(None)) -> float:
    return float(np.abs(made / made.mean() - true / true.mean())[where].mean())


def gaps() -> np.ndarray:
    measured = np.ones((PIXELS, PIXELS), dtype=bool)
    measured[40:58], measured[:, 80:92] = False, False
    return measured


@pytest.fixture(scope="module")
def parted() -> Answer:
    return combine_without_lattice(np.where(gaps(), FORM * ORDER, np.nan), MIXED)


def test_the_order_repeats_and_the_form_factor_does_not(parted: Answer) -> None:
    assert error(parted.form_factor, FORM) < 0.7 * error(MIXED.form_factor, FORM)
    assert error(parted.short_range_order, ORDER) < 0.5 * error(MIXED.short_range_order, ORDER)


def test_strong_waves_run_on_through_gaps(parted: Answer) -> None:
    assert error(parted.short_range_order, ORDER, ~gaps()) < 0.35 * error(np.ones_like(ORDER), ORDER, ~gaps())


def test_pixels_that_the_network_had_far_too_low_do_not_set_the_minimum(parted: Answer) -> None:
    assert parted.short_range_order.min() == pytest.approx(ORDER.min(), abs=0.1)
    assert parted.short_range_order.mean() == pytest.approx(1)


def test_counting_noise_is_no_order() -> None:
    counts = np.random.default_rng(0).poisson(20 * FORM / FORM.mean()).astype(float)
    first = np.clip(counts / FORM, 0, None)
    made = combine_without_lattice(counts, Answer(FORM, first))
    assert np.ptp(made.short_range_order) < 0.2 * np.ptp(first / first.mean())


def test_a_hot_pixel_leaves_no_waves() -> None:
    spoiled = np.where(gaps(), FORM * ORDER, np.nan)
    spoiled[20, 30] = 1000 * FORM.max()
    made = combine_without_lattice(spoiled, MIXED)
    assert error(made.short_range_order, ORDER) < 0.5 * error(MIXED.short_range_order, ORDER)


def test_long_periods_go_to_the_order_where_the_network_sees_them() -> None:
    wave = 0.6 * np.cos(2 * np.pi * AXIS / 36)[None, :] * np.cos(2 * np.pi * AXIS / 40)[:, None]
    first = Answer(FORM, (1 + wave) * (1 + 0.1 * np.sin(AXIS)))
    made = combine_without_lattice(FORM * (1 + wave), first)
    assert error(made.short_range_order, 1 + wave) < 0.06


@pytest.mark.parametrize("shape", [(1, 9), (2, 2), (5, 8)])
def test_a_plane_of_few_pixels_is_taken_apart_too(shape: tuple[int, int]) -> None:
    made = combine_without_lattice(np.full(shape, 3.0), Answer(np.full(shape, 2.0), np.ones(shape)))
    assert made.form_factor * made.short_range_order == pytest.approx(np.full(shape, 3.0), rel=0.05)
