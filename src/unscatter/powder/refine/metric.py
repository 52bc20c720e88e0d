"""A lattice as the metric of a reduced primitive basis and the integer rotations that leave it.

The rotations tell the 14 Bravais lattices apart, and their subgroups and supergroups are the lattices that a powder
pattern may mistake for one another. No table of reduced forms is needed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import gemmi
import numpy as np

from unscatter.nouns.arrays import Floats, Integers
from unscatter.nouns.cell import Cell
from unscatter.nouns.lattice import Lattice
from unscatter.powder.refine.rotations import (
    Group,
    bravais_group,
    conjugates,
    generated_groups,
    is_group,
    numbers_of,
    rotations_of,
    rotations_within,
)
from unscatter.powder.refine.setting import bravais_symbol, conventional_basis

#: Strain up to which a metric is taken to have a symmetry, where nothing else is said.
EXACT = 1e-4
# A strain that no symmetry has.
_GENERIC = np.array([[1.0, 0.7, -0.4], [0.7, -0.3, 0.6], [-0.4, 0.6, -0.7]])
# Centring vectors besides the lattice points of a conventional cell, of which a primitive basis is made.
_PRIMITIVE = {
    "P": np.eye(3),
    "C": np.array([[0.5, -0.5, 0], [0.5, 0.5, 0], [0, 0, 1]]),
    "I": np.array([[-0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0.5, 0.5, -0.5]]),
    "F": np.array([[0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]]),
    "R": np.array([[2, 1, 1], [-1, 1, 1], [-1, -2, 1]]) / 3,
}
#: Rhombohedral axes by rows in terms of the hexagonal ones, obverse setting.
OBVERSE = _PRIMITIVE["R"]


@dataclass(frozen=True, eq=False)
class Metric:
    """Metric G (3, 3) in Angstrom^2 of a reduced primitive basis, and the rotations taken for its symmetry.

    G_ij = a_i . a_j; rotations: (n, 3, 3) integers, all proper ones of the lattice, v' = R v and R^T G R = G. A cubic
    metric with the rotations of a tetragonal lattice is a tetragonal lattice whose edges happen to fit.
    """

    matrix: Floats
    rotations: Integers

    @cached_property
    def bravais(self) -> str:
        """One of the 14 symbols aP mP mC oP oC oI oF tP tI hP hR cP cI cF."""
        return bravais_symbol(self.rotations, self.basis)

    @cached_property
    def basis(self) -> Integers:
        """Conventional basis: rows a, b, c (3, 3) in terms of the primitive basis."""
        return conventional_basis(self.matrix, self.rotations)

    @cached_property
    def cell(self) -> Cell:
        """Conventional cell."""
        return cell_of(self.basis @ self.matrix @ self.basis.T)

    @property
    def volume(self) -> float:
        """Volume of the primitive cell in cubic Angstrom."""
        return float(np.sqrt(np.linalg.det(self.matrix)))

    def __repr__(self) -> str:
        """Bravais lattice and conventional cell."""
        return f"Metric({self.bravais} {self.cell})"


def metric_of(cell: Cell) -> Floats:
    """Metric (3, 3) of the basis of a cell, G_ij = a_i . a_j, in Angstrom^2."""
    a, b, c = cell.parameters[:3]
    ca, cb, cg = np.cos(np.radians(cell.parameters[3:]))
    return np.array([[a * a, a * b * cg, a * c * cb], [a * b * cg, b * b, b * c * ca], [a * c * cb, b * c * ca, c * c]])


def cell_of(matrix: Floats) -> Cell:
    """Cell of a metric (3, 3); right angles and equal edges come out to the last digit that is given."""
    edges = np.sqrt(np.diag(matrix))
    cosines = matrix / np.outer(edges, edges)
    angles = np.degrees(np.arccos(np.clip([cosines[1, 2], cosines[0, 2], cosines[0, 1]], -1, 1)))
    return Cell(*np.round(edges, 9).tolist(), *np.round(angles, 9).tolist())


def primitive_metric(cell: Cell, centring: str) -> Floats:
    """Metric (3, 3) of the reduced primitive basis of a centred cell; centring: P, C, I, F or R (obverse).

    Raises ValueError for another letter.
    """
    if centring not in _PRIMITIVE:
        raise ValueError(f"centring {centring!r} is not known: expected one of {', '.join(_PRIMITIVE)}")
    rows = _PRIMITIVE[centring]
    return reduce_metric(rows @ metric_of(cell) @ rows.T)[0]


def reduce_metric(matrix: Floats) -> tuple[Floats, Integers]:
    """Metric of the Niggli-reduced basis of a lattice, and that basis: rows (3, 3) in terms of the given one.

    Raises ValueError for a matrix that is not the metric of three vectors.
    """
    matrix = np.asarray(matrix, dtype=np.float64)
    scale = np.cbrt(max(np.linalg.det(matrix), 0.0))
    if not (scale > 0 and np.all(np.diag(matrix) > 0)):
        raise ValueError(f"no lattice has the metric {matrix.tolist()}: it must be symmetric and positive definite")
    basis: Integers = np.eye(3, dtype=np.int64)
    # Rounding in the change from metric to cell and back can leave a step undone; the second round does it.
    for _ in range(2):
        reduced = basis @ matrix @ basis.T / scale
        edges = np.sqrt(np.diag(reduced))
        angles = np.degrees(np.arccos(np.array([reduced[1, 2], reduced[0, 2], reduced[0, 1]]) / (edges.prod() / edges)))
        vector = gemmi.GruberVector(gemmi.UnitCell(*edges, *angles), "P", track_change_of_basis=True)
        vector.niggli_reduce(epsilon=1e-9)
        change = np.array(vector.change_of_basis.rot, dtype=np.int64).T // gemmi.Op.DEN
        basis = change @ basis
    return basis @ matrix @ basis.T, basis


def symmetry_of(matrix: Floats, tolerance: float = EXACT) -> Metric:
    """The most symmetric lattice within a strain of the one with this metric (3, 3), with the metric averaged.

    tolerance: largest strain (relative change of a length) that the symmetry may ask for.
    """
    reduced = reduce_metric(matrix)[0]
    near = rotations_within(reduced, tolerance)
    # As a rule the rotations that fit are a group, and no other is to be looked for.
    if is_group(near) and near == bravais_group(reduced, near):
        return _reduced(reduced, near)
    found = [triclinic_metric(reduced), *supergroups(triclinic_metric(reduced), tolerance)]
    return max(found, key=lambda m: (len(m.rotations), -strain_between(reduced, m.matrix)))


def triclinic_metric(matrix: Floats) -> Metric:
    """Lattice of a metric (3, 3) without any symmetry but the inversion, on the reduced basis."""
    return Metric(reduce_metric(matrix)[0], np.eye(3, dtype=np.int64)[None])


def metric_of_lattice(lattice: Lattice) -> Metric:
    """Reduced primitive metric of a lattice with the symmetry that its symbol names, not that of its edges."""
    found = [
        one
        for one in _with_subgroups(symmetry_of(primitive_metric(lattice.cell, lattice.bravais[1])))
        if one.bravais == lattice.bravais
    ]
    if not found:
        raise ValueError(f"no lattice {lattice.bravais} has the cell {lattice.cell}")
    return min(found, key=lambda m: _distance(m.cell, lattice.cell))


def lattice_of(metric: Metric) -> Lattice:
    """Conventional cell and symbol of a metric with its symmetry."""
    return Lattice(metric.cell, metric.bravais)


def bravais_of(matrix: Floats, tolerance: float = EXACT) -> str:
    """Bravais lattice of the highest symmetry that a metric (3, 3) has within a strain."""
    return symmetry_of(matrix, tolerance).bravais


def conventional_cell(matrix: Floats, tolerance: float = EXACT) -> Lattice:
    """Conventional cell and symbol of the highest symmetry that a primitive metric (3, 3) has within a strain."""
    return lattice_of(symmetry_of(matrix, tolerance))


def supergroups(metric: Metric, tolerance: float) -> tuple[Metric, ...]:
    """All lattices of higher symmetry within a strain, the least strained first, each with its averaged metric.

    Their rotations hold those of the given metric. tolerance: relative change of a length.
    """
    present = set(numbers_of(metric.rotations))
    near = rotations_within(metric.matrix, 2 * tolerance)
    if set(near) <= present:
        return ()
    found = []
    for group in generated_groups(frozenset(near), frozenset(present)):
        averaged = average(metric.matrix, rotations_of(group))
        strain = strain_between(metric.matrix, averaged)
        if strain < tolerance:
            whole = bravais_group(averaged, group)
            found.append((strain, whole))
    best = {group: strain for strain, group in sorted(found, reverse=True) if len(group) > len(present)}
    return tuple(_reduced(metric.matrix, group) for group in sorted(best, key=lambda g: best[g]))


def subgroups(metric: Metric, maximal: bool = False) -> tuple[Metric, ...]:
    """All lattices of lower symmetry, the most symmetric first, on the same metric and one for each conjugacy class.

    maximal: only those that are in no other one.
    """
    whole = frozenset(numbers_of(metric.rotations))
    groups = {bravais_group(metric.matrix, group) for group in generated_groups(whole, frozenset())}
    groups.discard(tuple(sorted(whole)))
    if maximal:
        groups = {g for g in groups if not any(set(g) < set(other) for other in groups)}
    chosen: list[Group] = []
    seen: set[Group] = set()
    for group in sorted(groups, key=lambda g: (-len(g), g)):
        if group not in seen:
            chosen.append(group)
            seen.update(conjugates(group, tuple(sorted(whole))))
    return tuple(Metric(metric.matrix, rotations_of(group)) for group in chosen)


def distorted(metric: Metric, lower: Metric, strain: float) -> Metric:
    """A lattice of lower symmetry off the metric of its parent by a strain that the parent does not allow.

    On that metric lines that the parent makes equivalent lie upon each other, and no slope tells a fit to part them.
    """
    edges = np.sqrt(np.diag(metric.matrix))
    size = np.outer(edges, edges)
    change = average(size * _GENERIC, lower.rotations) - average(size * _GENERIC, metric.rotations)
    most = float(np.max(np.abs(change / size)))
    if most < 1e-9 or strain <= 0:
        return lower
    return Metric(metric.matrix + 2 * strain / most * change, lower.rotations)


def superlattices(matrix: Floats) -> list[Floats]:
    """Metrics (3, 3) of the 7 lattices of twice and the 13 of three times the volume."""
    reciprocal, found = inverse(matrix), list[Floats]()
    for times, vector in ((n, v) for n in (2, 3) for v in product(range(n), repeat=3) if any(v)):
        first = next(n for n, one in enumerate(vector) if one)
        # Of a vector and its multiples one.
        if vector[first] == 1:
            rows = np.eye(3)
            rows[first] = np.array(vector) / times
            found.append(inverse(rows @ reciprocal @ rows.T))
    return found


def average(matrix: Floats, rotations: Integers) -> Floats:
    """Mean of R^T G R over a group of rotations (n, 3, 3): the nearest metric (3, 3) that the group leaves."""
    return np.asarray(np.mean(np.swapaxes(rotations, 1, 2) @ matrix @ rotations, axis=0))


def invariant_metrics(rotations: Integers) -> Floats:
    """Basis (k, 3, 3) of the symmetric matrices that a group of rotations leaves; k is the number of cell parameters.

    Any metric of the lattice is a sum of them, so that 1/d^2 = h G^-1 h is linear in k numbers (take the transposed
    rotations for the reciprocal metric).
    """
    units = np.zeros((6, 3, 3))
    for n, (i, j) in enumerate(((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))):
        units[n, i, j] = units[n, j, i] = 1.0
    averaged = np.array([average(unit, rotations) for unit in units]).reshape(6, 9)
    _, values, rows = np.linalg.svd(averaged)
    return np.asarray(rows[: int(np.sum(values > 1e-9))].reshape(-1, 3, 3))


def strain_between(one: Floats, other: Floats) -> float:
    """Largest relative difference of a length between metrics (3, 3) on the same basis."""
    values = np.linalg.eigvals(np.linalg.solve(one, other)).real
    return float(np.max(np.abs(np.sqrt(np.maximum(values, 0.0)) - 1)))


def inverse(matrix: Floats) -> Floats:
    """Inverse of a metric: the reciprocal one of a direct one, and back."""
    return np.asarray(np.linalg.inv(matrix), dtype=np.float64)


def vonorms(matrix: Floats) -> Floats:
    """Seven squared lengths (7,) that belong to a lattice whatever its basis, increasing, in Angstrom^2.

    The shortest vector of each class of the lattice modulo twice itself; they change smoothly with the cell, which no
    reduced cell does. Source: Conway & Sloane, Proc. R. Soc. A 436, 55 (1992).
    """
    reduced = reduce_metric(matrix)[0]
    lengths = np.einsum("ni,ij,nj->n", _SHORT, reduced, _SHORT)
    return np.sort([lengths[k == _CLASS].min() for k in range(1, 8)])


def same_lattice(one: Floats, other: Floats, tolerance: float = 3e-3) -> bool:
    """Whether two metrics (3, 3) on any bases are of one lattice: all lengths alike within a relative tolerance."""
    a, b = vonorms(one), vonorms(other)
    return bool(np.all(np.abs(a - b) < 2 * tolerance * a))


# Vectors with entries -1, 0, 1 and the class of each modulo 2.
_SHORT = np.stack(np.meshgrid(*[[-1, 0, 1]] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
_CLASS = (np.abs(_SHORT) @ [1, 2, 4]).astype(np.int64)


def _reduced(matrix: Floats, group: Group) -> Metric:
    """Lattice of a metric averaged over a group, on its own reduced basis."""
    rotations = rotations_of(group)
    reduced, basis = reduce_metric(average(matrix, rotations))
    inverse = np.rint(np.linalg.inv(basis)).astype(np.int64)
    # v = basis^T v', so that R' = basis^-T R basis^T.
    return Metric(reduced, inverse.T @ rotations @ basis.T)


def _with_subgroups(metric: Metric) -> Iterable[Metric]:
    yield metric
    yield from subgroups(metric)


def _distance(one: Cell, other: Cell) -> float:
    return float(np.abs(np.subtract(one.parameters, other.parameters)).sum())
