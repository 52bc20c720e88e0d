"""A pattern named by crystallography alone: lines, lattices, whole-pattern evidence, extinction symbols."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from unscatter.nouns.arrays import Floats
from unscatter.nouns.lattice import Lattice
from unscatter.nouns.lines import Lines
from unscatter.nouns.pattern import Pattern
from unscatter.one_thread import one_thread
from unscatter.powder.refine.evidence import FOREIGN, misfit_nats
from unscatter.powder.refine.extinctions import Symbols, extinction_symbols
from unscatter.powder.refine.hypotheses import WEIGHED, Hypothesis, fit_lattice, weigh_lattices
from unscatter.powder.refine.index import index
from unscatter.powder.refine.lines import find_lines
from unscatter.powder.refine.nonnegative import normal_equations, solve_nonnegative
from unscatter.powder.refine.observation import Observation, observe
from unscatter.powder.refine.predicted import free_components
from unscatter.powder.refine.two_phases import with_second_phase

#: Fewer lines than this name no lattice.
FEWEST_LINES = 4
#: Lattices whose extinction symbols are asked for, and nats below the best at which one is not.
WITH_SYMBOLS, FAR = 4, 40.0


@dataclass(frozen=True, eq=False)
class Interpretation:
    """What crystallography says of a pattern.

    lattices: candidates of the search; hypotheses: those laid on the whole pattern, the likeliest first; symbols: of
    the best hypothesis of each Bravais lattice that is worth it; quality: numbers that tell how far to believe it;
    seconds: CPU time of lines, search, fits and symbols.
    """

    lines: Lines
    lattices: tuple[Lattice, ...]
    observation: Observation | None
    hypotheses: tuple[Hypothesis, ...]
    symbols: Mapping[str, Symbols]
    quality: Mapping[str, float]
    seconds: Mapping[str, float]

    @property
    def best(self) -> Hypothesis | None:
        """The likeliest lattice; None where none explains the lines."""
        return self.hypotheses[0] if self.hypotheses else None

    @property
    def evidence(self) -> dict[str, float]:
        """Evidence in nats of the best hypothesis of each Bravais lattice that has one."""
        found: dict[str, float] = {}
        for one in self.hypotheses:
            found[one.lattice.bravais] = max(one.value, found.get(one.lattice.bravais, -np.inf))
        return found

    @property
    def label_evidence(self) -> dict[str, Floats]:
        """ln of the evidence of the 99 extinction groups (99,), of each Bravais lattice that was asked."""
        return {bravais: symbols.of_labels() for bravais, symbols in self.symbols.items()}


@one_thread
def interpret(
    pattern: Pattern,
    *,
    lines: Lines | None = None,
    likely: Mapping[str, float] | None = None,
    time_limit: float = 10.0,
) -> Interpretation:
    """Find lines, index them, weigh the lattices on the whole pattern, and their extinction symbols.

    lines: where they are known; likely: probabilities of Bravais lattices, which order the search; time_limit: of the
    search, in seconds. Raises ValueError for a pattern without a wavelength.
    """
    clock = [time.process_time()]
    lines = find_lines(pattern) if lines is None else lines
    clock.append(time.process_time())
    lattices = _search(lines, likely, time_limit)
    clock.append(time.process_time())
    observation, hypotheses = _weigh(pattern, lines, lattices)
    clock.append(time.process_time())
    symbols = _symbols(observation, hypotheses)
    clock.append(time.process_time())
    quality = _quality(observation, lines, hypotheses)
    seconds = dict(zip(("lines", "search", "fits", "symbols"), np.diff(clock).tolist(), strict=True))
    return Interpretation(lines, lattices, observation, hypotheses, symbols, quality, seconds)


def _search(lines: Lines, likely: Mapping[str, float] | None, time_limit: float) -> tuple[Lattice, ...]:
    if sum(not flag for flag in lines.flags) < FEWEST_LINES:
        return ()
    return index(lines, likely=likely, time_limit=time_limit)


def _weigh(
    pattern: Pattern, lines: Lines, lattices: tuple[Lattice, ...]
) -> tuple[Observation | None, tuple[Hypothesis, ...]]:
    if not lattices:
        return None, ()
    observation, found = weigh_lattices(observe(pattern, lines), lattices)
    return observation, with_second_phase(observation, lines, lattices[:WEIGHED], found)


def _symbols(observation: Observation | None, hypotheses: tuple[Hypothesis, ...]) -> dict[str, Symbols]:
    """Symbols of the best hypothesis of each of the likeliest Bravais lattices."""
    found: dict[str, Symbols] = {}
    for one in hypotheses:
        bravais = one.lattice.bravais
        if observation is None or len(found) == WITH_SYMBOLS or hypotheses[0].value - one.value > FAR:
            break
        if bravais not in found:
            # Without the lines of lower lattices between: the range is that of the comparison.
            near = observation.up_to(one.last_angle)
            model = one.model if one.beside is not None else fit_lattice(near, *one.start).model
            found[bravais] = extinction_symbols(near, model, bravais)
    return found


def _quality(observation: Observation | None, lines: Lines, hypotheses: tuple[Hypothesis, ...]) -> dict[str, float]:
    """Numbers that tell how well the best hypothesis explains the pattern."""
    if observation is None or not hypotheses:
        return {"lines": float(len(lines))}
    best = hypotheses[0]
    model, near = best.model, observation.up_to(best.last_angle)
    area = model.solution.intensity[: model.resolved]
    foreign = model.foreign_area
    weight = np.sqrt(np.maximum(model.normal.lines.diagonal()[: model.resolved], 1e-300))
    here = lines.two_theta[lines.two_theta < best.last_angle]
    nothing = _evidence_of_nothing(near, here)
    return {
        "lines": float(len(here)),
        "free": float(free_components(best.lattice.bravais)),
        "seen": float(np.mean(area * weight > 3)),
        "predicted": (model.resolved + model.held) / max(len(here), 1),
        "foreign": len(foreign) / max(len(here), 1),
        "foreign_area": float(foreign.sum() / max(foreign.sum() + area.sum(), 1e-300)),
        "chi2": model.chi2 / len(near.two_theta),
        "margin": (best.value - nothing) / max(len(here), 1),
        "lead": best.value - hypotheses[1].value if len(hypotheses) > 1 else 50.0,
        "misfit": near.misfit,
    }


def _evidence_of_nothing(observation: Observation, places: Floats) -> float:
    """Evidence where no lattice is assumed: every line is foreign."""
    columns = observation.shape.columns(places, observation.two_theta).matrix()
    normal = normal_equations(columns, observation.ground, observation.weight, observation.pattern.intensity)
    return -misfit_nats(solve_nonnegative(normal).chi2, len(observation.two_theta)) - FOREIGN * len(places)
