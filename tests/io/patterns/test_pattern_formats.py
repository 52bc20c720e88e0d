"""Every layout of a powder pattern: a small file of each is written here and must come back.

Original files are read too, where they are at hand.
"""

import csv
import struct
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import h5py
import numpy as np
import pytest

from unscatter.io.patterns import read_pattern
from unscatter.io.patterns.content import Content
from unscatter.io.patterns.read import find_format
from unscatter.nouns.pattern import Pattern

ORIGINALS = Path(__file__).resolve().parents[4] / "shared" / "data" / "patterns"

START, STEP, COUNT = 10.0, 0.1, 120
TWO_THETA = START + STEP * np.arange(COUNT)
COUNTS = np.round(50 + 900 * np.exp(-(((TWO_THETA - 15) / 0.4) ** 2)))
SIGMA = np.round(np.sqrt(COUNTS), 2)
ALPHA1, ALPHA2 = 1.5406, 1.54439


def lines(*rows: str, end: str = "\n") -> bytes:
    return (end.join(rows) + end).encode()


def rows_of(values: np.ndarray, width: int, decimals: int = 0) -> list[str]:
    """A Fortran table, ten fields a line."""
    fields = [f"{value:{width}.{decimals}f}" for value in values]
    return ["".join(fields[i : i + 10]) for i in range(0, len(fields), 10)]


def counted_rows(width: int, counters: int = 2) -> list[str]:
    fields = [f"{counters:2d}{value:{width}.0f}" for value in COUNTS]
    return ["".join(fields[i : i + 10]) for i in range(0, len(fields), 10)]


def xye() -> bytes:
    table = zip(TWO_THETA, COUNTS, SIGMA, strict=True)
    header = "# CeO2 | neutron | lambda 1.909 A"
    return lines(header, *(f"{x:.4f} {y:.0f} {s:.2f}" for x, y, s in table))


def xy() -> bytes:
    return lines("a title", *(f" {x:.4f}\t{y:.0f}." for x, y in zip(TWO_THETA, COUNTS, strict=True)), end="\r\n")


def csv_points() -> bytes:
    rows = (f'"{x:.4f}","{y:.0f}"' for x, y in zip(TWO_THETA, COUNTS, strict=True))
    return lines("2theta,counts", *rows)


def csv_integers() -> bytes:
    return lines(*(f"{x:.1f},{y:.0f}" for x, y in zip(TWO_THETA, COUNTS, strict=True)))


def decimal_comma() -> bytes:
    rows = (f"{x:.4f};{y:.1f};{s:.2f}".replace(".", ",") for x, y, s in zip(TWO_THETA, COUNTS, SIGMA, strict=True))
    return lines("Winkel;Intensität;Fehler", *rows)


def brackets() -> bytes:
    rows = (f"{x:.4f} {y:.2f}({round(s * 100)})" for x, y, s in zip(TWO_THETA, COUNTS, SIGMA, strict=True))
    return lines("! FullProf", "; a remark", "'another", *rows)


def utf16() -> bytes:
    return xye().decode().encode("utf-16")


def gsas_std() -> bytes:
    bank = f"BANK 1 {COUNT} {COUNT // 10} CONST {START * 100:.0f} {STEP * 100:.0f} 0 0"
    return lines("PbSO4 neutron", bank, *(row.ljust(80) for row in counted_rows(6)), end="\r\n")


def gsas_esd() -> bytes:
    bank = f"BANK 1 {COUNT} {COUNT // 5} CONST {START * 100:.2f} {STEP * 100:.2f} 0 0 ESD"
    pairs = np.column_stack([COUNTS, SIGMA]).ravel()
    return lines("LaMnO3 neutron \x00\x02", bank, *rows_of(np.append(pairs, [0, 0, 0, 0]), 8, 2))


def gsas_fxye() -> bytes:
    bank = f"BANK 1 {COUNT} {COUNT} CONST {START * 100:.2f} {STEP * 100:.2f} 0 0 FXYE"
    table = zip(TWO_THETA, COUNTS, SIGMA, strict=True)
    return lines("# wavelength 0.413", bank, *(f"{100 * x:.3f} {y:.1f} {s:.2f}" for x, y, s in table))


def fullprof_ins6() -> bytes:
    header = [
        "LaMnO3 (RT-3T2, Lambda: 1.2272 angstroms)",
        f"     100       0{STEP:8.3f}       1       0",
        f"{START:8.3f}",
        "  34000.      0.",
    ]
    return lines(*header, *counted_rows(6), "   -1000")


def fullprof_ins3() -> bytes:
    numbers = "".join(f"{v:9.3f}" for v in (-69.11, 0, 0, 0, 0))
    header = ["    1", " 12-OCT-90 Ho2BaNiO5", "  1  11039    11040"]
    header += [
        f"{1572452.0:13.0f}{600.0:10.0f}{START:8.3f}{numbers}{STEP:9.3f}{1.4:9.3f}",
        f"{COUNT:4d} 0.000E+00",
    ]
    return lines(*header, *counted_rows(8), "     -1000", "    -10000", end="\r\n")


def fullprof_ins1() -> bytes:
    return lines(f"{START:8.3f}{STEP:8.3f}{TWO_THETA[-1]:8.3f}", *counted_rows(6))


def psi() -> bytes:
    header = [
        "HRPT, a sample",
        "lambda=  1.49400, T=   0.000, Date=2001-06-16 06:25:59",
        f"{START:8.3f}{STEP:8.3f}{TWO_THETA[-1]:8.3f} 18000000., sample='neutron'",
    ]
    return lines(*header, *rows_of(COUNTS, 8), *rows_of(SIGMA, 8, 2), " Filelist='HRPT/2001/2455-2490'")


def ill() -> bytes:
    header = [
        "D1A5 Title",
        "     Ident: 14113 to 14122",
        "1.9114 A",
        f"{COUNT:6d}     -1.000   100.018    1  100000.0",
    ]
    return lines(*header, f"{START:10.4f}{STEP:10.4f}{TWO_THETA[-1]:10.4f}", *rows_of(COUNTS, 8, 1))


def uxd() -> bytes:
    head = [
        "; made by hand",
        "_FILEVERSION=2",
        "_SAMPLE='BT86'",
        "_WL1=1.540600",
        "_WL2=1.544390",
        "_WLRATIO=0.500000",
    ]
    head += [
        "_DRIVE='COUPLED'",
        f"_STEPSIZE={STEP:f}",
        f"_START={START:f}",
        "_STEPTIME=0.500000",
        "_2THETACOUNTS",
    ]
    return lines(*head, *(f"{x:.2f}\t{y:.0f}" for x, y in zip(TWO_THETA, COUNTS, strict=True)))


def uxd_two_ranges() -> bytes:
    """Half of the points counted for 1 s, without angles; the other half for 2 s."""
    head = ["_FILEVERSION=2", "_WL1=1.540600", "_DRIVE='COUPLED'", f"_STEPSIZE={STEP:f}"]
    first = [f"_START={START:f}", "_STEPTIME=1.0", "_COUNTS", *(f"{y / 2:.1f}" for y in COUNTS[:60])]
    second = [f"_START={TWO_THETA[60]:f}", "_STEPTIME=2.0", "_COUNTS", *(f"{y:.1f}" for y in COUNTS[60:])]
    return lines(*head, *first, "; (Data for Range number 2)", *second)


def put(data: bytearray, offset: int, layout: str, *values: object) -> None:
    struct.pack_into("<" + layout, data, offset, *values)


def raw1() -> bytes:
    blocks = []
    for begin, end, more in ((0, 60, 1), (60, COUNT, 0)):
        head = bytearray(156)
        put(head, 0, "4sIff", b"RAW ", end - begin, 1.0, STEP)
        put(head, 24, "f", TWO_THETA[begin])
        put(head, 40, "32sff", b"quartz", ALPHA1, ALPHA2)
        put(head, 152, "I", more)
        blocks.append(bytes(head) + COUNTS[begin:end].astype("<f4").tobytes())
    return b"".join(blocks)


def raw2() -> bytes:
    head = bytearray(256)
    put(head, 0, "4sH", b"RAW2", 1)
    put(head, 190, "fff", ALPHA1, ALPHA2, 0.5)
    block = bytearray(60)
    put(block, 0, "HHIfff", 60, COUNT, 0, 1.0, STEP, START)
    return bytes(head + block) + COUNTS.astype("<f4").tobytes()


def raw3(axis: int = 0, ranges: tuple[tuple[int, int], ...] = ((0, 60), (60, COUNT))) -> bytes:
    head = bytearray(712)
    put(head, 0, "8sII", b"RAW1.01\0", 1, len(ranges))
    put(head, 326, "60s", b"BT86")
    put(head, 616, "ddddd", 1.5418, ALPHA1, ALPHA2, 1.392, 0.5)
    blocks = [bytes(head)]
    for begin, end in ranges:
        block = bytearray(304 + 40)
        put(block, 0, "IIdd", 304, end - begin, TWO_THETA[begin] / 2, TWO_THETA[begin])
        put(block, 176, "ddfI", STEP, 0.0, 1.0, axis)
        put(block, 252, "II", 4, 40)
        blocks.append(bytes(block) + COUNTS[begin:end].astype("<f4").tobytes())
    return b"".join(blocks)


def raw4(scan: bytes = b"Locked Coupled") -> bytes:
    text = struct.pack("<III24s6s", 10, 42, 0, b"SAMPLEID", b"Cu12Ag")
    source = bytearray(136)
    put(source, 0, "II", 30, 136)
    put(source, 72, "ddddd", 1.5418, ALPHA1, ALPHA2, 1.392, 0.5)
    block = bytearray(160)
    put(block, 32, "24s", scan)
    put(block, 72, "ddIf", START, STEP, COUNT, 1.0)
    put(block, 136, "II", 8, 16)
    records = np.column_stack([COUNTS, np.ones(COUNT)]).astype("<f4").tobytes()
    return b"RAW4.00\0".ljust(61, b"\0") + text + bytes(source) + bytes(block) + bytes(16) + records


def xrdml(extra: str = "") -> bytes:
    return f"""<?xml version="1.0" encoding="UTF-8"?>{extra}
    <xrdMeasurements xmlns="http://www.xrdml.com/XRDMeasurement/1.5"><sample><name>CeO2</name></sample>
    <xrdMeasurement><usedWavelength><kAlpha1 unit="Angstrom">{ALPHA1}</kAlpha1>
    <kAlpha2 unit="Angstrom">{ALPHA2}</kAlpha2><ratioKAlpha2KAlpha1>0.5</ratioKAlpha2KAlpha1></usedWavelength>
    <scan><dataPoints><positions axis="Omega"><commonPosition>4</commonPosition></positions>
    <positions axis="2Theta" unit="deg"><startPosition>{START}</startPosition>
    <endPosition>{TWO_THETA[-1]}</endPosition></positions><commonCountingTime>0.44</commonCountingTime>
    <intensities>{" ".join(f"{y:.0f}" for y in COUNTS)}</intensities></dataPoints></scan>
    </xrdMeasurement></xrdMeasurements>""".encode()


def ras(axis: str = "TwoThetaTheta") -> bytes:
    head = ["*RAS_DATA_START", "*RAS_HEADER_START", '*FILE_SAMPLE "CeO2"', f'*MEAS_SCAN_AXIS_X "{axis}"']
    head += [
        f'*HW_XG_WAVE_LENGTH_ALPHA1 "{ALPHA1}"',
        f'*HW_XG_WAVE_LENGTH_ALPHA2 "{ALPHA2}"',
        "*RAS_HEADER_END",
    ]
    rows = [f"{x:.4f} {y / 2:.4f} 2.0000" for x, y in zip(TWO_THETA, COUNTS, strict=True)]
    return lines(*head, "*RAS_INT_START", *rows, "*RAS_INT_END", "*RAS_DATA_END", end="\r\n")


def rasx() -> bytes:
    packed = BytesIO()
    rows = "\r\n".join(f"{x:.4f}\t{y:.4f}\t1.0" for x, y in zip(TWO_THETA, COUNTS, strict=True))
    conditions = (
        '<?xml version="1.0" encoding="utf-8"?><MeasurementConditions><GeneralInformation>'
        "<SampleName>CeO2</SampleName></GeneralInformation><HWConfigurations><XrayGenerator>"
        f"<WavelengthKalpha1>{ALPHA1}</WavelengthKalpha1><WavelengthKalpha2>{ALPHA2}</WavelengthKalpha2>"
        "</XrayGenerator></HWConfigurations><ScanInformation><AxisName>TwoThetaTheta</AxisName>"
        "</ScanInformation></MeasurementConditions>"
    )
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("Data0/Profile0.txt", "\ufeff" + rows)
        archive.writestr("Data0/MesurementConditions0.xml", "\ufeff" + conditions)
    return packed.getvalue()


CIF_HEAD = "data_{}\n_diffrn_radiation_probe neutron\n_diffrn_radiation_wavelength 1.5402\n"


def cif_scan() -> bytes:
    rows = "\n".join(f"{x:.4f} {y:.0f}" for x, y in zip(TWO_THETA, COUNTS, strict=True))
    head = CIF_HEAD.format("scan") + "loop_\n_pd_meas_2theta_scan\n_pd_meas_counts_total\n"
    return (head + rows + "\n").encode()


def cif_range() -> bytes:
    """The wavelength in a block of its own, the pattern with uncertainties in brackets in another."""
    ends = f"_pd_meas_2theta_range_min {START}\n_pd_meas_2theta_range_max {TWO_THETA[-1]}\n"
    rows = "\n".join(f"{y:.2f}({round(100 * s)}) ." for y, s in zip(COUNTS, SIGMA, strict=True))
    loop = "loop_\n_pd_meas_intensity_total\n_pd_calc_intensity_total\n"
    head = CIF_HEAD.format("publ") + "data_pattern\n" + ends + f"_pd_meas_2theta_range_inc {STEP}\n"
    return (head + loop + rows + "\n").encode()


def cif_corrected() -> bytes:
    rows = "\n".join(f"{x:.4f} {y:.0f}" for x, y in zip(TWO_THETA, COUNTS, strict=True))
    head = CIF_HEAD.format("proc") + "loop_\n_pd_proc_2theta_corrected\n_pd_proc_intensity_total\n"
    return (head + rows + "\n").encode()


def nexus(shape: tuple[int, ...] = (COUNT,), axis: str = "two_theta", units: str = "deg") -> bytes:
    packed = BytesIO()
    with h5py.File(packed, "w") as file:
        file.attrs["default"] = "entry"
        entry = file.create_group("entry")
        entry.attrs["default"] = "data"
        entry["source/probe"] = "neutron"
        entry["monochromator/wavelength"] = 1.909
        data = entry.create_group("data")
        data.attrs.update({"NX_class": "NXdata", "signal": "counts", "axes": axis})
        data["counts"] = np.resize(COUNTS, shape)
        data["counts_errors"] = np.resize(SIGMA, shape)
        data[axis] = np.radians(TWO_THETA) if units == "rad" else TWO_THETA
        data[axis].attrs["units"] = units
    return packed.getvalue()


def nexus_old() -> bytes:
    """As written before 2014: data sets say themselves what they are."""
    packed = BytesIO()
    with h5py.File(packed, "w") as file:
        file["entry/source/probe"] = "x-ray"
        data = file.create_group("entry/data1")
        data.attrs["NX_class"] = "NXdata"
        data["counts"], data["polar_angle"] = COUNTS, TWO_THETA
        data["counts"].attrs["signal"] = 1
        data["polar_angle"].attrs["axis"] = 1
    return packed.getvalue()


def nexus_radians() -> bytes:
    return nexus(units="rad")


#: layout -> (format that must recognise it, first wavelength, second wavelength, radiation, sigma is read)
LAYOUTS: dict[Callable[[], bytes], tuple[str, float | None, float | None, str | None, bool]] = {
    xye: ("columns of text", 1.909, None, "neutron", True),
    xy: ("columns of text", None, None, None, False),
    csv_points: ("columns of text", None, None, None, False),
    csv_integers: ("columns of text", None, None, None, False),
    decimal_comma: ("columns of text", None, None, None, True),
    brackets: ("columns of text", None, None, None, True),
    utf16: ("columns of text", 1.909, None, "neutron", True),
    gsas_std: ("GSAS STD, ESD, FXY, FXYE", None, None, "neutron", True),
    gsas_esd: ("GSAS STD, ESD, FXY, FXYE", None, None, "neutron", True),
    gsas_fxye: ("GSAS STD, ESD, FXY, FXYE", 0.413, None, None, True),
    fullprof_ins1: ("FullProf INS 1, 3, 6", None, None, "neutron", True),
    fullprof_ins3: ("FullProf INS 1, 3, 6", None, None, "neutron", True),
    fullprof_ins6: ("FullProf INS 1, 3, 6", 1.2272, None, "neutron", True),
    psi: ("start step stop (ILL, PSI, DBWS, FullProf INS 0, 5, 8)", 1.494, None, None, True),
    ill: ("start step stop (ILL, PSI, DBWS, FullProf INS 0, 5, 8)", None, None, None, False),
    uxd: ("Bruker UXD", ALPHA1, ALPHA2, "x-ray", False),
    uxd_two_ranges: ("Bruker UXD", ALPHA1, None, "x-ray", True),
    raw1: ("Bruker RAW, version 1", ALPHA1, ALPHA2, "x-ray", False),
    raw2: ("Bruker RAW, version 2", ALPHA1, ALPHA2, "x-ray", False),
    raw3: ("Bruker RAW1.01", ALPHA1, ALPHA2, "x-ray", False),
    raw4: ("Bruker RAW4.00", ALPHA1, ALPHA2, "x-ray", False),
    xrdml: ("PANalytical XRDML", ALPHA1, ALPHA2, "x-ray", False),
    ras: ("Rigaku RAS", ALPHA1, ALPHA2, "x-ray", False),
    rasx: ("Rigaku RASX", ALPHA1, ALPHA2, "x-ray", False),
    cif_scan: ("powder CIF", 1.5402, None, "neutron", False),
    cif_range: ("powder CIF", 1.5402, None, "neutron", True),
    cif_corrected: ("powder CIF", 1.5402, None, "neutron", False),
    nexus: ("NeXus NXdata", 1.909, None, "neutron", True),
    nexus_old: ("NeXus NXdata", None, None, "x-ray", False),
    nexus_radians: ("NeXus NXdata", 1.909, None, "neutron", True),
}

layouts = pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.__name__)


def read_bytes(folder: Path, data: bytes) -> Pattern:
    """Read from a file whose name says nothing."""
    path = folder / "pattern"
    path.write_bytes(data)
    return read_pattern(path)


@layouts
def test_every_layout_comes_back(layout: Callable[[], bytes], tmp_path: Path) -> None:
    pattern = read_bytes(tmp_path, layout())
    np.testing.assert_allclose(pattern.two_theta, TWO_THETA, atol=2e-4)
    np.testing.assert_allclose(pattern.intensity, COUNTS, rtol=1e-6)
    _, wavelength, second, radiation, has_sigma = LAYOUTS[layout]
    assert pattern.wavelength == (None if wavelength is None else pytest.approx(wavelength, abs=1e-6))
    assert pattern.second_wavelength == (None if second is None else pytest.approx(second, abs=1e-6))
    assert pattern.radiation == radiation
    assert (pattern.sigma is not None) == has_sigma
    assert pattern.source.endswith("pattern")
    assert not pattern.simulated


@layouts
def test_the_format_is_found_by_content(layout: Callable[[], bytes], tmp_path: Path) -> None:
    path = tmp_path / "pattern"
    path.write_bytes(layout())
    assert LAYOUTS[layout][0] == find_format(Content(path)).NAME


@pytest.mark.parametrize("layout", [xye, decimal_comma, brackets, gsas_esd, gsas_fxye, psi, cif_range, nexus])
def test_uncertainties_come_back(layout: Callable[[], bytes], tmp_path: Path) -> None:
    np.testing.assert_allclose(read_bytes(tmp_path, layout()).sigma, SIGMA, atol=0.006)


@pytest.mark.parametrize("layout", [gsas_std, fullprof_ins1, fullprof_ins3, fullprof_ins6])
def test_two_counters_halve_the_variance(layout: Callable[[], bytes], tmp_path: Path) -> None:
    np.testing.assert_allclose(read_bytes(tmp_path, layout()).sigma, np.sqrt(COUNTS / 2))


def test_ranges_are_scaled_to_the_longest_time_and_keep_their_noise(tmp_path: Path) -> None:
    sigma = read_bytes(tmp_path, uxd_two_ranges()).sigma
    assert sigma is not None
    # half the counts, doubled: sqrt(2) times the noise of the same number counted in full
    np.testing.assert_allclose(sigma[:60], np.sqrt(2 * COUNTS[:60]))
    np.testing.assert_allclose(sigma[60:], np.sqrt(COUNTS[60:]))


def test_counters_that_run_into_the_counts_are_told_apart(tmp_path: Path) -> None:
    data = fullprof_ins6().replace(b" 2    50", b"12  9950")
    assert read_bytes(tmp_path, data).intensity[0] == 9950


def test_the_caller_knows_better_than_the_file(tmp_path: Path) -> None:
    path = tmp_path / "scan.raw"
    path.write_bytes(raw3())
    pattern = read_pattern(path, wavelength=1.54, radiation="neutron")
    assert (pattern.wavelength, pattern.radiation) == (1.54, "neutron")
    assert read_pattern(path, wavelength=1.5406).second_wavelength == pytest.approx(ALPHA2)
    assert read_pattern(path, wavelength=0.71).second_wavelength is None


def test_points_before_the_beam_and_masked_ends_are_left_out(tmp_path: Path) -> None:
    table = [(-0.1, 5.0), (0.0, 7.0), (0.1, np.nan), *zip(TWO_THETA, COUNTS, strict=True), (99.0, -10000.0)]
    pattern = read_bytes(tmp_path, lines(*(f"{x} {y}" for x, y in table)))
    np.testing.assert_allclose(pattern.intensity, COUNTS)


def test_zeros_before_a_rise_from_nothing_stay(tmp_path: Path) -> None:
    rising = np.round(COUNTS * np.clip((TWO_THETA - 12) / 3, 0, 1) ** 2)
    pattern = read_bytes(tmp_path, lines(*(f"{x} {y}" for x, y in zip(TWO_THETA, rising, strict=True))))
    np.testing.assert_allclose(pattern.intensity, rising)


def test_a_downward_scan_is_turned_round(tmp_path: Path) -> None:
    header, *rows = xye().decode().splitlines()
    pattern = read_bytes(tmp_path, lines(header, *reversed(rows)))
    np.testing.assert_allclose(pattern.intensity, COUNTS)


def test_a_simulated_pattern_says_so(tmp_path: Path) -> None:
    assert read_bytes(tmp_path, xye().replace(b"CeO2", b"CeO2, simulated")).simulated


#: file -> points, first and last two-theta, wavelengths
ORIGINAL_FORMATS = {
    "bruker.uxd": (2374, 3.0, 40.0, 1.5406, 1.54439),
    "bruker_raw1.raw": (178, 10.0, 45.0, 1.5406, 1.54439),
    "bruker_raw101_lab6.raw": (3040, 10.0, 70.004, 1.5406, 1.54439),
    "bruker_raw2.raw": (2374, 3.0, 40.0, 1.5406, 1.54439),
    "bruker_raw4.raw": (4059, 37.0, 120.005, 1.5406, 1.54439),
    "fullprof_ins3_d1b.dat": (400, 10.01, 89.81, None, None),
    "fullprof_ins8_dmc.dat": (800, 3.0, 82.9, 1.7013, None),
    "gsas_esd.gsas": (3296, 3.0, 167.75, None, None),
    "gsas_std.cwn": (2919, 10.0, 155.9, None, None),
    "ill_d1a_dbws.dat": (1579, 0.1, 157.9, None, None),
    "panalytical.xrdml": (196, 30.05, 41.75, 1.540598, 1.544426),
    # the corrected range, 0.0176 deg below the measured one
    # The first and the last point have no weight in the refinement: they were excluded.
    "pdcif_alumina.cif": (3298, 3.0324, 167.8824, 1.5402, None),
    # Two points near the end are zero between thousands of counts.
    "psi_hrpt_dmc.dat": (3198, 2.948, 162.898, 1.494, None),
}


@pytest.mark.skipif(not ORIGINALS.is_dir(), reason=f"measured patterns are not at {ORIGINALS}")
class TestOriginals:
    """Files as instruments and other programs wrote them; they are not part of the repository."""

    @pytest.mark.parametrize("name", ORIGINAL_FORMATS)
    def test_formats(self, name: str) -> None:
        count, first, last, wavelength, second = ORIGINAL_FORMATS[name]
        pattern = read_pattern(ORIGINALS / "formats" / name)
        assert pattern.two_theta.size == count
        np.testing.assert_allclose(pattern.two_theta[[0, -1]], [first, last], atol=1e-3)
        assert pattern.wavelength == (None if wavelength is None else pytest.approx(wavelength, abs=1e-5))
        assert pattern.second_wavelength == (None if second is None else pytest.approx(second, abs=1e-5))

    def test_no_original_is_forgotten(self) -> None:
        files = {path.name for path in (ORIGINALS / "formats").iterdir() if path.suffix != ".csv"}
        assert files == set(ORIGINAL_FORMATS)

    def test_the_same_scan_in_two_formats(self) -> None:
        text, binary = (read_pattern(ORIGINALS / "formats" / name) for name in ("bruker.uxd", "bruker_raw2.raw"))
        np.testing.assert_array_equal(text.intensity, binary.intensity)
        np.testing.assert_allclose(text.two_theta, binary.two_theta, atol=1e-3)

    @pytest.mark.parametrize(
        ("original", "columns"),
        [
            ("gsas_std.cwn", "n_d1a_pbso4.xye"),
            ("gsas_esd.gsas", "n_bt1_lamno3_50k.xye"),
            ("fullprof_ins3_d1b.dat", "n_d1b_ho2banio5.xye"),
            ("fullprof_ins8_dmc.dat", "n_dmc_dymn6ge6.xye"),
        ],
    )
    def test_original_and_its_columns_agree(self, original: str, columns: str) -> None:
        first, second = read_pattern(ORIGINALS / "formats" / original), read_pattern(ORIGINALS / columns)
        np.testing.assert_allclose(first.two_theta, second.two_theta, atol=1e-3)
        np.testing.assert_allclose(first.intensity, second.intensity, rtol=1e-3)

    def test_the_corrected_range_of_a_cif_wins_over_the_measured_one(self) -> None:
        first = read_pattern(ORIGINALS / "formats" / "pdcif_alumina.cif")
        second = read_pattern(ORIGINALS / "n_bt1_alumina_pdcif.xye")
        np.testing.assert_allclose(first.two_theta, second.two_theta[1:-1] - 0.0176, atol=1e-4)
        np.testing.assert_allclose(first.intensity, second.intensity[1:-1], rtol=1e-3)

    def test_labelled_patterns(self) -> None:
        with (ORIGINALS / "labels.csv").open() as table:
            labels = list(csv.DictReader(table))
        assert len(labels) == 54
        for label in labels:
            pattern = read_pattern(ORIGINALS / label["file"])
            assert pattern.two_theta.size == int(label["n_points"]), label["file"]
            assert pattern.two_theta[0] == pytest.approx(float(label["two_theta_min"]), abs=0.01)
            assert pattern.two_theta[-1] == pytest.approx(float(label["two_theta_max"]), abs=0.01)
            assert pattern.wavelength == pytest.approx(float(label["wavelength_A"]))
            assert pattern.radiation == label["radiation"]

    def test_mixtures(self) -> None:
        with (ORIGINALS / "mixtures" / "labels_mixtures.csv").open() as table:
            labels = [row for row in csv.DictReader(table) if (ORIGINALS / "mixtures" / row["file"]).exists()]
        for label in labels:
            pattern = read_pattern(ORIGINALS / "mixtures" / label["file"])
            assert pattern.two_theta.size == int(label["n_points"])
            assert pattern.wavelength is None
