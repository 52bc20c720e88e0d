"""The symmetry of a metric, beside spglib and gemmi."""

import gemmi
import numpy as np
import pytest
from numpy.typing import NDArray

from unscatter.nouns.cell import Cell
from unscatter.nouns.lattice import Lattice
from unscatter.powder.refine import metric as metrics
from unscatter.powder.refine.nodes import predicted
from unscatter.powder.refine.rotations import all_rotations
from unscatter.symmetry import BRAVAIS_LATTICES

# Which of a, b, c, alpha, beta, gamma are bound in each family.
_BOUND = {
    "a": lambda n: n,
    "m": lambda n: (*n[:3], 90, n[4], 90),
    "o": lambda n: (*n[:3], 90, 90, 90),
    "t": lambda n: (n[0], n[0], n[2], 90, 90, 90),
    "h": lambda n: (n[0], n[0], n[2], 90, 90, 120),
    "c": lambda n: (n[0], n[0], n[0], 90, 90, 90),
}


def draw_cell(rng: np.random.Generator, bravais: str) -> Cell:
    edges, angles = rng.uniform(3, 14, 3), rng.uniform(91, 112, 3)
    return Cell(*map(float, _BOUND[bravais[0]]((*edges, *angles))))


def draw_basis(rng: np.random.Generator) -> NDArray[np.int64]:
    basis = np.eye(3, dtype=np.int64)
    for _ in range(6):
        i, j = rng.choice(3, 2, replace=False)
        basis[i] += int(rng.integers(-2, 3)) * basis[j]
    return basis


@pytest.mark.parametrize("bravais", BRAVAIS_LATTICES)
def test_every_lattice_is_named_from_any_primitive_basis(bravais: str) -> None:
    rng = np.random.default_rng([BRAVAIS_LATTICES.index(bravais), 1])
    for _ in range(20):
        cell = draw_cell(rng, bravais)
        basis = draw_basis(rng)
        matrix = basis @ metrics.primitive_metric(cell, bravais[1]) @ basis.T
        found = metrics.conventional_cell(matrix)
        assert found.bravais == bravais
        assert found.volume == pytest.approx(cell.volume, rel=1e-9)
        assert metrics.same_lattice(matrix, metrics.primitive_metric(found.cell, found.bravais[1]), 1e-9)


@pytest.mark.filterwarnings("ignore:Set OLD_ERROR_HANDLING:DeprecationWarning")
@pytest.mark.parametrize("bravais", BRAVAIS_LATTICES)
def test_the_rotations_are_those_that_spglib_finds_for_a_lattice_of_points(bravais: str) -> None:
    spglib = pytest.importorskip("spglib")
    rng = np.random.default_rng([BRAVAIS_LATTICES.index(bravais), 2])
    for _ in range(10):
        found = metrics.symmetry_of(metrics.primitive_metric(draw_cell(rng, bravais), bravais[1]))
        rows = np.linalg.cholesky(found.matrix)
        dataset = spglib.get_symmetry_dataset((rows, [[0, 0, 0]], [1]), symprec=1e-4)
        proper = {r.tobytes() for r in dataset.rotations.astype(np.int64) if np.linalg.det(r) > 0}
        assert {r.tobytes() for r in found.rotations} == proper


@pytest.mark.parametrize("bravais", ["aP", "mC", "oF", "tI", "hR", "cF"])
def test_the_reduced_cell_is_that_of_gemmi(bravais: str) -> None:
    rng = np.random.default_rng([BRAVAIS_LATTICES.index(bravais), 3])
    for _ in range(10):
        cell = draw_cell(rng, bravais)
        found = metrics.cell_of(metrics.primitive_metric(cell, bravais[1]))
        vector = gemmi.GruberVector(gemmi.UnitCell(*cell.parameters), bravais[1])
        vector.niggli_reduce(epsilon=1e-7)
        assert found.parameters == pytest.approx(vector.cell_parameters(), abs=1e-3)


def test_all_rotations_have_a_finite_order() -> None:
    assert len(all_rotations()) == 792


def test_cubic_closest_packing_may_be_taken_for_these_lattices_of_lower_symmetry() -> None:
    whole = metrics.symmetry_of(metrics.primitive_metric(Cell(4.05, 4.05, 4.05), "F"))
    assert whole.bravais == "cF"
    assert {m.bravais for m in metrics.subgroups(whole, maximal=True)} == {"tI", "hR"}
    assert sorted(m.bravais for m in metrics.subgroups(whole)) == ["aP", "hR", "mC", "mC", "oF", "oI", "tI"]
    tetragonal = metrics.subgroups(whole)[0].cell
    assert tetragonal.parameters == pytest.approx((4.05 / 2**0.5, 4.05 / 2**0.5, 4.05, 90, 90, 90))


def test_a_rhombohedral_perovskite_is_within_half_a_per_cent_of_cubic_and_not_within_a_tenth() -> None:
    # LaAlO3: a = 5.365, c = 13.11 Angstrom on hexagonal axes, pseudo-cubic.
    found = metrics.symmetry_of(metrics.primitive_metric(Cell(5.365, 5.365, 13.11, 90, 90, 120), "R"), 1e-4)
    assert found.bravais == "hR"
    assert metrics.supergroups(found, 1e-3) == ()
    assert [m.bravais for m in metrics.supergroups(found, 5e-3)] == ["cF"]
    assert metrics.supergroups(found, 5e-3)[0].cell.a == pytest.approx(2 * 3.789, abs=4e-3)


@pytest.mark.parametrize(("bravais", "free"), [("aP", 6), ("mC", 4), ("oF", 3), ("tI", 2), ("hR", 2), ("cI", 1)])
def test_invariant_metrics_are_as_many_as_cell_parameters(bravais: str, free: int) -> None:
    found = metrics.symmetry_of(metrics.primitive_metric(draw_cell(np.random.default_rng(4), bravais), bravais[1]))
    assert len(metrics.invariant_metrics(found.rotations)) == free


@pytest.mark.parametrize("bravais", ["mC", "oC", "tI", "hR", "hP", "cF"])
def test_a_lattice_comes_back_from_its_metric(bravais: str) -> None:
    cell = draw_cell(np.random.default_rng(5), bravais)
    lattice = metrics.conventional_cell(metrics.primitive_metric(cell, bravais[1]))
    again = metrics.lattice_of(metrics.metric_of_lattice(lattice))
    assert again.bravais == bravais
    assert again.cell.parameters == pytest.approx(lattice.cell.parameters)


def test_a_tetragonal_lattice_with_equal_edges_stays_tetragonal() -> None:
    found = metrics.metric_of_lattice(Lattice(Cell(5.0, 5.0, 5.0), "tP"))
    assert found.bravais == "tP"
    assert len(found.rotations) == 8


def test_a_matrix_that_is_no_metric_is_refused() -> None:
    with pytest.raises(ValueError, match="positive definite"):
        metrics.reduce_metric(np.diag([1.0, 2.0, -3.0]))


def test_there_are_seven_lattices_of_twice_and_thirteen_of_three_times_the_volume_each_with_all_lines() -> None:
    matrix = metrics.primitive_metric(Cell(4.1, 5.3, 6.7, 81, 94, 103), "P")
    found = metrics.superlattices(matrix)
    ratio = np.sqrt([np.linalg.det(one) / np.linalg.det(matrix) for one in found])
    assert sorted(ratio.round(9)) == [2.0] * 7 + [3.0] * 13
    assert len({tuple(metrics.vonorms(one).round(6)) for one in found}) == 20
    _, own = predicted(metrics.inverse(matrix), 0.4)
    for one in found:
        _, more = predicted(metrics.inverse(one), 0.41)
        assert np.abs(more[:, None] - own).min(axis=0).max() < 1e-9


def test_a_distorted_lattice_has_the_lower_symmetry_alone_and_is_off_by_the_strain() -> None:
    parent = metrics.symmetry_of(metrics.primitive_metric(Cell(5.1, 6.3, 9.8), "I"))
    lower = metrics.subgroups(parent, maximal=True)
    assert len(lower) == 3
    for one in (metrics.distorted(parent, other, 2e-3) for other in lower):
        assert one.bravais == "mC"
        kept = metrics.average(one.matrix, one.rotations)
        np.testing.assert_allclose(kept, one.matrix, atol=1e-9)
        assert metrics.strain_between(parent.matrix, one.matrix) == pytest.approx(2e-3, rel=0.5)
        assert metrics.strain_between(metrics.average(one.matrix, parent.rotations), one.matrix) > 1e-3
