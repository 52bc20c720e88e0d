"""What cannot be a powder pattern is refused in one line that says what was seen, expected and to be done."""

import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from test_pattern_formats import (
    COUNT,
    COUNTS,
    LAYOUTS,
    TWO_THETA,
    fullprof_ins3,
    gsas_esd,
    gsas_std,
    layouts,
    lines,
    nexus,
    psi,
    ras,
    rasx,
    raw1,
    raw2,
    raw3,
    raw4,
    read_bytes,
    uxd,
    xrdml,
    xye,
)

from unscatter.io.patterns import read_pattern
from unscatter.nouns.pattern import Pattern


def table(two_theta: np.ndarray = TWO_THETA, intensity: np.ndarray = COUNTS) -> bytes:
    return lines(*(f"{x:.4f} {y}" for x, y in zip(two_theta, intensity, strict=True)))


def at(row: int, value: float) -> np.ndarray:
    changed = COUNTS.astype(float)
    changed[row] = value
    return changed


def zipped(**members: bytes) -> bytes:
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return packed.getvalue()


BAD: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "empty"),
    "words": (b"these are only words\nand more words\n", "no numbers"),
    "blank": (b"\n\n   \n", "unknown kind"),
    "one column": (lines(*(f"{y:.0f}" for y in COUNTS)), "one column"),
    "broken line": (table()[:-8], "cut short|no angle|holds 1 numbers"),
    "broken number": (table().replace(b"15.0000 ", b"15.0000 x"), "not a row of numbers"),
    "image as text": (lines(*(" ".join(["7"] * 40) for _ in range(40))), "40 numbers a line"),
    "angles back": (table(np.r_[TWO_THETA[:60], TWO_THETA[:60]]), "not of one pattern"),
    "intensities first": (table(COUNTS, TWO_THETA), "does not increase.*right column is first"),
    "beyond 180": (table(TWO_THETA * 10), "at most 180"),
    "all zero": (table(intensity=0 * COUNTS), "zero"),
    "negative": (table(intensity=-COUNTS), "negative"),
    "half negative": (table(intensity=COUNTS - 0.5 * COUNTS.max()), "negative"),
    "deep hole": (table(intensity=at(50, -5000)), "negative"),
    "mostly nan": (table(intensity=np.where(np.arange(COUNT) % 3 == 0, COUNTS, np.nan)), "are not numbers"),
    "few points": (table(TWO_THETA[::3], COUNTS[::3]), "too few"),
    "short range": (table(10 + TWO_THETA / 10), "too few"),
    "sigma below zero": (xye().replace(b" 50 7.07", b" 50 -7.07"), "uncertainties"),
    "zero wavelength": (xye().replace(b"1.909", b"0.000"), "wavelength of 0 A"),
    "PNG": (b"\x89PNG\r\n\x1a\n" + bytes(100), "picture"),
    "JPEG": (b"\xff\xd8\xff\xe0" + bytes(100), "picture"),
    "TIFF": (b"II*\0" + bytes(100), "detector image"),
    "TIFF, big-endian": (b"MM\0*" + bytes(100), "detector image"),
    "NumPy": (b"\x93NUMPY\x01\0" + bytes(100), "two columns"),
    "Stoe": (b"RAW_1.06" + bytes(500), "Stoe.*two columns"),
    "unknown binary": (bytes(500), "unknown kind"),
    "workbook": (zipped(**{"xl/workbook.xml": b"<x/>"}), "workbook"),
    "bomb": (zipped(**{"Data0/Profile0.txt": b"0 " * (33 * 2**20)}), "too much"),
    "damaged zip": (rasx()[:-30], "damaged zip"),
    "entities": (xrdml('<!DOCTYPE a [<!ENTITY b "c">]>'), "DOCTYPE"),
    "entities in a zip": (
        zipped(
            **{
                "Data0/Profile0.txt": b"1 2 1",
                "Data0/MesurementConditions0.xml": b"<!DOCTYPE a [<!ENTITY b 'c'>]><a/>",
            }
        ),
        "DOCTYPE",
    ),
    "XML cut short": (xrdml()[:-40], "not well formed"),
    "XRDML over omega": (xrdml().replace(b'axis="2Theta"', b'axis="Phi"'), "no scan over 2Theta"),
    "too many scans": (zipped(**{f"Data{i}/Profile{i}.txt": b"1 2 1" for i in range(101)}), "101 scans"),
    "RAS over omega": (ras("Omega"), "scan over Omega"),
    "RAS cut short": (ras()[:-200], "cut short"),
    "UXD over theta": (uxd().replace(b"COUPLED", b"THETA"), "scan over THETA"),
    "RAW1 cut short": (raw1()[:-9], "cut short"),
    "RAW2 cut short": (raw2()[:-9], "cut short"),
    "RAW1.01 cut short": (raw3()[:-9], "cut short"),
    "RAW1.01 rocking": (raw3(axis=3), "not over two-theta"),
    "RAW1.01 overlapping": (raw3(ranges=((0, COUNT), (0, COUNT - 5))), "overlap"),
    "RAW2 without header": (raw2()[:256] + bytes(60), "damaged"),
    "RAW1.01 without header": (raw3()[:712] + bytes(400), "damaged"),
    "RAW4.00 cut short": (raw4()[:-9], "cut short"),
    "RAW4.00 rocking": (raw4(b"Rocking Curve"), "Rocking Curve"),
    "GSAS cut short": (gsas_std()[:-300], "cut short"),
    "GSAS time of flight": (gsas_std().replace(b"CONST", b"SLOG"), "time of flight"),
    "GSAS unknown": (gsas_esd().replace(b"ESD", b"ALT"), "'ALT'"),
    "FullProf cut short": (fullprof_ins3()[:-200], "cut short"),
    "PSI cut short": (psi()[:500], "cut short"),
    "crystal CIF": (b"data_x\n_cell_length_a 5.43\n", "crystal structure"),
    "CIF without angles": (
        b"data_x\nloop_\n_pd_meas_counts_total\n" + b"5\n" * 60,
        "no two-theta",
    ),
    "broken CIF": (b"data_x\nloop_\n_pd_meas_counts_total\n'\n", "cannot be read"),
    "HDF5 without data": (nexus().replace(b"NXdata", b"NXnote"), "without NXdata"),
    "NeXus image": (nexus((3, 4, COUNT)), "shape"),
    "NeXus over Q": (nexus(axis="Q"), "'Q' in 'deg': that is no unit of Q"),
    "NeXus over omega": (nexus(axis="omega"), "'omega' is another angle, not two-theta"),
    "NeXus cut short": (nexus()[:900], "cannot be opened as HDF5"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_files_are_refused_in_one_line(name: str, tmp_path: Path) -> None:
    data, reason = BAD[name]
    with pytest.raises(ValueError, match=reason) as caught:
        read_bytes(tmp_path, data)
    assert str(caught.value).startswith("pattern: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("wavelength", [0.0, -1.5, 51.0, 0.01, 0.154 / 10, np.nan])
def test_impossible_wavelengths_are_refused(wavelength: float, tmp_path: Path) -> None:
    path = tmp_path / "scan.xye"
    path.write_bytes(xye())
    with pytest.raises(ValueError, match="wavelength"):
        read_pattern(path, wavelength=wavelength)


def test_a_wavelength_that_reaches_no_spacing_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "scan.xye"
    path.write_bytes(xye())
    with pytest.raises(ValueError, match="in Angstrom"):
        read_pattern(path, wavelength=15.4)


def test_unknown_radiation_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "scan.xye"
    path.write_bytes(xye())
    with pytest.raises(ValueError, match="neutron"):
        read_pattern(path, radiation="gamma")  # type: ignore[arg-type]


def test_missing_files_and_folders(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="does not exist"):
        read_pattern(tmp_path / "none.xy")
    with pytest.raises(ValueError, match="a folder"):
        read_pattern(tmp_path)


def test_a_few_points_below_zero_are_background_subtraction(tmp_path: Path) -> None:
    assert read_bytes(tmp_path, table(intensity=at(3, -5))).intensity[3] == -5


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"intensity": COUNTS[:-1]}, "one number per angle"),
        ({"sigma": COUNTS[:-1]}, "one number per angle"),
        ({"intensity": at(3, np.nan)}, "not finite"),
        ({"two_theta": TWO_THETA[::-1]}, "must increase"),
        ({"wavelength": 0.0}, "wavelength 0"),
        ({"second_wavelength": 100.0}, "wavelength 100"),
        ({"radiation": "electron"}, "neutron"),
    ],
)
def test_the_noun_refuses_what_is_not_a_pattern(change: dict[str, object], reason: str) -> None:
    numbers: dict[str, object] = {"two_theta": TWO_THETA, "intensity": COUNTS} | change
    with pytest.raises(ValueError, match=reason):
        Pattern(**numbers)  # type: ignore[arg-type]


def read_or_refuse(folder: Path, data: bytes) -> None:
    """Arbitrary bytes are a pattern or a ValueError in one line, never anything else."""
    message = ""
    try:
        read_bytes(folder, data)
    except ValueError as error:
        message = str(error)
    assert "\n" not in message


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


BEGINNINGS = [
    b"", b"RAW ", b"RAW2", b"RAW1.01\0", b"RAW4.00\0", b"PK\x03\x04", b"\x89HDF\r\n\x1a\n", b"data_x\n_a ",
    b"\xff\xfe", b"<xrdMeasurements", b"*RAS_DATA_START\n*RAS_INT_START\n", b"_DRIVE='COUPLED'\n_COUNTS\n",
    b"1 0.1 20\n", b"10 1\n", b"t\nBANK 1 9 9 CONST 1 1 0 0\n",
]  # fmt: skip


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(beginning=st.sampled_from(BEGINNINGS), rest=st.binary(max_size=2000))
@example(beginning=b"RAW ", rest=b"\xff" * 400)
def test_arbitrary_bytes(beginning: bytes, rest: bytes, folder: Path) -> None:
    read_or_refuse(folder, beginning + rest)


@settings(max_examples=300, deadline=None)
@given(
    text=st.text(alphabet="0123456789.,;-+eE()#! \n\t_'\"ab<>&", max_size=500),
    start=st.sampled_from(BEGINNINGS),
)
def test_arbitrary_text(text: str, start: bytes, folder: Path) -> None:
    read_or_refuse(folder, start + text.encode())


# damage inside HDF5 is left to that library's own tests
FILES = [layout() for layout in LAYOUTS if not layout.__name__.startswith("nexus")]


@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_damaged_files(data: st.DataObject, folder: Path) -> None:
    damaged = bytearray(data.draw(st.sampled_from(FILES)))
    for _ in range(data.draw(st.integers(1, 6))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    read_or_refuse(folder, bytes(damaged))


@layouts
def test_files_cut_anywhere(layout: Callable[[], bytes], folder: Path) -> None:
    whole = layout()
    for end in np.linspace(0, len(whole) - 1, 40, dtype=int):
        read_or_refuse(folder, whole[:end])
