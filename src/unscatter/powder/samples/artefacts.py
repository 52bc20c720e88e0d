"""What makes a measured powder pattern differ from a computed one: sample, alignment, background, counting."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from array_api_compat import array_namespace
from numpy.typing import NDArray

from unscatter.nouns.arrays import Array, IntArray
from unscatter.nouns.cell import Cell
from unscatter.symmetry import crystal_system

# Edges that differ by less than this share are equal by symmetry.
_EQUAL = 1e-4
# Cells are stretched by this share at most: lines are known as far as that takes.
_MOST_STRETCH = 0.04


def pole_cosine(hkl: IntArray, cell: Cell, axis: int) -> NDArray[np.float64]:
    """Cosine of the angle between the normals of hkl (n, 3) and of the planes (100), (010) or (001)."""
    q = hkl @ cell.reciprocal
    pole = cell.reciprocal[axis]
    return np.asarray(q @ pole / np.sqrt(np.einsum("ni,ni->n", q, q) * (pole @ pole)))


def damping(inverse_d: Array, b_iso: float) -> Array:
    """Factor exp(-B / 2 d^2) of an intensity, B in Angstrom^2 and 1/d in 1/Angstrom."""
    return array_namespace(inverse_d).exp(-b_iso / 2 * inverse_d**2)


def stretch_cell(rng: np.random.Generator, cell: Cell, group: int, scale: float, strain: float) -> Cell:
    """Cell of the same symmetry: all edges by exp(scale z), each free one by exp(strain z), free angles likewise.

    z are normal; edges change by 4 % at most. group: number of the space group.
    """
    system = _system(group)
    factors = scale * rng.standard_normal() + strain * rng.standard_normal(3)
    turns = math.degrees(strain) * np.clip(rng.standard_normal(3), -2, 2)
    edges, angles = np.array(cell.parameters[:3]), np.array(cell.parameters[3:])
    if system not in ("triclinic", "monoclinic", "orthorhombic"):
        for i, j in ((1, 0), (2, 1), (2, 0)):
            if abs(edges[i] - edges[j]) < _EQUAL * edges[i]:
                factors[i] = factors[j]
    free = np.ones(3) if system == "triclinic" else (np.abs(angles - 90) > 1e-3) * float(system == "monoclinic")
    stretched = edges * np.exp(np.clip(factors, -_MOST_STRETCH, _MOST_STRETCH))
    try:
        return Cell(*stretched.tolist(), *(angles + free * turns).tolist())
    except ValueError:  # an acute cell need not close any more
        return Cell(*stretched.tolist(), *angles.tolist())


def add_counting_noise(expected: Array, normal: Array) -> Array:
    """Counts with mean and variance `expected`, from standard normal numbers of the same shape.

    x = m + sqrt(m) z + (z^2 - 1) / 6, zero at least: mean, variance (+ 1/18) and skewness of a Poisson distribution.
    """
    xp = array_namespace(expected)
    counts = expected + xp.sqrt(expected) * normal + (normal**2 - 1) / 6
    return xp.where(counts > 0, counts, 0.0)


@lru_cache(maxsize=230)
def _system(group: int) -> str:
    return crystal_system(group)
