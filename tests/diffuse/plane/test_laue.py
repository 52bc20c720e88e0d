"""Laue classes as facts: orders, orbits, the hand of 6/m, and what is left of a class on a plane."""

import numpy as np
import pytest

from unscatter.diffuse.plane.symmetry import check_class_fits, operations_about_origin, plane_group
from unscatter.laue import LAUE_CLASSES, laue_rotations, orbit
from unscatter.nouns.cell import Cell
from unscatter.nouns.plane import PlaneAxes

HEXAGONAL = Cell(14.12, 14.12, 6.93, 90, 90, 120)
GRID = np.linspace(-3, 3, 33)
HK1 = PlaneAxes([0, 0, 1], [1, 0, 0], [0, 1, 0], GRID, GRID)


@pytest.mark.parametrize("name", LAUE_CLASSES)
def test_a_class_is_a_group_with_inversion(name: str) -> None:
    rotations = laue_rotations(name)
    known = {tuple(rotation.ravel()) for rotation in rotations}
    assert tuple((-np.eye(3, dtype=int)).ravel()) in known
    products = np.einsum("aij,bjk->abik", rotations, rotations).reshape(-1, 9)
    assert {tuple(product) for product in products} == known


@pytest.mark.parametrize("name", ["-3", "-3m", "6/m", "6/mmm"])
def test_hexagonal_classes_keep_lengths(name: str) -> None:
    lengths = np.linalg.norm(orbit([3, 1, 2], laue_rotations(name)) @ HEXAGONAL.direct, axis=1)
    assert np.allclose(lengths, lengths[0])


def test_the_hand_of_the_six_fold_axis() -> None:
    six, full = (orbit([3, 1, 0], laue_rotations(name)).tolist() for name in ("6/m", "6/mmm"))
    assert [3, 2, 0] not in six
    assert [3, 2, 0] in full
    # (u, v) -> (u - v, u) and back to the start after six turns.
    assert sorted(six) == sorted([[3, 1, 0], [2, 3, 0], [-1, 2, 0], [-3, -1, 0], [-2, -3, 0], [1, -2, 0]])


def test_a_class_that_the_cell_cannot_have_is_refused() -> None:
    with pytest.raises(ValueError, match=r"4/mmm.*allows.*6/m"):
        check_class_fits("4/mmm", HEXAGONAL)
    with pytest.raises(ValueError, match="no Laue class"):
        laue_rotations("P6")


def test_symmetry_of_form_factor_and_order_on_a_plane() -> None:
    rotations = laue_rotations("6/m")
    assert len(operations_about_origin(HK1, rotations)) == 6
    # Off the whole layers a plane keeps the rotations about its normal and loses nothing in 6/m.
    quarter = PlaneAxes([0, 0, 0.25], [1, 0, 0], [0, 1, 0], GRID, GRID)
    assert len(operations_about_origin(quarter, rotations)) == 6
    inclined = PlaneAxes([0, 0, 0.25], [1, 0, 0], [0, 1, 0], GRID, GRID)
    assert len(operations_about_origin(inclined, laue_rotations("-1"))) == 1
    assert len(plane_group(HK1, laue_rotations("-1"))) == 2
