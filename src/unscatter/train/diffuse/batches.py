"""Training batches: numbers drawn on the host, planes rendered on the training device."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, TypeAlias

import torch
from torch import Tensor
from torch.utils.data import Dataset

from unscatter.diffuse.factorize.channels import guess_with_lattice, guess_without_lattice, network_channels
from unscatter.diffuse.plane.scaling import scale_by_maximum
from unscatter.diffuse.samples.draw import (
    DiffuseRecipe,
    DrawBatch,
    Samples,
    collate,
    draw_sample,
    read_recipe,
    recipe_record,
    render,
)
from unscatter.diffuse.samples.order_draws import Split
from unscatter.train.loading import load_in_order
from unscatter.train.session import Place, SessionOptions

#: One batch of every recipe, on the training device.
Rendered: TypeAlias = list[tuple[DrawBatch, Samples]]


@dataclass(frozen=True)
class DiffuseOptions(SessionOptions):
    """What every training on planes is told. validation_batches: batches of 14 samples of a recipe."""

    validation_batches: int = 7


class DiffuseStream:
    """Batches of simulated planes, every recipe in equal parts."""

    def __init__(self, options: SessionOptions, recipes: list[DiffuseRecipe] | None = None) -> None:
        """Read the recipes of the options, or take others."""
        self.options = options
        self.recipes = [read_recipe(name) for name in options.recipes] if recipes is None else recipes

    @property
    def records(self) -> list[dict[str, Any]]:
        """Every recipe in full, as plain data."""
        return [recipe_record(recipe) for recipe in self.recipes]

    def batches(self, place: Place) -> Iterator[Rendered]:
        """Batches from place.first on, drawn on the host and rendered on the device."""
        options = self.options
        streams = [
            draw_batches(
                recipe,
                options.seed + 1000 * place.rank,
                options.batch // len(self.recipes),
                split="training",
                first=place.first,
                batches=10_000_000 // place.world,
                workers=options.workers,
            )
            for recipe in self.recipes
        ]
        for parts in zip(*streams, strict=True):
            yield [render_batch(part, place.device) for part in parts]


class DrawSet(Dataset[DrawBatch]):
    """Batch number -> numbers of its samples: batch i holds samples i n to (i + 1) n - 1 of one recipe."""

    def __init__(self, recipe: DiffuseRecipe, seed: int, size: int, split: Split, batches: int) -> None:
        """Remember what to draw."""
        self.recipe, self.seed, self.size, self.split, self.batches = recipe, seed, size, split, batches

    def __len__(self) -> int:
        """Number of batches."""
        return self.batches

    def __getitem__(self, index: int) -> DrawBatch:
        """Draw one batch; a pure function of the index."""
        first = index * self.size
        draws = [draw_sample(self.recipe, self.seed, first + i, self.split) for i in range(self.size)]
        return collate(self.recipe, draws)


def draw_batches(
    recipe: DiffuseRecipe, seed: int, size: int, *, split: Split, first: int, batches: int, workers: int
) -> Iterator[DrawBatch]:
    """Batches first, first + 1, ... in order, drawn by `workers` processes of one thread each (0: in this one)."""
    return load_in_order(DrawSet(recipe, seed, size, split, batches), first, batches, workers)


def to_device(value: Any, device: torch.device) -> Any:
    """Carry a dataclass of NumPy arrays to a device, floating numbers as float32."""
    if is_dataclass(value):
        kind: Any = type(value)
        return kind(**{f.name: to_device(getattr(value, f.name), device) for f in fields(value)})
    tensor = torch.as_tensor(value)
    return tensor.to(device, torch.float32 if tensor.is_floating_point() else tensor.dtype, non_blocking=True)


@torch.no_grad()
def render_batch(batch: DrawBatch, device: torch.device) -> tuple[DrawBatch, Samples]:
    """Carry a batch to the device and make its planes there."""
    moved = to_device(batch, device)
    return moved, render(moved)


@torch.no_grad()
def channels_of(batch: DrawBatch, samples: Samples, lattice_known: bool) -> tuple[Tensor, Tensor]:
    """Network inputs and first guesses of rendered samples, with or without their lattice.

    A plane that holds no two translations has no lattice to be known.
    """
    measured = samples.measured.to(samples.intensity.dtype)
    intensity = samples.intensity * measured
    periodic = torch.linalg.det(batch.frequencies) != 0
    if not lattice_known or not bool(periodic.any()):
        return _blind_channels(intensity, measured)
    if not bool(periodic.all()):
        known = channels_of(_take(batch, periodic), _take(samples, periodic), True)
        both = _blind_channels(intensity, measured)
        for all_planes, some in zip(both, known, strict=True):
            all_planes[periodic] = some
        return both
    guess = guess_with_lattice(intensity, measured, batch.frequencies, batch.window, batch.plane.x, batch.plane.y)
    inputs, guesses = network_channels(intensity, measured, guess, True)
    return inputs, guesses


def _blind_channels(intensity: Tensor, measured: Tensor) -> tuple[Tensor, Tensor]:
    inputs, guesses = network_channels(intensity, measured, guess_without_lattice(intensity, measured), False)
    return inputs, guesses


def _take(value: Any, chosen: Tensor) -> Any:
    """Some of the samples of a dataclass of tensors (B, ...)."""
    if is_dataclass(value):
        kind: Any = type(value)
        return kind(**{f.name: _take(getattr(value, f.name), chosen) for f in fields(value)})
    return value[chosen]


@torch.no_grad()
def targets_of(samples: Samples) -> Tensor:
    """True I_FF and I_SRO in the range [-1, 1], (B, 2, ny, nx)."""
    return torch.stack([scale_by_maximum(samples.form_factor), scale_by_maximum(samples.short_range_order)], 1)


def turn(tensors: Sequence[Tensor], how: int) -> list[Tensor]:
    """One of the eight turns and mirrors of a square, the same for all tensors."""
    turned = [torch.rot90(t, how % 4, dims=(-2, -1)) for t in tensors]
    return [t.flip(-1) if how >= 4 else t for t in turned]
