"""What a pattern says of the assumptions behind a ranking: lines, phases, fit, agreement."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unscatter.nouns.findings import Finding, Findings
from unscatter.nouns.lattice import Lattice
from unscatter.nouns.lines import Lines
from unscatter.nouns.pattern_fit import CAVEAT, PatternFit
from unscatter.nouns.ranking import Ranking
from unscatter.powder.classify.combine import belief, features_of, read_combination, sum_classes
from unscatter.powder.classify.known_patterns import farthest_outside
from unscatter.powder.classify.second_phase import unexplained
from unscatter.powder.classify.texture import FEWEST_LINES, find_texture
from unscatter.powder.refine.engine import Interpretation
from unscatter.symmetry import BRAVAIS_LATTICES, label_set

#: From where each finding is fair and from where it is poor.
LIMITS = {
    "lines": (20.0, 8.0),
    "known to the network": (1.2, 2.0),
    "foreign intensity": (0.03, 0.15),
    "foreign lines": (0.1, 0.3),
    "phases": (0.01, 0.1),
    "fit": (0.15, 0.35),
    "lattice explains": (0.8, 0.4),
    "agreement": (0.5, 0.02),
    "confidence": (0.7, 0.3),
    "preferred orientation": (3.0, 10.0),
    "lines explained": (0.9, 0.75),
    "lines seen": (0.4, 0.2),
}


def find_findings(
    ranking: Ranking,
    found: Interpretation,
    fit: PatternFit | None,
    other: Lattice | None,
    together: NDArray[np.float64],
) -> Findings:
    """All findings of a ranking of network and crystallography; other: the lattice of a second phase."""
    before, after = (sum_classes(p, label_set("bravais-14")) for p in (ranking.probabilities, together))
    best = BRAVAIS_LATTICES[int(np.argmax(after))]
    each = (
        _lines(found),
        _known(ranking, found),
        *_foreign(fit, found.lines),
        _phases(fit, other, found.lines),
        _fit(fit),
        _explains(found),
        _agreement(found, before),
        _confidence(best, float(after.max())),
        _orientation(fit),
    )
    return Findings(each, "pattern", CAVEAT)


def find_fit_findings(fit: PatternFit, lines: Lines, other: Lattice | None) -> Findings:
    """Findings of the fit of a lattice that was given; lines: of the pattern, other: lattice of a second phase."""
    each = (
        _explained(fit, lines),
        _seen(fit),
        *_foreign(fit, lines),
        _phases(fit, other, lines),
        _fit(fit),
        _orientation(fit),
    )
    return Findings(each, "fit", CAVEAT)


def explained_share(fit: PatternFit, lines: Lines) -> float:
    """Share of the lines, each by the square root of its area, that lie where the lattice predicts one."""
    inside = _comparable(fit, lines)
    left = unexplained(inside, fit)
    return 1 - float(np.sqrt(left.area).sum() / max(float(np.sqrt(inside.area).sum()), 1e-300))


def _comparable(fit: PatternFit, lines: Lines) -> Lines:
    """Lines in the range of a fit that are no images of stronger ones."""
    images = np.array([bool(flag) for flag in lines.flags], dtype=bool)
    return lines.chosen((lines.two_theta <= fit.pattern.two_theta[-1]) & ~images)


def _explained(fit: PatternFit, lines: Lines) -> Finding:
    inside, share = _comparable(fit, lines), explained_share(fit, lines)
    left = unexplained(inside, fit)
    said = f"{len(inside) - len(left)} of {len(inside)} lines lie where {fit.lattice.bravais} predicts one"
    if share < LIMITS["lines explained"][0]:
        places = ", ".join(f"{angle:.2f}" for angle in np.sort(left.two_theta[np.argsort(-left.area)][:5]))
        said += (
            f" (strongest others at {places} deg): another cell or centring, a zero that is far off (--zero), or a "
            "second phase; unscatter index lists the lattices that explain the lines"
        )
    return _finding("lines explained", share, said)


def _seen(fit: PatternFit) -> Finding:
    said = f"{100 * fit.seen_share:.0f} % of the {fit.resolved} lines that are predicted and resolved carry intensity"
    if fit.seen_share < LIMITS["lines seen"][0]:
        said += ": the cell may be a multiple of the true one, or its symmetry or centring too low"
    return _finding("lines seen", fit.seen_share, said)


def _finding(name: str, value: float, sentence: str) -> Finding:
    return Finding(name, value, *LIMITS[name], sentence)


def _lines(found: Interpretation) -> Finding:
    count = len(found.lines)
    return _finding("lines", count, f"{count} lines stand above the noise; a lattice asks for 20 or more")


def _known(ranking: Ranking, found: Interpretation) -> Finding:
    outside = farthest_outside(ranking.pattern, found.lines)
    name = "known to the network"
    said = "range, widths and steps are like those of the patterns that the network learned from"
    return _finding(name, outside.factor, outside.sentence() if outside.factor >= LIMITS[name][0] else said)


def _foreign(fit: PatternFit | None, lines: Lines) -> tuple[Finding, Finding]:
    names = ("foreign intensity", "foreign lines")
    if fit is None:
        why = "no lattice explains the lines, so that none can be called foreign"
        return Finding.untested(names[0], LIMITS[names[0]], why), Finding.untested(names[1], LIMITS[names[1]], why)
    share = fit.foreign_share
    places = ", ".join(f"{angle:.2f}" for angle in fit.foreign[np.argsort(-fit.foreign_area)][:5])
    said = f"the lattice leaves {100 * share:.1f} % of the intensity unexplained"
    said += f" (strongest at {places} deg): a second phase, its images of other wavelengths, or another cell" * (
        len(fit.foreign) > 0
    )
    count = len(fit.foreign) / max(len(lines), 1)
    return (
        _finding(names[0], share, said),
        _finding(names[1], count, f"{len(fit.foreign)} lines are foreign to the lattice, of {len(lines)} found"),
    )


def _phases(fit: PatternFit | None, other: Lattice | None, lines: Lines) -> Finding:
    if fit is None:
        return Finding.untested("phases", LIMITS["phases"], "no lattice explains the lines, so that none is left over")
    left = unexplained(lines, fit)
    if other is None:
        return _finding("phases", 0.0, f"no lattice of a second phase explains the {len(left)} lines left over")
    share = float(left.area.sum() / lines.area.sum())
    return _finding(
        "phases",
        share,
        f"lines with {100 * share:.1f} % of the intensity are perhaps of a second phase: {other.describe()}; "
        f"it explains {other.indexed} of {other.indexed + other.foreign} of them",
    )


def _fit(fit: PatternFit | None) -> Finding:
    if fit is None:
        return Finding.untested("fit", LIMITS["fit"], "no lattice was found that could be fitted")
    return _finding("fit", fit.r_wp, f"R_wp {100 * fit.r_wp:.1f} %, R_p {100 * fit.r_p:.1f} %, background taken off")


def _explains(found: Interpretation) -> Finding:
    q = belief(features_of(found.quality), read_combination()) if found.hypotheses else 0.0
    said = (
        f"the engine is believed to {100 * q:.0f} %" if found.hypotheses else "no lattice was found; the network alone"
    )
    return _finding("lattice explains", q, said)


def _agreement(found: Interpretation, before: NDArray[np.float64]) -> Finding:
    if found.best is None:
        return Finding.untested("agreement", LIMITS["agreement"], "no lattice was found that the network could confirm")
    engine = found.best.lattice.bravais
    network = BRAVAIS_LATTICES[int(np.argmax(before))]
    p = float(before[BRAVAIS_LATTICES.index(engine)])
    if engine == network:
        # Agreement is what counts; how sure the network is stands in the ranking.
        return _finding("agreement", max(p, LIMITS["agreement"][0] + 1e-6), f"network and engine both say {engine}")
    return _finding(
        "agreement",
        p,
        f"the engine says {engine}, to which the network gives {100 * p:.1f} %; it says {network} itself",
    )


def _confidence(best: str, p: float) -> Finding:
    return _finding("confidence", p, f"{best} has {100 * p:.0f} %: the rest is spread over other lattices")


def _orientation(fit: PatternFit | None) -> Finding:
    name = "preferred orientation"
    if fit is None:
        return Finding.untested(name, LIMITS[name], "no lattice was found whose intensities could be compared")
    found = find_texture(fit)
    if found is None:
        why = f"{fit.resolved} lines are resolved; {FEWEST_LINES} are needed to tell texture from structure"
        return Finding.untested(name, LIMITS[name], why)
    pole = "".join(str(k) for k in found.pole)
    said = "no direction of the planes explains the intensities much better than a random powder"
    if found.nats >= LIMITS[name][0]:
        said = (
            f"intensities go with the direction of their planes, as of {'plates' if found.ratio < 1 else 'needles'} "
            f"({pole}), March-Dollase r {found.ratio:.2f}: the lattice stands, group and intensities are less certain"
        )
    return _finding(name, found.nats, said)
