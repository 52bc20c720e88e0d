"""Facts about the published species, their rotations and cells."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import pdist

from unscatter.diffuse.crystal.molecules import draw_rotation, read_species, rotate, species_pairs, vegard_cell
from unscatter.nouns.molecule import Molecule


def molecule_of(name: str) -> Molecule:
    (found,) = [s.molecule for s in read_species() if s.molecule.name == name]
    return found


# --- the published species ---


def test_there_are_98_species_to_train_on_and_29_to_validate():
    assert len(read_species("training")) == 98
    assert len(read_species("validation")) == 29
    assert read_species("training") + read_species("validation") == read_species()


def test_there_are_1049_training_and_98_validation_pairs():
    assert len(species_pairs("training")) == 1049
    assert len(species_pairs("validation")) == 98


def test_a_pair_is_two_species_of_one_group_and_no_pair_comes_twice():
    pairs = species_pairs("training")
    assert all(a.molecule.group == b.molecule.group for a, b in pairs)
    names = {frozenset((a.molecule.name, b.molecule.name)) for a, b in pairs}
    assert len(names) == len(pairs)
    assert all(len(pair) == 2 for pair in names)


def test_no_molecule_leaks_from_training_into_validation():
    stems = [
        {s.molecule.name.removesuffix("_R").lower() for s in read_species(split)}
        for split in ("training", "validation")
    ]
    assert not stems[0] & stems[1]


def test_no_structure_leaks_under_another_name():
    def fingerprint(m: Molecule) -> tuple[tuple[str, ...], bytes]:
        return tuple(sorted(m.elements)), np.sort(pdist(m.positions)).round(2).tobytes()

    training = {fingerprint(s.molecule) for s in read_species("training")}
    validation = {fingerprint(s.molecule) for s in read_species("validation") if len(s.molecule.elements) > 1}
    assert not training & validation


def test_an_unknown_split_is_refused():
    with pytest.raises(ValueError, match="type one of 'training', 'validation'"):
        read_species("test")


@pytest.mark.parametrize("species", [s for s in read_species() if s.rotated], ids=lambda s: s.molecule.name)
def test_an_entry_to_be_rotated_is_stored_as_its_unrotated_twin(species):
    twin = molecule_of(species.molecule.name.removesuffix("_R"))
    assert species.molecule.elements == twin.elements
    assert species.molecule.cell_lengths == twin.cell_lengths
    np.testing.assert_array_equal(species.molecule.positions, twin.positions)


@pytest.mark.parametrize(
    ("name", "formula"),
    [
        ("Au", {"Au": 1}),
        ("Nitrate_R", {"N": 1, "O": 3}),
        ("Benzene", {"C": 6, "H": 6}),
        ("Adamantane", {"C": 10, "H": 16}),
        ("Ammonium", {"N": 1, "H": 4}),
        ("Triflate", {"C": 1, "F": 3, "S": 1, "O": 3}),
        ("Guanylthiourea", {"C": 2, "H": 6, "N": 4, "S": 1}),
        ("Methylbenzoxazine", {"C": 9, "H": 7, "N": 1, "O": 3}),
        ("CaVacOH", {"O": 6, "H": 6}),
        ("CaCuO_SQ", {"Cu": 1, "O": 4}),
    ],
)
def test_composition_is_the_formula(name, formula):
    assert Counter(molecule_of(name).elements) == formula


@pytest.mark.parametrize("species", read_species(), ids=lambda s: s.molecule.name)
def test_every_species_is_centred_has_a_cell_and_no_atoms_that_touch(species):
    molecule = species.molecule
    np.testing.assert_allclose(molecule.positions.mean(axis=0), 0, atol=1e-3)
    assert molecule.cell_lengths is not None
    assert molecule.group in range(5)
    assert pdist(molecule.positions).min(initial=np.inf) > 0.9


def test_benzene_is_a_regular_hexagon_of_139_pm():
    benzene = molecule_of("Benzene")
    carbons = benzene.positions[[e == "C" for e in benzene.elements]]
    bonds = [d for d in pdist(carbons) if d < 1.6]
    assert bonds == pytest.approx([1.39] * 6, abs=0.02)


def test_sulfate_is_a_tetrahedron():
    sulfate = molecule_of("sulfate")
    arms = sulfate.positions[1:] - sulfate.positions[0]
    lengths = np.linalg.norm(arms, axis=1)
    cosines = (arms @ arms.T / np.outer(lengths, lengths))[np.triu_indices(4, 1)]
    assert np.degrees(np.arccos(cosines)) == pytest.approx([109.47] * 6, abs=0.01)


def test_the_two_dichloroethanes_are_anti_and_gauche():
    def chlorine_distance(name: str) -> float:
        m = molecule_of(name)
        return float(pdist(m.positions[[e == "Cl" for e in m.elements]])[0])

    assert chlorine_distance("Dichloroethane_anti") == pytest.approx(4.3, abs=0.1)
    assert chlorine_distance("Dichloroethane_syn") < 3.6


@pytest.mark.parametrize("name", ["Benzene", "Pyridine", "Napthalene", "Nitrate", "Imidazole", "Water"])
def test_planar_molecules_lie_normal_to_b(name):
    assert np.abs(molecule_of(name).positions[:, 1]).max() < 0.01


@pytest.mark.parametrize("name", ["Cyclohexane", "Dioxane", "Piperizine"])
def test_a_chair_lies_flat_on_b_and_has_an_inversion_centre(name):
    m = molecule_of(name)
    ring = m.positions[[e != "H" for e in m.elements]]
    assert np.abs(ring[:, 1]).max() < 0.4
    nearest_image = np.linalg.norm(m.positions[:, None] + m.positions[None], axis=-1).min(axis=1)
    np.testing.assert_allclose(nearest_image, 0, atol=0.02)


@pytest.mark.parametrize("name", ["Diethylether", "Ethanol", "Dichloroethane_anti", "Acetonitrile", "DCM"])
def test_elongated_molecules_lie_along_b(name):
    spread = molecule_of(name).positions.std(axis=0)
    assert spread[1] == spread.max()


def test_the_jahn_teller_octahedron_is_long_along_b():
    extent = np.ptp(molecule_of("CaCuO_JT").positions, axis=0)
    np.testing.assert_allclose(extent, [3.67, 4.70, 3.67], atol=1e-3)


# --- rotations ---


@given(st.integers(0, 2**32 - 1))
def test_a_rotation_is_proper_and_keeps_all_distances(seed):
    R = draw_rotation(np.random.default_rng(seed))
    np.testing.assert_allclose(R @ R.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(R) == pytest.approx(1)
    toluene = molecule_of("Toluene")
    turned = rotate(toluene, R)
    np.testing.assert_allclose(pdist(turned.positions), pdist(toluene.positions))
    assert (turned.name, turned.elements, turned.group) == (toluene.name, toluene.elements, toluene.group)


def test_rotating_and_rotating_back_changes_nothing():
    R = draw_rotation(np.random.default_rng(3))
    water = molecule_of("Water")
    np.testing.assert_allclose(rotate(rotate(water, R), R.T).positions, water.positions, atol=1e-12)


def test_a_quarter_turn_about_z_takes_x_to_y():
    atom = Molecule("H", ("H",), np.array([[1.0, 0.0, 0.0]]))
    np.testing.assert_allclose(rotate(atom, [[0, -1, 0], [1, 0, 0], [0, 0, 1]]).positions, [[0, 1, 0]])


def test_rotations_are_uniform():
    rng = np.random.default_rng(0)
    R = np.array([draw_rotation(rng) for _ in range(4000)])
    # Each column is uniform on the sphere: mean 0, mean square 1/3, standard errors 0.009 and 0.005.
    np.testing.assert_allclose(R.mean(axis=0), 0, atol=0.05)
    np.testing.assert_allclose((R**2).mean(axis=0), 1 / 3, atol=0.025)
    # On SO(3) the trace, 1 + 2 cos(angle), has mean 0 and mean square 1.
    assert (np.trace(R, axis1=1, axis2=2) ** 2).mean() == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("matrix", [np.diag([1, 1, -1]), 2 * np.eye(3), np.eye(2)])
def test_what_mirrors_or_stretches_is_no_rotation(matrix):
    with pytest.raises(ValueError, match="not a rotation"):
        rotate(molecule_of("Water"), matrix)


# --- cells ---


def test_vegards_law_joins_the_two_pure_cells_by_a_straight_line():
    a, b = molecule_of("Ethanol"), molecule_of("Diethylether")
    assert vegard_cell(a, b, 1).parameters[:3] == pytest.approx(a.cell_lengths)
    assert vegard_cell(a, b, 0).parameters[:3] == pytest.approx(b.cell_lengths)
    assert vegard_cell(a, b, 0.25).b == pytest.approx(0.25 * 5.59 + 0.75 * 8.14)


def test_rings_fill_a_hexagonal_cell_about_b_and_all_others_a_right_angled_one():
    for a, b in species_pairs("validation"):
        beta = 120 if a.molecule.group == 3 else 90
        assert vegard_cell(a.molecule, b.molecule, 0.5).parameters[3:] == (90, beta, 90)


def test_impossible_mixtures_are_refused():
    ethanol, benzene = molecule_of("Ethanol"), molecule_of("Benzene")
    with pytest.raises(ValueError, match="fraction"):
        vegard_cell(ethanol, ethanol, 1.2)
    with pytest.raises(ValueError, match="of one group"):
        vegard_cell(ethanol, benzene, 0.5)
    with pytest.raises(ValueError, match="set cell_lengths"):
        vegard_cell(Molecule("X", ("C",), np.zeros((1, 3))), Molecule("Y", ("N",), np.zeros((1, 3))), 0.5)
