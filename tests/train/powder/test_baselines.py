"""Baselines: they know what they should, and no more."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from unscatter.powder.pattern.channels import network_axis
from unscatter.train.powder.baselines import (
    BaselineOptions,
    coarse,
    forest,
    line_positions,
    most_frequent,
    nearest_neighbour,
    score_baselines,
)
from unscatter.train.powder.patterns import PatternOptions, Patterns, PatternSource

torch.set_num_threads(1)

#: ln(1/d) of the lines of three kinds of crystal, less that of the first, and their heights.
KINDS = {
    0: ([0.0, 0.14, 0.49, 0.65, 0.69], [1.0, 0.3, 0.6, 0.2, 0.4]),
    1: ([0.0, 0.35, 0.55, 0.69, 0.80], [0.7, 1.0, 0.2, 0.5, 0.1]),
    2: ([0.0, 0.05, 0.28, 0.40, 0.77], [0.2, 0.9, 1.0, 0.4, 0.6]),
}


def pattern(kind: int, first: float, weaker: float = 1.0) -> Tensor:
    """Channels (3, 4096) of a crystal whose first line lies at d = `first` Angstrom."""
    axis = -np.log(network_axis())
    shifts, heights = KINDS[kind]
    lines = np.exp(-0.5 * ((axis - (np.array(shifts) - np.log(first))[:, None]) / 0.004) ** 2)
    intensity = (np.array(heights)[:, None] ** weaker * lines).sum(0)
    intensity = intensity / intensity.max()
    logarithm = np.log1p(100 * intensity) / np.log1p(100)
    return torch.as_tensor(np.stack([intensity, logarithm, np.ones(4096)]), dtype=torch.float32)


def patterns(firsts: list[float]) -> Patterns:
    labels = [kind for kind in KINDS for _ in firsts]
    inputs = torch.stack([pattern(kind, first) for kind in KINDS for first in firsts])
    return Patterns(inputs, torch.tensor(labels), torch.zeros(len(labels), 4))


def test_most_frequent_ranks_by_frequency() -> None:
    logits = most_frequent(np.array([3, 0, 7]), 4)
    assert logits.shape == (4, 3)
    assert logits[0].argsort(descending=True).tolist() == [2, 0, 1]
    torch.testing.assert_close(logits[1, [0, 2]].exp(), torch.tensor([0.3, 0.7]))


@pytest.mark.parametrize("first", [3.0, 3.6, 4.4, 4.9])
def test_a_neighbour_is_known_in_another_size(first: float) -> None:
    known = patterns([4.0])
    asked = torch.stack([pattern(kind, first, weaker=1.3) for kind in KINDS])
    logits = nearest_neighbour(known, asked, classes=5)
    assert logits.argmax(1).tolist() == [0, 1, 2]
    # Classes that are not known come last.
    assert bool((logits[:, 3:] < logits[:, :3].amin(1, keepdim=True)).all())


def test_likeness_of_a_pattern_to_itself_is_one() -> None:
    known = patterns([4.0])
    logits = nearest_neighbour(known, known.inputs, classes=3) / 1000
    torch.testing.assert_close(logits.diagonal(), torch.ones(3), rtol=0, atol=1e-4)
    assert bool((logits - torch.eye(3)).fill_diagonal_(0).amax() < 0.9)


def test_a_neighbour_beyond_the_furthest_shift_is_a_stranger() -> None:
    known = patterns([2.5])
    # A cell of three times the size is another crystal, not a stretched one.
    logits = nearest_neighbour(known, pattern(0, 7.5)[None], classes=3)
    assert logits.max() < 800


def test_coarse_patterns_are_blind_to_what_was_not_measured() -> None:
    inputs = pattern(0, 4.0)[None].clone()
    inputs[:, 2, :1000] = 0
    spoiled = inputs.clone()
    spoiled[:, 1, :1000] = 0.7
    torch.testing.assert_close(coarse(inputs), coarse(spoiled))
    assert float(coarse(inputs).norm()) == pytest.approx(1, abs=1e-5)
    assert float(coarse(inputs).sum()) == pytest.approx(0, abs=1e-3)


def test_positions_are_those_of_the_lines() -> None:
    positions = line_positions(torch.stack([pattern(kind, 4.0) for kind in KINDS]))
    assert positions.shape == (3, 20)
    np.testing.assert_allclose(positions[:, 0], 0.25, rtol=2e-3)
    for kind, (shifts, _) in KINDS.items():
        np.testing.assert_allclose(positions[kind, 1:5], shifts[1:], atol=2e-3)
        # What is missing lies beyond the axis.
        assert np.all(positions[kind, 5:] > 3)


def test_ratios_forget_the_size_of_the_cell() -> None:
    one, other = line_positions(torch.stack([pattern(1, 4.0), pattern(1, 3.1)]))
    np.testing.assert_allclose(one[1:], other[1:], atol=2e-3)
    assert other[0] / one[0] == pytest.approx(4.0 / 3.1, rel=2e-3)


def test_a_flat_pattern_has_no_lines() -> None:
    flat = torch.zeros(1, 3, 4096)
    assert np.all(np.isfinite(line_positions(flat)))


def test_a_forest_learns_ratios_of_lines() -> None:
    known = patterns(np.linspace(3, 6, 8).tolist())
    logits = forest(known, torch.stack([pattern(kind, 4.13) for kind in KINDS]), classes=5, trees=30)
    assert logits.argmax(1).tolist() == [0, 1, 2]
    assert bool(torch.isfinite(logits).all())


def test_all_baselines_stand_in_one_table(structures: Path) -> None:
    options = PatternOptions(structures=(structures,), recipes=("paper",), split="random", fractions=(0.6, 0.2, 0.2))
    rows = score_baselines(PatternSource(options, "network"), BaselineOptions(trees=20))
    assert [row.name for row in rows] == ["most frequent class", "nearest of 36", "forest on 20 lines"]
    assert {(row.recipe, row.split, row.samples) for row in rows} == {("paper", "random test", 12)}
    frequent, nearest, trees = (row.scores["group-230/top-1"] for row in rows)
    # Five kinds of crystal that differ in little but their cells: lines tell, frequency does not.
    assert frequent < 0.5
    assert nearest > frequent
    assert trees > frequent
