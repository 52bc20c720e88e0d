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
_STEPS, _CONVERGED, _RESTS = 12, 0.05, 0.5
#: Times that weights are made anew with one set of matrices.
_WEIGHTINGS = 5
#: A step along a line ends at so many times its length, and the walk where chi2 falls by less than this.
_LONGEST, _NO_GAIN = 2.0, 0.01


@dataclass(frozen=True)
class Matrices:
    """Second derivatives of half of chi2 on one plane, without priors: nuisance parameters, mixed, alphas."""

    nuisance: NDArray[Any]
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

        The factor is in float32 where it can be, which takes half the time; a second step makes what is carried good
        to more. single: without that step, which is enough to compare.
        """
        self._mixed = matrices.mixed
        self._factor = _factored(matrices.nuisance, precision)
        self.carried: Floats = self.solve(matrices.mixed)
        if not single:
            left = matrices.mixed - matrices.nuisance @ self.carried - precision[:, None] * self.carried
            self.carried = self.carried + self.solve(left)
        self.normal: Floats = matrices.alpha - matrices.mixed.T @ self.carried

    def solve(self, right: Floats) -> Floats:
        """Apply the inverse of the factored matrix."""
        kind = self._factor[0].dtype
        found = cho_solve(self._factor, right.astype(kind), check_finite=False, overwrite_b=True)
        return np.asarray(found, dtype=np.float64)

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


def _factored(normal: Floats, precision: Floats) -> tuple[NDArray[Any], bool]:
    """Cholesky factor of a normal matrix with a prior, in float32 unless that has too few digits for it."""
    for kind in (np.float32, np.float64):
        whole: NDArray[Any] = normal.astype(kind)
        whole[np.diag_indices_from(whole)] += precision
        try:
            # Fortran's order: what LAPACK works on in place, the matrix being symmetric.
            return cho_factor(whole.T, lower=True, overwrite_a=True, check_finite=False)
        except np.linalg.LinAlgError:
            if kind is np.float64:
                raise
    raise AssertionError


def step_to_rest(
    states: Sequence[PlaneState],
    alpha: Floats,
    precision: Floats,
    known: Sequence[Eliminated] | None = None,
    most: int = 3,
) -> tuple[Floats, list[Equations], list[Eliminated]]:
    """Step alphas and the nuisance parameters of all planes together until the alphas rest.

    precision: (n,), of the prior of the alphas about zero. Weights are kept until steps with them rest, and made anew
    until the alphas do. Matrices, which only guide the steps and cost most, are made `most` times at most; the first
    may be `known`.
    """
    eliminated = known
    for left in reversed(range(most)):
        if eliminated is None:
            equations = [linearise(state, alpha, fresh=True) for state in states]
            eliminated = [
                Eliminated(matrices(state, one), state.prior_precision)
                for state, one in zip(states, equations, strict=True)
            ]
        alpha, rests = _weighted_anew(states, alpha, precision, eliminated)
        if rests:
            break
        eliminated = eliminated if left == 0 else None
    final = [_as_scattered(state) for state in states]
    equations = [linearise(state, alpha, fresh=state.given_weight is not None) for state in final]
    if eliminated is None or any(state.given_weight is not None for state in states):
        eliminated = [
            Eliminated(matrices(state, one), state.prior_precision) for state, one in zip(final, equations, strict=True)
        ]
    return alpha, equations, list(eliminated)


def _weighted_anew(
    states: Sequence[PlaneState], alpha: Floats, precision: Floats, eliminated: Sequence[Eliminated]
) -> tuple[Floats, bool]:
    """Walk with one set of matrices and make weights anew until alphas rest; the alphas, and whether they do."""
    for _ in range(_WEIGHTINGS):
        alpha, moved = walk(states, alpha, precision, eliminated)
        if moved < _RESTS:
            return alpha, True
        for state in states:
            linearise(state, alpha, fresh=True)
    return alpha, False


@dataclass(frozen=True)
class Direction:
    """A direction of alphas and the nuisance parameters of each plane."""

    alpha: Floats
    nuisance: tuple[Floats, ...]

    def __matmul__(self, other: Direction) -> float:
        """Inner product."""
        pairs = zip(self.nuisance, other.nuisance, strict=True)
        return float(self.alpha @ other.alpha + sum(float(one @ two) for one, two in pairs))

    def plus(self, factor: float, other: Direction) -> Direction:
        """Add a multiple of another."""
        pairs = zip(self.nuisance, other.nuisance, strict=True)
        return Direction(self.alpha + factor * other.alpha, tuple(one + factor * two for one, two in pairs))


def walk(
    states: Sequence[PlaneState],
    alpha: Floats,
    precision: Floats,
    eliminated: Sequence[Eliminated],
    enough: float = _NO_GAIN,
) -> tuple[Floats, float]:
    """Step with one set of matrices until steps rest; the alphas, and the first step of Newton.

    Conjugate gradients with the matrices as their preconditioner (Polak and Ribiere), each to the minimum along its
    line, until that lowers chi2 by less than `enough`. Steps are counted in standard deviations of each alpha with all
    else held.
    """
    normal = sum((one.normal for one in eliminated), np.diag(precision))
    scale, first = np.sqrt(np.diag(normal)), 0.0
    equations = [linearise(state, alpha) for state in states]
    line: Direction | None = None
    newton: Direction | None = None
    power = np.inf
    for _ in range(_STEPS):
        slope = _slope(states, equations, alpha, precision)
        before, last = newton, power
        newton = _newton(slope, normal, eliminated)
        size = float(np.max(np.abs(newton.alpha) * scale))
        first = first or size
        power = slope @ newton
        line = newton if line is None or before is None else newton.plus(max((power - slope @ before) / last, 0), line)
        alpha, equations, gain = _descend(states, equations, alpha, precision, line)
        if size < _CONVERGED or gain < enough:
            break
    return alpha, first


def _slope(states: Sequence[PlaneState], equations: Sequence[Equations], alpha: Floats, precision: Floats) -> Direction:
    """Slope of -chi2 / 2 with its priors."""
    along = sum((one.alpha_slope for one in equations), -alpha * precision)
    pulls = [state.prior_precision * (state.coefficients - state.prior_mean) for state in states]
    return Direction(along, tuple(one.nuisance_slope - pull for one, pull in zip(equations, pulls, strict=True)))


def _newton(slope: Direction, normal: Floats, eliminated: Sequence[Eliminated]) -> Direction:
    """Newton's step with these matrices."""
    pull = slope.alpha - sum(part.carried.T @ one for part, one in zip(eliminated, slope.nuisance, strict=True))
    step = np.asarray(np.linalg.solve(normal, pull), dtype=np.float64)
    return Direction(step, tuple(part.follow(one, step) for part, one in zip(eliminated, slope.nuisance, strict=True)))


def _descend(
    states: Sequence[PlaneState], before: Sequence[Equations], alpha: Floats, precision: Floats, line: Direction
) -> tuple[Floats, list[Equations], float]:
    """Go to the minimum of chi2 along a line, with the weights of before; and by how much it fell.

    The model is a product of two factors that are linear in what is refined, so that chi2 is of degree four.
    """
    quartic = np.array([np.sum(precision * alpha**2), 2 * np.sum(precision * alpha * line.alpha), 0.0, 0.0, 0.0])
    quartic[2] = np.sum(precision * line.alpha**2)
    turns = []
    for state, old, move in zip(states, before, line.nuisance, strict=True):
        size = len(state.surface)
        form, ordered = state.surface(move[:size]), state.pictures.ordered(line.alpha) - 1
        turns.append((form, ordered))
        linear = form * old.ordered + old.form_factor * ordered + (move[-1] if state.background else 0.0)
        square = form * ordered
        weight = np.where(state.measured, old.weight, 0.0)
        quartic += [
            np.vdot(weight, old.residual**2),
            -2 * np.vdot(weight * old.residual, linear),
            np.vdot(weight, linear**2 - 2 * old.residual * square),
            2 * np.vdot(weight * linear, square),
            np.vdot(weight, square**2),
        ]
        away, prior = state.coefficients - state.prior_mean, state.prior_precision
        quartic[:3] += [np.sum(prior * away**2), 2 * np.sum(prior * away * move), np.sum(prior * move**2)]
    part = _minimum(quartic)
    for state, move in zip(states, line.nuisance, strict=True):
        state.coefficients = state.coefficients + part * move
    there = alpha + part * line.alpha
    images = [
        (old.form_factor + part * form, old.ordered + part * ordered)
        for old, (form, ordered) in zip(before, turns, strict=True)
    ]
    equations = [linearise(state, there, images=image) for state, image in zip(states, images, strict=True)]
    return there, equations, float(quartic[0] - np.polynomial.polynomial.polyval(part, quartic))


def _minimum(quartic: Floats) -> float:
    """Where a polynomial of degree four, coefficients rising, is least between 0 and _LONGEST."""
    roots = np.polynomial.polynomial.polyroots(np.polynomial.polynomial.polyder(quartic))
    places = np.array([0.0, _LONGEST, *np.clip(roots.real[np.abs(roots.imag) < 1e-9], 0.0, _LONGEST)])
    return float(places[np.argmin(np.polynomial.polynomial.polyval(places, quartic))])


def _as_scattered(state: PlaneState) -> PlaneState:
    """For uncertainties: the I_SRO of a factorization is exactly periodic, I_D / I_FF scatters as the data do."""
    return state if state.scatter is None else replace(state, intensity=state.scatter)


def linearise(
    state: PlaneState, alpha: Floats, fresh: bool = False, images: tuple[Floats, Floats] | None = None
) -> Equations:
    """Residuals, weights and slopes of I = I_FF (1 + sum alpha P) + background at the present parameters.

    fresh: estimate the variance of the pixels here; else that of before is kept, so that steps come to rest. images:
    I_FF and I_SRO there, where they are known.
    """
    form, ordered = (state.form_factor, state.pictures.ordered(alpha)) if images is None else images
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
