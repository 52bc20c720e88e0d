"""Reading structures: what is kept, what is reported, and what symmetry is found."""

import json
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest

from unscatter.io.structures.crystal_cif import read_cif
from unscatter.io.structures.crystal_symmetry import label_space_group, prototype_key, site_multiplicities
from unscatter.io.structures.crystals import read_crystals
from unscatter.io.structures.element_names import symbol
from unscatter.nouns.cell import Cell
from unscatter.nouns.crystal import Crystal
from unscatter.symmetry import bravais_lattice, operations

TABLES = Path(os.environ.get("UNSCATTER_STRUCTURES", "../shared/data/structures"))

CORUNDUM = """data_corundum
_cell_length_a 4.7597(1)
_cell_length_b 4.7597(1)
_cell_length_c 12.9935(3)
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 120
_symmetry_space_group_name_H-M 'R -3 c'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
_atom_site_U_iso_or_equiv
Al1 Al3+ 0 0 0.3522 0.9 0.004
Fe1 Fe3+ 0 0 0.3522 0.1 0.004
O1 O2- 0.3063 0 0.25 ? ?
"""

HEAVY_ICE = """data_ice
_cell_length_a 4.5
_cell_length_b 4.5
_cell_length_c 7.3
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 120
loop_
_space_group_symop_operation_xyz
'x,y,z'
'-x,-y,-z'
loop_
_atom_site_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
O1 0.3333 0.6667 0.06
D1 0.3333 0.6667 0.2
"""


def structures_in(source):
    reports = []
    return list(read_crystals(source, lambda name, reason: reports.append((name, reason)))), reports


def test_partial_occupancies_ions_and_missing_factors():
    (crystal,) = read_cif(CORUNDUM)
    assert crystal.elements == ("Al", "Fe", "O")
    assert crystal.occupancies.tolist() == [0.9, 0.1, 1.0]
    np.testing.assert_allclose(crystal.b_iso, [0.3158, 0.3158, np.nan], atol=1e-4)
    assert crystal.space_group == 167
    assert site_multiplicities(crystal).tolist() == [12, 12, 18]
    assert label_space_group(crystal) == 167


def test_isotopes_and_operations_without_a_name():
    (crystal,) = read_cif(HEAVY_ICE)
    assert crystal.elements == ("O", "D")
    assert len(crystal.rotations) == 2
    assert crystal.space_group == 2


@pytest.mark.parametrize(
    ("label", "name"),
    [("O2-", "O"), ("O-H1", "O"), ("Si12", "Si"), ("D", "D"), ("7Li", "7Li"), ("Fe3+", "Fe"), ("Cl1-", "Cl")],
)
def test_symbols(label, name):
    assert symbol(label) == name


def test_a_symbol_that_names_nothing():
    with pytest.raises(ValueError, match=r"\?"):
        symbol("?")


def test_folder_zip_and_list_report_what_they_skip(tmp_path):
    folder = tmp_path / "cifs"
    folder.mkdir()
    (folder / "a.cif").write_text(CORUNDUM)
    (folder / "b.cif").write_text("this is no CIF")
    (folder / "c.cif").write_text(CORUNDUM.replace("'R -3 c'", "'R 17 q'"))
    (folder / "d.cif").write_text(CORUNDUM.replace("Al1 Al3+", "Qq1 Qq3+"))
    (folder / "e.cif").write_text("data_empty\n_cell_length_a 3\n")
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for file in folder.iterdir():
            archive.write(file, file.name)
    (tmp_path / "list.txt").write_text("cifs/a.cif\ncifs/b.cif\n")
    for source, bad in ((folder, 4), (tmp_path / "all.zip", 4), (tmp_path / "list.txt", 1)):
        crystals, reports = structures_in(source)
        assert [c.name for c in crystals] == ["corundum"]
        assert len(reports) == bad
        assert all(reason for _, reason in reports)
    assert len(structures_in([folder / "a.cif", tmp_path / "all.zip"])[0]) == 2


def test_the_format_is_found_by_content_whatever_the_name(tmp_path):
    (tmp_path / "cif.dat").write_text(f"# measured last week\n{CORUNDUM}")
    write_csv(tmp_path / "table.txt")
    (tmp_path / "list.csv").write_text("cif.dat\nmissing.cif\n")
    for name, count, told in (("cif.dat", 1, []), ("table.txt", 2, ["bad"]), ("list.csv", 1, ["missing.cif"])):
        crystals, reports = structures_in(tmp_path / name)
        assert len(crystals) == count
        assert [Path(place).name for place, _ in reports] == told


def test_a_file_of_no_known_format_is_told_with_those_that_are_known(tmp_path):
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    crystals, ((place, reason),) = structures_in(tmp_path / "x.csv")
    assert crystals == []
    assert place.endswith("x.csv")
    assert "columns cell and xyz" in reason


def test_skipping_is_never_silent(tmp_path):
    (tmp_path / "b.cif").write_text("this is no CIF")
    with pytest.warns(UserWarning, match=r"skipped .*b\.cif"):
        assert list(read_crystals(tmp_path / "b.cif")) == []


def test_nothing_there():
    with pytest.raises(FileNotFoundError, match="nowhere"):
        list(read_crystals("nowhere"))


def rows():
    salt = {"material_id": "salt", "sg": 225, "hall": 523, "cell": [5.6, 5.6, 5.6, 90, 90, 90], "Z": [11, 17]}
    bad = {"material_id": "bad", "sg": 225, "hall": 523, "cell": [5.6, 5.6, 5.6, 90, 90, 190], "Z": [11]}
    triplets = "x,y,z;-x,-y,-z"
    part = {"id": "part", "sg": 2, "cell": [4, 5, 6, 80, 90, 100], "elem": ["O2-", "D"], "occ": [0.5, 1.0]}
    return [
        salt | {"xyz": [0, 0, 0, 0.5, 0.5, 0.5]},
        bad | {"xyz": [0, 0, 0]},
        part | {"xyz": [0.1, 0.2, 0.3, 0.4, 0.5, 0.6], "symops": triplets},
    ]


def write_csv(path):
    names = ["material_id", "id", "sg", "hall", "cell", "Z", "elem", "occ", "xyz", "symops"]
    lines = [",".join(names)]
    for row in rows():
        cells = [json.dumps(v) if isinstance(v := row.get(n, ""), list) else str(v) for n in names]
        lines.append(",".join('"' + cell.replace('"', "") + '"' for cell in cells))
    path.write_text("\n".join(lines))


def write_parquet(path):
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    parquet.write_table(pyarrow.Table.from_pylist(rows()[:2]), path)


@pytest.mark.parametrize(("name", "write", "count"), [("t.csv", write_csv, 2), ("t.parquet", write_parquet, 1)])
def test_tables(tmp_path, name, write, count):
    write(tmp_path / name)
    crystals, reports = structures_in(tmp_path / name)
    assert len(crystals) == count
    assert [name for name, _ in reports] == ["bad"]
    assert crystals[0].elements == ("Na", "Cl")
    assert len(crystals[0].rotations) == 192
    assert prototype_key(crystals[0]) == "225_A1B1_4.4"
    if count == 2:
        assert crystals[1].elements == ("O", "D")
        assert crystals[1].occupancies.tolist() == [0.5, 1.0]


def test_prototypes_need_a_group():
    crystal = Crystal(Cell(3, 3, 3), ("Po",), [[0, 0, 0]], *operations(221))
    with pytest.raises(ValueError, match="label"):
        prototype_key(crystal)


def test_labels_and_prototypes_of_a_table():
    table = TABLES / "mp_icsd.parquet"
    if not table.exists():
        pytest.skip(f"no structures at {table}")
    parquet = pytest.importorskip("pyarrow.parquet")
    keys = parquet.read_table(table, columns=["proto"]).slice(0, 300)["proto"].to_pylist()
    for crystal, key in zip(read_crystals(table), keys, strict=False):
        assert prototype_key(crystal) == key
        assert bravais_lattice(label_space_group(crystal)) == bravais_lattice(crystal.space_group)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ((" 0.9 0.004", " 90 0.004"), "occupancies from 0.1 to 90, expected 0 to 1: divide percents by 100"),
        (("4.7597(1)", "0.47597(1)"), "expected Angstrom, not nm"),
        (("12.9935(3)", "129935"), "expected Angstrom, not pm"),
    ],
)
def test_percents_and_other_units_are_reported(tmp_path, change, reason):
    (tmp_path / "a.cif").write_text(CORUNDUM.replace(*change))
    read, reports = structures_in(tmp_path / "a.cif")
    assert not read
    assert reason in reports[0][1]
