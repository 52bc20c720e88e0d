"""The published training: its losses by hand, who sees what, who learns when, going on where it stopped."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from unscatter.diffuse.samples.draw import DrawBatch, Samples, collate, draw_sample, read_recipe, render
from unscatter.nn.pix2pix import DiscriminatorConfig, GeneratorConfig
from unscatter.train import session
from unscatter.train.checkpoint import read_record
from unscatter.train.diffuse.adversarial import discriminator_loss, generator_loss, product, product_loss
from unscatter.train.diffuse.pix2pix import COMPONENTS, ParallelGans, Pix2PixTraining, Planes, train_pix2pix
from unscatter.train.session import Progress

torch.set_num_threads(1)


@pytest.fixture
def options(tmp_path: Path) -> Pix2PixTraining:
    recipe = tmp_path / "tiny.toml"
    recipe.write_text("pixels = 32\nphysical = false\nscans = 4\nleast_coverage = 0.3\n")
    return Pix2PixTraining(
        out=tmp_path / "run",
        minutes=10,
        steps=2,
        recipes=(str(recipe),),
        batch=2,
        validation_batches=1,
        generator=GeneratorConfig(channels=(8, 16, 16), down_dropout=1, up_dropout=1),
        discriminator=DiscriminatorConfig(channels=(8, 16)),
    )


@pytest.fixture
def samples(options: Pix2PixTraining) -> Samples:
    recipe = read_recipe(options.recipes[0])
    batch = collate(recipe, [draw_sample(recipe, 3, i) for i in range(4)])
    made = render(batch)
    return Samples(*(torch.as_tensor(getattr(made, name)) for name in Samples.__dataclass_fields__))


@pytest.fixture
def planes(samples: Samples) -> Planes:
    return Planes(*(plane.float() for plane in Planes.of(samples)))


@pytest.fixture
def gans(options: Pix2PixTraining) -> ParallelGans:
    torch.manual_seed(0)
    return build(options)


def build(options: Pix2PixTraining) -> ParallelGans:
    return ParallelGans(options, Fabric(accelerator="cpu", devices=1), [read_recipe(options.recipes[0])])


def weights(*networks: nn.Module) -> list[Tensor]:
    return [p.detach().clone() for network in networks for p in network.parameters()]


def same(before: list[Tensor], after: list[Tensor]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(before, after, strict=True))


@contextmanager
def inputs_of(network: nn.Module) -> Iterator[list[tuple[Tensor, ...]]]:
    """Remember what a network is given."""
    seen: list[tuple[Tensor, ...]] = []
    handle = network.register_forward_pre_hook(lambda _, args: seen.append(args))
    yield seen
    handle.remove()


# The losses, by hand ---------------------------------------------------------------------------------------


def test_discriminator_loss_by_hand() -> None:
    # Truth: (0.5^2 + 0^2) / 2 = 0.125; generated: (1^2 + 0.2^2) / 2 = 0.52; half of the sum.
    loss = discriminator_loss(torch.tensor([0.5, 1.0]), torch.tensor([-1.0, 0.2]))
    assert float(loss) == pytest.approx(0.3225)


def test_generator_loss_by_hand() -> None:
    # Verdicts: (0.5^2 + 1^2) / 2 = 0.625; L1: (0.1 + 0.3) / 2 = 0.2, times 100.
    loss = generator_loss(torch.tensor([0.5, 0.0]), torch.tensor([0.1, -0.5]), torch.tensor([0.0, -0.2]), 100.0)
    assert float(loss) == pytest.approx(20.625)


def test_losses_vanish_for_the_perfect_player() -> None:
    truth = torch.randn(3)
    assert float(discriminator_loss(torch.ones(3), torch.zeros(3))) == 0
    assert float(generator_loss(torch.ones(3), truth, truth, 100.0)) == 0
    assert float(product_loss((truth, truth), (truth, truth))) == 0


@pytest.mark.parametrize(
    ("form", "order", "expected"), [(-1, -1, -1), (1, 1, 7), (-1, 1, 1), (0, 0, 2), (0.5, -0.5, 1.75)]
)
def test_product_of_shifted_planes_by_hand(form: float, order: float, expected: float) -> None:
    assert float(product(torch.tensor(form), torch.tensor(order))) == pytest.approx(expected)


def test_product_loss_by_hand() -> None:
    # Products 2 and 1.75 against 1.5 and -1: differences 0.5 (small: 0.5^2 / 2) and 2.75 (large: 2.75 - 0.5).
    generated = (torch.tensor([0.0, 0.5]), torch.tensor([0.0, -0.5]))
    truth = (torch.tensor([-0.25, -1.0]), torch.tensor([0.0, -1.0]))
    assert float(product_loss(generated, truth)) == pytest.approx((0.125 + 2.25) / 2)


# Who sees what ---------------------------------------------------------------------------------------------


def test_gaps_are_at_the_lower_bound_and_nothing_else_changes(samples: Samples, planes: Planes) -> None:
    measured = samples.measured[:, None]
    assert 0 < measured.float().mean() < 1
    assert bool((planes.spoiled[~measured] == -1).all())
    # The paper's recipe adds no noise: what is measured is the clean plane.
    torch.testing.assert_close(planes.spoiled[measured], planes.clean[measured])
    highest = samples.clean.amax(dim=(-2, -1), keepdim=True)
    expected = 2 * torch.sqrt(samples.clean / highest) - 1
    torch.testing.assert_close(planes.clean[:, 0], expected.float(), rtol=0, atol=1e-5)


def test_generators_see_spoiled_planes_and_discriminators_clean_ones(gans: ParallelGans, planes: Planes) -> None:
    for index, name in enumerate(COMPONENTS):
        gan, truth = gans.gans[name], planes.truth[:, index : index + 1]
        with inputs_of(gan.plain_generator) as given, inputs_of(gan.plain_discriminator) as judged:
            gan.play(planes.spoiled, planes.clean, truth)
        assert [torch.equal(*args, planes.spoiled) for args in given] == [True]
        (both, conditions), (generated, condition) = judged
        torch.testing.assert_close(both[:4], truth)
        assert torch.equal(both[4:], generated)
        assert torch.equal(conditions, torch.cat([planes.clean, planes.clean]))
        assert torch.equal(condition, planes.clean)


# Who learns when -------------------------------------------------------------------------------------------


def test_generator_is_frozen_while_its_discriminator_trains(gans: ParallelGans, planes: Planes) -> None:
    gan = gans.gans["I_FF"]
    maker, critic = weights(gan.plain_generator), weights(gan.plain_discriminator)
    generated = gan.generator(planes.spoiled).detach()
    gan.train_discriminator(generated, planes.clean, planes.truth[:, :1])
    assert same(maker, weights(gan.plain_generator))
    assert not same(critic, weights(gan.plain_discriminator))


def test_discriminator_is_frozen_while_its_generator_trains(gans: ParallelGans, planes: Planes) -> None:
    gan = gans.gans["I_SRO"]
    maker, critic = weights(gan.plain_generator), weights(gan.plain_discriminator)
    gan.train_generator(gan.generator(planes.spoiled), planes.clean, planes.truth[:, 1:])
    assert not same(maker, weights(gan.plain_generator))
    assert same(critic, weights(gan.plain_discriminator))
    assert all(p.grad is None and p.requires_grad for p in gan.plain_discriminator.parameters())


def test_product_step_trains_both_generators_and_no_discriminator(gans: ParallelGans, planes: Planes) -> None:
    before = {name: weights(module) for name, module in gans.modules.items()}
    gans.train_product(planes.spoiled, planes.truth)
    changed = {name for name, module in gans.modules.items() if not same(before[name], weights(module))}
    assert changed == {"generator_I_FF", "generator_I_SRO"}


def test_product_step_follows_the_product_of_the_truths(
    gans: ParallelGans, planes: Planes, monkeypatch: pytest.MonkeyPatch
) -> None:
    for gan, answer in zip(gans.gans.values(), (-0.5, 0.25), strict=True):
        monkeypatch.setattr(gan, "generator", Constant(answer))
    loss = gans.train_product(planes.spoiled, planes.truth)
    form, order = planes.truth[:, 0], planes.truth[:, 1]
    difference = ((form + 2) * (order + 2) - (2 - 0.5) * (2 + 0.25)).abs()
    expected = torch.where(difference < 1, difference**2 / 2, difference - 0.5).mean()
    assert loss == pytest.approx(float(expected), rel=1e-5)


class Constant(nn.Module):
    """A generator that has one answer to everything."""

    def __init__(self, answer: float) -> None:
        super().__init__()
        self.answer = nn.Parameter(torch.tensor(answer))

    def forward(self, plane: Tensor) -> Tensor:
        return self.answer.expand_as(plane)


def test_training_on_one_batch_lowers_its_l1(options: Pix2PixTraining, planes: Planes) -> None:
    torch.manual_seed(0)
    gans = build(replace(options, learning_rate=1e-3))

    def l1() -> Tensor:
        return (gans.generate(planes.spoiled) - planes.truth).abs().mean(dim=(0, -2, -1))

    before = l1()
    for _ in range(40):
        losses = gans.iterate(planes)
    assert bool((l1() < 0.8 * before).all())
    assert set(losses) == {
        "product",
        *(f"{c}/{loss}" for c in COMPONENTS for loss in ("discriminator", "generator", "l1")),
    }
    assert all(math.isfinite(value) for value in losses.values())


# Validation and picture ------------------------------------------------------------------------------------


def test_validation_scores_both_components_and_repeats_itself(gans: ParallelGans) -> None:
    scores = gans.validate()
    assert set(scores) == {"tiny/I_FF", "tiny/I_SRO"}
    assert scores == gans.validate()
    assert all(gan.plain_generator.training for gan in gans.gans.values())


def test_dropout_at_inference_is_off_unless_asked_for(options: Pix2PixTraining, planes: Planes) -> None:
    def repeats(gans: ParallelGans) -> bool:
        return torch.equal(gans.generate(planes.spoiled), gans.generate(planes.spoiled))

    assert repeats(build(options))
    assert not repeats(build(replace(options, dropout_at_inference=True)))


def test_picture_shows_input_and_truth_where_it_says(gans: ParallelGans) -> None:
    picture = gans.picture()
    assert picture.shape == (4 * 32, 5 * 32)
    planes = next(gans._validation(gans.recipes[0]))
    tiles = picture.reshape(4, 32, 5, 32).transpose(1, 2).flip(-2) * 2 - 1
    torch.testing.assert_close(tiles[:, 0], planes.spoiled[:4, 0])
    torch.testing.assert_close(tiles[:, 2], planes.truth[:4, 0])
    torch.testing.assert_close(tiles[:, 4], planes.truth[:4, 1])


# Sessions --------------------------------------------------------------------------------------------------


def test_a_resumed_training_is_the_uninterrupted_one(options: Pix2PixTraining, tmp_path: Path) -> None:
    whole = train_pix2pix(replace(options, out=tmp_path / "whole", steps=4))
    train_pix2pix(options)
    parts = train_pix2pix(replace(options, steps=4))
    assert read_record(parts)["step"] == 4
    assert len(read_record(parts)["scores"]) == 2
    assert_same_tensors(whole, parts)


def assert_same_tensors(one: Path, other: Path) -> None:
    from safetensors.torch import load_file

    expected, found = load_file(one), load_file(other)
    assert set(expected) == set(found)
    assert any(name.startswith("optimizer/discriminator_I_SRO/") for name in expected)
    assert all(torch.equal(expected[name], found[name]) for name in expected)


def test_resuming_a_finished_training_changes_no_weight(options: Pix2PixTraining, tmp_path: Path) -> None:
    first = train_pix2pix(options)
    kept = tmp_path / "kept.safetensors"
    kept.write_bytes(first.read_bytes())
    assert_same_tensors(kept, train_pix2pix(options))


def test_minutes_count_all_sessions(options: Pix2PixTraining) -> None:
    path = train_pix2pix(options)
    spent = read_record(path)["minutes"]
    assert spent > 0
    assert read_record(train_pix2pix(replace(options, steps=0, minutes=spent / 2)))["step"] == 2


def test_record_and_log_tell_how_it_was_made(options: Pix2PixTraining, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "LOG_EVERY", 2)
    record = read_record(train_pix2pix(options))
    assert record["task"] == "pix2pix"
    assert record["options"]["l1_weight"] == 100.0
    assert record["recipes"][0]["pixels"] == 32
    assert set(record["scores"][0]) == {"step", "minutes", "tiny/I_FF", "tiny/I_SRO"}
    assert (options.out / "progress.json").is_file()
    assert scalars(options.out) >= {"loss/I_FF/discriminator", "loss/product", "validation/tiny/I_SRO"}


def scalars(out: Path) -> set[str]:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(out / "tensorboard")).Reload()
    assert events.Tags()["images"] == ["validation"]
    return set(events.Tags()["scalars"])


def test_published_settings_are_the_default() -> None:
    options = Pix2PixTraining()
    assert (options.learning_rate, options.betas, options.l1_weight) == (2e-4, (0.5, 0.999), 100.0)
    assert options.recipes == ("paper",)
    assert 32 <= options.batch <= 64
    assert (options.generator, options.discriminator) == (GeneratorConfig(), DiscriminatorConfig())


def test_a_batch_too_small_for_its_recipes_is_refused(options: Pix2PixTraining) -> None:
    with pytest.raises(ValueError, match="give --batch 2 or more"):
        train_pix2pix(replace(options, recipes=options.recipes * 2, batch=1))


def test_update_joins_the_samples_of_all_recipes(
    gans: ParallelGans, samples: Samples, planes: Planes, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[Planes] = []
    monkeypatch.setattr(gans, "iterate", given.append)
    batch = cast(DrawBatch, None)  # planes alone are learned from
    gans.update([(batch, samples), (batch, samples)], Progress())
    assert [joined.truth.shape for joined in given] == [(8, 2, 32, 32)]
    torch.testing.assert_close(given[0].spoiled[4:].float(), planes.spoiled)
