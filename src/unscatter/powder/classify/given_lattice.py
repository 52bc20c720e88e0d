"""A cell that is given, fitted to a whole pattern: its Bravais lattice, refined cell, extinction symbols, findings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from unscatter.nouns.arrays import Floats
from unscatter.nouns.extinction import ExtinctionSymbol
from unscatter.nouns.lattice import Lattice
from unscatter.nouns.lines import Lines
from unscatter.nouns.pattern import Pattern
from unscatter.nouns.pattern_fit import PatternFit
from unscatter.one_thread import one_thread
from unscatter.powder.classify.combine import frequencies, sum_classes, weigh_symbols
from unscatter.powder.classify.crystallography import require_lines
from unscatter.powder.classify.findings import explained_share, find_fit_findings
from unscatter.powder.classify.second_phase import find_second_phase
from unscatter.powder.refine.extinctions import Symbols, extinction_symbols
from unscatter.powder.refine.fit_pattern import MOST_LINES, fit_observation
from unscatter.powder.refine.given_cell import starts_of
from unscatter.powder.refine.hypotheses import Hypothesis, fit_lattice
from unscatter.powder.refine.lines import find_lines
from unscatter.powder.refine.observation import Observation, observe
from unscatter.powder.refine.predicted import predicted_angles
from unscatter.symmetry import label_set

#: Share of the lines below which a lattice that explains no more of them is wrong.
HOPELESS = 0.6


@one_thread
def fit_given(pattern: Pattern, lattices: Sequence[Lattice], displacement: float = 0.0) -> PatternFit:
    """Fit the likeliest of the lattices that a cell may be of to a whole pattern, with symbols and findings.

    lattices: each with the zero in degrees where the fit begins; displacement: in degrees, where the fit begins. Each
    is also tried at the scale and zero at which it explains the lines best. Evidence on the same part of the pattern
    decides, and stands for all in provenance["lattices"]. Raises ValueError for a pattern without a wavelength or a
    line, and for lattices that predict none.
    """
    lines = find_lines(pattern)
    require_lines(pattern, lines)
    observation = observe(pattern, lines)
    last = min(_last_angle(observation, one) for one in lattices)
    near = observation.up_to(last) if last < pattern.two_theta[-1] else observation
    weighed = _weigh(near, lattices, lines, displacement)
    start, shift = weighed[0].start
    own = _last_angle(observation, start)
    observation = observation.up_to(own) if own < pattern.two_theta[-1] else observation
    fit = fit_observation(observation, start, shift)
    listed = [
        {
            "bravais": one.lattice.bravais,
            "cell": [round(x, 6) for x in one.lattice.cell.parameters],
            "evidence": round(one.value, 2),
        }
        for one in weighed
    ]
    fit = replace(fit, provenance={**fit.provenance, "lattices": listed})
    if explained_share(fit, lines) < HOPELESS:
        # The lines are of something else: neither absences nor a second phase mean anything.
        return replace(fit, findings=find_fit_findings(fit, lines, None))
    findings = find_fit_findings(fit, lines, find_second_phase(lines, fit))
    return replace(fit, symbols=_ranked(_symbols(observation, fit)), findings=findings)


def _weigh(
    observation: Observation, lattices: Sequence[Lattice], lines: Lines, displacement: float
) -> list[Hypothesis]:
    """The better start of each lattice, the likeliest lattice first."""
    found, failed = [], ""
    for lattice in lattices:
        tried = []
        for start in starts_of(lattice, lines):
            try:
                tried.append(fit_lattice(observation, start, displacement))
            except (ValueError, np.linalg.LinAlgError) as error:
                failed = str(error)
        if tried:
            found.append(max(tried, key=lambda one: one.value))
    if not found:
        raise ValueError(f"no fit of {lattices[0].describe()} came to an end ({failed}): check its cell")
    return sorted(found, key=lambda one: -one.value)


def _last_angle(observation: Observation, lattice: Lattice) -> float:
    """Angle in degrees up to which a lattice is fitted: all of the pattern, unless it predicts very many lines."""
    last = float(observation.two_theta[-1])
    _, angles = predicted_angles(lattice, observation.shape.wavelength, last)
    if not len(angles):
        raise ValueError(f"{lattice.describe()} predicts no line up to {last:.1f} deg: check its cell")
    return float(angles[MOST_LINES]) if len(angles) > MOST_LINES else last


def _symbols(observation: Observation, fit: PatternFit) -> Symbols | None:
    """Evidence of the symbols with the refined lattice; None where it cannot be computed."""
    try:
        model = fit_lattice(observation, fit.lattice, fit.displacement).model
        return extinction_symbols(observation, model, fit.lattice.bravais)
    except (ValueError, np.linalg.LinAlgError):
        return None


def _ranked(symbols: Symbols | None) -> tuple[ExtinctionSymbol, ...]:
    """The symbols of a lattice by evidence and by how frequent their groups are, the likeliest first."""
    if symbols is None:
        return ()
    labels = label_set("extinction-99")
    logs = symbols.of_labels()
    admitted = np.isfinite(logs)
    prior = sum_classes(frequencies(), labels) * admitted
    probabilities: Floats = weigh_symbols(prior, logs)
    found = []
    for label in np.flatnonzero(admitted).tolist():
        settings = np.flatnonzero(symbols.labels == label)
        best = int(settings[np.argmax(symbols.log_evidence[settings])])
        found.append(
            ExtinctionSymbol(
                labels.classes[label],
                labels.groups(label),
                symbols.settings[best].axes,
                float(probabilities[label]),
                int(symbols.absent[best]),
                int(symbols.returned[best]),
            )
        )
    return tuple(sorted(found, key=lambda one: -one.probability))
