import numpy as np
import pytest
from scipy.optimize import nnls
from scipy.sparse import csc_array

from unscatter.nouns.cell import Cell
from unscatter.nouns.lattice import Lattice
from unscatter.nouns.pattern import Pattern
from unscatter.powder.demonstration import corundum, simulate_corundum
from unscatter.powder.pattern.line_shape import LineShape, beam_of
from unscatter.powder.refine.evidence import misfit_nats
from unscatter.powder.refine.fit_pattern import fit_pattern
from unscatter.powder.refine.hypotheses import kin, weigh_lattices
from unscatter.powder.refine.lines import find_lines
from unscatter.powder.refine.nonnegative import log_pivots, normal_equations, solve_nonnegative
from unscatter.powder.refine.observation import observe
from unscatter.powder.refine.predicted import cell_of, predict_lines
from unscatter.symmetry import BRAVAIS_LATTICES

CELLS = {
    "a": Cell(5, 6, 7, 80, 95, 100),
    "m": Cell(5, 6, 7, 90, 100, 90),
    "o": Cell(5, 6, 7),
    "t": Cell(5, 5, 7),
    "h": Cell(5, 5, 9, 90, 90, 120),
    "c": Cell(6, 6, 6),
}
SHAPE = LineShape((0.1, -0.05, 0.05), (0.3, 0.0), 0.02, *beam_of(1.5406, 1.5444))


@pytest.mark.parametrize("bravais", BRAVAIS_LATTICES)
def test_predicted_lines_hold_every_reflection_of_the_lattice_once(bravais):
    cell, limit = CELLS[bravais[0]], 0.7
    found = predict_lines(cell, bravais, limit)
    h = np.stack(np.meshgrid(*[np.arange(-8, 9)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    conditions = {
        "P": h[:, 0] == h[:, 0],
        "C": (h[:, 0] + h[:, 1]) % 2 == 0,
        "I": h.sum(axis=1) % 2 == 0,
        "F": np.all(h % 2 == h[:, :1] % 2, axis=1),
        "R": (-h[:, 0] + h[:, 1] + h[:, 2]) % 3 == 0,
    }
    squared = np.sum((h @ cell.reciprocal / (2 * np.pi)) ** 2, axis=1)
    expected = np.sort(squared[conditions[bravais[1]] & (squared <= limit**2) & np.any(h != 0, axis=1)])
    listed = np.repeat(found.inverse_d_squared, found.multiplicity)
    np.testing.assert_allclose(np.sort(listed), expected, rtol=1e-9)


@pytest.mark.parametrize("bravais", BRAVAIS_LATTICES)
def test_a_cell_comes_back_from_its_reciprocal_metric(bravais):
    cell = CELLS[bravais[0]]
    back = cell_of(predict_lines(cell, bravais, 0.5).metric, bravais)
    np.testing.assert_allclose(back.parameters, cell.parameters, rtol=1e-9)


def test_columns_of_lines_have_unit_area_with_their_doublet_and_asymmetry():
    x = np.arange(1.0, 120.0, 0.01)
    columns = SHAPE.columns(np.array([20.0, 60.0]), x).matrix()
    np.testing.assert_allclose(np.asarray(columns.sum(axis=0)).ravel() * 0.01, 1.0, atol=0.02)


def test_nonnegative_least_squares_agree_with_lawson_and_hanson():
    rng = np.random.default_rng(3)
    x = np.arange(10.0, 60.0, 0.05)
    columns = SHAPE.columns(np.sort(rng.uniform(12, 58, 60)), x).matrix()
    y = columns @ np.where(rng.random(60) < 0.5, rng.exponential(1.0, 60), 0.0) + 0.05 * rng.standard_normal(len(x))
    ground = np.ones((len(x), 1))
    found = solve_nonnegative(normal_equations(columns, ground, np.full(len(x), 400.0), y))
    # The background may have either sign: two columns of opposite sign.
    reference, norm = nnls(np.hstack([columns.toarray(), ground, -ground]), y)
    assert found.chi2 == pytest.approx(400 * norm**2, rel=1e-4)
    np.testing.assert_allclose(found.intensity, reference[:60], atol=0.02)


def test_the_banded_determinant_is_the_dense_one():
    rng = np.random.default_rng(4)
    root = np.triu(np.tril(rng.standard_normal((30, 30)), 2))
    matrix, scale = root @ root.T, rng.uniform(0.5, 2.0, 30)
    dense = np.linalg.slogdet(np.eye(30) + scale[:, None] * matrix * scale)[1]
    assert log_pivots(csc_array(matrix), scale).sum() == pytest.approx(dense)


@pytest.fixture(scope="module")
def demonstration():
    pattern = simulate_corundum()
    return pattern, find_lines(pattern)


def test_the_fit_recovers_cell_and_zero_within_its_uncertainties(demonstration):
    pattern, lines = demonstration
    true = corundum().cell
    fit = fit_pattern(
        pattern, Lattice(Cell(true.a * 1.0005, true.b * 1.0005, true.c * 0.9995, 90, 90, 120), "hR"), lines
    )
    assert 0 < fit.cell_error[0] < 1e-3
    # Zero and displacement are held apart by their expected sizes alone, and so is what they do to the cell.
    assert fit.lattice.cell.a == pytest.approx(true.a, rel=1e-3)
    assert fit.lattice.cell.c == pytest.approx(true.c, rel=1e-3)
    assert fit.cell_error[3:] == (0.0, 0.0, 0.0)
    assert fit.chi2 < 1.5
    assert fit.r_wp < 0.12


def test_a_cell_of_half_the_volume_leaves_foreign_lines_and_has_less_evidence(demonstration):
    pattern, lines = demonstration
    true = corundum().cell
    right = fit_pattern(pattern, Lattice(true, "hR"), lines)
    wrong = fit_pattern(pattern, Lattice(Cell(true.a, true.b, true.c / 2, 90, 90, 120), "hR"), lines)
    assert right.evidence > wrong.evidence + 30
    assert wrong.foreign_share > 10 * right.foreign_share
    # On one estimate of what the profile misses, that of the better lattice, nothing forgives the wrong one.
    _, weighed = weigh_lattices(observe(pattern, lines), (wrong.lattice, right.lattice))
    values = {round(one.lattice.volume): one.value for one in weighed if one.lattice.bravais == "hR"}
    assert values[round(true.volume)] > values[round(true.volume / 2)] + 100


def test_misfit_counts_in_units_of_what_is_left_where_that_is_more_than_noise():
    points, step = 1000, 1e-3
    for chi2, slope in ((800.0, 0.5), (1000.0, 0.5), (4000.0, 0.125)):
        assert (misfit_nats(chi2 + step, points) - misfit_nats(chi2, points)) / step == pytest.approx(slope, rel=1e-3)


def test_kin_of_a_lattice_share_its_lines():
    cubic = Lattice(Cell(6, 6, 6), "cI", zero=0.02)
    found = kin(cubic)
    assert {one.bravais for one in found} >= {"tI", "hR"}
    assert all(one.zero == 0.02 for one in found)
    assert all(one.primitive_volume == pytest.approx(cubic.primitive_volume) for one in found)


def test_lines_of_a_stronger_second_phase_are_foreign_where_they_are_and_spoil_no_fit():
    x = np.arange(10.0, 100.0, 0.02)
    shape = LineShape((0.0, 0.0, 0.0144), (0.5, 0.0), wavelengths=(1.5406,), cut=20.0)
    rng = np.random.default_rng(4)
    phases = [(Cell(4.2, 4.2, 4.2), "cP", 300.0), (Cell(5.431, 5.431, 5.431), "cF", 3000.0)]
    counts, places = np.full(len(x), 50.0), []
    for cell, bravais, scale in phases:
        squared = predict_lines(cell, bravais, 1.0).inverse_d_squared
        angle = np.degrees(2 * np.arcsin(1.5406 / 2 * np.sqrt(squared)))
        area = scale * rng.uniform(0.3, 1.0, len(angle)) / np.sin(np.radians(angle / 2))
        counts += shape.columns(angle, x).matrix() @ area
        places.append(angle[angle < x[-1] - 0.5])
    pattern = Pattern(x, rng.poisson(counts).astype(float), wavelength=1.5406, radiation="x-ray")
    fit = fit_pattern(pattern, Lattice(phases[0][0], "cP"))
    assert fit.r_wp < 0.1
    for angle in places[1]:
        if np.abs(places[0] - angle).min() > 0.3:
            assert np.abs(fit.foreign - angle).min() < 0.02
    assert len(fit.foreign) <= len(places[1])


def test_a_cell_with_fewer_than_two_lines_in_the_range_is_refused(demonstration):
    pattern, lines = demonstration
    with pytest.raises(ValueError, match="expected two or more"):
        fit_pattern(pattern, Lattice(Cell(0.9, 0.9, 0.9, 90, 90, 90), "cP"), lines)
