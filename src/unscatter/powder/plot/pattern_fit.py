"""The picture of a whole-pattern fit."""

from __future__ import annotations

from matplotlib.figure import Figure

from unscatter.nouns.pattern_fit import PatternFit
from unscatter.powder.plot.ranking import draw_fit, draw_legend, draw_pattern, fit_lines, measured_line


def plot_pattern_fit(fit: PatternFit) -> Figure:
    """Pattern and fit above on a square-root scale; below the difference, the predicted lines, and foreign ones."""
    figure = Figure(figsize=(12.7, 6.0))
    above, below = figure.add_axes((0.07, 0.4, 0.895, 0.42)), figure.add_axes((0.07, 0.12, 0.895, 0.22))
    draw_pattern(above, fit.pattern)
    draw_fit(above, below, fit, None)
    draw_legend(above, [measured_line(fit.pattern), *fit_lines(fit)])
    name = fit.pattern.title or fit.pattern.source
    figure.suptitle(f"{name}\n{fit.lattice.bravais}, {fit.cell_text}, R_wp {100 * fit.r_wp:.1f} %", fontsize=11)
    return figure
