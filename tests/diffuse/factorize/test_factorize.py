"""A plane goes in; its two factors come out, with the properties that the physics promises."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from trisamide import read_measured_plane
from unscatter.diffuse.demonstration import simulate_demonstration
from unscatter.diffuse.factorize.factorize import factorize
from unscatter.diffuse.plane.fold import plane_lattice
from unscatter.diffuse.plane.scaling import scale_by_maximum
from unscatter.diffuse.samples.draw import collate, draw_sample, read_recipe, render
from unscatter.nouns.cell import Cell
from unscatter.nouns.components import Components
from unscatter.nouns.plane import Plane, PlaneAxes

SHARED = Path(__file__).parents[4] / "shared" / "data" / "trisamide"


@pytest.fixture(scope="module")
def truth() -> Components:
    return simulate_demonstration(pixels=256)


@pytest.fixture(scope="module")
def components(truth: Components) -> Components:
    return factorize(truth.plane)


def squared_error(made: np.ndarray, true: np.ndarray) -> float:
    return float(np.mean((scale_by_maximum(made) - scale_by_maximum(true)) ** 2))


def test_both_factors_of_the_demonstration_are_recovered(truth: Components, components: Components) -> None:
    # The published network's mean errors are 0.015 and 0.006 on its own validation set.
    assert squared_error(components.short_range_order, truth.short_range_order) < 0.004
    assert squared_error(components.form_factor, truth.form_factor) < 0.006


def test_order_is_not_negative_and_periodic_with_the_reciprocal_lattice(components: Components) -> None:
    axes, cell = components.plane.axes, components.plane.cell
    assert axes is not None
    assert cell is not None
    assert components.short_range_order.min() >= 0
    # The same plane moved by one reciprocal cell asks for the same values of I_SRO: refold and compare.
    lattice = plane_lattice(axes)
    assert lattice is not None
    step = axes.x[1] - axes.x[0]
    shift = lattice.translations[0, 0] / step
    columns = np.arange(axes.x.size - int(np.ceil(shift)) - 1) + shift
    low = np.floor(columns).astype(int)
    part = columns - low
    moved = (1 - part) * components.short_range_order[:, low] + part * components.short_range_order[:, low + 1]
    still = components.short_range_order[:, : columns.size]
    assert np.sqrt(np.mean((moved - still) ** 2)) < 0.05  # interpolation between pixels, not the series


def test_mean_order_over_whole_cells_is_one(components: Components) -> None:
    # Over many cells the plain mean is close to the mean over one.
    assert components.short_range_order.mean() == pytest.approx(1.0, abs=0.02)


def test_form_factor_carries_the_scale_of_the_input(truth: Components, components: Components) -> None:
    # By a power of two, so that no digit of float32 is rounded.
    scaled = factorize(Plane(truth.plane.intensity * 16, truth.plane.axes, truth.plane.cell))
    np.testing.assert_allclose(scaled.form_factor, 16 * components.form_factor, rtol=1e-9)
    np.testing.assert_allclose(scaled.short_range_order, components.short_range_order, atol=1e-9)


def test_dead_zones_are_filled(components: Components) -> None:
    assert not components.plane.measured.all()
    assert np.all(np.isfinite(components.form_factor))
    assert np.all(np.isfinite(components.short_range_order))


def test_product_explains_the_data(components: Components) -> None:
    assert components.explained > 0.97


@pytest.mark.parametrize("shape", [(180, 240), (700, 420)])
def test_any_size_and_shape_is_taken_without_a_lattice(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(1)
    y, x = np.indices(shape) / 25.0
    intensity = (1.2 + np.cos(2 * np.pi * x) * np.cos(2 * np.pi * y)) * np.exp(-(((x - 5) / 6) ** 2))
    components = factorize(Plane(rng.poisson(50 * intensity).astype(float)))
    assert components.form_factor.shape == shape
    assert np.all(np.isfinite(components.product))


def test_a_skew_array_of_a_hexagonal_crystal_gives_the_same_order(truth: Components) -> None:
    """The fold works in the axes of the file: h and k 60 degrees apart or a Cartesian picture."""
    from unscatter.diffuse.demonstration import CELL, trisamide_columns, trisamide_order
    from unscatter.diffuse.plane.forward import atom_pair, simulate_plane

    grid = np.linspace(-6, 6, 241)
    axes = PlaneAxes(np.array([0.0, 0, 1]), np.array([1.0, 0, 0]), np.array([0.0, 1, 0]), grid, grid)
    form, ordered, diffuse = simulate_plane(atom_pair(*trisamide_columns()), trisamide_order(), axes, CELL)
    components = factorize(Plane(diffuse, axes, CELL))
    assert squared_error(components.short_range_order, ordered) < 0.002
    assert squared_error(components.form_factor, form) < 0.01


def test_provenance_names_weights_and_version(components: Components) -> None:
    assert components.provenance["weights"] == "factorize-256"
    assert len(components.provenance["weights_sha256"]) == 64


@pytest.mark.parametrize(
    ("intensity", "words"),
    [
        (np.full((64, 64), np.nan), "no pixel was measured"),
        (np.zeros((64, 64)), "every measured intensity is zero"),
        (np.full((64, 64), -1.0), "negative"),
    ],
)
def test_what_cannot_be_taken_apart_is_refused_in_one_line(intensity: np.ndarray, words: str) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        factorize(Plane(intensity))
    assert "\n" not in str(caught.value)


def test_a_cell_that_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="do not close"):
        Cell(5, 5, 5, 30, 30, 120)


def test_a_lattice_found_in_the_picture_does_as_well_as_the_given_one() -> None:
    recipe = read_recipe("paper")
    draw = draw_sample(recipe, 0, 0, "validation")
    sample = render(collate(recipe, [draw]))
    plane = Plane(np.where(draw.measured, sample.intensity[0], np.nan), draw.axes, draw.cell)
    given, found = factorize(plane), factorize(Plane(plane.intensity))
    assert found.provenance["lattice"] == "found"
    assert squared_error(found.short_range_order, given.short_range_order) < 1e-3
    assert squared_error(found.form_factor, given.form_factor) < 1e-3
    assert found.plane.axes is None


def test_what_holds_no_lattice_is_left_to_the_network() -> None:
    rng = np.random.default_rng(0)
    plane = Plane(rng.poisson(20.0, (96, 96)).astype(float))
    components = factorize(plane)
    found = components.found_lattice
    assert found is None or found.confidence == "uncertain"
    alone = factorize(plane, lattice="none")
    assert alone.provenance["lattice"] == "not looked for"
    assert alone.found_lattice is None


@pytest.mark.skipif(not SHARED.is_dir(), reason="the measured plane is not shipped: no licence is stated for it")
def test_the_lattice_of_the_real_plane_is_found() -> None:
    plane = read_measured_plane(SHARED)
    assert plane.axes is not None
    known = plane_lattice(plane.axes)
    found = factorize(Plane(plane.intensity)).found_lattice
    assert found is not None
    assert known is not None
    steps = np.array([plane.axes.x[1] - plane.axes.x[0], plane.axes.y[1] - plane.axes.y[0]])
    in_cells = found.translations * steps @ np.linalg.inv(known.translations)
    np.testing.assert_allclose(in_cells, np.round(in_cells), atol=0.02)
    assert abs(np.linalg.det(in_cells)) == pytest.approx(1, abs=0.02)


@pytest.mark.skipif(not SHARED.is_dir(), reason="the measured plane is not shipped: no licence is stated for it")
def test_the_real_hk1_plane_is_taken_apart() -> None:
    components = factorize(read_measured_plane(SHARED))
    assert components.explained > 0.8
    assert components.short_range_order.min() >= 0
    # Table 2: the strongest parameter is alpha(100) = -0.25, so Bragg positions are minima of I_SRO.
    axes = components.plane.axes
    assert axes is not None
    phase = 2 * np.pi * axes.hkl() @ np.array([[1, 0, 0], [1, 1, 0], [0, 1, 0]]).T
    shell = np.cos(phase).sum(axis=-1)
    alpha = float(np.sum(components.short_range_order * shell) / np.sum(shell**2)) / 2
    assert -0.4 < alpha < -0.15


@pytest.mark.parametrize("background", [0.0, 5.0])
def test_form_factor_is_bounded_where_the_order_vanishes_and_nothing_was_measured(background: float) -> None:
    """Alternation as strong as can be: I_SRO is zero on whole lines, and there the data say nothing of I_FF."""
    h = np.linspace(-4, 4, 121)
    order = np.clip(1 - np.cos(2 * np.pi * h)[:, None] * np.cos(2 * np.pi * h) * 1.6 - 0.4, 0, None)
    form = np.exp(-(h[:, None] ** 2 + h**2) / 8)
    counts = np.random.default_rng(0).poisson(200 * form * order + background) - background
    counts[30:60, 40:80] = np.nan
    counts[order < 0.05] = np.nan
    plane = Plane(counts, PlaneAxes([0, 0, 0], [1, 0, 0], [0, 1, 0], h, h), Cell(10, 10, 7))
    found = factorize(plane)
    assert np.isfinite(found.form_factor).all()
    assert found.form_factor.max() < 20 * np.nanmax(counts)


def test_noise_of_both_signs_is_used_as_it_is() -> None:
    """A background that was subtracted leaves noise whose mean is right; clipping it would raise what is weak."""
    components = simulate_demonstration()
    expected = components.plane.intensity * 0.2
    rng = np.random.default_rng(1)
    signed = rng.poisson(np.nan_to_num(expected) + 20.0) - 20.0
    plane = replace(components.plane, intensity=np.where(np.isfinite(expected), signed, np.nan))
    assert np.mean(signed < 0) > 0.2
    kept, clipped = (
        factorize(replace(plane, intensity=values)) for values in (plane.intensity, np.clip(signed, 0, None))
    )
    truth = 0.2 * components.form_factor
    weak = truth < np.quantile(truth, 0.3)
    errors = [abs(float(np.mean((one.form_factor - truth)[weak]))) for one in (kept, clipped)]
    assert errors[0] < errors[1] / 2


def test_saturated_pixels_take_no_part_and_stay_in_the_plane() -> None:
    plane = simulate_demonstration().plane
    level = float(np.nanquantile(plane.intensity, 0.98))
    capped = replace(plane, intensity=np.minimum(plane.intensity, level))
    left_out = replace(plane, intensity=np.where(plane.intensity >= level, np.nan, plane.intensity))
    found, expected = factorize(capped, saturation=level), factorize(left_out)
    np.testing.assert_array_equal(found.form_factor, expected.form_factor)
    np.testing.assert_array_equal(found.plane.intensity, capped.intensity)
    assert found.explained == expected.explained
    assert found.provenance["saturation"] == level


def test_what_friedels_law_filled_is_told_and_stored(truth: Components, components: Components) -> None:
    axes = truth.plane.axes
    assert axes is not None
    flat = replace(axes, origin=np.zeros(3), x=axes.x - axes.x.mean(), y=axes.y - axes.y.mean())
    even = truth.short_range_order + truth.short_range_order[::-1, ::-1]
    even[40:60, 30:50] = np.nan
    filled = factorize(Plane(even, flat, truth.plane.cell))
    assert filled.provenance["from_mates"] == pytest.approx(400 / even.size)
    assert "by Friedel" in str(filled)
    assert filled.plane.coverage < 1
    assert "from_mates" not in components.provenance
