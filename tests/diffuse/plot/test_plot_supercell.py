"""The picture of a supercell carries its verdict and what speaks against it."""

import numpy as np

from unscatter.diffuse.plot.supercell import plot_supercell
from unscatter.diffuse.supercell import draw_supercell
from unscatter.nouns.cell import Cell
from unscatter.nouns.order import OrderTargets


def test_the_verdict_and_the_worst_finding_stand_in_the_picture() -> None:
    # Both cannot be: the series falls to 1 - 4 x 0.8.
    targets = OrderTargets(np.array([(1, 0, 0), (0, 1, 0)]), np.full(2, -0.8), np.full(2, 0.001), "-1")
    drawn = draw_supercell(targets, Cell(5, 6, 7, 90, 90, 90), box=(8, 8, 1), boxes=2, sweeps=4)
    words = " ".join(text.get_text() for text in plot_supercell(drawn).texts).replace("\n", " ")
    assert drawn.findings.verdict == "poor"
    assert "supercell: poor" in words
    assert "arrangement poor" in words
    assert "alphas poor" in words
