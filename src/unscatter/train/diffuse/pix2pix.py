"""Train the published baseline, two Pix2PixGANs in parallel.

Section 2.2 of Fuller & Rudden, IUCrJ 11 (2024): a network each for I_FF and I_SRO, and a step on their
product.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Self

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from unscatter.diffuse.plane.scaling import scale_by_maximum
from unscatter.diffuse.samples.draw import DiffuseRecipe, Samples
from unscatter.nn.pix2pix import Discriminator, DiscriminatorConfig, Generator, GeneratorConfig
from unscatter.train.diffuse.adversarial import discriminator_loss, generator_loss, product_loss
from unscatter.train.diffuse.batches import (
    DiffuseOptions,
    DiffuseStream,
    Rendered,
    draw_batches,
    render_batch,
    targets_of,
)
from unscatter.train.session import Progress, Session

#: What the two generators make of a plane, in the order of `targets_of`.
COMPONENTS = ("I_FF", "I_SRO")
#: Samples in the picture of a validation.
SHOWN = 4


@dataclass(frozen=True)
class Pix2PixTraining(DiffuseOptions):
    """How the baseline is trained, by default as published (there for 200 epochs of 198 421 planes).

    l1_weight: lambda of eq. (10); dropout_at_inference: keep dropping features when the generators are
    validated. Off, because with it two answers to one plane differ; the published code leaves it on.
    """

    out: Path = Path("runs/pix2pix-256")
    learning_rate: float = 2e-4
    betas: tuple[float, float] = (0.5, 0.999)
    l1_weight: float = 100.0
    dropout_at_inference: bool = False
    generator: GeneratorConfig = field(default_factory=GeneratorConfig)
    discriminator: DiscriminatorConfig = field(default_factory=DiscriminatorConfig)


def train_pix2pix(options: Pix2PixTraining) -> Path:
    """Train until the minutes are spent, from the checkpoint in `out` if there is one; returns its path."""
    stream = DiffuseStream(options)
    session = Session(options, stream, "pix2pix", {"channels": ["plane"], "components": list(COMPONENTS)})
    return session.run(ParallelGans(options, session.fabric, stream.recipes))


class Planes(NamedTuple):
    """Planes of a batch in the range [-1, 1]: spoiled and clean (B, 1, ny, nx), truth (B, 2, ny, nx)."""

    spoiled: Tensor
    clean: Tensor
    truth: Tensor

    @classmethod
    @torch.no_grad()
    def of(cls, samples: Samples) -> Self:
        """Scale each plane of rendered samples by itself, then -1 in the gaps: section 2.1, (6) and (7)."""
        scaled = scale_by_maximum(samples.intensity)
        spoiled = torch.where(samples.measured.bool(), scaled, -1.0)
        return cls(spoiled[:, None], scale_by_maximum(samples.clean)[:, None], targets_of(samples))


class Pix2PixGan:
    """One generator, the discriminator it plays against, and an optimiser for each."""

    def __init__(self, options: Pix2PixTraining, fabric: Fabric) -> None:
        """Build both networks on the training device."""
        self.fabric, self.l1_weight = fabric, options.l1_weight
        self.plain_generator = Generator(options.generator)
        self.plain_discriminator = Discriminator(options.discriminator)
        self.generator, self.generator_optimizer = self._set_up(self.plain_generator, options)
        self.discriminator, self.discriminator_optimizer = self._set_up(self.plain_discriminator, options)

    def _set_up(self, network: nn.Module, options: Pix2PixTraining) -> tuple[nn.Module, Optimizer]:
        adam = Adam(network.parameters(), lr=options.learning_rate, betas=options.betas)
        wrapped, optimizer = self.fabric.setup(network, adam)
        return wrapped, optimizer

    def play(self, spoiled: Tensor, clean: Tensor, truth: Tensor) -> dict[str, float]:
        """One step of the discriminator, then one of the generator; returns their losses.

        The generator looks at the spoiled plane. The discriminator judges against the clean one: against a
        spoiled one it could not tell gaps of the condition from gaps left in the answer, and the generator
        would never learn to fill them.
        """
        generated = self.generator(spoiled)
        critic = self.train_discriminator(generated.detach(), clean, truth)
        maker = self.train_generator(generated, clean, truth)
        l1 = float((generated.detach() - truth).abs().mean())
        return {"discriminator": critic, "generator": maker, "l1": l1}

    def train_discriminator(self, generated: Tensor, clean: Tensor, truth: Tensor) -> float:
        """Teach the discriminator to tell truth from planes that come detached from their generator."""
        # No layer mixes samples, so one pass over both halves equals two, and is safe on several devices.
        verdicts = self.discriminator(torch.cat([truth, generated]), torch.cat([clean, clean]))
        loss = discriminator_loss(*verdicts.chunk(2))
        self.fabric.backward(loss)
        _step(self.discriminator_optimizer)
        return float(loss.detach())

    def train_generator(self, generated: Tensor, clean: Tensor, truth: Tensor) -> float:
        """Teach the generator to come near the truth and to pass the frozen discriminator."""
        judge = self.plain_discriminator.requires_grad_(False)
        # Unwrapped, as a frozen network has nothing to exchange between devices.
        with self.fabric.autocast():
            loss = generator_loss(judge(generated, clean), generated, truth, self.l1_weight)
        self.fabric.backward(loss)
        _step(self.generator_optimizer)
        judge.requires_grad_(True)
        return float(loss.detach())


class ParallelGans:
    """The two Pix2PixGANs of the paper and the step on their product."""

    def __init__(self, options: Pix2PixTraining, fabric: Fabric, recipes: list[DiffuseRecipe]) -> None:
        """Build a GAN for each component."""
        self.options, self.fabric, self.recipes = options, fabric, recipes
        self.gans = {name: Pix2PixGan(options, fabric) for name in COMPONENTS}

    @property
    def modules(self) -> Mapping[str, nn.Module]:
        """The four networks by name, such as generator_I_FF."""
        generators = {f"generator_{name}": gan.plain_generator for name, gan in self.gans.items()}
        return generators | {f"discriminator_{name}": gan.plain_discriminator for name, gan in self.gans.items()}

    @property
    def optimizers(self) -> Mapping[str, Optimizer]:
        """The four optimisers by name."""
        generators = {f"generator_{name}": gan.generator_optimizer for name, gan in self.gans.items()}
        return generators | {f"discriminator_{name}": gan.discriminator_optimizer for name, gan in self.gans.items()}

    def update(self, rendered: Rendered, progress: Progress) -> dict[str, float]:
        """One iteration: both GANs play, then both generators step on the product."""
        parts = [Planes.of(samples) for _, samples in rendered]
        return self.iterate(Planes(*(torch.cat(column) for column in zip(*parts, strict=True))))

    def iterate(self, planes: Planes) -> dict[str, float]:
        """The same for planes that are at hand; returns all losses."""
        losses = {}
        for (name, gan), truth in zip(self.gans.items(), planes.truth.unsqueeze(2).unbind(1), strict=True):
            played = gan.play(planes.spoiled, planes.clean, truth)
            losses.update({f"{name}/{what}": value for what, value in played.items()})
        losses["product"] = self.train_product(planes.spoiled, planes.truth)
        return losses

    def train_product(self, spoiled: Tensor, truth: Tensor) -> float:
        """Teach both generators to make planes with the product of the truths, eqs. (11) and (12)."""
        form, order = (gan.generator(spoiled) for gan in self.gans.values())
        loss = product_loss((form, order), (truth[:, :1], truth[:, 1:]))
        self.fabric.backward(loss)
        for gan in self.gans.values():
            _step(gan.generator_optimizer)
        return float(loss.detach())

    @torch.no_grad()
    def generate(self, spoiled: Tensor) -> Tensor:
        """I_FF and I_SRO made from planes, (B, 2, ny, nx), without dropout unless the options ask for it."""
        generators = [gan.plain_generator for gan in self.gans.values()]
        for generator in generators:
            generator.train(self.options.dropout_at_inference)
        generated = torch.cat([generator(spoiled) for generator in generators], dim=1)
        for generator in generators:
            generator.train()
        return generated

    def validate(self) -> dict[str, float]:
        """Mean squared error of both components for each recipe, in the paper's scaling."""
        scores = {}
        for recipe in self.recipes:
            errors = torch.stack([self._errors(planes) for planes in self._validation(recipe)]).mean(dim=0)
            scores.update({f"{recipe.name}/{c}": float(e) for c, e in zip(COMPONENTS, errors, strict=True)})
        return scores

    def _errors(self, planes: Planes) -> Tensor:
        return (self.generate(planes.spoiled) - planes.truth).square().mean(dim=(0, -2, -1))

    def _validation(self, recipe: DiffuseRecipe) -> Iterator[Planes]:
        """Validation samples in batches of 14: seven of them hold each of the 98 pairs once."""
        count = self.options.validation_batches
        for batch in draw_batches(recipe, 0, 14, split="validation", first=0, batches=count, workers=0):
            yield Planes.of(render_batch(batch, self.fabric.device)[1])

    def picture(self) -> Tensor:
        """Rows of one validation sample each: what was measured, I_FF made and true, I_SRO made and true."""
        planes = Planes(*(tensor[:SHOWN] for tensor in next(self._validation(self.recipes[0]))))
        pairs = torch.stack([self.generate(planes.spoiled), planes.truth], dim=2).flatten(1, 2)
        columns = torch.cat([planes.spoiled, pairs], dim=1)
        # Images begin at the top, planes at the bottom.
        return (columns.flip(-2).transpose(1, 2).flatten(2, 3).flatten(0, 1) + 1) / 2


def _step(optimizer: Optimizer) -> None:
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
