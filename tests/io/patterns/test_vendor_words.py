"""What vendors' files say beside their counts is applied, refused or told."""

import re
from pathlib import Path

import numpy as np
import pattern_writers as w
import pytest
from test_conditions import ras, uxd
from test_pattern_kinds import X, Y, loop, scan, table, told, xrdml
from test_same_pattern import assert_same, read


def gsas(bank: str, body: str) -> bytes:
    return f"lambda 1.5406\n{bank}\n{body}\n".encode()


STD = gsas("BANK 1 1200 120 CONST 2000 5 0 0 STD", "\n".join(w.rows_of(Y.tolist(), 10, " 1%6.0f")))


@pytest.mark.parametrize("data", [w.philips_udf(), w.sietronics_cpi(), w.jade_mdi(), STD])
def test_a_number_that_was_cut_in_two_is_no_count(data: bytes, tmp_path: Path) -> None:
    cut = data.rstrip(b"/\n")[:-1]
    pattern = read(tmp_path, cut[:-8] + b"12")
    assert told(pattern, "these are used")
    assert np.isin(pattern.intensity, Y).all()
    assert pattern.intensity.size < Y.size


@pytest.mark.parametrize(
    ("line", "first", "second"), [("Ka", 1.5406, 1.5444), ("Ka1", 1.5406, None), ("Kb", 1.39225, None)]
)
def test_rigaku_says_which_lines_its_optics_let_through(
    line: str, first: float, second: float | None, tmp_path: Path
) -> None:
    keys = (
        '*HW_XG_WAVE_LENGTH_ALPHA1 "1.5406"\n*HW_XG_WAVE_LENGTH_ALPHA2 "1.5444"\n*HW_XG_WAVE_LENGTH_BETA "1.39225"\n'
        f'*MEAS_COND_XG_WAVE_TYPE "{line}"\n*RAS_INT_START'
    )
    pattern = read(tmp_path, ras((slice(None), 1.0)).replace(b"*RAS_INT_START", keys.encode()))
    assert (pattern.wavelength, pattern.second_wavelength) == (first, second)


def test_an_aborted_scan_of_xrdml_is_told(tmp_path: Path) -> None:
    assert told(read(tmp_path, xrdml(scan().replace("<scan>", '<scan status="Aborted">'))), "aborted")


def aborted(intensities: np.ndarray, *, times: int = 0, positions: int = 0) -> str:
    """A scan of XRDML that was aborted: its header has the end, times or positions that were planned."""
    text = scan(time=f"<countingTimes>{'1 ' * times}</countingTimes>" if times else "")
    text = text.replace(" ".join(map(str, Y)), " ".join(map(str, intensities)))
    text = text.replace("<scan", '<scan status="Aborted"', 1)
    if positions:
        listed = f"<listPositions>{' '.join(map(str, X[:positions]))}</listPositions>"
        text = re.sub(r"<startPosition>.*?</endPosition>", listed, text)
    return text


@pytest.mark.parametrize(("how", "words"), [({"times": 1200}, "after 600 of 1200"), ({"positions": 1200}, "first 600")])
def test_an_aborted_scan_of_xrdml_ends_where_it_was_stopped(how: dict[str, int], words: str, tmp_path: Path) -> None:
    pattern = read(tmp_path, xrdml(aborted(Y[:600], **how)))
    np.testing.assert_allclose(pattern.two_theta, X[:600])
    assert told(pattern, words)


def test_an_aborted_scan_of_xrdml_has_the_step_of_the_scans_beside_it(tmp_path: Path) -> None:
    data = xrdml(scan(), aborted(Y[:600]))
    np.testing.assert_allclose(read(tmp_path, data, block="2").two_theta, X[:600])


def test_a_scan_of_xrdml_without_intensities_is_left_out(tmp_path: Path) -> None:
    empty = scan().replace(" ".join(map(str, Y)), "").replace("<scan", '<scan status="Not finished"')
    pattern = read(tmp_path, xrdml(scan(), empty))
    assert_same(pattern)
    assert told(pattern, "1 scans hold no intensities")
    with pytest.raises(ValueError, match="a scan without intensities"):
        read(tmp_path, xrdml(empty))


def test_xrdml_may_name_its_namespace(tmp_path: Path) -> None:
    named = re.sub(rb"<(/?)(?=[a-zA-Z])", rb"<\1x:", xrdml(scan())).replace(b"xmlns=", b"xmlns:x=")
    assert_same(read(tmp_path, named))


def test_scans_of_several_wavelengths_are_not_put_together(tmp_path: Path) -> None:
    both = xrdml(scan()).replace(b"</xrdMeasurements>", b"")
    second = xrdml(scan()).partition(b">")[2].replace(b"1.540600", b"1.788996")
    with pytest.raises(ValueError, match=r"wavelengths from 1.5406 to 1.789 A.*--block 1"):
        read(tmp_path, both + second)
    assert read(tmp_path, both + second, block="2").wavelength == 1.788996


def test_scans_of_xrdml_over_one_range_that_differ_are_no_repeats(tmp_path: Path) -> None:
    turned = scan().replace(" ".join(map(str, Y)), " ".join(map(str, Y[::-1])))
    with pytest.raises(ValueError, match=r"no repeats of one.*--block 1"):
        read(tmp_path, xrdml(scan(), turned))


RECORDS = [f"{100 * x:12.4f} {y:12.3f} {s:12.3f}" for x, y, s in zip(X, Y, w.SIGMA, strict=True)]
DEGREES = [f"{x:12.4f} {y:12.3f} {s:12.3f}" for x, y, s in zip(X, Y, w.SIGMA, strict=True)]
BANKS = {
    "degrees": ("CONS 20.0 0.05 0 0 FXYE", DEGREES, "in degrees, not in hundredths"),
    "no type": ("CONS 2000 5", RECORDS, "look like FXYE"),
    "no grid": ("CONS 0 0 0 0 FXYE", RECORDS, ""),
    "no uncertainty": ("CONS 2000 5 0 0 FXYE", [record[:25] for record in RECORDS], "look like FXY "),
}


@pytest.mark.parametrize("name", BANKS)
def test_banks_of_gsas_as_other_programs_write_them(name: str, tmp_path: Path) -> None:
    bank, records, words = BANKS[name]
    pattern = read(tmp_path, "\n".join(["made up", f"BANK 1 1200 1200 {bank}", *records, ""]).encode())
    np.testing.assert_allclose(pattern.two_theta, X, atol=1e-6)
    np.testing.assert_allclose(pattern.intensity, Y)
    assert not words or told(pattern, words)


def test_the_angles_of_uxd_win_over_a_grid_that_is_not_theirs(tmp_path: Path) -> None:
    rows = "".join(f"{x:.4f} {y:g}\n" for x, y in zip(X, Y, strict=True))
    head = "_FILEVERSION=2\n_WL1=1.5406\n_STEPSIZE=0.02\n_START=20\n_2THETACOUNTS\n"
    pattern = read(tmp_path, (head + rows).encode())
    np.testing.assert_allclose(pattern.two_theta, X)
    assert told(pattern, "the angles are used")


def test_excluded_regions_of_a_cif_are_told(tmp_path: Path) -> None:
    text = w.cif().replace(b"loop_", b"_pd_proc_info_excluded_regions '40 to 41: sample holder'\nloop_", 1)
    assert told(read(tmp_path, text), "'40 to 41: sample holder'")


def test_gsas_in_lower_case_and_with_blanks_between_numbers(tmp_path: Path) -> None:
    pairs = "\n".join(f"{y:.1f} {s:.3f}" for y, s in zip(Y, w.SIGMA, strict=True))
    pattern = read(tmp_path, gsas("bank 1 1200 1200 const 2000.0 5.0 0 0 esd", pairs))
    assert_same(pattern)
    np.testing.assert_allclose(pattern.sigma, w.SIGMA)


def test_factors_of_fullprof_are_applied(tmp_path: Path) -> None:
    head = "XYDATA\nINTER 0.5 2.0 2\n! lambda 1.5406\nmade up\n"
    pattern = read(tmp_path, table(head, 2 * X, Y / 2, w.SIGMA / 2))
    assert_same(pattern)
    np.testing.assert_allclose(pattern.sigma, w.SIGMA, rtol=1e-6)
    assert told(pattern, "as the line INTER says")


def test_an_anode_alone_stands_for_its_line_in_uxd(tmp_path: Path) -> None:
    text = uxd("_COUNTS", "\n".join(f"{y:.0f}" for y in Y))
    lines = [line for line in text.split("\n") if not line.startswith("_WL")]
    pattern = read(tmp_path, "\n".join(["_ANODE='Co'", *lines]).encode())
    assert pattern.wavelength == pytest.approx(1.788996)
    assert told(pattern, "K-alpha 1 of the anode Co is assumed")


def test_numbers_of_cpi_and_mdi_in_other_spellings(tmp_path: Path) -> None:
    head, mark, body = w.sietronics_cpi().decode().partition("SCANDATA")
    assert_same(read(tmp_path, (head.replace(".", ",") + mark + body).encode()))
    first, second, rest = w.jade_mdi().decode().split("\n", 2)
    assert_same(read(tmp_path, "\n".join([first, ",".join(second.split()) + ".", rest]).encode()))


def test_the_first_line_of_a_doublet_and_the_target_of_a_cif(tmp_path: Path) -> None:
    pattern = loop(_pd_meas_2theta_scan=X, _pd_meas_counts_total=Y)
    doublet = read(tmp_path, f"data_a\nloop_\n_diffrn_radiation_wavelength\n1.54443\n1.54056\n{pattern}".encode())
    assert (doublet.wavelength, doublet.second_wavelength) == (1.54056, 1.54443)
    target = read(tmp_path, f"data_a\n_diffrn_source_target Co\n{pattern}".encode())
    assert target.wavelength == pytest.approx(1.788996)
    assert told(target, "the target Co is assumed")
    equation = "_pd_calib_conversion_eqn '2theta = 0.1 + 2theta_meas'\n"
    assert told(read(tmp_path, f"data_a\n{equation}{pattern}".encode()), "was not applied: '2theta = 0.1")
