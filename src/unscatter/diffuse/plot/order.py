"""A picture of refined order: one reciprocal cell folded, refined and their difference, on one scale."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from unscatter.diffuse.plane.fold import plane_lattice
from unscatter.diffuse.plane.symmetry import plane_group
from unscatter.laue import laue_rotations
from unscatter.nouns.components import Components
from unscatter.nouns.order_fit import OrderFit

Floats = NDArray[np.float64]


def plot_order(fit: OrderFit, plane: int = 0) -> Figure:
    """Draw the cell of one plane, as Fig. 4(b) of Fuller & Rudden (2024) does, and the alphas with their s.u.

    Raises ValueError for a plane that holds no two translations of the reciprocal lattice.
    """
    folded, refined = fold_to_cell(fit, plane)
    figure = Figure(figsize=(13.2, 3.9))
    panels = figure.subplots(
        1, 4, gridspec_kw={"left": 0.04, "right": 0.985, "bottom": 0.14, "top": 0.86, "wspace": 0.3}
    )
    top = max(float(np.nanmax(folded)), float(refined.max()))
    for panel, image, title in zip(
        panels[:3], (folded, refined, folded - refined), ("folded", "refined", "difference"), strict=True
    ):
        shown = panel.imshow(
            image, origin="lower", extent=(0, 1, 0, 1), cmap="RdBu_r", vmin=-top, vmax=top, interpolation="nearest"
        )
        panel.set_title(title, fontsize=11)
        panel.set_xlabel("first translation", fontsize=9)
        panel.set_ylabel("second translation", fontsize=9)
    figure.colorbar(shown, ax=list(panels[:3]), fraction=0.015, pad=0.015)
    _draw_alphas(panels[3], fit)
    figure.suptitle(f"$I_{{SRO}}$ in one reciprocal cell, Laue class {fit.laue}", fontsize=12)
    return figure


def fold_to_cell(fit: OrderFit, plane: int = 0, bins: int = 48) -> tuple[Floats, Floats]:
    """The mean of (I_D - background) / I_FF, weight I_FF, and the refined I_SRO in bins of one cell, (bins, bins) each.

    The mean runs over the symmetry of the plane as well; NaN where nothing was measured.
    Raises ValueError for a plane that holds no two translations of the reciprocal lattice.
    """
    components: Components = fit.components[plane]
    axes = components.plane.axes
    lattice = None if axes is None else plane_lattice(axes)
    if axes is None or lattice is None:
        raise ValueError("the plane holds no two translations of the reciprocal lattice: there is no cell to draw")
    form = components.form_factor
    seen = components.plane.measured & (form > 0.05 * form.max())
    values = (components.plane.intensity - fit.background[plane])[seen]
    position = np.stack(np.meshgrid(axes.x, axes.y), axis=-1)[seen]
    sums = np.zeros((3, bins * bins))
    for operation in plane_group(axes, laue_rotations(fit.laue)):
        moved = (position @ operation.matrix.T + operation.shift) @ lattice.frequencies.T
        place = np.floor(moved % 1.0 * bins).astype(int) % bins
        flat = place[:, 1] * bins + place[:, 0]
        for total, weight in zip(
            sums, (values, form[seen], form[seen] * components.short_range_order[seen]), strict=True
        ):
            total += np.bincount(flat, weight, minlength=bins * bins)
    with np.errstate(invalid="ignore", divide="ignore"):
        folded, refined = sums[0] / sums[1], sums[2] / sums[1]
    shape = (bins, bins)
    return folded.reshape(shape), np.where(np.isfinite(refined), refined, 0.0).reshape(shape)


def _draw_alphas(panel: Axes, fit: OrderFit) -> None:
    count = min(len(fit), 20)
    panel.axhline(0, color="0.6", linewidth=0.8)
    panel.errorbar(range(count), fit.alpha[:count], fit.standard_error[:count], fmt="o", markersize=3, capsize=2)
    panel.set_xticks(range(count), fit.labels[:count], rotation=90, fontsize=6)
    panel.set_title(r"$\alpha$ and s.u.", fontsize=11)
    panel.tick_params(axis="y", labelsize=8)
