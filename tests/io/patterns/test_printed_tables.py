"""Tables and headers as people print them: thousands, remarks, two wavelengths under one name."""

import time
from pathlib import Path

import numpy as np
import pattern_writers as w
import pytest
from test_pattern_kinds import table
from test_same_pattern import read

from unscatter.io.patterns import read_pattern

X, Y, Q = w.TWO_THETA, w.COUNTS, w.Q

LARGE = np.round(Y * 100)
PRINTED = {
    "quoted commas": ("2Theta,Intensity", '{x:.2f},"{y:,.0f}"', ""),
    "tabs": ("2Theta\tIntensity", "{x:.2f}\t{y:,.0f}", ""),
    "German": ("2Theta;Intensität", "{x};{y}", "German"),
    "Swiss": ("2Theta Intensity", "{x:.2f} {y}", "'"),
    "blanks between semicolons": ("2Theta;Intensity", "{x:.2f};{y}", " "),
    "blanks that do not break": ("2Theta Intensity", "{x:.2f}\t{y}", "\u202f"),
}


@pytest.mark.parametrize("name", PRINTED)
def test_separators_of_thousands_are_no_columns(name: str, tmp_path: Path) -> None:
    head, form, mark = PRINTED[name]
    rows = [head]
    for x, y in zip(X, LARGE, strict=True):
        if mark == "German":
            rows.append(f"{x:.2f}".replace(".", ",") + ";" + f"{y:,.0f}".replace(",", "."))
        else:
            rows.append(form.format(x=x, y=f"{y:,.0f}".replace(",", mark) if mark else y))
    pattern = read(tmp_path, "\n".join(rows).encode())
    np.testing.assert_allclose(pattern.intensity, LARGE)
    np.testing.assert_allclose(pattern.two_theta, X, atol=0.006)


def test_two_wavelengths_under_one_name_are_a_doublet(tmp_path: Path) -> None:
    pattern = read(tmp_path, table("! wavelength 1.54060 1.54439 0.5", X, Y))
    assert (pattern.wavelength, pattern.second_wavelength) == (1.5406, 1.54439)


REMARKED = ("# q_nm^-1 scattering", "# s = 2 sin(theta)/lambda [1/nm]; I", "# 2theta (mrad) counts; x")


@pytest.mark.parametrize("head", REMARKED)
def test_names_with_remarks_behind_them_name_the_axis(head: str, tmp_path: Path) -> None:
    axis = {"q": 10 * Q, "s": 10 * Q / (2 * np.pi), "2": 1000 * np.radians(X)}[head[2]]
    pattern = read(tmp_path, table(head, axis, Y), wavelength=w.WAVELENGTH)
    np.testing.assert_allclose(pattern.two_theta, X, atol=1e-4)


@pytest.mark.parametrize("remark", ["", " # of a detector", "\nthe stage has moved"])
@pytest.mark.parametrize("mark", [" ", ",", ";", "\t"])
def test_uncertainties_in_brackets_count_in_the_last_digit(mark: str, remark: str, tmp_path: Path) -> None:
    printed = [(f"{y:.0f}(12)", 12.0) if i % 3 else (f"{y / 1e3:.4f}E3(7)", 0.7) for i, y in enumerate(w.COUNTS)]
    rows = [f"{x:.2f}(1){mark}{y[0]}{mark}1.5{remark}" for x, y in zip(w.TWO_THETA, printed, strict=True)]
    path = tmp_path / "brackets.txt"
    path.write_text("\n".join([f"2theta{mark}I{mark}bkg", *rows]))
    pattern = read_pattern(path)
    np.testing.assert_allclose(pattern.intensity, w.COUNTS)
    np.testing.assert_allclose(pattern.sigma, [su for _, su in printed])


def test_an_energy_in_the_header_is_no_axis(tmp_path: Path) -> None:
    pattern = read(tmp_path, table("# energy_keV 8.0478", X, Y))
    np.testing.assert_allclose(pattern.two_theta, X)


def test_a_wavelength_of_zero_is_refused_as_such(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="wavelength of 0 A"):
        read(tmp_path, table("! wavelength 0.00000 1.5406", X, Y))


PROSE = "The crystal = 12 mg, E and lambda of the beam, was ground by hand\n"
LONG = {
    "a remark behind every row": lambda rows: "".join(f"{row} # of the instrument\n" for row in rows),
    "a line of words among the rows": lambda rows: "\nthe stage = has moved\n".join(rows),
    "gaps": lambda rows: "".join(f"{row}\n{row.split()[0]}5 -\n" for row in rows),
    "prose above": lambda rows: PROSE * 40_000 + "\n".join(rows),
    "one line of prose above": lambda rows: "# " + PROSE.strip() * 40_000 + "\n" + "\n".join(rows),
}


@pytest.mark.parametrize("name", LONG)
def test_long_text_with_words_is_read_about_as_fast_as_plain_numbers(name: str, tmp_path: Path) -> None:
    rows = [f"{10 + 0.0005 * i:.4f} {1000 + i % 7}" for i in range(100_000)]
    seconds = []
    for text in ("\n".join(rows), LONG[name](rows)):
        (tmp_path / "p.xy").write_text(text)
        started = time.process_time()
        pattern = read_pattern(tmp_path / "p.xy", axis="two-theta")
        seconds.append(time.process_time() - started)
        assert pattern.two_theta.size == len(rows)
    # a reader that looks at every word takes thirty times as long
    assert seconds[1] < 8 * seconds[0] + 0.2
