"""A cell that a person gives: which lattices it may be of, and where a fit of it begins."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from unscatter.nouns.arrays import Floats
from unscatter.nouns.cell import Cell
from unscatter.nouns.lattice import Lattice
from unscatter.nouns.lines import Lines
from unscatter.powder.refine.metric import Metric, cell_of, metric_of_lattice
from unscatter.powder.refine.settle import Observed, settle
from unscatter.powder.refine.zero import likely_zeros

#: Relative difference of edges, and degrees between angles, up to which they are alike: as typed, and where a lattice
#: is named beside the cell.
AS_TYPED, NAMED = (2e-4, 0.01), (0.02, 1.0)
#: Scales at which a cell is laid on the lines, and how many first lines, strong lines and zeros.
SCALES, FIRST, STRONG, ZEROS = np.linspace(0.97, 1.03, 61), 16, 12, 2
#: Nats by which another scale or zero must explain the lines better to be tried.
BETTER = 4.0

_CENTRINGS = {"c": "PIF", "h": "PR", "t": "PI", "o": "PCIF", "m": "PC", "a": "P"}
_WORDS = {
    "c": "a = b = c and right angles",
    "h": "a = b, alpha = beta = 90 and gamma = 120",
    "t": "a = b and right angles",
    "o": "right angles",
    "m": "alpha = gamma = 90",
}


def admitted_lattices(cell: Cell) -> tuple[Lattice, ...]:
    """The Bravais lattices of the highest system that a cell admits, one for each centring.

    An orthorhombic cell may be centred on any face; its axes are then renamed, so that the face is ab. Of monoclinic
    cells the unique axis is b, and the centred face ab. Three equal edges and angles are rhombohedral axes.

    >>> [one.bravais for one in admitted_lattices(Cell(4.76, 4.76, 12.99, 90, 90, 120))]
    ['hP', 'hR']
    """
    if _is_rhombohedral(cell):
        return (Lattice(_on_hexagonal_axes(cell), "hR"),)
    family = next(one for one in "chtoma" if _differs(cell, _ideal(cell, one)) <= 1.0)
    found = [Lattice(cell, family + centring) for centring in _CENTRINGS[family]]
    if family == "o":
        a, b, c = cell.parameters[:3]
        found += [Lattice(Cell(b, c, a), "oC"), Lattice(Cell(c, a, b), "oC")]
    return tuple(found)


def lattice_of_cell(cell: Cell, bravais: str) -> Lattice:
    """A lattice that was named, of a cell that has its metric within two per cent.

    Raises ValueError for a cell that has not.
    """
    if bravais == "hR" and _is_rhombohedral(cell):
        return Lattice(_on_hexagonal_axes(cell), bravais)
    ideal = _ideal(cell, bravais[0])
    if _differs(cell, ideal, *NAMED) > 1.0:
        raise ValueError(
            f"{bravais} has {_WORDS[bravais[0]]}, which {cell} has not: give its conventional cell (hR on hexagonal "
            "axes, monoclinic with unique axis b), or another Bravais lattice"
        )
    return Lattice(ideal, bravais)


def starts_of(lattice: Lattice, lines: Lines) -> tuple[Lattice, ...]:
    """A lattice as it was given and, if the lines say so, refined on them from the scale and zero that explain most.

    Scales go from 0.97 to 1.03, as cells of relatives and at other temperatures do.
    """
    observed = Observed.of(lines, np.array([not flag for flag in lines.flags], dtype=bool))
    if len(observed) < 3:
        return (lattice,)
    seen = observed.foremost(FIRST, STRONG)
    metric = metric_of_lattice(lattice)
    zeros = [lattice.zero, *likely_zeros(seen.two_theta, most=ZEROS)]
    here = settle(metric, seen, lattice.zero)
    tried = [settle(_scaled(metric, s), seen, zero) for zero in zeros for s in SCALES.tolist()]
    best = max(tried, key=lambda one: one.score)
    if best.score < here.score + BETTER:
        return (lattice,)
    return lattice, replace(lattice, cell=_refined_cell(lattice, metric, best.metric), zero=best.zero)


def _refined_cell(lattice: Lattice, metric: Metric, refined: Metric) -> Cell:
    """A cell changed as its metric was; where that names the axes otherwise, in volume alone."""
    if _differs(metric.cell, lattice.cell) <= 1.0:
        return cell_of(metric.basis @ refined.matrix @ metric.basis.T)
    scale = np.cbrt(refined.volume / metric.volume)
    a, b, c, *angles = lattice.cell.parameters
    return Cell(scale * a, scale * b, scale * c, *angles)


def _scaled(metric: Metric, scale: float) -> Metric:
    return Metric(metric.matrix * scale**2, metric.rotations)


def _ideal(cell: Cell, family: str) -> Cell:
    """The nearest cell of a crystal family, by its letter."""
    a, b, c, alpha, beta, gamma = cell.parameters
    both, all_three = (a + b) / 2, (a + b + c) / 3
    ideal = {
        "c": (all_three, all_three, all_three),
        "h": (both, both, c, 90, 90, 120),
        "t": (both, both, c),
        "o": (a, b, c),
        "m": (a, b, c, 90, beta, 90),
        "a": (a, b, c, alpha, beta, gamma),
    }
    return Cell(*ideal[family])


def _differs(cell: Cell, other: Cell, edges: float = AS_TYPED[0], angles: float = AS_TYPED[1]) -> float:
    """Largest difference of two cells in units of what is alike."""
    one, two = np.array(cell.parameters), np.array(other.parameters)
    return float(max(np.max(np.abs(one / two - 1)[:3]) / edges, np.max(np.abs(one - two)[3:]) / angles))


def _is_rhombohedral(cell: Cell) -> bool:
    edges, angles = _spread(cell.parameters[:3]), _spread(cell.parameters[3:])
    return edges < AS_TYPED[0] * cell.a and angles < AS_TYPED[1] and abs(cell.alpha - 90) > AS_TYPED[1]


def _spread(numbers: tuple[float, ...] | Floats) -> float:
    return float(np.ptp(np.asarray(numbers)))


def _on_hexagonal_axes(cell: Cell) -> Cell:
    """The cell of three times the volume that rhombohedral axes are the obverse setting of."""
    angle = np.radians(cell.alpha)
    a = 2 * cell.a * np.sin(angle / 2)
    c = cell.a * np.sqrt(3 + 6 * np.cos(angle))
    return Cell(float(a), float(a), float(c), 90.0, 90.0, 120.0)
