"""From lines to lattices: every crystal system is searched, the best are refined and ranked."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from unscatter.nouns.cell import Cell
from unscatter.nouns.lattice import Lattice
from unscatter.nouns.lines import Lines
from unscatter.powder.refine import trials
from unscatter.powder.refine.match import MOST_LINES, line_table, parity_masks
from unscatter.powder.refine.metric import (
    Floats,
    Integers,
    Metric,
    average,
    metric_of_lattice,
    primitive_metric,
    reduce_metric,
    subgroups,
    supergroups,
    symmetry_of,
    triclinic_metric,
    vonorms,
)
from unscatter.powder.refine.settle import Observed, Settled, on_reduced_basis, settle

#: What is searched, from the system with fewest parameters to that with most.
SYSTEMS = ("cubic", "hexagonal", "rhombohedral", "tetragonal", "orthorhombic", "monoclinic", "triclinic")
#: Lines that a first and a second search look at.
LEVELS = (22, 28)
# Least volume of a primitive cell in Angstrom^3 and least edge in Angstrom.
_SMALLEST, _SHORTEST = 8.0, 1.8
# Volumes are looked at up to so many times what predicts as many lines as are seen: symmetry makes lines absent.
_MARGIN = {"c": 12.0, "h": 8.0, "r": 8.0, "t": 8.0, "o": 5.0, "m": 3.0, "a": 3.0}
_LETTER = dict(zip(SYSTEMS, "chrtoma", strict=True))
# Least window of a line in degrees, and how many s.u. it spans if that is more.
_WINDOW, _SIGMAS = 0.025, 2.0


@dataclass(eq=False)
class Search:
    """Lines as a search sees them, and what it has found so far."""

    q: Floats
    window: Floats
    rarity: Floats
    table: Integers
    masks: Integers
    observed: Observed
    settled: list[Settled] = field(default_factory=list)


def index(
    lines: Lines,
    *,
    max_volume: float | None = None,
    systems: Iterable[str] = SYSTEMS,
    count: int = 20,
    time_limit: float = 10.0,
    progress: Callable[[str], None] | None = None,
) -> tuple[Lattice, ...]:
    """Lattices that explain the lines, the likeliest first, at most `count`."""
    clean = _without_images(lines)
    search = _prepare(clean, LEVELS[0])
    for system in [s for s in SYSTEMS if s in set(systems)]:
        search.settled += _search(search, system, max_volume)
    return tuple(_lattice(s) for s in _distinct(search.settled)[:count])


def _without_images(lines: Lines) -> Lines:
    clean = np.array([not flag for flag in lines.flags], dtype=bool)
    return _chosen(lines, clean)


def _chosen(lines: Lines, chosen: Floats) -> Lines:
    names = ("two_theta", "two_theta_error", "area", "area_error", "fwhm")
    columns = {name: getattr(lines, name)[chosen] for name in names}
    return replace(lines, **columns, flags=())


def _prepare(lines: Lines, most: int) -> Search:
    first = _chosen(lines, np.arange(len(lines)) < min(most, MOST_LINES))
    observed = Observed.of(first)
    window = observed.slope * np.maximum(_WINDOW, _SIGMAS * first.two_theta_error)
    rarity = -np.log(4 * np.pi * window * np.sqrt(observed.q))
    return Search(observed.q, window, rarity, line_table(observed.q, window), parity_masks(), observed)


def _search(search: Search, system: str, max_volume: float | None) -> list[Settled]:
    """Trial metrics of one system, refined."""
    letter = _LETTER[system]
    scores, found = np.full(40, -1e8), np.zeros((40, 8))
    largest = _largest(search, letter, max_volume)
    common = (search.q, search.rarity, search.table)
    size = len(search.q)
    full = search.masks
    if letter == "c":
        trials.cubic(*common, _symmetric_masks(full), np.arange(min(6, size)), largest, scores, found)
    elif letter in "trh":
        kind = "thr".index(letter)
        masks = _symmetric_masks(full) if letter == "t" else full[:1]
        trials.two_parameters(*common, masks, np.arange(min(8, size)), largest, scores, found, kind, _nodes(letter))
    elif letter == "o":
        trials.orthorhombic(*common, full, np.arange(min(6, size)), largest, scores, found, _SQUARES)
    else:
        plane_scores, planes = np.full(150, -1e8), np.zeros((150, 3))
        trials.zones(search.q, search.window, np.arange(min(12, size)), plane_scores, planes)
        trials.refine_planes(planes, search.q, search.window)
        if letter == "m":
            few = np.arange(min(14, size))
            trials.monoclinic(*common, full, few, largest, scores, found, planes)
            trials.monoclinic_rows(*common, full, few, largest, scores, found, planes[:60])
        else:
            few = np.arange(min(12, size))
            trials.triclinic(
                search.q, search.window, *common[1:], full, few, largest, scores, found, planes[:25], _STEPS, 20
            )
    return [one for row in found[scores > 0][:20] for one in _refined(row, search)]


# h^2 + k^2 and h^2 + hk + k^2 as they come, and the largest l with each: long axes show many l on few rows.
_ROWS = {"t": (0, 1, 2, 4, 5, 8, 9, 10), "h": (0, 1, 3, 4, 7, 9, 12), "r": (0, 1, 3, 4, 7, 9, 12)}
_MOST_L = (16, 12, 7, 6, 5, 5, 4, 4)


def _nodes(letter: str) -> Integers:
    """Rows N, l^2 (m, 2) that are tried for a line."""
    rows = [(s, l) for s, most in zip(_ROWS[letter], _MOST_L, strict=False) for l in range(most + 1) if s + l]
    if letter == "r":
        rows = [(s, l) for s, l in rows if (s % 3 == 0) == (l % 3 == 0)]
    return np.array([(s, l * l) for s, l in rows])


def _squares() -> Floats:
    reach = [(h, k, l) for h in range(3) for k in range(4) for l in range(6) if h + k + l and h + k + l <= 6]
    return np.array(reach, dtype=np.float64) ** 2


_SQUARES = _squares()
# Nodes of a zone beside that over which the third vector stands; the second half are opposites of the first.
_STEPS = np.array([(1, 0), (0, 1), (1, 1), (1, -1), (-1, 0), (0, -1), (-1, -1), (-1, 1)])


def _symmetric_masks(masks: Integers) -> Integers:
    """Primitive, body-centred and face-centred of parity_masks."""
    return masks[[0, 7, 8 + int(np.argmax([m[0] == m[7] == 1 for m in masks[8:]]))]]


def _largest(search: Search, letter: str, max_volume: float | None) -> float:
    """Largest primitive volume in Angstrom^3 that is looked at: three times what predicts as many lines as are seen."""
    general = 4 * np.pi / 3 * search.q[-1] ** 1.5 / trials.MULTIPLICITY[letter]
    most = _MARGIN[letter] * len(search.q) / general
    return min(most, max_volume) if max_volume else most


def _refined(row: Floats, search: Search) -> list[Settled]:
    """A trial metric with every symmetry that it nearly has, each refined on the lines."""
    metric = symmetry_of(_direct(row, search.masks), 3e-3)
    first = settle(metric, search.observed)
    if not _sound(first):
        return []
    base = on_reduced_basis(first.metric)
    found = [first, *(settle(one, search.observed, first.zero) for one in supergroups(base, 8e-3))]
    return [one for one in found if _sound(one)]


def _sound(one: Settled) -> bool:
    """Whether a lattice is worth a second look: it explains something, and has room for an atom."""
    return one.score > -20 and one.metric.volume > _SMALLEST and float(np.min(np.diag(one.metric.matrix))) > _SHORTEST**2


def _direct(row: Floats, masks: Integers) -> Floats:
    """Direct primitive metric (3, 3) of a trial g0 ... g5 and the number of its mask."""
    g = row[:6]
    reciprocal = np.array([[g[0], g[5] / 2, g[4] / 2], [g[5] / 2, g[1], g[3] / 2], [g[4] / 2, g[3] / 2, g[2]]])
    basis = _basis(tuple(masks[int(row[6])].tolist()))
    return np.linalg.inv(basis @ reciprocal @ basis.T)


def _basis(mask: tuple[int, ...]) -> Integers:
    """Basis (3, 3) of the hkl whose parity a mask keeps."""
    vectors = np.stack(np.meshgrid(*[np.arange(-1, 3)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    vectors = vectors[[mask[int((abs(v) % 2) @ [1, 2, 4])] == 1 and bool(v.any()) for v in vectors]]
    vectors = vectors[np.argsort((vectors**2).sum(axis=1), kind="stable")]
    points = 8 // sum(mask)
    for i, one in enumerate(vectors):
        for j, two in enumerate(vectors[:i]):
            cross = np.cross(one, two)
            third = np.flatnonzero(np.abs(vectors[:j] @ cross) == points)
            if len(third):
                return np.array([one, two, vectors[third[0]]])
    raise AssertionError("every mask is a lattice")


def _distinct(settled: Sequence[Settled]) -> list[Settled]:
    """The best of each lattice, the likeliest first."""
    found: list[Settled] = []
    seen: list[tuple[str, Floats]] = []
    for one in sorted(settled, key=lambda s: -s.score):
        norms = vonorms(one.metric.matrix)
        size = len(one.metric.rotations)
        if not any(size == other and np.all(np.abs(norms - n) < 4e-3 * norms) for other, n in seen):
            found.append(one)
            seen.append((size, norms))
    return found


def _lattice(one: Settled) -> Lattice:
    metric = on_reduced_basis(one.metric)
    indexed = int(np.sum(one.indexed))
    return Lattice(
        metric.cell, metric.bravais, one.score, indexed=indexed, foreign=len(one.indexed) - indexed, zero=one.zero
    )
