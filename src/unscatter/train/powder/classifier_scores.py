"""What a classifier in training says to held-out patterns, and how right it is at every level."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn

from unscatter.powder.samples.draw import PowderRecipe
from unscatter.train.powder.classification import Level, fit_temperature, make_level, scores
from unscatter.train.powder.patterns import HELD_OUT_SEED, PatternSource
from unscatter.train.powder.splits import Rows
from unscatter.workers import ALONE, Workers, spread

#: What a network is scored at, by what it names.
SCORED = {
    "group-230": ("bravais-14", "extinction-99", "group-144", "group-230"),
    "group-144": ("bravais-14", "extinction-99", "group-144"),
    "bravais-14": ("bravais-14",),
}


class Predictions(NamedTuple):
    """logits: (n, classes); labels: (n,); cell, true_cell: (n, 4), or (n, 0) where a network names no cell."""

    logits: Tensor
    labels: Tensor
    cell: Tensor
    true_cell: Tensor


def judge(network: nn.Module, inputs: Tensor) -> tuple[Tensor, Tensor | None]:
    """Logits of a network, and its cell where it has a head for it."""
    answer = network(inputs)
    return (answer, None) if isinstance(answer, Tensor) else (answer[0], answer[1])


def predict(
    network: nn.Module,
    source: PatternSource,
    recipe: PowderRecipe,
    rows: Rows,
    device: torch.device | None = None,
    size: int = 64,
    workers: Workers = ALONE,
) -> Predictions:
    """What a network in evaluation on a device (by default the CPU) says to the patterns of held-out rows.

    workers: who draws the patterns and asks the network, `size` at once; the answers are the same whoever does.
    """
    work = partial(_predict_block, network, source, recipe, rows, device, size)
    with spread(work, range(0, len(rows), size), workers) as blocks:
        return Predictions(*(torch.cat(column) for column in zip(*blocks, strict=True)))


@torch.no_grad()
def _predict_block(
    network: nn.Module,
    source: PatternSource,
    recipe: PowderRecipe,
    rows: Rows,
    device: torch.device | None,
    size: int,
    first: int,
) -> Predictions:
    """Answers to the rows first to first + size - 1."""
    batch = source.draw(recipe, rows[first : first + size], HELD_OUT_SEED, first)
    logits, cell = judge(network, batch.inputs.to(device or "cpu"))
    if cell is None:
        return Predictions(logits.cpu(), batch.labels, batch.cell[:, :0], batch.cell[:, :0])
    return Predictions(logits.cpu(), batch.labels, cell.cpu(), batch.cell)


def validation_scores(network: nn.Module, source: PatternSource, device: torch.device) -> dict[str, float]:
    """Scores of a network in evaluation on the same validation patterns each time, every level and recipe apart.

    "temperature" is what makes the answers to all of them together as sure as they are right.
    """
    rows = source.held_out("validation", source.options.validation_samples)
    levels = scored_levels(source.options.labels)
    found: dict[str, float] = {}
    all_logits, all_labels = [], []
    for recipe in source.recipes:
        made = predict(network, source, recipe, rows, device)
        named = scores(made.logits, made.labels, levels)
        found |= {f"{recipe.name}/{name}": value for name, value in named.items()}
        if made.cell.numel():
            found[f"{recipe.name}/cell"] = float((made.cell - made.true_cell).abs().median())
        all_logits.append(made.logits)
        all_labels.append(made.labels)
    found["temperature"] = fit_temperature(torch.cat(all_logits), torch.cat(all_labels))
    return found


def scored_levels(labels: str) -> list[Level]:
    """Levels at which a network for a label set is scored, from coarse to fine."""
    return [make_level(name, labels) for name in SCORED[labels]]
