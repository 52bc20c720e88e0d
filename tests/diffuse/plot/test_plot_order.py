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


def test_the_three_pictures_are_on_one_scale(fit: OrderFit) -> None:
    figure = plot_order(fit)
    limits = {panel.images[0].get_clim() for panel in figure.axes[:3]}
    assert len(limits) == 1
    assert [panel.get_title() for panel in figure.axes[:3]] == ["folded", "refined", "difference"]
