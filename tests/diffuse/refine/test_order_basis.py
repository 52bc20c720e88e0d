"""Which parameters are refined: orbits once each, and no two that a plane cannot tell apart."""

import numpy as np
import pytest

from unscatter.diffuse.plane.forward import order_waves, short_range_order
from unscatter.diffuse.refine.order_basis import choose_orbits
from unscatter.nouns.cell import Cell
from unscatter.nouns.plane import PlaneAxes

CELL = Cell(9, 9, 6, 90, 90, 120)
GRID = np.linspace(-2, 2, 41)
HK1 = PlaneAxes([0, 0, 1], [1, 0, 0], [0, 1, 0], GRID, GRID)


def test_pictures_sum_to_the_order_they_stand_for() -> None:
    basis = choose_orbits([HK1], CELL, "6/m", vectors=[(1, 0, 0), (3, 1, 0), (3, 2, 0)])
    alpha = np.array([-0.25, 0.1, 0.05])
    order = basis.order(alpha, np.zeros(3), 0.5)
    assert len(order.alpha) == 1 + 3 * 3
    direct = short_range_order(order_waves(order, HK1), GRID, GRID)
    assert np.allclose(basis.on_plane(HK1).ordered(alpha), direct)


def test_equivalent_vectors_are_one_parameter() -> None:
    vectors = [(1, 0, 0), (0, 1, 0), (1, 1, 0)]
    assert len(choose_orbits([HK1], CELL, "6/m", vectors=vectors)) == 1
    assert len(choose_orbits([HK1], CELL, "-1", vectors=vectors)) == 3


def test_vectors_that_a_plane_cannot_tell_apart_are_summed() -> None:
    both = choose_orbits([HK1], CELL, "6/m", vectors=[(1, 0, 0), (1, 0, 1), (0, 0, 1)], in_plane=False)
    assert len(both) == 1
    assert any("(1 0 1)" in note for note in both.notes)
    assert any("constant" in note for note in both.notes)


def test_several_planes_tell_them_apart() -> None:
    half = PlaneAxes([0, 0, 0.5], [1, 0, 0], [0, 1, 0], GRID, GRID)
    assert len(choose_orbits([HK1, half], CELL, "6/m", vectors=[(1, 0, 0), (1, 0, 1)], in_plane=False)) == 2


def test_shells_end_at_the_radius_and_the_normal_is_left_out() -> None:
    basis = choose_orbits([HK1], CELL, "6/m", radius=18.1)
    assert np.all(basis.vectors[:, 2] == 0)
    assert np.linalg.norm(basis.vectors @ CELL.direct, axis=1).max() <= 18.1
    assert len(basis) == 3
    with pytest.raises(ValueError, match="no vector is left"):
        choose_orbits([HK1], CELL, "6/m", radius=1.0)
    hhl = PlaneAxes([0, 0, 0], [1, 1, 0], [0, 0, 1], GRID, GRID)
    with pytest.raises(ValueError, match="different normals"):
        choose_orbits([HK1, hhl], CELL, "-1")
