"""What files say is applied, or refused by its name; what they do not say is assumed, and told."""

import re
from pathlib import Path

import h5py
import numpy as np
import pattern_writers as w
import pytest
from test_same_pattern import assert_same, read

from unscatter.io.patterns import read_lines, read_pattern

X, Y, Q, D = w.TWO_THETA, w.COUNTS, w.Q, w.D
RISING = np.linspace(1, 2, X.size)
MISSING = (X > 40) & (X < 41)


def table(head: str, *columns: np.ndarray, separator: str = " ") -> bytes:
    rows = (separator.join(f"{value:.9g}" for value in row) for row in zip(*columns, strict=True))
    return "\n".join([head, *rows, ""]).encode()


def told(pattern: object, words: str) -> bool:
    return any(words in sentence for sentence in pattern.assumptions)  # type: ignore[attr-defined]


# --- CIF --------------------------------------------------------------------------------------------------------------

HEAD = "data_a\n_diffrn_radiation_probe x-ray\n_diffrn_radiation_wavelength 1.5406\n"
NEUTRON = "data_n\n_diffrn_radiation_probe neutron\n_diffrn_radiation_wavelength ?\n"
GAPS = ["." if gap else f"{y:.0f}" for gap, y in zip(MISSING, Y, strict=True)]


def loop(**columns: object) -> str:
    rows = zip(*(columns[name] for name in columns), strict=True)  # type: ignore[call-overload]
    return "\n".join(["loop_", *columns, *(" ".join(map(str, row)) for row in rows), ""])


def test_the_calibration_of_a_cif_is_applied_to_measured_angles_alone(tmp_path: Path) -> None:
    pattern = read(tmp_path, w.cif(offset=-0.6))
    assert_same(pattern)
    assert told(pattern, "-0.6 deg, was added")
    both = (
        HEAD
        + "_pd_calib_2theta_offset -0.6\n"
        + loop(_pd_meas_2theta_scan=X + 0.6, _pd_proc_2theta_corrected=X, _pd_meas_counts_total=Y)
    )
    assert_same(read(tmp_path, both.encode()))
    by_range = HEAD + loop(
        _pd_calib_2theta_offset=[-0.5, -0.25], _pd_calib_2theta_off_min=[0, 50], _pd_calib_2theta_off_max=[50, 180]
    )
    shifted = np.where(X < 50, X + 0.5, X + 0.25)
    kept = (X < 49) | (X > 51)
    data = by_range + loop(_pd_meas_2theta_scan=shifted[kept], _pd_meas_counts_total=Y[kept])
    np.testing.assert_allclose(read(tmp_path, data.encode()).two_theta, X[kept], atol=1e-9)


def test_a_neutron_block_does_not_get_the_wavelength_of_the_x_ray_block(tmp_path: Path) -> None:
    first = NEUTRON + loop(_pd_meas_2theta_scan=X, _pd_proc_intensity_total=Y)
    pattern = read(tmp_path, w.cif(before=first))
    assert (pattern.wavelength, pattern.radiation) == (None, "neutron")
    assert told(pattern, "data block n is read, not pattern")
    assert_same(read(tmp_path, w.cif(before=first), block="pattern"))


def test_what_is_common_to_all_stands_in_a_block_without_a_pattern(tmp_path: Path) -> None:
    bare = w.cif().replace(b"_diffrn_radiation_wavelength 1.5406\n", b"")
    pattern = read(tmp_path, b"data_global\n_diffrn_radiation_wavelength 1.5406\n" + bare)
    assert_same(pattern)
    assert told(pattern, "of data block global")


def test_the_first_block_that_can_be_used(tmp_path: Path) -> None:
    flight = NEUTRON + loop(_pd_meas_time_of_flight=100 * X, _pd_proc_d_spacing=D, _pd_meas_intensity_total=Y * 3)
    calculated = "data_c\n" + loop(_pd_proc_2theta_corrected=X, _pd_calc_intensity_total=Y * 2)
    assert_same(read(tmp_path, w.cif(before=calculated + flight)))
    alone = read(tmp_path, (HEAD + calculated.split("\n", 1)[1]).encode())
    assert alone.simulated
    assert told(alone, "calculated are read")


def test_the_wavelength_of_the_largest_weight(tmp_path: Path) -> None:
    lines = loop(
        _diffrn_radiation_wavelength_id=[1, 2, 3],
        _diffrn_radiation_wavelength=[1.39222, 1.54439, 1.5406],
        _diffrn_radiation_wavelength_wt=[0.01, 0.497, 1.0],
    )
    pattern = read(tmp_path, w.cif().replace(b"_diffrn_radiation_wavelength 1.5406\n", lines.encode()))
    assert_same(pattern)
    assert pattern.second_wavelength == 1.54439
    assert told(pattern, "1.5406 A is used, not 1.39222")


def test_points_that_were_excluded_or_not_measured_are_left_out_and_told(tmp_path: Path) -> None:
    dots = read(tmp_path, (HEAD + loop(_pd_meas_2theta_scan=X, _pd_meas_counts_total=GAPS)).encode())
    weights = loop(_pd_meas_2theta_scan=X, _pd_meas_counts_total=Y, _pd_proc_ls_weight=np.where(MISSING, 0, 1))
    excluded = read(tmp_path, (HEAD + weights).encode())
    for pattern in (dots, excluded):
        np.testing.assert_allclose(pattern.two_theta, X[~MISSING])
        assert told(pattern, f"{MISSING.sum()} points, between")
    beginning = ["?" if x < 30 else f"{y:.0f}" for x, y in zip(X, Y, strict=True)]
    late = read(tmp_path, (HEAD + loop(
        _pd_meas_2theta_scan=X, _pd_calc_intensity_total=Y * 2, _pd_meas_counts_total=beginning)).encode())  # fmt: skip
    np.testing.assert_allclose(late.intensity, Y[X >= 30])


def test_totals_are_used_before_net_intensities_and_counts_by_their_times(tmp_path: Path) -> None:
    net = loop(_pd_meas_2theta_scan=X, _pd_proc_intensity_net=Y - 60, _pd_proc_intensity_total=Y)
    assert_same(read(tmp_path, (HEAD + net).encode()))
    timed = loop(_pd_meas_2theta_scan=X, _pd_meas_counts_total=Y * RISING / 1.5, _pd_meas_step_count_time=RISING)
    assert_same(read(tmp_path, (HEAD + timed).encode()))


# --- NeXus ------------------------------------------------------------------------------------------------------------


def changed(folder: Path, change: object, **how: object) -> Path:
    path = folder / "pattern.h5"
    path.write_bytes(w.nexus("two_theta", "deg", **how))  # type: ignore[arg-type]
    with h5py.File(path, "r+") as file:
        change(file)  # type: ignore[operator]
    return path


def test_the_largest_number_of_a_type_is_no_count(tmp_path: Path) -> None:
    def mark(file: h5py.File) -> None:
        del file["entry/data/I"]
        file["entry/data/I"] = np.where(MISSING, 2**32 - 1, Y).astype(np.uint32)

    pattern = read(tmp_path, changed(tmp_path, mark).read_bytes())
    np.testing.assert_allclose(pattern.two_theta, X[~MISSING])
    assert told(pattern, "4294967295")


def test_a_mask_of_nxdata_and_the_monitor_of_each_point(tmp_path: Path) -> None:
    def mask(file: h5py.File) -> None:
        file["entry/data/I_mask"] = MISSING.astype(np.int8)
        file["entry/data/I"][...] = np.where(MISSING, 9999, Y * RISING / 1.5)
        monitor = file.create_group("entry/monitor")
        monitor.attrs["NX_class"] = "NXmonitor"
        monitor["data"] = RISING

    pattern = read(tmp_path, changed(tmp_path, mask).read_bytes())
    np.testing.assert_allclose(pattern.intensity, Y[~MISSING])
    assert told(pattern, "marked in I_mask")
    assert told(pattern, "divided by entry/monitor/data")


def test_the_ring_has_another_energy_and_other_entries_other_wavelengths(tmp_path: Path) -> None:
    def ring(file: h5py.File) -> None:
        file["entry/instrument/source"].attrs["NX_class"] = "NXsource"
        file["entry/instrument/source/energy"] = 6000.0
        file["entry/instrument/source/energy"].attrs["units"] = "MeV"
        file["entry/instrument/monochromator/wavelength_spread"] = 0.01
        file["a_first_entry/instrument/monochromator/wavelength"] = 0.7

    assert_same(read(tmp_path, changed(tmp_path, ring).read_bytes()))


def test_the_signal_may_lie_in_a_file_beside_and_nowhere_else(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "beside.h5", "w") as file:
        file["I"] = Y

    def link(target: str) -> Path:
        def change(file: h5py.File) -> None:
            del file["entry/data/I"]
            file["entry/data/I"] = h5py.ExternalLink(target, "/I")

        return changed(tmp_path, change)

    assert_same(read_pattern(link("beside.h5")))
    with pytest.raises(ValueError, match="outside its own folder"):
        read_pattern(link(str(tmp_path.parent / "other.h5")))


def test_external_storage_and_virtual_datasets_are_refused(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(Y.tobytes())

    def external(file: h5py.File) -> None:
        del file["entry/data/I"]
        file["entry/data"].create_dataset("I", (X.size,), "f8", external=[(str(secret), 0, h5py.h5f.UNLIMITED)])

    def virtual(file: h5py.File) -> None:
        del file["entry/data/I"]
        layout = h5py.VirtualLayout((X.size,), "f8")
        layout[:] = h5py.VirtualSource(str(tmp_path / "beside.h5"), "I", (X.size,))
        file["entry/data"].create_virtual_dataset("I", layout)

    for change in (external, virtual):
        with pytest.raises(ValueError, match="keeps its data in other files"):
            read_pattern(changed(tmp_path, change))


def test_a_group_is_chosen_by_its_name(tmp_path: Path) -> None:
    def second(file: h5py.File) -> None:
        file.copy("entry/data", "entry/more")
        file["entry/more/I"][...] = Y * 3

    data = changed(tmp_path, second).read_bytes()
    assert_same(read(tmp_path, data))
    assert_same(read(tmp_path, data, block="entry/more"), Y * 3)


# --- XRDML ------------------------------------------------------------------------------------------------------------


def scan(
    part: slice = slice(None), *, factor: float = 1.0, time: str = "", unit: str = "counts", more: str = ""
) -> str:
    x, y = X[part], " ".join(map(str, Y[part] * factor))
    time = time or "<commonCountingTime unit='seconds'>1</commonCountingTime>"
    return (
        f"<scan><dataPoints><positions axis='2Theta' unit='deg'><startPosition>{x[0]}</startPosition>"
        f"<endPosition>{x[-1]}</endPosition></positions>{time}{more}<intensities unit='{unit}'>{y}</intensities>"
        "</dataPoints></scan>"
    )


def xrdml(*scans: str, intended: str = "K-Alpha 1", unit: str = "Angstrom") -> bytes:
    values = {"kAlpha1": 1.5406, "kAlpha2": 1.5444, "kBeta": 1.39225}
    used = "".join(f"<{n} unit='{unit}'>{v * (0.1 if unit == 'nm' else 1):.6f}</{n}>" for n, v in values.items())
    return (
        '<xrdMeasurements xmlns="http://www.xrdml.com/XRDMeasurement/1.5"><xrdMeasurement>'
        f'<usedWavelength intended="{intended}">{used}<ratioKAlpha2KAlpha1>0.5</ratioKAlpha2KAlpha1></usedWavelength>'
        f"{''.join(scans)}</xrdMeasurement></xrdMeasurements>"
    ).encode()


FIRST, REST = slice(None, 600), slice(600, None)
LONG = "<commonCountingTime unit='seconds'>20</commonCountingTime>"
TIMES = f"<countingTimes>{' '.join(map(str, RISING))}</countingTimes>"


def test_repeats_are_added_and_ranges_joined_by_their_times(tmp_path: Path) -> None:
    five = read(tmp_path, xrdml(*[scan()] * 5))
    assert_same(five, 5 * Y)
    assert told(five, "5 scans over the same range were added")
    assert_same(read(tmp_path, xrdml(scan(FIRST, unit="cps"), scan(REST, unit="cps", time=LONG))))
    assert_same(read(tmp_path, xrdml(scan(FIRST), scan(REST, factor=20, time=LONG))), 20 * Y)
    assert_same(read(tmp_path, xrdml(*(scan(unit="cps", factor=factor) for factor in (0.5, 1, 1.5)))))


def test_the_time_of_each_point_counts_unless_intensities_are_per_second(tmp_path: Path) -> None:
    timed = xrdml(scan(time=TIMES).replace(" ".join(map(str, Y)), " ".join(map(str, Y * RISING / 2))))
    assert_same(read(tmp_path, timed))
    assert_same(read(tmp_path, xrdml(scan(time=TIMES, unit="cps"))))


def test_wavelengths_of_xrdml_and_one_scan_of_several(tmp_path: Path) -> None:
    assert read(tmp_path, xrdml(scan(), unit="nm")).wavelength == pytest.approx(1.5406)
    assert read(tmp_path, xrdml(scan(), intended="K-Beta")).wavelength == pytest.approx(1.39225)
    assert_same(read(tmp_path, xrdml(scan(factor=3), scan()), block="2"))


# --- lists of lines ---------------------------------------------------------------------------------------------------

AMCSD = """      Made-up mineral
      CELL PARAMETERS:    5.411  5.411  5.411   90.0   90.0   90.0
      X-RAY WAVELENGTH:     1.540600
               2-THETA      INTENSITY    D-SPACING   H   K   L   Multiplicity
                 28.55        100.00        3.1241   1   1   1         8
                 33.09         26.90        2.7057   2   0   0         6
                 47.49         46.60        1.9132   2   2   0        12
                 56.35         34.00        1.6315   3   1   1        24
                 56.35          1.50        1.6315   1   3   1        24
"""


def test_a_list_of_lines_is_no_pattern_and_is_read_as_lines(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text(AMCSD)
    with pytest.raises(ValueError, match="a list of lines"):
        read(tmp_path, AMCSD.encode())
    lines = read_lines(path)
    np.testing.assert_allclose(lines.two_theta, [28.55, 33.09, 47.49, 56.35])
    np.testing.assert_allclose(lines.area, [100, 26.9, 46.6, 35.5])
    np.testing.assert_allclose(lines.two_theta_error, 0.01 / np.sqrt(12), rtol=1e-3)
    assert (lines.wavelength, lines.title, lines.radiation) == (1.5406, "Made-up mineral", "x-ray")


def test_uneven_positions_without_names_are_a_list_of_lines(tmp_path: Path) -> None:
    positions = 10 + np.cumsum(np.random.default_rng(0).exponential(1.0, 60))
    bare = table("", positions, positions * 0 + 5)
    with pytest.raises(ValueError, match="as uneven as a list of lines"):
        read(tmp_path, bare)
    path = tmp_path / "bare"
    path.write_bytes(bare)
    lines = read_lines(path, axis="two-theta", wavelength=1.5406)
    np.testing.assert_allclose(lines.two_theta, positions, rtol=1e-8)
    with pytest.raises(ValueError, match="--axis two-theta"):
        read_lines(path)


def test_spacings_need_no_wavelength(tmp_path: Path) -> None:
    d = np.array([3.1241, 2.7057, 1.9132, 1.6315, 1.5620])
    for name, text in {
        "card.jcpds": "VERSION: 4\n" + "".join(f"DIHKL: {x} 100.0 1 1 1\n" for x in d),
        "list.txt": "h k l d I\n" + "".join(f"1 1 1 {x} 50\n" for x in d),
        "peaks.cif": "data_a\n" + loop(_pd_peak_d_spacing=d, _pd_peak_pk_height=d * 0 + 5),
    }.items():
        (tmp_path / name).write_text(text)
        lines = read_lines(tmp_path / name)
        np.testing.assert_allclose(lines.d, d, rtol=1e-9)
        np.testing.assert_allclose(read_lines(tmp_path / name, wavelength=0.7093).d, d, rtol=1e-9)
        assert any("nominal" in said for said in lines.provenance["assumptions"])


def test_a_pattern_is_no_list_of_lines(tmp_path: Path) -> None:
    path = tmp_path / "scan.xy"
    path.write_bytes(w.text("2Theta"))
    with pytest.raises(ValueError, match="as even as those of a pattern"):
        read_lines(path)


# --- run together, short, and to one side -----------------------------------------------------------------------------


def test_numbers_that_run_together(tmp_path: Path) -> None:
    for grid in ("  20.0000  0.0500 79.9500", " 20.0000  0.050079.9500", " 20.0000  0.0500 79.9500"):
        head = ["a sample", "lambda 1.5406", grid]
        data = "\n".join([*head, *w.rows_of((Y * 100).tolist(), 10, "%8.1f")]).encode()
        assert_same(read(tmp_path, data), Y * 100)
    # from 10000.00 on, eight characters are full
    full = "\n".join([*head, *w.rows_of((Y * 100).tolist(), 10, "%8.2f")]).encode()
    assert re.search(rb"\d\.\d{7,}\.", full)
    assert_same(read(tmp_path, full), Y * 100)


def test_a_bank_shorter_than_announced_is_told(tmp_path: Path) -> None:
    rows = [row.ljust(80) for row in w.rows_of(Y.tolist(), 10, "%8.0f")]
    data = "\n".join(["lambda 1.5406", "BANK 1 1215 122 CONST 2000 5 0 0", *rows]).encode()
    pattern = read(tmp_path, data)
    assert_same(pattern)
    assert told(pattern, "announces 1215 points, the file holds 1200")


def test_one_bank_of_several(tmp_path: Path) -> None:
    rows = [f"{100 * x:.2f} {y:.0f} 1" for x, y in zip(X, Y, strict=True)]
    tof = [f"{100 * x:.2f} {7 * y:.0f} 1" for x, y in zip(X, Y, strict=True)]
    data = "\n".join(["lambda 1.5406", "BANK 1 1200 1200 SLOG 2000 5 0 0 FXYE", *tof,
                      "BANK 2 1200 1200 CONST 2000 5 0 0 FXYE", *rows]).encode()  # fmt: skip
    assert_same(read(tmp_path, data))
    with pytest.raises(ValueError, match="time of flight"):
        read(tmp_path, data, block="1")


def test_one_of_several_frames_is_chosen_as_the_refusal_says(tmp_path: Path) -> None:
    path = tmp_path / "frames.h5"
    with h5py.File(path, "w") as file:
        group = file.create_group("entry/data")
        file["entry"].attrs["NX_class"], group.attrs["NX_class"] = "NXentry", "NXdata"
        group.attrs["signal"], group.attrs["axes"] = "I", ["frame", "q"]
        group["I"], group["q"] = np.stack([Y, 2 * Y, 3 * Y]), Q
    with pytest.raises(ValueError, match="3 patterns") as caught:
        read_pattern(path, wavelength=w.WAVELENGTH)
    advised = re.search(r"--block (\S+)", str(caught.value))
    assert advised is not None
    np.testing.assert_allclose(read_pattern(path, wavelength=w.WAVELENGTH, block=advised[1]).intensity, Y)
    np.testing.assert_allclose(read_pattern(path, wavelength=w.WAVELENGTH, block="entry/data#3").intensity, 3 * Y)
