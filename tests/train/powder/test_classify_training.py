"""Classifiers: which patterns they see, that they learn, go on where they stopped, and are shipped as they are."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from lightning_fabric import Fabric
from safetensors.torch import load_file

from unscatter.nn.relationnet import RelationNetConfig
from unscatter.nn.resnet1d import ResNet1dConfig
from unscatter.symmetry import label_set
from unscatter.train.checkpoint import read_record
from unscatter.train.export import export_classify
from unscatter.train.powder.classification import LossOptions
from unscatter.train.powder.classifier_scores import SCORED
from unscatter.train.powder.classify import (
    PUBLISHED_SCRIPTS,
    ClassifierTraining,
    ClassifyTraining,
    RelationNetTraining,
    ResNetTraining,
    learning_rate,
    load_classifier,
    recorded_options,
    train_classify,
)
from unscatter.train.powder.patterns import PatternSource, PatternStream, RowPicker, row_weights
from unscatter.train.session import Place, Progress
from unscatter.weights import describe_card, read_card

torch.set_num_threads(1)

TINY_RELATIONNET = RelationNetConfig(width=16, blocks=1, patch_width=8, folded_width=8, kept_width=4)
TINY_RESNET = ResNet1dConfig(channels=(8, 8, 8, 8), blocks=1)
TENTHS = (0.6, 0.2, 0.2)


@pytest.fixture
def relationnet(structures: Path, tmp_path: Path) -> RelationNetTraining:
    return RelationNetTraining(
        out=tmp_path / "relationnet",
        structures=(structures,),
        split="random",
        fractions=TENTHS,
        minutes=10,
        steps=2,
        batch=4,
        draw_balance=0.5,
        validation_samples=6,
        network=TINY_RELATIONNET,
    )


@pytest.fixture
def resnet(structures: Path, tmp_path: Path) -> ResNetTraining:
    return ResNetTraining(
        out=tmp_path / "resnet",
        structures=(structures,),
        fractions=TENTHS,
        minutes=10,
        steps=2,
        batch=4,
        validation_samples=6,
        network=TINY_RESNET,
    )


def build(options: ClassifyTraining) -> ClassifierTraining:
    torch.manual_seed(0)
    return ClassifierTraining(options, PatternSource(options, options.axis), Fabric(accelerator="cpu", devices=1))


def here(first: int = 0, rank: int = 0) -> Place:
    return Place(first, rank, 1, torch.device("cpu"))


# What is seen ----------------------------------------------------------------------------------------------


def test_unbalanced_rows_come_once_an_epoch() -> None:
    rows = np.arange(100, 117)
    picker = RowPicker(rows, np.ones(17), (1, 0))
    seen = np.concatenate([picker.pick(first, 5) for first in range(0, 85, 5)])
    for epoch in seen.reshape(5, 17):
        assert sorted(epoch.tolist()) == rows.tolist()
    assert not np.array_equal(seen[:17], seen[17:34])


def test_balanced_rows_come_by_the_power_of_their_group() -> None:
    groups = np.repeat([1, 2, 3], [1, 100, 10_000])
    picker = RowPicker(np.arange(len(groups)), row_weights(groups, 0.5), (1, 0))
    seen = np.bincount(groups[picker.pick(0, 20_000)], minlength=4)[1:] / 20_000
    # counts^(1 - 0.5) = 1, 10, 100
    np.testing.assert_allclose(seen, np.array([1, 10, 100]) / 111, atol=0.01)


@pytest.mark.parametrize("balance", [0.0, 0.5])
def test_picks_are_pure_functions_of_their_number(balance: float) -> None:
    groups = np.repeat([1, 2], [30, 70])
    pickers = [RowPicker(np.arange(100), row_weights(groups, balance), (3, 1)) for _ in range(2)]
    pickers[0].pick(0, 250)
    np.testing.assert_array_equal(pickers[0].pick(90, 20), pickers[1].pick(90, 20))
    other = RowPicker(np.arange(100), row_weights(groups, balance), (4, 1))
    assert not np.array_equal(pickers[0].pick(90, 20), other.pick(90, 20))


def test_a_stream_goes_on_from_any_batch(relationnet: RelationNetTraining) -> None:
    source = PatternSource(relationnet, "network")
    whole, later = PatternStream(source).batches(here()), PatternStream(source).batches(here(first=1))
    next(whole)
    for one, other in zip(next(whole), next(later), strict=True):
        assert torch.equal(one, other)
    assert not torch.equal(next(later).inputs, next(PatternStream(source).batches(here(2, rank=1))).inputs)


def test_a_batch_holds_both_recipes_and_training_rows_alone(relationnet: RelationNetTraining) -> None:
    source = PatternSource(relationnet, "network")
    batch = next(PatternStream(source).batches(here()))
    assert batch.inputs.shape == (4, 3, 4096)
    assert batch.cell.shape == (4, 4)
    # The paper's recipe takes cells as they are, so that they tell which structure was drawn.
    cells = np.log(source.crystals.cells[source.split.training][:, 0])
    assert all(np.abs(cells - float(a)).min() < 1e-5 for a in batch.cell[2:, 1])


def test_structures_outside_the_label_set_are_left_out(relationnet: RelationNetTraining) -> None:
    every, some = (
        PatternSource(replace(relationnet, labels=labels), "network") for labels in ("group-230", "group-144")
    )
    assert 16 in every.crystals.space_group[every.split.training]
    groups = some.crystals.space_group[some.split.training]
    assert set(groups.tolist()) == {225, 221, 194, 62}
    counts = some.label_counts()
    assert len(counts) == 144
    assert counts[label_set("group-144").label(62)] == np.sum(groups == 62)


def test_oversampling_is_how_much_more_often_a_label_comes(relationnet: RelationNetTraining) -> None:
    source = PatternSource(relationnet, "network")
    counts, ratio = source.label_counts(), source.oversampling()
    present = counts > 0
    # Rows of n are drawn as n^-0.5 each, so a label as n^0.5 against n.
    expected = counts[present] ** -0.5 * counts.sum() / np.sum(counts[present] ** 0.5)
    np.testing.assert_allclose(ratio[present], expected)
    assert np.all(ratio[~present] == 1)
    even = PatternSource(replace(relationnet, draw_balance=0.0), "network")
    np.testing.assert_allclose(even.oversampling(), 1)


def test_logits_are_for_labels_as_frequent_as_they_are(relationnet: RelationNetTraining) -> None:
    training = build(replace(relationnet, loss=LossOptions(extinction=0, bravais=0, system=0, cell=0)))
    training.plain.eval()
    batch = next(PatternStream(training.source).batches(here()))
    with torch.no_grad():
        logits = training.plain(batch.inputs).logits
    log_ratio = torch.as_tensor(np.log(training.source.oversampling()), dtype=torch.float32)
    expected = torch.nn.functional.cross_entropy(logits + log_ratio, batch.labels)
    assert training.update(batch, Progress())["named"] == pytest.approx(float(expected), rel=1e-4)


def test_held_out_rows_are_chosen_once_and_for_all(relationnet: RelationNetTraining) -> None:
    source = PatternSource(relationnet, "network")
    some = source.held_out("test", 5)
    np.testing.assert_array_equal(some, PatternSource(relationnet, "network").held_out("test", 5))
    assert len(some) == 5
    assert np.isin(some, source.split.test).all()
    np.testing.assert_array_equal(source.held_out("test"), source.split.test)


def test_missing_structures_say_what_to_type() -> None:
    with pytest.raises(ValueError, match="give --structures"):
        train_classify(RelationNetTraining())


# How it is learned -----------------------------------------------------------------------------------------


def test_the_paper_and_its_scripts() -> None:
    paper = ResNetTraining()
    assert (paper.learning_rate, paper.batch, paper.network.dropout, paper.weight_decay) == (1e-4, 64, 0.1, 0)
    assert (paper.recipes, paper.split, paper.draw_balance) == (("paper",), "random", 0)
    assert (PUBLISHED_SCRIPTS.learning_rate, PUBLISHED_SCRIPTS.epsilon) == (1e-3, 1e-4)
    assert (PUBLISHED_SCRIPTS.network.dropout, PUBLISHED_SCRIPTS.network.pool) == (0.05, 1)
    assert paper.build().classifier.out_features == 230
    assert replace(paper, labels="bravais-14").build().classifier.out_features == 14


def test_the_loss_of_the_baseline_is_cross_entropy(resnet: ResNetTraining) -> None:
    training = build(resnet)
    batch = next(PatternStream(training.source).batches(here()))
    with torch.no_grad():
        logits = training.plain.eval()(batch.inputs)
    expected = torch.nn.functional.cross_entropy(logits, batch.labels)
    assert training.update(batch, Progress())["named"] == pytest.approx(float(expected), rel=1e-4)


@pytest.mark.parametrize("kind", ["relationnet", "resnet"])
def test_training_on_one_batch_learns_it(kind: str, request: pytest.FixtureRequest) -> None:
    options = replace(request.getfixturevalue(kind), learning_rate=3e-3, warm_up=0, batch=8, steps=0)
    training = build(options)
    batch = next(PatternStream(training.source).batches(here()))
    first = training.update(batch, Progress())
    for step in range(1, 60):
        last = training.update(batch, Progress(step))
    assert last["named"] < 0.5 * first["named"]


def test_training_on_one_batch_learns_its_cells(relationnet: RelationNetTraining) -> None:
    alone = LossOptions(group=0, extinction=0, bravais=0, system=0, cell=1)
    network = replace(TINY_RELATIONNET, dropout=0)
    training = build(replace(relationnet, learning_rate=3e-3, warm_up=0, batch=8, steps=0, loss=alone, network=network))
    batch = next(PatternStream(training.source).batches(here()))
    losses = [training.update(batch, Progress(step))["cell"] for step in range(40)]
    assert losses[-1] < 0.5 * losses[0]


def test_the_second_head_begins_at_the_mean_cell(relationnet: RelationNetTraining) -> None:
    training = build(relationnet)
    rows = training.source.split.training
    mean = np.log(training.source.crystals.cells[rows][:, 0]).mean()
    assert float(training.plain.cell.bias[1].detach()) == pytest.approx(mean, abs=0.03)  # type: ignore[union-attr]


# torch.export calls what torch itself has deprecated.
@pytest.mark.filterwarnings("ignore:.*LeafSpec:FutureWarning")
def test_training_begins_with_the_weights_that_are_given(
    relationnet: RelationNetTraining, by_prototype: dict[str, Any], tmp_path: Path
) -> None:
    options = replace(relationnet, **by_prototype)
    card = export_classify(train_classify(options), tmp_path / "weights", "mine")
    options = replace(options, start=str(card.with_suffix(".onnx")))
    begun = build(options)
    for name, tensor in load_file(card.with_suffix(".safetensors")).items():
        torch.testing.assert_close(begun.plain.state_dict()[name], tensor, rtol=0, atol=0)
    with pytest.raises(ValueError, match="may have learned from"):
        build(replace(options, fractions=(0.45, 0.25, 0.3)))
    with pytest.raises(ValueError, match="of a network of another shape"):
        build(replace(options, network=replace(TINY_RELATIONNET, width=8)))


def test_a_training_is_not_gone_on_with_as_another(relationnet: RelationNetTraining) -> None:
    train_classify(relationnet)
    with pytest.raises(ValueError, match=r"split_seed 0, now 1.*give another --out"):
        train_classify(replace(relationnet, split_seed=1, steps=3))


def test_spent_minutes_are_told(relationnet: RelationNetTraining, capsys: pytest.CaptureFixture[str]) -> None:
    train_classify(relationnet)
    train_classify(relationnet)
    assert "steps are spent" in capsys.readouterr().out


def test_every_head_learns_what_is_coarser_than_it() -> None:
    loss = LossOptions(group=1, extinction=0.3, bravais=0.2, system=0.1)
    names = {head: {level.name: weight for level, weight in loss.levels(head)} for head in SCORED}
    assert names["group-144"] == {"group-144": 1, "extinction-99": 0.3, "bravais-14": 0.2, "system-7": 0.1}
    # hP is trigonal and hexagonal.
    assert names["bravais-14"] == {"bravais-14": 1}


def test_learning_rate_warms_up_and_falls(relationnet: RelationNetTraining) -> None:
    options = replace(relationnet, warm_up=10, learning_rate=1.0, steps=0)
    rates = [learning_rate(options, Progress(step, minutes)) for step, minutes in ((0, 0), (9, 0), (50, 5), (90, 10))]
    np.testing.assert_allclose(rates, [0.1, 1, 0.5, 0.01])
    # Where steps are limited, whichever limit is nearer counts.
    limited = replace(options, steps=100)
    assert learning_rate(limited, Progress(50, 1)) == pytest.approx(0.5)
    assert learning_rate(limited, Progress(20, 5)) == pytest.approx(0.5)
    constant = replace(options, cosine=False)
    assert learning_rate(constant, Progress(50, 9)) == 1


def test_the_average_follows_the_weights(relationnet: RelationNetTraining) -> None:
    training = build(replace(relationnet, warm_up=0))
    batch = next(PatternStream(training.source).batches(here()))
    before = training.average.classifier.weight.clone()  # type: ignore[union-attr]
    training.update(batch, Progress())
    now = training.plain.classifier.weight  # type: ignore[union-attr]
    # The first step keeps a tenth.
    torch.testing.assert_close(training.average.classifier.weight, before + 0.9 * (now - before))  # type: ignore[union-attr]


@pytest.mark.parametrize("kind", ["relationnet", "resnet"])
def test_validation_repeats_itself_and_lets_training_go_on(kind: str, request: pytest.FixtureRequest) -> None:
    training = build(request.getfixturevalue(kind))
    scores = training.validate()
    assert scores == training.validate()
    assert training.plain.training
    recipes = {"relationnet": ("measured", "paper"), "resnet": ("paper",)}[kind]
    levels = ("bravais-14", "extinction-99", "group-230")
    for recipe in recipes:
        assert {f"{recipe}/{level}/top-5" for level in levels} <= set(scores)
    assert scores["temperature"] > 0


# Sessions and what is shipped ------------------------------------------------------------------------------


def test_a_resumed_training_is_the_uninterrupted_one(relationnet: RelationNetTraining, tmp_path: Path) -> None:
    # The rate falls with the clock, which is never the same twice.
    options = replace(relationnet, cosine=False, steps=3)
    whole = load_file(train_classify(replace(options, out=tmp_path / "whole")))
    train_classify(replace(options, steps=1))
    parts = load_file(train_classify(options))
    assert set(whole) == set(parts)
    assert all(torch.equal(whole[name], parts[name]) for name in whole)


def test_a_checkpoint_is_saved_between_validations(resnet: ResNetTraining, monkeypatch: pytest.MonkeyPatch) -> None:
    class KilledError(Exception):
        pass

    whole_update = ClassifierTraining.update

    def killed(self: ClassifierTraining, batch: object, progress: Progress, /) -> dict[str, float]:
        if progress.step == 3:
            raise KilledError
        return whole_update(self, batch, progress)  # type: ignore[arg-type]

    monkeypatch.setattr(ClassifierTraining, "update", killed)
    with pytest.raises(KilledError):
        train_classify(replace(resnet, steps=9, save_every=0))
    record = read_record(resnet.out / "checkpoint.safetensors")
    assert (record["step"], record["scores"]) == (3, [])


def test_the_record_says_which_patterns_were_seen(relationnet: RelationNetTraining) -> None:
    record = read_record(train_classify(relationnet))
    assert (record["task"], record["network"], record["axis"]) == ("classify", "relationnet", "network")
    assert record["split"] == {"training": 36, "validation": 12, "test": 12}
    assert [recipe["name"] for recipe in record["recipes"]] == ["measured", "paper"]
    again = recorded_options(record)
    assert (again.structures, again.recipes) == (relationnet.structures, relationnet.recipes)
    source = PatternSource(relationnet, "network")
    np.testing.assert_array_equal(PatternSource(again, "network").split.test, source.split.test)


def test_what_is_loaded_is_the_average(relationnet: RelationNetTraining) -> None:
    path = train_classify(relationnet)
    network, _ = load_classifier(path)
    tensors = load_file(path)
    assert not network.training
    for name, value in network.state_dict().items():
        assert torch.equal(value, tensors[f"average/{name}"])
    assert not torch.equal(tensors["average/classifier.weight"], tensors["network/classifier.weight"])


# torch.export calls what torch itself has deprecated.
@pytest.mark.filterwarnings("ignore:.*LeafSpec:FutureWarning")
@pytest.mark.parametrize(("kind", "labels"), [("relationnet", "group-230"), ("resnet", "bravais-14")])
def test_onnx_gives_what_torch_gives(kind: str, labels: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    options = replace(request.getfixturevalue(kind), labels=labels)
    checkpoint = train_classify(options)
    card = read_card(export_classify(checkpoint, tmp_path / "weights", labels, "Crystals of ours, CC BY 4.0"))
    network, record = load_classifier(checkpoint)
    shape = {"relationnet": (3, 4096), "resnet": (1, 3041)}[kind]
    inputs = torch.rand(5, *shape, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        answer = network(inputs)
    expected = {"logits": answer} if kind == "resnet" else {"logits": answer.logits, "cell": answer.cell}
    session = onnxruntime.InferenceSession(str(card.onnx), providers=["CPUExecutionProvider"])
    seen = session.run(list(expected), {"channels": inputs.numpy()})
    for one, other in zip(seen, expected.values(), strict=True):
        np.testing.assert_allclose(one, other.numpy(), atol=1e-4)
    assert seen[0].shape == (5, len(label_set(labels)))
    assert (card.task, card.record["labels"]) == ("classify", labels)
    assert card.record["temperature"] == record["scores"][-1]["temperature"]
    assert card.record["data"] == "Crystals of ours, CC BY 4.0"
    assert any("Jain" in reference for reference in card.cite)
    assert set(load_file(tmp_path / "weights" / f"{labels}.safetensors")) == set(network.state_dict())
    assert labels in describe_card(card)
    assert json.loads((tmp_path / "weights" / f"{labels}.json").read_text())["record"]["axis"] == record["axis"]


def test_another_checkpoint_is_no_classifier(tmp_path: Path) -> None:
    from unscatter.train.checkpoint import save_checkpoint

    save_checkpoint(tmp_path / "c.safetensors", {}, {}, {"task": "factorize"})
    with pytest.raises(ValueError, match="holds no classifier"):
        load_classifier(tmp_path / "c.safetensors")
