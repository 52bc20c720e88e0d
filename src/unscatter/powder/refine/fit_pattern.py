"""A whole-pattern fit of one lattice as a noun: cell with uncertainties, R values, lines with hkl, foreign lines."""

from __future__ import annotations

import numpy as np

from unscatter.nouns.arrays import Floats
from unscatter.nouns.cell import Cell
from unscatter.nouns.lattice import Lattice
from unscatter.nouns.lines import Lines
from unscatter.nouns.pattern import Pattern
from unscatter.nouns.pattern_fit import PatternFit
from unscatter.one_thread import one_thread
from unscatter.powder.refine.evidence import (
    SATELLITE,
    add_foreign,
    estimate_misfit,
    fitted,
    foreign_prices,
    weigh_model,
)
from unscatter.powder.refine.lines import find_lines
from unscatter.powder.refine.observation import Observation, observe
from unscatter.powder.refine.predicted import cell_of
from unscatter.powder.refine.shape import refine_shape
from unscatter.powder.refine.whole_pattern import Model, gauss_newton, lay_model, refine_model, start_model

#: Predicted lines that one fit should take at most: its time grows faster than their number.
MOST_LINES = 250


def fit_pattern(
    pattern: Pattern, lattice: Lattice, lines: Lines | None = None, *, displacement: float = 0.0
) -> PatternFit:
    """Fit a lattice to a whole pattern without a structure: cell, shifts, profile, background and all intensities.

    I(2 theta) = sum_j A_j p(2 theta - t_j) + background, A_j >= 0, t_j = 2 theta_j + zero + displacement cos(theta_j)
    for every line that the lattice predicts and, where the pattern has more, for foreign ones at a price. lines: as
    find_lines gives them, with the profile to start from; displacement in degrees, to start from. Raises ValueError for
    a pattern without a wavelength or without a line.
    Source: Pawley, J. Appl. Cryst. 14, 357 (1981); Le Bail, Duroy & Fourquet, Mater. Res. Bull. 23, 447 (1988).
    """
    lines = find_lines(pattern) if lines is None else lines
    return fit_observation(observe(pattern, lines), lattice, displacement)


@one_thread
def fit_observation(observation: Observation, lattice: Lattice, displacement: float = 0.0) -> PatternFit:
    """As fit_pattern, of a pattern that was made ready."""
    # Foreign lines come when the lattice lies where it belongs, lest they take the place of lines that are off.
    model = refine_model(observation, start_model(observation, lattice, displacement), 8)
    for _ in range(2):
        model = add_foreign(observation, model)
        observation, model = refine_shape(observation, model)
        observation = observation.with_misfit(estimate_misfit(observation, model))
        model = lay_model(observation, model.predicted, model.parameters, model.foreign)
        model = refine_model(observation, model, 2)
    return pattern_fit(observation, model, lattice)


def pattern_fit(observation: Observation, model: Model, lattice: Lattice) -> PatternFit:
    """What a fitted model says, as a noun."""
    calculated = fitted(observation, model)
    background = observation.ground @ model.solution.background
    _, covariance = gauss_newton(observation, model)
    scale = max(model.chi2 / max(len(calculated) - model.resolved, 1), 1.0)
    errors = np.sqrt(np.maximum(np.diag(covariance) * scale, 0.0))
    cell = cell_of(model.parameters.metric, lattice.bravais)
    area, area_error = _shared_areas(model)
    residual = observation.pattern.intensity - calculated
    above = observation.pattern.intensity - background
    weight = 1 / observation.noise**2
    u, v, w = model.shape.caglioti
    # What is cheap is taken for what the profile leaves of a stronger line.
    foreign = foreign_prices(model) > SATELLITE
    return PatternFit(
        pattern=observation.pattern,
        lattice=Lattice(cell, lattice.bravais, zero=model.parameters.zero),
        cell_error=_cell_errors(model, lattice.bravais, covariance * scale, cell),
        zero=model.parameters.zero,
        zero_error=float(errors[-3]),
        displacement=model.parameters.displacement,
        displacement_error=float(errors[-2]),
        hkl=model.predicted.hkl,
        multiplicity=model.predicted.multiplicity,
        two_theta=model.position,
        area=area,
        area_error=area_error,
        column=model.column,
        calculated=calculated,
        background=background,
        foreign=model.foreign[foreign],
        foreign_area=model.foreign_area[foreign],
        caglioti=(u, v, w),
        mixing=model.shape.mixing,
        axial=model.shape.axial,
        size=model.shape.size,
        strain=model.shape.strain,
        r_p=float(np.sum(np.abs(residual)) / max(np.sum(np.abs(above)), 1e-300)),
        r_wp=float(np.sqrt(np.sum(weight * residual**2) / max(float(np.sum(weight * above**2)), 1e-300))),
        chi2=model.chi2 / max(len(calculated) - model.resolved, 1),
        evidence=weigh_model(observation, model, lattice.bravais).value - observation.allowance,
        provenance={"misfit": observation.misfit, "wavelength_A": model.shape.wavelength},
    )


def _shared_areas(model: Model) -> tuple[Floats, Floats]:
    """Area (n,) and s.u. (n,) of predicted lines; those of one resolved line share it by multiplicity."""
    multiplicity = model.predicted.multiplicity.astype(np.float64)
    share = multiplicity / np.bincount(model.column, multiplicity, model.resolved)[model.column]
    weight = np.maximum(model.normal.lines.diagonal()[: model.resolved], 1e-300)
    return (
        model.solution.intensity[: model.resolved][model.column] * share,
        (1 / np.sqrt(weight))[model.column] * share,
    )


def _cell_errors(model: Model, bravais: str, covariance: Floats, cell: Cell) -> tuple[float, ...]:
    """S.u. of a, b, c (Angstrom), alpha, beta, gamma (degrees), propagated from the metric by small steps."""
    metric = model.parameters.metric
    count = len(metric)
    here = np.array(cell.parameters)
    jacobian = np.zeros((6, count))
    for k in range(count):
        step = 1e-5 * np.abs(metric[: min(count, 3)]).mean()
        moved = metric.copy()
        moved[k] += step
        jacobian[:, k] = (np.array(cell_of(moved, bravais).parameters) - here) / step
    variance = np.einsum("ik,kl,il->i", jacobian, covariance[:count, :count], jacobian)
    return tuple(float(np.sqrt(max(x, 0.0))) if x > 1e-18 else 0.0 for x in variance)
