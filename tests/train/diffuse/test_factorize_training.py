"""The training of the shipped network: its losses by hand, who sees a lattice when, going on, and what is exported."""

from __future__ import annotations

import hashlib
import json
import math
import shutil
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric
from safetensors.torch import load_file
from torch import Tensor

from unscatter.diffuse.samples.recipe import read_recipe
from unscatter.nn.unet import UNet, UNetConfig
from unscatter.train import export
from unscatter.train.checkpoint import read_module, read_record, save_checkpoint
from unscatter.train.diffuse.batches import DiffuseStream
from unscatter.train.diffuse.factorize import (
    FactorizeTraining,
    UNetTraining,
    component_loss,
    contrast_loss,
    learning_rate,
    start_from,
    train_factorize,
    validation_errors,
    with_lattice,
)
from unscatter.train.export import export_factorize, load_unet
from unscatter.train.session import Place, Progress
from unscatter.weights import open_network

torch.set_num_threads(1)
TINY = UNetConfig(patch=4, size=32, channels=(8, 16), fourier_channels=8)


def tiny_options(folder: Path) -> FactorizeTraining:
    recipe = folder / "tiny.toml"
    recipe.write_text("pixels = 32\nphysical = true\nscans = 4\nleast_coverage = 0.3\n")
    return FactorizeTraining(
        out=folder / "run",
        minutes=10.0,
        steps=2,
        recipes=(str(recipe),),
        batch=4,
        validation_batches=1,
        warm_up=1,
        network=TINY,
    )


@pytest.fixture
def options(tmp_path: Path) -> FactorizeTraining:
    return tiny_options(tmp_path)


def build(options: FactorizeTraining) -> UNetTraining:
    torch.manual_seed(0)
    return UNetTraining(options, [read_recipe(options.recipes[0])], Fabric(accelerator="cpu", devices=1))


def weights(network: torch.nn.Module) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in network.state_dict().items()}


# The losses, by hand ---------------------------------------------------------------------------------------


def test_component_loss_by_hand() -> None:
    # Differences 0.5 and 0, weights 1 and 3: (1 (0.5 + 2 0.25) + 0) / 2 a component, the second component is right.
    predicted, target = torch.zeros(1, 2, 1, 2), torch.tensor([[[[0.5, 0.0]], [[0.0, 0.0]]]])
    loss = component_loss(predicted, target, torch.tensor([[[[1.0, 3.0]]]]))
    assert float(loss) == pytest.approx((1.0 + 0 + 0 + 0) / 4)


def test_contrast_loss_is_zero_for_the_truth_and_sees_what_is_weak() -> None:
    truth = torch.linspace(-0.1, 0.1, 16).reshape(1, 1, 4, 4)
    one = torch.ones(1, 1, 4, 4)
    assert float(contrast_loss(truth, truth, one)) == 0
    flat = torch.zeros(1, 1, 4, 4)
    # A plane of a fiftieth of the contrast that is flat is as wrong as one of the whole contrast.
    weak, strong = (float(contrast_loss(flat, c * truth, one)) for c in (0.2, 1.0))
    assert weak > 0.3 * strong


def test_a_share_of_the_uses_is_with_the_lattice_and_evenly_spread() -> None:
    for share in (0.0, 0.25, 0.5, 1.0):
        known = [with_lattice(share, use) for use in range(40)]
        assert sum(known) == 40 * share
        assert max(abs(sum(known[:n]) - share * n) for n in range(40)) <= 1


def test_learning_rate_warms_up_and_falls_with_the_minutes(options: FactorizeTraining) -> None:
    options = replace(options, warm_up=10, learning_rate=1.0, minutes=100.0)
    assert learning_rate(options, Progress(0, 0.0)) == pytest.approx(0.1)
    assert learning_rate(options, Progress(10, 0.0)) == pytest.approx(1.0)
    assert learning_rate(options, Progress(1000, 50.0)) == pytest.approx(0.5)
    assert learning_rate(options, Progress(1000, 200.0)) == pytest.approx(0.01)


# The training ----------------------------------------------------------------------------------------------


def test_training_on_one_batch_lowers_its_loss(options: FactorizeTraining) -> None:
    training = build(replace(options, learning_rate=3e-3, steps=0))
    stream = DiffuseStream(options)
    batch = next(iter(stream.batches(Place(0, 0, 1, torch.device("cpu")))))
    seen = []
    for step in range(60):
        torch.manual_seed(0)
        seen.append(training.update(batch, Progress(step // 2 * 2)))
    name = next(iter(seen[0]))
    assert seen[-1][name] < 0.8 * seen[0][name]


def test_every_other_part_of_a_batch_is_with_its_lattice(options: FactorizeTraining) -> None:
    training = build(options)
    batch = next(iter(DiffuseStream(options).batches(Place(0, 0, 1, torch.device("cpu")))))
    assert [set(training.update(batch, Progress(step))) for step in (0, 1)] == [{"blind"}, {"lattice"}]
    both = build(replace(options, lattice_share=1.0))
    assert all(set(both.update(batch, Progress(step))) == {"lattice"} for step in (0, 1))


def test_the_average_follows_the_weights_and_is_not_trained_itself(options: FactorizeTraining) -> None:
    training = build(options)
    batch = next(iter(DiffuseStream(options).batches(Place(0, 0, 1, torch.device("cpu")))))
    start = weights(training.plain)
    training.update(batch, Progress(0))
    keep = 1 / 10
    for name, mean in weights(training.average).items():
        expected = keep * start[name] + (1 - keep) * training.plain.state_dict()[name]
        torch.testing.assert_close(mean, expected)
    assert not any(parameter.requires_grad for parameter in training.average.parameters())


def test_a_training_that_was_stopped_goes_on_as_if_it_had_not(options: FactorizeTraining, tmp_path: Path) -> None:
    whole = train_factorize(replace(options, out=tmp_path / "whole", steps=4))
    train_factorize(options)
    halves = train_factorize(replace(options, steps=4))
    assert read_record(halves)["step"] == 4
    for name, tensor in read_module(whole, "average").items():
        torch.testing.assert_close(read_module(halves, "average")[name], tensor, rtol=1e-5, atol=1e-7)


def test_the_record_says_what_was_trained_and_how_well(options: FactorizeTraining) -> None:
    record = read_record(train_factorize(options))
    assert (record["task"], record["step"], record["options"]["network"]["channels"]) == ("factorize", 2, [8, 16])
    scores = record["scores"][-1]
    expected = {f"tiny/{way}/{of}" for way in ("lattice", "blind") for of in ("I_FF", "I_SRO", "I_SRO_published")}
    assert expected <= set(scores)
    assert all(math.isfinite(value) and value >= 0 for value in scores.values())


def test_validation_is_the_same_every_time_and_knows_the_lattice_to_help(options: FactorizeTraining) -> None:
    recipe, device = read_recipe(options.recipes[0]), torch.device("cpu")
    first, again = (validation_errors(UNet(TINY), recipe, True, 1, device) for _ in range(2))
    torch.testing.assert_close(first, again)
    blind = validation_errors(UNet(TINY), recipe, False, 1, device)
    # Before any training the guesses are judged: those of a known lattice are better for I_SRO.
    assert float(first[:, 1].mean()) < float(blind[:, 1].mean())


def test_the_picture_is_grey_and_shows_five_planes(options: FactorizeTraining) -> None:
    picture = build(options).picture()
    assert picture is not None
    assert picture.shape == (32, 5 * 32)
    assert 0 <= float(picture.min()) <= float(picture.max()) <= 1


# Export and start ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of a training of two steps."""
    folder = tmp_path_factory.mktemp("trained")
    return train_factorize(replace(tiny_options(folder), learning_rate=1e-2))


@pytest.fixture(scope="module")
def card(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What was exported of it."""
    with warnings.catch_warnings():
        # torch.export calls what torch itself has deprecated.
        warnings.filterwarnings("ignore", ".*LeafSpec", FutureWarning)
        warnings.filterwarnings("ignore", ".*axis name: batch", UserWarning)
        return export_factorize(trained, tmp_path_factory.mktemp("weights"), "mine-32")


def test_what_is_exported_is_the_average_and_runs_without_torch(trained: Path, card: Path) -> None:
    told = json.loads(card.read_text())
    assert told["task"] == "factorize"
    for name, digest in told["files"].items():
        assert hashlib.sha256((card.parent / name).read_bytes()).hexdigest() == digest
    average = read_module(trained, "average")
    for name, tensor in load_file(card.with_suffix(".safetensors")).items():
        torch.testing.assert_close(tensor, average[name], rtol=0, atol=0)
    network, _ = load_unet(trained)
    rng = np.random.default_rng(0)
    inputs, guesses = (rng.random((3, channels, 32, 32), dtype=np.float32) for channels in (6, 2))
    (made,) = open_network(str(card.with_suffix(".onnx")))(inputs=inputs, guesses=guesses)
    with torch.no_grad():
        expected = network(torch.from_numpy(inputs), torch.from_numpy(guesses)).numpy()
    assert np.abs(expected - guesses).max() > 1e-4
    np.testing.assert_allclose(made, expected, atol=1e-4)


def test_an_export_that_gives_other_numbers_is_refused(
    trained: Path, card: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, record = load_unet(trained)
    with torch.no_grad():
        network.head.bias += 0.1
    path = tmp_path / "other.safetensors"
    save_checkpoint(path, {"average": network}, {}, record)
    # What is written is the network before its bias was changed.
    onnx = card.with_suffix(".onnx")
    monkeypatch.setattr(export.torch.onnx, "export", lambda network, sample, to, **_: shutil.copy(onnx, to))
    with pytest.raises(ValueError, match=r"differs from the network by 0\.1"):
        export_factorize(path, tmp_path / "weights", "mine-32")


def test_training_starts_from_exported_weights_and_from_a_checkpoint(
    options: FactorizeTraining, trained: Path, card: Path
) -> None:
    average = read_module(trained, "average")
    for start in (trained, card.with_suffix(".onnx")):
        begun = build(replace(options, start=str(start)))
        for name, tensor in weights(begun.plain).items():
            torch.testing.assert_close(tensor, average[name], rtol=0, atol=0)
    with pytest.raises(ValueError, match="of a network of another shape"):
        start_from(UNet(replace(TINY, channels=(16, 16))), str(trained))


def test_a_checkpoint_of_another_network_is_no_unet(tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    save_checkpoint(path, {"average": torch.nn.Linear(2, 2)}, {}, {"task": "classify", "options": {}})
    with pytest.raises(ValueError, match="holds no U-Net"):
        load_unet(path)
