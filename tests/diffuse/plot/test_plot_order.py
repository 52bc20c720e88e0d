"""The picture of refined order shows what it says: the folded cell is the refined one on data without noise."""

from dataclasses import replace

import numpy as np
import pytest

from unscatter.diffuse.demonstration import simulate_demonstration
from unscatter.diffuse.plot.order import fold_to_cell, plot_order
from unscatter.diffuse.refine.order import refine_order
from unscatter.nouns.order_fit import OrderFit


@pytest.fixture(scope="module")
def fit() -> OrderFit:
    truth = simulate_demonstration(pixels=128)
    clean = replace(truth, plane=replace(truth.plane, intensity=truth.product))
    return refine_order(clean, against="form-factor", laue="6/m", form_factors=[truth.form_factor])


def test_the_folded_cell_is_the_refined_one(fit: OrderFit) -> None:
    folded, refined = fold_to_cell(fit, bins=16)
    assert np.nanmax(np.abs(folded - refined)) < 0.01 * refined.max()
    assert np.nanmean(folded) == pytest.approx(1.0, abs=0.1)


def test_the_folded_cell_has_the_symmetry_of_the_class(fit: OrderFit) -> None:
    folded, _ = fold_to_cell(fit, bins=16)
    # The two-fold axis takes bin i to bin -1 - i.
    assert np.allclose(folded, folded[::-1, ::-1], equal_nan=True)


def test_data_and_refined_are_on_one_scale_and_their_difference_on_its_own(fit: OrderFit) -> None:
    panels = plot_order(fit).axes[:3]
    limits = [panel.collections[-1].get_clim() for panel in panels]
    assert limits[0] == limits[1] != limits[2]
    assert limits[2][0] == -limits[2][1]


def test_the_cell_has_its_true_shape(fit: OrderFit) -> None:
    """Two translations of a hexagonal lattice are as long as each other and 60 or 120 degrees apart."""
    rim = plot_order(fit).axes[0].lines[0].get_xydata()
    first, second = rim[1] - rim[0], rim[3] - rim[0]
    assert np.linalg.norm(first) == pytest.approx(np.linalg.norm(second))
    assert abs(first @ second) / np.linalg.norm(first) ** 2 == pytest.approx(0.5, abs=1e-6)


def test_every_alpha_and_every_name_is_there(fit: OrderFit) -> None:
    figure = plot_order(fit)
    panel = next(panel for panel in figure.axes if "alpha" in panel.get_ylabel())
    assert [text.get_text() for text in panel.get_xticklabels()] == list(fit.labels)
    assert "tricarboxamide" in figure.get_suptitle()
    assert any("agreement" in text.get_text() or "order: " in text.get_text() for text in figure.texts)
