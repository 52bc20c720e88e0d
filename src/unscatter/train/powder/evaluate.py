"""Score classifiers of patterns on structures that no training saw: tables, confusion matrices, speed."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import Tensor, nn

from unscatter.io.files import replacing
from unscatter.symmetry import label_set
from unscatter.train.powder.classification import confusion_matrix, make_level, scores
from unscatter.train.powder.classifier_scores import Predictions, judge, predict, scored_levels
from unscatter.train.powder.classify import load_classifier, recorded_options
from unscatter.train.powder.patterns import Part, PatternSource
from unscatter.workers import ALONE, Workers

#: Columns of the table, from coarse to fine; what a network names of 144 groups is scored on samples of these alone.
LEVELS = ("bravais-14", "extinction-99", "group-144", "group-230")
#: Per cent of Lolla et al. (2022), section 3.1, on a random 10 % of 138 362 patterns of the ICSD.
PUBLISHED = {
    "published, bravais-14": {"bravais-14/top-1": 0.88},
    "published, group-144": {"group-144/top-1": 0.806, "group-144/top-5": 0.9027},
    "published, group-230": {"group-230/top-1": 0.74, "group-230/top-5": 0.85},
}
#: Patterns of the timing, and how often it is repeated; the best counts.
_TIMED = 64
_REPEATS = 3


@dataclass(frozen=True)
class ClassifyEvaluation:
    """What is scored. checkpoint: what training wrote; recipes, structures: those of the training where empty.

    part: of the split; count: structures, 0 for all; out: folder for the confusion matrices as pictures; threads: of
    the timing and of all else.
    """

    checkpoint: Path
    recipes: tuple[str, ...] = ()
    structures: tuple[Path, ...] = ()
    part: Part = "test"
    count: int = 2000
    out: Path | None = None
    threads: int = 1


@dataclass(frozen=True)
class Row:
    """One line of the table. scores: by "level/score"; parameters, speed (patterns a second): None where not known."""

    name: str
    recipe: str
    split: str
    samples: int
    scores: Mapping[str, float]
    parameters: int | None = None
    speed: float | None = None


@dataclass(frozen=True)
class Report:
    """Rows of the table, and what the network said in each, by the name of the recipe."""

    rows: tuple[Row, ...]
    predictions: Mapping[str, Predictions]
    labels: str


def evaluate_classify(options: ClassifyEvaluation, workers: Workers = ALONE) -> str:
    """Score a checkpoint and return the report as text; writes confusion matrices where a folder is given."""
    report = score_checkpoint(options, workers)
    parts = [accuracy_table(report.rows)]
    for recipe, made in report.predictions.items():
        for level in confusion_levels(report.labels):
            matrix = confusion_matrix(made.logits, made.labels, make_level(level, report.labels)).numpy()
            parts.append(f"{level}, recipe {recipe}: rows are true, columns answered\n{confusion_text(matrix, level)}")
            if options.out is not None:
                options.out.mkdir(parents=True, exist_ok=True)
                plot_confusion(matrix, level, options.out / f"confusion-{level}-{recipe}.png")
    return "\n\n".join(parts)


def score_checkpoint(options: ClassifyEvaluation, workers: Workers = ALONE) -> Report:
    """Let a network answer to a part of the structures through every recipe, its temperature applied.

    workers: who draws the patterns and asks the network.
    """
    torch.set_num_threads(options.threads)
    network, record = load_classifier(options.checkpoint)
    source = held_out_source(record, options.recipes, options.structures)
    rows = source.held_out(options.part, options.count)
    temperature = last_temperature(record)
    found, predictions = [], {}
    for recipe in source.recipes:
        made = predict(network, source, recipe, rows, workers=workers)
        made = made._replace(logits=made.logits / temperature)
        predictions[recipe.name] = made
        found.append(
            Row(
                name=f"{record['network']}, {source.options.labels}",
                recipe=recipe.name,
                split=f"{source.options.split} {options.part}",
                samples=len(rows),
                scores=level_scores(made.logits, made.labels, source.options.labels),
                parameters=sum(p.numel() for p in network.parameters()),
                speed=patterns_per_second(network, next(source.draw_part(recipe, rows, _TIMED)).inputs),
            )
        )
    return Report(tuple(found), predictions, source.options.labels)


def held_out_source(
    record: Mapping[str, Any], recipes: Sequence[str] = (), structures: Sequence[Path] = ()
) -> PatternSource:
    """Structures and split of a recorded training, so that its test set is still what it did not see.

    Raises ValueError for other structures than those of the training, unless they are split by prototype, where a
    structure type is on the same side of the split of any table.
    """
    options = recorded_options(record)
    options = replace(
        options, recipes=tuple(recipes) or options.recipes, structures=tuple(structures) or options.structures
    )
    source = PatternSource(options, record["axis"])
    sizes = {part: len(getattr(source.split, part)) for part in record["split"]}
    if options.split != "prototype" and sizes != record["split"]:
        raise ValueError(
            f"split {options.split!r} of these structures has parts {sizes}, of those of the training"
            f" {record['split']}: give the same --structures, as some of these may have been learned from"
        )
    return source


def last_temperature(record: Mapping[str, Any]) -> float:
    """Temperature of the last validation, 1 before the first."""
    return float(record["scores"][-1]["temperature"]) if record["scores"] else 1.0


def level_scores(logits: Tensor, labels: Tensor, head: str) -> dict[str, float]:
    """Scores at every level that a head has, as "level/score"."""
    return scores(logits, labels, scored_levels(head))


@torch.no_grad()
def patterns_per_second(network: nn.Module, inputs: Tensor) -> float:
    """Patterns a second on the CPU with the threads that torch has, in batches of this size."""
    times = []
    for _ in range(_REPEATS):
        started = time.perf_counter()
        judge(network, inputs)
        times.append(time.perf_counter() - started)
    return len(inputs) / min(times)


def confusion_levels(labels: str) -> tuple[str, ...]:
    """Label sets small enough for a matrix that can be read."""
    return ("bravais-14", "system-7") if labels.startswith("group") else ("bravais-14",)


def accuracy_table(rows: Sequence[Row], published: bool = True) -> str:
    """Top-1 and top-5 in per cent at each level, calibration error of the finest, size and speed."""
    head = "".join(f"{level:>16}" for level in LEVELS)
    lines = [
        f"{'':<30}{'':<10}{'':<18}{'':>8}{head}{'':>14}{'':>12}{'':>10}",
        f"{'network':<30}{'recipe':<10}{'split':<18}{'samples':>8}"
        + f"{'top-1':>9}{'top-5':>7}" * len(LEVELS)
        + f"{'calibration':>14}{'parameters':>12}{'/s':>10}",
    ]
    lines += [_line(row) for row in rows]
    if published:
        lines += [_line(Row(name, "TOPAS", "random", 0, found)) for name, found in PUBLISHED.items()]
    return "\n".join(lines)


def _line(row: Row) -> str:
    cells = "".join(
        f"{_percent(row.scores.get(f'{level}/top-1')):>9}{_percent(row.scores.get(f'{level}/top-5')):>7}"
        for level in LEVELS
    )
    finest = [level for level in LEVELS if f"{level}/calibration error" in row.scores]
    error = row.scores[f"{finest[-1]}/calibration error"] if finest else None
    return (
        f"{row.name:<30}{row.recipe:<10}{row.split:<18}{row.samples or '':>8}{cells}{_percent(error):>14}"
        f"{'' if row.parameters is None else row.parameters:>12}{'' if row.speed is None else f'{row.speed:.0f}':>10}"
    )


def _percent(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.1f}"


def confusion_text(matrix: NDArray[np.integer[Any]], level: str) -> str:
    """A matrix (classes, classes) of counts with the names of the classes."""
    names = label_set(level).classes
    width = max(6, *(len(name) + 1 for name in names))
    head = " " * width + "".join(f"{name:>{width}}" for name in names) + f"{'right/%':>9}"
    lines = [head]
    for name, counts, right in zip(names, matrix, _recall(matrix), strict=True):
        share = "" if np.isnan(right) else f"{100 * right:.1f}"
        lines.append(f"{name:>{width}}" + "".join(f"{count:>{width}}" for count in counts) + f"{share:>9}")
    return "\n".join(lines)


def _recall(matrix: NDArray[np.integer[Any]]) -> NDArray[np.float64]:
    """Share of each true class that is named rightly; NaN where there is none."""
    total = matrix.sum(axis=1)
    return np.where(total > 0, np.diag(matrix) / np.maximum(total, 1), np.nan)


def plot_confusion(matrix: NDArray[np.integer[Any]], level: str, path: Path) -> None:
    """Write the matrix as a picture, every row in per cent of its true class."""
    names = label_set(level).classes
    share = 100 * matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    figure = Figure(figsize=(0.55 * len(names) + 2.2, 0.55 * len(names) + 1.6), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    picture = axes.imshow(share, cmap="Blues", vmin=0, vmax=100)
    axes.set_xticks(range(len(names)), names, rotation=60 if len(names) < 10 else 0)
    axes.set_yticks(range(len(names)), names)
    axes.set(xlabel="answered", ylabel="true")
    for y, x in np.argwhere(share >= 0.5):
        axes.text(x, y, f"{share[y, x]:.0f}", ha="center", va="center", color="white" if share[y, x] > 55 else "black")
    figure.colorbar(picture, label="% of the true class", shrink=0.8)
    with replacing(path) as part:
        figure.savefig(part, dpi=110, format="png")
