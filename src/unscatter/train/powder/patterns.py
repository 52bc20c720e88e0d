"""Labelled powder patterns for training and scoring: rows of tables of structures, drawn and simulated in batches."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from unscatter.powder.pattern.channels import CHANNELS
from unscatter.powder.pattern.instrument import read_instruments
from unscatter.powder.samples.draw import Axis, CachedCrystals, PowderRecipe, draw_samples, read_recipe, recipe_record
from unscatter.symmetry import label_set
from unscatter.train.loading import load_in_order
from unscatter.train.powder.labels import part_labels
from unscatter.train.powder.splits import FRACTIONS, Rows, Split, SplitName, part_prototypes, split_table
from unscatter.train.powder.store import Drawn, PatternStore
from unscatter.train.session import Place, SessionOptions
from unscatter.version import __version__

#: What a network may be asked to name.
Labels = Literal["group-230", "group-144", "bravais-14"]
Part = Literal["training", "validation", "test"]
#: Channels and points of a pattern on either grid.
INPUTS: dict[str, tuple[int, int]] = {"instrument": (1, 3041), "network": (3, 4096)}
#: Seed of the patterns of validation and test rows; training goes by the seed of its options.
HELD_OUT_SEED = 0
#: Sets the choice of the structures that are used apart from all other choices.
_SUBSET = 77
#: Batches of a training, more than any will see.
ENDLESS = 10_000_000


@dataclass(frozen=True)
class PatternOptions(SessionOptions):
    """What every training on patterns is told.

    structures: files that write_reflection_cache wrote; most_structures: how many of them are used, chosen once and for
    all, 0 for every one; labels: what is named, structures outside are left out;
    fractions: of training, validation and test; draw_balance: a row is drawn as often as (structures of its space
    group)^-draw_balance, where 0 shows every structure once an epoch; validation_samples: of each recipe; labelled:
    share of all structures whose labels are learned from, drawn by label_seed, from the training part alone: 1 takes
    all of that, and the paper 0.05, 0.1, 0.25 and 0.5. extra: files of structures that are only learned from, such as
    random crystals; extra_share: of the training samples, their space groups as frequent as among the others.
    store: folder for patterns that were drawn, to be read by later epochs and other trainings; views: different
    patterns of a structure that are kept there, one where a recipe leaves nothing to chance.
    """

    fixed: ClassVar[tuple[str, ...]] = (
        *("structures", "most_structures", "labels", "split", "split_seed", "fractions", "labelled", "label_seed"),
        "start",
    )

    structures: tuple[Path, ...] = ()
    most_structures: int = 0
    labels: Labels = "group-230"
    split: SplitName = "prototype"
    split_seed: int = 0
    fractions: tuple[float, float, float] = FRACTIONS
    draw_balance: float = 0.0
    validation_samples: int = 1024
    labelled: float = 1.0
    label_seed: int = 0
    extra: tuple[Path, ...] = ()
    extra_share: float = 0.3
    store: Path | None = None
    views: int = 3


class Patterns(NamedTuple):
    """inputs: (B, channels, points); labels: (B,); cell: (B, 4), logarithms of volume, a, b and c."""

    inputs: Tensor
    labels: Tensor
    cell: Tensor

    def to(self, device: torch.device) -> Patterns:
        """The same on another device."""
        return Patterns(*(tensor.to(device, non_blocking=True) for tensor in self))


class PatternSource:
    """Structures in three parts, recipes, and the patterns that come of both.

    labelled, unlabelled: the rows of split.training whose labels may be learned from, and the others; extra: rows of
    structures that are only learned from, none of a structure type that a split by prototype holds out.
    """

    def __init__(self, options: PatternOptions, axis: Axis) -> None:
        """Open the files and part the structures; raises ValueError if there are none."""
        if not options.structures:
            raise ValueError(
                "no structures to learn from: give --structures FILE.h5, as write_reflection_cache wrote it"
            )
        self.options, self.axis = options, axis
        self.recipes = [replace(read_recipe(name), axis=axis) for name in options.recipes]
        self.crystals = CachedCrystals([*options.structures, *options.extra])
        self.label_of_group = label_set(options.labels).of_group
        table = CachedCrystals(options.structures)
        split = split_table(table, options.split, options.split_seed, options.fractions)
        # By a chance of its own: by that of a random split, all that are used would lie in one part.
        used = _choose(len(table), options.most_structures, _SUBSET)
        parts = (np.intersect1d(rows, used) for rows in (split.training, split.validation, split.test))
        self.split = Split(*(self._named(rows) for rows in parts))
        structures = sum(len(rows) for rows in (self.split.training, self.split.validation, self.split.test))
        self.labelled, self.unlabelled = part_labels(
            self.split.training, structures, options.labelled, options.label_seed
        )
        self._own = len(table)
        self.extra = self._named(self._not_held_out(np.arange(len(table), len(self.crystals))))
        self._stores: dict[tuple[str, int], PatternStore] = {}

    def _named(self, rows: Rows) -> Rows:
        return rows[self.label_of_group[self.crystals.space_group[rows] - 1] >= 0]

    def _not_held_out(self, rows: Rows) -> Rows:
        """Rows of structure types that would be learned from in any table, where the split holds out whole types."""
        if self.options.split != "prototype":
            return rows
        parts = part_prototypes(self.crystals, self.options.split_seed, self.options.fractions)
        learned: Rows = rows[parts[rows] == 0]
        return learned

    def held_out(self, part: Part, count: int = 0) -> Rows:
        """Rows of a part with their labels, at most `count` chosen once and for all; 0 takes all."""
        rows: Rows = self.labelled if part == "training" else getattr(self.split, part)
        return rows[_choose(len(rows), count)]

    def draw(self, recipe: PowderRecipe, rows: Rows, seed: int, first: int) -> Patterns:
        """Patterns of structures; a pure function of the arguments. first: number of the first sample."""
        # Impurities of all structures but the extra ones, so that what is asked is the same with and without these.
        samples = draw_samples(recipe, self.crystals, rows, seed, first, np.arange(self._own))
        return self._label(rows, Drawn(samples.inputs, samples.cell))

    def draw_training(self, recipe: PowderRecipe, rows: Rows, seed: int, first: int) -> Patterns:
        """Patterns to learn from, impurities of training structures alone; from the store where there is one.

        Without a store a function of the arguments. With one, a pattern is that of its row and of one of the views,
        by turns.
        """
        if self.options.store is None:
            samples = draw_samples(recipe, self.crystals, rows, seed, first, self.impurities)
            return self._label(rows, Drawn(samples.inputs, samples.cell))
        view = 0 if recipe.repeats_itself else first // len(rows) % self.options.views
        return self._label(rows, self._stored(recipe, view).get(rows))

    def _label(self, rows: Rows, drawn: Drawn) -> Patterns:
        labels = self.label_of_group[self.crystals.space_group[rows] - 1]
        return Patterns(*(torch.as_tensor(array) for array in (drawn.inputs, labels, drawn.cell)))

    @cached_property
    def impurities(self) -> Rows:
        """Rows of which an impurity in a training pattern may be: nothing that is held out."""
        return np.concatenate([self.split.training, self.extra])

    @cached_property
    def table_key(self) -> str:
        """The same for the same structures in the same order, random ones that are only learned from left out."""
        return _key(CachedCrystals(self.options.structures))

    @property
    def known_structures(self) -> int:
        """How many structures that were not drawn at random are learned from, with or without their label."""
        return int(np.count_nonzero(~self.crystals.random[self.impurities]))

    def _stored(self, recipe: PowderRecipe, view: int) -> PatternStore:
        """Patterns of a recipe that were drawn before, each of a row and of the number of the view as its seed."""
        key = (recipe.name, view)
        if key not in self._stores:

            def draw(rows: Rows) -> Drawn:
                drawn = [
                    draw_samples(recipe, self.crystals, row[None], view, int(row), self.impurities) for row in rows
                ]
                return Drawn(*(np.concatenate([getattr(d, name) for d in drawn]) for name in ("inputs", "cell")))

            folder = self.options.store or Path()
            self._stores[key] = PatternStore(
                folder, self._identity(recipe) | {"view": view}, len(self.crystals), INPUTS[self.axis], draw
            )
        return self._stores[key]

    def _identity(self, recipe: PowderRecipe) -> dict[str, Any]:
        """Everything that, with a row and a view, decides a stored pattern."""
        instruments = read_instruments()
        return {
            "recipe": recipe_record(recipe),
            "structures": _key(self.crystals),
            "instruments": [repr(instruments[name]) for name in (*recipe.neutron, *recipe.x_ray)],
            "version": __version__,
            # Where nothing is left to chance there are no impurities, and what is held out makes no difference.
            "impurities": "" if recipe.repeats_itself else hashlib.sha256(self.impurities.tobytes()).hexdigest(),
            "channels": CHANNELS,
        }

    def draw_part(self, recipe: PowderRecipe, rows: Rows, size: int) -> Iterator[Patterns]:
        """Held-out rows in their order in batches, every time the same patterns."""
        for first in range(0, len(rows), size):
            yield self.draw(recipe, rows[first : first + size], HELD_OUT_SEED, first)

    def oversampling(self) -> NDArray[np.float64]:
        """How many times more often each label is drawn in training than it occurs, (classes,); 1 where it does not."""
        groups = self.crystals.space_group[self.labelled]
        labels, counts = self.label_of_group[groups - 1], self.label_counts()
        weights = row_weights(groups, self.options.draw_balance)
        drawn = np.bincount(labels, weights, minlength=len(counts)) / weights.sum()
        return np.where(counts > 0, drawn * counts.sum() / np.maximum(counts, 1), 1.0)

    def label_counts(self) -> NDArray[np.int64]:
        """Labelled training structures of each label, (classes,)."""
        labels = self.label_of_group[self.crystals.space_group[self.labelled] - 1]
        return np.bincount(labels, minlength=len(label_set(self.options.labels)))


def _key(crystals: CachedCrystals) -> str:
    """SHA-256 of what a table says of its structures."""
    tables = hashlib.sha256()
    for cache in crystals.caches:
        for column in (cache.names, cache.space_group, cache.cells, cache.strongest):
            tables.update(np.ascontiguousarray(column).tobytes())
    return tables.hexdigest()


def _choose(size: int, count: int, *chance: int) -> Rows:
    """Numbers below `size`, at most `count` of them, sorted and always the same; 0 takes all."""
    if not 0 < count < size:
        return np.arange(size)
    return np.sort(np.random.default_rng([HELD_OUT_SEED, *chance]).permutation(size)[:count])


class PatternStream:
    """Endless training batches, every recipe in equal parts."""

    def __init__(self, source: PatternSource) -> None:
        """Draw from the labelled training rows of a source."""
        self.source = source

    @property
    def records(self) -> list[dict[str, Any]]:
        """Every recipe in full, as plain data."""
        return [recipe_record(recipe) for recipe in self.source.recipes]

    def batches(self, place: Place) -> Iterator[Patterns]:
        """Batches place.first, place.first + 1, ..., made on the host and carried to the device."""
        items = PatternSet(self.source, place.rank)
        for batch in load_in_order(items, place.first, ENDLESS, self.source.options.workers):
            yield batch.to(place.device)


class PatternSet(Dataset[Patterns]):
    """Batch number -> patterns: a pure function of (options, process, number)."""

    def __init__(self, source: PatternSource, rank: int, *, labelled: bool = True, chance: int = 0) -> None:
        """Weigh the labelled training rows, or take the others all alike: their space groups are not known.

        chance: another number gives another order of the rows, and other patterns.
        """
        options = source.options
        self.source, self.seed = source, options.seed + 1000 * rank + chance
        self.size = options.batch // len(source.recipes)
        rows = source.labelled if labelled else source.unlabelled
        groups = source.crystals.space_group
        weights = row_weights(groups[rows], options.draw_balance if labelled else 0.0)
        # As frequent as in what they are learned beside: a group that is missing there is not learned here.
        shares = np.bincount(groups[rows], weights, minlength=231)
        extra = source.extra[shares[groups[source.extra]] > 0] if labelled else source.extra[:0]
        extra_weights = (shares / np.maximum(np.bincount(groups[extra], minlength=231), 1))[groups[extra]]
        self.extra = round(self.size * options.extra_share) if len(extra) else 0
        self.pickers = [
            (
                RowPicker(rows, weights, (self.seed, number)),
                RowPicker(extra, extra_weights, (self.seed, number, 1)) if self.extra else None,
            )
            for number in range(len(source.recipes))
        ]

    def __len__(self) -> int:
        """Number of batches."""
        return ENDLESS

    def __getitem__(self, index: int) -> Patterns:
        """Make one batch."""
        first = index * self.size
        parts = [
            self.source.draw_training(recipe, self._pick(*pickers, index), self.seed, first)
            for recipe, pickers in zip(self.source.recipes, self.pickers, strict=True)
        ]
        return Patterns(*(torch.cat(column) for column in zip(*parts, strict=True)))

    def _pick(self, rows: RowPicker, extra: RowPicker | None, index: int) -> Rows:
        if extra is None:
            return rows.pick(index * self.size, self.size)
        own = self.size - self.extra
        return np.concatenate([rows.pick(index * own, own), extra.pick(index * self.extra, self.extra)])


def row_weights(groups: NDArray[np.int64], balance: float) -> NDArray[np.float64]:
    """Weight of each row, (n,): (rows of its group)^-balance."""
    return np.asarray(np.bincount(groups)[groups] ** -float(balance))


class RowPicker:
    """Which row is shown as sample number i: a pure function of (seed, i)."""

    def __init__(self, rows: Rows, weights: NDArray[np.float64], seed: tuple[int, ...]) -> None:
        """Take rows as often as their weights say, and each once an epoch where all weigh the same."""
        self.rows, self.seed = rows, seed
        self.even = bool(np.all(weights == weights[0]))
        self.cumulated = np.cumsum(weights) / weights.sum()
        self._epoch: tuple[int, Rows] = (-1, rows)

    def pick(self, first: int, count: int) -> Rows:
        """Rows of samples first to first + count - 1."""
        if not self.even:
            share = np.random.default_rng([*self.seed, first]).random(count)
            return self.rows[np.minimum(np.searchsorted(self.cumulated, share), len(self.rows) - 1)]
        return np.array([self._in_epoch(number) for number in range(first, first + count)])

    def _in_epoch(self, number: int) -> int:
        """Every row once an epoch, in an order of its own."""
        epoch, place = divmod(number, len(self.rows))
        if self._epoch[0] != epoch:
            self._epoch = (epoch, np.random.default_rng([*self.seed, epoch]).permutation(self.rows))
        return int(self._epoch[1][place])
