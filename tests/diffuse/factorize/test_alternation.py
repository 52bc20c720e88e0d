"""I_FF and I_SRO in turn: what the network mixed up, an exact period and a smooth form factor take apart."""

import numpy as np
import pytest

from unscatter.diffuse.factorize import alternation
from unscatter.diffuse.factorize.alternation import combine_with_fold
from unscatter.diffuse.factorize.asking import Answer
from unscatter.diffuse.factorize.folding import Grid
from unscatter.diffuse.plane.fold import PlaneLattice

PIXELS = 128
AXIS = np.arange(PIXELS, dtype=float)
WAVE = 0.6 * np.cos(2 * np.pi * AXIS / 16)[None, :] + 0.3 * np.cos(2 * np.pi * AXIS / 20)[:, None]
ORDER = 1 + WAVE
FORM = 5 * np.exp(-(((AXIS - 50) / 60) ** 2))[None, :] * np.exp(-(((AXIS - 70) / 45) ** 2))[:, None] + 1
GRID = Grid(AXIS, AXIS, PlaneLattice(np.array([[16.0, 0.0], [0.0, 20.0]]), None))
MIXED = Answer(FORM * (1 + 0.4 * WAVE), (1 + WAVE) / (1 + 0.4 * WAVE))


def error(made: np.ndarray, true: np.ndarray) -> float:
    return float(np.abs(made / made.mean() - true / true.mean()).mean())


@pytest.fixture(scope="module")
def parted() -> Answer:
    measured = np.ones((PIXELS, PIXELS), dtype=bool)
    measured[60:68], measured[:, 30:36] = False, False
    return combine_with_fold(np.where(measured, FORM * ORDER, 0.0), measured, GRID, MIXED)


def test_a_ghost_of_the_order_in_the_form_factor_goes_back_into_the_order(parted: Answer) -> None:
    assert error(parted.form_factor, FORM) < 0.2 * error(MIXED.form_factor, FORM)
    assert error(parted.short_range_order, ORDER) < 0.2 * error(MIXED.short_range_order, ORDER)


def test_the_form_factor_crosses_gaps_without_a_scar(parted: Answer) -> None:
    bend = np.abs(np.diff(parted.form_factor, n=2, axis=0))
    assert bend[[58, 59, 66, 67]].mean() < 2 * bend.mean()


def test_a_plane_too_small_to_hide_anything_of_is_taken_apart_too() -> None:
    few = Grid(AXIS[:8], AXIS[:8], PlaneLattice(np.array([[4.0, 0.0], [0.0, 4.0]]), None))
    made = combine_with_fold(FORM[:8, :8], np.eye(8, dtype=bool), few, Answer(FORM[:8, :8], np.ones((8, 8))))
    assert np.isfinite(made.form_factor).all()
    assert made.short_range_order == pytest.approx(np.ones((8, 8)), abs=0.3)


def test_a_large_plane_is_parted_on_averages_as_well_as_on_its_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    axis = np.arange(1100, dtype=float)
    wave = 0.6 * np.cos(2 * np.pi * axis / 60)[None, :] + 0.3 * np.cos(2 * np.pi * axis / 75)[:, None]
    form = 5 * np.exp(-(((axis - 430) / 500) ** 2))[None, :] * np.exp(-(((axis - 600) / 400) ** 2))[:, None] + 1
    grid = Grid(axis, axis, PlaneLattice(np.array([[60.0, 0.0], [0.0, 75.0]]), None))
    mixed = Answer(form * (1 + 0.4 * wave), (1 + wave) / (1 + 0.4 * wave))
    measured = np.ones((1100, 1100), dtype=bool)
    measured[500:540] = False
    counts = np.random.default_rng(0).poisson(20 * form * (1 + wave)) / 20
    made = combine_with_fold(np.where(measured, counts, 0.0), measured, grid, mixed)
    assert error(made.form_factor, form) < 0.02
    assert error(made.short_range_order, 1 + wave) < 0.01
    monkeypatch.setattr(alternation, "MOST_PIXELS", 1200)
    each = combine_with_fold(np.where(measured, counts, 0.0), measured, grid, mixed)
    assert error(made.form_factor, form) < 1.1 * error(each.form_factor, form)
    assert error(made.short_range_order, 1 + wave) < 1.1 * error(each.short_range_order, 1 + wave)
