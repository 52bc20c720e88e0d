"""From the network's factors to the data's: a periodic I_SRO given I_FF, then I_FF given I_SRO."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from unscatter.diffuse.factorize.asking import Answer, scale_factor
from unscatter.diffuse.plane.fold import CellMap, PlaneLattice, fit_waves
from unscatter.diffuse.plane.gain import smooth_gain
from unscatter.nouns.arrays import Floats

#: Rounds of I_SRO given I_FF and I_FF given I_SRO.
ROUNDS = 2
#: Standard deviation, in reciprocal cells, of the bell that I_FF is smoothed with: no molecule makes finer features.
SMOOTHING = 0.025
#: I_SRO below which I_FF is not divided out of the data.
LEAST_ORDER = 0.02
#: Pixels of which the median residual is taken, at least.
ENOUGH = 250_000
#: A residual of so many spreads halves the weight of a pixel.
TRUST = 4.0
#: Highest harmonic of the fold, however fine the pixels are.
HIGHEST_ORDER = 12


@dataclass(frozen=True)
class Grid:
    """Where the pixels of a plane lie, x (nx,) and y (ny,), in the units of the translations of a lattice."""

    x: Floats
    y: Floats
    lattice: PlaneLattice

    @property
    def order(self) -> int:
        """Highest harmonic that the pixels resolve: a little under half the pixels along the shorter translation."""
        steps = np.array([self.x[1] - self.x[0], self.y[1] - self.y[0]])
        pixels = np.linalg.norm(self.lattice.translations / steps, axis=1).min()
        return int(np.clip(0.45 * pixels, 2, HIGHEST_ORDER))


def combine_with_fold(intensity: Floats, measured: NDArray[np.bool_], grid: Grid, answer: Answer) -> Answer:
    """Fit a periodic I_SRO, nowhere negative and of mean 1 over a cell, and an I_FF that carries the scale.

    intensity: (ny, nx), any finite value where not measured.
    """
    seen = measured.astype(np.float64)
    form, ordered = answer.form_factor, answer.short_range_order
    cell = grid.lattice.window
    blur = [SMOOTHING * width / (axis[1] - axis[0]) for width, axis in ((cell[1], grid.y), (cell[0], grid.x))]
    for _ in range(ROUNDS):
        trusted = seen * _trust(intensity, form * ordered, measured)
        ordered = fit_order(intensity, trusted, form, ordered, grid)
        trusted = seen * _trust(intensity, form * ordered, measured)
        # Where I_SRO vanishes the data say nothing of I_FF: without a floor any noise there would make it endless.
        explained = form * np.maximum(ordered, LEAST_ORDER)
        form = form * smooth_gain(intensity, explained, trusted, grid.x, grid.y, cell)
        form = np.asarray(ndimage.gaussian_filter(form, blur, mode="nearest"))
    return Answer(form * scale_factor(intensity, form * ordered, seen), ordered)


def _trust(intensity: Floats, model: Floats, measured: NDArray[np.bool_]) -> Floats:
    """Weight of each pixel, near 1 within the scatter of the rest and small far outside: Bragg residue, hot pixels.

    Cauchy's weight. The spread has two parts: one grows as the root of the model, as counting does, with a factor
    taken from the median residual; the other is a tenth of the model, for what the model itself does not know.
    """
    largest = float(model.max())
    off = intensity - model
    # A median of so many is as good as that of all.
    every = max(1, int((model.size / ENOUGH) ** 0.5))
    few = np.s_[::every, ::every]
    root = np.sqrt(model[few] + 1e-3 * largest)
    seen = measured[few] if measured[few].any() else np.ones_like(measured[few])
    counting = 1.4826 * float(np.median(np.abs(off[few] / root)[seen]))
    # spread^2 = (counting root)^2 + (0.1 model)^2, and a little
    spread = 0.01 * model
    spread += counting**2
    spread *= model
    spread += 1e-3 * largest * counting**2 + (1e-12 * largest) ** 2
    off *= off
    off /= TRUST**2 * spread
    off += 1
    return np.asarray(np.reciprocal(off, out=off))


def fit_order(
    intensity: Floats, measured: Floats, form: Floats, first: Floats, grid: Grid, highest: int = HIGHEST_ORDER
) -> Floats:
    """One periodic series for I_SRO from all data, given I_FF; what the data leave open stays as in `first`."""
    form = np.maximum(form, 1e-3 * form.max())
    lattice, order, frequencies = grid.lattice, min(grid.order, highest), grid.lattice.frequencies
    # Where the plane has a centre of inversion, cosines about it are enough.
    centric = lattice.centre is not None
    x, y = (axis - origin for axis, origin in zip((grid.x, grid.y), lattice.centre or (0.0, 0.0), strict=True))
    start = fit_waves(first, np.ones_like(form), frequencies, x, y, order, centric=centric)
    # Counts are uncertain by their root, so I / I_FF deserves a weight of about I_FF.
    series = fit_waves(
        intensity / form,
        measured * form,
        frequencies,
        x,
        y,
        order,
        centric=centric,
        prior=(start.cosine, start.sine),
    )
    return np.asarray(np.clip(series(x, y), 0.0, None) / _cell_mean(series, lattice))


def _cell_mean(series: CellMap, lattice: PlaneLattice, grid: int = 96) -> float:
    """Mean over one reciprocal cell of the series with its negative part clipped away."""
    phase = np.arange(grid) / grid
    # In units of the translations the waves are whole numbers and the cell is a square.
    harmonics = np.stack([series.frequency_x, series.frequency_y], axis=-1) @ lattice.translations.T
    unit = CellMap(series.cosine, series.sine, harmonics[:, 0], harmonics[:, 1])
    return max(float(np.clip(unit(phase, phase), 0.0, None).mean()), 1e-12)
