"""Learn also from patterns nobody has labelled, by what stays when they are measured otherwise: --method fixmatch.

The running average of the network names a pattern as it is; where it is sure, the network has to say the same of
another view of that pattern, of other widths, heights, noise and range. Sohn et al., NeurIPS (2020), with the
averaged weights as the teacher (Tarvainen & Valpola, NeurIPS, 2017). Sureness is asked for at every level by itself:
an average that is sure of the Bravais lattice and not of the space group teaches the lattice alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import Optimizer

from unscatter.train.powder.augmentation import Augmentation, augment
from unscatter.train.powder.classification import Level, level_log_probabilities
from unscatter.train.powder.classifier_scores import judge
from unscatter.train.powder.classify import ClassifierTraining, RelationNetTraining, classifier_details, train_classify
from unscatter.train.powder.measured import read_measured
from unscatter.train.powder.partly_labelled import PartlyLabelled, PartlyLabelledStream
from unscatter.train.powder.patterns import PatternSource
from unscatter.train.session import Progress, Session


@dataclass(frozen=True)
class FixMatchTraining(RelationNetTraining):
    """How our network is trained by default, and learns where labels are missing; views are of use there alone.

    start: the shipped weights, "" for none, which asks for a learning_rate of 1e-3. confidence: probability from which
    the average counts as sure; consistency: weight of what it teaches; augmentation: how far the views of labelled and
    unlabelled patterns may go. measured: tables of patterns from an instrument, as for read_measured; measured_share:
    of both halves of a batch.
    """

    out: Path = Path("runs/classifier")
    start: str = "group-230"
    learning_rate: float = 3e-4
    average: float = 0.995
    confidence: float = 0.8
    consistency: float = 1.0
    augmentation: Augmentation = field(default_factory=Augmentation)
    measured: tuple[Path, ...] = ()
    measured_share: float = 0.25


def train_fixmatch(options: FixMatchTraining) -> Path:
    """Train until the minutes are spent, from the last checkpoint in `out` if there is one; returns its path.

    Where every pattern has its label, they are learned from as by train_classify.
    """
    source = PatternSource(options, options.axis)
    if not options.measured and not len(source.unlabelled):
        print("every pattern has its label: learning from labels alone")
        return train_classify(options, source)
    details = classifier_details(source, options.shape, "fixmatch")
    measured = read_measured(options.measured, source.label_of_group) if options.measured else None
    if measured:
        details["learned_from"]["known_structures"] += len(measured.labels)
    stream = PartlyLabelledStream(source, measured, options.measured_share)
    session = Session(options, stream, "classify", details)
    return session.run(FixMatch(options, source, session.fabric))


class FixMatch:
    """A classifier that learns from labels, and from what its own average is sure of."""

    def __init__(self, options: FixMatchTraining, source: PatternSource, fabric: Fabric) -> None:
        """Build the network on the training device; raises ValueError without an average to teach it."""
        if not options.average:
            raise ValueError("the average of the weights is the teacher: give --average above 0, for example 0.995")
        if not 0 <= options.measured_share < 1:
            raise ValueError(f"a share of {options.measured_share:g} cannot be measured: give 0 to 0.9")
        self.options = options
        self.classifier = ClassifierTraining(options, source, fabric)

    @property
    def modules(self) -> Mapping[str, nn.Module]:
        """The network and its average."""
        return self.classifier.modules

    @property
    def optimizers(self) -> Mapping[str, Optimizer]:
        """The one optimiser."""
        return self.classifier.optimizers

    def update(self, batch: PartlyLabelled, progress: Progress, /) -> dict[str, float]:
        """One step on labelled and unlabelled patterns."""
        teacher, views = self.classifier.modules["average"].eval(), self.options.augmentation
        with torch.no_grad():
            taught, _ = judge(teacher, batch.unlabelled)
        count = len(batch.labelled.inputs)
        view = augment(torch.cat([batch.labelled.inputs, batch.unlabelled]), views)
        logits, cell = judge(self.classifier.network, view.channels)
        known = None if cell is None else cell[:count]
        # ln(1/d) grows as the axes shrink, and the volume by their cube.
        moved = batch.labelled.cell - view.shift[:count] * batch.labelled.cell.new_tensor([3.0, 1.0, 1.0, 1.0])
        named, shown = self.classifier.loss_of_answers(logits[:count], known, batch.labelled._replace(cell=moved))
        agreed, sure = consistency_loss(logits[count:], taught, self.classifier.levels, self.options.confidence)
        self.classifier.step(named + self.options.consistency * agreed, progress)
        return shown | {"consistency": float(agreed.detach())} | {f"sure of {name}": p for name, p in sure.items()}

    def validate(self) -> dict[str, float]:
        """Scores of the average, as of any classifier."""
        return self.classifier.validate()

    def picture(self) -> Tensor | None:
        """Nothing to show."""
        return None


def consistency_loss(
    logits: Tensor, taught: Tensor, levels: Sequence[tuple[Level, float]], confidence: float
) -> tuple[Tensor, dict[str, float]]:
    """Mean over all patterns of -w log p(answer of the teacher) at every level where the teacher is sure.

    logits, taught: (B, classes) of network and teacher; levels: with weights w. Also returns the share of the patterns
    that the teacher was sure of at each level.
    """
    loss, shares = logits.new_zeros((), dtype=torch.float32), {}
    for level, weight in levels:
        probability, answer = level_log_probabilities(taught, level).exp().max(dim=-1)
        sure = (probability >= confidence).float()
        missed = functional.nll_loss(level_log_probabilities(logits, level), answer, reduction="none")
        loss = loss + weight * (missed * sure).mean()
        shares[level.name] = float(sure.mean())
    return loss, shares
