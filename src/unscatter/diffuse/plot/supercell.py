"""A picture of a supercell: where A and B lie, and how near its alphas come to their targets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from unscatter.diffuse.plot.headings import draw_heading
from unscatter.nouns.supercell import Supercell

#: B and A, readable by everyone and in print.
SPECIES = ListedColormap(["#f0e0c0", "#30507a"])


def plot_supercell(supercell: Supercell) -> Figure:
    """Draw a layer of the first box in the true shape of its cells, and alphas reached against those wanted.

    The layer holds the two longest edges of the box. A bar is two s.u. of a target, and two spreads of the boxes.
    """
    figure = Figure(figsize=(11.5, 5.8))
    left, right = figure.subplots(1, 2, gridspec_kw={"left": 0.05, "right": 0.97, "bottom": 0.11, "top": 0.8})
    _layer(left, supercell)
    _alphas(right, supercell)
    size = " x ".join(map(str, supercell.box))
    title = f"supercell of {size} cells, {supercell.concentration:.1%} A"
    name = Path(supercell.provenance.get("input", ""))
    draw_heading(figure, f"{name}: {title}" if name.suffix else title, supercell.findings)
    return figure


def _layer(panel: Axes, supercell: Supercell) -> None:
    first, second = sorted(np.argsort(supercell.box, kind="stable")[1:].tolist())
    third = ({0, 1, 2} - {first, second}).pop()
    layer = np.take(np.moveaxis(supercell.occupied[0], (first, second, third), (0, 1, 2)), 0, axis=2)
    edges = supercell.cell.direct[[first, second]]
    # In the plane of both edges: the first along x, the second at its angle.
    length = np.linalg.norm(edges, axis=1)
    cosine = float(edges[0] @ edges[1] / length.prod())
    flat = np.array([[length[0], 0.0], [length[1] * cosine, length[1] * np.sqrt(1 - cosine**2)]])
    corner = np.stack(np.meshgrid(*(np.arange(n + 1) for n in layer.shape), indexing="ij"), axis=-1) @ flat
    panel.pcolormesh(corner[..., 0], corner[..., 1], layer, cmap=SPECIES, vmin=0, vmax=1)
    panel.set_aspect("equal")
    names = "abc"
    panel.set_title(f"A dark, B light: one layer of {names[first]} and {names[second]} (Å)", fontsize=11)
    panel.tick_params(labelsize=8)


def _alphas(panel: Axes, supercell: Supercell) -> None:
    targets = supercell.targets
    mean, spread = supercell.reached.mean(axis=0), supercell.reached.std(axis=0)
    ends = np.array([min(targets.alpha.min(), mean.min()), max(targets.alpha.max(), mean.max())])
    margin = 0.1 * float(np.ptp(ends)) + 0.01
    ends = ends + np.array([-margin, margin])
    panel.plot(ends, ends, color="0.7", linewidth=0.8)
    panel.errorbar(
        targets.alpha, mean, yerr=spread, xerr=targets.standard_error, fmt="o", markersize=4, capsize=2, color="#30507a"
    )
    panel.set_xlim(*ends)
    panel.set_ylim(*ends)
    panel.set_aspect("equal")
    panel.set_xlabel(r"target $\alpha$ and s.u.", fontsize=10)
    panel.set_ylabel(r"$\alpha$ of the boxes and their spread", fontsize=10)
    panel.set_title(f"largest difference {supercell.worst:.4f}", fontsize=11)
    panel.tick_params(labelsize=8)
