"""Trial metrics made into candidates: refined on the lines with every symmetry that they nearly have."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from unscatter.nouns.arrays import Floats
from unscatter.nouns.lattice import Lattice
from unscatter.powder.refine.figures import f20, m20
from unscatter.powder.refine.metric import inverse, supergroups, symmetry_of, vonorms
from unscatter.powder.refine.nodes import predicted
from unscatter.powder.refine.settle import Observed, Settled, on_reduced_basis, settle

# Strain within which a symmetry is tried, and up to which a refined metric is taken to have it.
_TRIED, _NEAR = 8e-3, 3e-3
# Least volume of a primitive cell in Angstrom^3 and least edge in Angstrom.
_SMALLEST, _SHORTEST = 8.0, 1.8


def refined(matrix: Floats, observed: Observed, zero: float, largest: float) -> list[Settled]:
    """A trial metric with every symmetry that it nearly has, each refined on the lines; none above a volume."""
    first = settle(symmetry_of(matrix, _NEAR), observed, zero)
    if not _sound(first) or first.metric.volume > largest:
        return []
    base = on_reduced_basis(first.metric)
    found = [first, *(settle(one, observed, first.zero) for one in supergroups(base, _TRIED))]
    return [one for one in found if _sound(one)]


def _sound(one: Settled) -> bool:
    """Whether a lattice is worth a second look: it explains something, and has room for an atom."""
    return (
        one.score > -20 and one.metric.volume > _SMALLEST and float(np.min(np.diag(one.metric.matrix))) > _SHORTEST**2
    )


def distinct(settled: Iterable[Settled]) -> list[Settled]:
    """The best of each lattice, the likeliest first."""
    found: list[Settled] = []
    seen: list[tuple[int, Floats]] = []
    for one in sorted(settled, key=lambda s: -s.score):
        norms, size = vonorms(one.metric.matrix), len(one.metric.rotations)
        if not any(size == other and np.all(np.abs(norms - n) < 4e-3 * norms) for other, n in seen):
            found.append(one)
            seen.append((size, norms))
    return found


def lattice_from(one: Settled) -> Lattice:
    """Conventional cell, figures of merit and counts of a refined lattice."""
    metric = on_reduced_basis(one.metric)
    seen = one.seen
    _, q = predicted(inverse(one.metric.matrix), float(seen.q[-1]) * 1.02)
    calculated = seen.q - one.off * seen.slope
    indexed, angle = one.indexed, seen.angle_of
    return Lattice(
        metric.cell,
        metric.bravais,
        one.score,
        m20(seen.q[indexed], calculated[indexed], q),
        f20(seen.two_theta[indexed], angle(calculated[indexed]), angle(q)),
        int(np.sum(indexed)),
        one.foreign,
        one.zero,
    )
