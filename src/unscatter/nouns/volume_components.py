"""A volume taken apart: one periodic I_SRO and one smooth I_FF, made into voxels layer by layer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unscatter.nouns.arrays import Floats
from unscatter.nouns.findings import Findings
from unscatter.nouns.order import OrderParameters
from unscatter.nouns.table import Result, Table, with_error
from unscatter.nouns.volume import Volume

#: Alphas that the table shows: those that stand out most from their uncertainty.
_SHOWN = 12


@dataclass(frozen=True, eq=False, repr=False)
class VolumeComponents(Result):
    """A volume of diffuse scattering taken apart: I_D = I_FF I_SRO at every voxel.

    form: (n_l, n_k, n_h), I_FF at the nodes of a coarse grid, in the units of the input; nodes: their h, k, l;
    series: (2 P_l + 1, 2 P_k + 1, 2 P_h + 1), c_p of I_SRO = sum_p c_p cos(2 pi p . (h, k, l)), mean 1 over a
    reciprocal cell; order: the same as Warren-Cowley parameters, with standard uncertainties. findings: what two of
    its planes say of the assumptions. The volume itself is not kept in memory: layers are made when they are asked for.
    """

    volume: Volume
    form: Floats
    nodes: tuple[Floats, Floats, Floats]
    series: Floats
    order: OrderParameters
    provenance: dict[str, Any] = field(default_factory=dict)
    findings: Findings = field(default_factory=Findings)

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

    def table(self) -> Table:
        """Size, cell, how it was done, and the alphas that stand out most from their uncertainties."""
        volume, order = self.volume, self.order
        layers, rows, columns = self.shape
        error = np.full(order.alpha.shape, np.nan) if order.standard_error is None else order.standard_error
        # The first is the origin, alpha = 1 by definition.
        ranks = np.argsort(-np.abs(order.alpha[1:]) / np.maximum(error[1:], 1e-12), kind="stable")[:_SHOWN] + 1
        measured = self.provenance.get("measured", 0) / max(layers * rows * columns, 1)
        lines = [
            ("volume", f"{columns} x {rows} x {layers} voxels along h, k, l" + (" (simulated)" * volume.simulated)),
            ("measured", f"{100 * measured:.1f} % of the voxels"),
            ("cell", str(volume.cell) if volume.cell is not None else "not known; vectors are in lattice units"),
            ("I_SRO", f"one series of {len(order.alpha)} lattice vectors, from all reciprocal cells; mean 1"),
            ("I_FF", f"up to {self.form.max():.4g}, in the units of the input; {NODES_IN_WORDS}"),
        ]
        for rank, one in enumerate(ranks):
            vector = "({} {} {})".format(*order.vectors[one])
            lines.append(("" if rank else "alpha", f"{vector:<12} {with_error(order.alpha[one], error[one])}"))
        lines += [("time", f"{self.provenance.get('seconds', float('nan'))} s")]
        lines += [("note", note) for note in volume.notes]
        if len(self.findings):
            lines += [(self.findings.subject, self.findings.verdict)]
        lines += [(f"{one.name} {one.verdict}", one.sentence) for one in self.findings.worst(2)]
        return Table("", tuple(lines))

    def to_dict(self) -> dict[str, Any]:
        """All but the voxels, as plain numbers and words, for JSON."""
        order = self.order
        error = np.full(order.alpha.shape, np.nan) if order.standard_error is None else order.standard_error
        return {
            "shape_lkh": list(self.shape),
            "cell": None if self.volume.cell is None else list(self.volume.cell.parameters),
            "order": [
                {"vector": [int(n) for n in vector], "alpha": float(alpha), "standard_error": float(one)}
                for vector, alpha, one in zip(order.vectors, order.alpha, error, strict=True)
            ],
            "findings": self.findings.rows(),
            "provenance": self.provenance,
        }

    def _axes(self, layers: slice) -> tuple[Floats, Floats, Floats]:
        return self.volume.h, self.volume.k, self.volume.l[layers]


#: How I_FF is known, in the words of the table.
NODES_IN_WORDS = "linear between nodes a quarter of a reciprocal cell apart"


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
