"""Where a lattice predicts lines: hkl that its metric tells apart, multiplicities, and 1/d^2 as a linear function."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import gemmi
import numpy as np
from numpy.typing import NDArray

from unscatter.nouns.arrays import Floats, Integers
from unscatter.nouns.cell import Cell
from unscatter.nouns.lattice import Lattice
from unscatter.symmetry import operations_from

#: More lines than this say nothing more: the range is cut where a lattice has them.
MOST_LINES = 20000

_HOLOHEDRY = {
    "aP": "P -1",
    "m": "P 1 2/m 1",
    "o": "P m m m",
    "t": "P 4/m m m",
    "hP": "P 6/m m m",
    "hR": "P -3 m 1",
    "c": "P m -3 m",
}
# The free components of the reciprocal metric: 1/d^2 = sum_k M_k(hkl) g_k, by family.
_FAMILIES = {"a": 6, "m": 4, "o": 3, "t": 2, "h": 2, "c": 1}


@dataclass(frozen=True, eq=False)
class PredictedLines:
    """Lines of a lattice by increasing 1/d, one for each set of hkl that its metric makes equivalent.

    hkl: (n, 3), one of each set; multiplicity: (n,); terms: (n, k) with 1/d^2 = terms @ metric (k,) in 1/Angstrom^2.
    """

    hkl: Integers
    multiplicity: Integers
    terms: Floats
    metric: Floats

    @property
    def inverse_d_squared(self) -> Floats:
        """1/d^2 in 1/Angstrom^2, (n,)."""
        return np.asarray(self.terms @ self.metric)


def predict_lines(cell: Cell, bravais: str, limit: float) -> PredictedLines:
    """Lines with 1/d <= limit (1/Angstrom) of a conventional cell with one of the 14 Bravais lattices.

    Reflections that the centring extinguishes are left out; those that a space group would extinguish are not.
    """
    reciprocal = cell.reciprocal / (2 * np.pi)
    hkl = _within(cell, limit, bravais)
    hkl, multiplicity = _distinct(hkl[_allowed(hkl, bravais[1])], bravais)
    metric = metric_components(reciprocal @ reciprocal.T, bravais)
    terms = metric_terms(hkl, bravais)
    squared = terms @ metric
    order = np.argsort(squared, kind="stable")
    order = order[squared[order] <= limit**2 * (1 + 1e-9)][:MOST_LINES]
    return PredictedLines(hkl[order], multiplicity[order], terms[order], metric)


def predicted_angles(lattice: Lattice, wavelength: float, last: float) -> tuple[Integers, Floats]:
    """Indices (n, 3) and two-theta in degrees (n,), its zero added, of the lines that a lattice predicts up to `last`.

    >>> hkl, angles = predicted_angles(Lattice(Cell(4, 4, 4, 90, 90, 90), "cP"), 2.0, 45.0)
    >>> hkl.tolist(), angles.round(3).tolist()
    ([[1, 0, 0], [1, 1, 0]], [28.955, 41.41])
    """
    limit = 2 * np.sin(np.radians(min(last - lattice.zero, 179.0) / 2)) / wavelength
    lines = predict_lines(lattice.cell, lattice.bravais, float(limit))
    sine = np.minimum(wavelength / 2 * np.sqrt(lines.inverse_d_squared), 1.0)
    return lines.hkl, np.asarray(np.degrees(2 * np.arcsin(sine)) + lattice.zero)


def metric_terms(hkl: Integers, bravais: str) -> Floats:
    """Coefficients (n, k) of the free components of the reciprocal metric in 1/d^2 of hkl (n, 3)."""
    h, k, l = hkl.T.astype(np.float64)  # noqa: E741
    columns = {
        "a": (h * h, k * k, l * l, 2 * k * l, 2 * h * l, 2 * h * k),
        "m": (h * h, k * k, l * l, 2 * h * l),
        "o": (h * h, k * k, l * l),
        "t": (h * h + k * k, l * l),
        "h": (h * h + k * k + h * k, l * l),
        "c": (h * h + k * k + l * l,),
    }[bravais[0]]
    return np.stack(columns, axis=1)


def metric_components(metric: Floats, bravais: str) -> Floats:
    """Free components (k,) of a reciprocal metric (3, 3) in 1/Angstrom^2, averaged over what symmetry makes equal."""
    g = metric
    found = {
        "a": (g[0, 0], g[1, 1], g[2, 2], g[1, 2], g[0, 2], g[0, 1]),
        "m": (g[0, 0], g[1, 1], g[2, 2], g[0, 2]),
        "o": (g[0, 0], g[1, 1], g[2, 2]),
        "t": ((g[0, 0] + g[1, 1]) / 2, g[2, 2]),
        "h": ((g[0, 0] + g[1, 1]) / 2, g[2, 2]),
        "c": ((g[0, 0] + g[1, 1] + g[2, 2]) / 3,),
    }[bravais[0]]
    return np.array(found, dtype=np.float64)


def cell_of(metric: Floats, bravais: str) -> Cell:
    """Conventional cell of the free components of a reciprocal metric; raises ValueError where there is none."""
    parts = dict(zip(("aa", "bb", "cc", "bc", "ac", "ab"), _full(metric, bravais[0]), strict=True))
    g = np.array(
        [
            [parts["aa"], parts["ab"], parts["ac"]],
            [parts["ab"], parts["bb"], parts["bc"]],
            [parts["ac"], parts["bc"], parts["cc"]],
        ]
    )
    if np.any(np.linalg.eigvalsh(g) <= 0):
        raise ValueError("the reciprocal metric is not positive: no cell has it")
    direct = np.linalg.inv(g)
    edges = np.sqrt(np.diag(direct))
    cosines = [direct[1, 2] / (edges[1] * edges[2]), direct[0, 2] / (edges[0] * edges[2])]
    cosines.append(direct[0, 1] / (edges[0] * edges[1]))
    return Cell(*edges.tolist(), *np.round(np.degrees(np.arccos(cosines)), 10).tolist())


def free_components(bravais: str) -> int:
    """Free numbers of the cell of a Bravais lattice: 6 for triclinic, 1 for cubic."""
    return _FAMILIES[bravais[0]]


def _full(metric: Floats, family: str) -> tuple[float, ...]:
    """Six components aa, bb, cc, bc, ac, ab of the free ones."""
    m = [float(x) for x in metric]
    if family == "a":
        return tuple(m)
    if family == "m":
        return m[0], m[1], m[2], 0.0, m[3], 0.0
    if family == "o":
        return m[0], m[1], m[2], 0.0, 0.0, 0.0
    if family == "c":
        return m[0], m[0], m[0], 0.0, 0.0, 0.0
    return m[0], m[0], m[1], 0.0, 0.0, m[0] / 2 if family == "h" else 0.0


def _within(cell: Cell, limit: float, bravais: str) -> Integers:
    """All hkl but the origin with 1/d <= limit, one of h and -h, and no negative k, l where a mirror repeats them."""
    most = [int(limit * edge * (1 + 1e-9)) + 1 for edge in cell.parameters[:3]]
    family = bravais[0]
    least = [0, -most[1] if family in "ah" else 0, 0 if family in "otc" or bravais == "hP" else -most[2]]
    h, k, l = (np.arange(a, b + 1) for a, b in zip(least, most, strict=True))  # noqa: E741
    reciprocal = cell.reciprocal / (2 * np.pi)
    grid = np.stack(np.meshgrid(h, k, l, indexing="ij"), axis=-1).reshape(-1, 3)
    q = grid @ reciprocal
    squared = np.einsum("ni,ni->n", q, q)
    return np.asarray(grid[(squared <= limit**2 * (1 + 1e-6)) & np.any(grid != 0, axis=1)], dtype=np.int64)


def _allowed(hkl: Integers, centring: str) -> NDArray[np.bool_]:
    """Whether hkl (n, 3) are lattice points of the reciprocal lattice of a centred cell."""
    h, k, l = hkl.T  # noqa: E741
    if centring == "C":
        return np.asarray((h + k) % 2 == 0)
    if centring == "I":
        return np.asarray((h + k + l) % 2 == 0)
    if centring == "F":
        return np.asarray(((h + k) % 2 == 0) & ((h + l) % 2 == 0))
    if centring == "R":
        return np.asarray((-h + k + l) % 3 == 0)
    return np.ones(len(hkl), dtype=bool)


@cache
def holohedry(bravais: str) -> Integers:
    """Rotations (m, 3, 3) of a lattice on its conventional axes; hkl @ R are equivalent."""
    key = bravais if bravais in _HOLOHEDRY else bravais[0]
    rotations, _ = operations_from(gemmi.SpaceGroup(_HOLOHEDRY[key]).operations())
    return rotations


def _distinct(hkl: Integers, bravais: str) -> tuple[Integers, Integers]:
    """One hkl of each set of equivalent ones, the largest in order of h, k, l, and the size of the set."""
    rotations = holohedry(bravais)
    base = 4 * int(np.abs(hkl).sum(axis=1).max(initial=1)) + 1
    weights = np.array([base * base, base, 1])
    codes = hkl @ (rotations @ weights).T
    own = hkl @ weights
    kept = codes.max(axis=1) == own
    # The orbit of h has as many members as there are rotations for each one that leaves h alone.
    return hkl[kept], len(rotations) // np.sum(codes[kept] == own[kept, None], axis=1)
