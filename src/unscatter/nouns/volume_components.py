"""A volume taken apart: one periodic I_SRO and one smooth I_FF, made into voxels layer by layer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unscatter.nouns.order import OrderParameters
from unscatter.nouns.volume import Volume

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class VolumeComponents:
    """A volume of diffuse scattering taken apart: I_D = I_FF I_SRO at every voxel.

    form: (n_l, n_k, n_h), I_FF at the nodes of a coarse grid, in the units of the input; nodes: their h, k, l;
    series: (2 P_l + 1, 2 P_k + 1, 2 P_h + 1), c_p of I_SRO = sum_p c_p cos(2 pi p . (h, k, l)), mean 1 over a
    reciprocal cell; order: the same as Warren-Cowley parameters, with standard uncertainties. The volume itself is not
    kept in memory: layers are made when they are asked for.
    """

    volume: Volume
    form: Floats
    nodes: tuple[Floats, Floats, Floats]
    series: Floats
    order: OrderParameters
    provenance: dict[str, Any] = field(default_factory=dict)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels along l, k, h."""
        return (self.volume.l.size, self.volume.k.size, self.volume.h.size)

    def form_factor(self, layers: slice) -> Floats:
        """I_FF on a block of layers, (layers, n_k, n_h): linear between the nodes."""
        h, k, l = (hat_matrix(nodes, axis) for nodes, axis in zip(self.nodes, self._axes(layers), strict=True))  # noqa: E741
        return np.asarray(np.einsum("za,abc->zbc", l, h_and_k(self.form, h, k)))

    def short_range_order(self, layers: slice) -> Floats:
        """I_SRO on a block of layers, (layers, n_k, n_h), nowhere negative."""
        return np.clip(series_on_layers(self.series, *self._axes(layers)), 0.0, None)

    def _axes(self, layers: slice) -> tuple[Floats, Floats, Floats]:
        return self.volume.h, self.volume.k, self.volume.l[layers]


def hat_matrix(nodes: Floats, axis: Floats) -> Floats:
    """Weights (n, nodes) of linear interpolation from evenly spaced nodes to the values of an axis."""
    place = (axis - nodes[0]) / (nodes[1] - nodes[0])
    return np.asarray(np.clip(1 - np.abs(place[:, None] - np.arange(nodes.size)), 0.0, None))


def h_and_k(grid: Floats, h: Floats, k: Floats) -> Floats:
    """A coarse grid (n_l, n_k, n_h) carried onto the voxels along h and k."""
    return np.asarray(np.matmul(np.matmul(k, grid), h.T))


def waves(order: int, axis: Floats) -> NDArray[np.complex128]:
    """exp(2 pi i p x) for p from -order to order, (2 order + 1, n)."""
    return np.asarray(np.exp(2j * np.pi * np.arange(-order, order + 1)[:, None] * axis))


def series_on_layers(series: Floats, h: Floats, k: Floats, l: Floats) -> Floats:  # noqa: E741
    """sum_p c_p cos(2 pi p . (h, k, l)) on a block of layers, (l, k, h), for coefficients with c_p = c_-p."""
    orders = [(n - 1) // 2 for n in series.shape]
    by_layer = np.einsum("pz,pqr->zqr", waves(orders[0], l), series)
    rows = np.matmul(waves(orders[1], k).T, by_layer)
    return np.asarray(np.matmul(rows, waves(orders[2], h)).real)
