"""The picture of a ranking: the pattern with its background, and bars for what it may be."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.transforms import blended_transform_factory

from unscatter.nouns.arrays import Floats
from unscatter.nouns.pattern import Pattern
from unscatter.nouns.pattern_fit import PatternFit
from unscatter.nouns.ranking import Candidate, Ranking
from unscatter.powder.pattern.channels import LONGEST, SHORTEST, network_background

FITTED, SECOND, FOREIGN = "#c0392b", "#7d5ba6", "#d62728"
MEASURED, BACKGROUND, BARS, UNUSED, WHOLE = "#1f4e79", "#d95f02", "#4c9a6a", "#e4e4e4", "#eeeeee"
#: Spacings in Angstrom that may be marked above the pattern, and how far apart, as a share of its width.
MARKS = (20.0, 10.0, 7.0, 5.0, 4.0, 3.0, 2.5, 2.0, 1.7, 1.5, 1.3, 1.2, 1.1, 1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4)
APART = 0.035
#: Intensities that may be marked, as shares of the highest.
SHARES = (0.0, 0.02, 0.1, 0.25, 0.5, 1.0)
#: Width of the pattern in the figure; symbols of lattices stand to its right.
WIDE = 0.895
#: Letters that have room in a line of the title and of the text below, and how many lines.
_TITLE, _TEXT = (100, 2), (165, 3)


def plot_ranking(ranking: Ranking) -> Figure:
    """Pattern and estimated background above; space groups, Bravais lattices and extinction groups below.

    Where a lattice was fitted, the fit lies over the pattern, and below it the difference, the lines of the likeliest
    and of the second lattice as ticks, and foreign lines as red crosses.
    Intensity is drawn on a square-root scale, which shows weak lines and makes counting noise alike everywhere.
    The d that the network does not use is grey. A bar is as long as its probability, of the pale one behind it.
    The last lines say what was found and assumed.
    """
    figure = Figure(figsize=(12.7, 8.4 if ranking.fit is None else 9.6))
    # Fixed places: a layout engine would take longer than the network.
    above = figure.add_axes((0.07, 0.5 if ranking.fit is None else 0.58, WIDE, 0.36 if ranking.fit is None else 0.3))
    draw_pattern(above, ranking.pattern)
    _draw_background(above, ranking)
    low, tall = (0.15, 0.25) if ranking.fit is None else (0.17, 0.19)
    bars = [figure.add_axes((left, low, 0.2, tall)) for left in (0.11, 0.39, 0.78)]
    draw_bars(bars[0], "space group", [(f"{one.name}  ({one.groups[0]})", one.probability) for one in ranking.top(5)])
    lattices = ranking.top(5, "Bravais lattice")
    draw_bars(bars[1], "Bravais lattice", [(one.name, one.probability) for one in lattices])
    sets = ranking.top(5, "extinction group")
    draw_bars(bars[2], "extinction group", [(_short(one), one.probability) for one in sets])
    if ranking.fit is not None:
        draw_fit(above, figure.add_axes((0.07, 0.44, WIDE, 0.1)), ranking.fit, ranking.second)
    figure.suptitle(_wrapped(ranking.label, *_TITLE), fontsize=13, y=0.985)
    assumed = _wrapped("assumed: " + "; ".join(ranking.assumptions), *_TEXT)
    figure.text(0.015, 0.085 if ranking.fit is None else 0.12, _wrapped(_found(ranking), *_TEXT), fontsize=9, va="top")
    figure.text(0.015, 0.06 if ranking.fit is None else 0.062, assumed, fontsize=9, va="top", color="#555555")
    return figure


def draw_pattern(panel: Axes, pattern: Pattern) -> None:
    """Draw intensity on a square-root scale over two-theta, with spacings d above where the wavelength is known."""
    panel.plot(pattern.two_theta, np.clip(pattern.intensity, 0.0, None), color=MEASURED, linewidth=0.9)
    margin = 0.01 * float(np.ptp(pattern.two_theta))
    panel.set_xlim(pattern.two_theta[0] - margin, pattern.two_theta[-1] + margin)
    panel.set_yscale("function", functions=(lambda y: np.sqrt(np.clip(y, 0.0, None)), np.square))
    highest = max(float(pattern.intensity.max()), 1e-30)
    panel.set_ylim(0.0, 1.06 * highest)
    # Rounded to one digit, the highest may lie above the panel.
    levels = np.unique([float(f"{highest * share:.1g}") for share in SHARES])
    panel.set_yticks(levels[levels <= 1.06 * highest], minor=False)
    panel.set_yticks([], minor=True)
    panel.yaxis.set_major_formatter("{x:g}")
    panel.tick_params(labelsize=9)
    panel.set_xlabel("2θ (deg)", fontsize=10)
    panel.set_ylabel("intensity (square-root scale)", fontsize=10)
    if pattern.wavelength is not None:
        _mark_spacings(panel, pattern.wavelength)


def draw_fit(above: Axes, below: Axes, fit: PatternFit, second: PatternFit | None) -> None:
    """Draw the fit over a pattern; in a panel below it the difference, and the predicted lines of two lattices."""
    x = fit.pattern.two_theta
    above.plot(x, np.clip(fit.calculated, 0.0, None), color=FITTED, linewidth=0.8, alpha=0.9)
    above.set_xlabel("")
    above.tick_params(labelbottom=False)
    scale = max(float(np.abs(fit.difference).max()), 1e-30)
    below.plot(x, fit.difference / scale, color="#777777", linewidth=0.7)
    for row, (one, color) in enumerate([(fit, FITTED), (second, SECOND)]):
        if one is not None:
            height = -1.6 - 1.0 * row
            # Lines that are predicted and not seen are pale.
            for which, strength in ((~one.absent, 1.0), (one.absent, 0.3)):
                place = one.two_theta[which]
                below.plot(place, np.full(len(place), height), "|", color=color, markersize=6, alpha=strength)
            below.text(
                1.004,
                height,
                one.lattice.bravais,
                color=color,
                ha="left",
                va="center",
                fontsize=8,
                # Shares of the panel across, data upwards.
                transform=blended_transform_factory(below.transAxes, below.transData),
            )
    below.plot(fit.foreign, np.full(len(fit.foreign), 1.35), "x", color=FOREIGN, markersize=5)
    below.set_xlim(above.get_xlim())
    below.set_ylim(-3.2, 1.7)
    below.set_yticks([0.0], ["0"])
    below.tick_params(labelsize=9)
    below.set_ylabel("difference", fontsize=9)
    below.set_xlabel("2θ (deg)", fontsize=10)
    # Above the panel: crosses of foreign lines stand along its upper edge.
    said = f"largest difference {scale:.3g}"
    below.text(1.0, 1.02, said, fontsize=8, ha="right", va="bottom", transform=below.transAxes)


def _mark_spacings(panel: Axes, wavelength: float) -> None:
    """Ticks above for round spacings, as many as have room."""
    first, last = panel.get_xlim()
    places, names, before = [], [], -np.inf
    for d, angle in zip(MARKS, bragg_angles(np.array(MARKS), wavelength).tolist(), strict=True):
        if first < angle < last and angle - before > APART * (last - first):
            places.append(angle)
            names.append(f"{d:g}")
            before = angle
    top = panel.secondary_xaxis("top")
    top.set_xticks(places, names)
    top.tick_params(labelsize=9)
    panel.text(-0.008, 1.045, "d (Å)", fontsize=9, ha="right", va="bottom", transform=panel.transAxes)


def _draw_background(panel: Axes, ranking: Ranking) -> None:
    """The estimated background, grey where d is longer or shorter than the network sees, and what is what."""
    pattern = ranking.pattern
    assert pattern.wavelength is not None, "a ranking has a wavelength"
    background = network_background(pattern.two_theta, pattern.intensity, pattern.wavelength)
    panel.plot(pattern.two_theta, np.clip(background, 0.0, None), color=BACKGROUND, linewidth=1.4)
    first, last = panel.get_xlim()
    start, stop = bragg_angles(np.array([LONGEST, SHORTEST]), pattern.wavelength).tolist()
    for left, right in ((first, min(start, last)), (max(stop, first), last)):
        if right > left:
            panel.axvspan(left, right, color=UNUSED, zorder=0, linewidth=0)
    fate = "subtracted" if str(ranking.provenance.get("background")).startswith("subtracted") else "not subtracted"
    handles: list[Artist] = [
        measured_line(pattern),
        Line2D([], [], color=BACKGROUND, linewidth=2, label=f"estimated background ({fate})"),
        Patch(color=UNUSED, label="not used by the network"),
    ]
    if ranking.fit is not None:
        handles += fit_lines(ranking.fit)
    draw_legend(panel, handles)


def measured_line(pattern: Pattern) -> Line2D:
    """What the legend says of the pattern itself."""
    return Line2D([], [], color=MEASURED, label="simulated" if pattern.simulated else "measured")


def fit_lines(fit: PatternFit) -> list[Artist]:
    """What the legend says of a fit."""
    lines: list[Artist] = [Line2D([], [], color=FITTED, label=f"fit of {fit.lattice.bravais}")]
    if len(fit.foreign):
        lines.append(Line2D([], [], color=FOREIGN, marker="x", linestyle="", label="foreign lines"))
    return lines


def draw_legend(panel: Axes, handles: list[Artist]) -> None:
    """One line above a pattern, over the spacings."""
    panel.legend(
        handles=handles,
        loc="lower left",
        bbox_to_anchor=(-0.005, 1.07),
        ncols=5,
        frameon=False,
        fontsize=9,
        borderpad=0.0,
    )


def draw_bars(panel: Axes, title: str, entries: Sequence[tuple[str, float]]) -> None:
    """Draw a bar for each name, as long as its probability, over a pale one of length 1; the first on top."""
    rows = np.arange(len(entries))
    values = np.array([p for _, p in entries])
    panel.barh(rows, np.ones(len(rows)), height=0.68, color=WHOLE)
    panel.barh(rows, values, height=0.68, color=BARS)
    panel.set_yticks(rows, [name for name, _ in entries], fontsize=10)
    panel.set_ylim(len(rows) - 0.5, -0.5)
    panel.set_xlim(0.0, 1.0)
    panel.set_xticks([])
    panel.tick_params(left=False)
    panel.spines[:].set_visible(False)
    panel.set_title(title, fontsize=11, loc="left")
    for row, p in zip(rows.tolist(), values.tolist(), strict=True):
        inside = p > 0.75
        side, color = ("right", "white") if inside else ("left", "black")
        panel.text(p + (-0.02 if inside else 0.02), row, f"{100 * p:.1f} %", ha=side, va="center", color=color)


def bragg_angles(d: Floats, wavelength: float) -> Floats:
    """Two-theta in degrees of spacings d in Angstrom, far beyond any pattern where the wavelength does not reach.

    >>> bragg_angles(np.array([1.0, 0.5]), 1.0).round(6).tolist()
    [60.0, 180.0]
    """
    sine = wavelength / (2 * d)
    return np.asarray(np.where(sine <= 1, 2 * np.degrees(np.arcsin(np.minimum(sine, 1.0))), 1e4))


def _wrapped(words: str, width: int, most: int) -> str:
    """Lines of at most `width` letters; what does not fit into `most` lines is left out, and so it says."""
    return "\n".join(textwrap.wrap(words, width, max_lines=most, placeholder=" ..."))


def _short(one: Candidate) -> str:
    """Name of an extinction group that has room beside a bar: its first and last space groups."""
    symbols = one.name.split()
    return one.name if len(symbols) <= 3 else f"{symbols[0]} ... {symbols[-1]} ({len(symbols)} groups)"


def _found(ranking: Ranking) -> str:
    pattern = ranking.pattern
    system = ranking.top(1, "crystal system")[0]
    edges = ", ".join(f"{edge:.3g}" for edge in ranking.edges)
    cell = f"estimated cell: V {ranking.volume:.3g} Å³; a, b, c {edges} Å"
    if ranking.fit is not None:
        fit = ranking.fit
        cell = f"{fit.lattice.bravais} cell {fit.cell_text}, V {fit.lattice.volume:.5g} Å³, R_wp {100 * fit.r_wp:.1f} %"
    if ranking.second_phase is not None:
        cell += f" | perhaps a second phase: {ranking.second_phase.describe()}"
    worst = "; ".join(f"{one.verdict}: {one.name}" for one in ranking.findings.worst(3) if one.verdict != "not tested")
    verdict = f" | findings: {worst}" if worst else ""
    return (
        f"{system.name} ({100 * system.probability:.0f} %) | {cell} | "
        f"{pattern.radiation or 'radiation not known'}, {pattern.wavelength:g} Å | "
        f"{pattern.two_theta.size} points | "
        f"weights {ranking.provenance.get('weights', 'none')}{verdict}"
    )
