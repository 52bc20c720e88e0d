"""How far the refined alphas can be trusted: covariance, bootstrap over reciprocal cells, and doubts in words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from unscatter.diffuse.refine.order_basis import OrderBasis
from unscatter.diffuse.refine.order_equations import Eliminated, Equations
from unscatter.diffuse.refine.order_setup import PlaneState
from unscatter.nouns.arrays import Floats
from unscatter.nouns.components import Components
from unscatter.nouns.order_fit import Against, OrderFit

#: A parameter counts as determined where the data bring its uncertainty below this.
DETERMINED = 0.1


@dataclass(frozen=True)
class AlphaCovariance:
    """Covariance (n, n) of all alphas, its part by noise, scaled by chi2, and by priors, (n,) each."""

    matrix: Floats
    noise: Floats
    prior: Floats
    chi2: float
    pixels: int
    free: int


def covariance_of(
    states: Sequence[PlaneState], equations: Sequence[Equations], eliminated: Sequence[Eliminated], precision: Floats
) -> AlphaCovariance:
    """Invert the normal equations of all alphas, with the priors of precision (n,) and of I_FF."""
    matrix = np.asarray(np.linalg.inv(sum(one.normal for one in eliminated) + np.diag(precision)), dtype=np.float64)
    # The part of the covariance that comes from the priors and not from the pixels.
    held = sum(
        (one.carried * state.prior_precision[:, None]).T @ one.carried
        for state, one in zip(states, eliminated, strict=True)
    )
    prior = np.diag(matrix @ (held + np.diag(precision)) @ matrix)
    count = sum(int((one.weight > 0).sum()) for one in equations)
    free = max(count - len(precision) - sum(len(state.coefficients) for state in states), 1)
    chi2 = sum(one.chi2 for one in equations) / free
    noise: Floats = np.clip(np.diag(matrix) - prior, 0.0, None) * max(chi2, 1e-12)
    return AlphaCovariance(matrix, noise, prior, chi2, count, free)


def with_uncertainties(
    basis: OrderBasis,
    planes: Sequence[Components],
    states: Sequence[PlaneState],
    equations: Sequence[Equations],
    eliminated: Sequence[Eliminated],
    alpha: Floats,
    precision: Floats,
    doubt: Callable[[Floats], tuple[Floats, Floats]] | None,
    against: Against,
    laue: str,
    concentration: float,
    bootstrap: int,
    seed: int,
) -> OrderFit:
    """Covariance, bootstrap over reciprocal cells, what priors and the choice of I_FF add; then the noun.

    All alphas count, those of the basis, which come first, are told. doubt: of a variance
    (n,) of those, what is by chance and what the choice or the errors of I_FF add.
    """
    spread_of = covariance_of(states, equations, eliminated, precision)
    told = slice(0, len(basis))
    spread = _bootstrap(states, equations, eliminated, precision[told], bootstrap, np.random.default_rng(seed))
    # Residuals are smaller than errors by what was fitted (the correction HC1 of sandwich estimates).
    spread *= np.sqrt(spread_of.pixels / spread_of.free)
    noise_part, prior_part = spread_of.noise[told], spread_of.prior[told]
    variance = np.maximum(spread**2, noise_part) + prior_part
    by_chance, chosen = (variance, np.zeros(len(basis))) if doubt is None else doubt(variance)
    standard = np.sqrt(by_chance + chosen)
    covariance = spread_of.matrix
    root = np.sqrt(np.diag(covariance))
    cells = sum(state.cells for state in states)
    return OrderFit(
        against=against,
        laue=laue,
        vectors=basis.vectors,
        multiplicity=np.array([len(members) for members in basis.orbits]),
        labels=basis.labels,
        alpha=alpha[told],
        standard_error=standard,
        covariance_error=np.sqrt(noise_part + prior_part),
        bootstrap_error=spread,
        choice_error=np.sqrt(chosen),
        correlation=(covariance / np.outer(root, root))[told, told],
        determined=standard < DETERMINED,
        order=basis.order(alpha[told], standard, concentration),
        components=tuple(_refined(one, equation, against) for one, equation in zip(planes, equations, strict=True)),
        background=np.array([state.level for state in states]),
        chi2=spread_of.chi2,
        pixels=spread_of.pixels,
        cells=cells,
    )


def _bootstrap(
    states: Sequence[PlaneState],
    equations: Sequence[Equations],
    eliminated: Sequence[Eliminated],
    precision: Floats,
    count: int,
    rng: np.random.Generator,
) -> Floats:
    """Scatter of the alphas when sets of equivalent cells are drawn again with replacement; one Newton step each.

    Each set of cells c has a score g_c = sum J w r and an information H_c = sum J w J, J with the nuisance parameters
    taken out; a draw that holds set c m_c times moves alpha by (sum m_c H_c)^-1 sum m_c g_c.
    """
    scores, information = [], []
    for state, one, part in zip(states, equations, eliminated, strict=True):
        slopes = _slopes(state, one, part.carried, len(precision))
        place = state.clusters.ravel()
        order = np.argsort(place, kind="stable")
        used = order[one.weight.ravel()[order] > 0]
        starts = np.flatnonzero(np.diff(place[used], prepend=-1))
        root = np.sqrt(one.weight.ravel()[used])
        scaled = slopes[:, used] * root
        score = np.add.reduceat(scaled * (root * one.residual.ravel()[used]), starts, axis=1)
        scores.append(score.T)
        information += [cell @ cell.T for cell in np.split(scaled, starts[1:], axis=1)]
    score_list, information_list = np.concatenate(scores), np.array(information)
    total = information_list.sum(axis=0)
    if count < 2 or len(score_list) < 2:
        return np.zeros(len(total))
    hold = np.diag(precision)
    draws = rng.multinomial(len(score_list), np.full(len(score_list), 1 / len(score_list)), size=count)
    # The refined point itself has no score but what the prior holds back: centre on it.
    centred = score_list - score_list.mean(axis=0)
    # A draw that misses the cells that carry a parameter would run away: half of the whole information steadies it.
    matrices = np.tensordot(draws, information_list, axes=1)
    steady = 0.5 * matrices + 0.5 * total + hold
    moves = np.linalg.solve(steady, (draws @ centred)[..., None])[..., 0]
    return np.asarray(moves.std(axis=0, ddof=1))


def _slopes(state: PlaneState, one: Equations, carried: Floats, count: int) -> Floats:
    """dI / d alpha of the first so many on every pixel with form factor and background following, (count, pixels)."""
    size = len(state.surface)
    slopes = np.empty((count, one.form_factor.size))
    for k in range(count):
        slope = one.form_factor * state.pictures[k] - one.ordered * state.surface(carried[:size, k])
        slopes[k] = (slope - (carried[-1, k] if state.background else 0.0)).ravel()
    return slopes


def _refined(components: Components, one: Equations, against: Against) -> Components:
    """The plane with what was refined: I_SRO with mean 1, and I_FF where it was part of it."""
    form = components.form_factor if against == "order" else np.clip(one.form_factor, 0.0, None)
    return replace(components, form_factor=form, short_range_order=one.ordered)
