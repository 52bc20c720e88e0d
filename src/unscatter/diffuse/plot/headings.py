"""What stands above and below every picture: whose data they are, and what is in doubt."""

from __future__ import annotations

import textwrap
from pathlib import Path

from matplotlib.figure import Figure

from unscatter.nouns.findings import VERDICT_COLOURS, Findings
from unscatter.nouns.plane import Plane


def heading(plane: Plane) -> str:
    """Title of a plane with the name of its file, and whether it was simulated."""
    file = Path(plane.source).name
    title = plane.title or file or "plane"
    if Path(file).suffix and file not in title:
        title += f" ({file})"
    return title + (" (simulated)" if plane.simulated and "simulated" not in title.lower() else "")


def draw_heading(figure: Figure, text: str, findings: Findings, y: float = 0.985) -> None:
    """Write the title, and under it the verdict with the two worst findings in the colour of the verdict."""
    figure.suptitle(textwrap.shorten(text, 110, placeholder=" ..."), fontsize=13, y=y, va="top")
    if not len(findings):
        return
    words = [f"{one.name} {one.verdict}: {one.sentence}" for one in findings.worst(2)]
    line = textwrap.shorten(f"{findings.subject}: {findings.verdict}. " + " | ".join(words), 220, placeholder=" ...")
    height = figure.get_size_inches()[1]
    figure.text(
        0.5,
        y - 0.32 / height,
        textwrap.fill(line, 150),
        ha="center",
        va="top",
        fontsize=8.5,
        color=VERDICT_COLOURS[findings.verdict],
    )
