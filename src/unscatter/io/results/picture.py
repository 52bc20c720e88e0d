"""Pictures as PNG files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PIL.Image import Image

from unscatter.io.files import replacing

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def save_figure(figure: Figure | Image, path: Path) -> None:
    """Write a figure of matplotlib or an image of Pillow as PNG, whole or not at all."""
    with replacing(path) as part:
        if isinstance(figure, Image):
            figure.save(part, format="png")
            return
        from matplotlib.backends.backend_agg import FigureCanvasAgg

        FigureCanvasAgg(figure)
        figure.savefig(part, dpi=110, format="png")
