"""A plane as a list of pixels, h k I in each line, in any order, is the plane."""

import numpy as np
import pytest

from unscatter.io import read_plane
from unscatter.io.planes.read import read_diffraction

H, K = np.linspace(-4, 4, 41), np.linspace(-3.2, 3.2, 33)
MESH_H, MESH_K = np.meshgrid(H, K)
VALUES = np.rint(200 + 100 * np.cos(2 * np.pi * MESH_H) + 20 * MESH_H + 7 * MESH_K + 3 * MESH_H * MESH_K) + 1
ROWS = np.stack([MESH_H.ravel(), MESH_K.ravel(), VALUES.ravel()], axis=1)
DOWN = np.stack([MESH_H.T.ravel(), MESH_K.T.ravel(), VALUES.T.ravel()], axis=1)
LEVEL = np.insert(ROWS, 2, 1.0, axis=1)


def listed(rows: np.ndarray, head: str = "", separator: str = " ", between: int = 0) -> str:
    lines = [separator.join(f"{value:.6g}" for value in row) for row in rows]
    if between:
        lines = [line + "\n" * (number % between == between - 1) for number, line in enumerate(lines)]
    return "\n".join([*([head] if head else []), *lines, ""])


LISTS = {
    "along h": listed(ROWS),
    "along k": listed(DOWN),
    "in no order": listed(np.random.default_rng(0).permutation(ROWS)),
    "downwards": listed(ROWS[::-1]),
    "named": listed(ROWS, "# h k I"),
    "a spreadsheet": listed(ROWS, "H,K,Intensity", ","),
    "k first": listed(ROWS[:, [1, 0, 2]], "k;h;counts", ";"),
    "intensities first": listed(ROWS[:, [2, 0, 1]], "I h k"),
    "blocks of gnuplot": listed(ROWS, between=41),
    "with units": listed(ROWS, "h (r.l.u.)  k (r.l.u.)  I (counts)"),
    "a level": listed(LEVEL, "h k l I"),
    "a level without names": listed(LEVEL),
    "uncertainties": listed(np.c_[LEVEL, np.sqrt(LEVEL[:, 3])], "h,k,l,I,sigma", ","),
}


@pytest.mark.parametrize("name", LISTS)
def test_a_list_of_pixels_is_the_plane(name, tmp_path):
    (tmp_path / "p.txt").write_text(LISTS[name])
    plane = read_plane(tmp_path / "p.txt")
    np.testing.assert_array_equal(plane.intensity, VALUES)
    np.testing.assert_allclose(plane.axes.x, H)
    np.testing.assert_allclose(plane.axes.y, K)
    np.testing.assert_array_equal(plane.axes.u, [1, 0, 0])
    level = 1.0 if "level" in name or name == "uncertainties" else 0.0
    np.testing.assert_array_equal(plane.axes.origin, [0, 0, level])
    told = " ".join(plane.notes)
    assert ("no names" in told) == (name in ("along h", "along k", "in no order", "downwards", "blocks of gnuplot")
                                    or "without names" in name)  # fmt: skip
    assert ("l = 0 was assumed" in told) == (level == 0)


def test_pixels_without_a_line_were_not_measured(tmp_path):
    gap = (ROWS[:, 0] > 1) & (ROWS[:, 0] < 2) & (ROWS[:, 1] > 0)
    (tmp_path / "p.txt").write_text(listed(ROWS[~gap]))
    plane = read_plane(tmp_path / "p.txt")
    np.testing.assert_array_equal(plane.measured, ~gap.reshape(VALUES.shape))
    assert any("of the grid have no line: not measured" in note for note in plane.notes)


def test_a_list_in_an_array_is_no_picture(tmp_path):
    np.save(tmp_path / "p.npy", ROWS)
    np.testing.assert_array_equal(read_plane(tmp_path / "p.npy").intensity, VALUES)
    np.save(tmp_path / "p.npy", ROWS.T)
    np.testing.assert_array_equal(read_plane(tmp_path / "p.npy").intensity, VALUES)
    np.save(tmp_path / "p.npy", ROWS[:, :2])
    with pytest.raises(ValueError, match=r"shape \(1353, 2\); expected a plane"):
        read_plane(tmp_path / "p.npy")


def test_three_indices_that_run_are_a_volume(tmp_path):
    layers = [np.insert(ROWS * [1, 1, number], 2, number - 2.0, axis=1) for number in (1, 2, 3)]
    (tmp_path / "v.txt").write_text(listed(np.concatenate(layers), "h k l I"))
    assert read_diffraction(tmp_path / "v.txt").intensity.shape == (3, 33, 41)
    plane = read_plane(tmp_path / "v.txt", plane="hk1")
    np.testing.assert_array_equal(plane.intensity, 3 * VALUES)


def test_axes_in_inverse_angstrom_need_the_cell(tmp_path):
    scale = np.array([2 * np.pi / 10, 2 * np.pi / 12, 1])
    (tmp_path / "p.txt").write_text(listed(ROWS * scale, "h(1/A),k(1/A),I", ","))
    with pytest.raises(ValueError, match="give --cell"):
        read_plane(tmp_path / "p.txt")
    plane = read_plane(tmp_path / "p.txt", cell=(10, 12, 7, 90, 90, 90))
    np.testing.assert_allclose(plane.axes.x, H, atol=1e-5)


def test_axes_of_the_laboratory_are_told(tmp_path):
    (tmp_path / "p.txt").write_text(listed(ROWS, "Qx(1/A),Qy(1/A),I", ","))
    plane = read_plane(tmp_path / "p.txt")
    assert plane.axes is None
    assert any("are not known as directions" in note for note in plane.notes)
    named = read_plane(tmp_path / "p.txt", axes="h=-4:4 k=-3.2:3.2 l=1")
    np.testing.assert_array_equal(named.axes.origin, [0, 0, 1])


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (np.c_[np.linspace(5, 80, 500), VALUES.ravel()[:500], np.sqrt(VALUES.ravel()[:500])], "no even grid.*classify"),
        (np.concatenate([ROWS, ROWS[:5]]), "5 pixels more than once"),
        (ROWS[:30], "no even grid"),
    ],
)
def test_what_is_no_list_of_pixels_says_so(rows, message, tmp_path):
    (tmp_path / "p.txt").write_text(listed(rows))
    with pytest.raises(ValueError, match=message) as caught:
        read_plane(tmp_path / "p.txt")
    assert "\n" not in str(caught.value)
