"""The axes of a fitted lattice named as the standard setting of a space group wants them."""

from __future__ import annotations

from itertools import permutations, product

import gemmi
import numpy as np

from unscatter.nouns.arrays import Floats, Integers
from unscatter.nouns.cell import Cell
from unscatter.nouns.pattern_fit import PatternFit
from unscatter.symmetry import space_group

# What a line that should be absent costs where it is seen, at most, and what one that is not seen is worth, in nats.
_MOST, _WORTH = 50.0, 2.0


def standard_cell(fit: PatternFit, number: int) -> tuple[Cell, tuple[float, ...]]:
    """Cell and s.u. (6,) of a fit on the axes of the standard setting of a space group.

    Orthorhombic axes may be renamed and monoclinic cells chosen anew in the plane across b: of all choices that is
    taken whose absences the intensities deny least and, among equal ones, the first.
    """
    choices = [np.array(basis) for basis in _bases(fit) if _centred_alike(fit, number, np.array(basis))]
    costs = [_cost(fit, number, basis) for basis in choices]
    basis = choices[int(np.argmin(np.round(costs, 6)))] if choices else np.eye(3, dtype=np.int64)
    return _on_basis(fit.lattice.cell.parameters, basis), _errors(fit, basis)


def _bases(fit: PatternFit) -> list[Integers]:
    """Bases (3, 3), new axes by rows in terms of the old, in the order in which they are preferred."""
    if fit.lattice.bravais[0] == "o":
        signed = [np.eye(3, dtype=np.int64)[list(order)] for order in permutations(range(3))]
        return [basis * round(float(np.linalg.det(basis))) for basis in signed]
    return _monoclinic(fit) if fit.lattice.bravais == "mP" else [np.eye(3, dtype=np.int64)]


def _monoclinic(fit: PatternFit) -> list[Integers]:
    found = []
    for a, c, e, g in product((-1, 0, 1), repeat=4):
        if abs(turn := a * g - c * e) == 1:
            basis = np.array([[a, 0, c], [0, turn, 0], [e, 0, g]])
            cell = _on_basis(fit.lattice.cell.parameters, basis)
            if cell.beta > 90 - 1e-6:
                found.append((round(cell.a + cell.c, 6), not np.array_equal(basis, np.eye(3)), basis))
    return [basis for *_, basis in sorted(found, key=lambda one: one[:2])]


def _centred_alike(fit: PatternFit, number: int, basis: Integers) -> bool:
    """Whether the centring of the group lets every line of the lattice pass."""
    vectors = np.array(list(space_group(number).operations().cen_ops), dtype=float) / gemmi.Op.DEN
    phase = (fit.hkl @ basis.T) @ vectors.T
    return bool(np.all(np.abs(phase - np.round(phase)) < 1e-6))


def _cost(fit: PatternFit, number: int, basis: Integers) -> float:
    """Nats by which the intensities deny the absences of a group on these axes."""
    hkl = np.ascontiguousarray(fit.hkl @ basis.T, dtype=np.int32)
    absent = np.asarray(space_group(number).operations().systematic_absences(hkl), dtype=bool)
    whole = np.ones(fit.resolved, dtype=bool)
    np.logical_and.at(whole, fit.column, absent)
    seen = np.zeros(fit.resolved)
    np.maximum.at(seen, fit.column, fit.area / np.maximum(fit.area_error, 1e-300))
    return float(np.sum(np.minimum(seen[whole] ** 2 / 2, _MOST) - _WORTH))


def _on_basis(parameters: tuple[float, ...] | Floats, basis: Integers) -> Cell:
    if np.array_equal(basis, np.eye(3)):
        return Cell.from_sequence(parameters)
    rows = basis @ Cell.from_sequence(parameters).direct
    length = np.linalg.norm(rows, axis=1)
    cosine = [rows[i] @ rows[j] / (length[i] * length[j]) for i, j in ((1, 2), (0, 2), (0, 1))]
    # Right angles stay right to the last digit.
    angles = np.round(np.degrees(np.arccos(cosine)), 9)
    return Cell.from_sequence([*length, *angles])


def _errors(fit: PatternFit, basis: Integers) -> tuple[float, ...]:
    """S.u. (6,) on other axes, as if those of the cell were not correlated."""
    if np.array_equal(basis, np.eye(3)):
        return fit.cell_error
    here, total = np.array(_on_basis(fit.lattice.cell.parameters, basis).parameters), np.zeros(6)
    for k, error in enumerate(fit.cell_error):
        moved = np.array(fit.lattice.cell.parameters)
        moved[k] += error
        total += (np.array(_on_basis(moved, basis).parameters) - here) ** 2
    return tuple(float(error) if error > 1e-9 else 0.0 for error in np.sqrt(total))
