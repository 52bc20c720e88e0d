"""Which alphas there are: the list that the data choose, and what is known of those beyond it.

The alphas of distant vectors are small; how fast they fall off is chosen by the evidence, and so is the distance from
which on leaving them out makes the data as probable. They stay in the fit even so, with the spread that this law gives
them: what is left out leaks into what is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unscatter.diffuse.refine.order_basis import OrderBasis
from unscatter.diffuse.refine.order_equations import ALPHA_SPREAD, Eliminated, Equations
from unscatter.diffuse.refine.order_setup import PlaneState
from unscatter.nouns.arrays import Floats
from unscatter.nouns.order_fit import OrderFit

#: Fall-off of the alphas with distance that is tried: length in shortest vectors, and spread at the shortest.
DECAYS, SPREADS = (0.5, 0.7, 1.0, 1.4, 2.0, 3.0, 5.0), tuple(np.geomspace(0.002, 0.5, 12))
#: A longer list must be more probable by so much (natural logarithm).
WORTH = 1.0
#: The list goes at least so far, in shortest vectors, so that tables of several crystals compare.
LEAST_RADIUS = 5.0


@dataclass(frozen=True)
class ListsTried:
    """Lists that end at lengths (k,) in Angstrom, how many alphas they hold and their log evidence, (k,) each.

    probable: count of the shortest one that is as probable as any; spread: (n,), of all alphas by the law.
    """

    lengths: Floats
    counts: NDArray[np.int64]
    evidence: Floats
    probable: int
    spread: Floats


@dataclass(frozen=True)
class ListChoice:
    """The list that was taken: so many parameters, the precision of the prior of all, and what else was tried."""

    count: int
    precision: Floats
    tried: ListsTried
    open_end: bool

    def words(self, fit: OrderFit) -> list[str]:
        """What was chosen, against what."""
        tried = self.tried
        place = int(np.flatnonzero(tried.counts == tried.probable)[0])
        last = len(tried.counts) - 1
        shown = [k for k in (place - 2, place - 1, place + 1, place + 2, last) if 0 <= k <= last and k != place]
        others = "; ".join(
            f"{tried.lengths[k]:.1f} A, {tried.counts[k]}: {tried.evidence[k] - tried.evidence.max():+.1f}"
            for k in dict.fromkeys(shown)
        )
        lines = [f"alphas up to {tried.lengths[place]:.1f} A, {tried.probable} of {tried.counts[-1]} tried"]
        if self.count < len(tried.spread):
            lines[0] += f"; those beyond the table stay in the fit at 0 +- {tried.spread[self.count]:.4f} and less"
        if others:
            lines.append(f"lists that end elsewhere (length, number: log evidence against the best): {others}")
        if self.open_end and place == last:
            lines.append("the longest list tried is the most probable: alphas beyond it may be there, give --radius")
        return lines


def choose_list(
    basis: OrderBasis,
    equations: Sequence[Equations],
    eliminated: Sequence[Eliminated],
    states: Sequence[PlaneState],
    alpha: Floats,
    shared: float,
) -> ListChoice:
    """Evidence of all alphas up to each length, nearest first, with a spread that falls off exponentially.

    shared: so many pixels share one error, and count as one.
    """
    normal = sum((part.normal for part in eliminated), np.zeros((len(alpha),) * 2))
    right = normal @ alpha
    for state, one, part in zip(states, equations, eliminated, strict=True):
        slope = one.nuisance_slope - state.prior_precision * (state.coefficients - state.prior_mean)
        right = right + part.slope(slope, one.alpha_slope)
    tried = try_laws(normal / shared, right / shared, basis.length)
    count = max(tried.probable, int(np.sum(basis.length <= LEAST_RADIUS * basis.length[0] * (1 + 1e-6))))
    spread = np.where(np.arange(len(alpha)) < count, ALPHA_SPREAD, tried.spread)
    return ListChoice(count, spread**-2, tried, basis.open_end)


def try_laws(normal: Floats, right: Floats, length: Floats) -> ListsTried:
    """Evidence of lists of alphas whose log likelihood is -a N a / 2 + r a; (n, n), (n,), lengths rising (n,)."""
    law = max(_laws(length), key=lambda one: _evidence(normal, right, one))
    ends = np.flatnonzero(np.append(np.diff(length) > 1e-3 * length[0], True)) + 1
    evidence = np.array([_evidence(normal[:k, :k], right[:k], law[:k]) for k in ends])
    probable = int(ends[np.flatnonzero(evidence >= evidence.max() - WORTH)[0]])
    return ListsTried(length[ends - 1], ends, evidence, probable, law)


def _laws(length: Floats) -> list[Floats]:
    return [s * np.exp(-(length / length[0] - 1) / decay) + 1e-5 for decay in DECAYS for s in SPREADS]


def _evidence(normal: Floats, right: Floats, spread: Floats) -> float:
    """Log of the integral of exp(-a N a / 2 + r a) over alphas of that spread, against none at all."""
    scaled = np.eye(len(spread)) + spread[:, None] * normal * spread
    moved = spread * right
    return float(0.5 * moved @ np.linalg.solve(scaled, moved) - 0.5 * np.linalg.slogdet(scaled)[1])
