"""Planes, axes and directions as people write them."""

import numpy as np
import pytest

from unscatter.io.planes.notation import parse_direction, parse_plane_axes, parse_section


@pytest.mark.parametrize(
    ("text", "origin", "u", "v"),
    [
        ("hk1", (0, 0, 1), (1, 0, 0), (0, 1, 0)),
        ("h0l", (0, 0, 0), (1, 0, 0), (0, 0, 1)),
        ("0kl", (0, 0, 0), (0, 1, 0), (0, 0, 1)),
        ("HK0.5", (0, 0, 0.5), (1, 0, 0), (0, 1, 0)),
        ("h-1l", (0, -1, 0), (1, 0, 0), (0, 0, 1)),
        ("hhl", (0, 0, 0), (1, 1, 0), (0, 0, 1)),
        ("h-hl", (0, 0, 0), (1, -1, 0), (0, 0, 1)),
        ("(h, 2h, l)", (0, 0, 0), (1, 2, 0), (0, 0, 1)),
        ("h+k,h-k,1", (0, 0, 1), (1, 1, 0), (1, -1, 0)),
        ("h k -0.5", (0, 0, -0.5), (1, 0, 0), (0, 1, 0)),
        ("h,h+1,l", (0, 1, 0), (1, 1, 0), (0, 0, 1)),
        ("origin=0,0,0.5 u=1,1,0 v=0,0,1", (0, 0, 0.5), (1, 1, 0), (0, 0, 1)),
    ],
)
def test_section(text, origin, u, v):
    section = parse_section(text)
    np.testing.assert_array_equal((section.origin, section.u, section.v), (origin, u, v))


@pytest.mark.parametrize(
    "text",
    ["", "hkl", "hk", "h00", "hkx", "hk1/2", "h,k", "u=1,0,0 v=2,0,0 origin=0,0,0", "u=1,0 v=0,1", "1,2,3"],
)
def test_bad_section_shows_an_example(text):
    with pytest.raises(ValueError, match='write for example "hk1"'):
        parse_section(text)


@pytest.mark.parametrize(
    ("label", "direction"),
    [
        ("Qh", (1, 0, 0)),
        ("Q_l", (0, 0, 1)),
        ("K", (0, 1, 0)),
        ("[H,-H,0]", (1, -1, 0)),
        ("[0 k 0] (r.l.u.)", (0, 1, 0)),
        ("[-0.5H,H,0]", (-0.5, 1, 0)),
    ],
)
def test_direction(label, direction):
    np.testing.assert_array_equal(parse_direction(label), direction)


@pytest.mark.parametrize("label", ["DeltaE", "Q_sample_x", "x", "", "[H,K,0]", "[0,0,0]"])
def test_no_direction(label):
    assert parse_direction(label) is None


def test_axes_by_letters():
    axes = parse_plane_axes("h=-8:8 k=-4:4 l=1", (5, 9))
    np.testing.assert_array_equal(axes.x, np.linspace(-8, 8, 9))
    np.testing.assert_array_equal(axes.y, np.linspace(-4, 4, 5))
    assert axes.name() == "hk1"


def test_first_range_runs_along_the_columns():
    axes = parse_plane_axes("l=-4:4 h=-8:8 k=0", (5, 9))
    np.testing.assert_array_equal(axes.hkl()[0, -1], [-8, 0, 4])


def test_axes_by_vectors():
    axes = parse_plane_axes("u=1,0,0:-8:8 v=0.5,1,0:-6:6 origin=0,0,1", (7, 3))
    np.testing.assert_array_equal(axes.hkl()[-1, 0], [-8 + 3, 6, 1])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected h, k and l"),
        ("h=-8:8 k=-8:8", "expected h, k and l"),
        ("h=-8:8 k=1 l=1", "got 1 ranges"),
        ("h=8:8 k=-8:8 l=1", "has no length"),
        ("h=-8:x k=-8:8 l=1", '"x" is not a number'),
        ("h=-8:8 k=-8:8 l=nan", "not finite"),
        ("h=-8:8 h=-8:8 l=1", "name=value"),
        ("u=1,0,0:-8:8 v=1,0,0:-6:6 origin=0,0,1", "parallel"),
        ("u=1,0,0 v=0,1,0:-6:6 origin=0,0,1", "has no range"),
    ],
)
def test_bad_axes_show_an_example(text, message):
    with pytest.raises(ValueError, match=rf"{message}.*--axes"):
        parse_plane_axes(text, (5, 9))
