"""A picture of refined order: one reciprocal cell folded, refined and their difference, and all alphas."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from unscatter.diffuse.plane.fold import PlaneLattice, plane_lattice
from unscatter.diffuse.plane.symmetry import plane_group
from unscatter.diffuse.plot.headings import draw_heading, heading
from unscatter.laue import laue_rotations
from unscatter.nouns.arrays import Floats
from unscatter.nouns.components import Components
from unscatter.nouns.findings import Findings
from unscatter.nouns.order_fit import OrderFit
from unscatter.nouns.plane import PlaneAxes

#: Labels of vectors that can be read beside each other.
MOST_LABELS = 60
NOT_MEASURED = "#c8c8c8"


def plot_order(fit: OrderFit, plane: int = 0) -> Figure:
    """Draw the cell of one plane in its true shape, as Fig. 4(b) of Fuller & Rudden (2024) does, and all alphas.

    Folded data and refined I_SRO are on one scale, their difference on its own. Bars are one s.u.; hollow alphas are
    not determined. Raises ValueError for a plane that holds no two translations of the reciprocal lattice.
    """
    folded, refined = fold_to_cell(fit, plane)
    components = fit.components[plane]
    axes, cell = components.plane.axes, components.plane.cell
    assert axes is not None
    assert cell is not None
    lattice = plane_lattice(axes)
    assert lattice is not None
    corners = _corners(lattice, axes, np.asarray(cell.reciprocal), len(folded))
    figure = Figure(figsize=(13.2, 7.2))
    above = figure.subplots(
        1, 3, gridspec_kw={"left": 0.05, "right": 0.93, "bottom": 0.47, "top": 0.855, "wspace": 0.34}
    )
    top = max(float(np.nanmax(folded)), float(refined.max()))
    difference = folded - refined
    own = max(float(np.nanmax(np.abs(difference))), 1e-3 * top)
    for panel, image, title, limits in (
        (above[0], folded, "data / $I_{FF}$, folded", (0.0, top)),
        (above[1], refined, "refined  $I_{SRO}$", (0.0, top)),
        (above[2], difference, "difference, on its own scale", (-own, own)),
    ):
        _draw_cell(panel, corners, image, title, limits)
    _draw_alphas(figure.add_axes((0.05, 0.11, 0.93, 0.29)), fit)
    name = f"{heading(components.plane)}: order, Laue class {fit.laue}"
    draw_heading(figure, name, _together(components.findings, fit.findings))
    return figure


def _together(first: Findings, second: Findings) -> Findings:
    """What is known of the plane and of the refinement, under one verdict."""
    return Findings((*first, *second), "suitability and order" if len(first) else "order")


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


def _corners(lattice: PlaneLattice, axes: PlaneAxes, reciprocal: Floats, bins: int) -> Floats:
    """Corners of the bins in 1/Angstrom, x along the first direction of the plane, (bins + 1, bins + 1, 2)."""
    spanned = np.stack([axes.u, axes.v]) @ reciprocal
    flat = np.linalg.qr(spanned.T)[1].T
    flat = flat * np.sign(np.diag(flat))
    edges = lattice.translations @ flat
    steps = np.arange(bins + 1) / bins
    # Row n of the images runs along the second translation.
    return np.asarray(steps[None, :, None] * edges[0] + steps[:, None, None] * edges[1])


def _draw_cell(panel: Axes, corners: Floats, image: Floats, title: str, limits: tuple[float, float]) -> None:
    panel.set_facecolor("white")
    colours = "RdBu_r" if limits[0] < 0 else "viridis"
    whole = np.ma.masked_invalid(image)
    panel.pcolormesh(corners[..., 0], corners[..., 1], np.ma.masked_array(np.ones_like(image)), cmap="Greys", vmax=4)
    shown = panel.pcolormesh(corners[..., 0], corners[..., 1], whole, cmap=colours, vmin=limits[0], vmax=limits[1])
    rim = corners[[0, 0, -1, -1, 0], [0, -1, -1, 0, 0]]
    panel.plot(rim[:, 0], rim[:, 1], color="0.2", linewidth=0.8)
    panel.set_aspect("equal")
    panel.set_title(title, fontsize=11)
    panel.set_xlabel("1/Å", fontsize=9)
    panel.tick_params(labelsize=8)
    bar = panel.figure.colorbar(shown, cax=panel.inset_axes((1.03, 0.0, 0.045, 1.0)))
    bar.ax.tick_params(labelsize=8)


def _draw_alphas(panel: Axes, fit: OrderFit) -> None:
    """All alphas with their s.u. in the order of the table; where there are many, not all are named."""
    place = np.arange(len(fit))
    panel.axhline(0, color="0.6", linewidth=0.8)
    for known, style in ((fit.determined, "C0"), (~fit.determined, "none")):
        if np.any(known):
            panel.errorbar(
                place[known],
                fit.alpha[known],
                fit.standard_error[known],
                fmt="o",
                markersize=3.5,
                capsize=2,
                color="C0",
                markerfacecolor=style,
            )
    seen = np.abs(fit.alpha) + np.where(fit.determined, fit.standard_error, 0.0)
    limit = 1.08 * float(np.max(seen, initial=1e-3))
    panel.set_ylim(-limit, limit)
    step = int(np.ceil(len(fit) / MOST_LABELS))
    panel.set_xticks(place[::step], [_short(label) for label in fit.labels[::step]], rotation=90, fontsize=7)
    panel.set_xlim(-0.7, len(fit) - 0.3)
    panel.set_ylabel(r"$\alpha$ and s.u.", fontsize=9)
    panel.tick_params(axis="y", labelsize=8)


def _short(label: str) -> str:
    return label if len(label) <= 14 else label[:11] + "..."
