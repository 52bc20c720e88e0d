"""Learning from what an average is sure of."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning_fabric import Fabric
from safetensors.torch import load_file

from unscatter.nn.relationnet import RelationNetConfig
from unscatter.train.commands import train_classify_commands
from unscatter.train.powder.classification import level_log_probabilities, make_level
from unscatter.train.powder.classify import load_classifier
from unscatter.train.powder.fixmatch import FixMatch, FixMatchTraining, consistency_loss, train_fixmatch
from unscatter.train.powder.partly_labelled import PartlyLabelled, PartlyLabelledStream
from unscatter.train.powder.patterns import PatternSource
from unscatter.train.session import Place, Progress
from unscatter.weights import find_weights

torch.set_num_threads(1)

TINY = RelationNetConfig(width=16, blocks=1, patch_width=8, folded_width=8, kept_width=4)
LEVELS = [(make_level("group-230"), 1.0), (make_level("bravais-14"), 0.3)]


@pytest.fixture
def options(structures: Path, tmp_path: Path) -> FixMatchTraining:
    return FixMatchTraining(
        out=tmp_path / "fixmatch",
        structures=(structures,),
        split="random",
        fractions=(0.6, 0.2, 0.2),
        recipes=("paper",),
        labelled=0.2,
        start="",
        minutes=10,
        steps=2,
        batch=4,
        validation_samples=6,
        network=TINY,
    )


def build(options: FixMatchTraining) -> FixMatch:
    torch.manual_seed(0)
    return FixMatch(options, PatternSource(options, "network"), Fabric(accelerator="cpu", devices=1))


def first_batch(training: FixMatch) -> PartlyLabelled:
    stream = PartlyLabelledStream(training.classifier.source)
    return next(stream.batches(Place(0, 0, 1, torch.device("cpu"))))


def test_nothing_is_taught_where_the_teacher_is_not_sure() -> None:
    logits = torch.randn(8, 230, requires_grad=True)
    loss, sure = consistency_loss(logits, torch.zeros(8, 230), LEVELS, 0.8)
    assert loss == 0
    assert sure == {"group-230": 0.0, "bravais-14": 0.0}


def test_a_teacher_sure_of_the_lattice_alone_teaches_the_lattice_alone() -> None:
    groups = make_level("bravais-14").of_logit
    # All groups of one lattice alike: of one lattice it is sure, of no group.
    taught = 20.0 * (groups == 3).float().expand(5, -1)
    logits = torch.randn(5, 230, requires_grad=True)
    loss, sure = consistency_loss(logits, taught, LEVELS, 0.8)
    assert sure == {"group-230": 0.0, "bravais-14": 1.0}
    expected = -0.3 * level_log_probabilities(logits, LEVELS[1][0])[:, 3].mean()
    torch.testing.assert_close(loss, expected)


def test_an_unsure_pattern_counts_as_nothing_not_as_absent() -> None:
    taught = torch.zeros(4, 230)
    taught[0, 61] = 50.0
    logits = torch.randn(4, 230)
    loss, _ = consistency_loss(logits, taught, LEVELS[:1], 0.8)
    torch.testing.assert_close(loss, -logits.log_softmax(-1)[0, 61] / 4)


def test_teacher_without_average_is_refused(options: FixMatchTraining) -> None:
    with pytest.raises(ValueError, match="give --average"):
        build(replace(options, average=0.0))


def test_labels_of_unlabelled_patterns_are_nowhere(options: FixMatchTraining) -> None:
    batch = first_batch(build(options))
    assert isinstance(batch.unlabelled, torch.Tensor)
    assert batch.unlabelled.shape == (4, 3, 4096)
    assert len(batch.labelled.labels) == 4


def test_unlabelled_patterns_change_the_weights_only_where_the_teacher_is_sure(options: FixMatchTraining) -> None:
    def weights(confidence: float, unlabelled: float) -> torch.Tensor:
        training = build(replace(options, confidence=confidence))
        batch = first_batch(training)
        torch.manual_seed(1)
        noise = torch.rand_like(batch.unlabelled)
        training.update(batch._replace(unlabelled=batch.unlabelled * (1 - unlabelled) + unlabelled * noise), Progress())
        return training.classifier.plain.classifier.weight.detach().clone()

    torch.testing.assert_close(weights(1.0, 0.0), weights(1.0, 1.0), rtol=0, atol=0)
    assert not torch.equal(weights(0.0, 0.0), weights(0.0, 1.0))


def test_a_resumed_training_is_the_uninterrupted_one(options: FixMatchTraining, tmp_path: Path) -> None:
    options = replace(options, cosine=False)
    whole = load_file(train_fixmatch(replace(options, out=tmp_path / "whole")))
    train_fixmatch(replace(options, steps=1))
    parts = load_file(train_fixmatch(options))
    for name, tensor in whole.items():
        torch.testing.assert_close(parts[name], tensor, rtol=0, atol=0)


def test_its_checkpoint_is_that_of_a_classifier(options: FixMatchTraining) -> None:
    network, record = load_classifier(train_fixmatch(options))
    assert (record["task"], record["method"], record["network"]) == ("classify", "fixmatch", "relationnet")
    assert record["learned_from"]["labelled"] == 12
    assert not network.training


def test_where_everything_has_its_label_it_learns_as_from_labels_alone(
    options: FixMatchTraining, capsys: pytest.CaptureFixture[str]
) -> None:
    _, record = load_classifier(train_fixmatch(replace(options, labelled=1.0)))
    assert record["method"] == "supervised"
    assert "learning from labels alone" in capsys.readouterr().out


def test_the_usual_training_begins_with_the_shipped_weights(structures: Path, by_prototype: dict[str, Any]) -> None:
    options = FixMatchTraining(structures=(structures,), labelled=0.2, batch=4)
    with pytest.raises(ValueError, match="may have learned from"):
        build(replace(options, **by_prototype))
    # By the fractions of the shipped weights five structure types leave a part empty, so they are told otherwise.
    source = PatternSource(replace(options, **by_prototype), "network")
    source.options = options
    training = FixMatch(options, source, Fabric(accelerator="cpu", devices=1))
    shipped = load_file(find_weights("group-230").path("group-230.safetensors"))
    for module in training.modules.values():
        for name, tensor in module.state_dict().items():
            torch.testing.assert_close(tensor, shipped[name], rtol=0, atol=0)


def test_the_usual_method_learns_from_unlabelled_patterns_with_our_network() -> None:
    def told(network: str, method: str) -> str:
        return train_classify_commands(network, method)["classify"].__doc__ or ""

    assert told("", "") == told("relationnet", "fixmatch") != told("relationnet", "supervised")
    assert told("resnet1d", "") == told("resnet1d", "supervised") != told("resnet1d", "sgan")


@pytest.mark.parametrize(
    ("network", "method", "advice"),
    [
        ("resnet", "", "no network 'resnet': type --network relationnet or --network resnet1d or"),
        ("", "mixmatch", "no method 'mixmatch': type --method fixmatch or --method supervised"),
        ("resnet1d", "fixmatch", "type --network relationnet, or --method supervised or --method sgan"),
    ],
)
def test_what_cannot_be_trained_is_told_with_what_can(network: str, method: str, advice: str) -> None:
    with pytest.raises(ValueError, match=advice):
        train_classify_commands(network, method)
