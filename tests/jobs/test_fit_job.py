"""A lattice that is given, fitted to a whole pattern, and what is written of it."""

import csv

import gemmi
import h5py
import numpy as np
import pytest

from unscatter.io.results.provenance import read_provenances
from unscatter.jobs.fit import LatticeFitOptions, fit, run, write
from unscatter.powder.demonstration import simulate_corundum

CORUNDUM = (4.76, 4.76, 12.99, 90.0, 90.0, 120.0)


@pytest.fixture(scope="module")
def fitted():
    return run(simulate_corundum(), LatticeFitOptions(bravais="hR", cell=(4.75, 4.75, 12.96, 90, 90, 120), zero=0.05))


def test_a_cell_that_is_a_little_off_is_refined_to_the_true_one(fitted):
    assert fitted.lattice.cell.parameters == pytest.approx(CORUNDUM, abs=0.01)
    # Zero and displacement stand for each other: what moves lines is their sum.
    assert abs(fitted.zero + fitted.displacement * np.cos(np.radians(35))) < 0.02
    assert fitted.r_wp < 0.2


def test_the_wrong_lattice_explains_less(fitted):
    wrong = fit(simulate_corundum(), bravais="cP", cell=(4.2, 4.2, 4.2, 90, 90, 90))
    assert wrong.r_wp > 2 * fitted.r_wp


def test_curves_lines_and_cell_are_in_the_files(fitted, tmp_path):
    written = write(fitted, tmp_path / "corundum", picture=False)
    with h5py.File(written[0]) as file:
        assert np.array_equal(file["entry/pattern/calculated"][()], fitted.calculated)
        assert file["entry/sample/unit_cell"][()] == pytest.approx(fitted.lattice.cell.parameters)
    with written[1].open() as table:
        rows = list(csv.DictReader(table))
    assert len(rows) == len(fitted.calculated)
    assert float(rows[9]["observed"]) - float(rows[9]["calculated"]) == pytest.approx(
        float(rows[9]["difference"]), abs=0.01
    )
    cell = gemmi.cif.read(str(written[2])).sole_block()
    assert gemmi.cif.as_number(cell.find_value("_cell_length_c")) == pytest.approx(fitted.lattice.cell.c, abs=1e-3)
    assert cell.find_value("_space_group_IT_number") == "166"
    assert read_provenances(written[0])[0]["options"]["bravais"] == "hR"


def test_what_is_not_given_or_cannot_be_is_told():
    with pytest.raises(ValueError, match="which lattice"):
        fit(simulate_corundum(), bravais="hR")
    with pytest.raises(ValueError, match="space group 225 has the lattice cF"):
        fit(simulate_corundum(), bravais="hR", cell=CORUNDUM, space_group=225)
    with pytest.raises(ValueError, match="predicts no line"):
        fit(simulate_corundum(), bravais="cF", cell=(0.5, 0.5, 0.5, 90, 90, 90))
