"""Samples as facts: pure functions of (recipe, seed, index), with validation kept apart from training."""

import json
from dataclasses import replace

import numpy as np
import pytest

from unscatter.diffuse.crystal import order as ordering
from unscatter.diffuse.crystal.molecules import read_species, species_pairs
from unscatter.diffuse.crystal.order import monte_carlo_bank
from unscatter.diffuse.plane.forward import short_range_order
from unscatter.diffuse.samples.draw import DiffuseRecipe, collate, draw_sample, read_recipe, recipe_record, render
from unscatter.diffuse.samples.order_draws import VALIDATION_SHARE

NAMES = ("paper", "physical", "measured")
PIXELS = 24


def small(name, **changes):
    """A shipped recipe on few pixels, without a detector, which is slow to simulate."""
    return replace(read_recipe(name), **{"pixels": PIXELS, "artefacts": 0.0, **changes})


def rendered(recipe, *draws):
    return render(collate(recipe, list(draws)))


def arrays_of(samples):
    return {name: getattr(samples, name) for name in samples.__dataclass_fields__}


# --- pure functions ---


@pytest.mark.parametrize("name", NAMES)
def test_sample_is_a_pure_function_of_recipe_seed_and_index(name):
    recipe = small(name, artefacts=1.0, scans=2)
    first, again = (arrays_of(rendered(recipe, draw_sample(recipe, 3, 5))) for _ in range(2))
    for key, plane in first.items():
        np.testing.assert_array_equal(plane, again[key], err_msg=key)


def test_another_index_seed_or_split_gives_another_sample():
    recipe = small("physical")
    drawn = [(3, 5, "training"), (3, 6, "training"), (4, 5, "training"), (3, 5, "validation")]
    planes = [rendered(recipe, draw_sample(recipe, *which)).clean for which in drawn]
    for i, plane in enumerate(planes):
        assert not any(np.array_equal(plane, other) for other in planes[:i])


@pytest.mark.parametrize("name", NAMES)
def test_batch_equals_one_by_one(name):
    """Though molecules and series of different length are padded; noise included."""
    recipe = small(name)
    draws = [draw_sample(recipe, 0, index) for index in range(6)]
    batch = arrays_of(rendered(recipe, *draws))
    for i, draw in enumerate(draws):
        for key, plane in arrays_of(rendered(recipe, draw)).items():
            scale = np.abs(plane).max()
            np.testing.assert_allclose(batch[key][i], plane[0], rtol=0, atol=1e-9 * scale, err_msg=key)


def test_torch_renders_what_numpy_renders():
    torch = pytest.importorskip("torch")
    recipe = small("measured")
    batch = collate(recipe, [draw_sample(recipe, 0, index) for index in range(3)])

    def to_torch(value):
        if hasattr(value, "__dataclass_fields__"):
            return type(value)(**{name: to_torch(getattr(value, name)) for name in value.__dataclass_fields__})
        tensor = torch.as_tensor(np.ascontiguousarray(value))
        return tensor.to(torch.float64) if tensor.is_floating_point() else tensor

    theirs, ours = arrays_of(render(to_torch(batch))), arrays_of(render(batch))
    for key, plane in ours.items():
        np.testing.assert_allclose(theirs[key].numpy(), plane, rtol=0, atol=1e-6 * np.abs(plane).max(), err_msg=key)


# --- validation apart from training ---


@pytest.mark.parametrize("start", [0, 61])
def test_any_98_validation_samples_in_a_row_hold_each_pair_once(start):
    recipe = small("physical")
    drawn = [frozenset(draw_sample(recipe, 0, start + i, "validation").names) for i in range(98)]
    pairs = {frozenset((a.molecule.name, b.molecule.name)) for a, b in species_pairs("validation")}
    assert len(pairs) == 98
    assert set(drawn) == pairs


def test_no_species_is_in_both_splits():
    training, validation = ({s.molecule.name for s in read_species(split)} for split in ("training", "validation"))
    assert not training & validation
    recipe = small("physical")
    for index in range(40):
        assert set(draw_sample(recipe, 0, index).names) <= training


def test_no_monte_carlo_model_is_in_both_splits(monkeypatch):
    used = {"training": set(), "validation": set()}
    original = ordering.bank_cube
    recipe = small("physical", monte_carlo=1.0)
    for split, models in used.items():
        monkeypatch.setattr(ordering, "bank_cube", lambda i, seen=models: seen.add(i) or original(i))
        for index in range(60):
            draw_sample(recipe, 0, index, split)
    assert all(model % VALIDATION_SHARE == 0 for model in used["validation"])
    assert not any(model % VALIDATION_SHARE == 0 for model in used["training"])
    assert len(used["training"]) > 40
    assert max(used["training"]) < len(monte_carlo_bank()[1])


# --- order ---


def test_physical_order_is_nowhere_negative_before_any_clipping_and_has_mean_one():
    recipe = small("physical")
    for index in range(20):
        order = draw_sample(recipe, 1, index).order
        vectors = order.vectors
        cube = np.zeros((24, 24, 24))
        for sign in (1, -1):
            cube[tuple(sign * vectors.T)] = order.alpha
        intensity = np.fft.fftn(cube).real
        assert intensity.min() > -1e-9
        assert intensity.mean() == pytest.approx(1)


def test_rendered_order_is_the_series_with_its_rounding_clipped():
    recipe = small("physical")
    draw = draw_sample(recipe, 1, 2)
    series = short_range_order(draw.waves, draw.axes.x, draw.axes.y)
    samples = rendered(recipe, draw)
    assert np.all(samples.clean >= 0)
    np.testing.assert_allclose(samples.short_range_order[0], np.clip(series, 0, None), atol=1e-9)


def test_paper_counts_the_origin_twice_and_ends_at_five():
    recipe = small("paper")
    order = draw_sample(recipe, 0, 0).order
    assert len(order.alpha) == 666
    assert order.alpha[0] == 2


# --- what is measured ---


def test_without_artefacts_all_is_measured_and_intensity_is_the_product():
    recipe = small("physical")
    samples = rendered(recipe, draw_sample(recipe, 0, 1))
    assert np.all(samples.measured)
    np.testing.assert_allclose(samples.clean, samples.form_factor * samples.short_range_order, rtol=1e-12)
    np.testing.assert_allclose(samples.intensity, samples.clean, rtol=1e-6, atol=1e-6 * samples.clean.max())


def test_scans_leave_gaps_but_cover_what_the_recipe_asks_for():
    recipe = small("physical", artefacts=1.0, scans=3)
    for index in range(4):
        coverage = draw_sample(recipe, 0, index).measured.mean()
        assert recipe.least_coverage < coverage < 1


def test_q_max_is_in_the_range_of_the_recipe():
    recipe = small("paper")
    ends = [draw_sample(recipe, 0, index).axes.x[-1] for index in range(20)]
    assert min(ends) >= 6
    assert max(ends) <= 8


# --- recipes ---


@pytest.mark.parametrize("name", NAMES)
def test_shipped_recipe_survives_json(name):
    recipe = read_recipe(name)
    assert recipe.name == name
    assert DiffuseRecipe(**json.loads(json.dumps(recipe_record(recipe)))) == recipe


def test_recipe_is_read_from_a_file(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("pixels = 64\nq_max = [5.0, 6.0]\n", encoding="utf-8")
    assert read_recipe(str(path)) == DiffuseRecipe("mine", pixels=64, q_max=(5.0, 6.0))


def test_unknown_keys_are_refused_with_the_known_ones(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("pixel = 64\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"unknown keys \['pixel'\].*'pixels'"):
        read_recipe(str(path))


def test_unknown_recipe_names_the_shipped_ones():
    with pytest.raises(FileNotFoundError, match="measured, paper, physical"):
        read_recipe("papre")
