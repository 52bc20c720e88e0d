"""Words beside a plane that say what its numbers are: logarithms are refused, saturation and conversions told."""

from pathlib import Path

import gemmi
import h5py
import numpy as np
import pytest

from unscatter.io.planes.read import read_plane

H = np.linspace(-2, 2, 21)
PLANE = np.random.default_rng(1).poisson(50.0 + 20 * np.cos(np.pi * H)[:, None] * np.ones(21)).astype(float)
LOG = np.log10(PLANE + 1)


def nexus(path: Path, data: np.ndarray, *, scale: float = 1.0, title: str = "") -> Path:
    with h5py.File(path, "w") as file:
        group = file.create_group("entry/data")
        file.attrs["default"], file["entry"].attrs["default"] = "entry", "data"
        group.attrs.update({"NX_class": "NXdata", "signal": "data", "axes": ["k", "h"], "title": title, "l": 0.0})
        group["data"], group["h"], group["k"] = data, scale * H, scale * H
        file["entry/sample/unit_cell"] = [10.0, 10.0, 7.0, 90.0, 90.0, 90.0]
    return path


def listed(path: Path, names: str, values: np.ndarray) -> Path:
    rows = [f"{h:g},{k:g},{values[j, i]:.8g}" for j, k in enumerate(H) for i, h in enumerate(H)]
    path.write_text("\n".join([names, *rows, ""]))
    return path


def test_logarithms_are_refused_wherever_a_file_says_so(tmp_path: Path) -> None:
    matrix = tmp_path / "plane.txt"
    np.savetxt(matrix, LOG, header="log10 of intensity")
    named = listed(tmp_path / "plane.csv", "h,k,log10(I)", LOG)
    titled = nexus(tmp_path / "plane.nxs", LOG, title="log10 of intensity")
    for path in (matrix, named, titled):
        with pytest.raises(ValueError, match="logarithms or roots"):
            read_plane(path)


def test_the_only_column_beside_two_indices_is_the_intensity(tmp_path: Path) -> None:
    plane = read_plane(listed(tmp_path / "plane.csv", "h,k,Fsquared", PLANE))
    np.testing.assert_allclose(plane.intensity, PLANE)
    assert any("'Fsquared' was taken for the intensity" in note for note in plane.notes)


def test_axes_in_inverse_angstrom_are_told_to_be_2_pi_over_d(tmp_path: Path) -> None:
    path = nexus(tmp_path / "plane.nxs", PLANE, scale=2 * np.pi / 10)
    with h5py.File(path, "r+") as file:
        for name in "hk":
            file[f"entry/data/{name}"].attrs["units"] = "1/angstrom"
    plane = read_plane(path)
    assert plane.axes is not None
    np.testing.assert_allclose(plane.axes.x, H, atol=1e-12)
    assert any("Q = 2 pi / d" in note for note in plane.notes)


@pytest.mark.parametrize("place", ["attribute", "group", "detector"])
def test_pixels_that_met_the_saturation_value_were_not_measured(place: str, tmp_path: Path) -> None:
    limit = 60
    path = nexus(tmp_path / "plane.nxs", np.minimum(PLANE, limit).astype(np.uint16))
    with h5py.File(path, "r+") as file:
        if place == "attribute":
            file["entry/data/data"].attrs["saturation_value"] = limit
        else:
            holder = "entry/data" if place == "group" else "entry/instrument/detector"
            file[f"{holder}/saturation_value"] = limit
    plane = read_plane(path)
    np.testing.assert_array_equal(np.isnan(plane.intensity), limit <= PLANE)
    assert any("saturation value 60" in note for note in plane.notes)


def test_the_saturation_of_a_detector_says_nothing_of_what_was_reduced(tmp_path: Path) -> None:
    path = nexus(tmp_path / "plane.nxs", 1000.5 * PLANE)
    with h5py.File(path, "r+") as file:
        file["entry/instrument/detector/saturation_value"] = 60
    assert np.isfinite(read_plane(path).intensity).all()


@pytest.mark.parametrize(
    ("start", "words"),
    [
        (b"###CBF: VERSION 1.5\r\n\r\ndata_x\r\n", "reconstruct a plane"),
        (b"{\nHeaderID = EH:000001 ;\nDim_1 = 101 ;\n", "reconstruct a plane"),
        (b"\0" * 208 + b"MAP DA\0\0", "gemmi.read_ccp4_map"),
    ],
)
def test_frames_of_detectors_and_maps_are_refused_with_what_helps(start: bytes, words: str, tmp_path: Path) -> None:
    (tmp_path / "frame").write_bytes(start + bytes(range(256)) * 20)
    with pytest.raises(ValueError, match=words):
        read_plane(tmp_path / "frame")


def test_the_advice_for_a_map_gives_the_volume_in_it(tmp_path: Path) -> None:
    ccp4 = gemmi.Ccp4Map()
    volume = np.stack([PLANE, PLANE + 1, PLANE + 2]).astype(np.float32)
    ccp4.grid = gemmi.FloatGrid(np.ascontiguousarray(volume.T))
    ccp4.grid.set_unit_cell(gemmi.UnitCell(10, 10, 7, 90, 90, 90))
    ccp4.grid.spacegroup = gemmi.SpaceGroup("P1")
    ccp4.update_ccp4_header()
    ccp4.write_ccp4_map(str(tmp_path / "volume.ccp4"))
    with pytest.raises(ValueError, match="read_ccp4_map"):
        read_plane(tmp_path / "volume.ccp4")
    np.save(tmp_path / "volume.npy", gemmi.read_ccp4_map(str(tmp_path / "volume.ccp4")).grid.array.T)
    plane = read_plane(tmp_path / "volume.npy", axes="h=-2:2 k=-2:2 l=0:2", plane="hk1")
    np.testing.assert_allclose(plane.intensity, PLANE + 1)
