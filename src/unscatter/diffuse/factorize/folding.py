"""A periodic I_SRO given I_FF: one series over the translations of the lattice, from all data."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

import numpy as np

from unscatter.diffuse.plane.fold import CellMap, PlaneLattice, fit_waves
from unscatter.diffuse.plane.streaks import fit_streaks
from unscatter.nouns.arrays import Floats

#: Highest harmonic of the fold, however fine the pixels are.
HIGHEST_ORDER = 12


@dataclass(frozen=True)
class Grid:
    """Where the pixels of a plane lie, x (nx,) and y (ny,), in the units of the translations of a lattice.

    gram: (2, 2), scalar products of the units of x and y; those of a picture are at right angles and alike.
    """

    x: Floats
    y: Floats
    lattice: PlaneLattice
    gram: Floats = field(default_factory=lambda: np.eye(2))

    @property
    def order(self) -> int:
        """Highest harmonic that the pixels resolve: a little under half the pixels along the shorter translation."""
        # Along one direction the harmonics are few, and only the last one can be missed.
        share = 0.49 if self.lattice.one_dimensional else 0.45
        return int(np.clip(share * self.shortest, 2, HIGHEST_ORDER))

    @property
    def steps(self) -> tuple[float, float]:
        """A pixel along y and along x."""
        return float(self.y[1] - self.y[0]), float(self.x[1] - self.x[0])

    @property
    def shortest(self) -> float:
        """Pixels along the shorter translation."""
        return float(np.linalg.norm(self.lattice.translations / self.steps[::-1], axis=1).min())

    @property
    def edge(self) -> float:
        """Length of the longer edge of the plane, in the units of the gram matrix."""
        return float(max(np.ptp(axis) * np.sqrt(self.gram[i, i]) for i, axis in enumerate((self.x, self.y))))


def fit_order(
    intensity: Floats, measured: Floats, form: Floats, first: Floats, grid: Grid, highest: int = HIGHEST_ORDER
) -> Floats:
    """One periodic series for I_SRO from all data, given I_FF; what the data leave open stays as in `first`."""
    form = np.maximum(form, 1e-3 * form.max())
    lattice, order, frequencies = grid.lattice, min(grid.order, highest), grid.lattice.frequencies
    # Where the plane has a centre of inversion, cosines about it are enough.
    centric = lattice.centre is not None
    x, y = (axis - origin for axis, origin in zip((grid.x, grid.y), lattice.centre or (0.0, 0.0), strict=True))
    if lattice.one_dimensional:
        fit, frequencies = partial(fit_streaks, centric=centric), frequencies[0]
    else:
        fit = partial(fit_waves, centric=centric)
    start = fit(first, np.ones_like(form), frequencies, x, y, order)
    # Counts are uncertain by their root, so I / I_FF deserves a weight of about I_FF.
    prior = (start.cosine, start.sine)
    series = fit(intensity / form, measured * form, frequencies, x, y, order, prior=prior)
    return np.asarray(np.clip(series(x, y), 0.0, None) / _cell_mean(series, lattice))


def _cell_mean(series: CellMap, lattice: PlaneLattice, grid: int = 96) -> float:
    """Mean over one reciprocal cell of the series with its negative part clipped away."""
    phase = np.arange(grid) / grid
    # In units of the translations the waves are whole numbers and the cell is a square.
    harmonics = np.stack([series.frequency_x, series.frequency_y], axis=-1) @ lattice.translations.T
    unit = CellMap(series.cosine, series.sine, harmonics[:, 0], harmonics[:, 1])
    return max(float(np.clip(unit(phase, phase), 0.0, None).mean()), 1e-12)
