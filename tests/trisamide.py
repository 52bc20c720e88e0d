"""The real hk1 plane of the paper's crystal, which is not shipped: no licence is stated for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from unscatter.nouns.cell import Cell
from unscatter.nouns.plane import Plane, PlaneAxes


def read_measured_plane(folder: Path) -> Plane:
    """Rows upwards, saturated pixels not measured, the negative half of the noise clipped."""
    with np.load(folder / "hk1_measured_8bit.npz") as archive:
        intensity, saturated = archive["intensity_signed"].astype(float), archive["saturated"]
        h, k, cell = archive["h"].astype(float), archive["k"].astype(float), archive["cell"].astype(float)
    rows, columns = intensity.shape
    axes = PlaneAxes(
        np.array([h[-1, 0], k[-1, 0], 1.0]),
        np.array([1.0, 0.0, 0.0]),
        np.array([-0.5, 1.0, 0.0]),
        np.arange(columns) * (h[0, 1] - h[0, 0]),
        np.arange(rows) * (k[0, 0] - k[1, 0]),
    )
    values = np.where(saturated, np.nan, np.clip(intensity, 0, None))[::-1]
    return Plane(values, axes, Cell.from_sequence(cell), source="hk1 measured")
