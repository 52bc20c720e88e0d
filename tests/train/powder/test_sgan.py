"""The published SGAN: who learns from what, that it goes on where it stopped, and that it is a classifier."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric
from safetensors.torch import load_file
from torch import Tensor, nn

from unscatter.cli import main
from unscatter.nn.generator1d import Generator1dConfig
from unscatter.nn.resnet1d import ResNet1dConfig
from unscatter.train.checkpoint import read_record
from unscatter.train.powder.classification import log_generated, log_real, sgan_discriminator_loss, sgan_generator_loss
from unscatter.train.powder.classify import load_classifier
from unscatter.train.powder.evaluate import ClassifyEvaluation, score_checkpoint
from unscatter.train.powder.partly_labelled import PartlyLabelled, PartlyLabelledSet, PartlyLabelledStream
from unscatter.train.powder.pattern_picture import RULE
from unscatter.train.powder.patterns import PatternSource
from unscatter.train.powder.sgan import PUBLISHED_SGAN_SCRIPTS, SHOWN, Sgan, SganTraining, train_sgan
from unscatter.train.session import Place, Progress

torch.set_num_threads(1)

VARIANTS = pytest.mark.parametrize("unsupervised_rate", [0.0, 1e-3], ids=["table 2", "scripts"])


@pytest.fixture
def options(structures: Path, tmp_path: Path) -> SganTraining:
    return SganTraining(
        out=tmp_path / "sgan",
        structures=(structures,),
        fractions=(0.6, 0.2, 0.2),
        minutes=10,
        steps=2,
        batch=4,
        labelled=0.2,
        validation_samples=6,
        discriminator_rate=1e-3,
        generator_rate=1e-3,
        network=ResNet1dConfig(channels=(8, 8, 8, 8), blocks=1),
        generator=Generator1dConfig(channels=2),
    )


def build(options: SganTraining, source: PatternSource | None = None) -> Sgan:
    torch.manual_seed(0)
    source = source or PatternSource(options, options.axis)
    return Sgan(options, source, Fabric(accelerator="cpu", devices=1))


def first_batch(training: Sgan) -> PartlyLabelled:
    return next(PartlyLabelledStream(training.source).batches(here()))


def here(first: int = 0, rank: int = 0) -> Place:
    return Place(first, rank, 1, torch.device("cpu"))


def state(module: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in module.state_dict().items()}


def same(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


# What is seen ----------------------------------------------------------------------------------------------


def test_both_parts_of_a_batch_are_of_their_own_rows(options: SganTraining) -> None:
    source = PatternSource(options, options.axis)
    items = PartlyLabelledSet(source, 0)
    for rows, drawn in ((source.labelled, items.labelled), (source.unlabelled, items.unlabelled)):
        # The recipe takes cells as they are, so that they tell which structure was drawn.
        seen = torch.cat([drawn[number].cell[:, 1] for number in range(3)])
        known = np.log(source.crystals.cells[rows][:, 0])
        assert all(np.abs(known - float(a)).min() < 1e-6 for a in seen)
        assert len(set(seen.tolist())) == 12
    batch = items[0]
    assert batch.labelled.inputs.shape == batch.unlabelled.shape == (4, 1, 3041)
    assert not torch.equal(batch.labelled.inputs, batch.unlabelled)


def test_a_stream_goes_on_from_any_batch(options: SganTraining) -> None:
    source = PatternSource(options, options.axis)
    whole, later = PartlyLabelledStream(source).batches(here()), PartlyLabelledStream(source).batches(here(first=1))
    next(whole)
    one, other = next(whole), next(later)
    assert torch.equal(one.labelled.inputs, other.labelled.inputs)
    assert torch.equal(one.unlabelled, other.unlabelled)
    assert not torch.equal(other.unlabelled, next(PartlyLabelledStream(source).batches(here(1, rank=1))).unlabelled)


@VARIANTS
def test_labels_of_unlabelled_patterns_change_no_weight(options: SganTraining, unsupervised_rate: float) -> None:
    options = replace(options, unsupervised_rate=unsupervised_rate, draw_balance=0.5)
    found = []
    for hidden in (False, True):
        training = build(options)
        if hidden:
            training.source.crystals.space_group[training.source.unlabelled] = 2
        training.update(PartlyLabelledSet(training.source, 0)[0], Progress())
        found.append(state(training.plain_discriminator) | state(training.plain_generator))
    assert same(*found)


def test_nothing_without_a_label_is_refused(options: SganTraining) -> None:
    with pytest.raises(ValueError, match="keep their label and none is left"):
        train_sgan(replace(options, labelled=1.0))


def test_patterns_of_another_length_are_refused(options: SganTraining) -> None:
    with pytest.raises(ValueError, match="of 2561 points, expected the 3041"):
        build(replace(options, generator=Generator1dConfig(noise=80)))


# How it is learned -----------------------------------------------------------------------------------------


def test_the_paper_and_its_scripts() -> None:
    paper, scripts = SganTraining(), PUBLISHED_SGAN_SCRIPTS
    assert (paper.generator_rate, paper.discriminator_rate, paper.unsupervised_rate) == (1e-6, 5e-6, 0)
    assert (paper.batch, paper.network.dropout, paper.labelled, paper.split) == (32, 0.1, 0.05, "random")
    rates = (scripts.generator_rate, scripts.discriminator_rate, scripts.unsupervised_rate, scripts.epsilon)
    assert rates == (1e-4, 1e-3, 1e-4, 1e-4)
    assert (scripts.network.dropout, scripts.network.pool) == (0.05, 1)


def test_every_optimiser_has_its_rate_and_its_weights(options: SganTraining) -> None:
    assert list(build(options).optimizers) == ["generator", "discriminator"]
    training = build(
        replace(options, discriminator_rate=1e-3, unsupervised_rate=1e-4, generator_rate=1e-5, epsilon=1e-4)
    )
    found = {name: optimizer.param_groups[0] for name, optimizer in training.optimizers.items()}
    assert {name: group["lr"] for name, group in found.items()} == {
        "generator": 1e-5,
        "discriminator": 1e-3,
        "unsupervised": 1e-4,
    }
    assert {group["eps"] for group in found.values()} == {1e-4}
    weights = {name: [id(p) for p in group["params"]] for name, group in found.items()}
    assert weights["discriminator"] == weights["unsupervised"]
    assert weights["discriminator"] == [id(p) for p in training.plain_discriminator.parameters()]
    assert weights["generator"] == [id(p) for p in training.plain_generator.parameters()]


@VARIANTS
def test_a_step_of_the_discriminator_leaves_the_generator(options: SganTraining, unsupervised_rate: float) -> None:
    training = build(replace(options, unsupervised_rate=unsupervised_rate))
    generated = training.generator(training.draw_noise(4))
    generator, discriminator = state(training.plain_generator), state(training.plain_discriminator)
    training.train_discriminator(first_batch(training), generated.detach())
    assert same(generator, state(training.plain_generator))
    assert all(p.grad is None for p in training.plain_generator.parameters())
    changed = state(training.plain_discriminator)
    assert not any(torch.equal(discriminator[name], value) for name, value in changed.items() if "weight" in name)


def test_a_step_of_the_generator_leaves_the_discriminator(options: SganTraining) -> None:
    training = build(options)
    generated = training.generator(training.draw_noise(4))
    generator, discriminator = state(training.plain_generator), state(training.plain_discriminator)
    training.train_generator(generated)
    assert same(discriminator, state(training.plain_discriminator))
    assert all(p.grad is None and p.requires_grad for p in training.plain_discriminator.parameters())
    now = state(training.plain_generator)
    assert all(not torch.equal(generator[name], now[name]) for name, _ in training.plain_generator.named_parameters())


def test_the_gradient_of_a_step_is_that_of_equations_2_and_3(options: SganTraining) -> None:
    # Without dropout; the norms that are logged are those of the losses of the paper, each network by itself.
    options = replace(options, network=replace(options.network, dropout=0.0))
    training, other = build(options), build(options)
    batch = first_batch(training)
    generated = training.generator(training.draw_noise(4)).detach()
    judge = other.plain_discriminator
    loss = sgan_discriminator_loss(
        judge(batch.unlabelled), judge(generated), judge(batch.labelled.inputs), batch.labelled.labels
    )
    gradients = torch.autograd.grad(loss, list(judge.parameters()))
    norm = torch.cat([g.flatten() for g in gradients]).norm()
    shown = training.train_discriminator(batch, generated)
    assert shown["gradient discriminator"] == pytest.approx(float(norm), rel=1e-4)
    assert shown["named"] + shown["unlabelled"] + shown["generated"] == pytest.approx(float(loss.detach()), rel=1e-5)
    with torch.no_grad():
        of_generated = training.plain_discriminator(generated)
    assert training.train_generator(training.generator(torch.zeros(4, 1, 100)) * 0 + generated)["generator"] == (
        pytest.approx(float(sgan_generator_loss(of_generated)), rel=1e-5)
    )


@pytest.mark.parametrize("size", [1e3, -1e3, 1e5])
def test_gradients_stay_finite_however_sure_the_discriminator_is(size: float) -> None:
    logits = torch.full((3, 230), size, requires_grad=True)
    loss = sgan_discriminator_loss(logits, logits, logits, torch.tensor([0, 1, 2])) + sgan_generator_loss(logits)
    loss.backward()  # type: ignore[no-untyped-call]
    assert torch.isfinite(loss)
    assert torch.isfinite(logits.grad).all()  # type: ignore[arg-type]
    # The side that is wrong keeps its full gradient: 1 in all, spread over the batch.
    wrong = logits.detach().clone().requires_grad_(True)
    lost = -(log_generated(wrong) if size > 0 else log_real(wrong)).mean()
    lost.backward()  # type: ignore[no-untyped-call]
    assert abs(float(wrong.grad.sum())) == pytest.approx(1, rel=1e-3)  # type: ignore[union-attr]


@VARIANTS
def test_a_tiny_set_is_learned_and_told_from_generated_patterns(
    options: SganTraining, unsupervised_rate: float
) -> None:
    options = replace(options, discriminator_rate=1e-2, generator_rate=1e-5, unsupervised_rate=5 * unsupervised_rate)
    small = replace(options.network, dropout=0.0)
    options = replace(options, network=small, generator=Generator1dConfig(channels=1), labels="bravais-14")
    training = build(options)
    batch = first_batch(training)
    first = training.update(batch, Progress())
    for step in range(1, 16):
        last = training.update(batch, Progress(step))
    assert last["named"] < 0.6 * first["named"]
    assert last["top-1"] > first["top-1"]
    assert last["unlabelled"] + last["generated"] < 0.9 * (first["unlabelled"] + first["generated"])


def test_the_generator_learns_to_pass(options: SganTraining) -> None:
    training = build(replace(options, generator_rate=3e-2))
    training.plain_discriminator.eval()
    torch.manual_seed(1)
    noise = training.draw_noise(4)
    # Near D = 1/2, where equation (2) can be followed: 230 logits near zero would be a D near 1 from the start.
    with torch.no_grad():
        training.plain_discriminator.classifier.bias.sub_(5.5)
    losses = [training.train_generator(training.generator(noise))["generator"] for _ in range(12)]
    assert losses[-1] < 0.98 * losses[0]


def test_what_is_logged_shows_who_is_winning(options: SganTraining) -> None:
    training = build(options)
    shown = training.update(first_batch(training), Progress())
    assert set(shown) == {
        *("top-1", "named", "unlabelled", "generated", "generator"),
        *("D labelled", "D unlabelled", "D generated", "gradient discriminator", "gradient generator"),
    }
    assert all(np.isfinite(value) for value in shown.values())
    # 230 logits near zero: Z is near 230.
    assert shown["D generated"] == pytest.approx(230 / 231, abs=0.01)
    assert shown["gradient generator"] > 0


# Sessions and what is shipped ------------------------------------------------------------------------------


@VARIANTS
def test_a_resumed_training_is_the_uninterrupted_one(
    options: SganTraining, tmp_path: Path, unsupervised_rate: float
) -> None:
    options = replace(options, unsupervised_rate=unsupervised_rate, steps=3)
    whole = load_file(train_sgan(replace(options, out=tmp_path / "whole")))
    train_sgan(replace(options, steps=1))
    parts = load_file(train_sgan(options))
    assert same(whole, parts)
    kinds = {name.split("/")[0] for name in whole}
    assert kinds == {"network", "generator", "optimizer"}
    assert ("optimizer/unsupervised/0/exp_avg" in whole) == bool(unsupervised_rate)


def test_validation_repeats_itself_and_changes_nothing(options: SganTraining) -> None:
    training = build(options)
    training.update(first_batch(training), Progress())
    before = state(training.plain_generator) | state(training.plain_discriminator)
    scores = training.validate()
    assert scores == training.validate()
    assert training.plain_discriminator.training
    assert training.plain_generator.training
    assert same(before, state(training.plain_generator) | state(training.plain_discriminator))
    assert {"paper/bravais-14/top-1", "paper/group-230/top-5", "variety/distance", "variety/peaks"} <= set(scores)


def test_the_picture_shows_generated_above_real(options: SganTraining) -> None:
    training = build(options)
    image = training.picture().numpy()
    assert image.ndim == 2
    assert image.min() == 0
    assert image.max() == 1
    bars = np.flatnonzero((image == np.float32(RULE)).all(axis=1))
    assert len(bars) == 4
    # Real patterns rest near zero between few peaks; an untrained generator makes noise around 1/2.
    above, below = image[: bars[0]].reshape(SHOWN, -1, image.shape[1]), image[bars[-1] + 1 :]
    assert above.reshape(below.shape).shape == below.shape
    middle = above.shape[1] // 2
    assert (above[:, middle] == 0).mean() > 2 * (below.reshape(above.shape)[:, middle] == 0).mean()


def test_the_discriminator_is_a_classifier(options: SganTraining) -> None:
    checkpoint = train_sgan(options)
    record = read_record(checkpoint)
    assert (record["task"], record["method"], record["network"], record["axis"]) == (
        "classify",
        "sgan",
        "resnet1d",
        "instrument",
    )
    assert record["learned_from"] == {"labelled": 12, "unlabelled": 24, "known_structures": 36}
    network, _ = load_classifier(checkpoint)
    tensors = load_file(checkpoint)
    assert not network.training
    assert all(torch.equal(value, tensors[f"network/{name}"]) for name, value in network.state_dict().items())
    rows = score_checkpoint(ClassifyEvaluation(checkpoint, count=6)).rows
    assert rows[0].samples == 6
    assert 0 <= rows[0].scores["bravais-14/top-1"] <= 1


# On the command line ---------------------------------------------------------------------------------------


def run(*arguments: str | Path) -> int:
    with pytest.raises(SystemExit) as caught:
        main([str(argument) for argument in arguments])
    return int(caught.value.code or 0)


def test_the_command_trains_it(structures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small = ("--network.channels", 4, 4, 4, 4, "--network.blocks", 1, "--generator.channels", 2, "--batch", 2)
    few = ("--fractions", 0.6, 0.2, 0.2, "--validation-samples", 4, "--steps", 1, "--labelled", 0.2)
    where = ("--structures", structures, "--out", tmp_path)
    assert run("train", "classify", "--method", "sgan", *map(str, (*where, *small, *few))) == 0
    assert "checkpoint.safetensors" in capsys.readouterr().out
    options = read_record(tmp_path / "checkpoint.safetensors")["options"]
    assert (options["discriminator_rate"], options["unsupervised_rate"]) == (5e-6, 0)


def test_the_scripts_are_a_choice(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("train", "classify", "--method=sgan", "--network", "resnet1d-scripts", "--help") == 0
    assert "runs/sgan-scripts" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--method", "sgan", "--network", "relationnet"), "type --network resnet1d or --network resnet1d-scripts"),
        (("--method", "gan"), "type --method fixmatch or --method supervised or --method contrast or --method sgan"),
        (
            ("--method", "sgan", "--network", "unet"),
            "'unet': type --network resnet1d or --network resnet1d-scripts\n",
        ),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(
    words: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("train", "classify", *words) == 2
    screen = capsys.readouterr().err
    assert told in screen
    assert screen.count("\n") == 1
