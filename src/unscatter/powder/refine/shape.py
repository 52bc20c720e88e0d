"""Refine width, mixing and asymmetry of all lines with a lattice that explains them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from unscatter.nouns.arrays import Floats
from unscatter.powder.pattern.line_shape import LineShape
from unscatter.powder.refine.nonnegative import solve_many
from unscatter.powder.refine.observation import Observation
from unscatter.powder.refine.whole_pattern import Model, lay_model

# By how much of the squared width U, V, W may move, mixing by its constant and over the range, and the axial height.
_HELD = (1.0, 1.0, 1.0, 0.3, 0.3, 0.02, 1.0, 1.0)
_HALVINGS = 3


def refine_shape(observation: Observation, model: Model, steps: int = 2) -> tuple[Observation, Model]:
    """Refine U, V, W, the mixing and its slope, and the axial height; the factor of the widths becomes one."""
    observation = replace(observation, shape=model.shape)
    model = _laid(observation, model)
    for _ in range(steps):
        tried = _step(observation, model)
        if tried is None:
            break
        gain = model.chi2 - tried[1].chi2
        observation, model = tried
        if gain < 0.5:
            break
    return observation, model


def _laid(observation: Observation, model: Model) -> Model:
    parameters = replace(model.parameters, width=0.0)
    return lay_model(observation, model.predicted, parameters, model.foreign, model.solution.passive, model.other)


def _step(observation: Observation, model: Model) -> tuple[Observation, Model] | None:
    shape, used = model.shape, np.flatnonzero(model.solution.intensity > 0)
    centre, area = model.centre[used], model.solution.intensity[used]
    x, weight = observation.two_theta, observation.weight
    steps, scale = _small_steps(shape, x)
    jacobian = _derivatives(shape, centre, area, x, steps) / np.abs(steps).sum(axis=1) * scale
    # The step is held towards where the shape was, not towards zero: every call starts anew.
    fitted = model.columns @ model.solution.intensity + observation.ground @ model.solution.background
    heavy = weight[:, None] * jacobian
    inner, ground = solve_many(
        model.normal, model.solution.passive, model.columns.T @ heavy, observation.ground.T @ heavy
    )
    projected = jacobian - model.columns @ inner - observation.ground @ ground
    heavy = weight[:, None] * projected
    hessian = heavy.T @ projected + np.diag(1 / np.square(_HELD))
    step = scale * np.linalg.solve(hessian, heavy.T @ (observation.pattern.intensity - fitted))
    for halving in range(_HALVINGS):
        tried = replace(observation, shape=moved(shape, step / 2**halving))
        if not _possible(tried.shape, x):
            continue
        laid = lay_model(tried, model.predicted, model.parameters, model.foreign, model.solution.passive, model.other)
        if laid.chi2 < model.chi2:
            return tried, laid
    return None


def _derivatives(shape: LineShape, centre: Floats, area: Floats, x: Floats, steps: Floats) -> Floats:
    """Change (points, 8) of the lines with each small step, by the widths and Lorentzian shares that it changes."""
    columns = shape.columns(centre, x, derivatives=True)
    by_fwhm, by_eta = columns.matrix(columns.by_fwhm), columns.matrix(columns.by_eta)
    fwhm, eta = shape.law(centre)
    changes = np.empty((len(x), len(steps)))
    for k, step in enumerate(steps):
        tried = moved(shape, step)
        if tried.axial != shape.axial:
            changes[:, k] = (tried.columns(centre, x).matrix() - columns.matrix()) @ area
        else:
            wider, mixed = tried.law(centre)
            changes[:, k] = by_fwhm @ (area * (wider - fwhm)) + by_eta @ (area * (mixed - eta))
    return changes


def _small_steps(shape: LineShape, x: Floats) -> tuple[Floats, Floats]:
    """Steps (8, 8) of one parameter each, and the size (8,) of each parameter."""
    width = float(np.median(shape.fwhm(x)))
    tangent = float(np.tan(np.radians(np.quantile(x, 0.7) / 2)))
    scale = np.array([width**2 / tangent**2, width**2 / tangent, width**2, 1.0, 1 / (x[-1] - x[0]), 1.0])
    scale = np.concatenate([scale, [width, width / tangent]])
    return np.diag(1e-3 * scale), scale


def moved(shape: LineShape, step: Floats) -> LineShape:
    """A shape a step (8,) on: U, V, W, mixing, its slope, and axial height, size, strain, which stay above zero."""
    u, v, w = (a + float(b) for a, b in zip(shape.caglioti, step[:3], strict=True))
    mixing = (shape.mixing[0] + float(step[3]), shape.mixing[1] + float(step[4]))
    axial, size, strain = (
        max(a + float(b), 0.0) for a, b in zip((shape.axial, shape.size, shape.strain), step[5:], strict=True)
    )
    return replace(shape, caglioti=(u, v, w), mixing=mixing, axial=axial, size=size, strain=strain)


def _possible(shape: LineShape, x: Floats) -> bool:
    u, v, w = shape.caglioti
    tangent = np.tan(np.radians(x[:: max(1, len(x) // 50)] / 2))
    squared = (u * tangent + v) * tangent + w
    ends = [shape.mixing[0] + shape.mixing[1] * float(a) for a in (x[0], x[-1])]
    return bool(squared.min() > 1e-4 * np.median(squared)) and min(ends) > -0.3 and max(ends) < 1.3
