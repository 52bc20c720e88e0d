"""How far the refined alphas can be trusted: covariance, bootstrap over reciprocal cells, and doubts in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from unscatter.diffuse.refine.order_basis import OrderBasis
from unscatter.diffuse.refine.order_equations import ALPHA_SPREAD, Equations
from unscatter.diffuse.refine.order_setup import PlaneState
from unscatter.nouns.components import Components
from unscatter.nouns.order_fit import Against, OrderFit

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

#: A parameter counts as determined where the data bring its uncertainty below this.
DETERMINED = 0.1
#: Fewer independent reciprocal cells than this say little of their own scatter.
FEW_CELLS = 8


def with_uncertainties(
    basis: OrderBasis,
    planes: Sequence[Components],
    states: Sequence[PlaneState],
    equations: Sequence[Equations],
    alpha: Floats,
    against: Against,
    laue: str,
    concentration: float,
    bootstrap: int,
    seed: int,
) -> OrderFit:
    """Covariance, bootstrap over reciprocal cells, and what the prior of I_FF adds; then the noun."""
    data = sum(one.reduced()[0] for one in equations)
    covariance = np.linalg.inv(data + np.eye(len(alpha)) / ALPHA_SPREAD**2)
    # The part of the covariance that comes from the prior of the nuisance parameters and not from the pixels.
    held = sum(
        (one.carried * state.prior_precision[:, None]).T @ one.carried
        for state, one in zip(states, equations, strict=True)
    )
    prior_part = covariance @ (held + np.eye(len(alpha)) / ALPHA_SPREAD**2) @ covariance
    count = sum(int((one.weight > 0).sum()) for one in equations)
    free = max(count - len(alpha) - sum(len(state.coefficients) for state in states), 1)
    chi2 = sum(float(np.sum(one.weight * one.residual**2)) for one in equations) / free
    noise_part = np.clip(np.diag(covariance - prior_part), 0.0, None) * max(chi2, 1e-12)
    from_covariance = np.sqrt(noise_part + np.diag(prior_part))
    spread = _bootstrap(states, equations, bootstrap, np.random.default_rng(seed))
    standard = np.sqrt(np.maximum(spread**2, noise_part) + np.diag(prior_part))
    root = np.sqrt(np.diag(covariance))
    determined = standard < DETERMINED
    cells = sum(state.cells for state in states)
    notes = [*basis.notes, *_checks(basis, alpha, standard, determined, concentration, cells, states)]
    return OrderFit(
        against=against,
        laue=laue,
        vectors=basis.vectors,
        multiplicity=np.array([len(members) for members in basis.orbits]),
        labels=basis.labels,
        alpha=alpha,
        standard_error=standard,
        covariance_error=from_covariance,
        bootstrap_error=spread,
        correlation=covariance / np.outer(root, root),
        determined=determined,
        order=basis.order(alpha, standard, concentration),
        components=tuple(
            _refined(one, state, equation, against)
            for one, state, equation in zip(planes, states, equations, strict=True)
        ),
        background=np.array([state.level for state in states]),
        chi2=chi2,
        pixels=count,
        cells=cells,
        notes=tuple(notes),
    )


def _bootstrap(
    states: Sequence[PlaneState], equations: Sequence[Equations], count: int, rng: np.random.Generator
) -> Floats:
    """Scatter of the alphas when sets of equivalent cells are drawn again with replacement; one Newton step each.

    Each set of cells c has a score g_c = sum J w r and an information H_c = sum J w J, J with the nuisance parameters
    taken out; a draw that holds set c m_c times moves alpha by (sum m_c H_c)^-1 sum m_c g_c.
    """
    scores, information = [], []
    for state, one in zip(states, equations, strict=True):
        slopes = _slopes(state, one)
        place = state.clusters.ravel()
        order = np.argsort(place, kind="stable")
        used = order[one.weight.ravel()[order] > 0]
        starts = np.flatnonzero(np.diff(place[used], prepend=-1))
        root = np.sqrt(one.weight.ravel()[used])
        scaled = slopes[:, used] * root
        score = np.add.reduceat(scaled * (root * one.residual.ravel()[used]), starts, axis=1)
        scores.append(score.T)
        information += [part @ part.T for part in np.split(scaled, starts[1:], axis=1)]
    score_list, information_list = np.concatenate(scores), np.array(information)
    total = information_list.sum(axis=0)
    if count < 2 or len(score_list) < 2:
        return np.zeros(len(total))
    hold = np.eye(len(total)) / ALPHA_SPREAD**2
    draws = rng.multinomial(len(score_list), np.full(len(score_list), 1 / len(score_list)), size=count)
    # The refined point itself has no score but what the prior holds back: centre on it.
    centred = score_list - score_list.mean(axis=0)
    # A draw that misses the cells that carry a parameter would run away: half of the whole information steadies it.
    matrices = np.tensordot(draws, information_list, axes=1)
    steady = 0.5 * matrices + 0.5 * total + hold
    moves = np.linalg.solve(steady, (draws @ centred)[..., None])[..., 0]
    return np.asarray(moves.std(axis=0, ddof=1))


def _slopes(state: PlaneState, one: Equations) -> Floats:
    """dI / d alpha on every pixel with form factor and background following, (n, pixels)."""
    carried = one.carried
    size = len(state.surface)
    slopes = np.empty((len(state.pictures), one.form_factor.size))
    for k, picture in enumerate(state.pictures):
        slope = one.form_factor * picture - one.ordered * state.surface(carried[:size, k])
        slopes[k] = (slope - (carried[-1, k] if state.background else 0.0)).ravel()
    return slopes


def _refined(components: Components, state: PlaneState, one: Equations, against: Against) -> Components:
    """The plane with what was refined: I_SRO with mean 1, and I_FF where it was part of it."""
    form = components.form_factor if against == "order" else np.clip(one.form_factor, 0.0, None)
    return replace(components, form_factor=form, short_range_order=one.ordered)


def _checks(
    basis: OrderBasis,
    alpha: Floats,
    error: Floats,
    determined: Mask,
    concentration: float,
    cells: int,
    states: Sequence[PlaneState],
) -> list[str]:
    """Say in words what a table does not show."""
    notes = []
    if not determined.all():
        names = ", ".join(label for label, good in zip(basis.labels, determined, strict=True) if not good)
        notes.append(
            f"not determined by these pixels (s.u. above {DETERMINED:g}): {names}; measure more cells, lower the "
            "excluded fraction of I_FF, or refine fewer vectors"
        )
    if cells < FEW_CELLS:
        notes.append(f"{cells} independent reciprocal cells are few: the bootstrap says little, s.u. are too small")
    lowest = -min(concentration / (1 - concentration), (1 - concentration) / concentration)
    beyond = [
        label
        for label, value, s in zip(basis.labels, alpha, error, strict=True)
        if value - 2 * s > 1 or value + 2 * s < lowest
    ]
    if beyond:
        notes.append(
            f"{', '.join(beyond)} lie outside {lowest:+.3f} to +1, all that pair probabilities allow at a "
            f"concentration of {concentration:g}: the concentration, the lattice or the form factor is wrong"
        )
    dips = min(float((1 + np.tensordot(alpha, state.pictures, axes=1)).min()) for state in states)
    if dips < -0.05:
        notes.append(
            f"I_SRO falls to {dips:.2f}, which no arrangement has: refine more vectors, or check the background"
        )
    return notes
