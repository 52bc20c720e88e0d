"""Cartesian planes as facts: square pixels, centred on Q = 0, in the plane that was asked for."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unscatter.diffuse.plane.planes import axis_plane, cartesian_axes
from unscatter.nouns.cell import Cell

cells = st.builds(Cell, *[st.floats(3, 20)] * 3, *[st.floats(70, 110)] * 3)  # angles of 70 to 110 degrees always close


@given(cells, st.sampled_from([0, 1, 2]), st.floats(-3, 3))
@settings(deadline=None)
def test_every_pixel_lies_in_the_plane(cell, normal, level):
    axes = axis_plane(cell, normal, level, 7.0, 9)
    np.testing.assert_allclose(axes.hkl()[..., normal], level, atol=1e-9)


@given(cells, st.sampled_from([0, 1, 2]), st.floats(-3, 3))
@settings(deadline=None)
def test_axes_are_perpendicular_unit_vectors_and_the_origin_is_nearest_to_q_zero(cell, normal, level):
    axes = axis_plane(cell, normal, level, 7.0, 9)
    u, v, origin = (vector @ cell.reciprocal for vector in (axes.u, axes.v, axes.origin))
    np.testing.assert_allclose([u @ u, v @ v, u @ v, u @ origin, v @ origin], [1, 1, 0, 0, 0], atol=1e-9)


def test_plane_reaches_q_max_on_all_sides():
    axes = axis_plane(Cell(5, 6, 7), 1, 0.0, 7.0, 256)
    assert axes.shape == (256, 256)
    assert (axes.x[0], axes.x[-1], axes.y[0], axes.y[-1]) == (-7.0, 7.0, -7.0, 7.0)


def test_x_runs_along_the_first_direction():
    cell = Cell(5, 6, 7, 90, 120, 90)
    _, u, v = cartesian_axes(cell, np.zeros(3), np.array([1.0, 0, 0]), np.array([0, 0, 1.0]))
    assert u[0] > 0
    np.testing.assert_array_equal(u[1:], 0.0)
    assert v[2] > 0


@pytest.mark.parametrize(("normal", "letters"), [(0, "0kl"), (1, "h0l"), (2, "hk0")])
def test_normal_names_the_axis_that_stays_fixed(normal, letters):
    axes = axis_plane(Cell(5, 6, 7), normal, 0.0, 3.0, 4)
    moving = [letter != "0" for letter in letters]
    assert list(np.any(axes.hkl() != 0, axis=(0, 1))) == moving
