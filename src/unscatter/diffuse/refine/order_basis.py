"""Which alphas are refined, and the picture that each makes on a plane.

A parameter belongs to an orbit of vectors under the Laue class; on a plane it multiplies the sum of cos(2 pi hkl.v)
over the orbit, eq. (3) of Fuller & Rudden (2024).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from unscatter.diffuse.plane.forward import order_waves
from unscatter.diffuse.refine.order_pictures import OrderPictures, order_pictures
from unscatter.diffuse.refine.seen_vectors import (
    SeenVectors,
    common_row,
    resolved_length,
    smallest_step,
    told_apart_by_pixels,
    vector_name,
)
from unscatter.laue import laue_rotations
from unscatter.nouns.arrays import Floats
from unscatter.nouns.cell import Cell
from unscatter.nouns.order import OrderParameters
from unscatter.nouns.plane import PlaneAxes

#: The list that the data choose from has at most so many parameters.
MOST_TRIED = 96
#: Numbers (parameters times pixels) that are held at once at most: 2 GB.
MOST_NUMBERS = 250_000_000


@dataclass(frozen=True)
class OrderBasis:
    """The orbits that share a parameter: representative vectors (n, 3), the orbits, labels and what was left out.

    Where planes cannot tell orbits apart, one stands for their sum: its label says so. length: (n,), of each vector in
    Angstrom, as seen along the normal where the planes have one; open_end: the list was cut by its size.
    """

    vectors: NDArray[np.int64]
    orbits: tuple[NDArray[np.int64], ...]
    labels: tuple[str, ...]
    length: Floats
    notes: tuple[str, ...] = ()
    open_end: bool = False

    def __len__(self) -> int:
        """Return the number of parameters."""
        return len(self.orbits)

    def first(self, count: int) -> OrderBasis:
        """Return the first so many parameters."""
        return replace(
            self,
            vectors=self.vectors[:count],
            orbits=self.orbits[:count],
            labels=self.labels[:count],
            length=self.length[:count],
        )

    def on_plane(self, axes: PlaneAxes) -> OrderPictures:
        """Sum of cos(2 pi hkl.v) over each orbit on the pixels of a plane."""
        return order_pictures([order_waves(_unit(members), axes) for members in self.orbits], axes)

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
    """List the orbits to refine: those of `vectors`, all up to a radius in Angstrom, or all that the pixels resolve.

    in_plane: vectors that differ by one along the normal make one wave, and one of them, in the plane if there is such
    a vector, stands for their sum; rotations that turn the normal do not count. Without it vectors are those of three
    dimensions: orbits that these planes cannot tell apart are merged into one parameter, and those that fold to a
    constant, which is part of the scale of I_FF, are left out; both are noted.

    Raises ValueError if nothing is left, for more parameters than fit into memory, or if in_plane is asked for planes
    with different normals.
    """
    rotations = laue_rotations(laue)
    row = common_row(planes) if in_plane else None
    if row is not None:
        rotations = np.array([r for r in rotations if np.linalg.norm(np.cross(r @ row, row)) < 1e-6])
    seen = SeenVectors(planes[0], cell, row)
    resolved = np.inf if vectors is not None else resolved_length(planes, cell, seen)
    if vectors is None:
        listed = seen.listed(min(resolved, np.inf if radius is None else radius))
    else:
        listed = np.asarray(vectors, dtype=np.int64).reshape(-1, 3)
        _refuse_hidden(listed, seen)
    members = _orbits(listed, rotations, seen)
    if vectors is None:
        members = told_apart_by_pixels(members, planes)
    notes = _row_notes(planes[0], row)
    if radius is not None and radius > resolved:
        notes.append(
            f"the pixels resolve waves of vectors up to {resolved:.1f} Angstrom: the list ends there, not at {radius:g}"
        )
    if not members:
        raise ValueError("no vector is left to refine: give a larger radius in Angstrom, or vectors such as 1,0,0")
    cut = vectors is None and radius is None and len(members) > MOST_TRIED
    basis = _merge_aliases(members[:MOST_TRIED] if cut else members, planes, seen)
    pixels = sum(axes.x.size * axes.y.size for axes in planes)
    if len(basis) * pixels > MOST_NUMBERS:
        raise ValueError(
            f"{len(basis)} parameters on {pixels} pixels need {len(basis) * pixels * 8e-9:.1f} GB; give a smaller "
            "--radius, or the Laue class of the crystal"
        )
    return replace(basis, notes=(*notes, *basis.notes), open_end=cut)


def _refuse_hidden(vectors: NDArray[np.int64], seen: SeenVectors) -> None:
    """Refuse vectors along the normal, which make no wave on the plane."""
    hidden = [
        vector_name(vector) for vector, length in zip(vectors, seen.length(vectors), strict=True) if length < 1e-6
    ]
    if hidden:
        raise ValueError(
            f"{', '.join(hidden)}: along the normal of the plane, and makes no wave on it, only part of the scale of "
            "I_FF; leave it out, or refine planes of several levels together"
        )


def _row_notes(axes: PlaneAxes, row: Floats | None) -> list[str]:
    """What the values are where vectors along the normal are not told apart."""
    if row is None:
        return []
    step = smallest_step(row)
    if not step.any():
        return []
    name = vector_name(step)
    level = float(axes.origin @ step)
    factor = f" cos(2 pi {level:g} n)" if abs(level - round(level)) > 1e-6 else ""
    return [
        f"one plane does not tell vectors apart that differ by {name}: each value is the sum over n of "
        f"alpha(v + n {name}){factor}, divided by the same sum for v = 0, which is alpha(v) where the others "
        "are zero. Refine planes of several levels or normals, or cuts of a volume, for 3-D alphas"
    ]


def _orbits(vectors: NDArray[np.int64], rotations: NDArray[np.int64], seen: SeenVectors) -> list[NDArray[np.int64]]:
    """Orbits of the vectors, each once, led by the vector that was listed first; the origin is left out."""
    known: set[tuple[int, ...]] = {seen.key(np.zeros(3, dtype=np.int64))}
    found = []
    for vector in vectors:
        if seen.key(vector) in known:
            continue
        members: dict[tuple[int, ...], NDArray[np.int64]] = {seen.key(vector): vector}
        for image in (*(rotations @ vector), *(-rotations @ vector)):
            members.setdefault(seen.key(image), image)
        known.update(members)
        found.append(np.array(list(members.values()), dtype=np.int64))
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


def _merge_aliases(members: list[NDArray[np.int64]], planes: Sequence[PlaneAxes], seen: SeenVectors) -> OrderBasis:
    """Keep one orbit of every set whose pictures on all planes are multiples of each other."""
    prints = [_fingerprint(orbit_, planes) for orbit_ in members]
    notes: list[str] = []
    sums: dict[int, list[str]] = {}
    kept: list[int] = []
    constant: list[str] = []
    for place, print_ in enumerate(prints):
        # One plane alone: a constant is the scale of I_FF. Several planes may tell it from their scales.
        if len(planes) == 1 and set(print_) <= {(0, 0, 0)}:
            constant.append(vector_name(members[place][0]))
            continue
        for other in kept:
            ratio = _ratio(prints[other], print_)
            if ratio is not None:
                sums[other].append(_term(ratio, members[place][0]))
                break
        else:
            kept.append(place)
            sums[place] = []
    labels = tuple("".join([vector_name(members[place][0]), *sums[place]]) for place in kept)
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
    vectors = np.array([members[place][0] for place in kept])
    return OrderBasis(vectors, tuple(members[p] for p in kept), labels, seen.length(vectors), tuple(notes))


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


def _term(ratio: float, vector: NDArray[np.int64]) -> str:
    factor = "" if abs(abs(ratio) - 1) < 1e-4 else f"{abs(ratio):.3g} "
    return f" {'-' if ratio < 0 else '+'} {factor}{vector_name(vector)}"
