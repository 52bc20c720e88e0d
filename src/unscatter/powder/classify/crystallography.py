"""A ranking of the network made into one of network and crystallography: lattice, symbol, cell, fit, findings."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from scipy.signal import find_peaks

from unscatter.nouns.findings import Finding, Findings
from unscatter.nouns.lattice import Lattice
from unscatter.nouns.lines import Lines
from unscatter.nouns.pattern import Pattern
from unscatter.nouns.pattern_fit import CAVEAT, PatternFit
from unscatter.nouns.ranking import Ranking
from unscatter.powder.classify.combine import belief, combine, features_of, read_combination, sum_classes
from unscatter.powder.classify.conformal import read_prediction_sets
from unscatter.powder.classify.findings import LIMITS, find_findings
from unscatter.powder.classify.second_phase import find_second_phase
from unscatter.powder.refine.engine import Interpretation, interpret
from unscatter.powder.refine.fit_pattern import MOST_LINES, fit_observation
from unscatter.powder.refine.hypotheses import Hypothesis
from unscatter.powder.refine.lines import find_lines
from unscatter.powder.refine.noise import find_noise
from unscatter.powder.refine.observation import Observation
from unscatter.powder.refine.predicted import predict_lines
from unscatter.symmetry import BRAVAIS_LATTICES, label_set

#: Lattices that are listed with a ranking.
LISTED = 6
#: Standard deviations of the noise, and share of the highest point, by which a line rises at least.
PROMINENT, FLAT = 5.0, 1e-3


def with_crystallography(ranking: Ranking, time_limit: float = 10.0) -> Ranking:
    """Index and fit the pattern of a ranking, and combine what is found with the network's probabilities.

    Raises ValueError for a pattern without a line above the noise, which says nothing of symmetry.
    """
    network = ranking.probabilities
    lattices = sum_classes(network, label_set("bravais-14"))
    likely = dict(zip(BRAVAIS_LATTICES, lattices.tolist(), strict=True))
    try:
        lines = find_lines(ranking.pattern)
        require_lines(ranking.pattern, lines)
        found = interpret(ranking.pattern, lines=lines, likely=likely, time_limit=time_limit)
    except np.linalg.LinAlgError as error:
        why = f"lines and lattices could not be computed ({error}); the network answers alone"
        return replace(
            ranking, findings=Findings((Finding.untested("lines", LIMITS["lines"], why),), "pattern", CAVEAT)
        )
    together = combine(network, found.evidence, found.label_evidence, found.quality)
    shown = _shown(found, together)
    fits = _fits(found, shown)
    cell = fits[0].lattice.cell if fits else None
    other = _second_phase(lines, shown, fits)
    return replace(
        ranking,
        probabilities=together,
        volume=cell.volume if cell else ranking.volume,
        edges=cell.parameters[:3] if cell else ranking.edges,
        network=network,
        fit=fits[0] if fits else None,
        second=fits[1] if len(fits) > 1 else None,
        second_phase=other,
        sets=read_prediction_sets("crystallography"),
        findings=find_findings(ranking, found, fits[0] if fits else None, other, together),
        provenance={**ranking.provenance, "engine": _record(found), "seconds": _seconds(ranking, found)},
    )


def require_lines(pattern: Pattern, lines: Lines) -> None:
    """Refuse a pattern in which nothing stands above the noise, with a ValueError that says so."""
    if len(lines) and stands_out(pattern, lines):
        return
    name = pattern.source or "the pattern"
    raise ValueError(
        f"{name}: no line stands above the noise (intensities {pattern.intensity.min():.4g} to "
        f"{pattern.intensity.max():.4g}, none of them a peak); expected a powder pattern with lines: look whether the "
        "right column was read, and count longer"
    )


def stands_out(pattern: Pattern, lines: Lines) -> bool:
    """Whether any maximum rises above its surroundings by more than noise, rounding and a slow hump do."""
    points = max(1, round(0.5 * float(np.median(lines.fwhm)) / float(np.median(np.diff(pattern.two_theta)))))
    smooth = np.convolve(pattern.intensity, np.full(points, 1 / points), mode="valid")
    noise = float(np.median(find_noise(pattern).sigma)) / np.sqrt(points)
    least = max(PROMINENT * noise, FLAT * float(np.abs(smooth).max(initial=0.0)))
    # A hump is wider than what is looked at, and its top in it no peak.
    return bool(len(find_peaks(smooth, prominence=least, wlen=max(3, 16 * points))[0]))


def _shown(found: Interpretation, together: np.ndarray) -> list[Hypothesis]:
    """The hypothesis of the likeliest lattice, and the best of another lattice."""
    lattices = sum_classes(together, label_set("bravais-14"))
    order = [BRAVAIS_LATTICES[k] for k in np.argsort(-lattices)]
    best: dict[str, Hypothesis] = {}
    for one in found.hypotheses:
        best.setdefault(one.lattice.bravais, one)
    return [best[name] for name in order if name in best][:2]


def _second_phase(lines: Lines, shown: list[Hypothesis], fits: list[PatternFit]) -> Lattice | None:
    """The lattice of another phase: that beside which the likeliest one was weighed, or of the lines that it leaves."""
    if not fits:
        return None
    return shown[0].beside or find_second_phase(lines, fits[0])


def _fits(found: Interpretation, shown: list[Hypothesis]) -> list[PatternFit]:
    if found.observation is None:
        return []
    fits = []
    for one in shown:
        try:
            fits.append(fit_observation(_fitted_range(found.observation, one), *one.start))
        except (ValueError, np.linalg.LinAlgError):
            continue
    return fits


def _fitted_range(observation: Observation, one: Hypothesis) -> Observation:
    """All of the pattern; where a lattice predicts very many lines, the part that hypotheses were compared on."""
    lattice, _ = one.start
    limit = 2 * np.sin(np.radians(min(float(observation.two_theta[-1]), 179.0) / 2)) / observation.shape.wavelength
    predicted = predict_lines(lattice.cell, lattice.bravais, float(limit))
    return observation if len(predicted.hkl) <= MOST_LINES else observation.up_to(one.last_angle)


def _seconds(ranking: Ranking, found: Interpretation) -> float:
    """Time of the network and CPU time of the engine."""
    return round(float(ranking.provenance.get("seconds", 0.0)) + sum(found.seconds.values()), 4)


def _record(found: Interpretation) -> dict[str, Any]:
    """What a result file keeps of the engine."""
    features = features_of(found.quality)
    return {
        "lines": len(found.lines),
        "belief": round(belief(features, read_combination()), 4) if found.hypotheses else 0.0,
        "hypotheses": [
            {
                "bravais": one.lattice.bravais,
                "cell": [round(x, 6) for x in one.lattice.cell.parameters],
                "evidence": round(one.value, 2),
                "beside": one.beside.describe() if one.beside else "",
            }
            for one in found.hypotheses[:LISTED]
        ],
        "quality": {name: round(value, 5) for name, value in found.quality.items()},
    }
