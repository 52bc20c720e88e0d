"""Which structures keep their label: how many, nested, at random, and nothing of the others is learned."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric

from unscatter.nn.resnet1d import ResNet1dConfig
from unscatter.train.checkpoint import read_record
from unscatter.train.powder.classify import ClassifierTraining, ResNetTraining, recorded_options, train_classify
from unscatter.train.powder.labels import part_labels
from unscatter.train.powder.patterns import PatternSource, PatternStream
from unscatter.train.session import Place, Progress

torch.set_num_threads(1)

TRAINING = np.arange(3, 903)
STRUCTURES = 1000


@pytest.fixture
def resnet(structures: Path, tmp_path: Path) -> ResNetTraining:
    return ResNetTraining(
        out=tmp_path / "resnet",
        structures=(structures,),
        fractions=(0.6, 0.2, 0.2),
        minutes=10,
        steps=1,
        batch=4,
        validation_samples=6,
        network=ResNet1dConfig(channels=(8, 8, 8, 8), blocks=1),
    )


@pytest.mark.parametrize("share", [0.05, 0.1, 0.25, 0.5])
def test_the_paper_counts_in_all_structures(share: float) -> None:
    parts = part_labels(TRAINING, STRUCTURES, share)
    # Section 2.4.4: 5 % labelled leave 85 % unlabelled beside a test set of 10 %.
    assert len(parts.labelled) == round(share * STRUCTURES)
    assert len(parts.unlabelled) == round((0.9 - share) * STRUCTURES)
    np.testing.assert_array_equal(np.sort(np.concatenate(parts)), TRAINING)


def test_smaller_parts_lie_in_larger_ones() -> None:
    parts = [part_labels(TRAINING, STRUCTURES, share, seed=3).labelled for share in (0.05, 0.1, 0.25, 0.5, 1)]
    for smaller, larger in pairwise(parts):
        assert np.isin(smaller, larger).all()
        assert len(smaller) < len(larger)


def test_all_labels_leave_the_training_part_as_it_is() -> None:
    parts = part_labels(TRAINING, STRUCTURES, 1.0)
    np.testing.assert_array_equal(parts.labelled, TRAINING)
    assert len(parts.unlabelled) == 0


def test_the_choice_is_a_pure_function_of_the_seed_and_spread_evenly() -> None:
    one, again, other = (part_labels(TRAINING, STRUCTURES, 0.25, seed).labelled for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, other)
    # Half of 250 draws in the first half of the rows, give or take 4.5 s.d. of some 6.7.
    assert abs(np.sum(one < TRAINING[450]) - 125) < 30


@pytest.mark.parametrize("share", [0, -0.1, 1.1])
def test_a_share_that_cannot_be_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="give --labelled"):
        part_labels(TRAINING, STRUCTURES, share)


def test_supervised_training_sees_labelled_rows_alone(resnet: ResNetTraining) -> None:
    source = PatternSource(replace(resnet, labelled=0.05), "instrument")
    assert (len(source.labelled), len(source.unlabelled), len(source.split.training)) == (3, 33, 36)
    # The recipe takes cells as they are, so that they tell which structure was drawn.
    batches = PatternStream(source).batches(Place(0, 0, 1, torch.device("cpu")))
    seen = torch.cat([next(batches).cell[:, 1] for _ in range(3)])
    known = np.sort(np.log(source.crystals.cells[source.labelled][:, 0]))
    np.testing.assert_allclose(np.unique(seen), known, atol=1e-6)


def test_counts_and_weights_are_of_labelled_rows(resnet: ResNetTraining) -> None:
    some = PatternSource(replace(resnet, labelled=0.25, draw_balance=0.5), "instrument")
    groups = some.crystals.space_group[some.labelled]
    np.testing.assert_array_equal(some.label_counts(), np.bincount(groups - 1, minlength=230))
    counts, ratio = some.label_counts(), some.oversampling()
    present = counts > 0
    expected = counts[present] ** -0.5 * counts.sum() / np.sum(counts[present] ** 0.5)
    np.testing.assert_allclose(ratio[present], expected)
    assert np.isin(some.held_out("training", 5), some.labelled).all()


def test_validation_and_test_are_whole_and_the_same(resnet: ResNetTraining) -> None:
    few, all_of_them = (PatternSource(replace(resnet, labelled=share), "instrument") for share in (0.05, 1.0))
    for part in ("validation", "test"):
        np.testing.assert_array_equal(getattr(few.split, part), getattr(all_of_them.split, part))


def test_labels_of_other_rows_change_nothing(resnet: ResNetTraining) -> None:
    weights, options = [], replace(resnet, labelled=0.25, draw_balance=0.5)
    for swapped in (False, True):
        source = PatternSource(options, "instrument")
        if swapped:
            groups = source.crystals.space_group.copy()
            groups[source.unlabelled] = 2
            source.crystals.space_group = groups
        training = _build(options, source)
        batches = PatternStream(source).batches(Place(0, 0, 1, torch.device("cpu")))
        training.update(next(batches), Progress())
        weights.append(training.plain.state_dict())
    assert all(torch.equal(one, weights[1][name]) for name, one in weights[0].items())


def test_the_record_says_how_many_labels_were_seen(resnet: ResNetTraining) -> None:
    record = read_record(train_classify(replace(resnet, labelled=0.25, label_seed=4)))
    assert record["learned_from"] == {"labelled": 15, "unlabelled": 21, "known_structures": 36}
    again = recorded_options(record)
    assert (again.labelled, again.label_seed) == (0.25, 4)
    del record["options"]["labelled"], record["options"]["label_seed"]
    assert recorded_options(record).labelled == 1.0


def _build(options: ResNetTraining, source: PatternSource) -> ClassifierTraining:
    torch.manual_seed(0)
    return ClassifierTraining(options, source, Fabric(accelerator="cpu", devices=1))
