"""What the data choose: on planes that follow the model, the list and the reach that made them."""

from dataclasses import replace

import numpy as np
import pytest

from unscatter.diffuse.demonstration import simulate_demonstration
from unscatter.diffuse.plane.fold import plane_lattice
from unscatter.diffuse.refine.order import refine_order
from unscatter.diffuse.refine.order_list import try_laws
from unscatter.diffuse.refine.order_noise import counting_quantum, find_floor, find_saturation, shared_noise
from unscatter.nouns.components import Components
from unscatter.nouns.found_lattice import FoundLattice, LatticeCandidate
from unscatter.nouns.plane import Plane, PlaneAxes


@pytest.fixture(scope="module")
def truth() -> Components:
    return simulate_demonstration(pixels=192)


def test_the_list_ends_where_the_alphas_do(truth: Components) -> None:
    """Table 2 holds 15 orbits, up to (5 0 0), 70.6 Angstrom; there are more that could be refined."""
    fit = refine_order(truth, laue="6/m")
    assert "up to 70.6 A, 15 of" in fit.choices[0]
    assert len(fit) == 15


def test_what_is_left_out_does_not_leak(truth: Components) -> None:
    """Six vectors of fifteen, the rest in the fit or not: the rest is needed."""
    whole = refine_order(truth, against="form-factor", laue="6/m", form_factors=[truth.form_factor])
    short = refine_order(truth, against="form-factor", laue="6/m", form_factors=[truth.form_factor], radius=30.0)
    assert len(short) == 3
    assert np.abs(short.alpha - whole.alpha[:3]).max() > 4 * whole.standard_error[:3].max()


def test_a_radius_is_taken_as_it_is_given(truth: Components) -> None:
    fit = refine_order(truth, against="order", laue="-1", radius=75.0)
    lengths = np.linalg.norm(fit.vectors @ truth.plane.cell.direct, axis=1)
    assert len(fit) == 54
    assert lengths.max() <= 75.0


def test_evidence_finds_how_far_alphas_reach() -> None:
    """Twenty numbers with unit noise of 0.01, of which the first eight are not zero."""
    rng = np.random.default_rng(3)
    normal = np.eye(20) * 1e4
    alpha = np.where(np.arange(20) < 8, rng.choice([-0.1, 0.1], 20), 0.0) + 0.01 * rng.standard_normal(20)
    tried = try_laws(normal, normal @ alpha, np.arange(1.0, 21.0))
    assert tried.probable == 8


def test_a_fit_much_worse_than_the_factorization_says_so_first(truth: Components) -> None:
    wrong = [np.ones_like(truth.form_factor)]
    fit = refine_order(truth, against="form-factor", laue="6/m", form_factors=wrong)
    assert str(fit).startswith("R is")
    assert "far above" in fit.headline
    assert fit.findings["agreement"].verdict == "poor"
    assert not refine_order(truth, laue="6/m").headline


def test_counts_are_told_from_other_whole_numbers() -> None:
    rng = np.random.default_rng(4)
    model = rng.uniform(0.2, 3.0, 20_000)
    counts = rng.poisson(model).astype(float)
    assert counting_quantum(counts, model) == 1.0
    assert counting_quantum(2.5 * counts, 2.5 * model) == 2.5
    assert counting_quantum(np.round(np.abs(model + 4 * rng.standard_normal(20_000))), model) == 0.0
    assert counting_quantum(model, model) == 0.0


def test_piles_at_either_end_are_found() -> None:
    values = np.random.default_rng(5).normal(50, 40, 10_000)
    assert find_saturation(values) is None
    assert find_saturation(np.minimum(values, 100.0)) == 100.0
    assert find_floor(np.maximum(values, 0.0)) == 0.0
    assert find_floor(values) is None


def test_white_noise_is_not_shared_and_averaged_noise_is() -> None:
    noise = np.random.default_rng(6).standard_normal((200, 200))
    even = np.ones((200, 200))
    assert shared_noise(noise, even) == pytest.approx(1.0, abs=0.1)
    pairs = (noise + np.roll(noise, 1, axis=1)) / np.sqrt(2)
    assert shared_noise(pairs, even) == pytest.approx(2.0, abs=0.2)


def test_few_counts_are_not_biased(truth: Components) -> None:
    """Half a count a pixel: a weight that falls with the residual would pull every mean down."""
    rng = np.random.default_rng(7)
    scale = 0.5 / float(truth.product.mean())
    counts = np.where(truth.plane.measured, rng.poisson(truth.product * scale), np.nan)
    few = replace(truth, plane=replace(truth.plane, intensity=counts), form_factor=truth.form_factor * scale)
    fit = refine_order(few, against="form-factor", laue="6/m", form_factors=[few.form_factor])
    known = refine_order(truth, against="form-factor", laue="6/m", form_factors=[truth.form_factor])
    pull = (fit.alpha - known.alpha[: len(fit)]) / fit.standard_error
    assert np.sqrt(np.mean(pull**2)) < 1.5
    assert any("few counts" in note for note in fit.notes)


def test_planes_of_two_levels_give_alphas_in_three_dimensions(truth: Components) -> None:
    axes = truth.plane.axes
    levels = [replace(axes, origin=np.array([0.0, 0.0, level])) for level in (0.0, 0.25, 0.5)]
    both = [_layered(truth, one) for one in levels]
    fit = refine_order(both, against="form-factor", laue="6/m", form_factors=[truth.form_factor] * 3)
    alpha = dict(zip(map(tuple, fit.vectors.tolist()), fit.alpha, strict=True))
    assert alpha[0, 0, 1] == pytest.approx(-0.2, abs=0.01)
    assert alpha[1, 0, 0] == pytest.approx(0.1, abs=0.01)


def _layered(truth: Components, axes: PlaneAxes) -> Components:
    """alpha(0 0 1) = -0.2 and alpha(1 0 0) = 0.1 on a plane, with the noise of counting."""
    h, k, l = np.moveaxis(axes.hkl(), -1, 0) * 2 * np.pi  # noqa: E741
    ordered = 1 - 0.4 * np.cos(l) + 0.2 * (np.cos(h) + np.cos(k) + np.cos(h + k))
    rng = np.random.default_rng(8)
    counts = rng.poisson(truth.form_factor * ordered)
    plane = replace(truth.plane, intensity=counts.astype(float), axes=axes)
    return replace(truth, plane=plane, short_range_order=ordered)


def test_a_lattice_found_in_a_picture_is_refined_on(truth: Components) -> None:
    """Translations of the demonstration in pixels: its three shortest alphas come back on the indexed picture."""
    translations = plane_lattice(truth.plane.axes).translations / (truth.plane.axes.x[1] - truth.plane.axes.x[0])
    lattice = LatticeCandidate(translations, 1.0, 30.0, 0.1)
    record = FoundLattice((lattice,), centre=(95.5, 95.5)).record()
    picture = replace(truth, plane=Plane(truth.plane.intensity), provenance={"found_lattice": record})
    fit = refine_order(picture)
    assert any("found in the picture" in note for note in fit.notes)
    assert np.sort(fit.alpha)[:3] == pytest.approx(-0.2516, abs=0.01)
    streaks = FoundLattice((replace(lattice, one_dimensional=True),)).record()
    with pytest.raises(ValueError, match="streaks"):
        refine_order(replace(picture, provenance={"found_lattice": streaks}))
