"""Which alphas are refined, and the picture that each makes on a plane.

A parameter belongs to an orbit of vectors under the Laue class; on a plane it multiplies the sum of cos(2 pi hkl.v)
over the orbit, eq. (3) of Fuller & Rudden (2024).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from unscatter.diffuse.plane.fold import plane_lattice
from unscatter.diffuse.plane.forward import order_waves
from unscatter.diffuse.refine.order_pictures import OrderPictures, order_pictures
from unscatter.laue import laue_rotations
from unscatter.nouns.cell import Cell
from unscatter.nouns.order import OrderParameters
from unscatter.nouns.plane import PlaneAxes

Floats = NDArray[np.float64]

#: Where the list that the data choose from ends: waves of so many periods a pixel, and so many parameters.
FINEST_WAVE, MOST_TRIED = 1.0, 96
#: Numbers (parameters times pixels) that are held at once at most: 2 GB.
MOST_NUMBERS = 250_000_000
#: The list goes at least so far, in shortest edges of the cell.
LEAST_SHORTEST = 5.5
#: In three dimensions, the longest vectors that are tried, in shortest edges of the cell.
MOST_SHORTEST = 6.0


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
    seen = _Seen(planes[0], cell, row)
    resolved = np.inf if vectors is not None else _resolved_length(planes, cell, seen)
    if vectors is None:
        listed = seen.listed(min(resolved, np.inf if radius is None else radius))
    else:
        listed = np.asarray(vectors, dtype=np.int64).reshape(-1, 3)
        _refuse_hidden(listed, seen)
    members = _orbits(listed, rotations, seen)
    if vectors is None:
        members = _told_apart_by_pixels(members, planes)
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


def common_row(planes: Sequence[PlaneAxes]) -> Floats:
    """The row of the direct lattice along which no plane varies, in lattice units: [0 0 1] for planes hk*l*.

    Vectors that differ by it make one wave. Raises ValueError if the planes have different normals.
    """
    rows = [np.cross(axes.u, axes.v) for axes in planes]
    units = [row / np.linalg.norm(row) for row in rows]
    if any(np.linalg.norm(np.cross(units[0], unit)) > 1e-6 for unit in units):
        raise ValueError(
            "planes with different normals see order along each other's normal: refine them with --no-in-plane "
            "(in_plane=False)"
        )
    return np.where(np.abs(units[0]) < 1e-9, 0.0, units[0])


def sees_all_directions(planes: Sequence[PlaneAxes]) -> bool:
    """Whether planes together tell vectors apart that differ along a normal: other normals, other levels, or no row."""
    if any(plane_lattice(axes) is None for axes in planes):
        return True
    row = np.cross(planes[0].u, planes[0].v)
    if any(np.linalg.norm(np.cross(row, np.cross(axes.u, axes.v))) > 1e-6 for axes in planes):
        return True
    step = _smallest_step(row)
    levels = [float(axes.origin @ step) for axes in planes]
    return any(abs((level - levels[0] + 0.5) % 1 - 0.5) > 1e-4 for level in levels)


def _smallest_step(row: Floats) -> NDArray[np.int64]:
    """The shortest lattice vector along a row."""
    scaled = row / np.abs(row).max()
    for number in range(1, 25):
        whole = np.rint(scaled * number)
        if np.allclose(whole, scaled * number, atol=1e-6 * number):
            return np.asarray(whole // np.gcd.reduce(whole.astype(np.int64)), dtype=np.int64)
    return np.zeros(3, dtype=np.int64)


@dataclass(frozen=True)
class _Seen:
    """Vectors as the planes see them: all, or in rows along the normal (one of each stands for its row)."""

    axes: PlaneAxes
    cell: Cell
    row: Floats | None

    def key(self, vector: NDArray[np.int64]) -> tuple[int, ...]:
        """What tells vectors apart."""
        if self.row is None:
            return tuple(int(c) for c in vector)
        return round(float(vector @ self.axes.u) * 1e5), round(float(vector @ self.axes.v) * 1e5)

    def length(self, vectors: NDArray[np.int64]) -> Floats:
        """Length in Angstrom, of the part in the plane where rows are seen."""
        straight = np.asarray(vectors, dtype=np.float64) @ self.cell.direct
        if self.row is not None:
            along = self.row @ self.cell.direct
            along = along / np.linalg.norm(along)
            straight = straight - np.outer(straight @ along, along)
        return np.asarray(np.linalg.norm(straight, axis=1))

    def _away(self, vectors: NDArray[np.int64]) -> Floats:
        """What tells which vector names a row: it has no index along an axis, and lies in the plane along others."""
        if self.row is not None and np.count_nonzero(self.row) == 1:
            return np.asarray(np.abs(vectors @ np.abs(np.sign(self.row))), dtype=np.float64)
        return np.asarray(np.round(np.linalg.norm(vectors @ self.cell.direct, axis=1), 4))

    def listed(self, radius: float) -> NDArray[np.int64]:
        """All vectors up to a length but the origin, nearest first, one for each row."""
        spacing = 1 / np.linalg.norm(self.cell.reciprocal / (2 * np.pi), axis=1)
        if self.row is None:
            tops = np.ceil(radius / spacing).astype(int)
        else:
            # A vector of a row that lies nearest to the plane is out of it by half a step of the row at most.
            step = np.linalg.norm(_smallest_step(self.row) @ self.cell.direct)
            tops = np.ceil(np.hypot(radius, step) / spacing).astype(int)
        grid = [np.arange(-top, top + 1) for top in tops]
        flat = np.stack(np.meshgrid(*grid, indexing="ij"), axis=-1).reshape(-1, 3)
        length = self.length(flat)
        near = (length <= radius * (1 + 1e-6)) & (length > 1e-6 * self.cell.a)
        flat, length = flat[near], length[near]
        # Equal lengths in a fixed order, as tables list them: few minus signs, then the larger first index first.
        signs = np.sum(flat < 0, axis=1)
        order = np.lexsort((flat[:, 1], -flat[:, 0], signs, self._away(flat), np.round(length, 4)))
        flat = flat[order]
        if self.row is None:
            return np.asarray(flat)
        keys = np.stack([np.rint(flat @ self.axes.u * 1e5), np.rint(flat @ self.axes.v * 1e5)], axis=1)
        return np.asarray(flat[np.sort(np.unique(keys, axis=0, return_index=True)[1])])


def _resolved_length(planes: Sequence[PlaneAxes], cell: Cell, seen: _Seen) -> float:
    """Length in Angstrom up to which every wave has FINEST_WAVE periods a pixel at most on one of the planes."""
    found = 0.0
    for axes in planes:
        steps = [(axes.x[1] - axes.x[0]) * axes.u, (axes.y[1] - axes.y[0]) * axes.v]
        lengths = [FINEST_WAVE * 2 * np.pi / float(np.linalg.norm(step @ cell.reciprocal)) for step in steps]
        found = max(found, *lengths)
    edges = np.linalg.norm(cell.direct, axis=1)
    # Coarse pixels sample waves too: those of near vectors count even where they are finer.
    found = max(found, LEAST_SHORTEST * float(edges.min()))
    return min(found, MOST_SHORTEST * float(edges.min())) if seen.row is None else found


def _told_apart_by_pixels(members: list[NDArray[np.int64]], planes: Sequence[PlaneAxes]) -> list[NDArray[np.int64]]:
    """Leave out orbits whose waves are those of a shorter vector at every pixel: where a cell is few whole pixels."""
    kept, known = [], [np.empty((0, 2)) for _ in planes]
    for orbit_ in members:
        waves = [_periods_a_pixel(orbit_, axes) for axes in planes]
        if any(not _alike(one, old, axes) for one, old, axes in zip(waves, known, planes, strict=True)):
            kept.append(orbit_)
            known = [np.concatenate([old, one]) for one, old in zip(waves, known, strict=True)]
    return kept


def _periods_a_pixel(members: NDArray[np.int64], axes: PlaneAxes) -> Floats:
    steps = np.stack([(axes.x[1] - axes.x[0]) * axes.u, (axes.y[1] - axes.y[0]) * axes.v], axis=1)
    return np.asarray(np.concatenate([members @ steps, -members @ steps]))


def _alike(waves: Floats, known: Floats, axes: PlaneAxes) -> bool:
    """Whether the first wave is a known one at every pixel: they differ by less than half a period over the plane."""
    apart = known - waves[0]
    apart = np.abs(apart - np.round(apart)) * [axes.x.size, axes.y.size]
    return bool(np.any(np.all(apart < 0.5, axis=1)))


def _refuse_hidden(vectors: NDArray[np.int64], seen: _Seen) -> None:
    """Refuse vectors along the normal, which make no wave on the plane."""
    hidden = [_name(vector) for vector, length in zip(vectors, seen.length(vectors), strict=True) if length < 1e-6]
    if hidden:
        raise ValueError(
            f"{', '.join(hidden)}: along the normal of the plane, and makes no wave on it, only part of the scale of "
            "I_FF; leave it out, or refine planes of several levels together"
        )


def _row_notes(axes: PlaneAxes, row: Floats | None) -> list[str]:
    """What the values are where vectors along the normal are not told apart."""
    if row is None:
        return []
    step = _smallest_step(row)
    if not step.any():
        return []
    level = float(axes.origin @ step)
    factor = f" cos(2 pi {level:g} n)" if abs(level - round(level)) > 1e-6 else ""
    return [
        f"one plane does not tell vectors apart that differ by {_name(step)}: each value is the sum over n of "
        f"alpha(v + n {_name(step)}){factor}, divided by the same sum for v = 0, which is alpha(v) where the others "
        "are zero. Refine planes of several levels or normals, or cuts of a volume, for 3-D alphas"
    ]


def _orbits(vectors: NDArray[np.int64], rotations: NDArray[np.int64], seen: _Seen) -> list[NDArray[np.int64]]:
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


def _merge_aliases(members: list[NDArray[np.int64]], planes: Sequence[PlaneAxes], seen: _Seen) -> OrderBasis:
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


def _name(vector: NDArray[np.int64]) -> str:
    return "(" + " ".join(str(int(c)) for c in vector) + ")"


def _term(ratio: float, vector: NDArray[np.int64]) -> str:
    factor = "" if abs(abs(ratio) - 1) < 1e-4 else f"{abs(ratio):.3g} "
    return f" {'-' if ratio < 0 else '+'} {factor}{_name(vector)}"
