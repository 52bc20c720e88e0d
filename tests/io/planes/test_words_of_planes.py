"""What names, units and shapes of a stored plane say is used, refused or told."""

import re

import h5py
import numpy as np
import pytest
import tifffile

from unscatter.io.planes.read import read_plane

H = np.linspace(-2, 2, 21)
K = np.linspace(-1, 1, 11)
PLANE = 100.0 + 20 * H[None] + 3 * K[:, None] + np.random.default_rng(0).random((11, 21))


def write(path, data=PLANE, axes=("k", "h"), signal="data", **extra):
    with h5py.File(path, "w") as file:
        group = file.create_group("entry/data")
        file.attrs["default"], file["entry"].attrs["default"] = "entry", "data"
        group.attrs.update({"NX_class": "NXdata", "signal": signal, "axes": list(axes)})
        group[signal] = data
        for name, values in zip(axes[-2:], (K, H), strict=True):
            group[name] = values
        for name, value in extra.items():
            file[f"entry/{name}"] = value
    return path


def alter(path, change):
    with h5py.File(path, "r+") as file:
        change(file["entry/data"])
    return path


@pytest.mark.parametrize(
    ("cell", "told"),
    [([1.0, 1.0, 0.7, 90, 90, 90], "nm"), ([1e-9, 1e-9, 7e-10, 90, 90, 90], "metres"), ([10, 10, 7, 90, 90, 90], "")],
)
def test_edges_that_no_crystal_has_in_angstrom_are_in_another_unit(tmp_path, cell, told):
    plane = read_plane(write(tmp_path / "p.h5", **{"sample/unit_cell": cell}))
    assert plane.cell.parameters == pytest.approx((10, 10, 7, 90, 90, 90))
    assert any(f"were taken as {told}" in note for note in plane.notes) == bool(told)


@pytest.mark.parametrize("signal", ["log_I", "sqrt(counts)"])
def test_logarithms_are_refused_by_their_name(tmp_path, signal):
    with pytest.raises(ValueError, match="logarithms or roots; expected intensities"):
        read_plane(write(tmp_path / "p.h5", np.log10(PLANE), signal=signal))


def in_angstrom(group):
    group["h"].attrs["units"] = "angstrom"


def called_pdf(group):
    group.attrs["title"] = "3D-dPDF of the crystal"


@pytest.mark.parametrize("change", [in_angstrom, called_pdf])
def test_direct_space_is_refused_by_its_units_and_its_name(tmp_path, change):
    with pytest.raises(ValueError, match=r"direct space.*expected reciprocal space"):
        read_plane(alter(write(tmp_path / "p.h5"), change))


def test_the_one_value_of_an_index_counts_wherever_it_stands(tmp_path):
    def attribute(group):
        group.attrs["l"] = 1.0

    assert read_plane(alter(write(tmp_path / "a.h5"), attribute)).axes.name() == "hk1"
    layer = write(tmp_path / "b.h5", PLANE[None], ("l", "k", "h"), **{"data/l": [1.0]})
    plane = read_plane(layer)
    assert plane.axes.name() == "hk1"
    np.testing.assert_array_equal(plane.intensity, PLANE)


@pytest.mark.parametrize("numbers", [{"k": 1, "h": 2}, {"k": 2, "h": 1}])
def test_axes_that_number_themselves_belong_where_they_fit(tmp_path, numbers):
    def number(group):
        del group.attrs["axes"]
        for name, value in numbers.items():
            group[name].attrs["axis"] = value

    plane = read_plane(alter(write(tmp_path / "p.h5"), number))
    np.testing.assert_allclose(plane.axes.x, H)
    np.testing.assert_array_equal(plane.intensity, PLANE)


def test_axes_that_are_no_directions_are_told_and_named_as_advised(tmp_path):
    path = write(tmp_path / "p.h5", axes=("Qy", "Qx"))
    plane = read_plane(path)
    assert plane.axes is None
    advised = re.search(r'--axes "([^"]+)"', " ".join(plane.notes))
    assert advised is not None
    assert read_plane(path, axes=advised[1]).axes.name() == "hk0"


@pytest.mark.parametrize("mark", [9999.0, 999999.0, 1e6, 1e20, 65534.0, 2.0**20 - 1, 2.0**32 - 2])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_round_number_far_above_all_else_is_a_mark(tmp_path, mark, dtype):
    gap = np.zeros(PLANE.shape, dtype=bool)
    gap[3:5, 4:9] = True
    np.save(tmp_path / "p.npy", np.where(gap, mark, PLANE).astype(dtype))
    plane = read_plane(tmp_path / "p.npy")
    np.testing.assert_array_equal(plane.measured, ~gap)
    assert any("far above all else" in note for note in plane.notes)


@pytest.mark.parametrize("top", [9998.0, 120.0, 8000.0])
def test_other_large_numbers_are_intensities(tmp_path, top):
    peaks = np.zeros(PLANE.shape, dtype=bool)
    peaks[::5, ::5] = True
    np.save(tmp_path / "p.npy", np.where(peaks, top, PLANE))
    assert read_plane(tmp_path / "p.npy").measured.all()


@pytest.mark.parametrize("shape", [(1, 11, 21), (11, 21, 1), (1, 1, 11, 21)])
def test_axes_of_one_pixel_are_left_out(tmp_path, shape):
    np.save(tmp_path / "p.npy", PLANE.reshape(shape))
    plane = read_plane(tmp_path / "p.npy", axes="h=-2:2 k=-1:1 l=0")
    np.testing.assert_array_equal(plane.intensity, PLANE)
    assert any("axes of one pixel" in note for note in plane.notes)


def test_the_axes_of_a_plane_choose_no_page(tmp_path):
    path = tmp_path / "p.tif"
    tifffile.imwrite(path, np.stack([PLANE, 2 * PLANE]).astype(np.float32), photometric="minisblack")
    with pytest.raises(ValueError, match="choose one with --dataset 1"):
        read_plane(path, axes="h=-2:2 k=-1:1 l=0")
    plane = read_plane(path, axes="h=-2:2 k=-1:1 l=0", dataset="1")
    np.testing.assert_allclose(plane.intensity, PLANE, rtol=1e-6)
