"""The 792 proper integer rotations with entries -1, 0 and 1, and the groups that they form.

On a reduced basis no symmetry of a lattice has other entries.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache, lru_cache
from itertools import combinations
from typing import TypeAlias

import numpy as np

from unscatter.nouns.arrays import Floats, Integers

#: Numbers of the rotations of a group, increasing.
Group: TypeAlias = tuple[int, ...]

_PLACES = 3 ** np.arange(9)
# No point group of a lattice has more proper rotations.
_MOST = 24


@cache
def all_rotations() -> Integers:
    """All integer matrices (792, 3, 3) with entries -1, 0, 1, determinant 1 and finite order."""
    matrices = np.stack(np.meshgrid(*[[-1, 0, 1]] * 9, indexing="ij"), axis=-1).reshape(-1, 3, 3)
    matrices = matrices[np.rint(np.linalg.det(matrices)) == 1]
    # Orders of crystallographic rotations are 1, 2, 3, 4 and 6: all divide 12.
    power = matrices @ matrices @ matrices
    power = power @ power
    return np.asarray(matrices[np.all(power @ power == np.eye(3, dtype=np.int64), axis=(1, 2))])


@cache
def _on_metrics() -> Floats:
    """What every rotation makes of the nine numbers of a metric, R^T G R, (792 * 9, 9)."""
    rotations = all_rotations()
    product = np.einsum("nik,njl->nklij", rotations, rotations).reshape(-1, 9)
    return np.asarray(product, dtype=np.float64)


def rotations_of(group: Iterable[int]) -> Integers:
    """Rotations (n, 3, 3) of a group given by their numbers."""
    return np.asarray(all_rotations()[list(group)])


def numbers_of(rotations: Integers) -> Group:
    """Numbers of rotations (n, 3, 3), increasing; ValueError for one with other entries than -1, 0 and 1."""
    numbers = _number(rotations)
    if np.any(numbers < 0):
        raise ValueError("rotations on this basis have entries beyond -1, 0 and 1: reduce the basis first")
    return tuple(sorted(numbers.tolist()))


def rotations_within(metric: Floats, strain: float) -> Group:
    """Numbers of the rotations that change no length of a metric (3, 3) by more than a share `strain`."""
    change = (_on_metrics() @ metric.ravel()).reshape(-1, 3, 3) - metric
    edges = np.diag(metric)
    # Most rotations change an edge by more than that already.
    near = np.flatnonzero(np.all(np.abs(np.diagonal(change, axis1=1, axis2=2)) <= 2 * strain * edges, axis=1))
    # Frobenius norm of the change on a basis on which the metric is one.
    part = change[near] @ np.linalg.inv(metric)
    squared = np.sum(part * np.swapaxes(part, 1, 2), axis=(1, 2))
    return tuple(near[squared < (2 * strain) ** 2].tolist())


@lru_cache(maxsize=512)
def generated_groups(elements: frozenset[int], present: frozenset[int]) -> tuple[Group, ...]:
    """All groups of at most 24 rotations that two of `elements` generate together with those `present`.

    Two are enough for every group of proper rotations of a lattice.
    """
    singles = {g for e in elements if (g := _closure((e, *present))) is not None}
    # Generators of the same cyclic group are as good as one another.
    pairs = (_closure((*one, *other)) for one, other in combinations(sorted(singles), 2))
    return tuple(sorted({*singles, *(g for g in pairs if g is not None)}))


def bravais_group(metric: Floats, group: Group) -> Group:
    """All rotations that leave every metric which a group leaves; metric: (3, 3), reduced, on which they act."""
    rng = np.random.default_rng(0)
    root = np.linalg.cholesky(metric)
    noise = rng.standard_normal((3, 3))
    # A metric near the given one that is left by nothing but what the group asks for.
    generic = metric + 0.01 * root @ (noise + noise.T) @ root.T
    rotations = rotations_of(group)
    generic = np.mean(np.swapaxes(rotations, 1, 2) @ generic @ rotations, axis=0)
    return rotations_within(generic, 1e-9)


def is_group(numbers: Group) -> bool:
    """Whether the product of any two rotations is one of them again."""
    return len(numbers) <= _MOST and bool(np.all(np.isin(_table()[np.ix_(numbers, numbers)], numbers)))


def conjugates(group: Group, whole: Group) -> set[Group]:
    """All groups that a larger group turns a group into."""
    return {tuple(sorted(_table()[_table()[_inverse(r), list(group)], r].tolist())) for r in whole}


def _inverse(number: int) -> int:
    return int(_number(np.rint(np.linalg.inv(all_rotations()[number])).astype(np.int64)[None])[0])


def _number(rotations: Integers) -> Integers:
    """Numbers (n,) of rotations (n, 3, 3), -1 for those that are not among the 792."""
    flat = rotations.reshape(-1, 9)
    inside = np.all(np.abs(flat) <= 1, axis=1)
    return np.where(inside, _places()[np.where(inside, (flat + 1) @ _PLACES, 0)], -1)


@cache
def _places() -> Integers:
    places = np.full(3**9, -1)
    places[(all_rotations().reshape(-1, 9) + 1) @ _PLACES] = np.arange(len(all_rotations()))
    return places


@cache
def _table() -> Integers:
    """Number of the product of every two rotations, (792, 792), -1 where it has other entries."""
    rotations = all_rotations()
    return np.stack([_number(one @ rotations) for one in rotations])


@lru_cache(maxsize=4096)
def _closure(generators: tuple[int, ...]) -> Group | None:
    """The group that some rotations generate, None if it is infinite or leaves the entries -1, 0, 1."""
    table = _table()
    found, fresh = set(generators), list(generators)
    while fresh:
        products = {int(n) for n in table[np.ix_(fresh, generators)].ravel()}
        fresh = sorted(products - found)
        found |= products
        if -1 in found or len(found) > _MOST:
            return None
    return tuple(sorted(found))
