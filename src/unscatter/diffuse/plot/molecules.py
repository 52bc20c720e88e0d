"""Pictures of a model of the molecules: data, model, difference, and the scans."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from unscatter.diffuse.plot.components import draw_difference, draw_intensity
from unscatter.diffuse.plot.headings import draw_heading, heading
from unscatter.nouns.findings import Findings
from unscatter.nouns.molecule_fit import MoleculeFit, MotionScan

DATA_WORDS = {"form-factor": "$I_{FF}$ from the data", "data": "measured  $I_D$"}


def plot_molecules(fit: MoleculeFit) -> Figure:
    """Data, model and difference above, intensities on a square-root scale; below a panel for each scan, and the table.

    Grey was not compared.
    """
    figure = Figure(figsize=(13.2, 8.4))
    top = float(np.nanpercentile(fit.observed, 99.7))
    places = {"left": 0.05, "right": 0.94, "bottom": 0.53, "top": 0.865, "wspace": 0.36}
    above = figure.subplots(1, 3, gridspec_kw=places)
    draw_intensity(above[0], fit.observed, fit.plane, DATA_WORDS[fit.against], top)
    draw_intensity(above[1], fit.calculated, fit.plane, "model", top)
    draw_difference(above[2], fit.observed - fit.calculated, fit.plane, "data $-$ model", top)
    columns = max(len(fit.scans), 1)
    below = figure.subplots(
        1,
        columns + 1,
        squeeze=False,
        width_ratios=[1.6 / columns] * columns + [1.0],
        gridspec_kw={"left": 0.07, "right": 0.97, "bottom": 0.08, "top": 0.44, "wspace": 0.3},
    )[0]
    for panel, scan in zip(below, fit.scans, strict=False):
        _curve(panel, scan, fit)
    if not fit.scans:
        below[0].axis("off")
    _table(below[-1], fit)
    known = fit.components.findings
    both = Findings((*known, *fit.findings), "suitability and model" if len(fit.findings) else known.subject)
    draw_heading(figure, f"{heading(fit.plane)}: {fit.name}", both)
    return figure


def _curve(panel: Axes, scan: MotionScan, fit: MoleculeFit) -> None:
    """Mean square error and weighted R along a scan, as in Fig. 5(b), and what was refined with two s.u."""
    panel.plot(scan.values, scan.mse, color="C3")
    panel.set_ylabel("mean square error", color="C3", fontsize=9)
    panel.set_ylim(0, None)
    other = panel.twinx()
    other.plot(scan.values, scan.weighted_r, color="C0", linestyle="--", linewidth=1)
    other.set_ylabel("weighted R", color="C0", fontsize=9)
    other.set_ylim(0, None)
    value, error = fit[scan.name]
    panel.axvspan(value - 2 * error, value + 2 * error, color="0.8")
    panel.axvline(value, color="0.3", linewidth=1)
    panel.set_xlim(float(scan.values[0]), float(scan.values[-1]))
    panel.set_xlabel(f"{scan.name} ({scan.unit})", fontsize=9)
    for axis in (panel, other):
        axis.tick_params(labelsize=8)


def _table(panel: Axes, fit: MoleculeFit) -> None:
    panel.axis("off")
    width = max(len(name) for name in fit.names)
    lines = [
        fit.name,
        f"MSE {fit.mse:.5f}   R {fit.r_factor:.3f}   wR {fit.weighted_r:.3f}",
        f"{fit.pixels} pixels, about {fit.independent:.0f} independent",
        "",
    ]
    lines += [
        f"{row['parameter']:<{width}} {row['value']:10.4f} {_error_words(row['standard_error'])} {row['unit']}"
        for row in fit.rows()
    ]
    panel.text(0.0, 1.0, "\n".join(lines), va="top", family="monospace", fontsize=8.5, linespacing=1.7)


def _error_words(error: float) -> str:
    return f"+- {error:.2g}" if np.isfinite(error) else "given"
