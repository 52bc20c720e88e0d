"""One plane, written in every layout and unit that files use, is the same Plane."""

from dataclasses import dataclass

import h5py
import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st

from order_planes import expected_plane
from unscatter.io import read_plane
from unscatter.nouns.cell import Cell

CELL = Cell(10.0, 12.0, 7.0, 90.0, 90.0, 75.0)
_, SQUARE = expected_plane(50.0, 41)
#: Whole numbers below 30000, so that every type holds them; not square, so that exchanged axes show.
VALUES = np.rint(SQUARE[:33]) + 1
GAP = np.zeros(VALUES.shape, dtype=bool)
GAP[10:14, 5:9] = True
H, K, L = np.linspace(-4, 4, 41), np.linspace(-4, 2.4, 33), 2.0
AXES = "h=-4:4 k=-4:2.4 l=2"


@dataclass(frozen=True)
class Layout:
    """How a plane is written."""

    exchanged: bool
    turned: tuple[bool, bool]
    unit: str
    edges: bool
    scaling: str
    gap: str
    cell: str
    names: tuple[str, str, str]
    level: str


LAYOUTS = st.builds(
    Layout,
    exchanged=st.booleans(),
    turned=st.tuples(st.booleans(), st.booleans()),
    unit=st.sampled_from(["", "r.l.u.", "in 1.22 A^-1", "1/angstrom", "nm^-1"]),
    edges=st.booleans(),
    scaling=st.sampled_from(["", "nexus", "nexus-name", "cf"]),
    gap=st.sampled_from(["nan", "mask", "fill", "-1"]),
    cell=st.sampled_from(["A", "nm", "pm", "rad", "apart"]),
    names=st.sampled_from(["hkl", "HKL", ("Qh", "Qk", "Ql"), ("[H,0,0]", "[0,K,0]", "L")]).map(tuple),
    level=st.sampled_from(["scalar", "edges", "--axes"]),
)


def as_stored(layout, array):
    array = array[:: -1 if layout.turned[0] else 1, :: -1 if layout.turned[1] else 1]
    return array.T if layout.exchanged else array


def axis_values(layout, values, turned, direction):
    """Values as stored: in the unit, as edges, decreasing."""
    if layout.edges:
        step = values[1] - values[0]
        values = np.append(values - step / 2, values[-1] + step / 2)
    length = np.linalg.norm(np.array(direction) @ CELL.reciprocal)
    factor = {"1/angstrom": length, "nm^-1": 10 * length}.get(layout.unit, 1.0)
    return (factor * values)[:: -1 if turned else 1]


def intensities(layout):
    """Numbers as stored, and what is written beside them."""
    extra, attributes = {}, {}
    if layout.scaling in ("nexus", "nexus-name"):
        stem = "data_" if layout.scaling == "nexus-name" else ""
        numbers, extra = 2 * VALUES + 5, {f"{stem}scaling_factor": 0.5, f"{stem}offset": -5.0}
    elif layout.scaling == "cf":
        numbers, attributes = (VALUES + 3) * 4, {"scale_factor": 0.25, "add_offset": -3.0}
    else:
        numbers = VALUES.copy()
    if layout.gap == "mask":
        extra["data_mask"] = as_stored(layout, GAP)
    mark = {"nan": np.nan, "mask": 7.0, "fill": 123.0, "-1": -1.0}[layout.gap]
    if layout.gap == "fill":
        attributes["_FillValue"] = mark = 31234.0
    numbers = np.where(GAP, mark, numbers).astype(np.int32 if layout.gap == "-1" else np.float64)
    return as_stored(layout, numbers), extra, attributes


def write_cell(file, layout):
    sample = file.create_group("entry/sample")
    edges, angles = np.array(CELL.parameters[:3]), np.array(CELL.parameters[3:])
    length = {"nm": 0.1, "pm": 100.0}.get(layout.cell, 1.0)
    if layout.cell in ("rad", "apart"):
        sample["unit_cell_abc"] = edges
        sample["unit_cell_alphabetagamma"] = np.radians(angles) if layout.cell == "rad" else angles
        if layout.cell == "rad":
            sample["unit_cell_alphabetagamma"].attrs["units"] = "rad"
    else:
        sample["unit_cell"] = np.concatenate([edges * length, angles])
        if layout.cell != "A":
            sample["unit_cell"].attrs["units"] = layout.cell


def write_nexus(path, layout):
    numbers, extra, attributes = intensities(layout)
    h, k, l = layout.names  # noqa: E741
    with h5py.File(path, "w") as file:
        group = file.create_group("entry/data")
        names = [h, k] if layout.exchanged else [k, h]
        group.attrs.update({"NX_class": "NXdata", "signal": "data", "axes": names})
        group["data"] = numbers
        group["data"].attrs.update(attributes)
        for name, value in extra.items():
            group[name] = value
        for name, values, turned, direction in (
            (k, K, layout.turned[0], (0, 1, 0)),
            (h, H, layout.turned[1], (1, 0, 0)),
        ):
            group[name] = axis_values(layout, values, turned, direction)
            if layout.unit:
                group[name].attrs["units"] = layout.unit
        if layout.level != "--axes":
            group[l] = L if layout.level == "scalar" else [L - 0.1, L + 0.1]
        write_cell(file, layout)


def same(plane, exact=True):
    expected = np.where(GAP, np.nan, VALUES)
    np.testing.assert_allclose(plane.intensity, expected, rtol=1e-6)
    np.testing.assert_allclose(plane.axes.x, H, atol=1e-9)
    np.testing.assert_allclose(plane.axes.y, K, atol=1e-9)
    np.testing.assert_allclose(plane.axes.hkl()[3, 5], [H[5], K[3], L], atol=1e-9)
    assert plane.cell.parameters == pytest.approx(CELL.parameters)


@settings(max_examples=120, deadline=None)
@given(layout=LAYOUTS)
def test_nexus(tmp_path_factory, layout):
    path = tmp_path_factory.mktemp("n") / "p.nxs"
    write_nexus(path, layout)
    same(read_plane(path, axes="l=2" if layout.level == "--axes" else None))


@pytest.mark.parametrize("exchanged", [False, True])
@pytest.mark.parametrize("axes", [AXES, "k=-4:2.4 h=-4:4 l=2"])
def test_ranges_go_by_the_names_of_the_file(tmp_path, exchanged, axes):
    layout = Layout(exchanged, (False, False), "", False, "", "nan", "A", ("H", "K", "L"), "--axes")
    write_nexus(tmp_path / "p.nxs", layout)
    same(read_plane(tmp_path / "p.nxs", axes=axes, cell=CELL))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("white", [False, True])
def test_tiff(tmp_path, orientation, white):
    flips = {1: (1, 1), 2: (1, -1), 3: (-1, -1), 4: (-1, 1), 5: (1, 1), 6: (1, -1), 7: (-1, -1), 8: (-1, 1)}
    rows, columns = flips[orientation]
    stored = np.where(GAP, 65535, VALUES).astype(np.uint16)[::rows, ::columns]
    stored = np.ascontiguousarray(stored if orientation < 5 else stored.T)
    stored = 65535 - stored if white else stored
    tag = [(274, "H", 1, orientation, True)]
    with tifffile.TiffWriter(tmp_path / "p.tif") as file:
        # A thumbnail comes first in what many programs write.
        file.write(stored[::8, ::8], photometric="miniswhite" if white else "minisblack")
        file.write(stored, photometric="miniswhite" if white else "minisblack", extratags=tag)
    same(read_plane(tmp_path / "p.tif", axes=AXES, cell=CELL))


#: [h, k, l] of a volume whose layer l = 2 is the plane.
CUBE = np.stack([VALUES.T + 5 * (layer - 2) for layer in range(4)], axis=2)
SPOILT = np.where(GAP.T[:, :, None] & (np.arange(4) == 2), np.nan, CUBE)


@pytest.mark.parametrize("order", ["hkl", "lkh", "klh", "hlk"])
@pytest.mark.parametrize("turned", [False, True])
def test_volumes_in_any_order(tmp_path, order, turned):
    places = ["hkl".index(letter) for letter in order]
    data = SPOILT.transpose(places)[:: -1 if turned else 1]
    axes = {"h": H, "k": K, "l": np.arange(4.0)}
    with h5py.File(tmp_path / "v.nxs", "w") as file:
        group = file.create_group("entry/data")
        group.attrs.update({"NX_class": "NXdata", "signal": "data", "axes": [f"Q{letter}" for letter in order]})
        group["data"] = data
        for letter, values in axes.items():
            group[f"Q{letter}"] = values[::-1] if turned and letter == order[0] else values
    same(read_plane(tmp_path / "v.nxs", plane="hk2", cell=CELL))
    if not turned:
        np.save(tmp_path / "v.npy", data)
        ranges = {letter: f"{letter}={values[0]:g}:{values[-1]:g}" for letter, values in axes.items()}
        text = " ".join(ranges[letter] for letter in order[::-1])
        same(read_plane(tmp_path / "v.npy", plane="hk2", axes=text, cell=CELL))
        same(read_plane(data, plane="hk2", axes=text, cell=CELL))


def write_mantid(path, names, labels, data, edges, normalization=0):
    with h5py.File(path, "w") as file:
        work = file.create_group("MDHistoWorkspace")
        work["visual_normalization"] = normalization
        group = work.create_group("data")
        events = np.where(np.isfinite(data), 3.0, 0.0)
        group["signal"] = np.nan_to_num(data) * (3.0 if normalization == 2 else 1.0)
        group["num_events"], group["mask"] = events, np.zeros(data.shape, np.int8)
        group["signal"].attrs["axes"] = ":".join(names)
        for name, label, values in zip(names, labels, edges, strict=True):
            group[name] = values
            group[name].attrs["long_name"] = label
        lattice = work.create_group("experiment0/sample/oriented_lattice")
        for name, value in zip(("a", "b", "c", "alpha", "beta", "gamma"), CELL.parameters, strict=True):
            lattice[f"unit_cell_{name}"] = value


def edges_of(values):
    step = values[1] - values[0]
    return np.append(values - step / 2, values[-1] + step / 2)


@pytest.mark.parametrize("normalization", [0, 1, 2])
def test_mantid_with_directions_as_names(tmp_path, normalization):
    """Dimensions called [0,0,5L] hold commas, and count steps of 5 l."""
    labels = ("[0,0,5L]", "[0,K,0]", "[H,0,0]")
    data = SPOILT.transpose(2, 1, 0)
    axes = (edges_of(np.arange(4.0) / 5), edges_of(K), edges_of(H))
    write_mantid(tmp_path / "m.nxs", labels, labels, data, axes, normalization)
    same(read_plane(tmp_path / "m.nxs", plane="hk2"))


def test_mantid_of_two_dimensions(tmp_path):
    labels = ("[0,K,0]", "[H,0,0]")
    write_mantid(tmp_path / "m.nxs", ("D1", "D0"), labels, SPOILT[:, :, 2].T, (edges_of(K), edges_of(H)))
    same(read_plane(tmp_path / "m.nxs", axes="l=2"))
    assert "l = 0 was assumed" in read_plane(tmp_path / "m.nxs").notes[-1]


def test_mantid_refuses_a_normalization_that_it_does_not_know(tmp_path):
    write_mantid(tmp_path / "m.nxs", ("D1", "D0"), ("[0,K,0]", "[H,0,0]"), VALUES, (edges_of(K), edges_of(H)), 7)
    with pytest.raises(ValueError, match="visual_normalization = 7"):
        read_plane(tmp_path / "m.nxs")


def test_axes_without_crystal_names_are_named_as_the_refusal_says(tmp_path):
    with h5py.File(tmp_path / "q.nxs", "w") as file:
        group = file.create_group("entry/data")
        group.attrs.update({"NX_class": "NXdata", "signal": "data", "axes": ["Q3", "Q2", "Q1"]})
        group["data"] = SPOILT.transpose(2, 1, 0)
        group["Q1"], group["Q2"], group["Q3"] = H, K, np.arange(4.0)
    with pytest.raises(ValueError, match="axes Q3, Q2, Q1 do not span h, k, l") as caught:
        read_plane(tmp_path / "q.nxs", plane="hk2")
    advice = str(caught.value).split('--axes "')[1].split('"')[0]
    assert advice == "h=Q1 k=Q2 l=Q3"
    same(read_plane(tmp_path / "q.nxs", plane="hk2", axes=advice, cell=CELL))


def test_axes_in_inverse_angstrom_without_a_cell_ask_for_it(tmp_path):
    layout = Layout(False, (False, False), "1/angstrom", False, "", "nan", "A", ("h", "k", "l"), "scalar")
    write_nexus(tmp_path / "p.nxs", layout)
    with h5py.File(tmp_path / "p.nxs", "r+") as file:
        del file["entry/sample"]
    with pytest.raises(ValueError, match=r"axis k is in '1/angstrom' and no cell is known.*--cell"):
        read_plane(tmp_path / "p.nxs")
    same(read_plane(tmp_path / "p.nxs", cell=CELL))


def test_a_unit_that_is_none_is_refused(tmp_path):
    layout = Layout(False, (False, False), "furlong", False, "", "nan", "A", ("h", "k", "l"), "scalar")
    write_nexus(tmp_path / "p.nxs", layout)
    with pytest.raises(ValueError, match="axis k is in 'furlong'"):
        read_plane(tmp_path / "p.nxs")
    same(read_plane(tmp_path / "p.nxs", axes=AXES))


def test_angles_without_a_unit_that_can_only_be_radians(tmp_path):
    layout = Layout(False, (False, False), "", False, "", "nan", "rad", ("h", "k", "l"), "scalar")
    write_nexus(tmp_path / "p.nxs", layout)
    with h5py.File(tmp_path / "p.nxs", "r+") as file:
        del file["entry/sample/unit_cell_alphabetagamma"].attrs["units"]
    plane = read_plane(tmp_path / "p.nxs")
    same(plane)
    assert any("taken as radians" in note for note in plane.notes)


def test_planes_of_the_published_network(tmp_path):
    scaled = np.where(GAP, -1.0, 2 * VALUES / (2 * VALUES.max()) - 0.5)
    np.save(tmp_path / "p.npy", scaled.astype(np.float32))
    with pytest.raises(ValueError, match="type --values published"):
        read_plane(tmp_path / "p.npy")
    plane = read_plane(tmp_path / "p.npy", values="published")
    np.testing.assert_array_equal(plane.measured, ~GAP)
    np.testing.assert_allclose(plane.intensity[~GAP], (scaled[~GAP] + 1) / 2, rtol=1e-6)
    with pytest.raises(ValueError, match="leave out --values published"):
        read_plane(VALUES, values="published")
