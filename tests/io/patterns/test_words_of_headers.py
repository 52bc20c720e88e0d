"""Words above a table and tags beside it that change angles or intensities are applied, told or refused."""

import re
from pathlib import Path

import h5py
import numpy as np
import pattern_writers as w
import pytest
from test_pattern_kinds import HEAD, D, Q, X, Y, loop, scan, table, told, xrdml
from test_same_pattern import assert_same, read

PLAIN = "2theta I"


# --- wavelengths ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        "# Wavelength1,1.5406\n# Wavelength2,1.5444",
        "Lam1: 1.5406\nLam2: 1.5444",
        "# lambda1/lambda2: 1.5406 1.5444",
        "# wavelength (K-alpha1/K-alpha2) = 1.5406/1.5444",
        "# WL=1.5418\n# Ka1=1.5406\n# Ka2=1.5444",
        "# wavelength of the doublet: 1.5418\n# K-Alpha1: 1.5406\n# K-Alpha2: 1.5444",
        "# Alpha1 = 1.5406\n# Alpha2 = 1.5444",
    ],
)
def test_both_lines_of_a_doublet_are_read_by_their_names(words: str, tmp_path: Path) -> None:
    pattern = read(tmp_path, table(f"{words}\n{PLAIN}", X, Y))
    assert pattern.wavelength == pytest.approx(1.5406)
    assert pattern.second_wavelength == pytest.approx(1.5444)
    assert_same(pattern)


@pytest.mark.parametrize(
    "words", ["# lamda: 1.5406", '"Lam",1.5406', "# wave = 1.5406", "lam ymin 0.001 la 1 lo 1.5406"]
)
def test_names_of_wavelengths_of_programs_are_known(words: str, tmp_path: Path) -> None:
    assert read(tmp_path, table(f"{words}\n{PLAIN}", X, Y)).wavelength == pytest.approx(1.5406)


def test_a_stripped_second_line_is_no_wavelength_of_the_pattern(tmp_path: Path) -> None:
    lines = "# K-Alpha1: 1.5406\n# K-Alpha2: 1.5444\n# K-alpha2 stripped: {}\n" + PLAIN
    assert read(tmp_path, table(lines.format("yes"), X, Y)).second_wavelength is None
    assert read(tmp_path, table(lines.format("no"), X, Y)).second_wavelength == pytest.approx(1.5444)


@pytest.mark.parametrize(
    "words",
    [
        "# wavelength error 0.0001; wavelength = 1.5406",
        "# delta lambda/lambda = 0.002; lambda = 1.5406",
        "# min wavelength 0.5 max wavelength 3.5 wavelength 1.5406",
        "# wavelength_spread: 0.02\n# wavelength: 1.5406",
        "# old wavelength 1.60\n# wavelength 1.5406",
        "# E (keV) = 8.0477862",
    ],
)
def test_widths_and_ends_of_ranges_are_no_wavelengths(words: str, tmp_path: Path) -> None:
    assert read(tmp_path, table(f"{words}\n{PLAIN}", X, Y)).wavelength == pytest.approx(1.5406)


@pytest.mark.parametrize("name", ["2theta_offset", "delta2theta"])
def test_an_angle_counted_from_elsewhere_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="another quantity"):
        read(tmp_path, table(f"{name} I", X, Y))


@pytest.mark.parametrize("words", ["# Scan mode: phi", "# Scan type: Rocking curve", "# Scan axis: Omega"])
def test_a_scan_over_another_angle_is_refused(words: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="another angle"):
        read(tmp_path, table(words, X, Y))


# --- axes -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("head", "axis"),
    [
        ("CeO2.tif\n Q Space (Inverse Nanometres)\n Intensity\n 1200", 10 * Q),
        ("# X , Y\n# Unit: MomentumTransfer / A^-1\n1", Q),
        ("[DEFAULT]\ndataformat = QA", Q),
        ("d_spacing_A I", D),
        ("qA^-1 I", Q),
        ("(1) Two-Theta(deg)  (2) I(cts)", X),
        ("# x axis: centidegrees", 100 * X),
    ],
)
def test_an_axis_is_what_a_line_above_the_table_says(head: str, axis: np.ndarray, tmp_path: Path) -> None:
    assert_same(read(tmp_path, table(head, axis, Y), wavelength=1.5406))


def test_rows_of_three_columns_are_no_start_step_and_stop(tmp_path: Path) -> None:
    # 20, 0.05 and 60 divide a range into whole steps
    weights = np.full(X.size, 0.05)
    counts = np.where(np.arange(X.size) == 0, 60.0, Y)
    assert_same(read(tmp_path, table("2theta weight I", X, weights, counts), wavelength=1.5406), counts)


@pytest.mark.parametrize(
    ("names", "column"),
    [("2theta fit data", 2), ("tth i_cor i_raw", 1), ("2theta model data", 2)],
)
def test_the_intensity_is_the_column_that_was_measured(names: str, column: int, tmp_path: Path) -> None:
    columns = [X, 0 * Y + 5, 0 * Y + 5]
    columns[column] = Y
    assert_same(read(tmp_path, table(names, *columns), wavelength=1.5406))


@pytest.mark.parametrize("name", ["F(Q)", "F($\\AA^{-1}$)", "S(Q)-1", "Q*I", "I*theta"])
def test_functions_of_total_scattering_are_no_intensities(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not intensities"):
        read(tmp_path, table(f"#S 1\n#L Q($\\AA^{{-1}}$)  {name}", Q, Q * Y), wavelength=1.5406)


# --- conditions -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        "# Zero: 0.05 deg",
        "# zero shift = -0.123 deg",
        "# 2theta offset: -0.05",
        "! ZeroError -0.0123",
        "# zero point of detector 0.3",
        "# two_theta_zero,0.02",
        "# sample displacement 0.12 mm",
        "# Divergence slit: automatic 10 mm",
    ],
)
def test_what_shifts_angles_or_opens_slits_is_told(words: str, tmp_path: Path) -> None:
    pattern = read(tmp_path, table(f"{words}\n{PLAIN}", X, Y), wavelength=1.5406)
    assert_same(pattern)
    assert told(pattern, "not applied") or told(pattern, "not corrected")


@pytest.mark.parametrize(
    "words", ["# zero shift = 0.0", "# zero counts: 12", "# non-zero 5", "# zeros 3", "# slit 0.5 deg"]
)
def test_a_shift_of_zero_is_not_worth_a_word(words: str, tmp_path: Path) -> None:
    assert not told(read(tmp_path, table(f"{words}\n{PLAIN}", X, Y)), "not applied")


@pytest.mark.parametrize(
    "words",
    ["# Y axis: log10(counts)", "# intensity in logarithmic scale", "# Intensity = sqrt(counts)", "# Y units: log"],
)
def test_a_header_that_calls_intensities_logarithms_or_roots_is_refused(words: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="logarithms or roots"):
        read(tmp_path, table(words, X, np.log10(Y)))
    harmless = table("# intensity log file: a.log\n# data logged: yes", X, Y)
    assert_same(read(tmp_path, harmless, wavelength=1.5406))


def test_absorbers_that_differ_between_ranges_are_refused(tmp_path: Path) -> None:
    def part(counts: np.ndarray, start: float, factor: float) -> str:
        keys = f"_DRIVE = 'COUPLED'\n_STEPTIME = 1\n_STEPSIZE = 0.05\n_START = {start}\n_ABSORPTIONFACTOR = {factor}\n"
        return f"{keys}_COUNTS\n" + "\n".join(f"{count:.0f}" for count in counts) + "\n"

    head = "_FILEVERSION = 2\n_SAMPLE = 'a'\n_WL1 = 1.5406\n"
    same = head + part(Y[:600], X[0], 1) + part(Y[600:], X[600], 1)
    assert_same(read(tmp_path, same.encode()))
    other = head + part(Y[:600], X[0], 10) + part(Y[600:], X[600], 1)
    with pytest.raises(ValueError, match="--block 1"):
        read(tmp_path, other.encode())
    assert read(tmp_path, other.encode(), block="1").intensity.size == 600
    assert told(read(tmp_path, same.replace("_WL1", "_2THETA_OFFSET = 0.1\n_WL1").encode()), "not applied")


@pytest.mark.parametrize(
    ("words", "mark"),
    [
        ("# masked points: -5", -5.0),
        ("# nodata = -99", -99.0),
        ("# masked bins are 0", 0.0),
        ("# fill value: 12345", 12345.0),
        ("# of a Pilatus", 4.29497e9),
    ],
)
def test_what_a_header_says_to_mark_gaps_was_not_measured(words: str, mark: float, tmp_path: Path) -> None:
    gap = (X > 40) & (X < 41)
    pattern = read(tmp_path, table(f"{words}\n{PLAIN}", X, np.where(gap, mark, Y)), wavelength=1.5406)
    np.testing.assert_allclose(pattern.two_theta, X[~gap])
    assert told(pattern, "not measured")


def test_a_count_of_masked_points_is_no_mark(tmp_path: Path) -> None:
    assert_same(read(tmp_path, table(f"# masked points: {Y[5]:g}\n{PLAIN}", X, Y), wavelength=1.5406))


# --- CIF and NeXus ----------------------------------------------------------------------------------------------------


def test_a_tag_that_a_cif_gives_twice_is_no_reason_to_lose_a_pattern(tmp_path: Path) -> None:
    points = loop(_pd_meas_2theta_scan=X, _pd_meas_counts_total=Y)
    alike = read(tmp_path, (HEAD + "_cell_length_a 5.4\n_cell_length_a 5.4\n" + points).encode())
    assert_same(alike)
    assert not told(alike, "twice")
    other = read(tmp_path, (HEAD + "_diffrn_radiation_wavelength 0.7093\n" + points).encode())
    assert told(other, "_diffrn_radiation_wavelength occur twice")
    assert other.wavelength == pytest.approx(1.5406)


def test_a_range_of_a_cif_may_go_down_and_a_zero_point_of_it_is_told(tmp_path: Path) -> None:
    ends = f"_pd_meas_2theta_range_min {X[-1]}\n_pd_meas_2theta_range_max {X[0]}\n_pd_meas_2theta_range_inc -0.05\n"
    assert_same(read(tmp_path, (HEAD + ends + loop(_pd_meas_counts_total=Y[::-1])).encode()))
    points = loop(_pd_meas_2theta_scan=X, _pd_meas_counts_total=Y)
    assert told(read(tmp_path, (HEAD + "_gsas_zero_shift 0.05\n" + points).encode()), "not applied")


def nexus_with(folder: Path, name: str, value: float, *, group: str = "entry/instrument/detector") -> Path:
    path = folder / "pattern.h5"
    path.write_bytes(w.nexus("two_theta", "deg"))
    with h5py.File(path, "r+") as file:
        file[f"{group}/{name}"] = value
    return path


def test_a_shift_of_a_detector_is_told(tmp_path: Path) -> None:
    data = nexus_with(tmp_path, "two_theta_offset", 0.1).read_bytes()
    assert told(read(tmp_path, data), "not applied")


def test_what_met_the_saturation_of_a_detector_was_not_measured(tmp_path: Path) -> None:
    limit = float(Y.max())
    pattern = read(tmp_path, nexus_with(tmp_path, "saturation_value", limit).read_bytes())
    assert told(pattern, "saturation value")
    assert pattern.intensity.max() < limit


def test_the_wavelength_may_be_an_attribute(tmp_path: Path) -> None:
    path = tmp_path / "pattern.h5"
    path.write_bytes(w.nexus("two_theta", "deg"))
    with h5py.File(path, "r+") as file:
        del file["entry/instrument"]
        file["entry"].attrs["wavelength"] = "0.15406 nm"
    assert read(tmp_path, path.read_bytes()).wavelength == pytest.approx(1.5406)


# --- XRDML ------------------------------------------------------------------------------------------------------------


def test_an_aborted_scan_alone_ends_where_its_step_is_one_of_an_instrument(tmp_path: Path) -> None:
    whole = xrdml(scan(slice(None, 600)).replace("<scan>", "<scan status='Aborted'>"))
    pattern = read(tmp_path, whole)
    np.testing.assert_allclose(pattern.two_theta, X[:600], atol=1e-6)
    assert told(pattern, "aborted")
    planned = whole.replace(f"<endPosition>{X[599]}".encode(), f"<endPosition>{X[-1]}".encode())
    with pytest.raises(ValueError, match="only planned"):
        read(tmp_path, planned)


def test_without_a_wavelength_the_anode_of_the_tube_stands_for_its_first_line(tmp_path: Path) -> None:
    tube = b"<incidentBeamPath><xRayTube><anodeMaterial>Cu</anodeMaterial></xRayTube></incidentBeamPath><scan>"
    data = re.sub(rb"<usedWavelength.*</usedWavelength>", b"", xrdml(scan())).replace(b"<scan>", tube, 1)
    pattern = read(tmp_path, data)
    assert pattern.wavelength == pytest.approx(1.5406, abs=1e-4)
    assert told(pattern, "K-alpha 1 of the anode Cu")
