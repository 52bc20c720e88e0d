"""How far I_FF reaches: chosen by the data.

Alternatives are compared by their evidence, the probability of the data with all that is refined integrated out
(MacKay, Neural Computation 4, 415 (1992)). All are Gaussian integrals about one point, of one set of matrices.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from unscatter.diffuse.refine.order_equations import (
    Eliminated,
    Equations,
    Matrices,
    linearise,
    matrices,
    walk,
)
from unscatter.diffuse.refine.order_noise import shared_noise
from unscatter.diffuse.refine.order_setup import PlaneState, covering_radius
from unscatter.diffuse.refine.patterson import PattersonSeries
from unscatter.nouns.arrays import Floats
from unscatter.nouns.cell import Cell
from unscatter.nouns.order_fit import OrderFit
from unscatter.nouns.plane import PlaneAxes

#: Reaches that are tried, in diameters of a disc with the area of the cell.
REACHES = (0.45, 0.56, 0.7, 0.85, 1.0)
#: The same where data and model differ by more than TOLERATED of the model beyond noise, whatever I_FF is; in covering
#: radii: up to there the Patterson function belongs to I_FF alone.
TOLERATED, SHORT_REACHES = 0.1, (0.7, 0.8, 0.9, 1.0)
#: The one with which refining starts, which costs little.
START = 0.75
#: Fall of chi2 in a step below which a walk ends that is only the way to another.
ROUGH = 10.0
#: Neighbouring pixels that share an error, from where on it is said.
SHARED = 1.2
#: How far I_FF may depart from the network's, in units of its radial mean. The network has seen the same data: they
#: cannot say how wrong it is, and a spread chosen by them is too small.
FORM_FACTOR_SPREAD = 0.4


@dataclass(frozen=True)
class ReachTried:
    """One reach and spread of I_FF: log evidence, and what the alphas and each plane's nuisance parameters would be."""

    size: float
    spread: float
    evidence: float
    alpha: Floats
    coefficients: tuple[Floats, ...]
    eliminated: tuple[Eliminated, ...]


def try_reach(
    states: Sequence[PlaneState],
    equations: Sequence[Equations],
    matrices: Sequence[Matrices],
    alpha: Floats,
    precision: Floats,
    size: float,
    spread: float,
) -> ReachTried:
    """Evidence of an I_FF whose distances end at `size` Angstrom and which departs from the network's by `spread`.

    The equations are those of a longer series; what is left out of it is zero.
    """
    evidence = 0.0
    places, parts, slopes = [], [], []
    normal, pull = np.diag(precision), -alpha * precision
    for state, one, whole in zip(states, equations, matrices, strict=True):
        kept, prior = _kept(state, size, spread)
        lost = -state.coefficients
        lost[kept] = 0.0
        away = state.coefficients[kept] - state.prior_mean[kept]
        pulled = np.asarray(whole.nuisance @ lost.astype(whole.nuisance.dtype), dtype=np.float64)
        evidence -= 0.5 * float(one.chi2 - 2 * one.nuisance_slope @ lost + lost @ pulled)
        evidence -= 0.5 * float(np.sum(prior * away**2))
        slope = (one.nuisance_slope - pulled)[kept] - prior * away
        along = one.alpha_slope - whole.mixed.T @ lost
        part = Eliminated(_without(whole, kept), prior, single=True)
        evidence += 0.5 * float(slope @ part.solve(slope)) - 0.5 * part.log_determinant
        evidence += 0.5 * float(np.sum(np.log(prior[prior > 0])))
        normal = normal + part.normal
        pull = pull + part.slope(slope, along)
        places.append(kept)
        parts.append(part)
        slopes.append(slope)
    step = np.linalg.solve(normal, pull)
    evidence += float(0.5 * pull @ step - 0.5 * np.linalg.slogdet(normal)[1])
    found = tuple(
        np.asarray(state.coefficients[kept] + part.follow(slope, np.asarray(step)))
        for state, kept, part, slope in zip(states, places, parts, slopes, strict=True)
    )
    return ReachTried(size, spread, float(evidence), alpha + step, found, tuple(parts))


def _without(whole: Matrices, kept: NDArray[np.int64]) -> Matrices:
    """The matrices of the nuisance parameters that are left."""
    if len(kept) == len(whole.mixed):
        return whole
    return Matrices(whole.nuisance[np.ix_(kept, kept)], whole.mixed[kept], whole.alpha)


def _kept(state: PlaneState, size: float, spread: float) -> tuple[NDArray[np.int64], Floats]:
    """Indices of the nuisance parameters that are left, the background among them, and the precision of each."""
    assert isinstance(state.surface, PattersonSeries)
    kept = state.surface.within(size)
    prior = 1 / (spread**2 * state.surface.cut(size).variance)
    if state.background:
        return np.append(kept, len(state.coefficients) - 1), np.append(prior, 0.0)
    return kept, prior


@dataclass(frozen=True)
class ReachChoice:
    """The reach and spread that were taken, the planes and alphas at rest with it, and what else was tried."""

    size: float
    spread: float
    states: tuple[PlaneState, ...]
    alpha: Floats
    rested: Floats
    tried: tuple[ReachTried, ...]
    shared: float
    coarse: float
    wrong: float
    cut: bool

    @property
    def weights(self) -> Floats:
        """Probability of each alternative: evidence to the power of 1 / coarse, (k,)."""
        log = np.array([one.evidence for one in self.tried]) / self.coarse
        weight = np.exp(log - log.max())
        return np.asarray(weight / weight.sum())

    @property
    def shift(self) -> Floats:
        """From the alphas of the best alternative to the mean of all, (n,)."""
        return np.asarray(self.weights @ np.array([one.alpha for one in self.tried]) - self.alpha)

    def added(self, variance: Floats) -> Floats:
        """Variance between the alternatives about their mean, which adds to that of the first alphas, (m,)."""
        alphas = np.array([one.alpha for one in self.tried])
        return np.asarray(self.weights @ (alphas - self.alpha - self.shift) ** 2)[: len(variance)]

    def parts(self, variance: Floats) -> tuple[Floats, Floats]:
        """A variance of the first alphas as it is, and what the choice adds, (m,) each."""
        return variance, self.added(variance)

    def words(self, fit: OrderFit) -> list[str]:
        """What was chosen, against what, and what the alternatives would change."""
        best = max(one.evidence for one in self.tried)
        n = len(fit)
        others = [
            f"{one.size:.1f} A: {one.evidence - best:+.0f}, {_change(one.alpha[:n] - self.alpha[:n], fit):.1f}"
            for one in sorted(self.tried, key=lambda one: one.size)
            if one.size != self.size
        ]
        lines = [f"I_FF reaches {self.size:.1f} A and may depart from the network's by {self.spread:g} of its mean"]
        if others:
            what = "other reaches (log evidence against the best, r.m.s. change of alpha / s.u.)"
            lines.append(f"{what}: {'; '.join(others)}")
        if self.cut:
            lines[0] += (
                f": data and model differ by {self.wrong:.0%} beyond noise, whatever I_FF is: longer distances, "
                "which an order can imitate, were not tried; compare --reach"
            )
        if self.shared > SHARED:
            lines.append(f"{self.shared:.1f} neighbouring pixels share one error: evidence counts so much less")
        return lines


def _change(difference: Floats, fit: OrderFit) -> float:
    return float(np.sqrt(np.mean((difference / np.maximum(fit.standard_error, 1e-12)) ** 2)))


def choose_reach(
    states: Sequence[PlaneState],
    alpha: Floats,
    precision: Floats,
    axes: Sequence[PlaneAxes],
    cell: Cell,
    reach: float | None,
    spread: float,
) -> ReachChoice:
    """Try reaches of I_FF, one of them where it is given, and take the most probable."""
    longest = max(state.surface.size for state in states if isinstance(state.surface, PattersonSeries))
    sizes = [longest * part for part in REACHES] if reach is None else [reach]
    alpha = _start(states, alpha, precision, START * longest)
    equations = [linearise(state, alpha, fresh=True) for state in states]
    exact = [matrices(state, one) for state, one in zip(states, equations, strict=True)]
    # Single precision is enough to compare, and half as much to move.
    whole = [replace(one, nuisance=one.nuisance.astype(np.float32)) for one in exact]
    point = (equations, whole, alpha, precision)
    first = try_reach(states, *point, longest, spread)
    taken, rested = _at_rest(states, first, precision)
    shared, departure, wrong = _misfit(taken, rested)
    tried, cut = [first], reach is None and wrong > TOLERATED
    if cut:
        # What the data say against any product would be absorbed by distances that I_FF and I_SRO explain alike.
        sizes, tried = [max(covering_radius(one, cell) for one in axes) * part for part in SHORT_REACHES], []

    done = {one.size for one in tried}
    tried += [try_reach(states, *point, size, spread) for size in sizes if size not in done]
    best = max(tried, key=lambda one: one.evidence)
    if best is not first:
        taken, rested = _at_rest(states, best, precision)
    coarse = shared * (1 + departure)
    return ReachChoice(best.size, spread, taken, best.alpha, rested, tuple(tried), shared, coarse, wrong, cut)


def _start(states: Sequence[PlaneState], alpha: Floats, precision: Floats, size: float) -> Floats:
    """Refine with a short series first, which costs little, and put its coefficients into the long one."""
    short = []
    for state in states:
        kept, prior = _kept(state, size, FORM_FACTOR_SPREAD)
        assert isinstance(state.surface, PattersonSeries)
        mean = state.prior_mean[kept]
        short.append(
            replace(
                state,
                surface=state.surface.cut(size),
                prior_mean=mean,
                prior_precision=prior,
                coefficients=mean.copy(),
            )
        )
    equations = [linearise(state, alpha, fresh=True) for state in short]
    parts = [
        Eliminated(matrices(state, one), state.prior_precision, single=True)
        for state, one in zip(short, equations, strict=True)
    ]
    alpha, _ = walk(short, alpha, precision, parts, enough=ROUGH)
    for state, one in zip(states, short, strict=True):
        kept, _ = _kept(state, size, FORM_FACTOR_SPREAD)
        state.coefficients[kept] = one.coefficients
    return alpha


def _at_rest(
    states: Sequence[PlaneState], tried: ReachTried, precision: Floats
) -> tuple[tuple[PlaneState, ...], Floats]:
    """Go from the linear solution of a reach to about where its model rests, with the noise that is left there."""
    rested = tuple(_cut(state, tried, number) for number, state in enumerate(states))
    alpha, _ = walk(rested, tried.alpha, precision, tried.eliminated, enough=ROUGH)
    for state in rested:
        linearise(state, alpha, fresh=True)
    alpha, _ = walk(rested, alpha, precision, tried.eliminated, enough=ROUGH)
    return rested, alpha


def _misfit(rested: Sequence[PlaneState], alpha: Floats) -> tuple[float, float, float]:
    """How far the data depart from any product: pixels that share an error, divergence, and relative departure.

    Where data follow no product, evidence prefers what absorbs their errors. Taken as true only up to the departure
    that is seen, N pixels say as little as the evidence to the power of 1 / (1 + N d), d the divergence from the model
    in a pixel (Miller & Dunson, J. Am. Stat. Assoc. 114, 1113 (2019)).
    """
    shared, departure, most = 1.0, 0.0, 0.0
    for state in rested:
        at = linearise(state, alpha, fresh=True)
        assert state.noise is not None
        neighbours = shared_noise(at.residual, at.weight)
        level = np.clip(state.intensity - at.residual, 0.0, None)
        wrong = (state.noise.square * level**2 / state.noise.variance(level))[at.weight > 0]
        departure += 0.5 * float(wrong.sum()) / neighbours
        shared, most = max(shared, neighbours), max(most, float(np.sqrt(state.noise.square)))
    return shared, departure, most


def _cut(state: PlaneState, best: ReachTried, number: int) -> PlaneState:
    """The plane with the series of the reach that was taken."""
    kept, prior = _kept(state, best.size, best.spread)
    assert isinstance(state.surface, PattersonSeries)
    return replace(
        state,
        surface=state.surface.cut(best.size),
        prior_mean=state.prior_mean[kept],
        prior_precision=prior,
        coefficients=best.coefficients[number],
    )
