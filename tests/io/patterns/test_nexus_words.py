"""What names, units and texts of a NeXus file say of its pattern is used, refused or told."""

import re
from pathlib import Path

import h5py
import numpy as np
import pytest
from test_pattern_kinds import RISING, Q, X, Y, changed, told
from test_same_pattern import assert_same, read


def without_beam(file: h5py.File) -> None:
    del file["entry/instrument/monochromator"]


def test_the_wavelength_may_be_a_text_or_stand_in_a_text_of_json(tmp_path: Path) -> None:
    def words(file: h5py.File) -> None:
        without_beam(file)
        file["entry/instrument/wavelength"] = "0.15406 nm"

    def configuration(file: h5py.File) -> None:
        without_beam(file)
        file["entry/process/configuration"] = '{"dist": 0.1, "wavelength": 1.5406e-10}'

    for change in (words, configuration):
        assert read(tmp_path, changed(tmp_path, change).read_bytes()).wavelength == pytest.approx(1.5406)


@pytest.mark.parametrize("say", ["units", "long_name"])
def test_rates_are_not_divided_by_times(say: str, tmp_path: Path) -> None:
    def add(file: h5py.File) -> None:
        file["entry/data/count_time"] = RISING
        file["entry/data/I"].attrs[say] = "counts/s"

    assert_same(read(tmp_path, changed(tmp_path, add).read_bytes()))


def test_logarithms_are_refused_by_their_name(tmp_path: Path) -> None:
    def add(file: h5py.File) -> None:
        file["entry/data/I"][...] = np.log10(Y)
        file["entry/data/I"].attrs["long_name"] = "log10(Intensity)"

    with pytest.raises(ValueError, match=r"'log10\(Intensity\)' names logarithms"):
        read(tmp_path, changed(tmp_path, add).read_bytes())


def test_of_several_patterns_the_others_are_told_as_they_can_be_chosen(tmp_path: Path) -> None:
    def add(file: h5py.File) -> None:
        file.copy("entry", "other")
        file["other/data/I"][...] = 2 * Y

    data = changed(tmp_path, add).read_bytes()
    pattern = read(tmp_path, data)
    assert_same(pattern)
    said = re.search(r"not (\S+) \(--block", " ".join(pattern.assumptions))
    assert said is not None
    assert_same(read(tmp_path, data, block=said[1]), 2 * Y)


def renamed(units: str, values: np.ndarray, tmp_path: Path) -> bytes:
    def change(file: h5py.File) -> None:
        file.move("entry/data/two_theta", "entry/data/x")
        file["entry/data/x"][...] = values
        file["entry/data/x"].attrs["units"] = units
        file["entry/data"].attrs["axes"] = "x"

    return changed(tmp_path, change).read_bytes()


def test_an_axis_without_a_name_is_what_its_unit_can_be(tmp_path: Path) -> None:
    assert_same(read(tmp_path, renamed("1/nm", 10 * Q, tmp_path)))
    assert_same(read(tmp_path, renamed("rad", np.radians(X), tmp_path)))
    assert_same(read(tmp_path, renamed("centidegree", 100 * X, tmp_path)))
    with pytest.raises(ValueError, match=r"'x \(mm\)' is a position, not two-theta"):
        read(tmp_path, renamed("mm", X, tmp_path))


def test_the_pattern_that_the_file_names_needs_no_word_on_others(tmp_path: Path) -> None:
    def add(file: h5py.File) -> None:
        file.copy("entry", "other")
        file.attrs["default"], file["entry"].attrs["default"] = "entry", "data"

    assert not told(read(tmp_path, changed(tmp_path, add).read_bytes()), "--block")
