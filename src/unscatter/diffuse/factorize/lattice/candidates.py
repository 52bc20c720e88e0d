"""Lattices that the spikes of a spectrum speak for, and how loudly."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from unscatter.diffuse.factorize.lattice.spectrum import PADDING, Spectrum
from unscatter.nouns.arrays import Floats, Integers

#: Lattices sharpened before the best is chosen.
FOLLOWED = 16
#: What a harmonic must stand out by to pay for itself, and the most that one is credited with.
COST = 1.7
TALLEST = 6.0
#: Spikes whose square and hexagonal lattices are tried, and whose rectangular ones with every other spike.
SYMMETRIC, RECTANGULAR = 10, 2
#: Index of the sub- and superlattices of the best that are tried.
INDICES = (2, 3, 4)
#: Lattices whose sub- and superlattices are tried.
WITH_RELATIVES = 3


@dataclass(frozen=True)
class Candidate:
    """A reciprocal lattice in a spectrum: basis (2, 2) in bins, rows.

    score: log power of its harmonics over their surroundings, less a cost each; share: part of all spikes, weighted by
    height, that lie on it, 0 to 1.
    """

    basis: Floats
    score: float
    share: float

    @property
    def evidence(self) -> float:
        """g = (score + 3) sqrt(share + 0.3): clear cases reach 20 to 100, noise 4."""
        return (self.score + 3) * math.sqrt(self.share + 0.3)


def best_candidates(spectrum: Spectrum, count: int) -> list[Candidate]:
    """The lattices with most evidence, best first: of spikes, of their symmetry, and coarser and finer ones."""
    bases = _distinct([*_spanned(spectrum), *_symmetric(spectrum)], spectrum)
    promising = sorted(bases, key=lambda basis: -score(spectrum, basis)[0])[:FOLLOWED]
    sharpened = [candidate_of(spectrum, _sharpen(spectrum, basis)) for basis in promising]
    if not sharpened:
        return []
    leading = sorted(sharpened, key=lambda candidate: -candidate.evidence)[:WITH_RELATIVES]
    related = _distinct((pair for one in leading for pair in _relatives(one.basis)), spectrum)
    sharpened += [candidate_of(spectrum, _sharpen(spectrum, basis)) for basis in related]
    ranked: list[Candidate] = []
    for candidate in sorted(sharpened, key=lambda candidate: -candidate.evidence):
        if not any(same_lattice(candidate.basis, other.basis) for other in ranked):
            ranked.append(candidate)
    return ranked[:count]


def candidate_of(spectrum: Spectrum, basis: Floats) -> Candidate:
    """What a spectrum says of one lattice."""
    return Candidate(basis, score(spectrum, basis)[0], _share(spectrum, basis))


def _spanned(spectrum: Spectrum) -> Iterator[tuple[Floats, Floats]]:
    """Pairs of spikes."""
    yield from itertools.combinations(spectrum.spikes[0], 2)


def _symmetric(spectrum: Spectrum) -> Iterator[tuple[Floats, Floats]]:
    """Square and hexagonal lattices of single spikes, rectangular and rhombic ones of pairs."""
    spikes = spectrum.spikes[0]
    for spike in spikes[:SYMMETRIC]:
        yield from ((spike, _turned(spike, math.radians(angle))) for angle in (60, 90))
    for first in spikes[:RECTANGULAR]:
        for other in spikes:
            along = (other @ first) / (first @ first) * first
            yield first, other - along
            yield other, 2 * along - other


def _turned(vector: Floats, angle: float) -> Floats:
    c, s = math.cos(angle), math.sin(angle)
    return np.array([c * vector[0] - s * vector[1], s * vector[0] + c * vector[1]])


def _relatives(basis: Floats) -> Iterator[tuple[Floats, Floats]]:
    """Super- and sublattices of small index."""
    for index in INDICES:
        for step in hermite_forms(index):
            coarser, finer = step @ basis, np.linalg.inv(step).T @ basis
            yield coarser[0], coarser[1]
            yield finer[0], finer[1]


def hermite_forms(index: int) -> Iterator[Integers]:
    """Steps (2, 2) from a basis to that of each sublattice of an index, by Hermite's normal form."""
    for a in (d for d in range(1, index + 1) if index % d == 0):
        for shift in range(index // a):
            yield np.array([[a, shift], [0, index // a]])


def _distinct(pairs: Iterable[tuple[Floats, Floats]], spectrum: Spectrum) -> list[Floats]:
    """Reduced bases within the periods looked for, each once."""
    found: dict[tuple[int, ...], Floats] = {}
    for first, second in pairs:
        basis = reduce(first, second)
        if basis is None:
            continue
        lengths = np.linalg.norm(basis, axis=1)
        if lengths.min() >= spectrum.lowest and lengths.max() <= spectrum.highest:
            found.setdefault(tuple(np.round(basis).astype(int).ravel().tolist()), basis)
    return list(found.values())


def reduce(first: Floats, second: Floats) -> Floats | None:
    """Two shortest vectors of the lattice that two others span (Lagrange-Gauss), None where those are parallel."""
    a, b = (first, second) if first @ first <= second @ second else (second, first)
    if a @ a < 1e-12:
        return None
    while True:
        b = b - np.round(a @ b / (a @ a)) * a
        if b @ b < 1e-3 * (a @ a):
            return None
        if b @ b >= a @ a * (1 - 1e-9):
            break
        a, b = b, a
    along, across = sorted((a, b), key=lambda t: abs(float(t[1])))
    return np.stack([_forward(along), _forward(across)])


def _forward(vector: Floats) -> Floats:
    return vector if vector[np.argmax(np.abs(vector))] > 0 else -vector


def same_lattice(basis: Floats, other: Floats) -> bool:
    """Whether two reduced bases span one lattice, to a bin."""
    steps = basis @ np.linalg.inv(other)
    whole = np.round(steps)
    return abs(abs(np.linalg.det(whole)) - 1) < 0.1 and bool(np.abs((steps - whole) @ other).max() < 0.5 * PADDING)


def _harmonics(spectrum: Spectrum, basis: Floats) -> Integers:
    """Harmonics (K, 2) of half a plane within the spectrum, nearest first."""
    m, n = (int(s) for s in spectrum.reach * np.abs(np.linalg.inv(basis)).sum(axis=0))
    a, b = np.mgrid[0 : m + 1, -n : n + 1]
    steps = np.stack([a, b], axis=-1)[(a > 0) | (b > 0)]
    length = np.linalg.norm(steps @ basis, axis=1)
    order = np.argsort(length, kind="stable")
    return np.asarray(steps[order][length[order] <= spectrum.reach - 1])


def score(spectrum: Spectrum, basis: Floats) -> tuple[float, Integers]:
    """Sum of what the harmonics stand out by, less a cost each, out to where it is largest; and those harmonics.

    Too fine a lattice pays for harmonics that are not there, too coarse a one misses some that are.
    """
    steps = _harmonics(spectrum, basis)
    if not len(steps):
        return 0.0, steps
    total = np.cumsum(np.clip(spectrum.at(steps @ basis), -1.0, TALLEST) - COST)
    last = int(np.argmax(total))
    return float(total[last]), steps[: last + 1]


def _share(spectrum: Spectrum, basis: Floats) -> float:
    spikes, heights = spectrum.spikes
    steps = spikes @ np.linalg.inv(basis)
    distance = np.linalg.norm((steps - np.round(steps)) @ basis, axis=1)
    return float(np.sum(heights[distance < 0.75 * PADDING]) / max(float(np.sum(heights)), 1e-12))


def _sharpen(spectrum: Spectrum, basis: Floats) -> Floats:
    """Move a basis so that its harmonics meet the tops of the spikes, the near ones first."""
    start = basis
    for share in (0.5, 0.75, 1.0):
        steps = score(spectrum, basis)[1]
        length = np.linalg.norm(steps @ basis, axis=1)
        farthest = max(share * length.max(initial=0.0), np.linalg.norm(basis, axis=1).max() + 1)
        if not np.any(length <= farthest):
            break
        basis = basis + _towards_tops(spectrum, basis, steps[length <= farthest])
    return basis if np.abs(basis - start).max() < PADDING else start


#: A bin and its eight neighbours, and the least-squares paraboloid 1, x, y, (x^2 + y^2) / 2 through nine values.
_NEIGHBOURS = np.array(list(itertools.product((-1.0, 0.0, 1.0), repeat=2)))
_PARABOLOID = np.linalg.pinv(np.column_stack([np.ones(9), _NEIGHBOURS, np.sum(_NEIGHBOURS**2, axis=1) / 2]))


def _towards_tops(spectrum: Spectrum, basis: Floats, steps: Integers) -> Floats:
    """Change of a basis, by weighted least squares, that takes its harmonics to the nearest tops."""
    nearest = np.round(steps @ basis)
    heights = spectrum.at(nearest[:, None] + _NEIGHBOURS)
    _, *slope, bend = _PARABOLOID @ heights.T
    to_top = np.clip(np.stack(slope, axis=-1) / np.maximum(-bend, 0.2)[:, None], -1.5, 1.5)
    weighted = steps * np.clip(heights.max(axis=1) - COST, 0.0, TALLEST)[:, None]
    normal = weighted.T @ steps
    normal += np.eye(2) * (1e-3 * np.trace(normal) + 1e-9)
    return np.linalg.solve(normal, weighted.T @ (nearest + to_top - steps @ basis))
