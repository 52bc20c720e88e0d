"""unscatter's own file: exact round trip, NeXus default plot, whole or not at all."""

import hashlib

import h5py
import numpy as np
import pytest

from unscatter.io import (
    read_components,
    read_diffraction,
    read_plane,
    sha256_of,
    write_components,
    write_plane,
)
from unscatter.nouns.cell import Cell
from unscatter.nouns.components import Components
from unscatter.nouns.plane import Plane, PlaneAxes


@pytest.fixture
def plane():
    intensity = np.random.default_rng(1).random((6, 8)) * 1e4
    intensity[2, 3], intensity[0, 0] = np.nan, 0.0
    axes = PlaneAxes([0, 0, 0.5], [1, 1, 0], [0, 0, 1], np.linspace(-2, 2, 8) / 3, np.linspace(-1, 1, 6) / 7)
    return Plane(intensity, axes, Cell(14.12, 14.12, 6.93, 90, 90, 120), "a title ü", simulated=True, source="raw.h5")


@pytest.fixture
def components(plane):
    rng = np.random.default_rng(2)
    provenance = {
        "weights": "factorize-256",
        "sha256": "ab",
        "seed": np.int64(3),
        "recipe": {"sizes": [1, 2.5]},
    }
    return Components(plane, rng.random(plane.intensity.shape), rng.random(plane.intensity.shape), provenance)


def same_plane(found, plane):
    np.testing.assert_array_equal(found.intensity, plane.intensity)
    for name in ("origin", "u", "v", "x", "y"):
        np.testing.assert_array_equal(getattr(found.axes, name), getattr(plane.axes, name))
    assert (found.cell, found.title, found.simulated, found.source) == (
        plane.cell,
        plane.title,
        plane.simulated,
        plane.source,
    )


def test_components_round_trip_is_exact(tmp_path, components):
    write_components(tmp_path / "r.h5", components)
    found = read_components(tmp_path / "r.h5")
    same_plane(found.plane, components.plane)
    np.testing.assert_array_equal(found.form_factor, components.form_factor)
    np.testing.assert_array_equal(found.short_range_order, components.short_range_order)
    assert found.provenance == components.provenance
    assert [p.name for p in tmp_path.iterdir()] == ["r.h5"]


def test_plane_round_trip_is_exact(tmp_path, plane):
    write_plane(tmp_path / "p.h5", plane)
    same_plane(read_diffraction(tmp_path / "p.h5"), plane)
    assert read_plane(tmp_path / "p.h5").intensity[0, 0] == 0, "a zero of ours is a measured zero"
    with pytest.raises(ValueError, match="without its factors"):
        read_components(tmp_path / "p.h5")


def test_plane_without_lattice(tmp_path):
    write_plane(tmp_path / "p.h5", Plane(np.ones((3, 4))))
    found = read_diffraction(tmp_path / "p.h5")
    assert found.axes is None
    assert found.cell is None
    with h5py.File(tmp_path / "p.h5") as file:
        assert file["entry/I_D/x"].attrs["units"] == "pixel"


def test_layout_is_nexus_with_the_measured_plane_in_front(tmp_path, components):
    write_components(tmp_path / "r.h5", components)
    with h5py.File(tmp_path / "r.h5") as file:
        entry = file[file.attrs["default"]]
        assert (file.attrs["NX_class"], entry.attrs["NX_class"]) == ("NXroot", "NXentry")
        assert entry.attrs["default"] == "I_D"
        for name in ("I_D", "I_FF", "I_SRO", "product", "residual", "mask"):
            group = entry[name]
            assert group.attrs["NX_class"] == "NXdata"
            assert [group[axis].size for axis in group.attrs["axes"]] == list(group[group.attrs["signal"]].shape)
        assert entry["I_D/x"].attrs["long_name"] == "[h h 0] (r.l.u.)"
        assert entry["mask/data"][()].sum() == 1
        assert entry["process/program"].asstr()[()] == "unscatter"
        np.testing.assert_allclose(entry["product/data"], components.product, rtol=1e-6)


def test_other_planes_of_a_result_can_be_read(tmp_path, components):
    write_components(tmp_path / "r.h5", components)
    found = read_diffraction(tmp_path / "r.h5", dataset="entry/I_FF")
    np.testing.assert_array_equal(found.intensity, components.form_factor)
    assert found.lattice_known


def test_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, components, monkeypatch):
    path = tmp_path / "r.h5"
    write_components(path, components)
    before = sha256_of(path)

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr("unscatter.io.results.components._process", fail)
    with pytest.raises(OSError, match="disk full"):
        write_components(path, components)
    assert sha256_of(path) == before == hashlib.sha256(path.read_bytes()).hexdigest()
    assert [p.name for p in tmp_path.iterdir()] == ["r.h5"]


def test_provenance_must_be_json(tmp_path, plane):
    image = np.ones(plane.intensity.shape)
    with pytest.raises(TypeError, match="JSON"):
        write_components(tmp_path / "r.h5", Components(plane, image, image, {"net": object()}))
    assert list(tmp_path.iterdir()) == []


def test_no_folder_to_write_to(tmp_path, plane):
    with pytest.raises(FileNotFoundError, match="no such folder"):
        write_plane(tmp_path / "none" / "p.h5", plane)


def test_other_files_and_later_layouts_are_refused(tmp_path, components):
    np.save(tmp_path / "a.npy", np.ones((3, 3)))
    with pytest.raises(ValueError, match="is no unscatter result"):
        read_components(tmp_path / "a.npy")
    write_components(tmp_path / "r.h5", components)
    with h5py.File(tmp_path / "r.h5", "r+") as file:
        file.attrs["format_version"] = 99
    with pytest.raises(ValueError, match="layout 99"):
        read_components(tmp_path / "r.h5")
