"""Fit a lattice to a whole pattern, without a structure: Pattern + Lattice -> PatternFit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array

from unscatter.nouns.arrays import Floats, Integers
from unscatter.nouns.lattice import Lattice
from unscatter.powder.pattern.line_shape import LineShape
from unscatter.powder.refine.nonnegative import Normal, Solution, normal_equations, solve_many, solve_nonnegative
from unscatter.powder.refine.observation import Observation
from unscatter.powder.refine.predicted import PredictedLines, cell_of, predict_lines

#: Lines closer than this share of a FWHM are one, at least and at most; between, where two look like one of the same
#: area but for the noise: two lines a share s of a FWHM apart miss 0.69 s^2 of the height of one.
MERGED = (0.08, 0.25)
#: Expected size of a shift of zero and of a displacement in degrees, and of ln(width): what they are held by.
HELD = (0.2, 0.1, 0.2)
#: Relative spread of the free numbers of a cell about a more symmetric one.
SPREAD = 0.02
# FWHM beyond the end of the range up to which lines are predicted.
_BEYOND = 2.5
# A step of the refinement is halved so often before it is given up.
_HALVINGS = 3


@dataclass(frozen=True, eq=False)
class Parameters:
    """What is refined: metric (k,), zero and displacement in degrees, ln of the factor of all widths."""

    metric: Floats
    zero: float = 0.0
    displacement: float = 0.0
    width: float = 0.0

    @property
    def vector(self) -> Floats:
        """All of them, (k + 3,)."""
        return np.concatenate([self.metric, [self.zero, self.displacement, self.width]])

    @classmethod
    def of(cls, vector: Floats) -> Parameters:
        """Parameters of a vector (k + 3,)."""
        return cls(vector[:-3], *(float(x) for x in vector[-3:]))


@dataclass(frozen=True, eq=False)
class Model:
    """A lattice at given parameters, laid on a pattern and solved for the intensities.

    position: (n,) of the predicted lines in degrees; column: (n,) resolved line of each; centre: (m + h + f,) positions
    of the m = resolved lines, after these of the h = held ones of another phase, and of the foreign ones; columns:
    (points, m + h + f).
    """

    predicted: PredictedLines
    parameters: Parameters
    position: Floats
    column: Integers
    centre: Floats
    resolved: int
    columns: csc_array
    normal: Normal
    solution: Solution
    shape: LineShape
    held: int = 0

    @property
    def other(self) -> Floats:
        """Positions of the lines of another phase, (h,) in degrees."""
        return self.centre[self.resolved : self.resolved + self.held]

    @property
    def foreign(self) -> Floats:
        """Positions of the foreign lines, (f,) in degrees."""
        return self.centre[self.resolved + self.held :]

    @property
    def foreign_area(self) -> Floats:
        """Areas of the foreign lines, (f,)."""
        return self.solution.intensity[self.resolved + self.held :]

    @property
    def chi2(self) -> float:
        """Weighted sum of squares, and what holds the shifts and the width."""
        return self.solution.chi2 + float(np.sum((self.parameters.vector[-3:] / HELD) ** 2))


def line_positions(squared: Floats, wavelength: float, zero: float, displacement: float) -> Floats:
    """Two-theta in degrees of lines with 1/d^2 `squared` (n,): 2 theta + zero + displacement cos(theta)."""
    theta = np.arcsin(np.minimum(wavelength / 2 * np.sqrt(np.maximum(squared, 0.0)), 1.0))
    return np.asarray(np.degrees(2 * theta) + zero + displacement * np.cos(theta))


def start_model(observation: Observation, lattice: Lattice, displacement: float = 0.0) -> Model:
    """Predicted lines of a lattice within the range of a pattern, with intensities; displacement in degrees."""
    angles = observation.two_theta
    # Lines beyond the end reach into the range, by more the wider they are.
    beyond = max(1.0, _BEYOND * float(observation.shape.fwhm(angles[-1:])[0]))
    limit = 2 * np.sin(np.radians(min(angles[-1] + beyond, 179.0) / 2)) / observation.shape.wavelength
    predicted = predict_lines(lattice.cell, lattice.bravais, float(limit))
    return lay_model(observation, predicted, Parameters(predicted.metric, lattice.zero, displacement), np.empty(0))


def lay_model(
    observation: Observation,
    predicted: PredictedLines,
    parameters: Parameters,
    foreign: Floats,
    passive: NDArray[np.bool_] | None = None,
    other: Floats | None = None,
) -> Model:
    """Lay predicted lines on a pattern and solve for the intensities; raises ValueError for fewer than two.

    foreign: positions (f,) in degrees; passive: lines that are expected above zero; other: positions (h,) of the lines
    of another phase.
    """
    other = np.empty(0) if other is None else other
    shape = observation.shape.scaled(float(np.exp(parameters.width)))
    squared = predicted.terms @ parameters.metric
    position = line_positions(squared, shape.wavelength, parameters.zero, parameters.displacement)
    column, centre = _merge(position, predicted.multiplicity, merging_distance(observation, shape, position))
    resolved = len(centre)
    centre = np.concatenate([centre, other, foreign])
    if len(centre) < 2:
        first, last = observation.two_theta[[0, -1]]
        raise ValueError(
            f"the lattice has {len(centre)} lines between {first:g} and {last:g} deg; expected two or more: give a "
            "larger cell, or a longer range"
        )
    columns = shape.columns(centre, observation.two_theta).matrix()
    normal = normal_equations(columns, observation.ground, observation.weight, observation.pattern.intensity)
    if passive is not None and len(passive) != len(centre):
        passive = None
    solution = solve_nonnegative(normal, passive)
    return Model(
        predicted, parameters, position, column, centre, resolved, columns, normal, solution, shape, len(other)
    )


def refine_model(observation: Observation, model: Model, steps: int = 3) -> Model:
    """Refine metric, shifts and width by variable projection, a Gauss-Newton step at a time.

    Source: Golub & Pereyra, Inverse Problems 19, R1 (2003), with Kaufman's approximation.
    """
    for _ in range(steps):
        step, _ = gauss_newton(observation, model)
        better = _try_step(observation, model, step)
        if better is None:
            break
        gain, model = model.chi2 - better.chi2, better
        if gain < 0.2:
            break
    return model


def gauss_newton(observation: Observation, model: Model) -> tuple[Floats, Floats]:
    """Step (k + 3,) of the parameters and their covariance (k + 3, k + 3)."""
    jacobian = derivatives(observation, model)
    weight = observation.weight
    solution = model.solution
    fitted = model.columns @ solution.intensity + observation.ground @ solution.background
    residual = observation.pattern.intensity - fitted
    heavy = weight[:, None] * jacobian
    inner, ground = solve_many(model.normal, solution.passive, model.columns.T @ heavy, observation.ground.T @ heavy)
    projected = jacobian - model.columns @ inner - observation.ground @ ground
    heavy = weight[:, None] * projected
    hessian = heavy.T @ projected
    vector = model.parameters.vector
    # Where two lines of a more symmetric cell coincide, nothing tells yet how the cell is distorted.
    size = SPREAD * np.maximum(np.abs(vector[:-3]), np.abs(vector[: min(3, len(vector) - 3)]).mean())
    held = np.concatenate([1 / size**2, 1 / np.square(HELD)])
    gradient = heavy.T @ residual
    gradient[-3:] -= held[-3:] * vector[-3:]
    hessian = hessian + np.diag(held)
    scale = 1 / np.sqrt(np.maximum(np.diag(hessian), 1e-300))
    covariance = scale[:, None] * np.linalg.pinv(hessian * scale * scale[:, None], rcond=1e-10) * scale
    return covariance @ gradient, covariance


def derivatives(observation: Observation, model: Model) -> Floats:
    """Change (points, k + 3) of the fitted pattern with each parameter, at fixed intensities."""
    shape, intensity = model.shape, model.solution.intensity[: model.resolved]
    used = np.flatnonzero(intensity > 0)
    if not len(used):
        return np.zeros((len(observation.two_theta), len(model.parameters.vector)))
    centre, weights = model.centre[used], intensity[used]
    columns = shape.columns(centre, observation.two_theta, derivatives=True)
    by_width = columns.matrix(columns.by_fwhm) @ (weights * shape.fwhm(centre))
    terms, theta = _column_terms(model)
    squared = terms[used] @ model.parameters.metric
    by_metric = np.degrees(shape.wavelength / 2 / (np.sqrt(squared) * np.cos(theta[used])))[:, None] * terms[used]
    by_shift = np.stack([np.ones(len(used)), np.cos(theta[used])], axis=1)
    by_position = np.concatenate([by_metric, by_shift], axis=1) * weights[:, None]
    return np.concatenate([columns.matrix(columns.by_position) @ by_position, by_width[:, None]], axis=1)


def _column_terms(model: Model) -> tuple[Floats, Floats]:
    """Mean terms (m, k) and theta in radians (m,) of the resolved lines."""
    multiplicity = model.predicted.multiplicity.astype(np.float64)
    total = np.bincount(model.column, multiplicity, model.resolved)
    terms = np.stack(
        [np.bincount(model.column, multiplicity * t, model.resolved) / total for t in model.predicted.terms.T], axis=1
    )
    squared = terms @ model.parameters.metric
    theta = np.arcsin(np.minimum(model.shape.wavelength / 2 * np.sqrt(np.maximum(squared, 1e-12)), 0.999999))
    return terms, theta


def _try_step(observation: Observation, model: Model, step: Floats) -> Model | None:
    """The model a step on, or a part of it, where that is better; None where nothing is."""
    for halving in range(_HALVINGS):
        parameters = Parameters.of(model.parameters.vector + step / 2**halving)
        if abs(parameters.width) > 1.0:
            continue
        try:
            cell_of(parameters.metric, _family(model.predicted))
        except ValueError:
            continue
        tried = lay_model(observation, model.predicted, parameters, model.foreign, model.solution.passive, model.other)
        if tried.chi2 < model.chi2:
            return tried
    return None


def _family(predicted: PredictedLines) -> str:
    """Any lattice with as many free components."""
    return {6: "aP", 4: "mP", 3: "oP", 2: "tP", 1: "cP"}[predicted.terms.shape[1]]


def merging_distance(observation: Observation, shape: LineShape, position: Floats) -> Floats:
    """Distance in degrees (n,) below which lines at these positions are one."""
    share = np.clip(np.sqrt(observation.blurred / 0.69), *MERGED)
    return np.asarray(np.maximum(share * shape.fwhm(position), 0.7 * observation.step))


def _merge(position: Floats, multiplicity: Integers, distance: Floats) -> tuple[Integers, Floats]:
    """Resolved line (n,) of each predicted one, and the positions (m,) of the resolved ones."""
    order = np.argsort(position, kind="stable")
    # A chain of close lines is cut where it grows longer than what is one line.
    number = np.empty(len(position), dtype=np.int64)
    current, start = -1, -np.inf
    for k, (angle, limit) in enumerate(zip(position[order].tolist(), distance[order].tolist(), strict=True)):
        if angle - start > limit:
            current, start = current + 1, angle
        number[k] = current
    column = np.empty(len(position), dtype=np.int64)
    column[order] = number
    weights = multiplicity.astype(np.float64)
    total = np.bincount(column, weights, current + 1)
    return column, np.bincount(column, weights * position, current + 1) / total
