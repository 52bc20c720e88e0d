"""Not measured is not measured, however a file says it, and nothing else is."""

import h5py
import numpy as np
import pytest

from order_planes import counted_plane, strips
from unscatter.io import read_plane
from unscatter.io.planes.missing import Spelling, measured_values

H, COUNTS = counted_plane()
GAP = strips(len(H))


def marked(dtype, mark):
    array = COUNTS.astype(dtype)
    array[GAP] = mark
    return array


SPELLINGS = {
    "largest uint16": marked(np.uint16, 2**16 - 1),
    "largest uint32": marked(np.uint32, 2**32 - 1),
    "largest uint64": marked(np.uint64, 2**64 - 1),
    "largest int32": marked(np.int32, 2**31 - 1),
    "smallest int32": marked(np.int32, -(2**31)),
    "-1": marked(np.int32, -1),
    "-2": marked(np.int16, -2),
    "NaN": marked(np.float32, np.nan),
    "infinite": marked(np.float64, np.inf),
    "netCDF": marked(np.float32, 9.96921e36),
    "1e37": marked(np.float64, 1e37),
    "-1e37": marked(np.float64, -1e37),
    "largest float32": marked(np.float32, np.finfo(np.float32).max),
    "largest uint32 as float": marked(np.float64, 2**32 - 1),
    "largest uint32 as float32": marked(np.float32, 2**32),
    "largest uint16 as int32": marked(np.int32, 2**16 - 1),
}


@pytest.mark.parametrize("name", SPELLINGS)
def test_every_spelling_is_not_measured_and_said(tmp_path, name):
    np.save(tmp_path / "p.npy", SPELLINGS[name])
    plane = read_plane(tmp_path / "p.npy", zeros="measured")
    np.testing.assert_array_equal(plane.measured, ~GAP)
    np.testing.assert_array_equal(plane.intensity[~GAP], COUNTS[~GAP])
    if name not in ("NaN", "infinite"):
        assert any("not measured" in note and f"{100 * GAP.mean():.1f} %" in note for note in plane.notes)


def test_both_marks_of_pilatus_together():
    array = marked(np.int32, -1)
    array[0, :5] = -2
    assert np.isnan(measured_values(array).values).sum() == np.sum(GAP | (array == -2))


def test_noise_of_both_signs_keeps_its_ones_and_twos():
    noise = np.random.default_rng(0).normal(0, 3, (50, 50)).astype(np.int32)
    block = measured_values(noise)
    np.testing.assert_array_equal(block.values, noise)
    assert not block.tally


def test_a_bright_pixel_is_no_fill_value():
    counts = np.array([[3, 5, 40000], [65535, 7, 60000]], dtype=np.uint32)
    assert np.isfinite(measured_values(counts).values).all()


def test_fills_count_before_scaling():
    block = measured_values(np.array([[1, 2, -99]], dtype=np.int16), Spelling((-99.0,), 10.0, 1.0))
    np.testing.assert_array_equal(block.values, [[11.0, 21.0, np.nan]])


def test_missing_is_what_the_reader_says(tmp_path):
    np.save(tmp_path / "p.npy", marked(np.float64, 7.5))
    np.testing.assert_array_equal(read_plane(tmp_path / "p.npy", missing=7.5, zeros="measured").measured, ~GAP)


def nexus(path, layers=0, **extra):
    """An NXdata group with a gap that only what is in `extra` marks; layers > 0 makes it a volume."""
    spoilt = np.where(GAP, 9999.0, COUNTS).astype(np.float32)
    stack = (lambda a: np.stack([a] * layers)) if layers else (lambda a: a)
    with h5py.File(path, "w") as file:
        group = file.create_group("entry/data")
        file.attrs["default"], file["entry"].attrs["default"] = "entry", "data"
        group.attrs.update({"NX_class": "NXdata", "signal": "data", "axes": ["l", "k", "h"] if layers else ["k", "h"]})
        group["data"], group["h"], group["k"] = stack(spoilt), H, H
        group["l"] = np.arange(layers, dtype=float) if layers else 0.0
        for name, value in extra.items():
            if name.startswith("attribute_"):
                group["data"].attrs[name.removeprefix("attribute_")] = value
            else:
                file[name.replace("__", "/")] = stack(value)


#: What marks the gap, in the ways of NeXus and netCDF.
MARKS = {
    "reserved suffix": {"entry__data__data_mask": GAP},
    "mask": {"entry__data__mask": GAP.astype(np.uint8)},
    "named by the signal": {"entry__data__bad": GAP, "attribute_mask": "bad"},
    "bits of a detector": {"entry__instrument__detector__pixel_mask": GAP.astype(np.uint32) << 8},
    "in the group": {"entry__data__pixel_mask": GAP.astype(np.uint32)},
    "what is valid": {"entry__data__valid": ~GAP},
    "broken pixels": {"entry__data__bad_pixels": GAP},
    "_FillValue": {"attribute__FillValue": np.float32(9999)},
    "missing_value": {"attribute_missing_value": 9999.0},
    "without weight": {"entry__data__data_weights": np.where(GAP, 0.0, 1.0)},
}


@pytest.mark.parametrize("layers", [0, 3])
@pytest.mark.parametrize("name", MARKS)
def test_masks_and_fill_values_beside_the_data(tmp_path, name, layers):
    nexus(tmp_path / "p.nxs", layers, **MARKS[name])
    plane = read_plane(tmp_path / "p.nxs", plane="hk1" if layers else None, zeros="measured")
    np.testing.assert_array_equal(plane.measured, ~GAP)
    np.testing.assert_array_equal(plane.intensity[~GAP], COUNTS[~GAP])
    assert any("not measured" in note for note in plane.notes)


def test_one_mask_holds_for_every_layer(tmp_path):
    nexus(tmp_path / "p.nxs", 3)
    with h5py.File(tmp_path / "p.nxs", "r+") as file:
        file["entry/data/data_mask"] = GAP
    plane = read_plane(tmp_path / "p.nxs", plane="hk1", zeros="measured")
    np.testing.assert_array_equal(plane.measured, ~GAP)


def test_the_group_may_name_the_mask(tmp_path):
    nexus(tmp_path / "p.nxs", entry__data__m=GAP)
    with h5py.File(tmp_path / "p.nxs", "r+") as file:
        file["entry/data"].attrs["mask"] = "m"
    np.testing.assert_array_equal(read_plane(tmp_path / "p.nxs", zeros="measured").measured, ~GAP)


def test_other_arrays_of_the_shape_of_the_data_are_told(tmp_path):
    nexus(tmp_path / "p.nxs", entry__data__data_mask=GAP, entry__data__norm=1.0 + GAP)
    assert "norm beside data were not used (--dataset chooses)" in read_plane(tmp_path / "p.nxs").notes


def test_a_mask_of_another_shape_is_refused(tmp_path):
    nexus(tmp_path / "p.nxs", entry__data__bad=GAP[1:], attribute_mask="bad")
    with pytest.raises(ValueError, match=r"mask bad has shape \(100, 101\) and data \(101, 101\)"):
        read_plane(tmp_path / "p.nxs")


def test_weights_divide(tmp_path):
    nexus(tmp_path / "p.nxs", entry__data__data_weights=np.full(GAP.shape, 4.0))
    plane = read_plane(tmp_path / "p.nxs", zeros="measured")
    np.testing.assert_allclose(plane.intensity[~GAP], COUNTS[~GAP] / 4)
