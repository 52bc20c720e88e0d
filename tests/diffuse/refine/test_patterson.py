"""The series of I_FF: its sums are those over the pixels, its symmetry is that of the plane."""

import numpy as np
import pytest

from unscatter.diffuse.plane.fold import plane_lattice
from unscatter.diffuse.plane.symmetry import operations_about_origin
from unscatter.diffuse.refine.patterson import foot_of_plane, patterson_series
from unscatter.laue import laue_rotations
from unscatter.nouns.cell import Cell
from unscatter.nouns.plane import PlaneAxes

CELL = Cell(9, 9, 6, 90, 90, 120)
X, Y = np.linspace(-3, 3, 40), np.linspace(-2.5, 3, 37)
PLANES = {
    "hk1, 6/m": (PlaneAxes([0, 0, 1], [1, 0, 0], [0, 1, 0], X, Y), "6/m"),
    "hk1, 6/mmm": (PlaneAxes([0, 0, 1], [1, 0, 0], [-0.5, 1, 0], X, Y), "6/mmm"),
    "hk0.3, -1": (PlaneAxes([0, 0, 0.3], [1, 0, 0], [0, 1, 0], X, Y), "-1"),
    "no translation along x": (PlaneAxes([0.2, 0, 1], [1, 0.31, 0], [0, 1, 0], X, Y), "-1"),
}


def make(axes, laue, envelope=None):
    group = operations_about_origin(axes, laue_rotations(laue))
    return patterson_series(
        axes, CELL, plane_lattice(axes), group, 6.0, np.ones(axes.shape) if envelope is None else envelope
    )


@pytest.mark.parametrize(("axes", "laue"), PLANES.values(), ids=PLANES.keys())
def test_the_normal_matrix_is_the_sum_over_pixels(axes: PlaneAxes, laue: str) -> None:
    rng = np.random.default_rng(1)
    foot = foot_of_plane(axes, CELL)
    q_squared = np.sum((axes.hkl() @ CELL.reciprocal) ** 2, axis=-1)
    series = make(axes, laue, np.exp(-0.1 * q_squared))
    images = np.stack([series(row) for row in np.eye(len(series))])
    weight = rng.random(axes.shape)
    direct = np.einsum("ayx,yx,byx->ab", images, weight, images)
    assert np.allclose(series.normal_matrix(weight), direct, atol=1e-9 * np.abs(direct).max())
    assert np.allclose(series.project(weight), np.einsum("ayx,yx->a", images, weight))
    assert np.isfinite(foot).all()


@pytest.mark.parametrize("laue", ["-3", "6/m", "6/mmm"])
def test_symmetry_of_the_series(laue: str) -> None:
    axes = PlaneAxes([0, 0, 1], [1, 0, 0], [0, 1, 0], np.arange(-4, 5) * 0.5, np.arange(-4, 5) * 0.5)
    image = make(axes, laue)(np.random.default_rng(2).normal(size=len(make(axes, laue))))
    hk = np.rint(2 * axes.hkl()[..., :2]).astype(int)
    value = {
        tuple(place): image[index] for index, place in zip(np.ndindex(image.shape), hk.reshape(-1, 2), strict=True)
    }
    for matrix in operations_about_origin(axes, laue_rotations(laue)):
        for place, seen in value.items():
            moved = tuple(np.rint(matrix @ place).astype(int))
            if moved in value:
                assert value[moved] == pytest.approx(seen, abs=1e-9)


def test_prior_variance_of_the_surface_is_one() -> None:
    axes, laue = PLANES["hk0.3, -1"]
    series = make(axes, laue)
    rng = np.random.default_rng(3)
    draws = np.array([series(rng.normal(size=len(series)) * np.sqrt(series.variance)) for _ in range(400)])
    assert draws.var() == pytest.approx(1.0, rel=0.1)
