"""Arrays of an archive called h, k, l, cell or mask are axes, cell and mask of the plane beside them."""

import numpy as np
import pytest

from unscatter.io import read_plane
from unscatter.nouns.cell import Cell

H, K = np.linspace(-4, 4, 41), np.linspace(-3.2, 3.2, 33)
MESH_H, MESH_K = np.meshgrid(H, K)
VALUES = np.rint(200 + 100 * np.cos(2 * np.pi * MESH_H) + 20 * MESH_H + 7 * MESH_K + 3 * MESH_H * MESH_K) + 1
CELL = (10.0, 12.0, 7.0, 90.0, 90.0, 75.0)
ARCHIVES = {
    "rows k": {"I": VALUES, "h": H, "k": K},
    "rows h": {"I": VALUES.T, "h": H, "k": K},
    "downwards": {"I": VALUES[::-1, ::-1], "h": H[::-1], "k": K[::-1]},
    "edges": {"I": VALUES, "h": np.append(H - 0.1, 4.1), "k": K},
    "a mesh": {"I": VALUES.T, "H": MESH_H.T, "K": MESH_K.T},
    "other names": {"I": VALUES, "h_axis": H, "k_axis": K},
    "a level": {"I": VALUES, "h": H, "k": K, "l": np.array([1.0])},
    "a number": {"I": VALUES, "h": H, "k": K, "l": 1.0},
    "a cell": {"I": VALUES, "h": H, "k": K, "cell": np.array(CELL)},
}


@pytest.mark.parametrize("name", ARCHIVES)
def test_axes_of_an_archive_are_used(name, tmp_path):
    np.savez(tmp_path / "p.npz", **ARCHIVES[name])
    plane = read_plane(tmp_path / "p.npz")
    np.testing.assert_array_equal(plane.intensity, VALUES)
    np.testing.assert_allclose(plane.axes.x, H, atol=1e-12)
    np.testing.assert_allclose(plane.axes.y, K, atol=1e-12)
    assert plane.axes.origin[2] == (1.0 if name in ("a level", "a number") else 0.0)
    assert plane.cell == (Cell(*CELL) if name == "a cell" else None)


def test_which_axis_is_which_of_a_square_is_told_and_overruled(tmp_path):
    np.savez(tmp_path / "p.npz", I=VALUES[:, :33], h=H[:33], k=K)
    plane = read_plane(tmp_path / "p.npz")
    np.testing.assert_array_equal(plane.intensity, VALUES[:, :33])
    assert any("[k, h] was assumed (overrule with --axes)" in note for note in plane.notes)
    turned = read_plane(tmp_path / "p.npz", axes="k=-3.2:3.2 h=-4:2.4 l=0")
    np.testing.assert_array_equal(turned.axes.u, [0, 1, 0])


def test_a_volume_is_cut_by_its_own_axes(tmp_path):
    np.savez(tmp_path / "v.npz", I=np.stack([VALUES, 2 * VALUES, 3 * VALUES]), h=H, k=K, l=[-1.0, 0.0, 1.0])
    np.testing.assert_array_equal(read_plane(tmp_path / "v.npz", plane="hk1").intensity, 3 * VALUES)
    np.savez(tmp_path / "v.npz", I=np.ones((9, 9, 9)), h=H[:9], k=H[:9], l=H[:9])
    with pytest.raises(ValueError, match=r"their sizes do not tell.*--axes"):
        read_plane(tmp_path / "v.npz", plane="hk1")


def test_masks_and_uncertainties_mark_gaps(tmp_path):
    gap = (MESH_H > 1) & (MESH_H < 2) & (MESH_K > 0)
    spoiled = np.where(gap, 4321.5, VALUES)
    for beside in ({"mask": gap}, {"valid": ~gap}, {"errors": np.where(gap, np.nan, 1.0)}):
        np.savez(tmp_path / "p.npz", I=spoiled, **beside)
        np.testing.assert_array_equal(read_plane(tmp_path / "p.npz").measured, ~gap)


def test_axes_that_fit_nothing_are_refused(tmp_path):
    np.savez(tmp_path / "p.npz", I=VALUES, h=H[:30], k=K)
    with pytest.raises(ValueError, match=r"h \(30,\), k \(33,\) do not fit the array \(33, 41\).*--axes"):
        read_plane(tmp_path / "p.npz")
    read_plane(tmp_path / "p.npz", axes="h=-4:4 k=-3.2:3.2 l=0")
