"""What a refusal says to type, typed literally, reads the right plane."""

import re
import shlex

import h5py
import numpy as np
import pytest
import tifffile

from order_planes import CELL, counted_plane, strips
from unscatter.io import read_plane
from unscatter.nouns.cell import Cell

H, COUNTS = counted_plane(pixels=41)
GAP = strips(len(H), 3)


def follow(path, message, option, **given):
    """Read a file again with the first use of an option in a message."""
    found = re.search(rf"--{option} (\"[^\"]*\"|\S+)", message)
    assert found, f"--{option} is not in: {message}"
    value = shlex.split(found[1])[0].rstrip(",;:)")
    return read_plane(path, **(given | {option: float(value) if option == "missing" else value}))


def refusal(path, **given):
    with pytest.raises(ValueError) as caught:  # noqa: PT011  what it says is what is tested
        read_plane(path, **given)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    return message


def write_group(file, name, data, axes, **extra):
    group = file.create_group(name)
    group.attrs.update({"NX_class": "NXdata", "signal": "data", "axes": list(axes)})
    group["data"] = data
    for key, value in (axes | extra).items():
        group[key] = value


def test_a_volume_names_a_plane(tmp_path):
    with h5py.File(tmp_path / "v.nxs", "w") as file:
        write_group(file, "entry/data", np.stack([COUNTS + 1, COUNTS]), {"l": [0.0, 1.0], "k": H, "h": H})
    plane = follow(tmp_path / "v.nxs", refusal(tmp_path / "v.nxs"), "plane")
    np.testing.assert_array_equal(plane.intensity, COUNTS)


def test_an_array_of_three_axes_is_given_ranges(tmp_path):
    np.save(tmp_path / "v.npy", np.stack([COUNTS + 1] * 2 + [COUNTS] + [COUNTS + 1] * 2))
    message = refusal(tmp_path / "v.npy")
    plane = follow(tmp_path / "v.npy", message, "axes", plane=re.search(r"--plane (\w+)", message)[1])
    np.testing.assert_array_equal(plane.intensity, COUNTS)
    assert plane.axes.name() == "hk0"


def test_pages_are_chosen(tmp_path):
    tifffile.imwrite(tmp_path / "s.tif", np.stack([COUNTS, COUNTS + 1]).astype(np.float32), photometric="minisblack")
    plane = follow(tmp_path / "s.tif", refusal(tmp_path / "s.tif"), "dataset")
    np.testing.assert_array_equal(plane.intensity, COUNTS)


def test_pages_are_layers(tmp_path):
    stack = np.stack([COUNTS + 1] * 2 + [COUNTS] + [COUNTS + 1] * 2).astype(np.float32)
    tifffile.imwrite(tmp_path / "s.tif", stack, photometric="minisblack")
    message = refusal(tmp_path / "s.tif")
    plane = follow(tmp_path / "s.tif", message, "axes", plane=re.search(r"--plane (\w+)", message)[1])
    np.testing.assert_array_equal(plane.intensity, COUNTS)


def test_one_group_of_several_is_named(tmp_path):
    with h5py.File(tmp_path / "p.nxs", "w") as file:
        for name, data in (("entry/first", COUNTS), ("entry/second", COUNTS + 1)):
            write_group(file, name, data, {"k": H, "h": H}, l=0.0)
    plane = follow(tmp_path / "p.nxs", refusal(tmp_path / "p.nxs"), "dataset")
    np.testing.assert_array_equal(plane.intensity, COUNTS)


def test_an_unknown_layout_names_a_dataset(tmp_path):
    with h5py.File(tmp_path / "p.h5", "w") as file:
        file["slice"] = COUNTS
    message = refusal(tmp_path / "p.h5")
    assert "it holds slice" in message
    np.testing.assert_array_equal(read_plane(tmp_path / "p.h5", dataset="slice").intensity, COUNTS)


def test_a_unit_that_is_none_is_overruled(tmp_path):
    with h5py.File(tmp_path / "p.nxs", "w") as file:
        write_group(file, "entry/data", COUNTS, {"k": H, "h": H}, l=1.0)
        file["entry/data/h"].attrs["units"] = file["entry/data/k"].attrs["units"] = "pixel"
    plane = follow(tmp_path / "p.nxs", refusal(tmp_path / "p.nxs"), "axes")
    np.testing.assert_array_equal(plane.intensity, COUNTS)
    np.testing.assert_allclose(plane.axes.hkl()[0, 0], [-8, -8, 1])


def test_a_cell_of_no_unit_is_given(tmp_path):
    with h5py.File(tmp_path / "p.nxs", "w") as file:
        write_group(file, "entry/data", COUNTS, {"k": H, "h": H}, l=1.0)
        file["entry/sample/unit_cell"] = CELL
        file["entry/sample/unit_cell"].attrs["units"] = "bohr"
    assert "give --cell" in refusal(tmp_path / "p.nxs")
    assert read_plane(tmp_path / "p.nxs", cell=CELL).cell == Cell(*CELL)


@pytest.mark.parametrize("mark", [-1.0, -2.5])
def test_a_mark_is_named(tmp_path, mark):
    np.save(tmp_path / "p.npy", np.where(GAP, mark, COUNTS + 0.5))
    plane = follow(tmp_path / "p.npy", refusal(tmp_path / "p.npy"), "missing")
    np.testing.assert_array_equal(plane.measured, ~GAP)


@pytest.mark.parametrize(("word", "lowest"), [("shift", 0.0), ("clip", 0.0), ("keep", -30.0)])
def test_too_much_background_is_raised_clipped_or_kept(tmp_path, word, lowest):
    np.save(tmp_path / "p.npy", COUNTS - 30)
    message = refusal(tmp_path / "p.npy")
    assert f"--negative {word}" in message
    plane = read_plane(tmp_path / "p.npy", negative=word, zeros="measured")
    assert plane.intensity.min() == lowest


def test_what_does_not_belong_is_left_out(tmp_path):
    np.save(tmp_path / "p.npy", COUNTS)
    for given in ({"plane": "hk1"}, {"dataset": "entry/data"}):
        assert f"leave out --{next(iter(given))}" in refusal(tmp_path / "p.npy", **given)
    with h5py.File(tmp_path / "y.h5", "w") as file:
        file["data"], file["step_sizes"], file["format"] = COUNTS.T[:, :, None] + 1, [0.1] * 3, "Yell 1.0"
    message = refusal(tmp_path / "y.h5", axes="h=-1:1 k=-1:1 l=0")
    assert "leave out --axes" in message
    np.testing.assert_array_equal(read_plane(tmp_path / "y.h5").intensity, COUNTS + 1)


@pytest.mark.parametrize("flag", [1, 7, 256, True, "True", np.int8(-1)])
def test_direct_space_by_any_flag_that_is_not_zero(tmp_path, flag):
    with h5py.File(tmp_path / "y.h5", "w") as file:
        file["data"], file["step_sizes"], file["is_direct"] = COUNTS[:, :, None] + 1, [0.1] * 3, flag
    assert "direct space" in refusal(tmp_path / "y.h5")
    with h5py.File(tmp_path / "y.h5", "r+") as file:
        del file["is_direct"]
        file["is_direct"] = type(flag)(0) if not isinstance(flag, str) else "False"
    np.testing.assert_array_equal(read_plane(tmp_path / "y.h5").intensity, COUNTS.T + 1)


@pytest.mark.parametrize("axes", ["h=4:-4 k=-4:4 l=0", "h=-4:4 k=4:-4 l=0", "u=1,0,0:4:-4 v=0,1,0:4:-4 origin=0,0,0"])
def test_a_range_that_decreases_turns_the_array(axes):
    ends = [tuple(map(float, part.split(":"))) for part in re.findall(r"-?4:-?4", axes)]
    columns, rows = (-1 if first > last else 1 for first, last in ends)
    plane = read_plane(COUNTS[::rows, ::columns], axes=axes)
    np.testing.assert_array_equal(plane.intensity, COUNTS)
    np.testing.assert_allclose(plane.axes.x, H)


def test_the_command_line_says_what_a_cell_without_axes_needs(tmp_path, capsys):
    from unscatter.cli.dispatch import main

    np.save(tmp_path / "p.npy", COUNTS)
    words = ["factorize", str(tmp_path / "p.npy"), "--out", str(tmp_path), "--no-picture"]
    words += ["--cell", *(str(number) for number in CELL)]
    with pytest.raises(SystemExit):
        main(words)
    advice = re.search(r'--axes, such as "([^"]*)"', capsys.readouterr().err)[1]
    with pytest.raises(SystemExit) as ended:
        main([*words, "--axes", advice])
    assert ended.value.code == 0
    assert "hk1" in capsys.readouterr().out
