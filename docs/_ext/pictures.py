"""Pictures that pages show, drawn by the code that the pages describe, with the weights that are shipped."""

from __future__ import annotations

from pathlib import Path

from sphinx.application import Sphinx

FOLDER = Path(__file__).parents[1] / "_build" / "pictures"


def draw(app: Sphinx) -> None:
    """Take the demonstration plane apart and draw the six panels of `unscatter factorize`."""
    from unscatter import factorize
    from unscatter.diffuse.demonstration import simulate_demonstration
    from unscatter.diffuse.plot import plot_components, save_figure

    FOLDER.mkdir(parents=True, exist_ok=True)
    save_figure(plot_components(factorize(simulate_demonstration().plane)), FOLDER / "demonstration.png")


def setup(app: Sphinx) -> dict[str, bool]:
    """Tell Sphinx."""
    app.connect("builder-inited", draw)
    return {"parallel_read_safe": True}
