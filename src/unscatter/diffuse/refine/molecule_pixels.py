"""The pixels on which a model of the molecules is compared with the data, their weights, and how well it fits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from unscatter.diffuse.plane.forward import ScatteringPlane, q_squared, scattering_plane
from unscatter.diffuse.plane.scaling import scale_plane
from unscatter.nouns.arrays import Floats
from unscatter.nouns.cell import Cell
from unscatter.nouns.components import Components
from unscatter.nouns.molecule_fit import MoleculesAgainst
from unscatter.nouns.plane import PlaneAxes

#: I_FF is left out where I_SRO is below this fraction of its mean, 1: there the data say nothing of it.
LEAST_ORDER = 0.05
#: Counts vary as the intensity, and by this fraction of its mean where there is none: background, the network.
FLOOR = 0.05
#: Width in pixels over which I_FF is smoothed for its weights.
WEIGHT_WIDTH = 2.0


@dataclass(frozen=True)
class Pixels:
    """The pixels that are compared, flat: data, weight, what multiplies I_FF there, and |Q|^2; used: (ny, nx)."""

    used: NDArray[np.bool_]
    data: Floats
    weight: Floats
    order: Floats
    q_squared: Floats

    def every(self, step: int) -> Pixels:
        """Every `step`-th row and column of them."""
        grid = np.zeros(self.used.shape, dtype=bool)
        grid[::step, ::step] = True
        kept = grid[self.used]
        flat = (self.data[kept], self.weight[kept], self.order[kept], self.q_squared[kept])
        return Pixels(self.used[::step, ::step], *flat)


def choose_pixels(
    components: Components, axes: PlaneAxes, cell: Cell, against: MoleculesAgainst, saturated: float | None
) -> Pixels:
    """Measured pixels that are not saturated and, for I_FF, where I_SRO is not near zero; and their weights.

    A count varies as its mean I_FF I_SRO, so I_FF = count / I_SRO varies as I_FF / I_SRO.
    """
    form, ordered, plane = components.form_factor, components.short_range_order, components.plane
    used = plane.measured & np.isfinite(form) & np.isfinite(ordered)
    if saturated is not None:
        used &= np.nan_to_num(plane.intensity, nan=np.inf) < saturated
    if against == "form-factor":
        used &= ordered > LEAST_ORDER
    if used.sum() < 10:
        raise ValueError(
            f"only {used.sum()} of {used.size} pixels are measured, not saturated and with I_SRO above {LEAST_ORDER}; "
            "check the mask and --saturated"
        )
    q2 = q_squared(scattering_plane(axes, cell))[used]
    # Weights that follow the noise of single pixels would prefer those that are too low.
    f = gaussian_filter(np.clip(np.nan_to_num(form), 0.0, None), WEIGHT_WIDTH)[used]
    o = np.clip(ordered[used], 0.0, None)
    if against == "data":
        product = f * o
        return Pixels(used, plane.intensity[used], 1 / (product + FLOOR * product.mean()), o, q2)
    return Pixels(used, form[used], o / (f + FLOOR * f.mean()), np.ones_like(f), q2)


def figures_of_merit(pixels: Pixels, model: Floats) -> tuple[float, float, float]:
    """Mean square error of scaled roots, R and weighted R."""
    difference, top = pixels.data - model, pixels.data.max()
    mse = np.mean((scale_plane(pixels.data, top) - scale_plane(model, top)) ** 2)
    r_factor = np.abs(difference).sum() / np.abs(pixels.data).sum()
    weighted = np.sqrt((pixels.weight @ difference**2) / (pixels.weight @ pixels.data**2))
    return float(mse), float(r_factor), float(weighted)


def all_pixels(plane: ScatteringPlane, components: Components, against: MoleculesAgainst) -> Pixels:
    """All pixels, for the picture of the model."""
    used = np.ones(components.form_factor.shape, dtype=bool)
    order = components.short_range_order if against == "data" else np.ones(used.shape)
    empty = np.zeros(used.size)
    return Pixels(used, empty, empty, order.ravel(), q_squared(plane).ravel())
