"""Pictures that pages show, drawn by the code that the pages describe, with the weights that are shipped."""

from __future__ import annotations

from pathlib import Path

from sphinx.application import Sphinx

FOLDER = Path(__file__).parents[1] / "_build" / "pictures"


def draw(app: Sphinx) -> None:
    """Draw what `unscatter demo` draws: the plane taken apart, and the pattern with what it may be."""
    from unscatter import classify, factorize
    from unscatter.diffuse.demonstration import simulate_demonstration
    from unscatter.diffuse.plot.components import plot_components
    from unscatter.io.results.picture import save_figure
    from unscatter.powder.demonstration import simulate_corundum
    from unscatter.powder.plot.ranking import plot_ranking

    FOLDER.mkdir(parents=True, exist_ok=True)
    save_figure(plot_components(factorize(simulate_demonstration().plane)), FOLDER / "demonstration.png")
    save_figure(plot_ranking(classify(simulate_corundum())), FOLDER / "corundum.png")


def setup(app: Sphinx) -> dict[str, bool]:
    """Tell Sphinx."""
    app.connect("builder-inited", draw)
    return {"parallel_read_safe": True}
