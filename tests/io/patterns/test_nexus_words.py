"""What names, units and texts of a NeXus file say of its pattern is used, refused or told."""

import re
from pathlib import Path

import h5py
import numpy as np
import pattern_writers as w
import pytest
from test_pattern_kinds import RISING, Q, X, Y, changed, told
from test_same_pattern import assert_same, read

from unscatter.io.patterns import read_pattern


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


GAP = (X > 40) & (X < 41)


def beside(**arrays: np.ndarray) -> object:
    """What writes arrays into the group of the pattern, in place of those of the name."""

    def change(file: h5py.File) -> None:
        for name, values in arrays.items():
            if name in file["entry/data"]:
                del file[f"entry/data/{name}"]
            file[f"entry/data/{name}"] = values

    return change


MARKS = {
    "I_errors": np.where(GAP, np.nan, w.SIGMA),
    "quality": GAP.astype(np.int32),
    "flags": np.where(GAP, 8, 0),
    "status": (~GAP).astype(np.int8),
}


@pytest.mark.parametrize("name", MARKS)
def test_flags_and_uncertainties_mark_what_was_not_measured(name: str, tmp_path: Path) -> None:
    change = beside(**{"I": np.where(GAP, 12345.6, Y), name: MARKS[name]})
    pattern = read_pattern(changed(tmp_path, change))
    np.testing.assert_allclose(pattern.intensity, Y[~GAP])
    assert told(pattern, f"19 of 1200 points are marked in {name}")


def test_what_is_outside_of_the_valid_range_was_not_measured(tmp_path: Path) -> None:
    def change(file: h5py.File) -> None:
        beside(I=np.where(GAP, 12345.6, Y))(file)  # type: ignore[operator]
        file["entry/data/I"].attrs["valid_range"] = [0.0, 5000.0]

    np.testing.assert_allclose(read_pattern(changed(tmp_path, change)).intensity, Y[~GAP])


@pytest.mark.parametrize("name", ["I_variance", "variances", "errors_squared"])
def test_variances_are_squares_of_uncertainties(name: str, tmp_path: Path) -> None:
    def change(file: h5py.File) -> None:
        del file["entry/data/I_errors"]
        file[f"entry/data/{name}"] = w.SIGMA**2

    np.testing.assert_allclose(read_pattern(changed(tmp_path, change)).sigma, w.SIGMA)


def test_uncertainties_are_scaled_as_the_intensities_are(tmp_path: Path) -> None:
    scaled = read_pattern(changed(tmp_path, beside(I=Y / 4, I_errors=w.SIGMA / 4, I_scaling_factor=4.0)))
    np.testing.assert_allclose(scaled.sigma, w.SIGMA)
    weighted = read_pattern(changed(tmp_path, beside(I=3 * Y, I_errors=3 * w.SIGMA, I_weights=0 * Y + 3)))
    np.testing.assert_allclose(weighted.sigma, w.SIGMA)


def test_other_arrays_beside_the_pattern_are_told(tmp_path: Path) -> None:
    assert told(read_pattern(changed(tmp_path, beside(background=0 * Y + 3))), "background beside I were not used")


def test_the_wavelength_of_the_monochromator_comes_first(tmp_path: Path) -> None:
    def change(file: h5py.File) -> None:
        file["entry/aaa/wavelength"] = 0.7

    pattern = read_pattern(changed(tmp_path, change))
    assert pattern.wavelength == pytest.approx(1.5406)
    assert told(pattern, "not 0.7 A of entry/aaa/wavelength")


def test_two_wavelengths_as_near_as_those_of_a_tube_are_a_doublet(tmp_path: Path) -> None:
    def change(file: h5py.File) -> None:
        del file["entry/instrument/monochromator/wavelength"]
        file["entry/instrument/monochromator/wavelength"] = [1.5444, 1.5406]

    pattern = read_pattern(changed(tmp_path, change))
    assert (pattern.wavelength, pattern.second_wavelength) == (1.5406, 1.5444)


def test_frames_may_run_along_either_axis(tmp_path: Path) -> None:
    def change(file: h5py.File) -> None:
        del file["entry/data/I_errors"]
        beside(I=np.outer(Y, [1, 2, 3]), time=np.arange(3.0))(file)  # type: ignore[operator]
        file["entry/data"].attrs["axes"] = ["two_theta", "time"]

    path = changed(tmp_path, change)
    with pytest.raises(ValueError, match=r"3 patterns over 'two_theta'.*--block entry/data#1"):
        read_pattern(path)
    np.testing.assert_allclose(read_pattern(path, block="entry/data#3").intensity, 3 * Y)


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
