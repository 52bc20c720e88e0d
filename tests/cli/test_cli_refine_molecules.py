"""`unscatter refine molecules`, as a user types it."""

import csv
from pathlib import Path

import numpy as np
import pytest

from unscatter.cli import main
from unscatter.diffuse.crystal.motions import parse_rotation
from unscatter.diffuse.plane.forward import form_factor_difference, q_squared, scattering_plane
from unscatter.diffuse.plane.planes import axis_plane
from unscatter.diffuse.refine.disorder_model import DisorderModel
from unscatter.diffuse.samples.artefacts import debye_waller
from unscatter.io.results.components import write_components
from unscatter.io.structures.molecules import read_molecule
from unscatter.nouns.cell import Cell
from unscatter.nouns.components import Components
from unscatter.nouns.plane import Plane

CIF = """data_methanol
_cell_length_a 6
_cell_length_b 7
_cell_length_c 8
_cell_angle_alpha 90
_cell_angle_beta 95
_cell_angle_gamma 90
loop_
_atom_site_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
C1 0.10 0.10 0.10
O1 0.33 0.10 0.11
Cl1 0.03 0.34 0.09
H1 0.38 0.18 0.04
"""


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as caught:
        main(list(arguments))
    return int(caught.value.code or 0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A result whose I_FF is that of the molecule with C1-O1 turned by 12 degrees, against its inverse."""
    folder = tmp_path_factory.mktemp("molecules")
    (folder / "a.cif").write_text(CIF)
    (folder / "other.cif").write_text(CIF.replace("Cl1", "Br1"))
    cell = Cell(6, 7, 8, 90, 95, 90)
    axes = axis_plane(cell, normal=1, level=1.0, q_max=6.0, pixels=48)
    from unscatter.diffuse.crystal.geometry import parse_operation

    model = DisorderModel(read_molecule(folder / "a.cif"), parse_operation("-x,-y,-z"))
    plane = scattering_plane(axes, cell)
    real, imaginary = form_factor_difference(model.pair(cell, [(parse_rotation("C1-O1"), 12.0)]), plane)
    form = (real**2 + imaginary**2) * debye_waller(q_squared(plane), 0.05)
    write_components(
        folder / "plane.factorized.h5",
        Components(Plane(form, axes, cell, simulated=True), form, np.ones_like(form), {"version": "0"}),
    )
    return folder


def test_candidates_are_ranked_and_the_best_is_scanned_and_refined(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(
        "refine", "molecules", str(folder / "plane.factorized.h5"), "--model-a", str(folder / "other.cif"),
        str(folder / "a.cif"), "--model-b", "-x,-y,-z", "--rotate", "C1-O1", "-60:60:10", "--out", str(tmp_path),
    )  # fmt: skip
    assert code == 0
    screen = capsys.readouterr().out
    ranking = screen.splitlines()[1:3]
    assert [line.split()[0] for line in ranking] == ["a.cif", "other.cif"]
    with (tmp_path / "plane.molecules.csv").open() as file:
        rows = list(csv.DictReader(file))
    refined = {row["parameter"]: float(row["value"]) for row in rows if row["model"] == "a.cif"}
    assert refined["C1-O1"] == pytest.approx(12.0, abs=0.05)
    assert refined["D_w"] == pytest.approx(0.05, abs=1e-4)
    assert {row["model"] for row in rows} == {"a.cif", "other.cif"}
    with (tmp_path / "plane.scan.csv").open() as file:
        assert [float(row["value"]) for row in csv.DictReader(file)] == list(range(-60, 61, 10))
    assert (tmp_path / "plane.molecules.png").read_bytes().startswith(b"\x89PNG")


def test_several_motions_and_no_picture(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = run(
        "refine", "molecules", str(folder / "plane.factorized.h5"), "--model-a", str(folder / "a.cif"),
        "--model-b", "-x,-y,-z", "--rotate", "C1-O1", "0:20:5", "B:[0 1 0]", "-10:10:5",
        "--shift", "[1 0 0]", "-0.2:0.2:0.1", "--debye-waller", "0.05", "--no-picture", "--out", str(tmp_path),
    )  # fmt: skip
    assert code == 0
    with (tmp_path / "plane.molecules.csv").open() as file:
        values = {row["parameter"]: float(row["value"]) for row in csv.DictReader(file)}
    assert values["C1-O1"] == pytest.approx(12.0, abs=0.3)
    assert values["B:[0 1 0]"] == pytest.approx(0.0, abs=0.3)
    assert values["shift B:[1 0 0]"] == pytest.approx(0.0, abs=0.01)
    assert values["D_w"] == 0.05
    assert not (tmp_path / "plane.molecules.png").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--model-a", "nosuch.cif"), "no file nosuch.cif"),
        (("--model-a", "{a}#2"), "no disorder group 2"),
        (("--model-a", "{a}", "--model-b", "x,y"), "no file x,y"),
        (("--model-a", "{a}", "--model-b", "x,y,q"), "no symmetry operation"),
        (("--model-a", "{a}", "--model-b", "x,y,z"), "A and B are the same"),
        (("--model-a", "{a}", "--rotate", "C1-O9", "-60:60:1"), "0 atoms 'O9'"),
        (("--model-a", "{a}", "--rotate", "C1-O1", "-60:60"), "first:last:step"),
        (("--model-a", "{a}", "--saturated", "0"), "check the mask"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_two(
    arguments: tuple[str, ...], message: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [argument.format(a=folder / "a.cif") for argument in arguments]
    out = tmp_path / "out"
    assert run("refine", "molecules", str(folder / "plane.factorized.h5"), *given, "--out", str(out)) == 2
    error = capsys.readouterr().err.strip()
    assert error.startswith("unscatter: ")
    assert message in error
    assert "\n" not in error
    assert not out.exists()
