"""How far a plane taken apart is from the truth: the published scaling, others, and physical units.

All functions take stacks of planes (n, ny, nx) and return one number for each plane, (n,).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unscatter.diffuse.plane.fold import CellMap, PlaneLattice, fit_waves
from unscatter.diffuse.plane.scaling import scale_as_in_text, scale_as_published, scale_by_maximum
from unscatter.nouns.arrays import Array, Floats
from unscatter.nouns.plane import Plane, PlaneAxes

#: Scalings in which squared errors are stated, by the words of the tables; the first is the headline.
SCALINGS: dict[str, Callable[[Array], Array]] = {
    "linear from minimum to maximum, then root (published code)": scale_as_published,
    "root, then minimum to maximum (published text)": scale_as_in_text,
    "divided by the maximum, then root (of unscatter before 0.2)": scale_by_maximum,
}
HEADLINE = next(iter(SCALINGS))
#: Highest harmonic of the order parameters that are compared.
ALPHA_ORDER = 3


@dataclass(frozen=True)
class Scored:
    """Planes taken apart beside the truth: I_FF and I_SRO (n, 2, ny, nx), the n planes, and how I_SRO repeats on each.

    lattices: in the units of the axes of a plane; None where it holds no two translations, or has no axes.
    """

    predicted: NDArray[np.float32]
    truth: NDArray[np.float32]
    planes: tuple[Plane, ...]
    lattices: tuple[PlaneLattice | None, ...]

    def scaled(self, scaling: str = HEADLINE) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Prediction and truth in one of the `SCALINGS`, (n, 2, ny, nx) each."""
        scale = SCALINGS[scaling]
        made, true = (np.asarray(scale(planes), dtype=np.float32) for planes in (self.predicted, self.truth))
        return made, true

    def errors(self, scaling: str = HEADLINE) -> Floats:
        """Mean squared error of I_FF and I_SRO of each plane, (n, 2)."""
        return np.asarray(self._squares(scaling).mean(axis=(-2, -1)))

    def errors_where(self, measured: bool, scaling: str = HEADLINE) -> Floats:
        """The same over pixels that were measured, or over those that were not; NaN where there are none, (n, 2)."""
        kept = np.stack([plane.measured == measured for plane in self.planes])[:, None]
        count = kept.sum(axis=(-2, -1))
        total = np.sum(self._squares(scaling), axis=(-2, -1), where=kept)
        return np.where(count > 0, total / np.maximum(count, 1), np.nan)

    def _squares(self, scaling: str) -> Floats:
        made, true = self.scaled(scaling)
        return (made.astype(np.float64) - true) ** 2

    def physical_errors(self) -> Floats:
        """Of each plane, (n, 3): r.m.s. error of I_FF in units of its mean, of I_SRO, and of the alphas that follow.

        I_SRO has mean 1 over a reciprocal cell, in the prediction as in the truth, and I_FF carries the scale. NaN for
        alphas where the plane has no lattice.
        """
        return np.array([self._physical(index) for index in range(len(self.truth))])

    def _physical(self, index: int) -> tuple[float, float, float]:
        made, true = (planes[index].astype(np.float64) for planes in (self.predicted, self.truth))
        lattice = self.lattices[index]
        axes = self.planes[index].axes
        if lattice is None or axes is None:
            levels, alphas = [float(planes[1].mean()) for planes in (made, true)], float("nan")
        else:
            series = [_series(planes[1], axes, lattice) for planes in (made, true)]
            levels = [float(each.cosine[0]) for each in series]
            alphas = _rms(_alphas(series[0]) - _alphas(series[1]))
        form, ordered = ([planes[c] for planes in (made, true)] for c in (0, 1))
        scaled_form = [plane * level for plane, level in zip(form, levels, strict=True)]
        scaled_order = [plane / max(level, 1e-12) for plane, level in zip(ordered, levels, strict=True)]
        mean = max(float(scaled_form[1].mean()), 1e-30)
        return _rms(scaled_form[0] - scaled_form[1]) / mean, _rms(scaled_order[0] - scaled_order[1]), alphas


def _series(plane: Floats, axes: PlaneAxes, lattice: PlaneLattice) -> CellMap:
    # Higher harmonics are fitted too, so that they do not leak into those that are compared.
    return fit_waves(plane, np.ones_like(plane), lattice.frequencies, axes.x, axes.y, 2 * ALPHA_ORDER, ridge=1e-6)


def _alphas(series: CellMap) -> Floats:
    """Amplitudes of the harmonics up to ALPHA_ORDER over the mean: sums of alpha_v along the normal of the plane.

    A wave of amplitude c is the sum of v and -v, so alpha is half of it.
    """
    order = 2 * ALPHA_ORDER
    index = np.arange(-order, order + 1)
    pairs = np.stack(np.meshgrid(index, index, indexing="ij"), axis=-1).reshape(-1, 2)
    pairs = pairs[len(pairs) // 2 :]
    kept = np.all(np.abs(pairs) <= ALPHA_ORDER, axis=1) & np.any(pairs != 0, axis=1)
    both = np.stack([series.cosine[kept], series.sine[kept]])
    return np.asarray(both / (2 * max(float(series.cosine[0]), 1e-12)))


def _rms(values: Floats) -> float:
    return float(np.sqrt(np.mean(values**2)))
