"""Train the encoder behind FID-x and KID-x: `unscatter train encoder`.

It looks at clean components and learns to read off the numbers they were made from, so that its features
move when something of physical meaning changes. The heads that read the numbers serve the training alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import Optimizer

from unscatter.diffuse.samples.draw import DiffuseRecipe, DrawBatch, Samples, read_recipe
from unscatter.nn.encoder import Encoder, EncoderConfig
from unscatter.train.diffuse.batches import (
    DiffuseOptions,
    DiffuseStream,
    Rendered,
    draw_batches,
    render_batch,
    targets_of,
)
from unscatter.train.diffuse.plane_numbers import FORM_NUMBERS, ORDER_NUMBERS, form_numbers, order_numbers
from unscatter.train.session import Progress, Session

#: What the heads read, in the order of `targets_of`.
NUMBERS = {"I_FF": FORM_NUMBERS, "I_SRO": ORDER_NUMBERS}


@dataclass(frozen=True)
class EncoderTraining(DiffuseOptions):
    """How the encoder is trained. pixels: of the planes it learns from, which it averages further."""

    out: Path = Path("runs/encoder-x")
    minutes: float = 8.0
    recipes: tuple[str, ...] = ("paper", "physical", "measured")
    batch: int = 24
    turns: int = 2
    pixels: int = 128
    learning_rate: float = 2e-3
    weight_decay: float = 0.05
    network: EncoderConfig = field(default_factory=EncoderConfig)


def train_encoder(options: EncoderTraining) -> Path:
    """Train until the minutes are spent, from the last checkpoint in `out` if there is one; returns its path."""
    recipes = [without_artefacts(read_recipe(name), options.pixels) for name in options.recipes]
    stream = DiffuseStream(options, recipes)
    details = {"numbers": {name: list(numbers) for name, numbers in NUMBERS.items()}}
    session = Session(options, stream, "encode", details)
    return session.run(NumbersTraining(options, recipes, session.fabric))


def without_artefacts(recipe: DiffuseRecipe, pixels: int) -> DiffuseRecipe:
    """The same crystals and planes seen whole and without noise; components know of nothing else."""
    return replace(
        recipe, pixels=pixels, artefacts=0.0, counts=(0.0, 0.0), background=0.0, bragg_residue=0.0, blur=(0.0, 0.0)
    )


class Reader(nn.Module):
    """The encoder with a linear head for either component."""

    def __init__(self, config: EncoderConfig) -> None:
        """Build encoder and heads."""
        super().__init__()
        self.encoder = Encoder(config)
        self.heads = nn.ModuleList(nn.Linear(config.features, len(numbers)) for numbers in NUMBERS.values())

    def forward(self, components: Tensor) -> Tensor:
        """Components (B, 2, n, n) to their numbers, one set after the other, (B, 16)."""
        # Both at once: the features are to have mean 0 and variance 1 over planes of both kinds together.
        features = self.encoder(components.flatten(0, 1)[:, None]).unflatten(0, (-1, 2))
        return torch.cat([head(features[:, place]) for place, head in enumerate(self.heads)], dim=1)


class NumbersTraining:
    """The encoder, and how it learns to read numbers off planes."""

    def __init__(self, options: EncoderTraining, recipes: list[DiffuseRecipe], fabric: Fabric) -> None:
        """Build the networks on the training device."""
        self.options, self.recipes, self.fabric = options, recipes, fabric
        self.plain = Reader(options.network)
        optimizer = torch.optim.AdamW(
            self.plain.parameters(), lr=options.learning_rate, weight_decay=options.weight_decay
        )
        self.network, self.optimizer = fabric.setup(self.plain, optimizer)

    @property
    def modules(self) -> Mapping[str, nn.Module]:
        """What is shipped, and the heads."""
        return {"encoder": self.plain.encoder, "heads": self.plain.heads}

    @property
    def optimizers(self) -> Mapping[str, Optimizer]:
        """The one optimiser."""
        return {"adam": self.optimizer}

    def update(self, rendered: Rendered, progress: Progress) -> dict[str, float]:
        """One step on a batch of every recipe."""
        # Half a cosine over the minutes.
        share = min(progress.minutes / self.options.minutes, 1.0)
        for group in self.optimizer.param_groups:
            group["lr"] = self.options.learning_rate * max(0.5 * (1 + math.cos(math.pi * share)), 0.01)
        planes = torch.cat([targets_of(samples) for _, samples in rendered])
        truth = torch.cat([_numbers_of(*each) for each in rendered])
        loss = functional.smooth_l1_loss(self.network(planes), truth, beta=0.3)
        self.fabric.backward(loss)
        self.fabric.clip_gradients(self.network, self.optimizer, max_norm=1.0)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        return {"numbers": float(loss.detach())}

    def validate(self) -> dict[str, float]:
        """Share of the variance of each number that is explained on validation planes of the first recipe."""
        made, true = self._read_validation()
        explained = 1 - (made - true).square().mean(dim=0) / true.var(dim=0, correction=0)
        names = [f"{component}/{name}" for component, numbers in NUMBERS.items() for name in numbers]
        return dict(zip(names, explained.tolist(), strict=True))

    @torch.no_grad()
    def _read_validation(self) -> tuple[Tensor, Tensor]:
        """Numbers read and true of validation batches of 14."""
        self.plain.eval()
        made, true = [], []
        batches = self.options.validation_batches
        for batch in draw_batches(self.recipes[0], 0, 14, split="validation", first=0, batches=batches, workers=0):
            rendered = render_batch(batch, self.fabric.device)
            made.append(self.plain(targets_of(rendered[1])))
            true.append(_numbers_of(*rendered))
        self.plain.train()
        return torch.cat(made), torch.cat(true)

    def picture(self) -> Tensor | None:
        """Nothing to show."""
        return None


@torch.no_grad()
def _numbers_of(batch: DrawBatch, samples: Samples) -> Tensor:
    return torch.cat([form_numbers(batch, samples), order_numbers(batch)], dim=1)
