"""The report on a classifier: what is scored, that its numbers are those of the answers, and what it shows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from unscatter.nn.relationnet import RelationNetConfig
from unscatter.symmetry import label_set
from unscatter.train.checkpoint import read_record
from unscatter.train.powder.classification import make_level, scores
from unscatter.train.powder.classifier_scores import predict
from unscatter.train.powder.classify import RelationNetTraining, load_classifier, train_classify
from unscatter.train.powder.evaluate import (
    ClassifyEvaluation,
    Row,
    accuracy_table,
    confusion_text,
    evaluate_classify,
    held_out_source,
    level_scores,
    score_checkpoint,
)

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def checkpoint(structures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    network = RelationNetConfig(width=16, blocks=1, patch_width=8, folded_width=8, kept_width=4)
    return train_classify(
        RelationNetTraining(
            out=tmp_path_factory.mktemp("run"),
            structures=(structures,),
            recipes=("measured", "paper"),
            split="random",
            fractions=(0.6, 0.2, 0.2),
            minutes=10,
            steps=2,
            batch=4,
            validation_samples=6,
            network=network,
        )
    )


def test_scores_are_those_of_the_answers_to_the_test_set(checkpoint: Path) -> None:
    report = score_checkpoint(ClassifyEvaluation(checkpoint, recipes=("paper",)))
    network, record = load_classifier(checkpoint)
    source = held_out_source(record, ("paper",))
    made = predict(network, source, source.recipes[0], source.split.test)
    (row,) = report.rows
    assert (row.recipe, row.split, row.samples) == ("paper", "random test", 12)
    assert row.parameters == sum(p.numel() for p in network.parameters())
    assert row.speed is not None
    assert row.speed > 0
    temperature = record["scores"][-1]["temperature"]
    expected = scores(made.logits / temperature, made.labels, [make_level("group-230")])
    for name, value in expected.items():
        assert row.scores[name] == pytest.approx(value)
    torch.testing.assert_close(report.predictions["paper"].logits, made.logits / temperature)


def test_predictions_do_not_depend_on_the_batch(checkpoint: Path) -> None:
    network, record = load_classifier(checkpoint)
    source = held_out_source(record)
    recipe = source.recipes[0]
    one, other = (predict(network, source, recipe, source.split.test, size=size) for size in (5, 64))
    torch.testing.assert_close(one.logits, other.logits, rtol=1e-4, atol=1e-5)
    assert torch.equal(one.labels, other.labels)
    assert one.cell.shape == one.true_cell.shape == (12, 4)


def test_a_report_holds_table_confusion_and_pictures(checkpoint: Path, tmp_path: Path) -> None:
    text = evaluate_classify(ClassifyEvaluation(checkpoint, count=8, out=tmp_path / "pictures"))
    record = read_record(checkpoint)
    for wanted in ("relationnet, group-230", "measured", "paper", "random test", "published, group-144", "aP", "cubic"):
        assert wanted in text
    pictures = {path.name for path in (tmp_path / "pictures").iterdir()}
    names = [recipe["name"] for recipe in record["recipes"]]
    assert pictures == {f"confusion-{level}-{name}.png" for level in ("bravais-14", "system-7") for name in names}
    assert all((tmp_path / "pictures" / name).read_bytes().startswith(b"\x89PNG") for name in pictures)


def test_other_structures_can_be_asked_for(checkpoint: Path, structures: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.h5"
    copy.write_bytes(structures.read_bytes())
    record = read_record(checkpoint)
    assert held_out_source(record, structures=(copy,)).options.structures == (copy,)
    assert held_out_source(record).options.structures == (structures,)


def test_structures_that_may_have_been_learned_from_are_refused(checkpoint: Path, structures: Path) -> None:
    record = read_record(checkpoint)
    with pytest.raises(ValueError, match="may have been learned from"):
        held_out_source(record, structures=(structures, structures))
    # With this seed, each side has some of the five structure types.
    options = {**record["options"], "split": "prototype", "split_seed": 1, "fractions": [0.4, 0.3, 0.3]}
    by_prototype = {**record, "options": options}
    source = held_out_source(by_prototype, structures=(structures, structures))
    twice = source.split.test
    np.testing.assert_array_equal(twice[: len(twice) // 2], twice[len(twice) // 2 :] - 60)


def test_confusion_by_hand() -> None:
    names = label_set("bravais-14").classes
    matrix = np.zeros((14, 14), dtype=np.int64)
    matrix[1, 1], matrix[1, 3] = 3, 1  # mP taken for itself and for oP
    lines = confusion_text(matrix, "bravais-14").splitlines()
    assert lines[0].split() == [*names, "right/%"]
    assert lines[2].split() == ["mP", *map(str, matrix[1].tolist()), "75.0"]
    # No structure, no share.
    assert lines[1].split() == ["aP", *["0"] * 14]


def test_table_shows_per_cent_where_they_belong() -> None:
    row = Row("ours", "paper", "prototype test", 100, {"group-230/top-1": 0.5, "group-230/top-5": 0.75}, 1234, 56.7)
    line = accuracy_table([row], published=False).splitlines()[-1]
    assert line.split() == ["ours", "paper", "prototype", "test", "100", "50.0", "75.0", "1234", "57"]
    head = accuracy_table([row], published=False).splitlines()[0]
    assert line.index("50.0") > head.index("extinction-99")
    assert "88.0" in accuracy_table([row])


@pytest.mark.parametrize(
    ("head", "levels"),
    [
        ("group-230", {"bravais-14", "extinction-99", "group-144", "group-230"}),
        ("group-144", {"bravais-14", "extinction-99", "group-144"}),
        ("bravais-14", {"bravais-14"}),
    ],
)
def test_every_head_is_scored_at_all_levels_it_knows(head: str, levels: set[str]) -> None:
    classes = len(label_set(head))
    labels = torch.arange(classes)
    found = level_scores(30.0 * torch.eye(classes), labels, head)
    assert {name.split("/")[0] for name in found} == levels
    assert all(value == 1 for name, value in found.items() if "top" in name)
    assert all(np.isfinite(value) for value in found.values())


def test_an_untrained_temperature_is_one(checkpoint: Path) -> None:
    from unscatter.train.powder.evaluate import last_temperature

    record = read_record(checkpoint)
    assert last_temperature({**record, "scores": []}) == 1
    assert last_temperature(record) == record["scores"][-1]["temperature"]
