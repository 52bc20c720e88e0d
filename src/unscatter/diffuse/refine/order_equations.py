"""Gauss-Newton steps of the alphas of all planes, with each plane's form factor and background taken out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from unscatter.diffuse.refine.order_noise import estimate_noise, working_residuals
from unscatter.diffuse.refine.order_setup import PlaneState

Floats = NDArray[np.float64]

#: Prior spread of alpha: any value that pair probabilities allow.
ALPHA_SPREAD = 0.5
#: Relative departure of data from the model, beyond noise, that speaks against the data rather than for a finer I_FF.
TOLERATED = 0.1
_STEPS, _CONVERGED = 10, 2e-4


@dataclass(frozen=True)
class Equations:
    """Normal equations of one plane at one point, and what the next step needs of them."""

    residual: Floats
    weight: Floats
    form_factor: Floats
    ordered: Floats
    nuisance: tuple[Floats, bool]
    to_alpha: Floats
    nuisance_gradient: Floats
    normal: Floats
    gradient: Floats

    @property
    def carried(self) -> Floats:
        """How the nuisance parameters follow each alpha, (n_nuisance, n)."""
        return np.asarray(cho_solve(self.nuisance, self.to_alpha, check_finite=False))

    def reduced(self) -> tuple[Floats, Floats]:
        """Normal matrix and gradient of the alphas with the nuisance parameters taken out (Schur)."""
        carried = self.carried
        return self.normal - self.to_alpha.T @ carried, self.gradient - carried.T @ self.nuisance_gradient


def step_to_rest(states: Sequence[PlaneState], alpha: Floats) -> tuple[Floats, list[Equations]]:
    """Step alphas and the nuisance parameters of all planes together until the alphas rest."""
    prior = np.eye(len(alpha)) / ALPHA_SPREAD**2
    for _ in range(_STEPS):
        equations = [linearise(state, alpha) for state in states]
        parts = [one.reduced() for one in equations]
        normal = prior + sum(part[0] for part in parts)
        gradient = sum((part[1] for part in parts), -alpha / ALPHA_SPREAD**2)
        step = np.linalg.solve(normal, gradient)
        for state, one in zip(states, equations, strict=True):
            state.coefficients = state.coefficients + cho_solve(
                one.nuisance, one.nuisance_gradient - one.to_alpha @ step
            )
        alpha = alpha + step
        if np.max(np.abs(step)) < _CONVERGED:
            break
    return alpha, [linearise(_as_scattered(state), alpha) for state in states]


def _as_scattered(state: PlaneState) -> PlaneState:
    """For uncertainties: the I_SRO of a factorization is exactly periodic, I_D / I_FF scatters as the data do."""
    return state if state.scatter is None else replace(state, intensity=state.scatter)


def linearise(state: PlaneState, alpha: Floats) -> Equations:
    """Linearise I = I_FF (1 + sum alpha P) + background about the present parameters."""
    form = state.form_factor
    ordered = 1 + np.tensordot(alpha, state.pictures, axes=1)
    model = form * ordered + state.level
    if state.given_weight is None:
        state.noise = estimate_noise((state.intensity - model)[state.measured], model[state.measured])
        variance = state.noise.variance(model)
        residual, weight = working_residuals(state.intensity, model, variance, state.measured, state.censored)
    else:
        residual = np.where(state.measured, state.intensity - model, 0.0)
        scale = np.sum(state.given_weight * residual**2) / max(float(np.sum(state.given_weight > 0)), 1.0)
        weight = state.given_weight / max(float(scale), 1e-12)
    surface, size = state.surface, len(state.surface)
    slopes = form * state.pictures
    weighted = weight * slopes
    normal = np.zeros((len(state.coefficients),) * 2)
    to_alpha = np.zeros((len(normal), len(alpha)))
    gradient = np.zeros(len(normal))
    normal[:size, :size] = surface.normal_matrix(weight * ordered**2)
    to_alpha[:size] = np.stack([surface.project(ordered * image) for image in weighted], axis=1)
    gradient[:size] = surface.project(weight * ordered * residual)
    if state.background:
        normal[:size, -1] = normal[-1, :size] = surface.project(weight * ordered)
        normal[-1, -1] = weight.sum()
        to_alpha[-1] = weighted.sum(axis=(1, 2))
        gradient[-1] = np.sum(weight * residual)
    normal += np.diag(state.prior_precision)
    gradient -= state.prior_precision * (state.coefficients - state.prior_mean)
    flat = slopes.reshape(len(alpha), -1), weighted.reshape(len(alpha), -1)
    return Equations(
        residual=residual,
        weight=weight,
        form_factor=form,
        ordered=ordered,
        nuisance=cho_factor(normal, overwrite_a=True, check_finite=False),
        to_alpha=to_alpha,
        nuisance_gradient=gradient,
        normal=flat[1] @ flat[0].T,
        gradient=flat[1] @ residual.ravel(),
    )


def misfits(states: Sequence[PlaneState]) -> bool:
    """Whether a plane departs from the model by more than TOLERATED of the model beyond noise."""
    return any(state.noise is not None and state.noise.square > TOLERATED**2 for state in states)
