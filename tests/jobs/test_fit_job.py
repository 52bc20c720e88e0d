"""A lattice that is given, fitted to a whole pattern, and what is written of it."""

import csv
import json
from dataclasses import replace

import gemmi
import h5py
import numpy as np
import pytest

import unscatter
from unscatter.io.results.provenance import read_provenances
from unscatter.jobs.fit import LatticeFitOptions, fit, run, write
from unscatter.nouns.pattern_fit import PatternFit
from unscatter.powder.demonstration import simulate_corundum

CORUNDUM = (4.76, 4.76, 12.99, 90.0, 90.0, 120.0)


@pytest.fixture(scope="module")
def fitted():
    return run(simulate_corundum(), LatticeFitOptions(bravais="hR", cell=(4.75, 4.75, 12.96, 90, 90, 120), zero=0.05))


@pytest.fixture(scope="module")
def wrong():
    return fit(simulate_corundum(), cell=(4.2, 4.2, 4.2))


def test_a_cell_that_is_a_little_off_is_refined_to_the_true_one(fitted):
    assert fitted.lattice.cell.parameters == pytest.approx(CORUNDUM, abs=0.01)
    # Zero and displacement stand for each other: what moves lines is their sum.
    assert abs(fitted.zero + fitted.displacement * np.cos(np.radians(35))) < 0.02
    assert fitted.r_wp < 0.2
    assert fitted.findings["lines explained"].verdict == "good"
    assert fitted.findings["foreign intensity"].verdict == "good"


@pytest.mark.parametrize("cell", [(4.65, 4.65, 13.0, 90, 90, 120), (4.88, 4.88, 13.3, 90, 90, 120)])
def test_a_cell_that_is_two_per_cent_off_is_found_and_its_centring_with_it(fitted, cell):
    found = unscatter.fit(simulate_corundum(), cell=cell)
    assert found.lattice.bravais == "hR"
    assert found.lattice.cell.parameters == pytest.approx(fitted.lattice.cell.parameters, abs=1e-3)
    assert [one["bravais"] for one in found.provenance["lattices"]] == ["hR", "hP"]


def test_the_c_glide_of_corundum_is_the_likeliest_symbol(fitted):
    assert fitted.symbols[0].space_groups == (161, 167)
    assert fitted.symbols[0].probability > 0.9
    assert fitted.symbols[0].extinguished > 0
    assert sum(one.probability for one in fitted.symbols) == pytest.approx(1.0)


def test_a_wrong_cell_is_told_with_what_to_do(fitted, wrong):
    assert wrong.r_wp > 1.5 * fitted.r_wp
    finding = wrong.findings["lines explained"]
    assert finding.verdict == "poor"
    assert "unscatter index" in finding.sentence
    assert finding.sentence in wrong.describe()
    # Absences among lines that are of something else mean nothing.
    assert wrong.symbols == ()


def test_a_cell_of_eight_times_the_volume_explains_all_and_is_told_to_be_too_large():
    double = fit(simulate_corundum(), bravais="hP", cell=(9.518, 9.518, 12.99, 90, 90, 120))
    finding = double.findings["lines seen"]
    assert finding.verdict == "poor"
    assert "multiple" in finding.sentence


def test_curves_lines_and_cell_are_in_the_files(fitted, tmp_path):
    written = write(fitted, tmp_path / "corundum", picture=False)
    assert [path.name.removeprefix("corundum.fit.") for path in written] == [
        "h5",
        "json",
        "csv",
        "reflections.csv",
        "cif",
    ]
    with h5py.File(written[0]) as file:
        assert np.array_equal(file["entry/pattern/calculated"][()], fitted.calculated)
        assert file["entry/sample/unit_cell"][()] == pytest.approx(fitted.lattice.cell.parameters)
    with written[2].open() as table:
        rows = list(csv.DictReader(table))
    assert len(rows) == len(fitted.calculated)
    assert float(rows[9]["observed"]) - float(rows[9]["calculated"]) == pytest.approx(
        float(rows[9]["difference"]), abs=0.01
    )
    cell = gemmi.cif.read(str(written[-1])).sole_block()
    assert gemmi.cif.as_number(cell.find_value("_cell_length_c")) == pytest.approx(fitted.lattice.cell.c, abs=1e-3)
    assert cell.find_value("_space_group_IT_number") == "167"
    for path in written[:2]:
        assert read_provenances(path)[0]["options"]["bravais"] == "hR"


def test_reflections_obey_braggs_law_with_the_refined_cell(fitted, tmp_path):
    write(fitted, tmp_path / "corundum", picture=False, cif=False)
    with (tmp_path / "corundum.fit.reflections.csv").open() as table:
        rows = list(csv.DictReader(table))
    a, _, c = fitted.lattice.cell.parameters[:3]
    for row in rows:
        h, k, el = (int(row[name]) for name in "hkl")
        assert (-h + k + el) % 3 == 0
        assert 1 / float(row["d_A"]) ** 2 == pytest.approx(4 / 3 * (h * h + h * k + k * k) / a**2 + el * el / c**2)


def test_a_fit_comes_back_from_what_it_writes(fitted, tmp_path):
    write(fitted, tmp_path / "corundum", picture=False)
    record = json.loads((tmp_path / "corundum.fit.json").read_text(encoding="utf-8"))
    again = PatternFit.from_dict(record, fitted.pattern)
    assert again.describe() == fitted.describe()
    assert again.symbols == fitted.symbols
    assert again.findings == fitted.findings


def test_what_is_not_given_or_cannot_be_is_told():
    with pytest.raises(ValueError, match="which cell"):
        fit(simulate_corundum(), bravais="hR")
    with pytest.raises(ValueError, match="space group 225 has the lattice cF"):
        fit(simulate_corundum(), bravais="hR", cell=CORUNDUM, space_group=225)
    with pytest.raises(ValueError, match="cF has a = b = c and right angles"):
        fit(simulate_corundum(), bravais="cF", cell=CORUNDUM)
    with pytest.raises(ValueError, match="predicts no line"):
        fit(simulate_corundum(), bravais="cF", cell=(0.5, 0.5, 0.5, 90, 90, 90))
    pattern = simulate_corundum()
    with pytest.raises(ValueError, match="no line stands above the noise"):
        fit(replace(pattern, intensity=np.full_like(pattern.intensity, 100.0), sigma=None), cell=CORUNDUM)
    with pytest.raises(ValueError, match="wavelength"):
        fit((pattern.two_theta, pattern.intensity), cell=CORUNDUM)
