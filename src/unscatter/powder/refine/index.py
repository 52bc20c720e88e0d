"""From lines to lattices: every crystal system is searched, the best are refined and ranked."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np

from unscatter.nouns.arrays import Floats
from unscatter.nouns.cell import Cell
from unscatter.nouns.lattice import Lattice
from unscatter.nouns.lines import Lines
from unscatter.powder.refine import dichotomy
from unscatter.powder.refine.among_others import SHORT, among_others
from unscatter.powder.refine.candidates import distinct, lattice_from, refined
from unscatter.powder.refine.match import parity_masks
from unscatter.powder.refine.metric import (
    Metric,
    inverse,
    primitive_metric,
    same_lattice,
    superlattices,
    triclinic_metric,
    vonorms,
)
from unscatter.powder.refine.search import (
    CONVINCING,
    LETTER,
    SYSTEMS,
    Effort,
    largest_volume,
    mask_basis,
    pose,
    sweep,
    warm_up,
)
from unscatter.powder.refine.settle import Observed, Settled, score_as_is, settle
from unscatter.powder.refine.zero import likely_zeros

#: Told after every step: what was done, and the lattices found so far.
Progress: TypeAlias = Callable[[str, tuple[Lattice, ...]], None]

FIRST = Effort()
WIDE = Effort(lines=28, window=0.035, base=(10, 7, 16, 14), zones=(300, 50), partners=24)
# Lines over which lattices are ranked: first ones, strongest ones wherever they lie; and the fewest that name one.
_RANKED, _STRONGEST, _FEWEST = 30, 24, 4
# Lines among which the strongest are sought for all systems: later ones are too many to be told apart.
_AMONG = 36
# Strong lines (share of the strongest; fewest and most), over which systems of few parameters are searched first.
_STRONG, _HEADS = 0.03, (8, 16)
# Nats a line beyond which a lattice of so few parameters ends the search, if it leaves no line unexplained.
_SETTLED = {"cubic": 3.7, "rhombohedral": 3.7, "tetragonal": 3.7, "hexagonal": 3.7, "orthorhombic": CONVINCING}
# Place at which the lattice of the strongest lines stands at latest, from 0.
_PLACE = 3
# Zeros other than none that are tried in all systems.
_ZEROS = 2
# A zero in degrees beyond which simpler lattices are sought at others that are far off.
_FAR = 0.1
# A zero in degrees from which simple lattices are sought once more with it: beyond what a first match allows for.
_SHIFTED = 0.03
# Largest share of foreign lines in a lattice that ends the search.
_UNEXPLAINED = 0.12
# Nats a line below which a lattice that explains all lines may do so by predicting many.
_BELIEVED = 0.8
# Nats a line below which the lines may be those of several phases.
_CLEAR = 2.5
# Squared lengths of trials that differ by less than this share are of one lattice.
_ALIKE = 2e-3
# Nats below its lattice at which a sub- or superlattice, parameters for nothing, is not refined.
_WORSE = 10.0
# Score in nats below which a lattice is what many trials bring by chance.
_CHANCE = 10.0
# Lattice points of the conventional cell at most, by system.
_CENTRED = {"cubic": 4, "tetragonal": 2, "hexagonal": 3, "orthorhombic": 4}
# Lattices that are ranked over all lines.
_RANKING = 24


@dataclass(eq=False)
class _Work:
    """Lines of a search, what is allowed, and what was found so far."""

    observed: Observed
    max_volume: float
    deadline: float
    count: int
    progress: Progress | None
    settled: list[Settled] = field(default_factory=list)
    done: list[str] = field(default_factory=list)

    def tell(self, step: str) -> None:
        self.done.append(step)
        if self.progress is not None:
            self.progress(step, tuple(lattice_from(s) for s in distinct(self.settled)[: self.count]))


def index(
    lines: Lines,
    *,
    max_volume: float | None = None,
    systems: Iterable[str] = SYSTEMS,
    cell: Cell | None = None,
    likely: Mapping[str, float] | None = None,
    count: int = 20,
    time_limit: float = 20.0,
    exhaustive: bool = False,
    progress: Progress | None = None,
) -> tuple[Lattice, ...]:
    """Lattices that may explain a list of lines, the likeliest first.

    Metrics are made of few lines with indices given by trial, scored by the log Bayes factor of all first lines against
    chance, refined with every symmetry that they nearly have, and ranked over the first 30 and the strongest 24. Lines
    may be missing or foreign, and the zero of the scale off by a tenth of a degree, by 0.6 for systems of one and two
    parameters. Systems of up to two parameters are searched exhaustively, every lattice whose first lines hold two of
    the lines tried, and orthorhombic ones until one convinces.

    max_volume: of the primitive cell in Angstrom^3, which no lattice exceeds, `cell` and supercells included; systems:
    of SYSTEMS; cell: known or suspected, tried first in all centrings and up to 3 % larger or smaller; likely:
    probabilities of Bravais lattices, which order the search and leave nothing out; count: lattices at most;
    time_limit: CPU seconds after which no further step is begun; exhaustive: also search cubic, tetragonal, hexagonal
    and orthorhombic lattices to the end (see dichotomy.py), for as many seconds again, so that what is not found is not
    there; progress: told after each step. No lattice at all means that none explains the lines better than chance.
    Raises ValueError for fewer than four lines
    or a system that is not known.
    """
    order = _order(systems, likely or {})
    if progress is not None:
        progress("loading the search, which is compiled once", ())
    warm_up()
    work = _begin(lines, max_volume, count, time_limit, progress)
    if cell is not None:
        work.settled += _known(cell, work)
        work.tell("known cell")
    first, strong = work.observed.first(FIRST.lines), work.observed.strongest(FIRST.lines, _AMONG)
    zeros = likely_zeros(work.observed.two_theta, most=_ZEROS)
    wide = work.observed.first(WIDE.lines)
    most = int(np.clip(np.sum(work.observed.strength > _STRONG), *_HEADS))
    heads = work.observed.strongest(most, len(work.observed))
    # Weak lines are many where they are junk; the strongest of simple substances tell all.
    short = [system for system in order if system in SHORT]
    _search(work, short, heads, FIRST, 0.0)
    strongest = list(work.settled)
    _search(work, order, first, FIRST, 0.0)
    if work.settled and abs(_best(work).zero) > _SHIFTED:
        # A large cell may explain shifted lines, and know the zero with which a small one does: it must not end this.
        zero = _best(work).zero
        for system in short:
            _search(work, [system], first, FIRST, zero)
    if _unexplained(work) or abs(_best(work).zero) > _FAR:
        for zero in likely_zeros(heads.two_theta, far=True):
            _search(work, short, heads, FIRST, zero)
    for seen, zero in ((strong, 0.0), *((first, z) for z in zeros)):
        if _unexplained(work):
            _search(work, order, seen, FIRST, zero)
    # Foreign lines stay foreign however far one looks.
    if not _believed(work):
        _search(work, order, wide, WIDE, 0.0)
    if exhaustive:
        _exhaust(work, order, time.thread_time() + time_limit)
    ranked_on = work.observed.foremost(_RANKED, _STRONGEST)
    ranked = _with_strongest(_rank(work), strongest, ranked_on)
    if _unexplained(work) or _best(work).score < _CLEAR * len(_best(work).off):
        ranked = _in_turn(ranked, among_others(work.observed, ranked_on, order, work.max_volume))
        work.tell("phases among others")
    ranked = ranked[:count]
    told = {"searched": tuple(work.done)}
    return tuple(replace(lattice_from(s), provenance={**told, "among others": s.seen.mixed}) for s in ranked)


def _begin(lines: Lines, max_volume: float | None, count: int, time_limit: float, progress: Progress | None) -> _Work:
    clean = np.array([not flag for flag in lines.flags], dtype=bool)
    if clean.sum() < _FEWEST:
        raise ValueError(f"{clean.sum()} lines name no lattice: give at least {_FEWEST}, better 20 or more")
    deadline = time.thread_time() + time_limit
    return _Work(Observed.of(lines, clean), max_volume or np.inf, deadline, count, progress)


def _order(systems: Iterable[str], likely: Mapping[str, float]) -> list[str]:
    """Systems to search, the likeliest of equal effort first."""
    wanted = set(systems)
    if unknown := wanted - set(SYSTEMS):
        raise ValueError(f"systems {sorted(unknown)} are not known: expected some of {', '.join(SYSTEMS)}")
    chance = dict.fromkeys(SYSTEMS, 0.0)
    for bravais, probability in likely.items():
        system = next(s for s in SYSTEMS if LETTER[s] == ("r" if bravais == "hR" else bravais[0]))
        chance[system] += probability
    # Few parameters are searched in no time, so that a prior only matters where it is strong.
    return sorted((s for s in SYSTEMS if s in wanted), key=lambda s: (chance[s] < 0.5, SYSTEMS.index(s)))


def _search(work: _Work, order: Sequence[str], seen: Observed, effort: Effort, zero: float) -> None:
    """Sweep over the systems in order, until one explains everything or time is up."""
    if len(seen) < _FEWEST:
        return
    problem, before, tried = pose(seen, effort, zero), len(work.settled), list[Floats]()
    for system in order:
        if time.thread_time() > work.deadline:
            work.tell("time is up")
            return
        largest = min(largest_volume(problem, system), work.max_volume)
        for matrix in sweep(problem, system, effort, largest):
            norms = vonorms(matrix)
            # A lattice comes up again in every system of less symmetry.
            if not any(np.all(np.abs(norms - other) < _ALIKE * norms) for other in tried):
                tried.append(norms)
                work.settled += refined(matrix, seen, zero, work.max_volume)
        work.tell(f"{system}, {len(problem.q)} lines" + (f", zero {zero:+.3f}" if zero else ""))
        if _convincing(work.settled[before:], system, len(problem.q)):
            return


def _exhaust(work: _Work, order: Sequence[str], deadline: float) -> None:
    """Search systems of right angles and hexagonal ones to the end, with the zero of the best lattice so far.

    Where that explains the lines, larger cells than twice its own are not looked at: they explain more by chance.
    """
    best = _best(work) if _believed(work) else None
    zero, largest = (
        (0.0, work.max_volume) if best is None else (best.zero, min(work.max_volume, 2 * best.metric.volume))
    )
    seen = work.observed.strongest(dichotomy.LINES, _AMONG)
    problem = pose(seen, Effort(window=dichotomy.WINDOW, sigmas=dichotomy.SIGMAS), zero)
    wanted = {"hexagonal" if system == "rhombohedral" else system for system in order}
    for system in (one for one in dichotomy.EXHAUSTIVE if one in wanted):
        metrics, ruled_out = dichotomy.exhaust(problem, system, deadline, _CENTRED[system] * largest)
        for matrix in metrics:
            work.settled += refined(matrix, seen, zero, work.max_volume)
        work.tell(ruled_out.describe())


def _convincing(settled: list[Settled], system: str, lines: int) -> bool:
    best = max(settled, key=lambda s: s.score, default=None)
    least = _SETTLED.get(system, np.inf)
    return best is not None and best.foreign == 0 and best.score > least * lines


def _best(work: _Work) -> Settled:
    return max(work.settled, key=lambda s: s.score)


def _unexplained(work: _Work) -> bool:
    if not work.settled:
        return True
    best = _best(work)
    return best.foreign > _UNEXPLAINED * len(best.off) or not _believed(work)


def _believed(work: _Work) -> bool:
    best = _best(work) if work.settled else None
    return best is not None and best.score >= _BELIEVED * len(best.off)


def _known(cell: Cell, work: _Work) -> list[Settled]:
    """A cell in all centrings, at the scale that fits best, with its own and any higher symmetry."""
    observed, found = work.observed, list[Settled]()
    for centring in "PCIFR":
        matrix = primitive_metric(cell, centring)
        scaled = [settle(triclinic_metric(matrix * s * s), observed.first(12)) for s in np.linspace(0.97, 1.03, 31)]
        best = max(scaled, key=lambda one: one.score)
        found += refined(best.metric.matrix, observed.first(FIRST.lines), best.zero, work.max_volume)
    return found


def _rank(work: _Work) -> list[Settled]:
    """The best lattices over all lines that are ranked, with their supercells where lines stay unexplained."""
    observed = work.observed.foremost(_RANKED, _STRONGEST)
    best = distinct(work.settled)[:_RANKING]
    ranked = [settle(one.metric, observed, one.zero) for one in best]
    for one in sorted(ranked, key=lambda s: -s.score)[:3]:
        larger = superlattices(one.metric.matrix) if one.foreign >= 2 else []
        others = _halved(one.metric) + larger
        for other in others:
            if score_as_is(other, one) > one.score - _WORSE:
                ranked += refined(other, observed, one.zero, work.max_volume)
    return distinct([one for one in ranked if one.score > _CHANCE])


def _with_strongest(ranked: list[Settled], strongest: list[Settled], observed: Observed) -> list[Settled]:
    """Ranked lattices, that which explains the strongest lines alone best among the first of them.

    Where the main phase has few lines and another one many, those of the other outnumber them.
    """
    best = max(strongest, key=lambda one: one.score, default=None)
    if best is None or best.score < _CHANCE:
        return ranked
    if any(same_lattice(best.metric.matrix, one.metric.matrix) for one in ranked[:_PLACE]):
        return ranked
    return [*ranked[:_PLACE], settle(best.metric, observed, best.zero), *ranked[_PLACE:]]


def _in_turn(ranked: list[Settled], others: list[Settled]) -> list[Settled]:
    """Lattices of all lines and of some of them, one after the other as long as there are both; none twice."""
    fresh = [
        one for one in others if not any(same_lattice(one.metric.matrix, r.metric.matrix) for r in ranked[:_PLACE])
    ]
    both = min(len(ranked), len(fresh))
    paired = [one for pair in zip(ranked[:both], fresh[:both], strict=True) for one in pair]
    return [*paired, *ranked[both:], *fresh[both:]]


def _halved(metric: Metric) -> list[Floats]:
    """Metrics (3, 3) of the seven lattices of half the volume."""
    reciprocal = inverse(metric.matrix)
    bases = [mask_basis(sum(1 << n for n in range(8) if mask[n])) for mask in parity_masks()[1:8]]
    return [inverse(basis @ reciprocal @ basis.T) for basis in bases]
