"""Every layout, written small, is found by content and read with the right values, axes, cell and gaps."""

import json

import h5py
import numpy as np
import pytest
import tifffile

from unscatter.io import read_diffraction, read_plane
from unscatter.nouns.cell import Cell
from unscatter.nouns.plane import Plane
from unscatter.nouns.volume import Volume

CELL = (14.1, 14.1, 6.9, 90.0, 90.0, 120.0)
H, K, L = np.linspace(-2, 2, 9), np.linspace(-1.5, 1.5, 7), np.linspace(-1, 1, 5)


def linear(h, k, l):  # noqa: E741
    return 100 + 7 * h + 3 * k + 11 * l


#: [h, k, l], nowhere zero.
VALUES = linear(*np.meshgrid(H, K, L, indexing="ij"))
GAP = (2, 3, 4)


def write_yell(path, gap=np.nan, **extra):
    data = VALUES.copy()
    data[GAP] = gap
    items = {"format": "Yell 1.0", "is_direct": False, "unit_cell": CELL, "step_sizes": [0.5, 0.5, 0.5]}
    with h5py.File(path, "w") as file:
        for name, value in (items | {"data": data, "lower_limits": [-2, -1.5, -1]} | extra).items():
            if value is not None:
                file[name] = value


def write_yell_zero_gap(path):
    write_yell(path, gap=0.0)


def write_discus(path):
    steps = {f"step_sizes_{name}": row for name, row in zip(("abs", "ord", "top"), np.eye(3) / 2, strict=True)}
    write_yell(path, format=np.bytes_("Yell 1.0"), PROGRAM="DISCUS", **steps)


def write_meerkat(path):
    count = np.full(VALUES.shape, 4)
    count[GAP] = 0
    with h5py.File(path, "w") as file:
        file["rebinned_data"] = VALUES * count
        file["number_of_pixels_rebinned"] = count
        file["maxind"] = [2.0, 1.5, 1.0]
        file["number_of_pixels"] = VALUES.shape
        file["step_size"] = [0.5, 0.5, 0.5]
        file["unit_cell"] = CELL
        file["is_direct"] = False


def edges(values):
    step = values[1] - values[0]
    return np.append(values - step / 2, values[-1] + step / 2)


def write_mantid(path, names=("D0", "D1", "D2"), labels=("[H,0,0]", "[0,K,0]", "[0,0,L]"), energy=False):
    shape = VALUES.T.shape
    events = np.full(shape, 9.0)
    events[GAP[::-1]] = 0
    arrays = {
        "signal": VALUES.T,
        "errors_squared": VALUES.T,
        "num_events": events,
        "mask": np.zeros(shape, np.int8),
    }
    with h5py.File(path, "w") as file:
        work = file.create_group("MDHistoWorkspace")
        work.attrs["SaveMDVersion"] = 2
        data = work.create_group("data")
        for name, array in arrays.items():
            data[name] = array[None] if energy else array
        order = [*(["D3"] if energy else []), *reversed(names)]
        data["signal"].attrs["axes"] = ":".join(order)
        if energy:
            data["D3"] = [-1.0, 1.0]
            data["D3"].attrs["long_name"] = "DeltaE"
        for name, label, values in zip(names, labels, (H, K, L), strict=True):
            data[name] = edges(values)
            data[name].attrs.update({"long_name": label, "units": "in 1.22 A^-1", "frame": "HKL"})
        lattice = work.create_group("experiment0/sample/oriented_lattice")
        for name, value in zip(("a", "b", "c", "alpha", "beta", "gamma"), CELL, strict=True):
            lattice[f"unit_cell_{name}"] = [value]


def write_mantid_q(path):
    write_mantid(path, names=("Q1", "Q2", "Q3"))


def write_mantid_energy(path):
    write_mantid(path, energy=True)


def write_nxrefine(path):
    data = VALUES.T.copy()
    data[GAP[::-1]] = np.nan
    with h5py.File(path.with_name("transform.nxs"), "w") as file:
        file["entry/data/v"] = data.astype(np.float32)
    with h5py.File(path, "w") as file:
        entry = file.create_group("entry")
        entry.attrs["NX_class"] = "NXentry"
        for name in ("transform", "symm_transform"):
            group = entry.create_group(name)
            group.attrs.update({"NX_class": "NXdata", "signal": "data", "axes": ["Ql", "Qk", "Qh"]})
            group["data"] = h5py.ExternalLink("transform.nxs", "/entry/data/v")
            for axis, values in (("Qh", H), ("Qk", K), ("Ql", L)):
                group[axis] = values.astype(np.float32)
        sample = entry.create_group("sample")
        for name, value in zip(("a", "b", "c", "alpha", "beta", "gamma"), CELL, strict=True):
            sample[f"unitcell_{name}"] = value


def write_disorder(path, space="reciprocal"):
    data = VALUES.copy()
    data[GAP] = np.nan
    with h5py.File(path, "w") as file:
        file.attrs.update({"format": "Disorder scattering 1.0", "default": "scattering"})
        entry = file.create_group("scattering")
        entry.attrs.update({"NX_class": "NXentry", "default": "data"})
        group = entry.create_group("data")
        group.attrs.update({"NX_class": "NXdata", "signal": "data", "axes": ["h", "k", "l"], "space": space})
        group["data"], group["unit_cell"] = data, CELL
        for place, (axis, values) in enumerate((("h", H), ("k", K), ("l", L))):
            group[axis], group.attrs[f"{axis}_indices"] = values, place


WRITERS = [
    write_yell,
    write_yell_zero_gap,
    write_discus,
    write_meerkat,
    write_mantid,
    write_mantid_q,
    write_mantid_energy,
    write_nxrefine,
    write_disorder,
]


@pytest.mark.parametrize("write", WRITERS)
def test_volume_by_content(tmp_path, write):
    path = tmp_path / "lies.npy"
    write(path)
    volume = read_diffraction(path)
    assert isinstance(volume, Volume)
    assert volume.cell is not None
    assert volume.cell.parameters == pytest.approx(CELL)
    for found, expected in ((volume.h, H), (volume.k, K), (volume.l, L)):
        np.testing.assert_allclose(found, expected, atol=1e-7)
    values = np.asarray(volume.intensity)
    expected = VALUES.T.copy()
    expected[GAP[::-1]] = 0.0 if write is write_yell_zero_gap else np.nan
    np.testing.assert_allclose(values, expected, rtol=1e-6)
    assert volume.intensity.shape == values.shape == (5, 7, 9)
    np.testing.assert_array_equal(volume.intensity[1:3, 2:4, 5:6], values[1:3, 2:4, 5:6])


@pytest.mark.parametrize("write", WRITERS)
def test_plane_has_axes_and_gap(tmp_path, write):
    path = tmp_path / "volume.h5"
    write(path)
    plane = read_plane(path, plane="hk1")
    expected = VALUES[:, :, 4].T.copy()
    expected[3, 2] = np.nan
    np.testing.assert_allclose(plane.intensity, expected, rtol=1e-6)
    np.testing.assert_allclose(plane.axes.x, H, atol=1e-6)
    np.testing.assert_allclose(plane.axes.y, K, atol=1e-6)
    assert plane.axes.name() == "hk1"
    assert plane.lattice_known
    assert plane.source == str(path)


def test_mantid_measured_zero_is_not_a_gap(tmp_path):
    path = tmp_path / "m.nxs"
    write_mantid(path)
    with h5py.File(path, "r+") as file:
        file["MDHistoWorkspace/data/signal"][4, 0, 0] = 0.0
        file["MDHistoWorkspace/data/mask"][4, 1, 1] = 1
    plane = read_plane(path, plane="hk1")
    assert plane.intensity[0, 0] == 0.0
    assert np.isnan(plane.intensity[1, 1])


def test_mantid_projections_become_a_basis(tmp_path):
    path = tmp_path / "m.nxs"
    write_mantid(path, labels=("[H,H,0]", "[H,-H,0]", "[0,0,L]"))
    volume = read_diffraction(path)
    np.testing.assert_array_equal(volume.basis, [[1, 1, 0], [1, -1, 0], [0, 0, 1]])
    plane = read_plane(path, plane="hhl")
    np.testing.assert_allclose(plane.axes.x, H, atol=1e-12)
    # VALUES is linear in the coordinates along the axes, whatever their directions.
    expected = linear(H[None], 0, L[:, None])
    expected[GAP[2], GAP[0]] = np.nan
    np.testing.assert_allclose(plane.intensity, expected)


def test_mantid_in_laboratory_frame_is_refused(tmp_path):
    write_mantid(tmp_path / "m.nxs", labels=("Q_sample_x", "Q_sample_y", "Q_sample_z"))
    with pytest.raises(ValueError, match=r"Q_sample_z.*do not span h, k, l"):
        read_diffraction(tmp_path / "m.nxs")


def test_yell_even_grid_has_its_origin_at_half(tmp_path):
    write_yell(tmp_path / "y.h5", data=np.ones((8, 6, 4)), lower_limits=None)
    volume = read_diffraction(tmp_path / "y.h5")
    assert volume.h[4] == volume.k[3] == volume.l[2] == 0
    assert volume.h[0] == -2


def test_yell_flat_volume_is_a_plane(tmp_path):
    write_yell(tmp_path / "y.h5", data=VALUES[:, :, :1], lower_limits=[-2, -1.5, 0.5])
    plane = read_plane(tmp_path / "y.h5")
    assert plane.axes.name() == "hk0.5"
    np.testing.assert_allclose(plane.intensity, VALUES[:, :, 0].T)


@pytest.mark.parametrize("flag", [1, 256])
def test_yell_direct_space_is_refused(tmp_path, flag):
    write_yell(tmp_path / "y.h5", is_direct=flag)
    with pytest.raises(ValueError, match="direct space"):
        read_diffraction(tmp_path / "y.h5")


def test_yell_placeholder_cell_is_none(tmp_path):
    write_yell(tmp_path / "y.h5", unit_cell=(1, 1, 1, 90, 90, 90))
    assert read_diffraction(tmp_path / "y.h5").cell is None
    assert read_plane(tmp_path / "y.h5", plane="hk1", cell=Cell(*CELL)).cell == Cell(*CELL)


def test_historical_yell_without_grid_says_what_is_missing(tmp_path):
    with h5py.File(tmp_path / "y.h5", "w") as file:
        file.attrs["filetype"] = "Yell 1.0"
        file["data"] = VALUES
    with pytest.raises(ValueError, match="step_sizes"):
        read_diffraction(tmp_path / "y.h5")


@pytest.mark.parametrize("step", [0.0, np.nan, np.inf])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_impossible_steps_are_refused(tmp_path, step):
    write_yell(tmp_path / "y.h5", step_sizes=[0.5, step, 0.5])
    with pytest.raises(ValueError, match="axis k does not run in even steps"):
        read_diffraction(tmp_path / "y.h5")


def test_disorder_pdf_is_refused(tmp_path):
    write_disorder(tmp_path / "d.h5", space="direct")
    with pytest.raises(ValueError, match="direct space"):
        read_diffraction(tmp_path / "d.h5")


def write_generic(path, **attributes):
    with h5py.File(path, "w") as file:
        group = file.create_group("entry/cut")
        file.attrs["default"], file["entry"].attrs["default"] = "entry", "cut"
        group.attrs.update({"NX_class": "NXdata", "signal": "counts", "axes": ["Qk", "Qh"]} | attributes)
        group["counts"], group["Qh"], group["Qk"] = VALUES[:, :, 0].T, H, edges(K)
        file["entry/other"] = VALUES[:, :, 1].T
        file["entry/title"] = "KDP at 5 K"


def test_generic_nexus_plane(tmp_path):
    write_generic(tmp_path / "p.nxs", origin=[0, 0, 1])
    plane = read_plane(tmp_path / "p.nxs")
    assert plane.axes.name() == "hk1"
    assert plane.title == "KDP at 5 K"
    np.testing.assert_allclose(plane.axes.y, K)
    np.testing.assert_allclose(plane.intensity, VALUES[:, :, 0].T)


def test_generic_nexus_plane_without_a_level_says_which_was_assumed(tmp_path):
    write_generic(tmp_path / "p.nxs")
    plane = read_plane(tmp_path / "p.nxs")
    assert plane.axes.name() == "hk0"
    assert plane.notes == ("l is not in the file: l = 0 was assumed (overrule with --axes l=1)",)
    for axes in ("l=1", "h=-2:2 k=-1.5:1.5 l=1", "k=-1.5:1.5 h=-2:2 l=1"):
        given = read_plane(tmp_path / "p.nxs", axes=axes)
        assert given.axes.name() == "hk1"
        assert given.notes == ()
        np.testing.assert_allclose(given.axes.x, H)


@pytest.mark.parametrize(("name", "layer"), [("entry/cut", 0), ("/entry/cut/counts", 0), ("entry/other", 1)])
def test_dataset_is_chosen_by_name(tmp_path, name, layer):
    write_generic(tmp_path / "p.nxs")
    np.testing.assert_allclose(read_plane(tmp_path / "p.nxs", dataset=name).intensity, VALUES[:, :, layer].T)


@pytest.mark.parametrize(
    ("name", "message"),
    [("entry/none", "has no entry/none; it holds entry/cut"), ("entry", "group without NXdata")],
)
def test_wrong_dataset(tmp_path, name, message):
    write_generic(tmp_path / "p.nxs")
    with pytest.raises(ValueError, match=message):
        read_plane(tmp_path / "p.nxs", dataset=name)


def test_two_groups_without_default_are_listed(tmp_path):
    write_generic(tmp_path / "p.nxs")
    with h5py.File(tmp_path / "p.nxs", "r+") as file:
        del file.attrs["default"]
        file.copy("entry/cut", "entry/second")
    with pytest.raises(ValueError, match=r"entry/cut, entry/second: choose for example --dataset"):
        read_plane(tmp_path / "p.nxs")


def test_default_that_leads_in_a_circle_is_not_followed(tmp_path):
    write_generic(tmp_path / "p.nxs")
    with h5py.File(tmp_path / "p.nxs", "r+") as file:
        file["entry/loop"] = h5py.SoftLink("/entry")
        file["entry"].attrs["default"] = "loop"
    np.testing.assert_allclose(read_diffraction(tmp_path / "p.nxs").intensity, VALUES[:, :, 0].T)


def test_npy_and_tiff(tmp_path):
    image = VALUES[:, :, 0].T
    np.save(tmp_path / "a.npy", image)
    (tmp_path / "a.npy").rename(tmp_path / "a.tif")
    tifffile.imwrite(tmp_path / "b.npy", image.astype(np.float32))
    for name in ("a.tif", "b.npy"):
        plane = read_plane(tmp_path / name, axes="h=-2:2 k=-1.5:1.5 l=-1", cell=Cell(*CELL))
        assert isinstance(plane, Plane)
        np.testing.assert_allclose(plane.intensity, image, rtol=1e-6)
        np.testing.assert_allclose(plane.axes.hkl()[-1, 0], [-2, 1.5, -1])


def write_text(path):
    path.write_text("1.0 2.0 3.0\n")


def write_jpeg(path):
    path.write_bytes(b"\xff\xd8\xff\xe0" + bytes(200))


def write_empty(path):
    path.write_bytes(b"")


def write_truncated(path):
    write_yell(path)
    path.write_bytes(path.read_bytes()[:-500])


def write_hdf5_of_else(path):
    with h5py.File(path, "w") as file:
        file["something"] = 1


def write_pickle(path):
    np.save(path.with_suffix(".npy"), np.array([[{}, {}]], dtype=object), allow_pickle=True)
    path.with_suffix(".npy").rename(path)


def write_short_npy(path):
    np.save(path.with_suffix(".npy"), np.ones((50, 50)))
    path.write_bytes(path.with_suffix(".npy").read_bytes()[:500])


def write_cube(path):
    np.save(path.with_suffix(".npy"), VALUES)
    path.with_suffix(".npy").rename(path)


def write_complex(path):
    np.save(path.with_suffix(".npy"), np.ones((4, 4), dtype=complex))
    path.with_suffix(".npy").rename(path)


def write_colours(path):
    tifffile.imwrite(path, np.ones((8, 8, 3), np.uint8), photometric="rgb")


def write_short_tiff(path):
    path.write_bytes(b"II*\x00\x08\x00\x00\x00\x99")


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (
            write_text,
            r"table of 3 columns .* no even grid; expected a list h k I .* powder pattern is for unscatter classify",
        ),
        (write_jpeg, "is a JPEG picture; expected"),
        (write_empty, r"is an empty file; expected .* copy the file again"),
        (write_truncated, r"truncated.*copy it again"),
        (write_hdf5_of_else, r"HDF5 file of an unknown layout.*something.*--dataset"),
        (write_pickle, "cannot be read"),
        (write_short_npy, "cannot be read"),
        (write_cube, r"shape \(9, 7, 5\); expected a plane .* or a volume"),
        (write_complex, "complex128 where real numbers"),
        (write_colours, "expected one grey image"),
        (write_short_tiff, "TIFF file that cannot be read"),
    ],
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_bad_files_say_what_was_seen_in_one_line(tmp_path, write, message):
    path = tmp_path / "plane.h5"
    write(path)
    with pytest.raises(ValueError, match=message) as caught:
        read_plane(path)
    assert "\n" not in str(caught.value)
    assert "plane.h5" in str(caught.value)


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match="no such file"):
        read_plane(tmp_path / "none.h5")
    with pytest.raises(ValueError, match="is a folder"):
        read_plane(tmp_path)


def test_external_links_stay_in_their_folder(tmp_path):
    (tmp_path / "in").mkdir()
    write_nxrefine(tmp_path / "in" / "v.nxs")
    (tmp_path / "in" / "transform.nxs").rename(tmp_path / "transform.nxs")
    (tmp_path / "in" / "transform.nxs").symlink_to(tmp_path / "transform.nxs")
    with pytest.raises(ValueError, match="outside its own folder"):
        read_plane(tmp_path / "in" / "v.nxs", plane="hk0")
    (tmp_path / "in" / "transform.nxs").unlink()
    with pytest.raises(FileNotFoundError, match=r"transform\.nxs"):
        read_plane(tmp_path / "in" / "v.nxs", plane="hk0")


def test_soft_links_do_not_hide_external_ones(tmp_path):
    (tmp_path / "in").mkdir()
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["data"] = VALUES[:, :, 0]
    with h5py.File(tmp_path / "in" / "v.h5", "w") as file:
        file["far"] = h5py.ExternalLink("../secret.h5", "/")
        file["near"] = h5py.SoftLink("/far/data")
        file["circle"] = h5py.SoftLink("/circle")
    with pytest.raises(ValueError, match="outside its own folder"):
        read_plane(tmp_path / "in" / "v.h5", dataset="near")
    with pytest.raises(ValueError, match="in a circle"):
        read_plane(tmp_path / "in" / "v.h5", dataset="circle")


def test_external_storage_is_refused(tmp_path):
    (tmp_path / "secret.bin").write_bytes(bytes(128))
    with h5py.File(tmp_path / "v.h5", "w") as file:
        file.create_dataset("data", (4, 4), "f8", external=[(str(tmp_path / "secret.bin"), 0, 128)])
    with pytest.raises(ValueError, match="other files"):
        read_plane(tmp_path / "v.h5", dataset="data")


@pytest.mark.parametrize("write", [write_yell, write_meerkat, write_mantid, write_disorder])
def test_truncated_anywhere(tmp_path, write):
    write(tmp_path / "v.h5")
    whole = (tmp_path / "v.h5").read_bytes()
    for length in range(16, len(whole), len(whole) // 10):
        (tmp_path / "v.h5").write_bytes(whole[:length])
        with pytest.raises(ValueError, match="copy it again"):
            read_plane(tmp_path / "v.h5", plane="hk1")


def test_damaged_compressed_data(tmp_path):
    with h5py.File(tmp_path / "v.h5", "w") as file:
        data = file.create_dataset("data", data=np.random.default_rng(0).random((50, 50)), compression="gzip")
        place = data.id.get_chunk_info(0).byte_offset
    content = bytearray((tmp_path / "v.h5").read_bytes())
    content[place : place + 50] = bytes(50)
    (tmp_path / "v.h5").write_bytes(content)
    with pytest.raises(ValueError, match="it is damaged"):
        read_plane(tmp_path / "v.h5", dataset="data")


def test_import_is_light():
    import subprocess
    import sys

    code = (
        "import sys, json, unscatter.io.planes.read; "
        "print(json.dumps([m for m in ('h5py', 'tifffile', 'scipy', 'torch') if m in sys.modules]))"
    )
    assert json.loads(subprocess.check_output([sys.executable, "-c", code])) == []
