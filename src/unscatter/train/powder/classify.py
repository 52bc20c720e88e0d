"""Train a network that names the symmetry behind a powder pattern: `unscatter train classify`.

Ours is a `RelationNet`; `ResNet1d` is trained as Lolla et al., J. Appl. Cryst. 55, 882 (2022) did, as the baseline.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim import Optimizer

from unscatter.nn.relationnet import RelationNet, RelationNetConfig
from unscatter.nn.resnet1d import ResNet1d, ResNet1dConfig
from unscatter.powder.pattern.channels import CHANNELS
from unscatter.powder.samples.draw import Axis
from unscatter.symmetry import label_set
from unscatter.train.checkpoint import load_module, read_record
from unscatter.train.powder.classification import (
    LossOptions,
    balanced_weights,
    cell_loss,
    classification_loss,
    top_accuracy,
)
from unscatter.train.powder.classifier_scores import judge, validation_scores
from unscatter.train.powder.patterns import PatternOptions, Patterns, PatternSource, PatternStream
from unscatter.train.powder.splits import SplitName
from unscatter.train.powder.start import known_before, known_structures, start_from
from unscatter.train.session import CHECKPOINT, Progress, Session

#: Numbers of the second head: logarithms of the volume in Angstrom^3 and of the axes in Angstrom.
CELL = ("log volume", "log a", "log b", "log c")
#: Patterns of the training set from which the second head takes its starting point.
_FIRST_LOOK = 512


@dataclass(frozen=True)
class ClassifyTraining(PatternOptions):
    """How a classifier is trained. minutes counts all sessions together: resume with a larger number to go on.

    cosine: let the learning rate fall along half a cosine over the minutes, after a warm-up of so many steps;
    epsilon: of Adam; gradient_norm: largest norm of the gradient, 0 for no bound; average: share of the running
    average of the weights that is kept at each step, 0 for no average; where there is one it is what is scored and
    shipped; start: name or path of weights to begin with, as export wrote them, or a
    checkpoint, of these or other labels, which have learned from the same split or from random crystals alone.
    """

    shape: ClassVar[str]
    axis: ClassVar[Axis]

    threads: int = 1
    batch: int = 64
    validate_every: float = 20.0
    learning_rate: float = 1e-3
    weight_decay: float = 0.0
    epsilon: float = 1e-8
    warm_up: int = 0
    cosine: bool = False
    gradient_norm: float = 0.0
    average: float = 0.0
    start: str = ""
    loss: LossOptions = field(default_factory=LossOptions)

    def build(self) -> nn.Module:
        """Build the network for the label set."""
        raise NotImplementedError


@dataclass(frozen=True)
class RelationNetTraining(ClassifyTraining):
    """How our network is trained: on all recipes at once, with rare groups shown more often than they occur."""

    shape: ClassVar[str] = "relationnet"
    axis: ClassVar[Axis] = "network"

    out: Path = Path("runs/group-230")
    recipes: tuple[str, ...] = ("measured", "paper")
    batch: int = 128
    draw_balance: float = 0.25
    weight_decay: float = 0.05
    warm_up: int = 200
    cosine: bool = True
    gradient_norm: float = 1.0
    average: float = 0.998
    network: RelationNetConfig = field(default_factory=lambda: RelationNetConfig(cell=len(CELL)))

    def build(self) -> RelationNet:
        """Build the network for the label set."""
        return RelationNet(replace(self.network, classes=len(label_set(self.labels)), cell=len(CELL)))


@dataclass(frozen=True)
class ResNetTraining(ClassifyTraining):
    """How the baseline is trained, by default as in table 2 of the paper, which names no number of epochs."""

    shape: ClassVar[str] = "resnet1d"
    axis: ClassVar[Axis] = "instrument"

    out: Path = Path("runs/resnet1d")
    recipes: tuple[str, ...] = ("paper",)
    split: SplitName = "random"
    learning_rate: float = 1e-4
    loss: LossOptions = field(default_factory=lambda: LossOptions(extinction=0, bravais=0, system=0, cell=0))
    network: ResNet1dConfig = field(default_factory=ResNet1dConfig)

    def build(self) -> ResNet1d:
        """Build the network for the label set."""
        return ResNet1d(replace(self.network, classes=len(label_set(self.labels))))


#: The baseline with the values of the published scripts, where they differ from the paper.
PUBLISHED_SCRIPTS = ResNetTraining(
    out=Path("runs/resnet1d-scripts"),
    learning_rate=1e-3,
    epsilon=1e-4,
    network=ResNet1dConfig(dropout=0.05, pool=1),
)
_SHAPES: dict[str, tuple[type[Any], type[Any]]] = {
    kind.shape: (kind, config)
    for kind, config in (
        (RelationNetTraining, RelationNetConfig),
        (ResNetTraining, ResNet1dConfig),
    )
}


def train_classify(options: ClassifyTraining, source: PatternSource | None = None) -> Path:
    """Train until the minutes are spent, from the last checkpoint in `out` if there is one; returns its path.

    source: of these options, where it has been made already.
    """
    source = source or PatternSource(options, options.axis)
    session = Session(options, PatternStream(source), "classify", classifier_details(source, options.shape))
    return session.run(ClassifierTraining(options, source, session.fabric))


def classifier_details(source: PatternSource, shape: str, method: str = "supervised") -> dict[str, Any]:
    """What the record of a classifier says beside its options."""
    return {
        "method": method,
        "network": shape,
        "axis": source.axis,
        "channels": channel_names(source.axis),
        "cell": list(CELL),
        "split": {part: len(getattr(source.split, part)) for part in ("training", "validation", "test")},
        "learned_from": {
            "labelled": len(source.labelled),
            "unlabelled": len(source.unlabelled),
            "known_structures": _known_structures(source),
        },
        "table": source.table_key,
    }


def _known_structures(source: PatternSource) -> int:
    """How many structures that were not drawn at random are known in the end: now, from the start, or from before."""
    options = source.options
    begun = known_structures(start) if (start := getattr(options, "start", "")) else 0
    return max(source.known_structures, begun, known_before(options.out / CHECKPOINT))


def channel_names(axis: Axis) -> list[str]:
    """Names of what a network sees on either axis."""
    return list(CHANNELS) if axis == "network" else ["intensity"]


class ClassifierTraining:
    """A network, the running average of its weights, and how both learn from a batch."""

    def __init__(self, options: ClassifyTraining, source: PatternSource, fabric: Fabric) -> None:
        """Build the network on the training device."""
        self.options, self.source, self.fabric = options, source, fabric
        self.plain = options.build()
        anew = not options.start or start_from(self.plain, options.start, source, channel_names(options.axis))
        if anew and isinstance(self.plain, RelationNet):
            _start_at_the_mean(self.plain, source)
        self.average = copy.deepcopy(self.plain).to(fabric.device).requires_grad_(False) if options.average else None
        self.levels = options.loss.levels(options.labels, fabric.device)
        # Added to the logits while rare labels are shown more often than they occur, so that the logits by themselves
        # are for labels as frequent as they are.
        self.offset = torch.as_tensor(np.log(source.oversampling()), dtype=torch.float32, device=fabric.device)
        counts = torch.as_tensor(source.label_counts())
        self.weights = balanced_weights(counts, options.loss.balance).to(fabric.device)
        self.network, self.optimizer = fabric.setup(self.plain, make_optimizer(self.plain, options))

    @property
    def modules(self) -> Mapping[str, nn.Module]:
        """The network as trained, and its average where there is one."""
        return {"network": self.plain} | ({"average": self.average} if self.average else {})

    @property
    def optimizers(self) -> Mapping[str, Optimizer]:
        """The one optimiser."""
        return {"adam": self.optimizer}

    def update(self, batch: Patterns, progress: Progress, /) -> dict[str, float]:
        """One step on a batch."""
        loss, shown = self.supervised_loss(batch)
        self.step(loss, progress)
        return shown

    def supervised_loss(self, batch: Patterns) -> tuple[Tensor, dict[str, float]]:
        """Mean loss of labelled patterns, and what of it to log."""
        logits, cell = judge(self.network, batch.inputs)
        return self.loss_of_answers(logits, cell, batch)

    def loss_of_answers(self, logits: Tensor, cell: Tensor | None, batch: Patterns) -> tuple[Tensor, dict[str, float]]:
        """Mean loss of answers to labelled patterns, and what of it to log."""
        options = self.options
        logits = logits + self.offset
        named = classification_loss(logits, batch.labels, self.levels, smoothing=options.loss.smoothing)
        losses = self.weights[batch.labels] * named
        shown = {"top-1": top_accuracy(logits.detach(), batch.labels), "named": float(named.detach().mean())}
        if cell is not None:
            missed = cell_loss(cell, batch.cell)
            losses = losses + options.loss.cell * missed
            shown["cell"] = float(missed.detach().mean())
        return losses.mean(), shown

    def step(self, loss: Tensor, progress: Progress) -> None:
        """One step down the gradient, and the average of the weights after it."""
        descend(loss, self.network, self.optimizer, self.fabric, self.options, progress)
        self._follow(progress.step)

    @torch.no_grad()
    def _follow(self, step: int) -> None:
        """Let the average of the weights follow; quickly at first."""
        if self.average is None:
            return
        keep = min(self.options.average, (1 + step) / (10 + step))
        for mean, now in zip(self.average.parameters(), self.plain.parameters(), strict=True):
            mean.lerp_(now, 1 - keep)

    def validate(self) -> dict[str, float]:
        """Scores at every level, as `validation_scores` gives them."""
        found = validation_scores((self.average or self.plain).eval(), self.source, self.fabric.device)
        self.plain.train()
        return found

    def picture(self) -> Tensor | None:
        """Nothing to show."""
        return None


def make_optimizer(network: nn.Module, options: ClassifyTraining) -> Optimizer:
    """Adam, with decay for matrices and none for biases and norms."""
    matrices = [p for p in network.parameters() if p.ndim > 1]
    others = [p for p in network.parameters() if p.ndim <= 1]
    groups = [{"params": matrices, "weight_decay": options.weight_decay}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=options.learning_rate, eps=options.epsilon, fused=True)


def descend(
    loss: Tensor,
    network: nn.Module,
    optimizer: Optimizer,
    fabric: Fabric,
    options: ClassifyTraining,
    progress: Progress,
) -> None:
    """Backward and one step of the optimiser, by the learning rate and the bound of the gradient that are due."""
    for group in optimizer.param_groups:
        group["lr"] = learning_rate(options, progress)
    fabric.backward(loss)
    if options.gradient_norm:
        fabric.clip_gradients(network, optimizer, max_norm=options.gradient_norm)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)


def learning_rate(options: ClassifyTraining, progress: Progress) -> float:
    """Linear warm-up; then constant, or half a cosine over the minutes or, where they are limited, the steps."""
    warm = min(1.0, (progress.step + 1) / max(options.warm_up, 1))
    if not options.cosine:
        return options.learning_rate * warm
    done = max(progress.minutes / options.minutes, progress.step / options.steps if options.steps else 0.0)
    cosine = 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))
    return options.learning_rate * warm * max(cosine, 0.01)


def load_classifier(checkpoint: Path) -> tuple[nn.Module, dict[str, Any]]:
    """Network of a checkpoint, ready for inference, and the record of its training.

    Raises ValueError for a checkpoint of another task.
    """
    record = read_record(checkpoint)
    if record["task"] != "classify":
        raise ValueError(f"{checkpoint} holds no classifier: train one with unscatter train classify")
    kind, config = _SHAPES[record["network"]]
    options = record["options"]
    fields = {name: tuple(v) if isinstance(v, list) else v for name, v in options["network"].items()}
    network: nn.Module = kind(labels=options["labels"], network=config(**fields)).build()
    load_module(checkpoint, "average" if options.get("average") else "network", network)
    return network.eval(), record


def recorded_options(record: Mapping[str, Any]) -> PatternOptions:
    """Options of a recorded training as far as they say which patterns it saw."""
    options = record["options"]
    return PatternOptions(
        structures=tuple(Path(path) for path in options["structures"]),
        most_structures=options.get("most_structures", 0),
        recipes=tuple(options["recipes"]),
        labels=options["labels"],
        split=options["split"],
        split_seed=options["split_seed"],
        fractions=tuple(options["fractions"]),
        # Checkpoints from before some labels could be left out know none of these.
        labelled=options.get("labelled", 1.0),
        label_seed=options.get("label_seed", 0),
    )


@torch.no_grad()
def _start_at_the_mean(network: RelationNet, source: PatternSource) -> None:
    """Let the second head begin with the mean cell: the Huber loss would take long to walk there."""
    rows = source.held_out("training", _FIRST_LOOK)
    cells = [batch.cell for batch in source.draw_part(source.recipes[0], rows, 64)]
    network.cell.bias.copy_(torch.cat(cells).mean(dim=0))
