"""Two lattices laid on one pattern: where another phase explains the foreign lines of a lattice, they are not foreign.

The evidence of a pair is -misfit - lines of both - cells of both - what stays foreign. So a lattice that is right, and
leaves the lines of a second phase, is not outdone by a large cell that has a line wherever one is seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from unscatter.nouns.arrays import Floats
from unscatter.nouns.lattice import Lattice
from unscatter.nouns.lines import Lines
from unscatter.powder.refine.evidence import (
    Evidence,
    add_foreign,
    cell_price,
    foreign_prices,
    line_price,
    misfit_nats,
    parameter_price,
    share_price,
)
from unscatter.powder.refine.hypotheses import (
    Hypothesis,
    Start,
    distinct_hypotheses,
    fit_lattices,
    kin,
    refined_lattice,
)
from unscatter.powder.refine.index import index
from unscatter.powder.refine.larger import larger_lattices
from unscatter.powder.refine.observation import Observation
from unscatter.powder.refine.search import SYSTEMS
from unscatter.powder.refine.whole_pattern import Model, lay_model, merging_distance, refine_model, start_model

#: Nats that the foreign lines of the best lattice cost from which a second phase is looked for, and nats that it costs
#: to assume one.
MUCH, ASSUMED = 40.0, 10.0
#: Lattices beside which one is looked for, lattices that are tried beside each, and lines that one leaves at least.
FIRST, BESIDE, LEFT = 3, 2, 4
#: Nats below the best pair from which a lattice is not tried beside its second phase.
FAR = 30.0
# Share of its price that a foreign line may save at most, which tells beside what lattice it is worth looking.
_SAVED = 0.6
# FWHM within which a line is one of a fit's, and degrees by which the zeros may differ: one instrument sees both.
_NEAR, _ALIKE = 0.6, 0.1
# Volume of the second lattice at most, in Angstrom^3, and CPU seconds of its search.
_LARGEST, _SECONDS = 1500.0, 0.3
# Turns in which both lattices are refined, each with the lines of the other held.
_TURNS = 2
# Nats below the best pair within which one is as likely.
_AS_LIKELY = 5.0
# Lattices that are tried beside the second lattice of the best pair.
_COMPARED = 6


@dataclass(frozen=True, eq=False)
class _Laid:
    """A lattice and its model, with the lines of another phase and foreign ones behind its own."""

    lattice: Lattice
    model: Model

    @property
    def own(self) -> Floats:
        """Positions of its resolved lines."""
        return self.model.centre[: self.model.resolved]

    @property
    def area(self) -> float:
        """Area of its lines."""
        return float(self.model.solution.intensity[: self.model.resolved].sum())


def with_second_phase(
    observation: Observation, lines: Lines, candidates: Sequence[Lattice], found: Sequence[Hypothesis]
) -> tuple[Hypothesis, ...]:
    """Hypotheses, those that a second phase makes likelier with it, the likeliest first.

    observation: as the best hypothesis shaped it; candidates: lattices of the search, of which some may have left so
    many foreign lines that they are no longer among the hypotheses found.
    """
    if not found:
        return ()
    near = observation.up_to(found[0].last_angle)
    # Those that leave lines to another phase; of the others all were weighed.
    partial = [(one, 0.0) for one in candidates if one.foreign >= LEFT]
    first = _promising([*found, *fit_lattices(near, partial)])
    if found[0].evidence.foreign < MUCH and _hoped(first[0]) <= found[0].value:
        return tuple(found)
    best = found[0]
    for one in first:
        if _at_most(one) > best.value:
            pairs = [pair for other in _left_over(lines, one) for pair in _pair(near, one, (other, 0.0))]
            best = max([best, *_simplest(pairs)], key=lambda pair: pair.value)
    if best.second is None:
        return tuple(found)
    return tuple(distinct_hypotheses([best, *found, *_beside_the_same(near, best, best.second, found)]))


def _simplest(pairs: list[Hypothesis]) -> list[Hypothesis]:
    """Of the pairs that are as likely as the best one, that with the smallest second cell."""
    least = max((one.value for one in pairs), default=0.0) - _AS_LIKELY
    alike = [(one.beside.primitive_volume, n) for n, one in enumerate(pairs) if one.value >= least and one.beside]
    return [pairs[min(alike)[1]]] if alike else []


def _beside_the_same(
    observation: Observation, best: Hypothesis, second: Start, found: Sequence[Hypothesis]
) -> list[Hypothesis]:
    """Other lattices, kin and larger ones of the best included, beside the second phase of the best.

    Else only one lattice would have the lines of the second phase explained.
    """
    displacement = best.model.parameters.displacement
    relatives = [*kin(best.lattice), *larger_lattices(best.lattice, best.model)]
    others = [*found[:_COMPARED], *fit_lattices(observation, [(one, displacement) for one in relatives])]
    worth = [one for one in others if _at_most(one) > best.value - FAR]
    return [pair for one in worth for pair in _pair(observation, one, second)]


def _at_most(one: Hypothesis) -> float:
    """Evidence in nats if a second phase explained all of its foreign lines for nothing."""
    return one.value + one.evidence.foreign - ASSUMED


def _hoped(one: Hypothesis) -> float:
    """Evidence in nats if its foreign lines were those of a second phase."""
    return one.value + _SAVED * one.evidence.foreign - ASSUMED


def _promising(found: Iterable[Hypothesis]) -> list[Hypothesis]:
    """The lattices that would be best if their foreign lines were those of a second phase."""
    kept: list[Hypothesis] = []
    for one in sorted(found, key=_hoped, reverse=True):
        volume = one.lattice.primitive_volume
        if all(abs(other.lattice.primitive_volume / volume - 1) > 0.02 for other in kept):
            kept.append(one)
    return kept[:FIRST]


def _left_over(lines: Lines, one: Hypothesis) -> tuple[Lattice, ...]:
    """Lattices that explain the foreign lines of a hypothesis."""
    distance = np.abs(lines.two_theta[:, None] - one.model.foreign[None, :]).min(axis=1, initial=np.inf)
    left = lines.chosen(distance < _NEAR * lines.fwhm)
    if len(left) < 4:
        return ()
    found = index(left, max_volume=_LARGEST, systems=SYSTEMS[:-1], count=2 * BESIDE, time_limit=_SECONDS)
    return tuple(other for other in found if abs(other.zero - one.lattice.zero) < _ALIKE)[:BESIDE]


def _pair(observation: Observation, one: Hypothesis, other: Start) -> list[Hypothesis]:
    """Two lattices fitted together, as a hypothesis of that which there is most of; none where they cannot be.

    other: the second one and its displacement, 0 where its zero was found from lines alone, which holds both.
    """
    try:
        first = _Laid(one.lattice, one.model)
        second = _Laid(other[0], start_model(observation, *other))
        foreign = _apart(one.model.foreign, second.own, _NEAR * one.model.shape.fwhm(second.own))
        for _ in range(_TURNS):
            first, second = _beside(observation, first, second, foreign), _beside(observation, second, first, foreign)
        if second.area > first.area:
            first, second = second, first
        first = _with_foreign(observation, first, second)
        second = _beside(observation, second, first, first.model.foreign)
    except (ValueError, np.linalg.LinAlgError):
        return []
    evidence = _evidence(observation, first, second)
    last = float(observation.two_theta[-1]) + 1e-6
    displacement = second.model.parameters.displacement
    return [Hypothesis(first.lattice, first.model, evidence, last, (second.lattice, displacement))]


def _beside(observation: Observation, one: _Laid, other: _Laid, foreign: Floats) -> _Laid:
    """A lattice refined with the lines of another one, and foreign ones, held where they are."""
    model = _laid_beside(observation, one, other, foreign)
    model = refine_model(observation, model, 3)
    return _Laid(refined_lattice(one.lattice, model), model)


def _with_foreign(observation: Observation, one: _Laid, other: _Laid) -> _Laid:
    """A lattice with the lines of another one held, and lines foreign to both found anew."""
    model = add_foreign(observation, _laid_beside(observation, one, other, np.empty(0)))
    model = refine_model(observation, model, 1)
    return _Laid(refined_lattice(one.lattice, model), model)


def _laid_beside(observation: Observation, one: _Laid, other: _Laid, foreign: Floats) -> Model:
    """A lattice laid with the lines of another one that are not its own as well, and foreign ones."""
    held = _apart(other.own, one.own, merging_distance(observation, one.model.shape, one.own))
    return lay_model(observation, one.model.predicted, one.model.parameters, foreign, other=held)


def _apart(places: Floats, others: Floats, distance: Floats) -> Floats:
    """Places (n,) farther than a distance (m,) from all others (m,)."""
    return places[np.all(np.abs(places[:, None] - others[None, :]) > distance[None, :], axis=1)]


def _evidence(observation: Observation, first: _Laid, second: _Laid) -> Evidence:
    """Evidence of two lattices, misfit and foreign lines as the first one has them, which holds the other's lines."""
    occam = line_price(first.model) + line_price(second.model)
    cell = ASSUMED + sum(
        parameter_price(observation, one.lattice.bravais) + cell_price(one.model) for one in (first, second)
    )
    price = float(foreign_prices(first.model).sum()) + share_price(first.model)
    chi2 = first.model.chi2
    value = -misfit_nats(chi2, len(observation.two_theta)) - occam - cell - price
    return Evidence(value, chi2, occam, cell, price)
