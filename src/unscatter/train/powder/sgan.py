"""Train the published semi-supervised GAN: `unscatter train classify --method sgan`.

Lolla et al., J. Appl. Cryst. 55, 882 (2022), section 2.4: the classifier is also the discriminator, which learns from
labelled patterns what they are, and from unlabelled and generated ones which are real.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar, NamedTuple

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import Adam, Optimizer

from unscatter.nn.generator1d import Generator1d, Generator1dConfig
from unscatter.nn.resnet1d import ResNet1d, ResNet1dConfig
from unscatter.powder.samples.draw import Axis
from unscatter.symmetry import label_set
from unscatter.train.powder.classification import (
    log_generated,
    log_real,
    sgan_discriminator_loss,
    sgan_generator_loss,
    sgan_unsupervised_loss,
    top_accuracy,
)
from unscatter.train.powder.classifier_scores import validation_scores
from unscatter.train.powder.classify import classifier_details
from unscatter.train.powder.partly_labelled import PartlyLabelled, PartlyLabelledStream
from unscatter.train.powder.pattern_picture import draw_sets
from unscatter.train.powder.patterns import HELD_OUT_SEED, INPUTS, PatternOptions, PatternSource
from unscatter.train.powder.splits import SplitName
from unscatter.train.powder.variety import variety
from unscatter.train.session import Progress, Session

#: Patterns whose variety is compared, and of each kind in the picture of a validation.
COMPARED, SHOWN = 64, 5


@dataclass(frozen=True)
class SganTraining(PatternOptions):
    """How the SGAN is trained, by default as in table 2 of the paper, which names no number of epochs.

    batch: of each of the three inputs: labelled, unlabelled and generated patterns; labelled: share of all structures
    that keep their label; discriminator_rate, generator_rate: learning rates of Adam; unsupervised_rate: of a second
    Adam on the discriminator, which then learns what is real in a step of its own, 0 for one step on all of eq. (3);
    epsilon: of every Adam; network: the discriminator.
    """

    shape: ClassVar[str] = "resnet1d"
    axis: ClassVar[Axis] = "instrument"

    out: Path = Path("runs/sgan")
    threads: int = 1
    batch: int = 32
    validate_every: float = 20.0
    split: SplitName = "random"
    labelled: float = 0.05
    discriminator_rate: float = 5e-6
    generator_rate: float = 1e-6
    unsupervised_rate: float = 0.0
    epsilon: float = 1e-8
    network: ResNet1dConfig = field(default_factory=ResNet1dConfig)
    generator: Generator1dConfig = field(default_factory=Generator1dConfig)

    def build(self) -> ResNet1d:
        """Build the discriminator for the label set."""
        return ResNet1d(replace(self.network, classes=len(label_set(self.labels))))


#: The values of the published scripts, where they differ from the paper.
PUBLISHED_SGAN_SCRIPTS = SganTraining(
    out=Path("runs/sgan-scripts"),
    discriminator_rate=1e-3,
    unsupervised_rate=1e-4,
    generator_rate=1e-4,
    epsilon=1e-4,
    network=ResNet1dConfig(dropout=0.05, pool=1),
)


def train_sgan(options: SganTraining) -> Path:
    """Train until the minutes are spent, from the last checkpoint in `out` if there is one; returns its path."""
    source = PatternSource(options, options.axis)
    session = Session(
        options, PartlyLabelledStream(source), "classify", classifier_details(source, options.shape, "sgan")
    )
    return session.run(Sgan(options, source, session.fabric))


class Logits(NamedTuple):
    """What the discriminator says to the three inputs, (B, classes) each."""

    labelled: Tensor
    unlabelled: Tensor
    generated: Tensor


class Sgan:
    """A generator, a classifier that is also its discriminator, and how both learn from a batch."""

    def __init__(self, options: SganTraining, source: PatternSource, fabric: Fabric) -> None:
        """Build both networks on the training device; raises ValueError if generated patterns have another length."""
        points = INPUTS[options.axis][1]
        if options.generator.points != points:
            raise ValueError(
                f"a generator of patterns of {options.generator.points} points, expected the {points} of the "
                "instrument: give --generator.noise 100 with the published kernels and strides"
            )
        self.options, self.source, self.fabric = options, source, fabric
        self.plain_generator, self.plain_discriminator = Generator1d(options.generator), options.build()
        self.generator, self.generator_adam = fabric.setup(
            self.plain_generator, self._adam(self.plain_generator, options.generator_rate)
        )
        rates = [options.discriminator_rate, *([options.unsupervised_rate] if options.unsupervised_rate else [])]
        adams = [self._adam(self.plain_discriminator, rate) for rate in rates]
        self.discriminator, *self.discriminator_adams = fabric.setup(self.plain_discriminator, *adams)
        # As for any classifier: logits stand for labels as frequent as they are, however often they are shown.
        self.offset = torch.as_tensor(source.oversampling()).log().float().to(fabric.device)

    def _adam(self, network: nn.Module, rate: float) -> Optimizer:
        return Adam(network.parameters(), lr=rate, eps=self.options.epsilon)

    @property
    def modules(self) -> Mapping[str, nn.Module]:
        """Both networks; the discriminator by the name under which any classifier is found."""
        return {"network": self.plain_discriminator, "generator": self.plain_generator}

    @property
    def optimizers(self) -> Mapping[str, Optimizer]:
        """Every Adam by what it teaches."""
        names = ("discriminator", "unsupervised")
        return {"generator": self.generator_adam} | dict(zip(names, self.discriminator_adams, strict=False))

    def update(self, batch: PartlyLabelled, progress: Progress, /) -> dict[str, float]:
        """One step of the discriminator and one of the generator, on the same generated patterns."""
        generated = self.generator(self.draw_noise(len(batch.unlabelled)))
        shown = self.train_discriminator(batch, generated.detach())
        return shown | self.train_generator(generated)

    def draw_noise(self, count: int) -> Tensor:
        """Noise (count, 1, noise) from N(0, 1), which the session seeds anew at every step."""
        return torch.randn(count, 1, self.options.generator.noise, device=self.fabric.device)

    def train_discriminator(self, batch: PartlyLabelled, generated: Tensor) -> dict[str, float]:
        """Maximise eq. (3) for patterns that come detached from their generator; returns what to log."""
        if len(self.discriminator_adams) == 1:
            # No layer mixes samples, so one pass over all three equals three, and is safe on several devices.
            inputs = torch.cat([batch.labelled.inputs, batch.unlabelled, generated])
            sizes = [len(batch.labelled.inputs), len(batch.unlabelled), len(generated)]
            logits = Logits(*self.discriminator(inputs).split(sizes))
            named = logits.labelled + self.offset
            loss = sgan_discriminator_loss(logits.unlabelled, logits.generated, named, batch.labelled.labels)
            norms = {"discriminator": self._step(loss, self.plain_discriminator, self.discriminator_adams[0])}
        else:
            logits, norms = self._train_in_turn(batch, generated)
        norms = {f"gradient {name}": norm for name, norm in norms.items()}
        return discriminator_health(logits, batch.labelled.labels, self.offset) | norms

    def _train_in_turn(self, batch: PartlyLabelled, generated: Tensor) -> tuple[Logits, dict[str, float]]:
        """Both parts of eq. (3) one after the other, each by its own optimiser of the same weights."""
        supervised, unsupervised = self.discriminator_adams
        labelled = self.discriminator(batch.labelled.inputs)
        loss = functional.cross_entropy((labelled + self.offset).float(), batch.labelled.labels)
        norms = {"discriminator": self._step(loss, self.plain_discriminator, supervised)}
        judged = self.discriminator(torch.cat([batch.unlabelled, generated]))
        unlabelled, of_generated = judged.split([len(batch.unlabelled), len(generated)])
        loss = sgan_unsupervised_loss(unlabelled, of_generated)
        norms["unsupervised"] = self._step(loss, self.plain_discriminator, unsupervised)
        return Logits(labelled, unlabelled, of_generated), norms

    def train_generator(self, generated: Tensor) -> dict[str, float]:
        """Minimise eq. (2): teach the generator to pass the discriminator, which stays as it is."""
        judge = self.plain_discriminator.requires_grad_(False)
        # Unwrapped, as a frozen network has nothing to exchange between devices.
        with self.fabric.autocast():
            loss = sgan_generator_loss(judge(generated))
        norm = self._step(loss, self.plain_generator, self.generator_adam)
        judge.requires_grad_(True)
        return {"generator": float(loss.detach()), "gradient generator": norm}

    def _step(self, loss: Tensor, network: nn.Module, optimizer: Optimizer) -> float:
        """Backward and one step; returns the norm of the gradient."""
        self.fabric.backward(loss)
        norm = torch.nn.utils.get_total_norm([p.grad for p in network.parameters() if p.grad is not None])
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        return float(norm)

    @torch.no_grad()
    def generate(self, count: int) -> Tensor:
        """Generated patterns (count, points) as the discriminator gets them, from the same noise every time."""
        chance = torch.Generator().manual_seed(HELD_OUT_SEED)
        noise = torch.randn(count, 1, self.options.generator.noise, generator=chance).to(self.fabric.device)
        # BatchNorm by the statistics of the batch, as in training; a copy, as those would move the running ones.
        patterns: Tensor = copy.deepcopy(self.plain_generator)(noise)
        return patterns[:, 0].float().cpu()

    def real(self, count: int) -> Tensor:
        """Validation patterns of the first recipe, (count, points), the same every time."""
        rows = self.source.held_out("validation", count)
        return self.source.draw(self.source.recipes[0], rows, HELD_OUT_SEED, 0).inputs[:, 0]

    def validate(self) -> dict[str, float]:
        """Scores of the discriminator as those of any classifier, and the variety of generated patterns."""
        found = validation_scores(self.plain_discriminator.eval(), self.source, self.fabric.device)
        self.plain_discriminator.train()
        real = self.real(COMPARED)
        distance, peaks = variety(self.generate(len(real)).numpy(), real.numpy())
        return found | {"variety/distance": distance, "variety/peaks": peaks}

    def picture(self) -> Tensor:
        """Generated patterns above real ones."""
        return torch.from_numpy(draw_sets(self.generate(SHOWN).numpy(), self.real(SHOWN).numpy()))


@torch.no_grad()
def discriminator_health(logits: Logits, labels: Tensor, offset: Tensor) -> dict[str, float]:
    """Parts of eq. (3) and the mean D of each input; near 1/2 for generated patterns where nobody has won."""
    named = (logits.labelled + offset).float()
    found = {
        "top-1": top_accuracy(named, labels),
        "named": float(functional.cross_entropy(named, labels)),
        "unlabelled": -float(log_real(logits.unlabelled).mean()),
        "generated": -float(log_generated(logits.generated).mean()),
    }
    return found | {f"D {name}": float(log_real(each).exp().mean()) for name, each in logits._asdict().items()}
