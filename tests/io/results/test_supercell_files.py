"""Supercells as CIF, DISCUS structure and Yell model; tables of alphas; the two commands."""

import csv
import json
import re

import gemmi
import numpy as np
import pytest

from unscatter.cli import main
from unscatter.diffuse.demonstration import simulate_demonstration, trisamide_order
from unscatter.diffuse.refine.order import refine_order
from unscatter.diffuse.suitability import LIMITS
from unscatter.diffuse.supercell import draw_supercell
from unscatter.io.results.components import read_components, write_components, write_plane
from unscatter.io.results.order_tables import store_order
from unscatter.io.results.supercell import PLACEHOLDERS, read_targets, write_cif, write_discus, write_yell
from unscatter.nouns.cell import Cell
from unscatter.nouns.molecule import Molecule
from unscatter.nouns.order import OrderTargets

CELL = Cell(5, 6, 7, 90, 100, 90)
CARBON_MONOXIDE = Molecule("CO", ("C", "O"), np.array([[0.1, 0.2, 0.3], [1.2, 0.2, 0.3]]))


@pytest.fixture(scope="module")
def supercell():
    targets = OrderTargets([[1, 0, 0], [0, 0, 1]], [0.2, -0.1], [0.01, 0.01], "mmm")
    return draw_supercell(targets, CELL, concentration=0.25, box=(4, 1, 3), boxes=2, sweeps=4)


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as caught:
        main(list(arguments))
    return int(caught.value.code or 0)


def test_cif_holds_the_box(tmp_path, supercell):
    write_cif(tmp_path / "s.cif", supercell, *PLACEHOLDERS)
    structure = gemmi.read_small_structure(str(tmp_path / "s.cif"))
    assert structure.cell.parameters == pytest.approx((20, 6, 21, 90, 100, 90))
    assert len(structure.sites) == 12
    occupied = np.zeros((4, 1, 3), dtype=int)
    for site in structure.sites:
        x, y, z = np.rint(np.array(site.fract.tolist()) * [4, 1, 3]).astype(int)
        occupied[x, y, z] = site.element.name == "Au"
    np.testing.assert_array_equal(occupied, supercell.occupied[0])
    assert len({site.label for site in structure.sites}) == 12


def test_cif_holds_whole_molecules(tmp_path, supercell):
    write_cif(tmp_path / "s.cif", supercell, CARBON_MONOXIDE, None)
    structure = gemmi.read_small_structure(str(tmp_path / "s.cif"))
    assert len(structure.sites) == 2 * supercell.occupied[0].sum()
    carbon, oxygen = structure.sites[:2]
    bond = (
        np.array(structure.cell.orthogonalize(oxygen.fract).tolist())
        - structure.cell.orthogonalize(carbon.fract).tolist()
    )
    np.testing.assert_allclose(bond, [1.1, 0, 0], atol=1e-4)


def test_too_many_atoms_are_refused(tmp_path, supercell, monkeypatch):
    monkeypatch.setattr("unscatter.io.results.supercell.MOST_ATOMS", 10)
    with pytest.raises(ValueError, match="--box"):
        write_cif(tmp_path / "s.cif", supercell, *PLACEHOLDERS)
    assert list(tmp_path.iterdir()) == []


def test_discus_has_equally_many_atoms_in_each_cell(tmp_path, supercell):
    write_discus(tmp_path / "s.stru", supercell, CARBON_MONOXIDE, None)
    lines = (tmp_path / "s.stru").read_text().splitlines()
    assert [line.split()[0] for line in lines[:5]] == ["title", "spcgr", "cell", "ncell", "atoms"]
    assert [int(n) for n in lines[3].removeprefix("ncell").split(",")] == [4, 1, 3, 2]
    names = [line.split()[0] for line in lines[5:]]
    assert len(names) == 24
    assert names.count("C") == supercell.occupied[0].sum()
    assert names.count("VOID") == 2 * (12 - supercell.occupied[0].sum())
    last = [float(value) for value in lines[-1].split(maxsplit=1)[1].split(",")]
    assert np.floor(last[:3]).tolist() == [3, 0, 2]


def test_yell_model_has_joint_probabilities(tmp_path, supercell):
    write_yell(tmp_path / "s.txt", supercell, *PLACEHOLDERS, reach=(2.2, 3, 4))
    text = (tmp_path / "s.txt").read_text()
    assert "Cell 5 6 7 90 100 90" in text
    assert "LaueSymmetry mmm" in text
    # No order along b: there a step of one is enough.
    assert "DiffuseScatteringGrid -3 -3 -4 0.1 1 0.1 60 6 80" in text
    found = re.findall(r"\[\((.*?)\) Multiplicity (\d+) SubstitutionalCorrelation\(Var,Var,(.*?)\)\]", text)
    assert [(v, int(n)) for v, n, _ in found] == [("0,0,0", 1), ("1,0,0", 2), ("0,0,1", 2)]
    np.testing.assert_allclose([float(p) for *_, p in found], [0.25, 0.0625 + 0.1875 * 0.2, 0.0625 - 0.1875 * 0.1])


def test_yell_gets_every_vector_where_the_setting_is_in_doubt(tmp_path):
    targets = OrderTargets([[1, 0, 0]], [0.2], [0.01], "-3")
    drawn = draw_supercell(targets, Cell(5, 5, 7, 90, 90, 120), box=(6, 6, 1), boxes=1, sweeps=1)
    write_yell(tmp_path / "s.txt", drawn, PLACEHOLDERS[0], None)
    text = (tmp_path / "s.txt").read_text()
    assert "LaueSymmetry -1" in text
    assert text.count("Multiplicity 2 ") == 3
    assert "(p=0.5) Void" in text


def test_tables_of_alphas(tmp_path):
    (tmp_path / "a.csv").write_text("u,v,w,alpha,standard_error\n1,0,0,-0.25,0.01\n2,1,0,0.1,\n")
    (tmp_path / "a.tsv").write_text("# published\nu\tv\tw\talpha\n1\t0\t0\t-0.25\n2\t1\t0\t0.1\n")
    record = {"laue": "6/m", "parameters": [{"u": 1, "v": 0, "w": 0, "alpha": -0.25, "standard_error": 0.01}]}
    (tmp_path / "a.json").write_text(json.dumps(record))
    found = read_targets(tmp_path / "a.csv", "6/m")
    assert found.vectors.tolist() == [[1, 0, 0], [2, 1, 0]]
    assert (found.alpha.tolist(), found.standard_error.tolist(), found.laue) == ([-0.25, 0.1], [0.01, 0.0], "6/m")
    assert read_targets(tmp_path / "a.tsv").laue == "-1"
    assert read_targets(tmp_path / "a.json").laue == "6/m"
    for text in ("", "u,v,w\n1,0,0\n", "u,v,w,alpha\n0,0,0,1\n"):
        (tmp_path / "bad.csv").write_text(text)
        with pytest.raises(ValueError, match=r"bad\.csv|no line"):
            read_targets(tmp_path / "bad.csv")


def test_what_refine_order_stored_is_read(tmp_path):
    result = tmp_path / "plane.factorized.h5"
    truth = simulate_demonstration(pixels=101)
    write_components(result, truth)
    with pytest.raises(ValueError, match="unscatter refine order"):
        read_targets(result)
    fit = refine_order(truth, laue="6/m", vectors=[[1, 0, 0], [2, 0, 0], [2, 1, 0]], bootstrap=20)
    store_order(result, fit)
    found = read_targets(result)
    assert found.laue == "6/m"
    np.testing.assert_array_equal(found.vectors, fit.vectors)
    np.testing.assert_allclose(found.alpha, fit.alpha)
    np.testing.assert_allclose(found.standard_error, fit.standard_error)


def test_commands_from_a_result_to_a_crystal(tmp_path, capsys):
    truth = simulate_demonstration(pixels=101)
    result = tmp_path / "plane.factorized.h5"
    write_components(result, truth)
    assert run("supercell", str(result)) == 2
    assert "unscatter refine order" in capsys.readouterr().err
    order = trisamide_order()
    rows = [(*vector, alpha) for vector, alpha in zip(order.vectors[1::3].tolist(), order.alpha[1::3], strict=True)]
    (tmp_path / "a.csv").write_text("u,v,w,alpha\n" + "\n".join(",".join(map(str, row)) for row in rows))
    given = ("--alphas", str(tmp_path / "a.csv"), "--laue", "6/m", "--box", "16", "16", "1", "--boxes", "2")
    assert run("supercell", str(result), *given, "--sweeps", "4") == 0
    said = capsys.readouterr().out
    assert "a concentration of 0.5 was assumed" in said
    assert "refined alphas" in said
    written = sorted(path.name for path in tmp_path.glob("plane.supercell.*"))
    assert written == [f"plane.supercell.{end}" for end in ("cif", "csv", "png", "stru", "yell.txt")]
    with (tmp_path / "plane.supercell.csv").open() as file:
        table = list(csv.DictReader(file))
    assert len(table) == 15
    assert float(table[0]["target"]) == order.alpha[1]


def test_every_factorization_is_reported(tmp_path, capsys):
    write_plane(tmp_path / "plane.h5", simulate_demonstration(pixels=201).plane)
    assert run("factorize", str(tmp_path / "plane.h5"), "--out", str(tmp_path), "--no-picture") == 0
    assert "no finding is poor" in capsys.readouterr().out
    findings = read_components(tmp_path / "plane.factorized.h5").findings
    assert [one.name for one in findings] == list(LIMITS)
    assert all(one.verdict == "good" for one in findings if one.name != "fit")


def test_report_prints_and_draws(tmp_path, capsys):
    result = tmp_path / "plane.factorized.h5"
    write_components(result, simulate_demonstration(pixels=101))
    assert run("report", str(result), "--out", str(tmp_path / "pictures")) == 0
    said = capsys.readouterr().out
    assert "suitability:" in said
    assert "section 3.3" in said
    assert (tmp_path / "pictures" / "plane.suitability.png").stat().st_size > 10_000


TABLES_OF_ALPHAS = {
    "brackets": "u,v,w,alpha\n1,0,0,-0.120(15)\n1,1,0,0.06(1)\n",
    "other names": "U\tV\tW\tAlpha\tesd\n1\t0\t0\t-0.12\t0.015\n1\t1\t0\t0.06\t0.01\n",
    "a spreadsheet": "u;v;w;Warren-Cowley;s.u.\n1,0;0,0;0,0;-0,12;0,015\n1;1;0;0,06;0,01\n",
    "blanks, remarks": "# mine\nu v w alpha sigma\n1 0 0 -0.12 0.015\n1 1 0 0.06 0.01\n",
    "another column": 'kind,u,v,w,alpha,error\n"near, first",1,0,0,-0.12,0.015\nfar,1,1,0,0.06,0.01\n',
}


@pytest.mark.parametrize("name", TABLES_OF_ALPHAS)
def test_alphas_and_their_uncertainties_in_every_spelling(tmp_path, name):
    (tmp_path / "a.txt").write_text(TABLES_OF_ALPHAS[name])
    found = read_targets(tmp_path / "a.txt")
    np.testing.assert_array_equal(found.vectors, [[1, 0, 0], [1, 1, 0]])
    np.testing.assert_allclose(found.alpha, [-0.12, 0.06])
    np.testing.assert_allclose(found.standard_error, [0.015, 0.01])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("u,v,w,alpha\n0.5,0,0,-0.1\n", "u is 0.5; expected whole numbers of cells"),
        ("u,v,w,alpha\n1,0,0,n/a\n", "alpha is 'n/a'; expected a number"),
    ],
)
def test_a_table_of_alphas_that_cannot_be_is_refused(tmp_path, text, message):
    (tmp_path / "a.txt").write_text(text)
    with pytest.raises(ValueError, match=message):
        read_targets(tmp_path / "a.txt")
