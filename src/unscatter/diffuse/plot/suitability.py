"""A picture of the suitability of a plane: one panel for each finding that has an image, and the report."""

from __future__ import annotations

import textwrap

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from unscatter.diffuse.plot.components import draw_difference
from unscatter.diffuse.plot.headings import draw_heading, heading
from unscatter.nouns.components import Components
from unscatter.nouns.findings import VERDICT_COLOURS, Finding, Findings

#: Residuals are drawn up to so many standard deviations of noise.
FIT_LIMIT = 5.0
TITLES = {
    "fit": "residual / noise",
    "period": "alternate cells: difference",
    "size effect": "asymmetric part",
    "displacement": "part that changes as $Q^2$",
}


def plot_findings(suitability: Findings, components: Components) -> Figure:
    """Draw the findings of a factorized plane; see plot_suitability."""
    return plot_suitability(components, suitability)


def plot_suitability(components: Components, suitability: Findings) -> Figure:
    """Residual in units of noise, what alternate cells say, Bragg positions, size effect, Q^2, and the words.

    Grey was not measured. Raises ValueError for a suitability that was assessed without images.
    """
    if "fit" not in suitability.evidence:
        raise ValueError("no images to draw; assess_suitability(components, images=True) makes them")
    figure = Figure(figsize=(13.2, 8.8))
    panels = figure.subplots(
        2,
        3,
        gridspec_kw={"left": 0.05, "right": 0.95, "bottom": 0.06, "top": 0.865, "wspace": 0.42, "hspace": 0.32},
    )
    shared = _common_limit(components, suitability)
    places = (panels[0, 0], panels[0, 1], panels[1, 0], panels[1, 1])
    for panel, (name, title) in zip(places, TITLES.items(), strict=True):
        if name in suitability.evidence:
            limit = FIT_LIMIT if name == "fit" else shared
            draw_difference(panel, suitability.evidence[name], components.plane, title, limit=limit)
            _head(panel, title, suitability[name])
        else:
            _empty(panel, suitability[name])
    _nodes(panels[0, 2], suitability)
    _words(panels[1, 2], suitability)
    draw_heading(figure, heading(components.plane), suitability)
    return figure


def _common_limit(components: Components, suitability: Findings) -> float:
    """One scale for all that is in the units of the data: a third of what they reach, or what the pictures need."""
    scale = float(np.nanpercentile(components.plane.intensity, 99.7))
    needed = [
        float(np.nanpercentile(np.abs(suitability.evidence[name]), 99.5))
        for name in TITLES
        if name != "fit" and name in suitability.evidence and np.any(np.isfinite(suitability.evidence[name]))
    ]
    return max([0.02 * scale, *needed])


def _head(panel: Axes, title: str, finding: Finding) -> None:
    colour = VERDICT_COLOURS[finding.verdict]
    panel.set_title(f"{title}\n{finding.name}: {finding.verdict}", fontsize=10, color=colour)


def _empty(panel: Axes, finding: Finding) -> None:
    panel.axis("off")
    panel.text(0.5, 0.5, textwrap.fill(f"{finding.name}: {finding.sentence}", 34), ha="center", va="center", fontsize=9)


def _nodes(panel: Axes, suitability: Findings) -> None:
    """Share of the intensity at each Bragg position that stands out, over |Q|."""
    finding = suitability["bragg"]
    nodes = suitability.evidence["bragg"]
    if not len(nodes):
        _empty(panel, finding)
        return
    panel.plot(nodes[:, 0], nodes[:, 1], ".", markersize=4, color="C0")
    panel.set_ylim(-0.02, 1)
    panel.set_xlabel("|Q| (1/Å)", fontsize=9)
    panel.set_ylabel("share that is sharp", fontsize=9)
    panel.tick_params(labelsize=8)
    _head(panel, "Bragg positions", finding)


def _words(panel: Axes, suitability: Findings) -> None:
    panel.axis("off")
    height = 1.04
    for finding in suitability:
        text = textwrap.fill(f"{finding.name}: {finding.sentence}", 68)
        panel.text(-0.15, height, text, va="top", fontsize=7.5, color=VERDICT_COLOURS[finding.verdict])
        height -= 0.045 * (text.count("\n") + 1) + 0.015
    panel.text(
        -0.15, height, textwrap.fill(" ".join(suitability.caveat.split()), 68), va="top", fontsize=7.5, color="0.4"
    )
