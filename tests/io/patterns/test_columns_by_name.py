"""Columns are picked by their names, and the header of a table is read for what it says, in every spelling."""

from pathlib import Path

import numpy as np
import pattern_writers as w
import pytest
from test_pattern_kinds import RISING, D, Q, X, Y, table, told
from test_same_pattern import read

STEPPED = np.where(X > 50, 2.0, 1.0)


NAMED = {
    "time per step": table("Angle,TimePerStep,Intensity,ESD", X, 0 * X + 20, Y, w.SIGMA, separator=","),
    "point first": table("# Point 2theta Counts", np.arange(X.size), X, Y),
    "d beside": table("d,2theta,I", D, X, Y, separator=","),
    "observed, calculated": table("2theta ycalc yobs", X, Y + 5, Y),
    "HighScore": table("Pos. [°2Th.];Iobs [cts];Icalc [cts];Iback [cts]", X, Y, Y + 1, 0 * Y + 50, separator=";"),
    "GSAS-II": table('"x","y_obs","weight","y_calc","y_bkg","Q"', X, Y, 1 / Y, Y, 0 * Y, Q, separator=","),
    "Mantid": table("# d-Spacing (Angstrom) Y E", D, Y, w.SIGMA),
    "FIT2D": table("a.tif\n2-Theta Angle (Degrees)\nIntensity\n  1200", X, Y),
    "FIT2D over Q": table("a.tif\nQ (Inverse Nanometres)\nIntensity\n  1200", 10 * Q, Y),
    "a line of units": table("2Theta\tIntensity\nrad\tcounts", np.radians(X), Y, separator="\t"),
    "a statement": table("# x-axis: Q (1/nm)\n# y-axis: counts", 10 * Q, Y),
    "columns counted": table("# column 1: Q (1/A)\n# column 2: intensity", Q, Y),
    "names behind a word": table("# Columns: [Q (1/nm), I(Q), sigma]", 10 * Q, Y, w.SIGMA),
    "names behind letters": table("# x = q (nm^-1), y = I, e = sigma", 10 * Q, Y, w.SIGMA),
    "a line for each column": table("# col1: intensity\n# col2: two theta", Y, X),
    "SPEC": table("#S 1 ascan tth 20 80 1200 1\n#L Q(A^-1)  I", Q, Y),
    "SPEC with indices": table("#L tth  H  K  L  det", X, 0 * X, 0 * X, X / 20, Y),
    "PDFgetX3": table("[DEFAULT]\ndataformat = Qnm\n#### start data", 10 * Q, Y),
    "Mantid's words": table("# The X-axis unit is: d-Spacing\n# The Y-axis unit is: Counts per Angstrom", D, Y),
    "units in brackets below": table("q\tI\n[nm⁻¹]\t[-]", 10 * Q, Y, separator="\t"),
    "units of Origin": table("Scattering vector\tI\nnm\\+(-1)\ta.u.\n\tsample 1", 10 * Q, Y, separator="\t"),
    "a name that only its unit explains": table("Abstand [nm]\tIntensität", D / 10, Y, separator="\t"),
    "an index beside a detector": table("index;Angle;PSD;Filter", np.arange(X.size), X, Y, 0 * X + 1, separator=";"),
    "a clock": table("2theta,Counts,Time (s)", X, Y, np.arange(X.size), separator=","),
    "a rate beside times": table("2theta,cps,TimePerStep", X, Y, RISING, separator=","),
    "divided by bare times": table("2theta,Counts,Time", X, Y * STEPPED, STEPPED, separator=","),
    "JSON": table('# {"unit": "q_nm^-1", "method": "csr"}', 10 * Q, Y),
    "names of one blank": table("# 2 theta (deg) Intensity (counts)", X, Y),
    "a coupled scan": table("Theta-2Theta (deg),Counts", X, Y, separator=","),
    "omega beside it": table("Omega/2Theta;Counts", X, Y, separator=";"),
    "a dot between": table("2·θ / °;I / a.u.", X, Y, separator=";"),
    "in German": table("Beugungswinkel 2Theta [°];Zählrate [cps]", X, Y, separator=";"),
    "brackets": table("Angle (2θ)\tIntensity (counts)", X, Y, separator="\t"),
    "units behind commas": table("# q, 1/nm  I, a.u.", 10 * Q, Y),
    "an inverse in words": table("# q in inverse nm, intensity", 10 * Q, Y),
    "an inverse in letters": table("q_inv_nm,I", 10 * Q, Y, separator=","),
    "an index without a name": table(",2theta,intensity", np.arange(X.size), X, Y, separator=","),
    "temperatures": table("2theta,300K,350K", X, Y, Y[::-1], separator=","),
    "sample and can": table("2theta\tsample\tempty can", X, Y, Y[::-1], separator="\t"),
    "units below names of three": table("2Theta,Intensity,Error\ndeg,counts,counts", X, Y, w.SIGMA, separator=","),
    "corrected beside raw": table("2theta,I_raw,I_corr", X, Y * RISING, Y, separator=","),
    "a sum beside its parts": table("2theta,ch1,ch2,sum", X, Y / 2, Y / 2, Y, separator=","),
    "gon": table("2theta (gon),I", X / 0.9, Y, separator=","),
    "numbers for names": table("0,1,2", X, Y, w.SIGMA, separator=","),
    "a statement, no name": table("# wavelength 1.5406 (A)", X, Y),
    "divided by times": table("2theta,Counts,TimePerStep", X, Y * RISING * 1.5, RISING, separator=","),
    "divided by a monitor": table("2theta,Counts,Monitor", X, Y * RISING * 1.5, RISING * 1e6, separator=","),
}


@pytest.mark.parametrize("name", NAMED)
def test_columns_are_picked_by_their_names(name: str, tmp_path: Path) -> None:
    pattern = read(tmp_path, NAMED[name], wavelength=w.WAVELENGTH)
    factor = 1 / 1.5 if name.startswith("divided") else 1.0
    np.testing.assert_allclose(pattern.intensity * factor * Y[0] / (pattern.intensity[0] * factor), Y, rtol=1e-6)
    np.testing.assert_allclose(pattern.two_theta, X, atol=2e-5)
    if name in ("HighScore", "GSAS-II"):
        assert told(pattern, "columns")
    if name == "GSAS-II":
        np.testing.assert_allclose(pattern.sigma, np.sqrt(Y))
    if name.startswith("divided"):
        assert told(pattern, "the intensity was divided by the column")


def with_words(names: str, words: str, *, first: bool) -> bytes:
    rows = (f"{words},{x:.9g},{y:.9g}" if first else f"{x:.9g},{y:.9g},{words}" for x, y in zip(X, Y, strict=True))
    return "\n".join([names, *rows, ""]).encode()


@pytest.mark.parametrize("words", ["2024-05-01T12:30:00", "12:30:00", "ok", "run 3"])
def test_columns_of_words_beside_the_numbers_are_passed_over(words: str, tmp_path: Path) -> None:
    for data in (with_words("time,2theta,I", words, first=True), with_words("2theta,I,status", words, first=False)):
        pattern = read(tmp_path, data)
        np.testing.assert_array_equal(pattern.intensity, Y)
        assert pattern.sigma is None


REFUSED = {
    "channel": table("channel,counts", np.arange(X.size) / 10 + 5, Y, separator=","),
    "Temperature (K)": table("Temperature (K),counts", X, Y, separator=","),
    "s (1/nm)": table("# s (1/nm)   I", 10 / D, Y),
    "omega": table("Omega Counts", X, Y),
    "strip": table("strip,counts", np.arange(X.size) / 10, Y, separator=","),
    "frequency": table("frequency (THz),counts", X, Y, separator=","),
    "r": table("r,G(r)", X / 4, Y, separator=","),
    "chi_deg": table("# chi_deg I sigma", X, Y, w.SIGMA),
    "r_mm": table("# r_mm I sigma", X, Y, w.SIGMA),
    "log(q)": table("log(q),I", X, Y, separator=","),
    "Energy (keV)": table("Energy (keV)  Counts", X, Y),
    "Time-of-flight": table("# Time-of-flight (microseconds)   Y   E", 100 * X, Y, w.SIGMA),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_named_and_no_axis_of_diffraction_is_refused_by_its_name(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected two-theta") as caught:
        read(tmp_path, REFUSED[name], wavelength=1.5406)
    assert name.lower()[:6] in str(caught.value).lower()


@pytest.mark.parametrize("name", ["sigma (%)", "rel. error", "dI/I", "error [%]", "relative sigma"])
def test_relative_uncertainties_are_made_absolute(name: str, tmp_path: Path) -> None:
    share = w.SIGMA / Y * (100 if "%" in name else 1)
    pattern = read(tmp_path, table(f"2theta,I,{name}", X, Y, share, separator=","))
    np.testing.assert_allclose(pattern.sigma, w.SIGMA, rtol=1e-6)


@pytest.mark.parametrize("name", ["mask", "excluded", "flag", "quality", "valid", "used"])
def test_points_that_a_column_marks_are_left_out(name: str, tmp_path: Path) -> None:
    gap = (X > 40) & (X < 41)
    marks = np.where(gap, 0, 1) if name in ("valid", "used", "quality") else np.where(gap, 1, 0)
    pattern = read(tmp_path, table(f"2theta,I,{name}", X, np.where(gap, 12345, Y), marks, separator=","))
    np.testing.assert_array_equal(pattern.intensity, Y[~gap])
    assert told(pattern, f"19 points are marked in the column {name!r}")


UNNAMED = {
    "d beside two-theta": (X, D, Y),
    "d behind the intensity": (X, Y, D),
    "a counter": (np.arange(1, X.size + 1), X, Y),
    "d beside, and the uncertainty": (X, D, Y, w.SIGMA),
}


@pytest.mark.parametrize("name", UNNAMED)
def test_a_column_that_runs_is_neither_intensity_nor_uncertainty(name: str, tmp_path: Path) -> None:
    pattern = read(tmp_path, table("", *UNNAMED[name]))
    np.testing.assert_allclose(pattern.two_theta, X)
    np.testing.assert_array_equal(pattern.intensity, Y)
    assert (pattern.sigma is not None) == ("uncertainty" in name)
    assert told(pattern, "counts the points" if name == "a counter" else "runs as an axis does")


def test_words_among_the_rows_are_told(tmp_path: Path) -> None:
    half = X.size // 2
    data = table("# 2theta I", X[:half], Y[:half]) + table("# step time 10 s", X[half:], Y[half:])
    pattern = read(tmp_path, data)
    np.testing.assert_array_equal(pattern.intensity, Y)
    assert told(pattern, "the first of them '# step time 10 s'")


SAID = {
    "# x: q (nm^-1), y: I": 10 * Q,
    "## Q in 1/nm, intensity in counts": 10 * Q,
    "# [0] q_nm^-1, [1] I": 10 * Q,
    "# 1: Q (1/nm)  2: I": 10 * Q,
    "# 1st column Q in nm^-1, 2nd column I": 10 * Q,
    '@    xaxis  label "Q (nm\\S-1\\N)"': 10 * Q,
    'set xlabel "Q (1/nm)"': 10 * Q,
    "# plot of I versus Q (nm^-1)": 10 * Q,
    "# momentum transfer Q in inverse nm": 10 * Q,
    "# radial_unit q_nm^-1": 10 * Q,
    "# column1=Q (1/nm);column2=I": 10 * Q,
    "# Column 1 : Q  unit 1/nm\n# Column 2 : I": 10 * Q,
    "# Q (1/nm) | I": 10 * Q,
    "<Q> <I>": Q,
    "Q\nI": Q,
    "# data: Q vs I": Q,
    "# d vs. intensity": D,
    "# xunit: Angstrom": D,
    "# X axis is d-spacing": D,
}


@pytest.mark.parametrize("head", SAID)
def test_an_axis_that_is_named_anywhere_in_the_header_is_that(head: str, tmp_path: Path) -> None:
    pattern = read(tmp_path, table(head, SAID[head], Y), wavelength=w.WAVELENGTH)
    np.testing.assert_allclose(pattern.two_theta, X, atol=2e-5)


FACTS = [
    "# Q range 0.5 to 25 1/A",
    "# Qmax = 25 (1/A)",
    "# Q (1/A) 25 at most",
    "# d-spacing of the monochromator 3.1355 A",
    "# from the sample to the detector, d (mm) 250",
    "# distance d (mm)",
    "# tilt theta (deg) 30",
]


@pytest.mark.parametrize("head", FACTS)
def test_facts_of_a_header_name_no_axis(head: str, tmp_path: Path) -> None:
    np.testing.assert_allclose(read(tmp_path, table(head, X, Y)).two_theta, X)


@pytest.mark.parametrize("head", ["# X units: inverse Angstroms", "# X-Unit: 1/A", "Zeta (1/A),I"])
def test_an_axis_of_which_only_the_unit_is_known_is_read_as_advised(head: str, tmp_path: Path) -> None:
    data = table(head, Q, Y, separator="," if "," in head else " ")
    with pytest.raises(ValueError, match=r"dimension inverse length.*--axis q or q-nm"):
        read(tmp_path, data, wavelength=w.WAVELENGTH)
    np.testing.assert_allclose(read(tmp_path, data, wavelength=w.WAVELENGTH, axis="q").two_theta, X, atol=2e-5)


@pytest.mark.parametrize(
    "name", ["log(I)", "log10 counts", "sqrt(I)", "Intensity (log)", "ln(counts)", "I (dB)", "I*Q^2", "q^4*I"]
)
def test_logarithms_and_roots_of_intensities_are_refused_by_their_name(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="logarithms or roots"):
        read(tmp_path, table(f"2theta,{name}", X, np.log10(Y), separator=","))


def test_pairs_one_behind_the_other_are_read_in_their_order(tmp_path: Path) -> None:
    pairs = table("made up", *(column[i::3] for i in range(3) for column in (X, Y)))
    pattern = read(tmp_path, pairs)
    np.testing.assert_allclose(pattern.two_theta, X)
    np.testing.assert_allclose(pattern.intensity, Y)
    assert told(pattern, "pairs of position and intensity")


def test_what_has_no_name_is_told(tmp_path: Path) -> None:
    assert told(read(tmp_path, table("a title", X, Y)), "assumed to be two-theta in degrees")
    assert told(read(tmp_path, table("Angle,Intensity", X, Y, separator=",")), "'Angle' is assumed to be two-theta")
    assert told(read(tmp_path, table("", X, Y, w.SIGMA)), "third column is assumed to be the uncertainty")


# --- wavelengths ------------------------------------------------------------------------------------------------------

HEADERS = {
    "K-Alpha1 wavelength,1.5406\nK-Alpha2 wavelength,1.54443": (1.5406, 1.54443),
    "lambda1 = 1.5406, lambda2 = 1.5444": (1.5406, 1.5444),
    "lambda(Ka2) = 1.54439 lambda(Ka1) = 1.54056": (1.54056, 1.54439),
    "Storage ring energy 6 GeV, photon energy 12.3984 keV": (1.0, None),
    "wavelength 1.5406 A, energy resolution 200 eV": (1.5406, None),
    "K-Beta wavelength 1.39225, K-Alpha1 wavelength 1.5406": (1.5406, None),
    "lambda/2 filter": (None, None),
    "neutrons, E = 81.8042 meV": (1.0, None),
    '{"wavelength": {"value": 0.15406, "unit": "nm"}}': (1.5406, None),
    '{"wavelength": 7.2932e-11, "dist": 0.12}': (0.72932, None),
    '{"wavelength": 0.15406, "wavelength_unit": "nm"}': (1.5406, None),
    '{"setup": {"Wavelength_nm": 0.15406}}': (1.5406, None),
    "wavelength/nm = 0.178897": (1.78897, None),
    "lambda_pm: 154.06": (1.5406, None),
    "wavelength in nm: 0.15406": (1.5406, None),
    "wavelength 0.15406 +/- 0.00002 nm": (1.5406, None),
    "wavelength: 0.15406 (unit: nm)": (1.5406, None),
    "wavelength;0.15406;nm": (1.5406, None),
    "wavelength unit: nm\nwavelength: 0.15406": (1.5406, None),
    "longitud de onda: 0,15406 nm": (1.5406, None),
    "neutrons, Ei = 81.8042 meV": (1.0, None),
    "Wavelength K-Alpha1 : 1.54060\nWavelength K-Alpha2 : 1.54443": (1.5406, 1.54443),
    "Kalpha1=1.5406\nKalpha2=1.54443": (1.5406, 1.54443),
    "K-alpha1 share 0.9": (None, None),
    "wavelength range 0.5 - 2.5 A": (None, None),
    "lambda_max 1.5406": (None, None),
    "Target: Co": (1.788996, None),
    "Cu K-alpha": (1.5405929, None),
    '\'Id: "" Anode: "Co" Scantype: "Coupled"': (1.788996, None),
}


@pytest.mark.parametrize("header", HEADERS)
def test_wavelengths_in_headers(header: str, tmp_path: Path) -> None:
    head = "\n".join(f"# {line}" for line in header.split("\n"))
    pattern = read(tmp_path, table(head + "\n# 2theta counts", X, Y))
    first, second = HEADERS[header]
    assert pattern.wavelength == (None if first is None else pytest.approx(first, rel=1e-5))
    assert pattern.second_wavelength == second
    if "wavelength" not in header and "lambda" not in header and first in (1.5405929, 1.788996):
        assert told(pattern, "K-alpha 1 of the anode")


def test_one_of_two_wavelengths_is_told(tmp_path: Path) -> None:
    pattern = read(tmp_path, table("# wavelength 1.5406 A\n# wavelength of the last run 0.7093 A\n# 2theta I", X, Y))
    assert pattern.wavelength == 1.5406
    assert told(pattern, "1.5406 A is used, not 0.7093")
