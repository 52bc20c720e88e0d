"""How well a lattice explains a whole pattern, in nats, and which lines of it are foreign."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array

from unscatter.nouns.arrays import Floats
from unscatter.powder.pattern.factors import lorentz_polarisation
from unscatter.powder.refine.nonnegative import log_pivots
from unscatter.powder.refine.observation import MISFIT, Observation
from unscatter.powder.refine.predicted import free_components
from unscatter.powder.refine.whole_pattern import SPREAD, Model, lay_model, refine_model

#: Nats for a line that no lattice line explains, for its place and its height; and beside a stronger line.
FOREIGN, SATELLITE = 11.0, 2.0
#: Nats for as much foreign area as there is area of the lattice.
SHARE = 25.0
#: A line within this many FWHM of one that is so many times stronger may be what the profile leaves of it.
NEAR, STRONGER = 2.0, 10.0
#: Nats for every free number of the cell, besides what the pattern tells of it; and by how many times more where all
#: that is left is misfit of the profile, which is not random and which a distorted cell absorbs.
PARAMETER, ABSORBED = 1.0, 12.0
#: FWHM within which a place is that of a line that was found.
SNAPPED = 0.5
#: Share of its FWHM to which the place of a line is known.
SHARPNESS = 0.1
#: Degrees over which the expected intensity is averaged.
AVERAGED = 12.0
#: Share of the intensity that a profile may miss at most.
MOST_MISFIT = 0.06
# Foreign area over that of the lattice from which more makes no difference.
_MOST_SHARE = 10.0
# Rounds in which foreign lines are added, and how many may be.
_ROUNDS, _MOST_FOREIGN = 4, 40
# Lines that gain less than this share of the best of a round wait for the next: strong ones bend the background.
_WAIT = 0.02
# Rounds in which the share of lines that carry intensity is found.
_SHARES = 6
# Places a FWHM at which foreign lines are looked for.
_PLACES = 2.5


@dataclass(frozen=True)
class Evidence:
    """Logarithm of the evidence of a lattice in nats and its parts: value = -misfit - occam - cell - foreign."""

    value: float
    chi2: float
    occam: float
    cell: float
    foreign: float


def weigh_model(observation: Observation, model: Model, bravais: str) -> Evidence:
    """Evidence of a fitted lattice: -misfit - price of its lines - price of the cell - price of foreign lines."""
    occam = line_price(model)
    cell = parameter_price(observation, bravais) + cell_price(model)
    foreign = float(foreign_prices(model).sum()) + share_price(model)
    value = -misfit_nats(model.chi2, len(observation.two_theta)) - occam - cell - foreign
    return Evidence(value, model.chi2, occam, cell, foreign)


def parameter_price(observation: Observation, bravais: str) -> float:
    """Nats for the free numbers of the cell, besides what the pattern tells of them."""
    return PARAMETER * (1 + ABSORBED * observation.systematic) * free_components(bravais)


def line_price(model: Model) -> float:
    """Nats that the predicted lines cost, sum_j -ln[(1 - f) exp(-z_j^2 / 2) + f exp(-c_j)].

    A share f of the lines carries intensity, which costs c_j = ln(S_j / sigma_j) each; the others, which symmetry or
    pseudo-symmetry makes absent, must not be seen (z_j = A_j / sigma_j) and cost little. f is the lattice's own: one
    that predicts many lines of which few are seen pays for every choice. c_j = ln det(1 + S A S) / 2 line by line.
    """
    if not model.resolved:
        return 0.0
    inner = csc_array(model.normal.lines[: model.resolved][:, : model.resolved])
    slab = np.expm1(np.minimum(log_pivots(inner, expected_area(model)), 700.0))
    seen = model.solution.intensity[: model.resolved] ** 2 * inner.diagonal() / 2
    share = 0.5
    for _ in range(_SHARES):
        # Those that are there are stronger than the mean of all.
        absent, there = np.log(1 - share) - seen, np.log(share) - np.log1p(slab / share**2) / 2
        total = np.logaddexp(absent, there)
        share = (np.sum(np.exp(there - total)) + 1) / (model.resolved + 2)
    return float(-np.sum(total) + np.log(model.resolved + 1) / 2)


def misfit_nats(chi2: float, points: int) -> float:
    """Nats that a misfit costs: chi2 / 2 up to one a point, and n/2 (1 + ln(chi2 / n)) beyond.

    Where even the better lattice leaves more than noise, the scale of the noise is not known, and is marginalised over:
    a difference of chi2 then counts in units of what is left, lest a large cell win by fitting waves of a background.
    """
    return chi2 / 2 if chi2 <= points else points / 2 * (1 + float(np.log(chi2 / points)))


def cell_price(model: Model) -> float:
    """ln det(1 + SPREAD^2 F) / 2 in nats, F what the lines tell of the relative reciprocal metric.

    A line that carries intensity tells its place to SHARPNESS of its FWHM, whether others lie upon it or not.
    """
    seen = model.solution.intensity[model.column] > 0
    if not np.any(seen):
        return 0.0
    shape, terms = model.shape, model.predicted.terms[seen]
    metric = model.parameters.metric
    size = np.where(np.arange(len(metric)) < 3, np.abs(metric), np.abs(metric[:3]).mean())
    squared = terms @ metric
    theta = np.arcsin(np.minimum(shape.wavelength / 2 * np.sqrt(squared), 0.9999))
    moved = np.degrees(shape.wavelength / 2 / (np.sqrt(squared) * np.cos(theta)))[:, None] * terms * size
    moved = moved / (SHARPNESS * shape.fwhm(model.position[seen]))[:, None]
    values = np.linalg.eigvalsh(moved.T @ moved)
    return float(np.sum(np.log1p(SPREAD**2 * np.maximum(values, 0.0))) / 2)


def expected_area(model: Model, typical: NDArray[np.bool_] | None = None) -> Floats:
    """Expected area (m,) of the resolved lines: in proportion to multiplicity and Lorentz factor, as those around.

    typical: (m,) lines that count; None for all.
    """
    centre = model.centre[: model.resolved]
    multiplicity = np.bincount(model.column, model.predicted.multiplicity.astype(np.float64), model.resolved)
    return area_as_around(
        centre, model.solution.intensity[: model.resolved], multiplicity * lorentz_factor(centre), typical
    )


def lorentz_factor(two_theta: Floats) -> Floats:
    """Lorentz factor (n,) at angles (n,) in degrees, bounded where it goes to infinity."""
    return np.asarray(lorentz_polarisation(np.radians(np.clip(two_theta, 0.5, 178.0) / 2)))


def area_as_around(centre: Floats, area: Floats, weights: Floats, typical: NDArray[np.bool_] | None = None) -> Floats:
    """Expected area (m,) of lines at angles (m,) in degrees: in proportion to weights (m,), as those around have it."""
    places = np.linspace(centre.min(initial=0.0), centre.max(initial=180.0), 24)
    near = np.exp(-(((centre[None, :] - places[:, None]) / AVERAGED) ** 2))
    if typical is not None:
        near = near * typical
    per_weight = (near @ area + 1e-3 * area.mean()) / np.maximum(near @ weights, 1e-300)
    return np.asarray(np.exp(np.interp(centre, places, np.log(np.maximum(per_weight, 1e-300)))) * weights)


def share_price(model: Model) -> float:
    """SHARE (s / (1 - s))^2 nats where a share s of the area is foreign: what is sought is what there is most of."""
    foreign, own = float(model.foreign_area.sum()), float(model.solution.intensity[: model.resolved + model.held].sum())
    return SHARE * min(foreign / max(own, 1e-300), _MOST_SHARE) ** 2


def foreign_prices(model: Model) -> Floats:
    """Nats (f,) for each foreign line of a model."""
    return np.array([_price(model, angle, area) for angle, area in zip(model.foreign, model.foreign_area, strict=True)])


def _price(model: Model, angle: float, area: float) -> float:
    near = np.abs(model.centre - angle) < NEAR * model.shape.fwhm(np.array([angle]))[0]
    stronger = model.solution.intensity[near].max(initial=0.0) > STRONGER * max(area, 0.0)
    return SATELLITE if stronger else FOREIGN


def add_foreign(observation: Observation, model: Model) -> Model:
    """Add lines where the pattern has what the lattice does not explain, as long as they are worth their price."""
    places = _places(observation)
    columns = model.shape.columns(places, observation.two_theta).matrix()
    weight = observation.weight
    squared = columns.multiply(columns)
    # A place at the edge of the range, where a part of a line is seen, counts as the background.
    seen = np.asarray(squared.sum(axis=0)).ravel()
    norm = np.asarray(squared.T @ weight) * np.maximum(1.0, 0.2 * np.median(seen) / np.maximum(seen, 1e-300))
    for _ in range(_ROUNDS):
        residual = observation.pattern.intensity - fitted(observation, model)
        gain = np.maximum(columns.T @ (weight * residual), 0.0) ** 2 / norm / 2
        found = _maxima(places, gain, model)
        found = _at_lines(found, observation, model)[: _MOST_FOREIGN - len(model.foreign)]
        if not len(found):
            break
        foreign = np.sort(np.concatenate([model.foreign, found]))
        model = _without_cheap(observation, _laid(observation, model, foreign))
    return model


def fitted(observation: Observation, model: Model) -> Floats:
    """Calculated intensity (points,) with background."""
    return np.asarray(model.columns @ model.solution.intensity + observation.ground @ model.solution.background)


def fit_model(observation: Observation, model: Model) -> Model:
    """Refine, find foreign lines, refine once more."""
    model = refine_model(observation, model, 2)
    return refine_model(observation, add_foreign(observation, model), 1)


def estimate_misfit(observation: Observation, model: Model) -> float:
    """Share of the intensity that the profile misses, so that the weighted squares of a good fit are one a point."""
    residual = observation.pattern.intensity - fitted(observation, model)
    above = np.maximum(observation.pattern.intensity - observation.under, 0.0)
    strong = above > 5 * observation.noise
    if strong.sum() < 10:
        return MISFIT
    excess = residual[strong] ** 2 - observation.noise[strong] ** 2
    return float(
        np.clip(
            np.sqrt(max(float(np.sum(excess / above[strong])) / float(np.sum(above[strong])), 0.0)), MISFIT, MOST_MISFIT
        )
    )


def _laid(observation: Observation, model: Model, foreign: Floats) -> Model:
    return lay_model(observation, model.predicted, model.parameters, foreign, other=model.other)


def _without_cheap(observation: Observation, model: Model) -> Model:
    """Take out foreign lines that are not worth what they cost."""
    weight = model.normal.lines.diagonal()[model.resolved + model.held :]
    gain = model.foreign_area**2 * weight / 2
    kept = gain > foreign_prices(model)
    if np.all(kept):
        return model
    return _laid(observation, model, model.foreign[kept])


def _places(observation: Observation) -> Floats:
    """Angles (p,) in degrees, about 0.4 FWHM apart."""
    x = observation.two_theta
    grid = np.linspace(x[0], x[-1], 400)
    count = np.concatenate([[0.0], np.cumsum(np.diff(grid) / observation.shape.fwhm(grid)[1:])]) * _PLACES
    return np.interp(np.arange(int(count[-1])), count, grid)


def _maxima(places: Floats, gain: Floats, model: Model) -> Floats:
    """Places of the local maxima of the gain that are worth a foreign line, the best first, one a FWHM."""
    inner = np.zeros(len(gain), dtype=bool)
    inner[1:-1] = (gain[1:-1] >= gain[:-2]) & (gain[1:-1] > gain[2:])
    chosen = np.flatnonzero(inner & (gain > max(SATELLITE, _WAIT * float(gain.max(initial=0.0)))))
    chosen = chosen[np.argsort(-gain[chosen])][:_MOST_FOREIGN]
    found: list[float] = []
    width = model.shape.fwhm(places)
    for k in chosen.tolist():
        left, middle, right = np.sqrt(gain[k - 1 : k + 2])
        curve = left - 2 * middle + right
        shift = 0.5 * (left - right) / curve if curve < 0 else 0.0
        angle = float(places[k] + np.clip(shift, -0.5, 0.5) * (places[k + 1] - places[k]))
        # What the line would weigh, in the units of an area: half a FWHM of the residual.
        apart = all(abs(angle - other) > width[k] for other in found)
        if apart and gain[k] > _expected_price(model, angle, float(width[k])):
            found.append(angle)
    return np.array(found)


def _at_lines(places: Floats, observation: Observation, model: Model) -> Floats:
    """Places (p,), those within SNAPPED FWHM of a line that was found moved onto it, each once and none again."""
    lines = observation.candidates
    if len(lines) and len(places):
        nearest = lines[np.abs(places[:, None] - lines).argmin(axis=1)]
        near = np.abs(nearest - places) < SNAPPED * observation.shape.fwhm(places)
        places = np.where(near, nearest, places)
    known = set(model.foreign.tolist())
    return np.array([place for place in dict.fromkeys(places.tolist()) if place not in known])


def _expected_price(model: Model, angle: float, width: float) -> float:
    """Price of a line before it is laid: cheap beside lines that carry any intensity."""
    near = np.abs(model.centre - angle) < NEAR * width
    strongest = model.solution.intensity.max(initial=0.0)
    return SATELLITE if model.solution.intensity[near].max(initial=0.0) > 0.1 * strongest else FOREIGN
