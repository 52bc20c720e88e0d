"""Gauss-Newton steps of the alphas of all planes, with each plane's form factor and background taken out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from unscatter.diffuse.refine.order_noise import estimate_noise, working_residuals
from unscatter.diffuse.refine.order_setup import PlaneState
from unscatter.nouns.arrays import Floats

#: Prior spread of alpha: any value that pair probabilities allow.
ALPHA_SPREAD = 0.5
#: The last step in standard deviations of each alpha with all else held, and the first with new weights that does.
_STEPS, _CONVERGED, _RESTS, _HALVINGS = 12, 0.05, 0.5, 5


@dataclass(frozen=True)
class Matrices:
    """Second derivatives of half of chi2 on one plane, without priors: nuisance parameters, mixed, alphas."""

    nuisance: Floats
    mixed: Floats
    alpha: Floats


@dataclass(frozen=True)
class Equations:
    """One plane linearised at one point: pixels (ny, nx), and slopes of -chi2 / 2, without priors."""

    residual: Floats
    weight: Floats
    form_factor: Floats
    ordered: Floats
    nuisance_slope: Floats
    alpha_slope: Floats

    @property
    def chi2(self) -> float:
        """Sum of w r^2."""
        return float(np.sum(self.weight * self.residual**2))


class Eliminated:
    """The nuisance parameters of a plane taken out of its normal equations (Schur), at one set of matrices."""

    def __init__(self, matrices: Matrices, precision: Floats, single: bool = False) -> None:
        """Factor the normal matrix of the nuisance parameters with the precision (n,) of their prior.

        single: in float32, which is enough to compare and takes half the time.
        """
        self._mixed = matrices.mixed
        whole: NDArray[Any] = matrices.nuisance.astype(np.float32 if single else np.float64)
        whole[np.diag_indices_from(whole)] += precision
        self._factor: tuple[NDArray[Any], bool] = cho_factor(whole, lower=True, overwrite_a=True, check_finite=False)
        self.carried: Floats = self.solve(matrices.mixed)
        self.normal: Floats = matrices.alpha - matrices.mixed.T @ self.carried

    def solve(self, right: Floats) -> Floats:
        """Apply the inverse of the factored matrix."""
        return np.asarray(cho_solve(self._factor, right, check_finite=False), dtype=np.float64)

    def slope(self, nuisance_slope: Floats, alpha_slope: Floats) -> Floats:
        """Slope along the alphas with the nuisance parameters following."""
        return np.asarray(alpha_slope - self.carried.T @ nuisance_slope)

    def follow(self, nuisance_slope: Floats, step: Floats) -> Floats:
        """Step of the nuisance parameters that belongs to a step of the alphas."""
        return np.asarray(self.solve(nuisance_slope - self._mixed @ step))

    @property
    def log_determinant(self) -> float:
        """Logarithm of the determinant of the factored matrix."""
        return 2 * float(np.sum(np.log(np.diag(self._factor[0]).astype(np.float64))))


def step_to_rest(
    states: Sequence[PlaneState],
    alpha: Floats,
    precision: Floats,
    known: Sequence[Eliminated] | None = None,
    most: int = 3,
) -> tuple[Floats, list[Equations], list[Eliminated]]:
    """Step alphas and the nuisance parameters of all planes together until the alphas rest.

    precision: (n,), of the prior of the alphas about zero. Matrices and weights are kept until steps with them
    rest, and made anew until the alphas do, `most` times at most; the first may be `known`.
    """
    eliminated = known
    for left in reversed(range(most)):
        if eliminated is None:
            equations = [linearise(state, alpha, fresh=True) for state in states]
            eliminated = [
                Eliminated(matrices(state, one), state.prior_precision)
                for state, one in zip(states, equations, strict=True)
            ]
        alpha, moved = walk(states, alpha, precision, eliminated)
        if moved < _RESTS:
            break
        eliminated = eliminated if left == 0 else None
    final = [_as_scattered(state) for state in states]
    equations = [linearise(state, alpha, fresh=state.given_weight is not None) for state in final]
    if eliminated is None or any(state.given_weight is not None for state in states):
        eliminated = [
            Eliminated(matrices(state, one), state.prior_precision) for state, one in zip(final, equations, strict=True)
        ]
    return alpha, equations, list(eliminated)


def walk(
    states: Sequence[PlaneState], alpha: Floats, precision: Floats, eliminated: Sequence[Eliminated]
) -> tuple[Floats, float]:
    """Newton's steps with one set of matrices until they rest or no longer shrink; the alphas, and the first step.

    Steps are counted in standard deviations of each alpha with all else held.
    """
    normal = sum((one.normal for one in eliminated), np.diag(precision))
    scale, first, last = np.sqrt(np.diag(normal)), 0.0, np.inf
    equations = [linearise(state, alpha) for state in states]
    for _ in range(_STEPS):
        pull = -alpha * precision
        slopes = []
        for state, one, part in zip(states, equations, eliminated, strict=True):
            slopes.append(one.nuisance_slope - state.prior_precision * (state.coefficients - state.prior_mean))
            pull = pull + part.slope(slopes[-1], one.alpha_slope)
        step = np.asarray(np.linalg.solve(normal, pull), dtype=np.float64)
        size = float(np.max(np.abs(step) * scale))
        first = first or size
        if size > last:
            break
        moves = [part.follow(slope, step) for part, slope in zip(eliminated, slopes, strict=True)]
        alpha, equations, whole = _descend(states, equations, alpha, precision, step, moves)
        last = size if whole else np.inf
        if size < _CONVERGED:
            break
    return alpha, first


def _descend(
    states: Sequence[PlaneState],
    before: Sequence[Equations],
    alpha: Floats,
    precision: Floats,
    step: Floats,
    moves: Sequence[Floats],
) -> tuple[Floats, list[Equations], bool]:
    """Take a step, or half of it and so on where the fit becomes worse; whether it was whole."""
    kept = [state.coefficients for state in states]

    def misfit(equations: Sequence[Equations], values: Floats) -> float:
        # With the weights of before, which pixels that turn out to lie far off would else lose.
        squares = float(np.sum(precision * values**2))
        for state, old, one in zip(states, before, equations, strict=True):
            squares += float(np.sum(state.prior_precision * (state.coefficients - state.prior_mean) ** 2))
            squares += float(np.sum((old.weight * one.residual**2)[state.measured]))
        return squares

    worst = misfit(before, alpha)
    for power in range(_HALVINGS + 1):
        part = 0.5**power
        for state, old, move in zip(states, kept, moves, strict=True):
            state.coefficients = old + part * move
        there = alpha + part * step
        equations = [linearise(state, there) for state in states]
        if misfit(equations, there) <= worst * (1 + 1e-9):
            return there, equations, power == 0
    for state, old in zip(states, kept, strict=True):
        state.coefficients = old
    return alpha, list(before), True


def _as_scattered(state: PlaneState) -> PlaneState:
    """For uncertainties: the I_SRO of a factorization is exactly periodic, I_D / I_FF scatters as the data do."""
    return state if state.scatter is None else replace(state, intensity=state.scatter)


def linearise(state: PlaneState, alpha: Floats, fresh: bool = False) -> Equations:
    """Residuals, weights and slopes of I = I_FF (1 + sum alpha P) + background at the present parameters.

    fresh: estimate the variance of the pixels here; else that of before is kept, so that steps come to rest.
    """
    form = state.form_factor
    ordered = state.pictures.ordered(alpha)
    model = form * ordered + state.level
    if state.given_weight is None:
        if fresh or state.variance is None or state.noise is None:
            seen = state.measured
            state.noise = estimate_noise((state.intensity - model)[seen], model[seen], state.quantum)
            state.variance = state.noise.variance(model)
        residual, weight = working_residuals(
            state.intensity,
            model,
            state.variance,
            state.noise.quantum,
            state.measured,
            state.censored,
            state.floored,
        )
    else:
        residual = np.where(state.measured, state.intensity - model, 0.0)
        if fresh or state.scale == 0:
            scale = np.sum(state.given_weight * residual**2) / max(float(np.sum(state.given_weight > 0)), 1.0)
            # Never below a thousandth of I_SRO: what is periodic by construction has no noise of its own.
            state.scale = max(float(scale), 1e-6 * float(np.mean(state.intensity[state.measured] ** 2)))
        weight = state.given_weight / state.scale
    pull = weight * residual
    nuisance = state.surface.project(ordered * pull)
    if state.background:
        nuisance = np.append(nuisance, pull.sum())
    alpha_slope = state.pictures.project(form * pull)
    return Equations(residual, weight, form, ordered, nuisance, alpha_slope)


def matrices(state: PlaneState, one: Equations) -> Matrices:
    """Second derivatives at the point of the equations."""
    surface, pictures, size = state.surface, state.pictures, len(state.surface)
    count = size + state.background
    normal = np.empty((count, count))
    mixed = np.empty((count, len(pictures)))
    weighted = one.weight * one.ordered
    normal[:size, :size] = surface.normal_matrix(weighted * one.ordered)
    mixed[:size] = surface.mixed(pictures, weighted * one.form_factor)
    if state.background:
        normal[:size, -1] = normal[-1, :size] = surface.project(weighted)
        normal[-1, -1] = one.weight.sum()
        mixed[-1] = pictures.project(one.weight * one.form_factor)
    return Matrices(normal, mixed, pictures.normal_matrix(one.weight * one.form_factor**2))
