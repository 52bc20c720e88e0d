"""What a classifier in training says to held-out patterns, and how right it is at every level."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from unscatter.powder.samples.draw import PowderRecipe
from unscatter.train.powder.classification import Level, fit_temperature, make_level, scores
from unscatter.train.powder.patterns import PatternSource
from unscatter.train.powder.splits import Rows

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


@torch.no_grad()
def predict(
    network: nn.Module,
    source: PatternSource,
    recipe: PowderRecipe,
    rows: Rows,
    device: torch.device | None = None,
    size: int = 64,
) -> Predictions:
    """What a network in evaluation on a device (by default the CPU) says to the patterns of held-out rows."""
    parts = []
    for batch in source.draw_part(recipe, rows, size):
        logits, cell = judge(network, batch.inputs.to(device or "cpu"))
        if cell is None:
            parts.append((logits.cpu(), batch.labels, batch.cell[:, :0], batch.cell[:, :0]))
        else:
            parts.append((logits.cpu(), batch.labels, cell.cpu(), batch.cell))
    return Predictions(*(torch.cat(column) for column in zip(*parts, strict=True)))


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
