"""Learning without labels: views of one pattern are told from those of others, and a classifier begins with that."""

from __future__ import annotations

import math
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning_fabric import Fabric

from unscatter.nn.relationnet import RelationNetConfig
from unscatter.train.checkpoint import read_module, read_record
from unscatter.train.powder.classify import ClassifierTraining, RelationNetTraining, load_classifier, train_classify
from unscatter.train.powder.contrast import Contrast, ContrastTraining, contrast_loss, found_partners, train_contrast
from unscatter.train.powder.patterns import PatternSource, PatternStream
from unscatter.train.session import Place, Progress

torch.set_num_threads(1)

NETWORK = RelationNetConfig(width=16, blocks=1, patch_width=8, folded_width=8, kept_width=4)


@pytest.fixture
def options(structures: Path, tmp_path: Path) -> ContrastTraining:
    return ContrastTraining(
        out=tmp_path / "contrast",
        structures=(structures,),
        split="random",
        fractions=(0.6, 0.2, 0.2),
        recipes=("paper",),
        minutes=10,
        steps=2,
        batch=8,
        validation_samples=6,
        network=NETWORK,
    )


def test_views_alike_in_pairs_and_orthogonal_to_all_others_have_the_loss_of_that() -> None:
    pairs = torch.eye(5).repeat(2, 1)
    similarity = pairs @ pairs.T
    # exp(1 / T) against eight others of exp(0).
    expected = -math.log(math.exp(2) / (math.exp(2) + 8))
    assert float(contrast_loss(similarity, 0.5)) == pytest.approx(expected)
    assert found_partners(similarity) == 1


def test_partners_that_are_least_alike_are_not_found() -> None:
    similarity = torch.ones(6, 6) - torch.eye(6).roll(3, 0)
    assert found_partners(similarity) == 0


def test_views_of_a_batch_are_told_apart_better_with_every_step(options: ContrastTraining) -> None:
    alone = replace(NETWORK, dropout=0)
    options = replace(options, steps=0, warm_up=0, learning_rate=3e-3, network=alone)
    torch.manual_seed(0)
    training = Contrast(options, PatternSource(options, "network"), Fabric(accelerator="cpu", devices=1))
    batch = next(PatternStream(training.source).batches(Place(0, 0, 1, torch.device("cpu"))))
    losses = [training.update(batch, Progress(step))["contrast"] for step in range(60)]
    assert sum(losses[-5:]) < 0.9 * sum(losses[:5])


def test_a_classifier_begins_with_what_was_seen_and_with_heads_of_its_own(
    options: ContrastTraining, structures: Path, tmp_path: Path
) -> None:
    checkpoint = train_contrast(options)
    seen = read_module(checkpoint, "network")
    shared: dict[str, Any] = {
        "structures": (structures,),
        "fractions": options.fractions,
        "recipes": ("paper",),
        "network": NETWORK,
    }
    begun = RelationNetTraining(
        out=tmp_path / "begun", split="random", labels="bravais-14", start=str(checkpoint), **shared
    )
    training = ClassifierTraining(begun, PatternSource(begun, "network"), Fabric(accelerator="cpu", devices=1))
    state = training.plain.state_dict()
    body = [name for name in state if not name.startswith(("classifier.", "cell."))]
    assert len(body) > 20
    for name in body:
        torch.testing.assert_close(state[name], seen[name], rtol=0, atol=0)
    # The second head begins at the mean cell, as in any training.
    assert float(state["cell.bias"][1].exp()) == pytest.approx(4.7, abs=1.0)


def test_it_learns_from_what_has_no_label_and_goes_on_from_where_it_is_told(
    options: ContrastTraining, tmp_path: Path
) -> None:
    first = train_contrast(replace(options, labelled=0.2, warm_up=0))
    assert read_record(first)["learned_from"] == {"labelled": 36, "unlabelled": 0, "known_structures": 36}
    later = replace(options, out=tmp_path / "later", start=str(first), warm_up=0, learning_rate=0.0, weight_decay=0.0)
    second = train_contrast(later)
    name = "profile.gather.weight"
    torch.testing.assert_close(read_module(second, "network")[name], read_module(first, "network")[name])


def test_another_method_does_not_go_on_with_it(options: ContrastTraining) -> None:
    train_contrast(options)
    with pytest.raises(ValueError, match=r"task 'contrast', not 'classify': give another --out"):
        train_classify(RelationNetTraining(**{f.name: getattr(options, f.name) for f in fields(RelationNetTraining)}))


def test_it_cannot_classify(options: ContrastTraining) -> None:
    with pytest.raises(ValueError, match="holds no classifier"):
        load_classifier(train_contrast(options))


def test_it_begins_no_training_that_holds_out_what_it_saw(options: ContrastTraining, tmp_path: Path) -> None:
    checkpoint = train_contrast(options)
    other = RelationNetTraining(
        out=tmp_path / "other",
        structures=options.structures,
        split="random",
        split_seed=1,
        fractions=options.fractions,
        network=NETWORK,
        start=str(checkpoint),
    )
    with pytest.raises(ValueError, match="may have learned from"):
        ClassifierTraining(other, PatternSource(other, "network"), Fabric(accelerator="cpu", devices=1))
