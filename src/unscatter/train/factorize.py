"""Train the network that takes a plane apart: `unscatter train factorize --network unet`."""

from __future__ import annotations

import copy
import json
import math
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.utils.tensorboard import SummaryWriter

from unscatter.diffuse.channels import CHANNELS
from unscatter.diffuse.samples import DiffuseRecipe, DrawBatch, Samples, read_recipe, recipe_record
from unscatter.nn.unet import UNet, UNetConfig
from unscatter.train.batches import channels_of, draw_batches, render_batch, targets_of, turn
from unscatter.train.checkpoint import load_checkpoint, save_checkpoint
from unscatter.version import __version__


@dataclass(frozen=True)
class FactorizeTraining:
    """How the network is trained. minutes counts all sessions together: resume with a larger number to go on.

    recipes: names or TOML paths, drawn in equal parts; batch: samples a step. Every rendered sample is used twice,
    once with and once without its lattice, so that one network serves both cases.
    """

    out: Path = Path("runs/factorize-256")
    minutes: float = 120.0
    recipes: tuple[str, ...] = ("paper", "physical", "measured")
    batch: int = 12
    learning_rate: float = 8e-4
    weight_decay: float = 0.02
    warm_up: int = 200
    average: float = 0.998
    seed: int = 1
    workers: int = 0
    threads: int = 0
    devices: int = 1
    precision: str = "32-true"
    validate_every: float = 10.0
    validation_batches: int = 7
    network: UNetConfig = UNetConfig()


def train_factorize(options: FactorizeTraining) -> Path:
    """Train until the minutes are spent, from the last checkpoint in `out` if there is one; returns its path."""
    if options.threads:
        torch.set_num_threads(options.threads)
    fabric = Fabric(devices=options.devices, precision=options.precision)  # type: ignore[arg-type]
    fabric.launch()
    fabric.seed_everything(options.seed, verbose=False)
    training = _Training(options, fabric)
    training.run()
    return training.path


class _Training:
    """The state of one training: network, its average, optimiser, and how far it has come."""

    def __init__(self, options: FactorizeTraining, fabric: Fabric) -> None:
        self.options, self.fabric = options, fabric
        self.path = options.out / "checkpoint.safetensors"
        self.recipes = [read_recipe(name) for name in options.recipes]
        network = UNet(options.network)
        self.average = copy.deepcopy(network).to(fabric.device).requires_grad_(False)
        optimizer = torch.optim.AdamW(
            network.parameters(),
            lr=options.learning_rate,
            weight_decay=options.weight_decay,
            betas=(0.9, 0.99),
        )
        self.step, self.minutes = 0, 0.0
        self.scores: list[dict[str, float]] = []
        if self.path.exists():
            record = load_checkpoint(
                self.path, {"network": network, "average": self.average}, {"adam": optimizer}
            )
            self.step, self.minutes, self.scores = record["step"], record["minutes"], record["scores"]
            fabric.print(f"resumed {self.path} at step {self.step}, {self.minutes:.1f} minutes")
        self.plain = network
        self.network, self.optimizer = fabric.setup(network, optimizer)

    def run(self) -> None:
        options, fabric = self.options, self.fabric
        log = SummaryWriter(options.out / "tensorboard") if fabric.is_global_zero else None
        started, before = time.monotonic(), self.minutes
        next_validation = self.minutes + options.validate_every
        running: dict[str, float] = {}
        for batches in self._batches():
            self.minutes = before + (time.monotonic() - started) / 60
            if self.minutes >= options.minutes:
                break
            rendered = [render_batch(batch, fabric.device) for batch in batches]
            for turn_number in range(2):
                for name, loss in self._update(rendered, turn_number).items():
                    running[name] = 0.98 * running.get(name, loss) + 0.02 * loss
            if self.step % 20 == 0 and log is not None:
                for name, loss in running.items():
                    log.add_scalar(f"loss/{name}", loss, self.step)
                progress = {"step": self.step, "minutes": self.minutes, **running}
                (options.out / "progress.json").write_text(json.dumps(progress))
            if self.minutes >= next_validation:
                next_validation = self.minutes + options.validate_every
                self._validate(log)
                self.save()
        self._validate(log)
        self.save()

    def _batches(self) -> Iterator[tuple[DrawBatch, ...]]:
        options = self.options
        share = options.batch // len(self.recipes)
        rank, world = self.fabric.global_rank, self.fabric.world_size
        first = self.step // 2
        streams = [
            draw_batches(
                recipe,
                options.seed + 1000 * rank,
                share,
                split="training",
                first=first,
                batches=10_000_000 // world,
                workers=options.workers,
            )
            for recipe in self.recipes
        ]
        return zip(*streams, strict=True)

    def _update(self, rendered: list[tuple[DrawBatch, Samples]], turn_number: int) -> dict[str, float]:
        """One step on a batch, every other part of it with its lattice; the next turn swaps them."""
        options = self.options
        for group in self.optimizer.param_groups:
            group["lr"] = self._learning_rate()
        known = [(part + turn_number) % 2 == 0 for part in range(len(rendered))]
        parts = []
        for (batch, samples), with_lattice in zip(rendered, known, strict=True):
            inputs, guesses = channels_of(batch, samples, with_lattice)
            parts.append(turn([inputs, guesses, targets_of(samples)], int(torch.randint(8, ()))))
        inputs, guesses, targets = (torch.cat(column) for column in zip(*parts, strict=True))
        losses = component_loss(self.network(inputs, guesses), targets)
        self.fabric.backward(losses.mean())
        self.fabric.clip_gradients(self.network, self.optimizer, max_norm=1.0)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self._follow()
        self.step += 1
        lattice = torch.tensor(known).repeat_interleave(len(losses) // len(rendered)).to(losses.device)
        values = losses.detach()
        return {"lattice": float(values[lattice].mean()), "blind": float(values[~lattice].mean())}

    def _learning_rate(self) -> float:
        """Linear warm-up, then half a cosine over the minutes."""
        options = self.options
        progress = min(self.minutes / options.minutes, 1.0)
        cosine = 0.5 * (1 + math.cos(math.pi * progress))
        return options.learning_rate * min(1.0, (self.step + 1) / options.warm_up) * max(cosine, 0.01)

    @torch.no_grad()
    def _follow(self) -> None:
        """Let the average of the weights follow; quickly at first."""
        keep = min(self.options.average, (1 + self.step) / (10 + self.step))
        for mean, now in zip(self.average.parameters(), self.plain.parameters(), strict=True):
            mean.lerp_(now, 1 - keep)

    def _validate(self, log: SummaryWriter | None) -> None:
        if not self.fabric.is_global_zero:
            return
        scores = {"step": float(self.step), "minutes": self.minutes}
        for recipe in self.recipes:
            for known in (True, False):
                errors = validation_errors(
                    self.average, recipe, known, self.options.validation_batches, self.fabric.device
                ).mean(dim=0)
                name = f"{recipe.name}/{'lattice' if known else 'blind'}"
                scores[f"{name}/I_FF"], scores[f"{name}/I_SRO"] = errors.tolist()
        self.scores.append(scores)
        self.fabric.print(json.dumps(scores))
        if log is not None:
            for name, value in scores.items():
                log.add_scalar(f"validation/{name}", value, self.step)

    def save(self) -> None:
        if not self.fabric.is_global_zero:
            return
        record = training_record(self.options, self.recipes, self.step, self.minutes, self.scores)
        modules: dict[str, nn.Module] = {"network": self.plain, "average": self.average}
        save_checkpoint(self.path, modules, {"adam": self.optimizer}, record)


def training_record(
    options: FactorizeTraining,
    recipes: list[DiffuseRecipe],
    step: int,
    minutes: float,
    scores: list[dict[str, float]],
) -> dict[str, Any]:
    """All that is needed to make the network again: version, options, resolved recipes, how long, what it scored."""
    plain = json.loads(json.dumps(asdict(options), default=str))
    return {
        "version": __version__,
        "task": "factorize",
        "options": plain,
        "recipes": [recipe_record(recipe) for recipe in recipes],
        "channels": list(CHANNELS),
        "step": step,
        "minutes": minutes,
        "scores": scores,
    }


def component_loss(predicted: Tensor, target: Tensor) -> Tensor:
    """Mean absolute plus twice the mean squared error of each sample, (B,): sharp, and blind to no large miss."""
    difference = predicted - target
    return (difference.abs() + 2 * difference.square()).mean(dim=(-3, -2, -1))


@torch.no_grad()
def validation_errors(
    network: nn.Module, recipe: DiffuseRecipe, lattice_known: bool, batches: int, device: torch.device
) -> Tensor:
    """Squared error of I_FF and I_SRO of each validation sample in the paper's scaling, (samples, 2).

    Seven batches of 14 hold each of the 98 pairs once.
    """
    stream = draw_batches(recipe, 0, 14, split="validation", first=0, batches=batches, workers=0)
    errors = []
    for batch in stream:
        moved, samples = render_batch(batch, device)
        inputs, guesses = channels_of(moved, samples, lattice_known)
        predicted = network(inputs, guesses).clamp(-1, 1)
        errors.append((predicted - targets_of(samples)).square().mean(dim=(-2, -1)))
    return torch.cat(list(chain(errors)))
