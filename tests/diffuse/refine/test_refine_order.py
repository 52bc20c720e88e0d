"""Refining order as facts: known alphas come back, within their uncertainties, through gaps and saturation."""

from dataclasses import replace

import numpy as np
import pytest

from unscatter.diffuse.demonstration import simulate_demonstration, trisamide_order
from unscatter.diffuse.refine.order import refine_order
from unscatter.diffuse.refine.order_noise import estimate_noise, working_residuals
from unscatter.diffuse.refine.order_setup import covering_radius
from unscatter.laue import laue_rotations, orbit
from unscatter.nouns.cell import Cell
from unscatter.nouns.components import Components
from unscatter.nouns.order_fit import OrderFit
from unscatter.nouns.plane import Plane, PlaneAxes

TABLE = {tuple(v): a for v, a in zip(trisamide_order().vectors.tolist(), trisamide_order().alpha, strict=True)}
FEW = [(1, 0, 0), (2, 0, 0), (2, 1, 0), (3, 0, 0), (3, 1, 0), (3, 2, 0)]


@pytest.fixture(scope="module")
def truth() -> Components:
    return simulate_demonstration(pixels=160)


def differences(fit: OrderFit) -> np.ndarray:
    rotations = laue_rotations("6/m")
    expected = {tuple(w): a for v, a in TABLE.items() for w in orbit(v, rotations).tolist()}
    return fit.alpha - [expected.get(tuple(vector), 0.0) for vector in fit.vectors.tolist()]


@pytest.mark.parametrize("against", ["order", "data", "form-factor"])
def test_alphas_come_back_within_their_uncertainties(truth: Components, against: str) -> None:
    fit = refine_order(truth, against=against, laue="6/m", form_factors=[3 * truth.form_factor])
    pull = differences(fit) / fit.standard_error
    assert np.sqrt(np.mean(pull**2)) < 1.6
    assert np.abs(differences(fit)[:15]).max() < 0.012
    assert np.all(np.abs(np.diag(fit.correlation) - 1) < 1e-9)
    assert fit.determined.all()


def test_the_hand_is_seen(truth: Components) -> None:
    fit = refine_order(truth, against="form-factor", laue="6/m", form_factors=[truth.form_factor])
    alpha = dict(zip(map(tuple, fit.vectors.tolist()), fit.alpha, strict=True))
    assert alpha[3, 1, 0] - alpha[3, 2, 0] == pytest.approx(-0.0532 + 0.0435, abs=0.003)


def test_saturated_pixels_are_censored_and_background_is_found(truth: Components) -> None:
    level = float(np.nanquantile(truth.plane.intensity, 0.9))
    clipped = np.minimum(truth.plane.intensity, level) + 5.0
    flat = replace(truth, plane=replace(truth.plane, intensity=clipped))
    known = {"against": "form-factor", "laue": "6/m", "form_factors": [truth.form_factor]}
    fit = refine_order(flat, saturation=level + 5.0, **known)
    naive = refine_order(flat, background=False, **known)
    assert np.abs(differences(fit)[:15]).max() < 0.006
    assert np.abs(differences(naive)[:15]).max() > 0.03
    assert fit.background[0] == pytest.approx(5.0, abs=0.3)


def test_several_planes_share_one_set(truth: Components) -> None:
    left, right = truth.plane.intensity.copy(), truth.plane.intensity.copy()
    left[:, 80:], right[:, :80] = np.nan, np.nan
    halves = [replace(truth, plane=replace(truth.plane, intensity=half)) for half in (left, right)]
    options = {"against": "form-factor", "laue": "6/m", "vectors": FEW, "background": False}
    both = refine_order(halves, form_factors=[truth.form_factor] * 2, **options)
    whole = refine_order(truth, form_factors=[truth.form_factor], **options)
    assert np.allclose(both.alpha, whole.alpha, atol=2 * whole.standard_error.max())
    assert len(both.components) == 2


def test_against_order_the_uncertainties_hold_what_form_factor_and_order_share(truth: Components) -> None:
    # A ghost of I_SRO in I_FF is the same in every cell: no scatter between cells shows it.
    ghost = 1 + 0.06 * np.cos(2 * np.pi * truth.plane.axes.hkl()[..., 0])
    haunted = replace(
        truth, form_factor=truth.form_factor * ghost, short_range_order=truth.short_range_order / ghost / 1.0018
    )
    fit = refine_order(haunted, against="order")
    assert fit.vectors[0].tolist() == [1, 0, 0]
    off = abs(differences(fit)[0])
    assert off > 10 * fit.bootstrap_error[0]
    assert off < 2 * fit.standard_error[0]
    assert any("--against data" in line for line in fit.choices)


def test_against_order_the_scatter_between_cells_makes_no_uncertainty_wider(truth: Components) -> None:
    # Order on vectors that are not asked for scatters as noise would, the same in all cells.
    free = refine_order(truth, vectors=FEW, laue="6/m")
    fit = refine_order(truth, against="order", vectors=FEW, laue="6/m")
    moved = np.abs(fit.alpha - free.alpha)
    assert np.all(fit.standard_error**2 <= moved**2 + free.standard_error**2)
    assert np.all(fit.standard_error >= moved)


def test_a_plane_without_period_says_that_errors_of_the_form_factor_are_not_told() -> None:
    edges = np.linspace(-2, 2, 40)
    axes = PlaneAxes(np.zeros(3), np.array([1.0, 0.31, 0.0]), np.array([0.0, 0.17, 1.0]), edges, edges)
    cell = Cell(10, 10, 10, 90, 90, 90)
    form = np.full(axes.shape, 50.0)
    ordered = 1 + 0.2 * np.cos(2 * np.pi * axes.hkl()[..., 0])
    noise = np.random.default_rng(3).normal(size=axes.shape)
    plane = Components(Plane(form * ordered + noise, axes, cell), form, ordered)
    fit = refine_order(plane, against="order", vectors=[(1, 0, 0)], in_plane=False)
    assert fit.alpha[0] == pytest.approx(0.1, abs=0.01)
    assert any("no period" in note for note in fit.notes)


def test_without_a_class_only_inversion_is_used_and_the_table_says_so(truth: Components) -> None:
    fit = refine_order(truth, against="order", vectors=FEW)
    assert fit.laue == "-1"
    assert any("6/m" in note for note in fit.notes)


def test_what_cannot_be_is_noted(truth: Components) -> None:
    order = 1 + 3 * (truth.short_range_order - 1)
    wrong = replace(truth, short_range_order=order, plane=replace(truth.plane, intensity=truth.form_factor * order))
    fit = refine_order(wrong, against="order", laue="6/m", vectors=FEW, concentration=0.9)
    assert any("pair probabilities" in note for note in fit.notes)
    assert any("falls to" in note for note in fit.notes)


def test_what_the_plane_does_not_determine_is_noted(truth: Components) -> None:
    rng = np.random.default_rng(6)
    intensity = np.full_like(truth.plane.intensity, np.nan)
    # Less than one reciprocal cell, and a noise larger than the signal.
    intensity[70:76, 100:106] = truth.product[70:76, 100:106]
    noise = rng.normal(0, 4 * np.nanmean(intensity), intensity.shape)
    few = replace(truth, plane=replace(truth.plane, intensity=intensity + noise))
    fit = refine_order(few, against="form-factor", laue="6/m", form_factors=[truth.form_factor], vectors=FEW)
    assert not fit.determined.all()
    assert any("few" in note for note in fit.notes)


def test_what_is_missing_is_said(truth: Components) -> None:
    with pytest.raises(ValueError, match="no cell or no axes"):
        refine_order(replace(truth, plane=Plane(truth.plane.intensity)))
    with pytest.raises(ValueError, match="give form_factors"):
        refine_order(truth, against="form-factor")
    with pytest.raises(ValueError, match="does not have the symmetry"):
        refine_order(truth, laue="m-3")
    with pytest.raises(ValueError, match="no plane"):
        refine_order([])


def test_the_reach_is_cut_where_data_do_not_follow_the_product(truth: Components) -> None:
    good = refine_order(truth, laue="6/m")
    assert good.provenance["reach"] == pytest.approx(14.83, abs=0.01)
    rng = np.random.default_rng(7)
    bent = truth.plane.intensity * rng.uniform(0.3, 1.7, truth.plane.intensity.shape)
    bad = refine_order(replace(truth, plane=replace(truth.plane, intensity=bent)), laue="6/m", vectors=FEW)
    assert bad.provenance["reach"] == pytest.approx(14.12 / np.sqrt(3), abs=0.01)
    assert any("differ by" in choice for choice in bad.choices)


def test_covering_radius_of_known_nets() -> None:
    grid = np.linspace(-1, 1, 5)
    axes = PlaneAxes([0, 0, 0], [1, 0, 0], [0, 1, 0], grid, grid)
    assert covering_radius(axes, Cell(9, 9, 6, 90, 90, 120)) == pytest.approx(9 / np.sqrt(3))
    assert covering_radius(axes, Cell(6, 8, 5)) == pytest.approx(5.0)


def test_noise_of_three_terms_is_estimated() -> None:
    rng = np.random.default_rng(5)
    model = rng.uniform(0, 100, 200_000)
    noise = estimate_noise(np.sqrt(4 + 2 * model) * rng.standard_normal(model.size), model)
    assert noise.variance(np.array([0.0, 50.0, 100.0])) == pytest.approx([4, 104, 204], rel=0.1)


def test_a_censored_pixel_pulls_only_from_below() -> None:
    model = np.array([[0.0, 12.0]])
    every = np.ones_like(model, dtype=bool)
    residual, weight = working_residuals(
        np.full_like(model, 10.0), model, np.ones_like(model), 0.0, ~every, every, ~every
    )
    assert residual[0, 0] * weight[0, 0] > 1
    assert 0 < residual[0, 1] * weight[0, 1] < 0.06
