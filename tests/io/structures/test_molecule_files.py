"""Facts about the files that molecules come in."""

import re
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from unscatter.diffuse.crystal.molecules import read_species
from unscatter.io.structures.molecules import read_molecule
from unscatter.nouns.molecule import Molecule

XYZ = "3\nwater\nO 0.0 0.0 0.0\nH 0.7572 0.5865 0.0\nh -0.7572 0.5865 0.0\n"
CIF = """data_quartz_like
_cell_length_a 5.0
_cell_length_b 6.0
_cell_length_c 7.0
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 120
loop_
_atom_site_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_disorder_group
Cl1 0.1 0.2(3) 0.3 .
C2A 0.1 0.5 0.3 {first}
C2B 0.4 0.5 0.6 {second}
"""


def molecule_of(name: str) -> Molecule:
    (found,) = [s.molecule for s in read_species() if s.molecule.name == name]
    return found


def record_of(name: str) -> str:
    text = files("unscatter").joinpath("data", "species.sdf").read_text()
    (found,) = [r for r in text.split("$$$$\n") if r.startswith(f"{name}\n")]
    return found + "$$$$\n"


def written(tmp_path: Path, name: str, text: str) -> Path:
    path = tmp_path / name
    path.write_text(text)
    return path


def test_an_xyz_file_is_read_as_written(tmp_path):
    water = read_molecule(written(tmp_path, "water.xyz", XYZ))
    assert (water.name, water.elements, water.cell_lengths) == ("water", ("O", "H", "H"), None)
    np.testing.assert_array_equal(water.positions[1], [0.7572, 0.5865, 0.0])


@pytest.mark.parametrize("name", ["Benzene", "sulfate", "Methylbenzoxazine"])
def test_an_sdf_record_is_read_as_the_species_is(tmp_path, name):
    read = read_molecule(written(tmp_path, "any.sdf", record_of(name)))
    assert read.name == name
    assert read.elements == molecule_of(name).elements
    np.testing.assert_array_equal(read.positions, molecule_of(name).positions)


def test_the_content_and_not_the_ending_tells_the_format(tmp_path):
    nameless = record_of("Benzene").replace("Benzene\n", "\n", 1).split("M  END")[0] + "M  END\n"
    assert read_molecule(written(tmp_path, "ring.txt", nameless)).name == "ring"


def test_sites_of_a_cif_become_cartesian(tmp_path):
    molecule = read_molecule(written(tmp_path, "oblique.cif", CIF.format(first=1, second=1)))
    assert molecule.elements == ("Cl", "C", "C")
    # x = a x + b cos(120 deg) y, y = b sin(120 deg) y, z = c z
    expected = [5 * 0.1 - 3 * 0.2, 6 * np.sqrt(0.75) * 0.2, 7 * 0.3]
    np.testing.assert_allclose(molecule.positions[0], expected)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hello\n", "neither MOL/SDF .V2000., XYZ nor CIF"),
        ("", "obabel"),
        ("0\n\n", "holds no atoms"),
        ("4\n" + XYZ[2:], "4 atoms announced, 3 lines left"),
        (XYZ + XYZ, "split the file"),
        (XYZ.replace("O 0.0", "O zero"), "expected: symbol x y z"),
        (XYZ.replace("O ", "Qq "), "'Qq' is no element"),
        (XYZ.replace("0.7572", "nan"), "without coordinates"),
        (XYZ.replace("0.7572 0.5865", "0.1 0.1"), "atoms 1 and 2 are 0.14 apart"),
        (record_of("Water") + record_of("Benzene"), "holds 2 molecules, expected one"),
        (record_of("Water").replace("V2000", "V3000"), "save it as V2000"),
        (record_of("Water").replace("  3  2", " 30  2"), "30 atoms announced"),
        (CIF.format(first=1, second=2), "disorder groups"),
        (CIF.format(first=1, second=1).replace("C2A", "R2A"), "'R2A' is no element"),
        (CIF.format(first=1, second=1).replace("_cell_length", "_length"), "add them"),
        ("data_empty\n_a 1\n", "holds 0 blocks"),
        ("data_odd\nloop_\n_a\n_b\n1\n", "CIF damaged"),
    ],
)
def test_a_bad_file_is_refused_with_its_name_and_the_reason(tmp_path, text, message):
    path = written(tmp_path, "bad.dat", text)
    with pytest.raises(ValueError, match=f"{re.escape(str(path))}: .*{message}"):
        read_molecule(path)


def test_a_missing_file_is_said_to_be_missing(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"give the path of a \.sdf"):
        read_molecule(tmp_path / "nowhere.xyz")


def test_the_sites_of_a_cif_keep_their_labels_and_other_files_count(tmp_path):
    assert read_molecule(written(tmp_path, "a.cif", CIF.format(first=1, second=1))).atom_labels == ("Cl1", "C2A", "C2B")
    assert read_molecule(written(tmp_path, "a.xyz", XYZ)).atom_labels == ("O1", "H2", "H3")


def test_one_part_of_a_disordered_cif_is_taken_with_the_ordered_sites(tmp_path):
    path = written(tmp_path, "parts.cif", CIF.format(first=1, second=2))
    assert read_molecule(path, 1).labels == ("Cl1", "C2A")
    assert read_molecule(path, 2).labels == ("Cl1", "C2B")
    with pytest.raises(ValueError, match=r"no disorder group 3: the file has \[1, 2\]"):
        read_molecule(path, 3)


def test_a_part_of_what_has_none_is_refused(tmp_path):
    with pytest.raises(ValueError, match="leave the part out"):
        read_molecule(written(tmp_path, "a.xyz", XYZ), 1)


WATER = (("O", 0.0, 0.0, 0.0), ("H", 0.757, 0.586, 0.0), ("H", -0.757, 0.586, 0.0))
EXTENDED = {
    "species first": ("Properties=species:S:1:pos:R:3", "{0} {1} {2} {3}"),
    "positions first": ('Lattice="9 0 0 0 9 0 0 0 9" Properties=pos:R:3:species:S:1', "{1} {2} {3} {0}"),
    "charges between": ("Properties=species:S:1:charge:R:1:pos:R:3 pbc=F", "{0} -0.4 {1} {2} {3}"),
}


@pytest.mark.parametrize("name", EXTENDED)
def test_extended_xyz_names_its_columns(tmp_path, name):
    comment, form = EXTENDED[name]
    (tmp_path / "m.xyz").write_text("\n".join(["3", comment, *(form.format(*atom) for atom in WATER), ""]))
    molecule = read_molecule(tmp_path / "m.xyz")
    assert molecule.elements == ("O", "H", "H")
    np.testing.assert_allclose(molecule.positions, [atom[1:] for atom in WATER])


def test_a_comment_that_says_bohr_is_believed(tmp_path):
    rows = [f"{e} {x / 0.529177210903} {y / 0.529177210903} {z}" for e, x, y, z in WATER]
    (tmp_path / "m.xyz").write_text("\n".join(["3", "optimized, in bohr", *rows, ""]))
    np.testing.assert_allclose(read_molecule(tmp_path / "m.xyz").positions, [atom[1:] for atom in WATER], atol=1e-9)
