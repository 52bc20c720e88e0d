"""Lattices weighed against each other on the whole pattern, with all that a powder may mistake them for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from unscatter.nouns.lattice import Lattice
from unscatter.powder.refine.evidence import Evidence, estimate_misfit, fit_model, weigh_model
from unscatter.powder.refine.larger import larger_lattices
from unscatter.powder.refine.metric import (
    distorted,
    lattice_of,
    metric_of_lattice,
    primitive_metric,
    same_lattice,
    subgroups,
    supergroups,
    vonorms,
)
from unscatter.powder.refine.observation import Observation
from unscatter.powder.refine.predicted import cell_of
from unscatter.powder.refine.shape import refine_shape
from unscatter.powder.refine.whole_pattern import Model, lay_model, refine_model, start_model

#: Candidates of a search that are laid on the whole pattern, and the best of these whose kin is tried.
WEIGHED, RELATED = 6, 2
#: Strain up to which a lattice may in truth have a higher symmetry.
STRAIN = 8e-3
#: Resolved lines after which the pattern is cut while lattices are compared: the others overlap, and cost time.
COMPARED = 120
# A lattice that predicts more resolved lines than this in the compared range explains anything.
_MOST_RESOLVED = 600
# A lattice whose evidence is so many nats below the best after the first fit is not looked at again.
_HOPELESS = 400.0
# Share of the lines that are earlier than one at which it is told whether a lattice of lower symmetry parts lines; how
# far it does where its fit begins, and at least in the end, in FWHM: less is what a profile misses. Strains to begin,
# and nats that it must gain, as lines that are parted absorb what a profile misses.
_LATE, _BEGUN, _PARTED, _STRAINS, _CLEAR = 0.75, 0.5, 0.25, (2e-4, 4e-3), 20.0
# Nats that the foreign lines of the best lattice cost together from which a superlattice is looked for.
_MUCH = 30.0


#: A lattice, with its zero, and the displacement in degrees that goes with it.
Start: TypeAlias = tuple[Lattice, float]


@dataclass(frozen=True, eq=False)
class Hypothesis:
    """A lattice laid on a pattern: its refined cell, fitted model, evidence, and up to which angle in degrees.

    second: lattice and displacement of a second phase, whose lines the model holds beside its own.
    """

    lattice: Lattice
    model: Model
    evidence: Evidence
    last_angle: float = 180.0
    second: Start | None = None

    @property
    def value(self) -> float:
        """Logarithm of the evidence in nats."""
        return self.evidence.value

    @property
    def beside(self) -> Lattice | None:
        """The lattice of a second phase."""
        return self.second[0] if self.second else None

    @property
    def start(self) -> Start:
        """The refined lattice and its displacement: where another fit begins."""
        return self.lattice, self.model.parameters.displacement


def weigh_lattices(observation: Observation, lattices: Sequence[Lattice]) -> tuple[Observation, tuple[Hypothesis, ...]]:
    """Fit lattices and their kin to a pattern; the likeliest first, and the observation as the best one shaped it.

    The best of the candidates give way to all lattices of higher symmetry within a strain and to their maximal
    subgroups. Width, mixing and asymmetry are refined with the best, and what its profile misses is noise to all.
    """
    if not lattices:
        return observation, ()
    near = observation.up_to(_last_angle(observation, lattices[0]))
    # The first candidate is most often right, and the shape of lines must be right before lattices are compared.
    starts: list[Start] = [(lattice, 0.0) for lattice in lattices[:WEIGHED]]
    first = fit_lattices(near, starts[:1])
    if first:
        near, one = _shaped(near, first[0])
        # While the shape was wrong the cell may have run away with zero and displacement: it starts again, too.
        starts.insert(0, one.start)
    found = _with_larger(near, _with_kin(near, fit_lattices(near, starts)))
    found = _with_distorted(near, found)
    if not found:
        return observation, ()
    if not _same_cell(found[0].lattice, lattices[0]):
        near, _ = _shaped(near, found[0])
        found = fit_lattices(near, [one.start for one in found[:WEIGHED] if found[0].value - one.value < _HOPELESS])
    return replace(observation, shape=near.shape, misfit=near.misfit), tuple(found)


def fit_lattice(observation: Observation, lattice: Lattice, displacement: float = 0.0) -> Hypothesis:
    """Fit one lattice and weigh it; displacement in degrees, where the fit begins."""
    start = start_model(observation, lattice, displacement)
    if start.resolved > _MOST_RESOLVED:
        raise ValueError(f"{lattice.bravais} {lattice.cell} predicts {start.resolved} lines: too many to be compared")
    model = fit_model(observation, start)
    last = float(observation.two_theta[-1]) + 1e-6
    return Hypothesis(refined_lattice(lattice, model), model, weigh_model(observation, model, lattice.bravais), last)


def refined_lattice(lattice: Lattice, model: Model) -> Lattice:
    """The lattice with the refined cell and zero."""
    parameters = model.parameters
    return replace(lattice, cell=cell_of(parameters.metric, lattice.bravais), zero=parameters.zero)


def kin(lattice: Lattice) -> tuple[Lattice, ...]:
    """Lattices of higher symmetry within a strain, and the maximal ones of lower symmetry, each with its zero."""
    metric = metric_of_lattice(lattice)
    found = [*supergroups(metric, STRAIN), *subgroups(metric, maximal=True)]
    return tuple(replace(lattice_of(one), zero=lattice.zero) for one in found)


def _lower_symmetries(lattice: Lattice, strain: float) -> tuple[Lattice, ...]:
    """The maximal lattices of lower symmetry, about every axis, off the metric of the lattice by a strain."""
    metric = metric_of_lattice(lattice)
    found = [distorted(metric, one, strain) for one in subgroups(metric, maximal=True)]
    return tuple(replace(lattice_of(one), zero=lattice.zero) for one in found)


def fit_lattices(observation: Observation, starts: Iterable[Start]) -> list[Hypothesis]:
    """Lattices that can be fitted, each once, the likeliest first."""
    found = []
    for lattice, displacement in starts:
        try:
            found.append(fit_lattice(observation, lattice, displacement))
        except (ValueError, np.linalg.LinAlgError):
            continue
    return distinct_hypotheses(found)


def _with_kin(observation: Observation, found: list[Hypothesis]) -> list[Hypothesis]:
    """Add the kin of the best, and the kin of these where one of them is better."""
    asked: list[Lattice] = []
    for _ in range(3):
        fresh = [one for one in found[:RELATED] if not _known(one.lattice, asked)]
        if not fresh:
            break
        asked += [one.lattice for one in fresh]
        known = [one.lattice for one in found]
        new: list[Start] = []
        for lattice, displacement in [start for one in fresh for start in _kin_of(one)]:
            if not _known(lattice, known):
                known.append(lattice)
                new.append((lattice, displacement))
        found = distinct_hypotheses(found + fit_lattices(observation, new))
    return found


def _with_larger(observation: Observation, found: list[Hypothesis]) -> list[Hypothesis]:
    """Add lattices of two and three times the volume that explain the foreign lines of the best one, and their kin."""
    if not found or found[0].evidence.foreign < _MUCH:
        return found
    best = found[0]
    try:
        larger = larger_lattices(best.lattice, best.model)
    except (ValueError, np.linalg.LinAlgError):
        return found
    displacement = best.model.parameters.displacement
    fresh = [(one, displacement) for one in larger if not _known(one, [other.lattice for other in found])]
    together = distinct_hypotheses(found + fit_lattices(observation, fresh))
    return together if together[0] is best else _with_kin(observation, together)


def _with_distorted(observation: Observation, found: list[Hypothesis]) -> list[Hypothesis]:
    """Add the lattices of which the best is a near one of higher symmetry, if they part its lines; and their kin."""
    if not found:
        return found
    best = found[0]
    whole = _strain_of_a_width(best.model)
    try:
        lower = _lower_symmetries(best.lattice, float(np.clip(_BEGUN * whole, *_STRAINS)))
    except (ValueError, np.linalg.LinAlgError):
        return found
    displacement = best.model.parameters.displacement
    fresh = fit_lattices(observation, [(one, displacement) for one in lower])
    clear = [
        one for one in fresh if one.value > best.value + _CLEAR and _strain(one.lattice, best.lattice) > _PARTED * whole
    ]
    return _with_kin(observation, distinct_hypotheses(found + clear)) if clear else found


def _strain(one: Lattice, other: Lattice) -> float:
    """Largest relative difference of the lengths of two lattices."""
    lengths, others = (vonorms(primitive_metric(x.cell, x.bravais[1])) for x in (one, other))
    return float(np.max(np.abs(lengths / others - 1))) / 2


def _strain_of_a_width(model: Model) -> float:
    """Strain that moves the later lines that are seen by their FWHM."""
    seen = model.centre[: model.resolved][model.solution.intensity[: model.resolved] > 0]
    late = float(np.quantile(seen, _LATE)) if len(seen) else float(model.centre.max(initial=90.0))
    width = float(model.shape.fwhm(np.array([late]))[0])
    return float(np.radians(width) / (2 * np.tan(np.radians(late / 2))))


def _kin_of(one: Hypothesis) -> tuple[Start, ...]:
    try:
        return tuple((lattice, one.model.parameters.displacement) for lattice in kin(one.lattice))
    except (ValueError, np.linalg.LinAlgError):
        return ()


def distinct_hypotheses(found: list[Hypothesis]) -> list[Hypothesis]:
    """The best of each lattice, the likeliest first."""
    kept: list[Hypothesis] = []
    for one in sorted(found, key=lambda h: -h.value):
        if not _known(one.lattice, [other.lattice for other in kept]):
            kept.append(one)
    return kept


def _known(lattice: Lattice, others: Iterable[Lattice]) -> bool:
    """Whether the same Bravais lattice with the same metric is among others."""
    same = [other for other in others if other.bravais == lattice.bravais]
    close = [other for other in same if abs(other.volume / lattice.volume - 1) < 0.02]
    return any(_same(lattice, other) for other in close)


def _same_cell(one: Lattice, other: Lattice) -> bool:
    """Whether two lattices have primitive cells of one volume."""
    return abs(one.primitive_volume / other.primitive_volume - 1) < 0.02


def _same(one: Lattice, other: Lattice) -> bool:
    return same_lattice(
        primitive_metric(one.cell, one.bravais[1]), primitive_metric(other.cell, other.bravais[1]), 1e-3
    )


def _shaped(observation: Observation, best: Hypothesis) -> tuple[Observation, Hypothesis]:
    """Refine the shape of all lines with the best lattice, and find out what it misses."""
    model = best.model
    for _ in range(2):
        observation, model = refine_shape(observation, model)
        observation = observation.with_misfit(estimate_misfit(observation, model))
        model = lay_model(observation, model.predicted, model.parameters, model.foreign)
        model = refine_model(observation, model, 1)
    weighed = weigh_model(observation, model, best.lattice.bravais)
    return observation, replace(best, lattice=refined_lattice(best.lattice, model), model=model, evidence=weighed)


def _last_angle(observation: Observation, lattice: Lattice) -> float:
    """Angle in degrees up to which lattices are compared."""
    model = start_model(observation, lattice)
    centre = np.sort(model.centre[: model.resolved])
    last = float(observation.two_theta[-1])
    if len(centre) <= COMPARED:
        return last + 1.0
    # Where a fifth of the pattern is left there is too little to compare.
    first = float(observation.two_theta[0])
    return max(float(centre[COMPARED]), first + 0.3 * (last - first))
