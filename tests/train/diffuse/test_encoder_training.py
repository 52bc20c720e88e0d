import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from unscatter.diffuse.samples.draw import collate, draw_sample, read_recipe, render
from unscatter.nn.encoder import EncoderConfig
from unscatter.train.checkpoint import read_record, save_checkpoint
from unscatter.train.diffuse.encoder import NUMBERS, EncoderTraining, train_encoder, without_artefacts
from unscatter.train.diffuse.features import open_encoder
from unscatter.train.export import export_encoder

SMALL = EncoderConfig(size=32, widths=(8, 16, 16), features=12)


def options(out, steps):
    return EncoderTraining(
        out=out, steps=steps, batch=6, pixels=32, validation_batches=1, minutes=5.0, network=SMALL, threads=1
    )


def test_an_encoder_learns_from_the_same_crystals_seen_whole_and_without_noise():
    recipe = replace(read_recipe("measured"), artefacts=1.0)
    clean = without_artefacts(recipe, recipe.pixels)
    spoiled, whole = (render(collate(r, [draw_sample(r, 0, 5, "training")])) for r in (recipe, clean))
    assert (whole.short_range_order == spoiled.short_range_order).all()
    assert whole.measured.all()
    assert not spoiled.measured.all()
    np.testing.assert_allclose(whole.intensity, whole.form_factor * whole.short_range_order, rtol=1e-5)


def test_a_training_lowers_its_loss_resumes_and_is_exported_without_heads(tmp_path):
    checkpoint = train_encoder(options(tmp_path / "run", 40))
    record = read_record(checkpoint)
    assert record["step"] == 40
    assert set(record["scores"][-1]) >= {f"{c}/{name}" for c, names in NUMBERS.items() for name in names}
    assert read_record(train_encoder(options(tmp_path / "run", 42)))["step"] == 42

    card = export_encoder(checkpoint, tmp_path / "weights")
    assert not any("head" in name for name in load_file(card.with_suffix(".safetensors")))
    assert json.loads(card.read_text())["record"]["numbers"] == {c: list(names) for c, names in NUMBERS.items()}
    encoder = open_encoder(card)
    assert encoder(torch.zeros(2, 1, 64, 64)).shape == (2, SMALL.features)
    with pytest.raises(ValueError, match="holds no encoder"):
        export_encoder(_of_another_task(tmp_path), tmp_path / "weights")


def _of_another_task(folder):
    path = folder / "other.safetensors"
    save_checkpoint(path, {"average": torch.nn.Linear(2, 2)}, {}, {"task": "factorize", "options": {"network": {}}})
    return path
