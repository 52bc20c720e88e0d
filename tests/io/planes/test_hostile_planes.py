"""A header is not believed before the bytes are there, and a damaged file ends in one line."""

import resource
import subprocess
import sys
import time

import h5py
import hdf5plugin
import numpy as np
import pytest
import test_grids_with_limits as grids
import test_npz_axes as archives
import test_pixel_lists as lists
import tifffile

from order_planes import CELL, counted_plane
from unscatter.io import read_plane
from unscatter.io.hdf5 import LARGEST_READ

H, COUNTS = counted_plane(pixels=64)


def write_plane(path, *, group=None, **dataset):
    with h5py.File(path, "w") as file:
        data = file.create_group("entry/data")
        file.attrs["default"], file["entry"].attrs["default"] = "entry", "data"
        data.attrs.update({"NX_class": "NXdata", "signal": "data", "axes": ["k", "h"]} | (group or {}))
        data.create_dataset("data", **({"data": COUNTS} | dataset))
        data["h"], data["k"], data["l"] = H, H, 0.0
        file["entry/sample/unit_cell"] = CELL


def write_huge(path):
    """256 million pixels in 8 kB: nothing was ever written."""
    write_plane(path, data=None, shape=(16000, 16000), dtype="f8", chunks=(64, 64), fillvalue=1.0)


def write_bomb(path):
    """A plane of a few pixels in one chunk that unpacks to gigabytes."""
    with h5py.File(path, "w") as file:
        group = file.create_group("entry/data")
        file.attrs["default"], file["entry"].attrs["default"] = "entry", "data"
        group.attrs.update({"NX_class": "NXdata", "signal": "data", "axes": ["k", "h"]})
        group.create_dataset(
            "data", shape=(8, 8), maxshape=(None, None), chunks=(16384, 16384), dtype="f8", compression="gzip"
        )


def write_huge_axis(path):
    write_plane(path)
    with h5py.File(path, "r+") as file:
        del file["entry/data/h"]
        file["entry/data"].create_dataset("h", shape=(10**9,), dtype="f8", chunks=(1000,))


def write_huge_cell(path):
    write_plane(path)
    with h5py.File(path, "r+") as file:
        del file["entry/sample/unit_cell"]
        file["entry/sample"].create_dataset("unit_cell", shape=(10**9,), dtype="f8", chunks=(1000,))


def write_huge_npy(path):
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "<f8", "fortran_order": False, "shape": (10**5, 10**5)})


def write_huge_tiff(path):
    tifffile.imwrite(path, COUNTS.astype(np.float32), compression="zlib")
    content = bytearray(path.read_bytes())
    # Width and length of the image, tags 256 and 257, as little-endian LONG or SHORT.
    for tag in (b"\x00\x01", b"\x01\x01"):
        place = content.find(tag)
        content[place + 2 : place + 4] = b"\x04\x00"
        content[place + 8 : place + 12] = (200000).to_bytes(4, "little")
    path.write_bytes(content)


def write_text_indices(path):
    write_plane(path, group={"h_indices": "x"})


def write_infinite_scale(path):
    write_plane(path)
    with h5py.File(path, "r+") as file:
        file["entry/data/scaling_factor"] = np.inf


def write_huge_yell(path):
    with h5py.File(path, "w") as file:
        file.create_dataset("data", shape=(10**5, 10**5, 1), dtype="f4", chunks=(64, 64, 1))
        file["step_sizes"], file["lower_limits"] = [0.1, 0.1, 0.1], [0.0, 0.0, 0.0]


HOSTILE = {
    write_huge: r"16000 x 16000, 2.56e\+08 values; at most 16777216 \(4096 x 4096\)",
    write_bomb: "stored in blocks of 16384 x 16384 values",
    write_huge_axis: "dataset h has shape 1000000000",
    write_huge_cell: "dataset unit_cell has shape 1000000000",
    write_huge_npy: "cannot be read",
    write_huge_tiff: "200000 x 200000|cannot be read",
    write_text_indices: "attribute h_indices is 'x'",
    write_infinite_scale: "scaling factor inf",
    write_huge_yell: "100000 x 100000",
}


@pytest.mark.parametrize("write", HOSTILE, ids=lambda write: write.__name__)
def test_refused_in_one_line_without_time_or_memory(tmp_path, write):
    write(tmp_path / "p.h5")
    before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    with pytest.raises(ValueError, match=HOSTILE[write]) as caught:
        read_plane(tmp_path / "p.h5", axes="h=-1:1 k=-1:1 l=0" if write is write_huge_npy else None)
    assert "\n" not in str(caught.value)
    assert "p.h5" in str(caught.value)
    assert time.process_time() - started < 2
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000


def test_the_largest_plane_that_is_read_is_what_the_refusal_says():
    assert LARGEST_READ == 4096 * 4096


def test_a_bad_file_does_not_stop_the_batch(tmp_path, capsys):
    from unscatter.cli.dispatch import main

    write_huge(tmp_path / "a.h5")
    write_plane(tmp_path / "b.h5")
    with pytest.raises(SystemExit) as ended:
        main(["factorize", str(tmp_path / "a.h5"), str(tmp_path / "b.h5"), "--out", str(tmp_path), "--no-picture"])
    assert ended.value.code == 2
    assert (tmp_path / "b.factorized.h5").exists()
    assert "1 of 2 files failed" in capsys.readouterr().err


def damaged(content, seed):
    """A few flipped bits, or an end cut off."""
    rng = np.random.default_rng(seed)
    if seed % 4 == 0:
        return content[: int(rng.integers(len(content)))]
    spoilt = bytearray(content)
    # Headers come first; most of a file is data, which may hold anything.
    for place in rng.integers(0, min(len(content), 3000 if seed % 2 else len(content)), 3):
        spoilt[place] ^= 1 << int(rng.integers(8))
    return bytes(spoilt)


def write_npy(path):
    with path.open("wb") as file:
        np.save(file, COUNTS)


def write_npz(path):
    with path.open("wb") as file:
        np.savez_compressed(file, COUNTS)


def write_text(path):
    np.savetxt(path, COUNTS, fmt="%g", delimiter=",", header="counts")


def write_tiff(path):
    tifffile.imwrite(path, COUNTS.astype(np.float32))


def write_yell(path):
    with h5py.File(path, "w") as file:
        file["data"], file["format"], file["unit_cell"] = COUNTS[:, :, None], "Yell 1.0", CELL
        file["step_sizes"], file["lower_limits"], file["is_direct"] = [0.1, 0.1, 0.1], [-3.2, -3.2, 0.0], 0


def write_nipl(path):
    path.write_bytes(grids.WRITTEN["NIPL"])


def write_surfer_text(path):
    path.write_bytes(grids.WRITTEN["Surfer text"])


def write_surfer_7(path):
    path.write_bytes(grids.WRITTEN["Surfer 7"])


def write_pixels(path):
    path.write_text(lists.LISTS["a level"])


def write_archive(path):
    with path.open("wb") as file:
        np.savez(file, **archives.ARCHIVES["a cell"])


def write_beside(path):
    """A signal with a norm, uncertainties and flags beside it."""
    write_plane(path)
    with h5py.File(path, "r+") as file:
        for name, values in {"norm": COUNTS + 1.0, "data_errors": COUNTS + 1.0, "flags": COUNTS > 1e9}.items():
            file[f"entry/data/{name}"] = values


DAMAGED = (write_plane, write_npy, write_npz, write_text, write_tiff, write_yell, write_nipl, write_surfer_text,
           write_surfer_7, write_pixels, write_archive, write_beside)  # fmt: skip


@pytest.mark.parametrize("write", DAMAGED, ids=lambda write: write.__name__)
@pytest.mark.filterwarnings("ignore")
def test_damage_ends_in_a_plane_or_in_one_line(tmp_path, write):
    write(tmp_path / "p.h5")
    content = (tmp_path / "p.h5").read_bytes()
    for seed in range(150):
        (tmp_path / "p.h5").write_bytes(damaged(content, seed))
        try:
            plane = read_plane(tmp_path / "p.h5")
        except (ValueError, FileNotFoundError) as error:
            assert "\n" not in str(error)  # noqa: PT017  the other outcome is a plane
        else:
            assert np.isfinite(plane.intensity[plane.measured]).all()


FILTERS = {"bitshuffle": hdf5plugin.Bitshuffle(), "Blosc": hdf5plugin.Blosc(), "Zstandard": hdf5plugin.Zstd()}


@pytest.mark.parametrize("name", FILTERS)
def test_filters_of_beamlines_are_read_and_loaded_only_then(tmp_path, name):
    write_plane(tmp_path / "p.h5", compression=FILTERS[name], chunks=(32, 32))
    write_plane(tmp_path / "plain.h5")
    code = (
        "import sys; from unscatter.io import read_plane; read_plane('plain.h5'); "
        "assert 'hdf5plugin' not in sys.modules; print(read_plane('p.h5').intensity.sum())"
    )
    found = subprocess.check_output([sys.executable, "-c", code], cwd=tmp_path)
    assert float(found) == COUNTS.sum()


def test_without_the_plugin_the_message_says_what_to_install(tmp_path, monkeypatch):
    write_plane(tmp_path / "p.h5", compression=hdf5plugin.Blosc2(), chunks=(32, 32))
    monkeypatch.setattr(h5py.h5z, "filter_avail", lambda number: False)
    with pytest.raises(ValueError, match=r'Blosc2 \(HDF5 filter 32026\).*pip install "unscatter\[beamline\]"'):
        read_plane(tmp_path / "p.h5")
