"""The nouns as facts: cells close, planes know their pixels, components their fit."""

import gemmi
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unscatter.nouns.cell import Cell
from unscatter.nouns.components import Components
from unscatter.nouns.plane import Plane, PlaneAxes

cells = st.builds(Cell, *[st.floats(3, 20)] * 3, *[st.floats(70, 110)] * 3)
GRID = np.arange(3.0)


# --- Cell ---


@given(cells)
def test_reciprocal_rows_are_two_pi_over_the_direct_ones(cell):
    np.testing.assert_allclose(cell.direct @ cell.reciprocal.T, 2 * np.pi * np.eye(3), atol=1e-9)


@given(cells)
def test_cell_agrees_with_gemmi(cell):
    other = gemmi.UnitCell(*cell.parameters)
    assert cell.volume == pytest.approx(other.volume)
    np.testing.assert_allclose(cell.direct.T, other.orth.mat.tolist(), atol=1e-9)


def test_length_of_q_is_two_pi_over_d():
    cell = Cell(5, 6, 7, 80, 95, 110)
    q = np.linalg.norm(np.array([1, -2, 3]) @ cell.reciprocal)
    assert q == pytest.approx(2 * np.pi / gemmi.UnitCell(*cell.parameters).calculate_d((1, -2, 3)))


def test_three_numbers_make_a_cell_of_right_angles():
    assert Cell.from_sequence([3, 4, 5]) == Cell(3, 4, 5, 90, 90, 90)
    assert str(Cell.from_sequence(["14.12", "14.12", "6.93", "90", "90", "120"])) == "(14.12 14.12 6.93 90 90 120)"


@pytest.mark.parametrize(
    "numbers",
    [(0, 1, 1), (-1, 1, 1), (np.nan, 1, 1), (1, 1, 1, 0, 90, 90), (1, 1, 1, 180, 90, 90), (1, 1, 1, 60, 60, 150)],
)
def test_cell_that_cannot_be_is_refused_with_an_example(numbers):
    with pytest.raises(ValueError, match=r"cannot be.*--cell"):
        Cell.from_sequence(numbers)


def test_cell_of_four_numbers_is_refused():
    with pytest.raises(ValueError, match="3 or 6 numbers"):
        Cell.from_sequence([1, 2, 3, 4])


# --- PlaneAxes ---


def test_pixel_is_origin_plus_steps_along_both_axes():
    axes = PlaneAxes([0, 0, 1], [1, 1, 0], [0, 0, 1], [0.0, 0.5], [0.0, 1.0, 2.0])
    assert axes.shape == (3, 2)
    np.testing.assert_array_equal(axes.hkl()[2, 1], [0.5, 0.5, 3.0])


@pytest.mark.parametrize(
    ("origin", "u", "v", "name"),
    [
        ([0, 0, 1], [1, 0, 0], [0, 1, 0], "hk1"),
        ([0, 0.5, 0], [1, 0, 0], [0, 0, 1], "h0.5l"),
        ([-2, 0, 0], [0, 1, 0], [0, 0, 1], "-2kl"),
        ([0, 0, 0.5], [1, 1, 0], [0, 0, 1], "origin (0 0 0.5)"),
    ],
)
def test_planes_are_named_as_in_the_field(origin, u, v, name):
    assert PlaneAxes(origin, u, v, GRID, GRID).name() == name


def test_axes_are_labelled_as_in_the_field():
    axes = PlaneAxes([0, 0, 0], [1, -1, 0], [0.5, 0, 1], GRID, GRID)
    assert (axes.label("x"), axes.label("y")) == ("[h -h 0]", "[0.5k 0 k]")
    layer = PlaneAxes([0, 1, 0], [1, 0, 0], [0, 0, 1], GRID, GRID)
    assert (layer.label("x"), layer.label("y")) == ("[h 0 0]", "[0 0 l]")


def test_parallel_vectors_and_axes_that_do_not_increase_are_refused():
    with pytest.raises(ValueError, match="parallel"):
        PlaneAxes([0, 0, 0], [1, 0, 0], [-2, 0, 0], GRID, GRID)
    with pytest.raises(ValueError, match="axis y must increase"):
        PlaneAxes([0, 0, 0], [1, 0, 0], [0, 1, 0], GRID, GRID[::-1])


# --- Plane and Components ---


def test_nan_is_not_measured_and_zero_is():
    plane = Plane(np.array([[0.0, np.nan], [1.0, 2.0]]))
    np.testing.assert_array_equal(plane.measured, [[True, False], [True, True]])
    assert plane.coverage == 0.75
    assert not plane.lattice_known


def test_plane_refuses_a_line_and_axes_of_another_size():
    with pytest.raises(ValueError, match="two dimensions"):
        Plane(np.zeros(5))
    with pytest.raises(ValueError, match="axes describe"):
        Plane(np.zeros((2, 2)), PlaneAxes([0, 0, 0], [1, 0, 0], [0, 1, 0], GRID, GRID))


def test_perfect_components_explain_everything_measured():
    rng = np.random.default_rng(0)
    form, order = rng.random((2, 4, 4)) + 0.5
    intensity = form * order
    intensity[1, 2] = np.nan
    components = Components(Plane(intensity), form, order)
    assert components.explained == 1
    assert components.r_factor == 0
    np.testing.assert_array_equal(np.isnan(components.residual), np.isnan(intensity))


def test_constant_components_explain_nothing():
    intensity = np.random.default_rng(1).random((4, 4))
    flat = Components(Plane(intensity), np.full((4, 4), intensity.mean()), np.ones((4, 4)))
    assert flat.explained == pytest.approx(0)
    assert flat.r_factor == pytest.approx(np.abs(intensity - intensity.mean()).sum() / intensity.sum())
