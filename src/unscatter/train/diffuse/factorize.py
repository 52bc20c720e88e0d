"""Train the U-Net that takes a plane apart: `unscatter train factorize --network unet`."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from lightning_fabric import Fabric
from safetensors.torch import load
from torch import Tensor, nn
from torch.optim import Optimizer

from unscatter.diffuse.factorize.channels import CHANNELS
from unscatter.diffuse.plane.scaling import scale_as_published, unscale_plane
from unscatter.diffuse.samples.recipe import DiffuseRecipe
from unscatter.nn.unet import UNet, UNetConfig
from unscatter.train.checkpoint import read_module
from unscatter.train.diffuse.batches import (
    DiffuseOptions,
    DiffuseStream,
    Rendered,
    channels_of,
    draw_batches,
    render_batch,
    targets_of,
    turn,
)
from unscatter.train.session import Progress, Session
from unscatter.weights import find_weights, read_verified

#: Place of the mask among the input channels.
MEASURED = CHANNELS.index("measured")


@dataclass(frozen=True)
class FactorizeTraining(DiffuseOptions):
    """How the U-Net is trained. minutes counts all sessions together: resume with a larger number to go on.

    One network serves planes with and without their lattice: lattice_share of the uses of a sample are with it.
    lattice_weight: of the loss of samples with their lattice, whose errors are ten times smaller; gap_weight: of
    pixels that were not measured, where only the network can help; contrast_weight: of the error of I_SRO between its
    own minimum and maximum, which sees weak order. average: share of the running average of the weights that is kept
    at each step; the average is shipped. start: shipped weights, or the path of such or of a checkpoint, to go on
    from; "" begins with none.
    """

    out: Path = Path("runs/factorize-256")
    recipes: tuple[str, ...] = ("paper", "physical", "measured")
    batch: int = 12
    turns: int = 2
    learning_rate: float = 8e-4
    weight_decay: float = 0.02
    warm_up: int = 200
    lattice_weight: float = 4.0
    gap_weight: float = 4.0
    lattice_share: float = 0.5
    contrast_weight: float = 0.0
    start: str = ""
    average: float = 0.998
    network: UNetConfig = field(default_factory=UNetConfig)


def train_factorize(options: FactorizeTraining) -> Path:
    """Train until the minutes are spent, from the last checkpoint in `out` if there is one; returns its path."""
    stream = DiffuseStream(options)
    session = Session(options, stream, "factorize", {"channels": list(CHANNELS)})
    return session.run(UNetTraining(options, stream.recipes, session.fabric))


class UNetTraining:
    """The network, the running average of its weights, and how both learn from a batch."""

    def __init__(self, options: FactorizeTraining, recipes: list[DiffuseRecipe], fabric: Fabric) -> None:
        """Build the network on the training device."""
        self.options, self.recipes, self.fabric = options, recipes, fabric
        self.plain = UNet(options.network)
        if options.start:
            start_from(self.plain, options.start)
        self.average = copy.deepcopy(self.plain).to(fabric.device).requires_grad_(False)
        optimizer = torch.optim.AdamW(
            self.plain.parameters(),
            lr=options.learning_rate,
            weight_decay=options.weight_decay,
            betas=(0.9, 0.99),
        )
        self.network, self.optimizer = fabric.setup(self.plain, optimizer)

    @property
    def modules(self) -> Mapping[str, nn.Module]:
        """The network as trained and its average."""
        return {"network": self.plain, "average": self.average}

    @property
    def optimizers(self) -> Mapping[str, Optimizer]:
        """The one optimiser."""
        return {"adam": self.optimizer}

    def update(self, rendered: Rendered, progress: Progress) -> dict[str, float]:
        """One step on a batch, every other part of it with its lattice; the next turn swaps them."""
        options = self.options
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(options, progress)
        known = [with_lattice(options.lattice_share, progress.step + part) for part in range(len(rendered))]
        parts = []
        for (batch, samples), lattice_known in zip(rendered, known, strict=True):
            inputs, guesses = channels_of(batch, samples, lattice_known)
            parts.append(turn([inputs, guesses, targets_of(samples)], int(torch.randint(8, ()))))
        inputs, guesses, targets = (torch.cat(column) for column in zip(*parts, strict=True))
        lattice = torch.tensor(known, device=inputs.device).repeat_interleave(len(inputs) // len(rendered))
        gaps = 1 - inputs[:, MEASURED : MEASURED + 1]
        weight = 1 + (options.gap_weight - 1) * gaps
        made = self.network(inputs, guesses)
        losses = component_loss(made, targets, weight)
        if options.contrast_weight > 0:
            losses = losses + options.contrast_weight * contrast_loss(made[:, 1:], targets[:, 1:], weight)
        self.fabric.backward((losses * torch.where(lattice, options.lattice_weight, 1.0)).mean())
        self.fabric.clip_gradients(self.network, self.optimizer, max_norm=1.0)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self._follow(progress.step)
        values = losses.detach()
        return {name: float(values[of].mean()) for name, of in (("lattice", lattice), ("blind", ~lattice)) if of.any()}

    @torch.no_grad()
    def _follow(self, step: int) -> None:
        """Let the average of the weights follow; quickly at first."""
        keep = min(self.options.average, (1 + step) / (10 + step))
        for mean, now in zip(self.average.parameters(), self.plain.parameters(), strict=True):
            mean.lerp_(now, 1 - keep)

    def validate(self) -> dict[str, float]:
        """Mean squared errors of both components for every recipe, with the lattice and blind."""
        scores = {}
        for recipe in self.recipes:
            for known in (True, False):
                errors = validation_errors(
                    self.average, recipe, known, self.options.validation_batches, self.fabric.device
                ).mean(dim=0)
                name = f"{recipe.name}/{'lattice' if known else 'blind'}"
                for column, value in zip(ERRORS, errors.tolist(), strict=True):
                    scores[f"{name}/{column}"] = value
        return scores

    def picture(self) -> Tensor | None:
        """One validation plane without its lattice: input, I_FF made and true, I_SRO made and true."""
        inputs, made, true = next(_predictions(self.average, self.recipes[0], False, 1, self.fabric.device))
        rows = [inputs[0, 0], made[0, 0], true[0, 0], made[0, 1], true[0, 1]]
        return torch.cat(rows, dim=-1).clamp(-1, 1).add(1).div(2).cpu()


def learning_rate(options: FactorizeTraining, progress: Progress) -> float:
    """Linear warm-up, then half a cosine over the minutes."""
    cosine = 0.5 * (1 + math.cos(math.pi * min(progress.minutes / options.minutes, 1.0)))
    return options.learning_rate * min(1.0, (progress.step + 1) / options.warm_up) * max(cosine, 0.01)


def component_loss(predicted: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Mean absolute plus twice the mean squared error of each sample, (B,): sharp, and blind to no large miss.

    predicted, target: (B, 2, ny, nx); weight: (B, 1, ny, nx).
    """
    difference = predicted - target
    return (weight * (difference.abs() + 2 * difference.square())).mean(dim=(-3, -2, -1))


def contrast_loss(predicted: Tensor, target: Tensor, weight: Tensor, least: float = 0.02) -> Tensor:
    """Mean squared error between the roots of I from the minimum to the maximum of the truth, (B,).

    The published scaling, softened by `least` where the root is steep. predicted, target: (B, C, ny, nx) in -1..1.
    """
    made, true = (unscale_plane(scaled, 1.0) for scaled in (predicted.clamp_min(-1.0), target))
    lowest = true.amin(dim=(-2, -1), keepdim=True)
    range_ = (true.amax(dim=(-2, -1), keepdim=True) - lowest).clamp_min(1e-3)
    roots = [torch.sqrt(((plane - lowest) / range_).clamp(0.0, 2.0) + least) for plane in (made, true)]
    return (weight * 4 * (roots[0] - roots[1]).square()).mean(dim=(-3, -2, -1))


def with_lattice(share: float, use: int) -> bool:
    """Whether use number `use` of a sample is one with its lattice: a share of them, evenly spread."""
    return int((use + 1) * share) > int(use * share)


def start_from(network: nn.Module, start: str) -> None:
    """Take over shipped weights, weights that were exported, or the average of a checkpoint.

    Raises ValueError for weights of a network of another shape.
    """
    if (
        Path(start).suffix == ".safetensors"
        and Path(start).is_file()
        and not Path(start).with_suffix(".json").is_file()
    ):
        weights = read_module(Path(start), "average")
    else:
        card = find_weights(start)
        weights = load(read_verified(card, f"{card.name}.safetensors"))
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        raise ValueError(
            f"weights {start!r} are of a network of another shape: give the --network options that they were trained "
            "with, or --start '' to begin with none"
        ) from error


#: Columns of `validation_errors`.
ERRORS = ("I_FF", "I_SRO", "I_FF_published", "I_SRO_published")


@torch.no_grad()
def validation_errors(
    network: nn.Module, recipe: DiffuseRecipe, lattice_known: bool, batches: int, device: torch.device
) -> Tensor:
    """Squared errors of each validation sample, (samples, 4), named by `ERRORS`: by the maximum, and as published.

    Seven batches of 14 hold each of the 98 pairs once.
    """
    predictions = _predictions(network, recipe, lattice_known, batches, device)
    return torch.cat([_errors(made, true) for _, made, true in predictions])


def _errors(made: Tensor, true: Tensor) -> Tensor:
    published = [scale_as_published(unscale_plane(planes, 1.0)) for planes in (made, true)]
    return torch.cat([(a - b).square().mean(dim=(-2, -1)) for a, b in ((made, true), published)], dim=1)


@torch.no_grad()
def _predictions(
    network: nn.Module, recipe: DiffuseRecipe, lattice_known: bool, batches: int, device: torch.device
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Inputs, made components and true components of validation batches of 14."""
    for batch in draw_batches(recipe, 0, 14, split="validation", first=0, batches=batches, workers=0):
        moved, samples = render_batch(batch, device)
        inputs, guesses = channels_of(moved, samples, lattice_known)
        yield inputs, network(inputs, guesses).clamp(-1, 1), targets_of(samples)
