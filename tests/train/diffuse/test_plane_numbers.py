from dataclasses import replace

import numpy as np
import pytest
import torch

from unscatter.diffuse.samples.draw import collate, draw_sample, read_recipe
from unscatter.train.diffuse.batches import render_batch
from unscatter.train.diffuse.encoder import without_artefacts
from unscatter.train.diffuse.plane_numbers import FORM_NUMBERS, ORDER_NUMBERS, _moments, form_numbers, order_numbers


@pytest.fixture(scope="module")
def rendered():
    recipe = without_artefacts(read_recipe("paper"), 64)
    batch = collate(recipe, [draw_sample(recipe, 3, index, "training") for index in range(32)])
    return render_batch(batch, torch.device("cpu"))


def named(names, numbers):
    assert numbers.shape[1] == len(names)
    return dict(zip(names, numbers.T, strict=True))


def test_numbers_are_finite_and_of_order_one(rendered):
    batch, samples = rendered
    numbers = torch.cat([form_numbers(batch, samples), order_numbers(batch)], dim=1)
    assert torch.isfinite(numbers).all()
    assert numbers.abs().max() < 6
    assert torch.all(numbers.std(dim=0) > 0.1)


def test_numbers_of_order_do_not_change_with_the_scale_of_the_plane(rendered):
    batch, _ = rendered
    waves = replace(batch.waves, cosine=3 * batch.waves.cosine, sine=3 * batch.waves.sine)
    torch.testing.assert_close(order_numbers(replace(batch, waves=waves)), order_numbers(batch))


def test_a_modulation_of_known_variance_is_read_from_the_plane(rendered):
    # The variance of I_SRO over whole cells is half the sum of squared amplitudes.
    batch, samples = rendered
    read = named(ORDER_NUMBERS, order_numbers(batch))["modulation"]
    plane = samples.short_range_order
    measured = torch.log(plane.var(dim=(-2, -1)) / plane.mean(dim=(-2, -1)) ** 2 + 1e-3) / 2
    assert np.corrcoef(read, measured)[0, 1] > 0.95


def test_larger_molecules_are_read_as_larger(rendered):
    batch, samples = rendered
    positions = replace(batch.pair, positions=2 * batch.pair.positions)
    before = named(FORM_NUMBERS, form_numbers(batch, samples))
    after = named(FORM_NUMBERS, form_numbers(replace(batch, pair=positions), samples))
    assert torch.all(after["size_x"] > before["size_x"])
    assert torch.all(after["size_y"] > before["size_y"])
    torch.testing.assert_close(after["contrast"], before["contrast"])


def test_moments_of_a_ridge_along_x():
    y = torch.linspace(-1, 1, 65)[:, None]
    ridge = torch.exp(-((y / 0.01) ** 2)).expand(65, 65)[None]
    radius, stretch, shear = (float(moment) for moment in _moments(ridge))
    assert radius == pytest.approx(0.5 - 0.6, abs=0.02)
    assert stretch == pytest.approx(1, abs=0.01)
    assert shear == pytest.approx(0, abs=1e-5)
