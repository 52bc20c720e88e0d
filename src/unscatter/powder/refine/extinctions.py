"""Extinction symbols of a fitted lattice: PatternFit model -> probability of each, by evidence on intensities."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from unscatter.nouns.arrays import Floats, Integers
from unscatter.powder.refine.absences import Setting, extinguished
from unscatter.powder.refine.evidence import expected_area
from unscatter.powder.refine.expectation import log_evidence
from unscatter.powder.refine.intensity_prior import intensity_mixture, reweighted
from unscatter.powder.refine.observation import Observation
from unscatter.powder.refine.whole_pattern import Model
from unscatter.symmetry import label_set

Flags = NDArray[np.bool_]

#: Resolved lines that are looked at, the first ones: the others overlap, and cost time.
MOST_LINES = 150
#: Nats at which a line that a symbol extinguishes may be there all the same: where the model describes the pattern,
#: and where foreign lines hold more than this share of the area or the profile misses more than this share of a line.
RETURNED = (5.0, 2.0)
FOREIGN_AREA, MISSED = 0.003, 0.015
#: Lines that share less than this of their shape do not know of each other; it grows until groups are small.
COUPLED, LARGEST = 0.02, 24


@dataclass(frozen=True, eq=False)
class Symbols:
    """Evidence of the extinction symbols of one lattice.

    bravais: of the lattice; settings: one for each set of absences; log_evidence: (settings,) in nats; labels:
    (settings,) class among the 99 extinction groups; absent: (settings,) number of lines that each extinguishes;
    returned: (settings,) lines that are there all the same.
    """

    bravais: str
    settings: tuple[Setting, ...]
    log_evidence: Floats
    labels: Integers
    absent: Integers
    returned: Integers = field(default_factory=lambda: np.empty(0, dtype=np.int64))

    def of_labels(self) -> Floats:
        """ln of the mean evidence over the settings of each of the 99 extinction groups, (99,); -inf for others."""
        found = np.full(len(label_set("extinction-99")), -np.inf)
        for label in np.unique(self.labels):
            found[label] = _log_mean(self.log_evidence[self.labels == label])
        return found

    def probabilities(self, prior: Floats) -> Floats:
        """Probability of each of the 99 extinction groups (99,), for their prior (99,); those of other lattices: 0."""
        with np.errstate(divide="ignore"):
            logs = self.of_labels() + np.log(prior)
        if not np.any(np.isfinite(logs)):
            logs = self.of_labels()
        powers = np.exp(logs - logs.max())
        return np.asarray(powers / powers.sum())


def extinction_symbols(observation: Observation, model: Model, bravais: str) -> Symbols:
    """Evidence of every extinction symbol that a lattice admits, in all settings.

    ln integral p(I) p(pattern | I) dI over the intensities of the lines that the symbol leaves, those that it
    extinguishes being zero or, at a price, there all the same; p(I) is learned from structures and reweighted for this
    pattern. Intensities of overlapping lines are correlated, and treated by expectation propagation.
    Source: Markvardsen, David, Johnson & Shankland, Acta Cryst. A57, 47 (2001).
    """
    settings, lines_absent = extinguished(model.predicted.hkl, bravais)
    absent = _absent_columns(lines_absent, model)
    problem = _prepare(observation, model, absent, bravais)
    found = [problem.weigh(row[problem.lines]) for row in absent]
    return Symbols(
        bravais,
        settings,
        np.array([value for value, _ in found]),
        np.array([setting.label for setting in settings]),
        absent.sum(axis=1),
        np.array([count for _, count in found]),
    )


def _absent_columns(lines_absent: Flags, model: Model) -> Flags:
    """Which resolved lines (settings, m) hold extinguished reflections alone."""
    present = np.zeros((len(lines_absent), model.resolved))
    for row, absent in zip(present, lines_absent, strict=True):
        row += np.bincount(model.column, ~absent, model.resolved)
    return np.asarray(present == 0)


@dataclass(frozen=True, eq=False)
class _Problem:
    """Intensities in units of what is expected: A, r, mixtures, and the groups of lines that overlap.

    lines: (n,) resolved lines that take part, all of which follow in this order; groups: members of each.
    """

    lines: Integers
    precision: Floats
    right: Floats
    means: Floats
    weights: Floats
    groups: tuple[Integers, ...]
    price: float
    known: dict[tuple[int, bytes], float] = field(default_factory=dict)

    def weigh(self, absent: Flags) -> tuple[float, int]:
        """Evidence with these lines extinguished, and how many of them came back."""
        total, returned = 0.0, 0
        for number, group in enumerate(self.groups):
            gone = absent[group]
            value = self._group(number, gone)
            while np.any(gone):
                better = [(self._group(number, _cleared(gone, k)), k) for k in np.flatnonzero(gone).tolist()]
                best, k = max(better)
                if best - value <= self.price:
                    break
                gone, value, returned = _cleared(gone, k), best, returned + 1
            total += value
        return total - self.price * returned, returned

    def _group(self, number: int, gone: Flags) -> float:
        """Evidence of one group of lines without those that are gone, found again where it was asked for before."""
        key = (number, gone.tobytes())
        if key not in self.known:
            left = self.groups[number][~gone]
            self.known[key] = log_evidence(
                self.precision[np.ix_(left, left)], self.right[left], self.means, self.weights[left]
            )
        return self.known[key]


def _cleared(flags: Flags, k: int) -> Flags:
    out = flags.copy()
    out[k] = False
    return out


def _prepare(observation: Observation, model: Model, absent: Flags, bravais: str) -> _Problem:
    m = model.resolved
    general = np.asarray(~absent.any(axis=0))
    if general.sum() < 8:
        general = np.ones(m, dtype=bool)
    expected = expected_area(model, general)
    diagonal = model.normal.lines.diagonal()[:m]
    lines = np.flatnonzero(diagonal * expected**2 > 1e-6 * np.median(diagonal * expected**2))[:MOST_LINES]
    scale = expected[lines]
    inner = model.normal.lines[:m][:, :m][lines][:, lines].toarray() * scale * scale[:, None]
    z = model.solution.intensity[lines] / scale
    # What is fixed: the background, foreign lines and lines beyond those looked at.
    others = model.solution.intensity.copy()
    others[lines] = 0.0
    fixed = model.normal.lines @ others + model.normal.mixed @ model.solution.background
    right = (model.normal.right - fixed)[lines] * scale
    groups, coupled = _groups(inner)
    right = right - (inner * ~coupled) @ z
    inner = inner * coupled
    means, weights = _mixtures(observation, model, bravais, lines, general, inner, z)
    return _Problem(lines, inner, right, means, weights, groups, _price(observation, model))


def _price(observation: Observation, model: Model) -> float:
    """Nats of a line that is there though extinguished: few where other lines are there that should not be."""
    area = model.solution.intensity
    foreign = float(area[model.resolved :].sum()) > FOREIGN_AREA * float(area.sum())
    return RETURNED[int(foreign or observation.misfit > MISSED)]


def _groups(precision: Floats) -> tuple[tuple[Integers, ...], Flags]:
    """Groups of lines that overlap, none too large, and which pairs (n, n) are in one group."""
    deviation = np.sqrt(np.maximum(np.diag(precision), 1e-300))
    correlation = np.abs(precision) / deviation / deviation[:, None]
    limit = COUPLED
    while True:
        _, label = connected_components(csr_array((correlation > limit).astype(np.int8)), directed=False)
        if np.bincount(label).max(initial=0) <= LARGEST or limit > 0.9:
            break
        limit *= 1.4
    groups = tuple(np.flatnonzero(label == k) for k in range(int(label.max(initial=-1)) + 1))
    return groups, label[:, None] == label


def _mixtures(
    observation: Observation,
    model: Model,
    bravais: str,
    lines: Integers,
    general: Flags,
    precision: Floats,
    z: Floats,
) -> tuple[Floats, Floats]:
    """Means (k,) and weights (n, k) of the prior of each line, those of the general ones as this pattern has them."""
    radiation = observation.pattern.radiation
    means, common = intensity_mixture(radiation, special=False)
    _, special = intensity_mixture(radiation, special=True)
    chosen = general[lines]
    variance = 1 / np.maximum(np.diag(precision), 1e-12)
    if chosen.sum() >= 5:
        ratio = reweighted(means, common, z[chosen], variance[chosen]) / common
        special = special * ratio / np.sum(special * ratio)
        common = common * ratio / np.sum(common * ratio)
    return means, np.where(chosen[:, None], common, special)


def _log_mean(logs: Floats) -> float:
    top = float(logs.max())
    return top + float(np.log(np.mean(np.exp(logs - top))))
