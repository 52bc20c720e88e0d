"""Learn what patterns look like before anybody names one: `unscatter train classify --method contrast`.

Two views of the same pattern are to be told from the views of all others. What a network learns from this needs no
label at all, and another training begins with it, `--start`. Chen et al., ICML (2020), "SimCLR".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import Optimizer

from unscatter.nn.relationnet import RelationNet
from unscatter.train.powder.augmentation import Augmentation, augment
from unscatter.train.powder.classify import (
    RelationNetTraining,
    channel_names,
    classifier_details,
    descend,
    make_optimizer,
)
from unscatter.train.powder.patterns import HELD_OUT_SEED, PatternSource, PatternStream
from unscatter.train.powder.start import start_from
from unscatter.train.session import Progress, Session

#: What a record of this training says its task is: its heads have learned nothing, so it cannot classify.
TASK = "contrast"


@dataclass(frozen=True)
class ContrastTraining(RelationNetTraining):
    """How a network learns from patterns alone: all of the training part, whatever --labelled says.

    Only crystals of --extra are chosen by their space group, as often as among the others.

    temperature: of the similarities; projected: numbers in which two views are compared; augmentation: how far they
    may be from their pattern.
    """

    out: Path = Path("runs/contrast")
    draw_balance: float = 0.0
    average: float = 0.0
    temperature: float = 0.2
    projected: int = 128
    augmentation: Augmentation = field(default_factory=Augmentation)


def train_contrast(options: ContrastTraining) -> Path:
    """Train until the minutes are spent, from the last checkpoint in `out` if there is one; returns its path."""
    # What has no label is what this is for.
    source = PatternSource(replace(options, labelled=1.0), options.axis)
    session = Session(options, PatternStream(source), TASK, classifier_details(source, options.shape, TASK))
    return session.run(Contrast(options, source, session.fabric))


class Contrast:
    """A network without its heads, and a projection in which views are compared."""

    def __init__(self, options: ContrastTraining, source: PatternSource, fabric: Fabric) -> None:
        """Build both on the training device."""
        self.options, self.source = options, source
        network = options.build()
        if options.start:
            start_from(network, options.start, source, channel_names(options.axis))
        self.plain, self.fabric = _Projected(network, options.projected), fabric
        self.network, self.optimizer = fabric.setup(self.plain, make_optimizer(self.plain, options))

    @property
    def modules(self) -> Mapping[str, nn.Module]:
        """The network, by the name under which any classifier is found, and the projection."""
        return {"network": self.plain.network, "projection": self.plain.projection}

    @property
    def optimizers(self) -> Mapping[str, Optimizer]:
        """The one optimiser."""
        return {"adam": self.optimizer}

    def update(self, batch: tuple[Tensor, ...], progress: Progress, /) -> dict[str, float]:
        """One step on two views of each pattern."""
        similarity = self._compare(self.network, batch[0])
        loss = contrast_loss(similarity, self.options.temperature)
        descend(loss, self.network, self.optimizer, self.fabric, self.options, progress)
        return {"contrast": float(loss.detach()), "found": found_partners(similarity.detach())}

    def _compare(self, network: nn.Module, inputs: Tensor) -> Tensor:
        """Cosines (2 B, 2 B) between two views of each of B patterns, first and second views one after the other."""
        views = [augment(inputs, self.options.augmentation).channels for _ in range(2)]
        projected = functional.normalize(network(torch.cat(views)), dim=-1)
        return projected @ projected.T

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Share of the validation patterns of the first recipe whose other view is found among all."""
        options, recipe = self.options, self.source.recipes[0]
        rows = self.source.held_out("validation", options.validation_samples)
        network = self.plain.eval()
        # The same views every time; the session seeds every step of the training anew.
        torch.manual_seed(HELD_OUT_SEED)
        shares = [
            found_partners(self._compare(network, batch.inputs.to(self.fabric.device))) * len(batch.inputs)
            for batch in self.source.draw_part(recipe, rows, options.batch)
        ]
        self.plain.train()
        return {f"{recipe.name}/found": sum(shares) / len(rows)}

    def picture(self) -> Tensor | None:
        """Nothing to show."""
        return None


class _Projected(nn.Module):
    """Features of a network, projected by two layers."""

    def __init__(self, network: RelationNet, numbers: int) -> None:
        super().__init__()
        width = network.config.width
        self.network = network
        self.projection = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, numbers))
        # They answer to nothing here, and devices that exchange gradients must not wait for theirs.
        network.classifier.requires_grad_(False)
        network.cell.requires_grad_(False)

    def forward(self, channels: Tensor) -> Tensor:
        projected: Tensor = self.projection(self.network.features(channels))
        return projected


def contrast_loss(similarity: Tensor, temperature: float) -> Tensor:
    """Mean of -ln(exp(s_ij / T) / sum over k != i of exp(s_ik / T)) for views i and j of the same pattern.

    similarity: (2 B, 2 B), views i and i + B are of one pattern.
    """
    return functional.cross_entropy(_others(similarity) / temperature, _partners(similarity))


def found_partners(similarity: Tensor) -> float:
    """Share of the views whose most similar one is of the same pattern."""
    return float((_others(similarity).argmax(dim=-1) == _partners(similarity)).float().mean())


def _others(similarity: Tensor) -> Tensor:
    """Similarities without those of a view to itself."""
    return similarity.masked_fill(torch.eye(len(similarity), dtype=torch.bool, device=similarity.device), -torch.inf)


def _partners(similarity: Tensor) -> Tensor:
    return torch.arange(len(similarity), device=similarity.device).roll(len(similarity) // 2)
