"""Pictures of planes and their components."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import PowerNorm, TwoSlopeNorm
from matplotlib.figure import Figure

from unscatter.diffuse.plot.headings import draw_heading, heading
from unscatter.nouns.arrays import Floats
from unscatter.nouns.components import Components
from unscatter.nouns.plane import Plane
from unscatter.nouns.table import Table

NOT_MEASURED = "#c8c8c8"
#: Pixels along the shorter edge of a picture: planes of more than twice as many are drawn as means over blocks.
MOST_SHOWN = 500
# Characters of the words beside a name that fit into the last panel.
_WORDS = 38


def plot_components(components: Components) -> Figure:
    """Six panels: I_D, I_FF and I_SRO above; their product on the scale of I_D, the residual, and a summary below.

    Intensities are drawn on a square-root scale, which shows weak features. Grey is not measured.
    """
    plane = components.plane
    figure = Figure(figsize=(13.2, 8.4))
    # Fixed places: a layout engine would take longer than the network.
    panels = figure.subplots(
        2,
        3,
        gridspec_kw={"left": 0.05, "right": 0.94, "bottom": 0.06, "top": 0.875, "wspace": 0.44, "hspace": 0.26},
    )
    top = float(np.nanpercentile(plane.intensity, 99.7))
    draw_intensity(panels[0, 0], plane.intensity, plane, "measured  $I_D$", top)
    form = components.form_factor
    draw_intensity(panels[0, 1], form, plane, "form factor  $I_{FF}$", float(np.percentile(form, 99.9)))
    ordered = components.short_range_order
    draw_intensity(panels[0, 2], ordered, plane, "short-range order  $I_{SRO}$", float(np.percentile(ordered, 99.9)))
    _draw_lattice(panels[0, 2], components)
    draw_intensity(panels[1, 0], components.product, plane, "product  $I_{FF}\\,I_{SRO}$", top)
    draw_difference(panels[1, 1], components.residual, plane, "measured $-$ product", top)
    _summary(panels[1, 2], components)
    draw_heading(figure, heading(plane), components.findings)
    return figure


def _draw_lattice(panel: Axes, components: Components) -> None:
    """Draw one cell of a lattice that was found, around the middle of the picture; of streaks, two a period apart."""
    found, plane = components.found_lattice, components.plane
    if found is None:
        return
    rows, columns = plane.intensity.shape
    a, b = found.translations
    if found.one_dimensional:
        # The second stands for any: long enough to be seen as a direction.
        b = 3 * b
    corner = np.array([(columns - 1) / 2, (rows - 1) / 2]) - (a + b) / 2
    sides = [corner, corner + b, corner + a + b, corner + a, corner]
    if found.one_dimensional:
        sides = [corner, corner + b, np.full(2, np.nan), corner + a + b, corner + a]
    x, y = np.array(sides).T
    if plane.axes is not None:
        axes = plane.axes
        x, y = (axis[0] + p * (axis[1] - axis[0]) for axis, p in ((axes.x, x), (axes.y, y)))
    style = "-" if found.confidence == "sure" else "--"
    panel.plot(x, y, style, color="white", linewidth=1.2)


def _shown(values: Floats, plane: Plane) -> tuple[Floats, tuple[float, float, float, float]]:
    """Values as a picture needs them, means over blocks of a large plane, and their edges in the units of the axes.

    Without axes pixels are counted. Blocks that would stick out at the last row and column are left out.
    """
    rows, columns = values.shape
    block = max(1, min(rows, columns) // MOST_SHOWN)
    rows, columns = rows - rows % block, columns - columns % block
    x, y = (
        (np.arange(n, dtype=np.float64) for n in (columns, rows))
        if plane.axes is None
        else (plane.axes.x[:columns], plane.axes.y[:rows])
    )
    half_x, half_y = (x[1] - x[0]) / 2, (y[1] - y[0]) / 2
    edges = (float(x[0] - half_x), float(x[-1] + half_x), float(y[0] - half_y), float(y[-1] + half_y))
    if block == 1:
        return values, edges
    blocks = values[:rows, :columns].reshape(rows // block, block, columns // block, block)
    seen = np.isfinite(blocks).sum(axis=(1, 3))
    return np.where(seen > 0, np.nansum(blocks, axis=(1, 3)) / np.maximum(seen, 1), np.nan), edges


def draw_intensity(panel: Axes, values: Floats, plane: Plane, title: str, top: float) -> None:
    """Draw an intensity (ny, nx) from 0 to `top` on a square-root scale, on the axes of the plane."""
    panel.set_facecolor(NOT_MEASURED)
    shown, edges = _shown(values, plane)
    image = panel.imshow(
        np.clip(shown, 0, None),
        origin="lower",
        extent=edges,
        norm=PowerNorm(0.5, vmin=0, vmax=max(top, 1e-30)),
        cmap="viridis",
        interpolation="nearest",
    )
    _dress(panel, plane, title)
    _scale(panel, image, _ticks(top))


def _scale(panel: Axes, image: ScalarMappable, ticks: list[float] | None) -> None:
    """A colour scale as high as its picture."""
    bar = panel.figure.colorbar(image, cax=panel.inset_axes((1.03, 0.0, 0.045, 1.0)), ticks=ticks)
    bar.ax.tick_params(labelsize=8)


def _ticks(top: float) -> list[float]:
    """Four round numbers that stand apart on a square-root scale."""
    return [float(f"{top * f:.2g}") for f in (0.0, 0.0625, 0.25, 0.5625, 1.0)]


def draw_difference(
    panel: Axes, values: Floats, plane: Plane, title: str, top: float = 0.0, limit: float | None = None
) -> None:
    """Draw a difference (ny, nx) on a linear scale, red where it is positive, up to `limit`.

    Without a limit it is taken from the values, and not below a thousandth of `top`, what the data reach.
    """
    panel.set_facecolor(NOT_MEASURED)
    if limit is None:
        limit = max(float(np.nanpercentile(np.abs(values), 99.5)), 1e-3 * top)
    shown, edges = _shown(values, plane)
    image = panel.imshow(
        shown,
        origin="lower",
        extent=edges,
        norm=TwoSlopeNorm(0.0, -limit, limit),
        cmap="RdBu_r",
        interpolation="nearest",
    )
    _dress(panel, plane, title)
    _scale(panel, image, None)


def _dress(panel: Axes, plane: Plane, title: str) -> None:
    panel.set_title(title, fontsize=11)
    panel.tick_params(labelsize=8)
    panel.set_xlabel(_axis_label(plane, "x"), fontsize=9)
    panel.set_ylabel(_axis_label(plane, "y"), fontsize=9)
    if plane.axes is not None and plane.cell is not None:
        reciprocal = plane.cell.reciprocal
        lengths = [float(np.linalg.norm(vector @ reciprocal)) for vector in (plane.axes.u, plane.axes.v)]
        panel.set_aspect(lengths[1] / lengths[0])


def _axis_label(plane: Plane, which: str) -> str:
    name, unit = plane.axis_label(which)
    return f"$Q_{which}$ (1/Å)" if unit == "1/Angstrom" else f"{name} ({unit})"


def _summary(panel: Axes, components: Components) -> None:
    panel.axis("off")
    panel.set_xlim(0, 1)
    panel.set_ylim(0, 1)
    panel.set_aspect("equal")
    table = Table("", tuple(row for row in components.table().rows if row[0] != "note"))
    panel.text(0.0, 0.98, table.wrapped(_WORDS).text(), va="top", family="monospace", fontsize=8.5, linespacing=1.8)
