"""Pictures as PNG files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from unscatter.io.files import replacing

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure as PNG, whole or not at all."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    FigureCanvasAgg(figure)
    with replacing(path) as part:
        figure.savefig(part, dpi=110, format="png")
