"""Labelled powder patterns for training and scoring: rows of tables of structures, drawn and simulated in batches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from unscatter.powder.samples import Axis, CachedCrystals, PowderRecipe, draw_samples, read_recipe, recipe_record
from unscatter.symmetry import label_set
from unscatter.train.loading import load_in_order
from unscatter.train.session import Place, SessionOptions
from unscatter.train.splits import FRACTIONS, Rows, Split, SplitName, split_table

#: What a network may be asked to name.
Labels = Literal["group-230", "group-144", "bravais-14"]
Part = Literal["training", "validation", "test"]
#: Channels and points of a pattern on either grid.
INPUTS: dict[str, tuple[int, int]] = {"instrument": (1, 3041), "network": (3, 4096)}
#: Seed of the patterns of validation and test rows; training goes by the seed of its options.
HELD_OUT_SEED = 0
#: Batches of a training, more than any will see.
_ENDLESS = 10_000_000


@dataclass(frozen=True)
class PatternOptions(SessionOptions):
    """What every training on patterns is told.

    structures: files that write_reflection_cache wrote; labels: what is named, structures outside are left out;
    fractions: of training, validation and test; draw_balance: a row is drawn as often as (structures of its space
    group)^-draw_balance, where 0 shows every structure once an epoch; validation_samples: of each recipe.
    """

    structures: tuple[Path, ...] = ()
    labels: Labels = "group-230"
    split: SplitName = "prototype"
    split_seed: int = 0
    fractions: tuple[float, float, float] = FRACTIONS
    draw_balance: float = 0.0
    validation_samples: int = 1024


class Patterns(NamedTuple):
    """inputs: (B, channels, points); labels: (B,); cell: (B, 4), logarithms of volume, a, b and c."""

    inputs: Tensor
    labels: Tensor
    cell: Tensor

    def to(self, device: torch.device) -> Patterns:
        """The same on another device."""
        return Patterns(*(tensor.to(device, non_blocking=True) for tensor in self))


class PatternSource:
    """Structures in three parts, recipes, and the patterns that come of both."""

    def __init__(self, options: PatternOptions, axis: Axis) -> None:
        """Open the files and part the structures; raises ValueError if there are none."""
        if not options.structures:
            raise ValueError(
                "no structures to learn from: give --structures FILE.h5, as write_reflection_cache wrote it"
            )
        self.options = options
        self.recipes = [replace(read_recipe(name), axis=axis) for name in options.recipes]
        self.crystals = CachedCrystals(options.structures)
        self.label_of_group = label_set(options.labels).of_group
        split = split_table(self.crystals, options.split, options.split_seed, options.fractions)
        self.split = Split(*(self._labelled(rows) for rows in (split.training, split.validation, split.test)))

    def _labelled(self, rows: Rows) -> Rows:
        return rows[self.label_of_group[self.crystals.space_group[rows] - 1] >= 0]

    def held_out(self, part: Part, count: int = 0) -> Rows:
        """Rows of a part, at most `count` chosen once and for all; 0 takes all."""
        rows: Rows = getattr(self.split, part)
        if not 0 < count < len(rows):
            return rows
        return np.sort(np.random.default_rng(HELD_OUT_SEED).permutation(rows)[:count])

    def draw(self, recipe: PowderRecipe, rows: Rows, seed: int, first: int) -> Patterns:
        """Patterns of structures; a pure function of the arguments. first: number of the first sample."""
        samples = draw_samples(recipe, self.crystals, rows, seed, first)
        labels = self.label_of_group[samples.group]
        return Patterns(*(torch.as_tensor(array) for array in (samples.inputs, labels, samples.cell)))

    def draw_part(self, recipe: PowderRecipe, rows: Rows, size: int) -> Iterator[Patterns]:
        """Held-out rows in their order in batches, every time the same patterns."""
        for first in range(0, len(rows), size):
            yield self.draw(recipe, rows[first : first + size], HELD_OUT_SEED, first)

    def oversampling(self) -> NDArray[np.float64]:
        """How many times more often each label is drawn in training than it occurs, (classes,); 1 where it does not."""
        groups = self.crystals.space_group[self.split.training]
        labels, counts = self.label_of_group[groups - 1], self.label_counts()
        weights = row_weights(groups, self.options.draw_balance)
        drawn = np.bincount(labels, weights, minlength=len(counts)) / weights.sum()
        return np.where(counts > 0, drawn * counts.sum() / np.maximum(counts, 1), 1.0)

    def label_counts(self) -> NDArray[np.int64]:
        """Training structures of each label, (classes,)."""
        labels = self.label_of_group[self.crystals.space_group[self.split.training] - 1]
        return np.bincount(labels, minlength=len(label_set(self.options.labels)))


class PatternStream:
    """Endless training batches, every recipe in equal parts."""

    def __init__(self, source: PatternSource) -> None:
        """Draw from the training rows of a source."""
        self.source = source

    @property
    def records(self) -> list[dict[str, Any]]:
        """Every recipe in full, as plain data."""
        return [recipe_record(recipe) for recipe in self.source.recipes]

    def batches(self, place: Place) -> Iterator[Patterns]:
        """Batches place.first, place.first + 1, ..., made on the host and carried to the device."""
        items = PatternSet(self.source, place.rank)
        for batch in load_in_order(items, place.first, _ENDLESS, self.source.options.workers):
            yield batch.to(place.device)


class PatternSet(Dataset[Patterns]):
    """Batch number -> patterns: a pure function of (options, process, number)."""

    def __init__(self, source: PatternSource, rank: int) -> None:
        """Weigh the training rows."""
        options = source.options
        self.source, self.seed = source, options.seed + 1000 * rank
        self.size = options.batch // len(source.recipes)
        rows = source.split.training
        self.pickers = [
            RowPicker(rows, source.crystals.space_group[rows], options.draw_balance, (self.seed, number))
            for number in range(len(source.recipes))
        ]

    def __len__(self) -> int:
        """Number of batches."""
        return _ENDLESS

    def __getitem__(self, index: int) -> Patterns:
        """Make one batch."""
        first = index * self.size
        parts = [
            self.source.draw(recipe, picker.pick(first, self.size), self.seed, first)
            for recipe, picker in zip(self.source.recipes, self.pickers, strict=True)
        ]
        return Patterns(*(torch.cat(column) for column in zip(*parts, strict=True)))


def row_weights(groups: NDArray[np.int64], balance: float) -> NDArray[np.float64]:
    """Weight of each row, (n,): (rows of its group)^-balance."""
    return np.asarray(np.bincount(groups)[groups] ** -float(balance))


class RowPicker:
    """Which row is shown as sample number i: a pure function of (seed, i)."""

    def __init__(self, rows: Rows, groups: NDArray[np.int64], balance: float, seed: tuple[int, ...]) -> None:
        """Weigh each row by (rows of its group)^-balance."""
        self.rows, self.balance, self.seed = rows, balance, seed
        weights = row_weights(groups, balance)
        self.cumulated = np.cumsum(weights) / weights.sum()
        self._epoch: tuple[int, Rows] = (-1, rows)

    def pick(self, first: int, count: int) -> Rows:
        """Rows of samples first to first + count - 1."""
        if self.balance:
            share = np.random.default_rng([*self.seed, first]).random(count)
            return self.rows[np.minimum(np.searchsorted(self.cumulated, share), len(self.rows) - 1)]
        return np.array([self._in_epoch(number) for number in range(first, first + count)])

    def _in_epoch(self, number: int) -> int:
        """Every row once an epoch, in an order of its own."""
        epoch, place = divmod(number, len(self.rows))
        if self._epoch[0] != epoch:
            self._epoch = (epoch, np.random.default_rng([*self.seed, epoch]).permutation(self.rows))
        return int(self._epoch[1][place])
