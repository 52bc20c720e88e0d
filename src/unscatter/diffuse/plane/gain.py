"""What a model of a plane lacks, smoothly: the ratio of the data to the model, carried on into gaps."""

from __future__ import annotations

import numpy as np

from unscatter.diffuse.plane.smoothing import smooth_plane
from unscatter.nouns.arrays import Floats

#: Standard deviation of the neighbourhood and reach of the far one, in reciprocal cells, and the weight of the far one.
NEAR, FAR, FAR_WEIGHT = 0.07, 1.0, 0.135
#: Weight of the model itself, in units of its mean, where nothing was measured far and wide.
PRIOR = 1e-3
#: Pixels of the far neighbourhood along its reach: more would tell nothing.
FAR_PIXELS = 12


def smooth_gain(
    intensity: Floats, model: Floats, weight: Floats, x: Floats, y: Floats, cell: tuple[float, float]
) -> Floats:
    """Ratio of what is measured to a model, (ny, nx): local where there are data, continuous across the edges of gaps.

    gain = (<w I> + prior) / (<w model> + prior), the means over a narrow bell and, with little weight, over one as
    wide as a reciprocal cell, which speaks where the narrow one is empty; far from all data the prior draws it to 1.

    intensity, model, weight: (ny, nx), weight 0 where not measured; cell: width of a reciprocal cell along x and y.
    """
    steps = (float(y[1] - y[0]), float(x[1] - x[0]))
    sigma = [NEAR * width / step for width, step in zip(cell[::-1], steps, strict=True)]
    kept = PRIOR * float(model.mean()) + 1e-30

    def total(values: Floats) -> Floats:
        near = smooth_plane(values, sigma, "constant")
        return np.asarray(near + FAR_WEIGHT * _far(near, x, y, cell) + kept)

    return np.clip(total(weight * intensity) / np.clip(total(weight * model), 1e-30, None), 0.0, None)


def _far(values: Floats, x: Floats, y: Floats, cell: tuple[float, float]) -> Floats:
    """Mean over a wide bell that never vanishes, from every few pixels."""
    (rows, down), (columns, along) = (_far_matrix(axis, FAR * width) for axis, width in ((y, cell[1]), (x, cell[0])))
    return np.asarray(rows @ values[::down, ::along] @ columns.T)


def _far_matrix(axis: Floats, width: float) -> tuple[Floats, int]:
    """Weights (n, n / stride) of every stride-th pixel, of sum 1 over an endless axis, and the stride."""
    step = abs(float(axis[1] - axis[0]))
    stride = max(1, int(width / step / FAR_PIXELS))
    distance = (axis[:, None] - axis[None, ::stride]) / width
    return 1 / (1 + distance**2) ** 3 / (3 * np.pi / 8 * width / (stride * step)), stride
