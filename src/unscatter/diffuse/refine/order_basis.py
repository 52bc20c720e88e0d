"""Which alphas are refined, and the picture that each makes on a plane.

A parameter belongs to an orbit of vectors under the Laue class; on a plane it multiplies the sum of cos(2 pi hkl.v)
over the orbit, eq. (3) of Fuller & Rudden (2024).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unscatter.diffuse.plane.forward import order_waves, short_range_order
from unscatter.laue import laue_rotations, orbit
from unscatter.nouns.cell import Cell
from unscatter.nouns.order import OrderParameters
from unscatter.nouns.plane import PlaneAxes

Floats = NDArray[np.float64]

#: Reach of the default list: in units of the shortest vector of it, and the largest number of orbits.
DEFAULT_REACH, MOST_ORBITS = 8.0, 48


@dataclass(frozen=True)
class OrderBasis:
    """The orbits that share a parameter: representative vectors (n, 3), the orbits, labels and what was left out.

    Where planes cannot tell orbits apart, one stands for their sum: its label says so.
    """

    vectors: NDArray[np.int64]
    orbits: tuple[NDArray[np.int64], ...]
    labels: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Return the number of parameters."""
        return len(self.orbits)

    def on_plane(self, axes: PlaneAxes) -> Floats:
        """Sum of cos(2 pi hkl.v) over each orbit on the pixels of a plane, (n, ny, nx)."""
        pictures = [short_range_order(order_waves(_unit(members), axes), axes.x, axes.y) for members in self.orbits]
        return np.array(pictures).reshape(len(self), *axes.shape)

    def order(self, alpha: Floats, error: Floats, concentration: float) -> OrderParameters:
        """All vectors of the orbits in a half space, each with the alpha of its orbit; the origin, 1, is the first."""
        halves = [_half(members) for members in self.orbits]
        counts = [len(half) for half in halves]
        return OrderParameters(
            np.concatenate([np.zeros((1, 3), dtype=np.int64), *halves]),
            np.concatenate([[1.0], np.repeat(alpha, counts)]),
            concentration,
            np.concatenate([[0.0], np.repeat(error, counts)]),
        )


def choose_orbits(
    planes: Sequence[PlaneAxes],
    cell: Cell,
    laue: str,
    *,
    vectors: Sequence[Sequence[int]] | None = None,
    radius: float | None = None,
    in_plane: bool = True,
) -> OrderBasis:
    """List the orbits to refine: those of `vectors`, or all up to a radius in Angstrom, nearest first.

    in_plane leaves out vectors with a component along the normal of the planes (v_z for planes hk*l*). Orbits that
    these planes cannot tell apart are merged into one parameter, and those that fold to a constant, which is part of
    the scale of I_FF, are left out; both are noted.

    Raises ValueError if nothing is left, or if in_plane is asked for planes with different normals.
    """
    rotations = laue_rotations(laue)
    normal = common_normal(planes) if in_plane else None
    if vectors is None:
        listed = _near_vectors(cell, radius, normal)
    else:
        listed = np.asarray(vectors, dtype=np.int64).reshape(-1, 3)
    members = _orbits(listed, rotations)
    if vectors is None:
        members = members[:MOST_ORBITS]
    if normal is not None:
        members = [m for m in members if np.all(np.abs(m @ normal) < 1e-9)]
    if not members:
        raise ValueError("no vector is left to refine: give a larger radius in Angstrom, or vectors such as 1,0,0")
    return _merge_aliases(members, planes)


def common_normal(planes: Sequence[PlaneAxes]) -> Floats:
    """The direction, in lattice units, that hkl does not vary along on any of the planes; (0, 0, 1) for hk*l*.

    Raises ValueError if the planes have different normals.
    """
    normals = [np.cross(axes.u, axes.v) for axes in planes]
    units = [normal / np.linalg.norm(normal) for normal in normals]
    if any(np.linalg.norm(np.cross(units[0], unit)) > 1e-6 for unit in units):
        raise ValueError(
            "planes with different normals see order along each other's normal: refine them with --no-in-plane "
            "(in_plane=False)"
        )
    return np.where(np.abs(units[0]) < 1e-9, 0.0, units[0])


def _near_vectors(cell: Cell, radius: float | None, normal: Floats | None) -> NDArray[np.int64]:
    """Lattice vectors but the origin, nearest first, up to a radius or DEFAULT_REACH times the shortest."""
    reach = int(DEFAULT_REACH) + 2
    index = np.arange(-reach, reach + 1)
    flat = np.stack(np.meshgrid(index, index, index, indexing="ij"), axis=-1).reshape(-1, 3)
    flat = flat[np.any(flat != 0, axis=1)]
    if normal is not None:
        flat = flat[np.abs(flat @ normal) < 1e-9]
    length = np.linalg.norm(flat @ cell.direct, axis=1)
    largest = DEFAULT_REACH * length.min() if radius is None else radius
    flat, length = flat[length <= largest * (1 + 1e-6)], length[length <= largest * (1 + 1e-6)]
    # Equal lengths in a fixed order: the larger first index first, as tables list them.
    return np.asarray(flat[np.lexsort((flat[:, 1], -flat[:, 0], np.round(length, 4)))])


def _orbits(vectors: NDArray[np.int64], rotations: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Orbits of the vectors, each once, led by the vector that was listed first; the origin is left out."""
    seen: set[tuple[int, ...]] = {(0, 0, 0)}
    found = []
    for vector in vectors:
        if tuple(vector.tolist()) in seen:
            continue
        members = orbit(vector, rotations)
        seen.update(map(tuple, members.tolist()))
        first = np.all(members == vector, axis=1)
        found.append(np.concatenate([members[first], members[~first]]))
    return found


def _half(members: NDArray[np.int64]) -> NDArray[np.int64]:
    """One of each v and -v, in the order of the list."""
    kept: dict[tuple[int, ...], None] = {}
    for vector in members.tolist():
        if tuple(-c for c in vector) not in kept:
            kept[tuple(vector)] = None
    return np.array(list(kept), dtype=np.int64)


def _unit(members: NDArray[np.int64]) -> OrderParameters:
    half = _half(members)
    return OrderParameters(half, np.ones(len(half)))


def _merge_aliases(members: list[NDArray[np.int64]], planes: Sequence[PlaneAxes]) -> OrderBasis:
    """Keep one orbit of every set whose pictures on all planes are multiples of each other."""
    prints = [_fingerprint(orbit_, planes) for orbit_ in members]
    notes: list[str] = []
    sums: dict[int, list[str]] = {}
    kept: list[int] = []
    constant: list[str] = []
    for place, print_ in enumerate(prints):
        # One plane alone: a constant is the scale of I_FF. Several planes may tell it from their scales.
        if len(planes) == 1 and set(print_) <= {(0, 0, 0)}:
            constant.append(_name(members[place][0]))
            continue
        for other in kept:
            ratio = _ratio(prints[other], print_)
            if ratio is not None:
                sums[other].append(_term(ratio, members[place][0]))
                break
        else:
            kept.append(place)
            sums[place] = []
    labels = tuple("".join([_name(members[place][0]), *sums[place]]) for place in kept)
    merged = [label for place, label in zip(kept, labels, strict=True) if sums[place]]
    if merged:
        notes.append(f"vectors that are one harmonic on this plane are refined as a sum: {'; '.join(merged)}")
    if constant:
        notes.append(
            f"{', '.join(constant)} make a constant on this plane, which is part of the scale of I_FF: not refined, "
            "and the other alphas are relative to it"
        )
    if not kept:
        raise ValueError(f"no parameter is left to refine: {'; '.join(notes)}")
    return OrderBasis(
        np.array([members[place][0] for place in kept]), tuple(members[p] for p in kept), labels, tuple(notes)
    )


def _fingerprint(members: NDArray[np.int64], planes: Sequence[PlaneAxes]) -> dict[tuple[int, int, int], complex]:
    """Amplitudes of the waves of an orbit, by plane and rounded frequency."""
    found = {}
    for number, axes in enumerate(planes):
        waves = order_waves(_unit(members), axes)
        for c, s, fx, fy in zip(waves.cosine, waves.sine, waves.frequency_x, waves.frequency_y, strict=True):
            if abs(c) + abs(s) > 1e-6:
                place = (round(fx * 1e5), round(fy * 1e5))
                key = (0, 0, 0) if place == (0, 0) and len(planes) == 1 else (number, *place)
                found[key] = complex(c, s)
    return found


def _ratio(first: dict[tuple[int, int, int], complex], second: dict[tuple[int, int, int], complex]) -> float | None:
    """Factor of the second set of waves against the first; None if they are no multiples of each other."""
    if first.keys() != second.keys() or not first:
        return None
    ratios = np.array([second[key] / first[key] for key in first])
    return float(ratios[0].real) if np.allclose(ratios, ratios[0].real, atol=1e-5) else None


def _name(vector: NDArray[np.int64]) -> str:
    return "(" + " ".join(str(int(c)) for c in vector) + ")"


def _term(ratio: float, vector: NDArray[np.int64]) -> str:
    factor = "" if abs(abs(ratio) - 1) < 1e-4 else f"{abs(ratio):.3g} "
    return f" {'-' if ratio < 0 else '+'} {factor}{_name(vector)}"
