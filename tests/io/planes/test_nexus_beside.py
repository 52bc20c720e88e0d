"""What lies beside the signal of an NXdata group, flags, uncertainties, counts, norms, is used or refused."""

import re

import h5py
import numpy as np
import pytest

from unscatter.io import read_plane

H, K = np.linspace(-4, 4, 41), np.linspace(-3.2, 3.2, 33)
MESH_H, MESH_K = np.meshgrid(H, K)
VALUES = np.rint(200 + 100 * np.cos(2 * np.pi * MESH_H) * np.cos(2 * np.pi * MESH_K) + 20 * MESH_H) + 1
GAP = (MESH_H > 1) & (MESH_H < 2) & (MESH_K > 0)
SPOILED = np.where(GAP, 4321.5, VALUES)
HITS = np.random.default_rng(0).integers(1, 30, VALUES.shape).astype(float)
SMOOTH = 1 + MESH_H / 10


def write(path, signal, change=lambda file: None, axes=(K, H), names=("k", "h"), **beside):
    with h5py.File(path, "w") as file:
        group = file.create_group("entry/data")
        group.attrs.update({"NX_class": "NXdata", "signal": "data", "axes": list(names)})
        group["data"], group["l"] = signal, 0.0
        for name, values in [*zip(names, axes, strict=True), *beside.items()]:
            group[name] = values
        change(file)
    return path


MARKS = {
    "quality": GAP.astype(np.int32),
    "data_quality": np.where(GAP, 8, 0),
    "status": (~GAP).astype(np.int8),
    "data_errors": np.where(GAP, np.nan, 1.0),
    "errors": np.where(GAP, -1.0, 1.0),
    "npix": np.where(GAP, 0, 7),
    "coverage": np.where(GAP, 0.0, 1.0),
    "norm": np.where(GAP, 0.0, 1.0),
}


@pytest.mark.parametrize("name", MARKS)
def test_what_lies_beside_the_signal_marks_gaps(name, tmp_path):
    plane = read_plane(write(tmp_path / "p.nxs", SPOILED, **{name: MARKS[name]}))
    np.testing.assert_array_equal(plane.measured, ~GAP)
    assert any(f"marked in {name}" in note for note in plane.notes)


def test_uncertainties_of_which_none_is_a_number_mark_nothing(tmp_path):
    plane = read_plane(write(tmp_path / "p.nxs", VALUES, data_errors=np.nan * VALUES))
    assert plane.measured.all()


def test_the_valid_range_counts(tmp_path):
    def say(file):
        file["entry/data/data"].attrs["valid_max"] = 1000.0

    np.testing.assert_array_equal(read_plane(write(tmp_path / "p.nxs", SPOILED, say)).measured, ~GAP)


def test_a_sum_is_divided_by_its_norm_and_a_mean_is_not(tmp_path):
    summed = read_plane(write(tmp_path / "p.nxs", VALUES * HITS, norm=HITS))
    np.testing.assert_allclose(summed.intensity, VALUES)
    assert any("divided by it" in note for note in summed.notes)
    mean = read_plane(write(tmp_path / "p.nxs", VALUES, norm=HITS))
    np.testing.assert_allclose(mean.intensity, VALUES)
    assert any("it was divided by it before" in note for note in mean.notes)


def test_a_smooth_norm_is_refused_and_the_advice_helps(tmp_path):
    path = write(tmp_path / "p.nxs", VALUES, normalization=SMOOTH)
    with pytest.raises(ValueError, match="whether data was divided by it is not known") as caught:
        read_plane(path)
    dataset = re.search(r"--dataset (\S+);", str(caught.value))[1]
    named = read_plane(path, dataset=dataset)
    np.testing.assert_allclose(named.intensity, VALUES)
    np.testing.assert_allclose(named.axes.x, H)
    assert any("taken as it is: not divided by normalization" in note for note in named.notes)


def test_a_volume_is_divided_layer_by_layer(tmp_path):
    hits = np.stack([HITS, 2 * HITS, HITS + 1])
    levels = (np.array([-1.0, 0.0, 1.0]), K, H)
    path = tmp_path / "v.nxs"
    with h5py.File(path, "w") as file:
        group = file.create_group("entry/data")
        group.attrs.update({"NX_class": "NXdata", "signal": "data", "axes": ["l", "k", "h"]})
        group["data"], group["norm"] = VALUES * hits, hits
        for name, values in zip(("l", "k", "h"), levels, strict=True):
            group[name] = values
    np.testing.assert_allclose(read_plane(path, plane="hk1").intensity, VALUES)


@pytest.mark.parametrize("unit", ["1", "dimensionless", "none"])
def test_indices_may_have_a_unit_that_is_none(unit, tmp_path):
    def say(file):
        file["entry/data/h"].attrs["units"] = unit

    np.testing.assert_allclose(read_plane(write(tmp_path / "p.nxs", VALUES, say)).axes.x, H)


def test_axes_may_be_meshes(tmp_path):
    plane = read_plane(write(tmp_path / "p.nxs", VALUES, axes=(MESH_K, MESH_H)))
    np.testing.assert_allclose(plane.axes.y, K)
    with pytest.raises(ValueError, match="differs from row to row"):
        read_plane(write(tmp_path / "p.nxs", VALUES, axes=(MESH_K + 0.1 * MESH_H, MESH_H)))


def test_an_axis_of_one_frame_is_left_out(tmp_path):
    frames = (np.array([7.0]), K, H)
    plane = read_plane(write(tmp_path / "p.nxs", VALUES[None], axes=frames, names=("frame", "k", "h")))
    np.testing.assert_array_equal(plane.intensity, VALUES)
    np.testing.assert_allclose(plane.axes.x, H)


@pytest.mark.parametrize("names", [("temperature", "k", "h"), (".", "k", "h"), ("frame", "l", "k", "h")])
def test_one_of_several_along_an_axis_is_chosen_as_advised(names, tmp_path):
    frames = np.stack([VALUES, 2 * VALUES, 3 * VALUES])
    data = frames if len(names) == 3 else np.stack([frames, 10 * frames, 20 * frames])
    path = tmp_path / "p.nxs"
    with h5py.File(path, "w") as file:
        group = file.create_group("entry/data")
        group.attrs.update({"NX_class": "NXdata", "signal": "data", "axes": list(names)})
        group["data"] = data
        for name, values in zip(names[-2:], (K, H), strict=True):
            group[name] = values
        if len(names) == 4:
            group["frame"], group["l"] = np.array([100.0, 200.0, 300.0]), np.array([-1.0, 0.0, 1.0])
    plane = {} if len(names) == 3 else {"plane": "hk1"}
    with pytest.raises(ValueError, match="holds 3 planes or volumes along") as caught:
        read_plane(path, **plane)
    dataset = re.search(r"--dataset (\S+)", str(caught.value))[1].replace("#1", "#2")
    found = read_plane(path, dataset=dataset, **plane)
    np.testing.assert_array_equal(found.intensity, 2 * VALUES if len(names) == 3 else 30 * VALUES)
