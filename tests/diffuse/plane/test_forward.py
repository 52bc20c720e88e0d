"""The forward model as facts: it equals the sums it stands for, in any array library, for any plane and cell."""

import gemmi
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unscatter.atoms import form_factors
from unscatter.diffuse.crystal.order import half_space
from unscatter.diffuse.plane.forward import (
    atom_pair,
    diffuse_scattering,
    form_factor_difference,
    molecular_form_factor,
    order_waves,
    q_squared,
    scattering_plane,
    short_range_order,
    simulate_plane,
    stack,
    to_namespace,
)
from unscatter.nouns.cell import Cell
from unscatter.nouns.molecule import Molecule
from unscatter.nouns.order import OrderParameters
from unscatter.nouns.plane import PlaneAxes

ELEMENTS = ("C", "H", "N", "O", "Br")
seeds = st.integers(0, 2**32 - 1)


def draw_molecule(rng, atoms=5):
    return Molecule("drawn", tuple(rng.choice(ELEMENTS, atoms)), rng.normal(scale=2.0, size=(atoms, 3)))


def draw_cell(rng):
    """An oblique cell; angles of 70 to 110 degrees always close."""
    return Cell(*rng.uniform(4, 12, 3), *rng.uniform(70, 110, 3))


def draw_axes(rng, shape=(7, 9)):
    """A plane in general position: origin and in-plane vectors are no whole numbers."""
    y, x = (rng.uniform(-3, 3) + np.linspace(-2, 2, size) for size in shape)
    return PlaneAxes(rng.normal(size=3), rng.normal(size=3), rng.normal(size=3), x, y)


def draw_order(rng, radius=2):
    vectors = half_space(radius)
    alpha = rng.normal(scale=0.1, size=len(vectors))
    alpha[0] = 1.0
    return OrderParameters(vectors, alpha, rng.uniform(0.1, 0.9))


def direct_amplitude(molecule, Q, radiation="x-ray"):
    """F(Q), eq. (2), one atom after the other."""
    length = np.linalg.norm(Q, axis=-1)
    amplitude = np.zeros(Q.shape[:-1], dtype=complex)
    for element, position in zip(molecule.elements, molecule.positions, strict=True):
        amplitude += form_factors([element], radiation)(length)[0] * np.exp(1j * Q @ position)
    return amplitude


def direct_order(order, hkl):
    """I_SRO, eq. (3), one vector after the other, v and -v each on its own."""
    total = np.zeros(hkl.shape[:-1])
    for vector, alpha in zip(order.vectors, order.alpha, strict=True):
        for v in {tuple(vector), tuple(-vector)}:
            total += alpha * np.cos(2 * np.pi * (hkl @ np.array(v)))
    return total


# --- equals the direct sum ---


@given(seeds)
@settings(max_examples=25, deadline=None)
def test_form_factor_equals_the_direct_sum_on_any_plane_of_any_cell(seed):
    rng = np.random.default_rng(seed)
    a, b, cell, axes = draw_molecule(rng), draw_molecule(rng, 3), draw_cell(rng), draw_axes(rng)
    Q = axes.hkl() @ cell.reciprocal
    expected = 0.3 * 0.7 * np.abs(direct_amplitude(a, Q) - direct_amplitude(b, Q)) ** 2
    found = molecular_form_factor(atom_pair(a, b), scattering_plane(axes, cell), 0.3)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10 * expected.max())


@given(seeds)
@settings(max_examples=25, deadline=None)
def test_order_equals_the_direct_sum_on_any_plane(seed):
    rng = np.random.default_rng(seed)
    order, axes = draw_order(rng), draw_axes(rng)
    expected = direct_order(order, axes.hkl())
    found = short_range_order(order_waves(order, axes), axes.x, axes.y)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10 * np.abs(expected).max())


@pytest.mark.parametrize("uv", [([1, 0, 0], [0, 1, 0]), ([1, 1, 0], [0, 0, 1]), ([1, 1, 0], [-1, 1, 1])])
def test_special_planes_where_vectors_share_waves_equal_the_direct_sum(uv):
    rng = np.random.default_rng(3)
    grid = np.linspace(-3, 3, 12)
    axes = PlaneAxes([0, 0, 0.5], *uv, grid, grid)
    order = draw_order(rng, 3)
    waves = order_waves(order, axes)
    assert len(waves.cosine) < len(order.alpha) / 2
    np.testing.assert_allclose(short_range_order(waves, grid, grid), direct_order(order, axes.hkl()), atol=1e-12)


@pytest.mark.parametrize("lean", [0.0, 1e-15, 1e-9, 1e-7, 1e-3])
def test_form_factor_is_exact_however_little_the_axes_lean(lean):
    """Perpendicular axes take a short way: no angle is so small that it may be taken for none."""
    rng = np.random.default_rng(4)
    molecule, cell, grid = draw_molecule(rng), Cell(5, 6, 7), np.linspace(-6, 6, 9)
    axes = PlaneAxes([0, 0, 0.3], [1, 0, 0], [lean, 1, 0], grid, grid)
    real, imaginary = form_factor_difference(atom_pair(molecule, None), scattering_plane(axes, cell))
    expected = direct_amplitude(molecule, axes.hkl() @ cell.reciprocal)
    np.testing.assert_allclose(real + 1j * imaginary, expected, rtol=0, atol=1e-11 * np.abs(expected).max())


def test_q_squared_is_the_squared_length_of_q():
    rng = np.random.default_rng(5)
    cell, axes = draw_cell(rng), draw_axes(rng)
    np.testing.assert_allclose(
        q_squared(scattering_plane(axes, cell)), np.sum((axes.hkl() @ cell.reciprocal) ** 2, axis=-1)
    )


def test_vacancy_leaves_the_form_factor_of_the_other_molecule():
    rng = np.random.default_rng(6)
    a, cell, axes = draw_molecule(rng), draw_cell(rng), draw_axes(rng)
    real, imaginary = form_factor_difference(atom_pair(a, None), scattering_plane(axes, cell))
    np.testing.assert_allclose(real + 1j * imaginary, direct_amplitude(a, axes.hkl() @ cell.reciprocal))


def test_neutrons_see_scattering_lengths_that_do_not_fall_with_q():
    rng = np.random.default_rng(7)
    cell, axes = draw_cell(rng), draw_axes(rng)
    d = Molecule("D", ("D",), np.zeros((1, 3)))
    h = Molecule("H", ("H",), np.zeros((1, 3)))
    form = molecular_form_factor(atom_pair(d, h, "neutron"), scattering_plane(axes, cell), 0.5)
    # b(D) = 6.671 fm, b(H) = -3.739 fm (Sears 1992)
    np.testing.assert_allclose(form, 0.25 * (6.671 + 3.739) ** 2, rtol=1e-3)


def test_components_multiply_to_the_diffuse_scattering():
    rng = np.random.default_rng(8)
    pair, order = atom_pair(draw_molecule(rng), draw_molecule(rng)), draw_order(rng)
    form, ordering, diffuse = simulate_plane(pair, order, draw_axes(rng), draw_cell(rng))
    np.testing.assert_array_equal(diffuse, form * ordering)
    np.testing.assert_array_equal(diffuse, diffuse_scattering(form, ordering))


# --- equals gemmi ---


def test_amplitudes_are_gemmis_structure_factors_at_whole_hkl():
    """To 2e-5 of the largest: gemmi sums its Gaussians in float32."""
    rng = np.random.default_rng(9)
    cell, molecule = draw_cell(rng), draw_molecule(rng, 8)
    structure = gemmi.SmallStructure()
    structure.cell = gemmi.UnitCell(*cell.parameters)
    structure.spacegroup_hm = "P 1"
    for i, (element, position) in enumerate(zip(molecule.elements, molecule.positions, strict=True)):
        site = gemmi.SmallStructure.Site()
        site.label, site.type_symbol, site.element = f"{element}{i}", element, gemmi.Element(element)
        site.occ = 1.0
        site.fract = gemmi.Fractional(*(position @ np.linalg.inv(cell.direct)))
        structure.add_site(site)
    calculator = gemmi.StructureFactorCalculatorX(structure.cell)
    index = np.arange(-3.0, 4.0)
    axes = PlaneAxes([0, 0, 1], [1, 0, 0], [0, 1, 0], index, index)
    expected = np.array(
        [[calculator.calculate_sf_from_small_structure(structure, (int(h), int(k), 1)) for h in index] for k in index]
    )
    real, imaginary = form_factor_difference(atom_pair(molecule, None), scattering_plane(axes, cell))
    np.testing.assert_allclose(real + 1j * imaginary, expected, rtol=0, atol=2e-5 * np.abs(expected).max())


# --- symmetry ---


def test_form_factor_is_real_and_centric_through_the_origin():
    rng = np.random.default_rng(10)
    grid = np.linspace(-3, 3, 11)
    axes = PlaneAxes(np.zeros(3), rng.normal(size=3), rng.normal(size=3), grid, grid)
    pair = atom_pair(draw_molecule(rng), draw_molecule(rng))
    form = molecular_form_factor(pair, scattering_plane(axes, draw_cell(rng)))
    assert form.dtype == np.float64
    assert np.all(form >= 0)
    np.testing.assert_allclose(form, form[::-1, ::-1], rtol=1e-9, atol=1e-9 * form.max())


@given(seeds, st.tuples(*[st.integers(-5, 5)] * 3))
@settings(max_examples=25, deadline=None)
def test_order_repeats_with_the_reciprocal_lattice(seed, shift):
    rng = np.random.default_rng(seed)
    order, axes = draw_order(rng), draw_axes(rng)
    moved = PlaneAxes(axes.origin + np.array(shift), axes.u, axes.v, axes.x, axes.y)
    here, there = (short_range_order(order_waves(order, a), a.x, a.y) for a in (axes, moved))
    np.testing.assert_allclose(here, there, atol=1e-11)


def test_mean_of_the_order_over_a_reciprocal_cell_is_alpha_000():
    order = draw_order(np.random.default_rng(11), 3)
    grid = np.arange(8) / 8
    levels = [
        short_range_order(order_waves(order, axes), grid, grid)
        for axes in (PlaneAxes([0, 0, l], [1, 0, 0], [0, 1, 0], grid, grid) for l in grid)  # noqa: E741
    ]
    assert np.mean(levels) == pytest.approx(order.alpha[0])


# --- any array library, precision, batch ---


@pytest.fixture(scope="module")
def problem():
    """Three models of one size, so that they stack."""
    rng = np.random.default_rng(12)
    cells = [draw_cell(rng) for _ in range(3)]
    axes = [draw_axes(rng) for _ in range(3)]
    elements = ("C", "H", "O", "O")
    pairs = [
        atom_pair(Molecule("a", elements, rng.normal(size=(4, 3))), Molecule("b", elements, rng.normal(size=(4, 3))))
        for _ in range(3)
    ]
    orders = [draw_order(rng) for _ in range(3)]
    planes = [scattering_plane(a, c) for a, c in zip(axes, cells, strict=True)]
    waves = [order_waves(o, a) for o, a in zip(orders, axes, strict=True)]
    return pairs, planes, waves


def test_batch_equals_one_by_one(problem):
    pairs, planes, waves = problem
    concentration = np.array([0.1, 0.5, 0.7])
    plane = stack(planes)
    forms = molecular_form_factor(stack(pairs), plane, concentration)
    orders = short_range_order(stack(waves), plane.x, plane.y)
    for i, (pair, one, wave) in enumerate(zip(pairs, planes, waves, strict=True)):
        np.testing.assert_allclose(forms[i], molecular_form_factor(pair, one, concentration[i]), rtol=1e-9)
        np.testing.assert_allclose(orders[i], short_range_order(wave, one.x, one.y), atol=1e-12)


@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-12), ("float32", 2e-5)])
def test_numpy_and_torch_agree_in_both_precisions(problem, dtype, tolerance):
    torch = pytest.importorskip("torch")
    pairs, planes, waves = (stack(values) for values in problem)
    exact = molecular_form_factor(pairs, planes), short_range_order(waves, planes.x, planes.y)
    for library in (np, torch):
        pair, plane, wave = (
            to_namespace(value, library, dtype=getattr(library, dtype)) for value in (pairs, planes, waves)
        )
        found = molecular_form_factor(pair, plane), short_range_order(wave, plane.x, plane.y)
        for ours, reference in zip(found, exact, strict=True):
            assert str(ours.dtype).endswith(dtype)
            np.testing.assert_allclose(np.asarray(ours), reference, rtol=0, atol=tolerance * np.abs(reference).max())


def test_differentiable_in_positions_and_alphas(problem):
    torch = pytest.importorskip("torch")
    pair, plane, waves = (to_namespace(values[0], torch, dtype=torch.float64) for values in problem)
    fields = {name: getattr(pair, name) for name in ("weights", "a", "b", "c")}

    def form(positions):
        return molecular_form_factor(type(pair)(positions=positions, **fields), plane)[::3, ::3]

    def ordering(cosine):
        wave = type(waves)(cosine, waves.sine, waves.frequency_x, waves.frequency_y)
        return short_range_order(wave, plane.x, plane.y)[::3, ::3]

    assert torch.autograd.gradcheck(form, pair.positions.requires_grad_())
    assert torch.autograd.gradcheck(ordering, waves.cosine.requires_grad_())
