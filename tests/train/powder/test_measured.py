"""Measured patterns to learn from, as a table lists them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from unscatter.io.patterns import read_pattern
from unscatter.powder.classify.classify import pattern_channels
from unscatter.symmetry import label_set
from unscatter.train.powder.measured import MeasuredPatterns, mix, read_measured
from unscatter.train.powder.partly_labelled import PartlyLabelledSet, PartlyLabelledStream
from unscatter.train.powder.patterns import PatternOptions, Patterns, PatternSource

GROUPS = label_set("group-230").of_group


def write_pattern(path: Path, centre: float) -> None:
    two_theta = np.arange(5, 120, 0.1)
    intensity = 1000 * np.exp(-0.5 * ((two_theta - centre) / 0.3) ** 2) + 20
    path.write_text("".join(f"{x:.2f} {y:.3f} {y**0.5:.3f}\n" for x, y in zip(two_theta, intensity, strict=True)))


@pytest.fixture
def table(tmp_path: Path) -> Path:
    for name, centre in (("a.xye", 30), ("b.xye", 50), ("c.xye", 70)):
        write_pattern(tmp_path / name, centre)
    path = tmp_path / "table.csv"
    path.write_text(
        "file,space_group,wavelength_A,radiation\na.xye,62,1.54,neutron\nb.xye,,1.54,neutron\nc.xye,225.0,2.0,neutron\n"
    )
    return path


def test_patterns_are_what_the_network_sees_with_their_labels(table: Path) -> None:
    found = read_measured([table], GROUPS)
    assert found.labels.tolist() == [61, -1, 224]
    expected = pattern_channels(read_pattern(table.parent / "c.xye", wavelength=2.0, radiation="neutron"))
    np.testing.assert_array_equal(found.channels[2], expected.astype(np.float16))


def test_a_group_that_is_not_learned_counts_as_no_label(table: Path) -> None:
    only_cubic = np.where(np.arange(230) >= 194, np.arange(230), -1)
    assert read_measured([table], only_cubic).labels.tolist() == [-1, -1, 224]


def test_what_cannot_be_used_is_warned_of_and_left_out(table: Path) -> None:
    (table.parent / "b.xye").write_text("nothing")
    with pytest.warns(UserWarning, match="left out 1 of 3 measured patterns: b.xye"):
        found = read_measured([table], GROUPS)
    assert found.labels.tolist() == [61, 224]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name\na.xye\n", "expected file, space_group"),
        ("file,space_group\na.xye,231\n", "line 2: no space group has the number 231"),
        ("file,space_group\na.xye,Pnma\n", "line 2.*a number or nothing is expected"),
        ("file,space_group\nnowhere.xye,\n", "none of 1 measured patterns could be used: nowhere.xye"),
    ],
)
def test_a_wrong_table_says_where_and_what(table: Path, text: str, words: str) -> None:
    table.write_text(text)
    with pytest.raises(ValueError, match=words):
        read_measured([table], GROUPS)


def test_labelled_and_unlabelled_are_picked_apart(table: Path) -> None:
    found = read_measured([table], GROUPS)
    assert set(found.pick(50, (1,), labelled=True).labels.tolist()) == {61, 224}
    unlabelled = found.pick(5, (1,), labelled=False)
    assert set(unlabelled.labels.tolist()) == {-1}
    assert unlabelled.cell.isnan().all()
    all_known = MeasuredPatterns(found.channels[[0, 2]], found.labels[[0, 2]])
    assert len(all_known.pick(5, (1,), labelled=False).labels) == 0


def test_a_mixed_batch_keeps_its_size() -> None:
    one = Patterns(torch.zeros(6, 3, 8), torch.arange(6), torch.zeros(6, 4))
    two = Patterns(torch.ones(2, 3, 8), torch.tensor([7, 8]), torch.full((2, 4), torch.nan))
    # From all over the batch, whose halves are of different recipes.
    assert mix(one, two).labels.tolist() == [0, 2, 3, 5, 7, 8]


def test_batches_hold_their_share_of_measured_patterns(structures: Path, table: Path) -> None:
    options = PatternOptions(
        structures=(structures,), split="random", fractions=(0.6, 0.2, 0.2), labelled=0.2, batch=8, seed=3
    )
    source, measured = PatternSource(options, "network"), read_measured([table], GROUPS)
    alone, mixed = PartlyLabelledSet(source, 0)[4], PartlyLabelledSet(source, 0, measured, 0.25)[4]
    assert torch.equal(mixed.labelled.inputs[[0, 5]], alone.labelled.inputs[[0, 7]])
    assert set(mixed.labelled.labels[6:].tolist()) <= {61, 224}
    unlabelled = torch.as_tensor(measured.channels[1]).float()
    assert all(torch.equal(pattern, unlabelled) for pattern in mixed.unlabelled[6:])
    again = PartlyLabelledSet(source, 0, measured, 0.25)[4]
    assert torch.equal(mixed.unlabelled, again.unlabelled)


def test_measured_patterns_alone_may_be_what_has_no_label(structures: Path, table: Path) -> None:
    options = PatternOptions(structures=(structures,), split="random", fractions=(0.6, 0.2, 0.2), batch=8)
    source, measured = PatternSource(options, "network"), read_measured([table], GROUPS)
    with pytest.raises(ValueError, match="give --labelled"):
        PartlyLabelledStream(source)
    batch = PartlyLabelledSet(PartlyLabelledStream(source, measured, 0.5).source, 0, measured, 0.5)[0]
    assert batch.unlabelled.shape == (8, 3, 4096)
