"""The canvas carries planes of any size to the network and its answers back."""

import numpy as np
import pytest
from scipy import ndimage

from unscatter.diffuse.factorize.canvas import (
    Canvas,
    canvas_with_lattice,
    canvas_without_lattice,
    spread_blocks,
    tile_weight,
    tiles,
)
from unscatter.diffuse.factorize.lattice.spectrum import average_blocks
from unscatter.nouns.cell import Cell
from unscatter.nouns.plane import PlaneAxes

HEXAGONAL = Cell(14.12, 14.12, 6.93, 90, 90, 120)


def skew_axes(columns: int = 121, rows: int = 101) -> PlaneAxes:
    """h and k of a hexagonal crystal as a skew array, the way reconstructions are stored."""
    return PlaneAxes(
        np.array([0.0, 0.0, 1.0]),
        np.array([1.0, 0.0, 0.0]),
        np.array([0.0, 1.0, 0.0]),
        np.linspace(-6, 6, columns),
        np.linspace(-5, 5, rows),
    )


def smooth(axes: PlaneAxes, cell: Cell) -> np.ndarray:
    Q = axes.hkl() @ cell.reciprocal
    return 10 + 3 * np.sin(1.1 * Q[..., 0]) * np.cos(0.7 * Q[..., 1])


def test_canvas_pixels_hold_the_value_at_their_own_q() -> None:
    axes = skew_axes()
    canvas = canvas_with_lattice(axes, HEXAGONAL, 128)
    painted, seen = canvas.paint(smooth(axes, HEXAGONAL))
    assert canvas.axes is not None
    expected = smooth(canvas.axes, HEXAGONAL)
    # A parallelogram of 12 x 10 cells at 60 degrees covers 36 % of the square around it.
    assert seen.mean() == pytest.approx(12 * 10 * np.sqrt(0.75) / 17**2, abs=0.02)
    assert np.abs(painted - expected)[seen > 0].max() < 0.02


def test_canvas_axes_are_perpendicular_and_in_inverse_angstrom() -> None:
    canvas = canvas_with_lattice(skew_axes(), HEXAGONAL, 64)
    assert canvas.axes is not None
    u, v = canvas.axes.u @ HEXAGONAL.reciprocal, canvas.axes.v @ HEXAGONAL.reciprocal
    assert np.allclose([u @ u, v @ v, u @ v], [1, 1, 0])


def test_a_smooth_answer_comes_back_to_the_pixels_it_left() -> None:
    axes = skew_axes()
    canvas = canvas_with_lattice(axes, HEXAGONAL, 192)
    assert canvas.axes is not None
    back = canvas.read_back(smooth(canvas.axes, HEXAGONAL), axes.shape)
    assert np.all(np.isfinite(back))
    # Splines are less sure of themselves in the first rows.
    assert np.abs(back - smooth(axes, HEXAGONAL))[3:-3, 3:-3].max() < 1e-3


def test_gaps_stay_gaps_and_are_not_mixed_into_their_neighbours() -> None:
    plane = np.full((100, 100), 7.0)
    plane[40:50] = np.nan
    painted, seen = canvas_without_lattice(plane.shape, 80).paint(plane)
    assert set(np.unique(seen)) == {0.0, 1.0}
    assert np.allclose(painted[seen > 0], 7.0)
    assert np.all(painted[seen == 0] == 0)


def test_a_fine_plane_is_averaged_not_sampled() -> None:
    rng = np.random.default_rng(0)
    noise = rng.poisson(10.0, (1024, 1024)).astype(float)
    painted, seen = canvas_without_lattice(noise.shape, 256).paint(noise)
    assert seen.all()
    assert painted.std() < 0.35 * noise.std()


@pytest.mark.parametrize("half", [100.0, 384.0, 900.0])
def test_tiles_cover_every_pixel(half: float) -> None:
    shape = (int(2 * half) + 1, int(1.5 * half))
    whole = canvas_without_lattice(shape, 64)
    covered = np.zeros(shape)
    for tile in tiles(whole, 384.0):
        weight = tile.read_back(tile_weight(64), shape)
        covered += np.nan_to_num(weight)
    assert covered.min() > 0.01


def test_a_grid_is_read_back_as_any_set_of_points_is() -> None:
    """Two narrow products give what map_coordinates gives point by point, to rounding."""
    painted = np.random.default_rng(0).normal(size=(64, 64))
    tile = Canvas((40.0, 31.0), 25.0, 64, np.eye(2, 3))
    rows, columns = np.mgrid[:70.0, :80.0]
    index = [(place - centre + 25.0) * 63 / 50 for place, centre in ((rows, 31.0), (columns, 40.0))]
    inside = np.all([(i > -0.51) & (i < 63.51) for i in index], axis=0)
    expected = np.where(inside, ndimage.map_coordinates(painted, index, order=3, mode="nearest"), np.nan)
    np.testing.assert_allclose(tile.read_back(painted, (70, 80)), expected, atol=1e-12)
    window = tile.window((70, 80), 1)
    np.testing.assert_allclose(tile.read_window(painted, window), expected[window], atol=1e-12)
    assert np.isnan(np.delete(expected, np.arange(window[0].start, window[0].stop), axis=0)).all()


def test_a_smooth_plane_comes_back_from_its_blocks():
    y, x = np.mgrid[:64, :50] / 40.0
    plane = np.sin(x) + np.cos(y + x)
    back = spread_blocks(average_blocks(plane, 3), 3, plane.shape)
    assert back.shape == plane.shape
    # beyond the middle of the last block the edge goes on as it is
    np.testing.assert_allclose(back[9:-9, 9:-9], plane[9:-9, 9:-9], atol=2e-3)
