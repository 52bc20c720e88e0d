"""Facts about bonds, groups that turn, and copies by symmetry."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist, pdist

from unscatter.diffuse.crystal.geometry import (
    Operation,
    atoms_beyond,
    bonds,
    complete_molecule,
    generate_operations,
    parse_operation,
    turn_about,
)
from unscatter.diffuse.crystal.molecules import read_species
from unscatter.diffuse.demonstration import CELL, trisamide_columns
from unscatter.nouns.cell import Cell
from unscatter.nouns.molecule import Molecule

ORTHORHOMBIC = Cell(7.0, 8.0, 9.0)


def molecule_of(name: str) -> Molecule:
    (found,) = [s.molecule for s in read_species() if s.molecule.name == name]
    return found


@pytest.mark.parametrize(("name", "count"), [("Benzene", 12), ("Ethanol", 8), ("sulfate", 4), ("Napthalene", 19)])
def test_the_bonds_of_a_molecule_are_those_of_its_formula(name, count):
    bonded = bonds(molecule_of(name))
    assert np.array_equal(bonded, bonded.T)
    assert bonded.sum() == 2 * count


def test_beyond_the_bond_to_a_methyl_group_are_its_three_hydrogens():
    toluene = molecule_of("Toluene")
    bonded = bonds(toluene)
    hydrogens = bonded.astype(int) @ np.array([symbol == "H" for symbol in toluene.elements])
    carbon = np.array([symbol == "C" for symbol in toluene.elements])
    (methyl,) = np.flatnonzero(carbon & (hydrogens == 3))
    (ring,) = np.flatnonzero(bonded[methyl] & carbon)
    beyond = atoms_beyond(bonded, ring, methyl)
    assert sorted(np.array(toluene.elements)[beyond]) == ["C", "H", "H", "H"]
    assert np.array_equal(atoms_beyond(bonded, methyl, ring), ~beyond)


def test_no_group_hangs_on_a_bond_of_a_ring_or_on_no_bond():
    benzene = molecule_of("Benzene")
    bonded = bonds(benzene)
    carbons = [n for n, symbol in enumerate(benzene.elements) if symbol == "C"]
    neighbour = next(n for n in carbons if bonded[carbons[0], n])
    stranger = next(n for n in carbons[1:] if not bonded[carbons[0], n])
    with pytest.raises(ValueError, match="part of a ring"):
        atoms_beyond(bonded, carbons[0], neighbour)
    with pytest.raises(ValueError, match="not bonded"):
        atoms_beyond(bonded, carbons[0], stranger)


def test_a_quarter_turn_about_z_through_a_point():
    turned = turn_about([[2.0, 0.0, 5.0]], [1.0, 0.0, 0.0], [0.0, 0.0, 3.0], 90.0)
    np.testing.assert_allclose(turned, [[1.0, 1.0, 5.0]], atol=1e-12)


def test_a_turn_keeps_distances_and_turning_back_undoes_it():
    ethanol = molecule_of("Ethanol").positions
    turned = turn_about(ethanol, ethanol[0], [1.0, 2.0, -1.0], 33.0)
    np.testing.assert_allclose(pdist(turned), pdist(ethanol))
    np.testing.assert_allclose(turn_about(turned, ethanol[0], [1.0, 2.0, -1.0], -33.0), ethanol, atol=1e-12)


def test_a_mirror_maps_a_column_onto_the_other():
    a, b = trisamide_columns()
    images = parse_operation("x, y, 1/2-z").apply(a.positions, CELL)
    np.testing.assert_allclose(images, b.positions, atol=1e-9)


@pytest.mark.parametrize(
    ("generators", "order"),
    [((), 1), (("-y,x-y,z",), 3), (("-y,x-y,z", "-x,-y,z+1/2"), 6), (("x-y,x,z+1/2", "-x,-y,-z"), 12)],
)
def test_generators_close_to_their_group(generators, order):
    assert len(generate_operations([parse_operation(text) for text in generators])) == order


def test_an_axis_off_the_origin_stays_where_it_is():
    three_fold = generate_operations([parse_operation("-y+1,x-y+1,z")])
    centre = np.array([[1 / 3, 2 / 3, 0.2]]) @ CELL.direct
    for operation in three_fold:
        np.testing.assert_allclose(operation.apply(centre, CELL), centre, atol=1e-9)


def test_what_does_not_close_is_refused():
    tilted = Operation(np.array([[1.0, 1.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]), np.zeros(3))
    with pytest.raises(ValueError, match="do not close"):
        generate_operations([tilted])


def test_text_that_is_no_operation_is_refused():
    with pytest.raises(ValueError, match="write one such as"):
        parse_operation("a mirror")


def test_an_atom_on_an_axis_is_not_doubled_and_images_keep_their_labels():
    half = Molecule("water", ("O", "H"), np.array([[0.0, 0.0, 0.0], [0.76, 0.0, 0.59]]), labels=("O1", "H1"))
    whole = complete_molecule(half, generate_operations([parse_operation("-x,-y,z")]), ORTHORHOMBIC)
    assert whole.elements == ("O", "H", "H")
    assert whole.labels == ("O1", "H1", "H1")
    assert cdist(whole.positions, [[-0.76, 0.0, 0.59]]).min() < 1e-9
