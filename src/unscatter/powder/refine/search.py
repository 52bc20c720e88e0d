"""One sweep over a crystal system: trial metrics from the first lines, the best of them on their primitive basis."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import product

import numpy as np

from unscatter.nouns.arrays import Floats, Integers
from unscatter.powder.refine import trials, zones
from unscatter.powder.refine.match import (
    ALONE,
    AMONG_OTHERS,
    BELOW,
    MOST_LINES,
    Rule,
    Sought,
    line_table,
    parity_masks,
)
from unscatter.powder.refine.metric import inverse
from unscatter.powder.refine.settle import Observed

#: What is searched, from the system with fewest parameters to that with most.
SYSTEMS = ("cubic", "rhombohedral", "tetragonal", "hexagonal", "orthorhombic", "monoclinic", "triclinic")
LETTER = dict(zip(SYSTEMS, "crthoma", strict=True))
# Volumes are looked at up to so many times what predicts as many lines as are seen: symmetry makes lines absent.
_MARGIN = {"c": 12.0, "h": 8.0, "r": 8.0, "t": 8.0, "o": 5.0, "m": 3.0, "a": 3.0}
# Lines are trusted up to so many times the uncertainty of the better ones.
_SHARP = 2.0
#: Nats a line above which a lattice of three parameters is believed.
CONVINCING = 3.0
# Trials of one system that are kept and handed on, the best of each lattice.
_KEPT = 10


@dataclass(frozen=True)
class Effort:
    """How far a search goes.

    lines: observed lines looked at; window: least half width in degrees in which a line is explained, sigmas: s.u. if
    that is more; base: lines from which metrics are made in systems of one and two, three, four and six parameters;
    zones: two-dimensional lattices that get a third vector (monoclinic, triclinic); partners: lines that give angles;
    share: of the lines that are expected to be of one lattice, where there are several phases.
    """

    lines: int = 22
    window: float = 0.025
    sigmas: float = 2.0
    base: tuple[int, int, int, int] = (8, 6, 14, 12)
    zones: tuple[int, int] = (150, 25)
    partners: int = 20
    share: float = 1.0


@dataclass(frozen=True, eq=False)
class Problem:
    """Lines as a search sees them; see match.py for rarity and table.

    trusted: those whose positions are known well enough to make metrics of, by increasing angle; rule: what a lattice
    must do.
    """

    q: Floats
    window: Floats
    rarity: Floats
    table: Integers
    trusted: Integers
    rule: Rule = ALONE


def pose(observed: Observed, effort: Effort, zero: float = 0.0) -> Problem:
    """Lines as a search sees them with a zero of the scale in degrees."""
    shifted = observed.shifted(zero)
    seen = shifted.first(MOST_LINES)
    q, window = seen.q, seen.slope * np.maximum(effort.window, effort.sigmas * seen.error)
    trusted = np.flatnonzero(seen.error <= _SHARP * np.quantile(seen.error, 0.4))
    rarity = np.log(effort.share) - np.log(4 * np.pi * window * np.sqrt(q))
    return Problem(q, window, rarity, line_table(q, window), trusted, ALONE if effort.share == 1 else AMONG_OTHERS)


def largest_volume(problem: Problem, system: str) -> float:
    """Largest primitive volume in Angstrom^3 that is looked at: a few times what predicts as many lines as are seen."""
    letter = LETTER[system]
    general = 4 * np.pi / 3 * float(problem.q[-1]) ** 1.5 / trials.MULTIPLICITY[letter]
    return float(_MARGIN[letter] * len(problem.q) / general)


@cache
def warm_up() -> None:
    """Have every loop of the search compiled, or loaded where that was done before: half a minute the first time."""
    two_theta = np.degrees(2 * np.arcsin(np.sqrt(np.array([1, 2, 3, 4, 5, 6, 8])) * 0.1))
    q = (np.sin(np.radians(two_theta / 2)) * 2) ** 2
    observed = Observed(two_theta, np.full(7, 0.01), q, np.full(7, 0.01), np.ones(7), 1.0)
    effort = Effort(lines=7, base=(2, 3, 2, 2), zones=(2, 2), partners=4)
    for system in SYSTEMS:
        sweep(pose(observed, effort), system, effort, 1e3)


def sweep(problem: Problem, system: str, effort: Effort, largest: float) -> list[Floats]:
    """Primitive metrics (3, 3) of a system that explain the lines beyond chance, the best first."""
    letter = LETTER[system]
    scores, found = np.full(_KEPT, -1e8), np.zeros((_KEPT, 8))
    if letter in "cthr":
        _sweep_short(problem, letter, effort, largest, scores, found)
    elif letter == "o":
        base = _first(effort.base[1], problem)
        sought = Sought(
            problem.q, problem.rarity, problem.table, parity_masks(), base, largest, scores, found, problem.rule
        )
        trials.orthorhombic(sought, _squares(), CONVINCING * len(problem.q))
    else:
        _sweep_zones(problem, letter, effort, largest, scores, found)
    worth = scores > max(float(scores[0]) - BELOW, 0.0)
    return [direct_metric(row) for row in found[worth]]


def _first(most: int, problem: Problem) -> Integers:
    return problem.trusted[:most]


def _sweep_short(problem: Problem, letter: str, effort: Effort, largest: float, scores: Floats, found: Floats) -> None:
    masks = parity_masks()[:1] if letter in "hr" else symmetric_masks()
    base = _first(effort.base[0], problem)
    sought = Sought(problem.q, problem.rarity, problem.table, masks, base, largest, scores, found, problem.rule)
    if letter == "c":
        trials.cubic(sought)
    else:
        trials.two_parameters(sought, "thr".index(letter), _nodes(letter))


def _sweep_zones(problem: Problem, letter: str, effort: Effort, largest: float, scores: Floats, found: Floats) -> None:
    plane_scores, planes = np.full(effort.zones[0], -1e8), np.zeros((effort.zones[0], 3))
    zones.find_zones(problem.q, problem.window, _first(12, problem), plane_scores, planes)
    zones.refine_planes(planes, problem.q, problem.window)
    base = _first(effort.base[2 if letter == "m" else 3], problem)
    sought = Sought(
        problem.q, problem.rarity, problem.table, parity_masks(), base, largest, scores, found, problem.rule
    )
    if letter == "m":
        trials.monoclinic(sought, planes)
        trials.monoclinic_rows(sought, planes[: effort.zones[0] // 2])
    else:
        few = planes[: effort.zones[1]]
        trials.triclinic(sought, problem.window, few, _STEPS, effort.partners)


# h^2 + k^2 and h^2 + hk + k^2 as they come, and the largest l with each: long axes show many l on few rows.
_ROWS = {"t": (0, 1, 2, 4, 5, 8, 9, 10), "h": (0, 1, 3, 4, 7, 9, 12), "r": (0, 1, 3, 4, 7, 9, 12)}
_MOST_L = (16, 12, 7, 6, 5, 5, 4, 4)
# Nodes of a zone beside that over which the third vector stands; the second half are opposites of the first.
_STEPS = np.array([(1, 0), (0, 1), (1, 1), (1, -1), (-1, 0), (0, -1), (-1, -1), (-1, 1)])


@cache
def _nodes(letter: str) -> Integers:
    """Rows N, l^2 (m, 2) that are tried for a line."""
    rows = [(s, n) for s, most in zip(_ROWS[letter], _MOST_L, strict=False) for n in range(most + 1) if s + n]
    if letter == "r":
        rows = [(s, n) for s, n in rows if (s % 3 == 0) == (n % 3 == 0)]
    return np.array([(s, n * n) for s, n in rows])


@cache
def _squares() -> Floats:
    """Squares of h, k, l (m, 3) that are tried for a line, c* the shortest of the axes."""
    reach = [n for n in product(range(3), range(4), range(6)) if 0 < sum(n) <= 6]
    return np.array(reach, dtype=np.float64) ** 2


@cache
def symmetric_masks() -> Integers:
    """Primitive, body-centred and face-centred of parity_masks."""
    masks = parity_masks()
    faces = next(m for m in masks[8:] if m[0] == m[7] == 1)
    return np.array([masks[0], masks[7], faces])


def direct_metric(row: Floats) -> Floats:
    """Direct primitive metric (3, 3) of a trial g0 ... g5 and the eight classes that its mask keeps."""
    g = row[:6]
    reciprocal = np.array([[g[0], g[5] / 2, g[4] / 2], [g[5] / 2, g[1], g[3] / 2], [g[4] / 2, g[3] / 2, g[2]]])
    basis = mask_basis(int(row[6]))
    return inverse(basis @ reciprocal @ basis.T)


@cache
def mask_basis(bits: int) -> Integers:
    """Basis (3, 3) of the hkl whose parity class is a bit of `bits`."""
    vectors = np.stack(np.meshgrid(*[np.arange(-1, 3)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    kept = [bool(v.any()) and bits >> int(np.abs(v) % 2 @ [1, 2, 4]) & 1 == 1 for v in vectors]
    vectors = vectors[kept]
    vectors = vectors[np.argsort((vectors**2).sum(axis=1), kind="stable")]
    points = 8 // bits.bit_count()
    for i, one in enumerate(vectors):
        for j, two in enumerate(vectors[:i]):
            third = np.flatnonzero(np.abs(vectors[:j] @ np.cross(one, two)) == points)
            if len(third):
                return np.array([one, two, vectors[third[0]]])
    raise ValueError(f"classes {bits:b} are no lattice")
