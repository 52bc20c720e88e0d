"""One pattern in every unit and layout gives one Pattern."""

from pathlib import Path

import numpy as np
import pattern_writers as w
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unscatter.io.patterns import read_pattern
from unscatter.nouns.pattern import Pattern


def read(folder: Path, data: bytes, **options: object) -> Pattern:
    path = folder / "pattern"
    path.write_bytes(data)
    return read_pattern(path, **options)  # type: ignore[arg-type]


def assert_same(pattern: Pattern, counts: np.ndarray = w.COUNTS) -> None:
    np.testing.assert_allclose(pattern.two_theta, w.TWO_THETA, atol=2e-5)
    np.testing.assert_allclose(pattern.intensity, counts, rtol=1e-6)
    assert pattern.wavelength == pytest.approx(w.WAVELENGTH, abs=1e-5)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("same")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    label=st.sampled_from(list(w.AXES)),
    wavelength=st.sampled_from(w.WAVELENGTHS),
    layout=st.sampled_from([(" ", "."), ("\t", "."), (",", "."), (";", "."), (";", ","), ("\t", ",")]),
    comment=st.sampled_from(["# ", "! ", "; ", "", "' "]),
    descending=st.booleans(),
    sigma=st.booleans(),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"]),
)
def test_columns_in_any_unit_and_layout(
    label: str,
    wavelength: str,
    layout: tuple[str, str],
    comment: str,
    descending: bool,
    sigma: bool,
    end: str,
    encoding: str,
    folder: Path,
) -> None:
    # a label with blanks is parted from the next one by more than a blank
    separator = "   " if layout[0] == " " else layout[0]
    data = w.text(label, wavelength=wavelength, separator=separator, decimal=layout[1], comment=comment,
                  descending=descending, sigma=sigma, end=end, encoding=encoding)  # fmt: skip
    pattern = read(folder, data)
    assert_same(pattern)
    assert (pattern.sigma is not None) == sigma
    if sigma:
        np.testing.assert_allclose(pattern.sigma, w.SIGMA, rtol=1e-6)
    assert not any("assumed to be two-theta" in told for told in pattern.assumptions)


#: The middle of a bin of Q is not the middle of a bin of two-theta: edges are tried with two-theta alone.
NEXUS = [
    *((name, units, how) for name, units in (
        ("two_theta", "deg"), ("two_theta", "rad"), ("theta", "deg"), ("theta", "rad"), ("Q", "1/angstrom"),
        ("Q", "1/nm"), ("d", "angstrom"), ("d", "nm"), ("x", "1/nm"),
    ) for how in ({}, {"scaled": True}, {"energy": True})),
    ("two_theta", "deg", {"edges": True}),
    ("two_theta", "rad", {"edges": True}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "units", "how"), NEXUS)
def test_nexus_in_any_unit(name: str, units: str, how: dict[str, bool], tmp_path: Path) -> None:
    pattern = read(tmp_path, w.nexus(name, units, **how))
    assert_same(pattern)
    assert pattern.radiation == "x-ray"
    np.testing.assert_allclose(pattern.sigma, w.SIGMA)


@pytest.mark.parametrize("dotted", [False, True])
@pytest.mark.parametrize(
    "tag", ["_pd_meas_2theta_scan", "_pd_proc_2theta_corrected", "_pd_proc_recip_len_Q", "_pd_proc_d_spacing"]
)
def test_cif_in_any_unit_and_spelling(tag: str, dotted: bool, tmp_path: Path) -> None:
    pattern = read(tmp_path, w.cif(tag, dotted=dotted))
    assert_same(pattern)
    np.testing.assert_allclose(pattern.sigma, w.SIGMA)


@pytest.mark.parametrize(
    "write",
    [
        w.philips_udf,
        lambda: w.philips_udf(end=",/"),
        lambda: w.philips_udf(end=""),
        w.sietronics_cpi,
        w.jade_mdi,
        lambda: w.jade_mdi(end="      -1\n."),
        w.fullprof_prf,
        lambda: w.fullprof_prf(zero=0.1),
        w.bruker_brml,
        lambda: w.bruker_brml(named=False),
    ],
)
def test_formats_of_vendors(write: w.Writer, tmp_path: Path) -> None:
    assert_same(read(tmp_path, write()))


@pytest.mark.parametrize("version", [b"V3RD", b"V5RD"])
@pytest.mark.parametrize("continuous", [False, True])
def test_philips_rd_holds_square_roots(version: bytes, continuous: bool, tmp_path: Path) -> None:
    data, counts = w.philips_rd(version, continuous)
    assert_same(read(tmp_path, data), counts)


@pytest.mark.parametrize("unit", ["2th_deg", "2th_rad", "q_nm^-1", "q_A^-1"])
def test_the_corner_of_the_detector_tells_the_unit_of_pyfai(unit: str, tmp_path: Path) -> None:
    pattern = read(tmp_path, w.pyfai(unit))
    assert_same(pattern)
    assert any(f"as {unit} does at the corner of the detector" in told for told in pattern.assumptions)


@pytest.mark.parametrize(
    ("label", "axis"),
    [("2Theta", "two-theta"), ("Theta (deg)", "theta"), ("Q (1/A)", "q"), ("q_nm^-1", "q-nm"), ("d (A)", "d")],
)
def test_columns_without_names_are_what_the_user_says(label: str, axis: str, tmp_path: Path) -> None:
    bare = b"\n".join(w.text(label, sigma=False).split(b"\n")[2:])
    pattern = read(tmp_path, bare, axis=axis, wavelength=w.WAVELENGTH)
    assert_same(pattern)
    assert read(tmp_path, w.text("2Theta"), axis="two-theta").assumptions == ()


def test_an_anode_stands_for_its_k_alpha_1(tmp_path: Path) -> None:
    pattern = read(tmp_path, w.sietronics_cpi(wavelength=""))
    assert pattern.wavelength == pytest.approx(1.54059, abs=1e-5)
    assert any("K-alpha 1 of the anode Cu" in told for told in pattern.assumptions)
