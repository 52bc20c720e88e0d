"""The conventional basis of a lattice, from the axes of its rotations."""

from __future__ import annotations

import numpy as np

from unscatter.nouns.arrays import Floats, Integers

# Lattice vectors among which the conventional ones are sought.
_REACH = 3
_VECTORS: Integers = np.stack(np.meshgrid(*[np.arange(-_REACH, _REACH + 1)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
_VECTORS = _VECTORS[np.any(_VECTORS != 0, axis=1)]
_SYSTEMS = {1: "a", 2: "m", 4: "o", 6: "hR", 8: "t", 12: "hP", 24: "c"}


def bravais_symbol(rotations: Integers, basis: Integers) -> str:
    """Symbol of the lattice with these rotations (n, 3, 3) and this conventional basis (3, 3)."""
    system = _SYSTEMS[len(rotations)]
    if len(system) == 2:
        return system
    points = round(abs(float(np.linalg.det(basis))))
    if points != 2 or system in ("m", "t", "c"):
        return system + {1: "P", 2: "C" if system == "m" else "I", 4: "F"}[points]
    return system + ("I" if np.all(basis.sum(axis=0) % 2 == 0) else "C")


def conventional_basis(metric: Floats, rotations: Integers) -> Integers:
    """Rows a, b, c (3, 3) of the conventional basis in terms of the reduced primitive one.

    metric: (3, 3) of that; rotations: (n, 3, 3). Monoclinic with unique axis b and beta of at least 90 degrees, a and
    c as short as can be (base C); orthorhombic with a <= b <= c (base C first); hR on hexagonal axes, obverse.
    """
    order = len(rotations)
    if order == 1:
        return np.eye(3, dtype=np.int64)
    make = {2: _monoclinic, 4: _orthorhombic, 6: _trigonal, 8: _tetragonal, 12: _trigonal, 24: _cubic}[order]
    return _right_handed(make(metric, rotations), turned=1 if order == 2 else 2)


def _monoclinic(metric: Floats, rotations: Integers) -> Integers:
    b = _axis(metric, _of_order(rotations, 2)[0])
    plane = _across(metric, _of_order(rotations, 2)[0])
    # The shortest a with (a + b) / 2 in the lattice, if any; c completes it to the full plane.
    short = plane[:12]
    basic = next(v for v in short if not _parallel(v, short[0]))
    unit = _index(short[0], b, basic)
    centred = np.all((short + b) % 2 == 0, axis=1)
    a = short[centred][0] if unit == 2 else short[0]
    c = next(v for v in plane if _index(a, b, v) == unit and v @ metric @ a <= 1e-9)
    return np.array([a, b, c])


def _orthorhombic(metric: Floats, rotations: Integers) -> Integers:
    axes = np.array([_axis(metric, r) for r in _of_order(rotations, 2)])
    axes = axes[np.argsort(_squared(metric, axes), kind="stable")]
    if round(abs(float(np.linalg.det(axes)))) == 2:
        pairs = [(0, 1, 2), (0, 2, 1), (1, 2, 0)]
        base = [p for p in pairs if np.all((axes[p[0]] + axes[p[1]]) % 2 == 0)]
        axes = axes[list(base[0])] if base else axes
    return np.asarray(axes)


def _tetragonal(metric: Floats, rotations: Integers) -> Integers:
    turn = _of_order(rotations, 4)[0]
    a = _across(metric, turn)[0]
    return np.array([a, turn @ a, _axis(metric, turn)])


def _trigonal(metric: Floats, rotations: Integers) -> Integers:
    turn = _of_order(rotations, 3)[0]
    a, c = _across(metric, turn)[0], _axis(metric, turn)
    basis = _right_handed(np.array([a, turn @ a, c]))
    if round(abs(float(np.linalg.det(basis)))) == 3 and np.any((2 * basis[0] + basis[1] + basis[2]) % 3):
        basis[:2] *= -1
    return basis


def _cubic(metric: Floats, rotations: Integers) -> Integers:
    turns = [_axis(metric, r) for r in _of_order(rotations, 4)]
    first = turns[0]
    second = next(v for v in turns if not _parallel(first, v))
    third = next(v for v in turns if not _parallel(first, v) and not _parallel(second, v))
    return np.array([first, second, third])


def _of_order(rotations: Integers, order: int) -> Integers:
    """Rotations (k, 3, 3) by 360 degrees over `order`: 1 + 2 cos is their trace."""
    trace = {2: -1, 3: 0, 4: 1, 6: 2}[order]
    return np.asarray(rotations[np.trace(rotations, axis1=1, axis2=2) == trace])


def _projector(rotation: Integers) -> Integers:
    """Sum of the powers of a rotation (3, 3): it takes vectors to their share along the axis, times the order."""
    total = power = np.eye(3, dtype=np.int64)
    while not np.array_equal(power := power @ rotation, np.eye(3, dtype=np.int64)):
        total = total + power
    return total


def _axis(metric: Floats, rotation: Integers) -> Integers:
    """Shortest lattice vector (3,) along the axis of a rotation."""
    columns = _projector(rotation).T
    column = columns[np.argmax(np.abs(columns).sum(axis=1))]
    return np.asarray(column // np.gcd.reduce(column))


def _across(metric: Floats, rotation: Integers) -> Integers:
    """Lattice vectors (k, 3) at right angles to the axis of a rotation, the shortest first."""
    plane = _VECTORS[np.all(_VECTORS @ _projector(rotation).T == 0, axis=1)]
    return np.asarray(plane[np.argsort(np.round(_squared(metric, plane), 6), kind="stable")])


def _squared(metric: Floats, vectors: Integers) -> Floats:
    return np.asarray(np.einsum("ni,ij,nj->n", vectors, metric, vectors))


def _parallel(one: Integers, other: Integers) -> bool:
    return not np.any(np.cross(one, other))


def _index(*rows: Integers) -> int:
    return round(abs(float(np.linalg.det(np.array(rows)))))


def _right_handed(basis: Integers, turned: int = 2) -> Integers:
    """The same axes with a positive determinant, one of them turned round if need be."""
    signs = np.ones((3, 1), dtype=np.int64)
    signs[turned] = 1 if np.linalg.det(basis) > 0 else -1
    return np.asarray(basis * signs)
