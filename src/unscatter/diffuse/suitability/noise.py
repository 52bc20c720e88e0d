"""The noise of a plane, and an I_FF without what is sharper than a molecule makes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unscatter.diffuse.plane.fold import PlaneLattice, local_mean
from unscatter.nouns.arrays import Floats
from unscatter.nouns.components import Components
from unscatter.nouns.plane import PlaneAxes

#: Distance of the pixels that are compared for noise: neighbours share noise once a plane was interpolated.
APART = 2
_BINS = 24


def noise_variance(components: Components) -> Floats:
    """Variance of every pixel, by its level, from how much the residual differs between neighbours, (ny, nx).

    r - mean of the four pixels APART away has variance 5/4 s^2 and does not see what is wrong over many pixels. Data
    that were blurred or interpolated over more than that scatter more than they differ; then this is too small.
    """
    measured, product = components.plane.measured, np.clip(components.product, 0.0, None)
    residual = np.where(measured, components.residual, 0.0)
    d = APART
    inner = np.s_[d:-d, d:-d]
    around = [np.s_[: -2 * d, d:-d], np.s_[2 * d :, d:-d], np.s_[d:-d, : -2 * d], np.s_[d:-d, 2 * d :]]
    whole = np.all([measured[part] for part in (inner, *around)], axis=0)
    difference = residual[inner] - np.mean([residual[part] for part in around], axis=0)
    floor = 1e-12 * float(np.mean(product**2)) + 1e-300
    # A difference scatters as all five pixels do; relative to their level it is alike within a bin.
    level = (product[inner] + np.mean([product[part] for part in around], axis=0) / 4)[whole] / 1.25
    level = level + 1e-3 * float(product.mean()) + 1e-300
    relative = difference[whole] ** 2 / 1.25 / level
    if relative.size < 4 * _BINS:
        return np.full_like(product, max(float(np.mean(relative * level)) if relative.size else 0.0, floor))
    edges = np.quantile(level, np.linspace(0, 1, _BINS + 1)[1:-1])
    groups = _split(np.searchsorted(edges, level))
    middle = np.array([level[part].mean() for part in groups])
    ratio = np.array([_trimmed_mean(relative[part]) for part in groups])
    return np.asarray(np.maximum(np.interp(product, middle, ratio) * product, floor))


def _split(place: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Indices of the entries of each bin."""
    order = np.argsort(place, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(place[order])) + 1)


def _trimmed_mean(squared: Floats) -> float:
    """Mean of squares without the largest 0.5 %, hot pixels and peaks, which hold 4.6 % of the sum for Gaussian noise.

    The median would not do: counts below one a pixel are far from Gaussian.
    """
    kept = np.sort(squared)[: max(int(np.ceil(0.995 * squared.size)), 1)]
    return float(kept.mean()) * 0.995 / 0.954


def smooth_form_factor(form: Floats, axes: PlaneAxes, lattice: PlaneLattice, distance: float) -> Floats:
    """I_FF without what is sharper than distances of so many cells inside a molecule can make, (ny, nx)."""
    reach = distance * np.max(np.abs(lattice.frequencies), axis=0)
    smooth = _low_pass(axes.y, reach[1]) @ form @ _low_pass(axes.x, reach[0]).T
    return np.clip(smooth, 1e-3 * float(form.max()) + 1e-300, None)


def _low_pass(axis: Floats, cutoff: float) -> Floats:
    """Matrix (n, n) that keeps waves below a frequency: a sinc under a Hann window, rows of sum 1."""
    apart = axis[:, None] - axis[None, :]
    window = np.where(np.abs(apart) * cutoff < 3, 0.5 + 0.5 * np.cos(np.pi * apart * cutoff / 3), 0.0)
    kernel = np.sinc(2 * cutoff * apart) * window
    return np.asarray(kernel / kernel.sum(axis=1, keepdims=True))


def measured_intensity(components: Components) -> Floats:
    """Return I_D with zero where nothing was measured, (ny, nx)."""
    return np.where(components.plane.measured, components.plane.intensity, 0.0)


def total_variance(components: Components) -> float:
    """Sum of (I - mean I)^2 over the measured pixels."""
    intensity = components.plane.intensity[components.plane.measured]
    return max(float(np.sum((intensity - intensity.mean()) ** 2)), 1e-300)


def cell_mean(form: Floats, axes: PlaneAxes, width: tuple[float, float]) -> Floats:
    """Mean of I_FF over one reciprocal cell around each pixel."""
    mean = local_mean(form, np.ones_like(form), axes.x, axes.y, *width)
    return np.asarray(np.maximum(mean, 1e-3 * float(form.max()) + 1e-300))
