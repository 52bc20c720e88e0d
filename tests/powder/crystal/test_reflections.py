"""Reflections against gemmi's structure factors and against facts."""

import itertools

import gemmi
import numpy as np
import pytest

from unscatter.atoms import anomalous_dispersion, neutron_lengths
from unscatter.io.structures.crystal_symmetry import site_multiplicities
from unscatter.nouns.cell import Cell
from unscatter.nouns.crystal import Crystal
from unscatter.nouns.sites import primitive_atoms
from unscatter.powder.crystal.random_crystals import draw_crystal
from unscatter.powder.crystal.reflections import powder_f_squared, simulate_reflections, unique_hkl
from unscatter.symmetry import operations, space_group


def rock_salt(elements=("Na", "Cl"), a=5.64):
    return Crystal(Cell(a, a, a), elements, [[0, 0, 0], [0.5, 0.5, 0.5]], *operations(225), space_group=225)


def drawn(number, elements=None, b_iso=None):
    crystal = draw_crystal(np.random.default_rng(number), number, tolerance=None)
    n = len(crystal.elements)
    symbols = tuple(elements[k % len(elements)] for k in range(n)) if elements else crystal.elements
    b = np.empty(0) if b_iso is None else np.linspace(0.2, b_iso, n)
    occupancies = np.linspace(1, 0.5, n)
    return Crystal(
        crystal.cell,
        symbols,
        crystal.positions,
        crystal.rotations,
        crystal.translations,
        occupancies,
        b,
        number,
    )


def gemmi_f_squared(crystal, hkl, radiation):
    """|F|^2 by gemmi, which sums over all operations and counts occupancies by site symmetry."""
    structure = gemmi.SmallStructure()
    structure.cell = gemmi.UnitCell(*crystal.cell.parameters)
    structure.spacegroup_hm = space_group(crystal.space_group).xhm()
    structure.determine_and_set_spacegroup("1")
    assert structure.spacegroup is not None
    for element, x, occupancy, b in zip(
        crystal.elements, crystal.positions, crystal.occupancies, crystal.b_iso, strict=True
    ):
        site = gemmi.SmallStructure.Site()
        site.label = site.type_symbol = element
        site.element = gemmi.Element(element)
        site.fract = gemmi.Fractional(*x)
        site.occ, site.u_iso = occupancy, b / (8 * np.pi**2)
        structure.add_site(site)
    structure.setup_cell_images()
    structure.change_occupancies_to_crystallographic()
    kind = gemmi.StructureFactorCalculatorX if radiation == "x-ray" else gemmi.StructureFactorCalculatorN
    calculator = kind(structure.cell)
    return np.array([abs(calculator.calculate_sf_from_small_structure(structure, h)) ** 2 for h in hkl.tolist()])


@pytest.mark.parametrize("number", [1, 2, 5, 14, 19, 43, 62, 88, 122, 146, 152, 167, 176, 194, 205, 216, 225, 230])
def test_x_ray_structure_factors_agree_with_gemmi(number):
    crystal = drawn(number, elements=("Fe", "O", "Ba"), b_iso=1.0)
    lines = simulate_reflections(crystal, 0.6, "x-ray")
    theirs = gemmi_f_squared(crystal, lines.hkl.astype(int), "x-ray")
    np.testing.assert_allclose(lines.f_squared, theirs, rtol=1e-4, atol=1e-4 * theirs.max())


@pytest.mark.parametrize("number", [4, 62, 141, 166, 198])
def test_neutron_structure_factors_agree_with_gemmi(number):
    # gemmi and periodictable hold the same real lengths for these elements.
    crystal = drawn(number, elements=("O", "Si", "Ca"), b_iso=1.0)
    lines = simulate_reflections(crystal, 0.6, "neutron")
    theirs = gemmi_f_squared(crystal, lines.hkl.astype(int), "neutron")
    np.testing.assert_allclose(lines.f_squared, theirs, rtol=2e-3, atol=2e-3 * theirs.max())


@pytest.mark.parametrize("number", range(1, 231))
def test_sets_of_reflections_fill_the_sphere(number):
    """Multiplicities add up to all reflections that are not absent, and no two sets are equivalent."""
    crystal = draw_crystal(np.random.default_rng(number), number, tolerance=None)
    limit = 6.01 / np.cbrt(crystal.cell.volume)
    hkl, multiplicity = unique_hkl(crystal, limit)
    edges = [int(limit * e) + 1 for e in crystal.cell.parameters[:3]]
    every = np.array(list(itertools.product(*(range(-e, e + 1) for e in edges))), dtype=np.int32)
    inverse_d = np.linalg.norm(every @ crystal.cell.reciprocal, axis=1) / (2 * np.pi)
    every = every[(inverse_d <= limit) & (inverse_d > 0)]
    absent = np.asarray(space_group(number).operations().systematic_absences(every))
    assert multiplicity.sum() == np.sum(~absent)
    asu = gemmi.ReciprocalAsu(space_group(number))
    ops = space_group(number).operations()
    assert len({tuple(asu.to_asu(h, ops)[0]) for h in hkl.astype(int).tolist()}) == len(hkl)


def test_rock_salt_by_hand():
    lines = simulate_reflections(rock_salt(), 0.51)
    assert lines.hkl.astype(int).tolist() == [[1, 1, 1], [2, 0, 0], [2, 2, 0]]
    assert lines.multiplicity.tolist() == [8, 6, 12]
    na, cl = neutron_lengths(["Na", "Cl"])
    np.testing.assert_allclose(lines.f_squared, 16 * np.abs([na - cl, na + cl, na + cl]) ** 2, rtol=1e-5)
    np.testing.assert_allclose(lines.inverse_d, np.sqrt([3, 4, 8]) / 5.64)


def test_absorbers_and_dispersion_are_complex():
    lengths = neutron_lengths(["Gd", "7Li", "D"], 1.8)
    assert lengths[0].imag < -5
    np.testing.assert_allclose(lengths[1:].real, [-2.22, 6.671], atol=0.1)
    assert anomalous_dispersion(["Fe"], 1.5406)[0] == pytest.approx(-1.13 + 3.20j, abs=0.05)


def test_friedel_pairs_are_averaged():
    crystal = drawn(4, elements=("Gd", "O", "Cd"))
    lines = simulate_reflections(crystal, 0.5, wavelength=1.8)
    atoms, site = primitive_atoms(crystal)
    b = neutron_lengths(crystal.elements, 1.8)[site] * crystal.occupancies[site]
    both = [np.abs(np.exp(s * 2j * np.pi * lines.hkl @ atoms.T) @ b) ** 2 for s in (1, -1)]
    np.testing.assert_allclose(lines.f_squared, (both[0] + both[1]) / 2, rtol=1e-5, atol=1e-6 * both[0].max())
    assert np.max(np.abs(both[0] - both[1])) > 0.01 * both[0].max()


def test_site_multiplicities_of_corundum():
    crystal = Crystal(
        Cell(4.76, 4.76, 12.99, 90, 90, 120),
        ("Al", "O"),
        [[0, 0, 0.3522], [0.3063, 0, 0.25]],
        *operations(167),
    )
    assert site_multiplicities(crystal).tolist() == [12, 18]


def test_torch_gives_the_same_and_gradients(torch):
    hkl = np.array([[1, 0, 0], [1, 2, 0], [2, 1, 3]])
    rng = np.random.default_rng(1)
    positions, weights = rng.random((5, 3)), rng.random((5, 2))
    amplitudes = rng.normal(size=(3, 2)) + 1j * rng.normal(size=(3, 2))
    ours = powder_f_squared(hkl, positions, weights, amplitudes)
    x = torch.tensor(positions, requires_grad=True)
    theirs = powder_f_squared(hkl, x, torch.tensor(weights), torch.tensor(amplitudes))
    np.testing.assert_allclose(theirs.detach().numpy(), ours, rtol=1e-5, atol=1e-5)
    theirs.sum().backward()
    step = np.zeros_like(positions)
    step[2, 1] = 1e-3
    up, down = (powder_f_squared(hkl, positions + s * step, weights, amplitudes).sum() for s in (1, -1))
    assert float(x.grad[2, 1]) == pytest.approx((up - down) / 2e-3, rel=1e-3)


def test_what_cannot_be():
    with pytest.raises(ValueError, match="no reflection"):
        simulate_reflections(rock_salt(), 0.1)
    with pytest.raises(ValueError, match="Ac"):
        simulate_reflections(rock_salt(("Ac", "Cl")), 0.5)
