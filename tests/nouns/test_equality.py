"""Nouns compare by what they hold, NaN to NaN, and equal ones have equal hashes."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from unscatter.nouns.cell import Cell
from unscatter.nouns.components import Components
from unscatter.nouns.crystal import Crystal
from unscatter.nouns.lines import Lines
from unscatter.nouns.molecule import Molecule
from unscatter.nouns.order import OrderParameters, OrderTargets
from unscatter.nouns.pattern import Pattern
from unscatter.nouns.plane import Plane, PlaneAxes
from unscatter.nouns.volume import Volume

GRID = np.arange(3.0)


def make() -> list[object]:
    axes = PlaneAxes([0, 0, 1], [1, 0, 0], [0, 1, 0], GRID, GRID)
    image = np.array([[1.0, np.nan, 2.0], [0.0, 1.0, 1.0], [3.0, 1.0, 1.0]])
    plane = Plane(image, axes, Cell(5, 5, 5), "title")
    column = np.linspace(10, 20, 5)
    return [
        axes,
        plane,
        Components(plane, np.ones((3, 3)), np.ones((3, 3)), {"seconds": 1.0}),
        Pattern(column, column, None, 1.54),
        Molecule("water", ("O", "H", "H"), np.eye(3)),
        Crystal(Cell(4, 4, 4), ("Cu",), np.zeros((1, 3)), np.eye(3)[None], np.zeros((1, 3))),
        OrderParameters(np.array([[0, 0, 0], [1, 0, 0]]), np.array([1.0, 0.2])),
        OrderTargets([[1, 0, 0]], [0.2], [0.01]),
        Lines(column, column, column, column, column, 1.54, (5.0, 60.0)),
    ]


@pytest.mark.parametrize("number", range(len(make())))
def test_two_made_alike_are_equal_and_serve_as_one_key(number):
    one, other = make()[number], make()[number]
    assert one is not other
    assert one == other
    assert hash(one) == hash(other)
    assert len({one, other}) == 1
    assert one != "another thing"


def test_how_it_was_made_does_not_count_but_what_it_holds_does():
    components = make()[2]
    assert isinstance(components, Components)
    assert replace(components, provenance={"seconds": 2.0}) == components
    assert replace(components, form_factor=2 * np.ones((3, 3))) != components
    assert replace(components, plane=replace(components.plane, title="other")) != components


@given(arrays(np.float64, (3, 3), elements=st.floats(allow_nan=True)))
def test_planes_are_equal_exactly_where_their_pixels_are(image):
    assert Plane(image) == Plane(image.copy())
    assert hash(Plane(image)) == hash(Plane(image.copy()))
    turned = np.asfortranarray(image)
    assert hash(Plane(image)) == hash(Plane(turned))
    changed = image.copy()
    changed[0, 0] = 1.0 if image[0, 0] != 1.0 else 2.0
    assert Plane(image) != Plane(changed)


def test_a_volume_on_disk_is_equal_to_itself_alone():
    one, other = (Volume(np.ones((3, 3, 3)), GRID, GRID, GRID) for _ in range(2))
    assert one == one
    assert one != other


def test_the_short_form_has_shapes_and_no_numbers_of_arrays():
    shown = repr(make()[1])
    assert shown.startswith("Plane(intensity=float64(3, 3), axes=PlaneAxes(...), cell=Cell(a=5")
    assert shown.endswith("title='title', simulated=False)")
    assert len(repr(make()[8])) < 400
