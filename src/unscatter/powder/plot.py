"""The picture of a ranking: the pattern with its background, and bars for what it may be."""

from __future__ import annotations

import textwrap

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from unscatter.powder.background import estimate_background
from unscatter.powder.scaling import LONGEST, SHORTEST
from unscatter.types import Candidate, Ranking

Floats = NDArray[np.float64]
MEASURED, BACKGROUND, BARS, UNUSED = "#1f4e79", "#d95f02", "#4c9a6a", "#e4e4e4"
#: Spacings in Angstrom that may be marked above the pattern.
MARKS = (20.0, 10.0, 7.0, 5.0, 4.0, 3.0, 2.5, 2.0, 1.7, 1.5, 1.3, 1.2, 1.1, 1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4)


def plot_ranking(ranking: Ranking) -> Figure:
    """Pattern and estimated background above; space groups, Bravais lattices and extinction groups below.

    Intensity is drawn on a square-root scale, which shows weak lines and makes counting noise alike everywhere.
    The d that the network does not use is grey. The last line says what was assumed.
    """
    figure = Figure(figsize=(12.5, 8.4))
    # Fixed places: a layout engine would take longer than the network.
    _pattern(figure.add_axes((0.065, 0.5, 0.915, 0.37)), ranking)
    groups = [(f"{one.name}  ({one.groups[0]})", one.probability) for one in ranking.top(5)]
    _bars(figure.add_axes((0.105, 0.16, 0.2, 0.23)), "space group", groups)
    lattices = [(one.name, one.probability) for one in ranking.top(5, "Bravais lattice")]
    _bars(figure.add_axes((0.38, 0.16, 0.2, 0.23)), "Bravais lattice", lattices)
    sets = [(_short(one), one.probability) for one in ranking.top(5, "extinction group")]
    _bars(figure.add_axes((0.78, 0.16, 0.2, 0.23)), "extinction group", sets)
    figure.text(0.02, 0.082, _found(ranking), fontsize=9.5, va="top")
    figure.text(0.02, 0.053, _assumed(ranking), fontsize=8.5, va="top", color="#444444")
    figure.suptitle(ranking.label, fontsize=13, y=0.975)
    return figure


def _pattern(panel: Axes, ranking: Ranking) -> None:
    pattern = ranking.pattern
    two_theta, intensity = pattern.two_theta, np.clip(pattern.intensity, 0.0, None)
    panel.plot(
        two_theta, intensity, color=MEASURED, linewidth=0.8, label="simulated" if pattern.simulated else "measured"
    )
    background = estimate_background(two_theta, pattern.intensity)
    fate = "subtracted" if str(ranking.provenance.get("background")).startswith("subtracted") else "not subtracted"
    panel.plot(two_theta, background, color=BACKGROUND, linewidth=1.3, label=f"estimated background ({fate})")
    panel.set_yscale("function", functions=(lambda y: np.sqrt(np.clip(y, 0, None)), np.square))
    top = float(intensity.max())
    # Rounded to one digit, the highest may lie above the picture and would enlarge it.
    ticks = [float(f"{top * share:.1g}") for share in (0.0, 0.02, 0.1, 0.25, 0.5, 1.0)]
    panel.set_yticks([tick for tick in ticks if tick <= 1.06 * top])
    panel.set_ylim(0, 1.06 * top)
    margin = 0.01 * (two_theta[-1] - two_theta[0])
    panel.set_xlim(two_theta[0] - margin, two_theta[-1] + margin)
    panel.set_xlabel("2θ (deg)", fontsize=9.5)
    panel.set_ylabel("intensity (square-root scale)", fontsize=9.5)
    panel.tick_params(labelsize=8.5)
    assert pattern.wavelength is not None, "a ranking has a wavelength"
    used = _angles(np.array([LONGEST, SHORTEST]), pattern.wavelength)
    first, last = panel.get_xlim()
    outside = [(start, stop) for start, stop in ((first, used[0]), (used[1], last)) if stop > start]
    for rank, (start, stop) in enumerate(outside):
        panel.axvspan(start, stop, color=UNUSED, zorder=0, label=None if rank else "not used by the network")
    _spacings(panel, pattern.wavelength)
    panel.legend(fontsize=9, loc="upper right", framealpha=0.9)


def _spacings(panel: Axes, wavelength: float) -> None:
    """Mark spacings d above the pattern, as many as have room."""
    low, high = panel.get_xlim()
    places: list[float] = []
    names: list[str] = []
    for d in MARKS:
        angle = float(_angles(np.array([d]), wavelength)[0])
        clear = not places or angle - places[-1] > 0.035 * (high - low)
        if low < angle < high and angle < 180 and clear:
            places.append(angle)
            names.append(f"{d:g}")
    above = panel.secondary_xaxis("top")
    above.set_xticks(places, names)
    above.tick_params(labelsize=8.5)
    above.set_xlabel("d (Å)", fontsize=9.5)


def _angles(d: Floats, wavelength: float) -> Floats:
    """Two-theta in degrees of spacings d in Angstrom, 180 where the wavelength does not reach."""
    return np.asarray(2 * np.degrees(np.arcsin(np.minimum(wavelength / (2 * d), 1.0))))


def _bars(panel: Axes, title: str, entries: list[tuple[str, float]]) -> None:
    places = np.arange(len(entries))[::-1]
    panel.barh(places, [p for _, p in entries], color=BARS, height=0.7)
    panel.set_yticks(places, [name for name, _ in entries], fontsize=9)
    for place, (_, p) in zip(places, entries, strict=True):
        inside = p > 0.75
        panel.text(
            p - 0.015 if inside else p + 0.015,
            place,
            f"{100 * p:.1f} %",
            ha="right" if inside else "left",
            va="center",
            fontsize=9,
            color="white" if inside else "black",
        )
    panel.set_xlim(0, 1)
    panel.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "25", "50", "75", "100 %"], fontsize=8.5)
    panel.set_title(title, fontsize=10.5, loc="left")
    for side in ("top", "right"):
        panel.spines[side].set_visible(False)


def _short(one: Candidate) -> str:
    """Name of an extinction group that has room beside a bar: its first and last space groups."""
    symbols = one.name.split()
    return one.name if len(symbols) <= 3 else f"{symbols[0]} ... {symbols[-1]} ({len(symbols)} groups)"


def _found(ranking: Ranking) -> str:
    pattern = ranking.pattern
    system = ranking.top(1, "crystal system")[0]
    edges = ", ".join(f"{edge:.3g}" for edge in ranking.edges)
    return (
        f"{system.name} ({100 * system.probability:.0f} %)   |   estimated cell: V {ranking.volume:.3g} Å³; "
        f"a, b, c {edges} Å   |   {pattern.radiation or 'radiation not known'}, {pattern.wavelength:g} Å   |   "
        f"{pattern.two_theta.size} points   |   weights {ranking.provenance.get('weights', 'none')}"
    )


def _assumed(ranking: Ranking) -> str:
    return "\n".join(textwrap.wrap("assumed: " + "; ".join(ranking.assumptions), 175))
