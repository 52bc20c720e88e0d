"""I_SRO that repeats along one direction and is constant along the other: rods and sheets of diffuse scattering."""

from __future__ import annotations

import numpy as np

from unscatter.diffuse.plane.fold import CellMap
from unscatter.diffuse.plane.separable import project_waves
from unscatter.nouns.arrays import Floats, Integers


def fit_streaks(
    values: Floats,
    weight: Floats,
    frequency: Floats,
    x: Floats,
    y: Floats,
    order: int,
    *,
    centric: bool = False,
    ridge: float = 1e-3,
    prior: tuple[Floats, Floats] | None = None,
) -> CellMap:
    """Weighted least-squares series along one direction: minimises sum w (values - series)^2 + ridge |c - prior|^2.

    values, weight: (ny, nx), weight 0 where not measured; frequency: (2,), waves per unit of (x, y) of the first
    harmonic, at right angles to the streaks; order: highest harmonic; centric: cosines alone; ridge and prior as in
    `unscatter.diffuse.plane.fold.fit_waves`. The first wave is the mean.
    """
    number = np.arange(order + 1)
    fx, fy = np.outer(number, frequency).T
    twice_x, twice_y = np.outer(np.arange(2 * order + 1), frequency).T
    weight_cos, weight_sin = project_waves(weight, twice_x, twice_y, x, y)
    right_cos, right_sin = project_waves(values * weight, fx, fy, x, y)
    normal, right = _cosines(weight_cos, number), right_cos
    penalty = ridge * weight_cos[0] * (number**2 / max(order, 1) ** 2 + 1e-3)
    old = None if prior is None else prior[0]
    if not centric:
        normal = _with_sines(normal, weight_cos, weight_sin, number)
        right, penalty = np.concatenate([right, right_sin[1:]]), np.concatenate([penalty, penalty[1:]])
        old = None if prior is None else np.concatenate([prior[0], prior[1][1:]])
    if old is not None:
        right = right + penalty * old
    found = np.linalg.solve(normal + np.diag(penalty + 1e-30), right)
    sine = np.zeros(order + 1) if centric else np.concatenate([[0.0], found[order + 1 :]])
    return CellMap(found[: order + 1], sine, fx, fy)


def _cosines(weight_cos: Floats, number: Integers) -> Floats:
    """Sums of w cos p cos q, from those of w alone: cos p cos q = (cos(p - q) + cos(p + q)) / 2."""
    return np.asarray((weight_cos[np.abs(number[:, None] - number)] + weight_cos[number[:, None] + number]) / 2)


def _with_sines(cosines: Floats, weight_cos: Floats, weight_sin: Floats, number: Integers) -> Floats:
    """The whole normal matrix: cosines and, but for the mean, sines."""
    plus, minus = number[:, None] + number, number[:, None] - number
    apart = np.abs(minus)
    sines = (weight_cos[apart] - weight_cos[plus]) / 2
    mixed = (weight_sin[plus] - np.sign(minus) * weight_sin[apart]) / 2
    return np.block([[cosines, mixed[:, 1:]], [mixed[:, 1:].T, sines[1:, 1:]]])
