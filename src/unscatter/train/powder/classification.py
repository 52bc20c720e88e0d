"""What a classifier of patterns is told and how it is judged: losses and scores as pure functions.

A network gives one logit for each of the 230 space groups. The probability of anything coarser, such as a Bravais
lattice, is the sum over its groups, so that all answers agree. The losses of the SGAN are equations (1) to (3) of
Lolla et al., J. Appl. Cryst. 55, 882 (2022).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional
from torchmetrics.functional.classification import (
    multiclass_accuracy,
    multiclass_calibration_error,
    multiclass_confusion_matrix,
)

from unscatter.symmetry import label_set

#: Bounds of a fitted temperature: a network that makes no mistake would ask for zero.
TEMPERATURES = (0.05, 20.0)


#: Label sets of the loss that are sums over the labels of a head.
_COARSER = {
    "group-230": ("extinction-99", "bravais-14", "system-7"),
    "group-144": ("extinction-99", "bravais-14", "system-7"),
    # hP is trigonal and hexagonal, so that a crystal system is no sum over lattices.
    "bravais-14": (),
}


class Level(NamedTuple):
    """A set of classes made of sums over logits: of_logit (logits,), the class of each, -1 if outside."""

    name: str
    of_logit: Tensor
    classes: int


@dataclass(frozen=True)
class LossOptions:
    """Weights of the parts of the loss: cross entropy by label set, and the Huber loss of the cell.

    smoothing: share of the truth that is spread evenly over all classes of a level. balance: a sample counts as
    (samples of its group)^-balance; 0 leaves rare groups rare, 1 makes all groups weigh the same.
    """

    group: float = 1.0
    extinction: float = 0.3
    bravais: float = 0.3
    system: float = 0.1
    cell: float = 0.3
    smoothing: float = 0.0
    balance: float = 0.0

    def levels(self, head: str = "group-230", device: torch.device | None = None) -> list[tuple[Level, float]]:
        """What a head names, and what is coarser than that, with their weights; those of weight zero left out."""
        weights = {"extinction-99": self.extinction, "bravais-14": self.bravais, "system-7": self.system}
        chosen = {head: self.group} | {name: weights[name] for name in _COARSER[head]}
        return [(make_level(name, head, device), weight) for name, weight in chosen.items() if weight]


def make_level(name: str, head: str = "group-230", device: torch.device | None = None) -> Level:
    """Label set `name` as sums over the logits of a network that was made for the label set `head`.

    Raises ValueError if a label set is not known or if the classes of the head are not finer.
    """
    labels, of_head = label_set(name), label_set(head)
    of_logit = []
    for logit in range(len(of_head)):
        classes = {labels.label(number) for number in of_head.groups(logit)}
        if len(classes) > 1:
            raise ValueError(
                f"{of_head.classes[logit]} of {head} lies in several classes of {name}: {head} is too coarse"
            )
        of_logit.append(classes.pop())
    return Level(name, torch.tensor(of_logit, device=device), len(labels))


def level_log_probabilities(logits: Tensor, level: Level) -> Tensor:
    """log p (B, classes): the logarithm of the sum of softmax(logits) over the logits of each class.

    With a level that does not hold all logits the sum of p is less than one; `log_softmax` of the result is then the
    distribution given that the truth is one of the level's. Finite and differentiable for any finite logits.
    """
    log_p = functional.log_softmax(logits.float(), dim=-1)
    # What lies outside gathers in one more class, which is cut off before its logarithm is taken.
    outside = level.of_logit < 0
    of_logit = torch.where(outside, level.classes, level.of_logit).expand_as(log_p)
    # Each class has its own largest term, so that the sum of an improbable class does not vanish.
    largest = log_p.new_full((len(log_p), level.classes + 1), -torch.inf)
    largest = largest.scatter_reduce(1, of_logit, log_p.detach(), "amax")
    terms = torch.exp(log_p - largest.gather(1, of_logit))
    sums = torch.zeros_like(largest).scatter_add(1, of_logit, terms)
    return sums[:, :-1].log() + largest[:, :-1]


def classification_loss(
    logits: Tensor, labels: Tensor, levels: Sequence[tuple[Level, float]], *, smoothing: float = 0.0
) -> Tensor:
    """Loss of each sample, (B,): sum over the levels of weight times -log p(true class), label smoothing applied.

    labels: (B,), the true logit; over 230 groups the space group number less one. A level that does not hold it adds
    nothing, and p is taken among the classes of the level.
    """
    loss = logits.new_zeros(len(logits), dtype=torch.float32)
    for level, weight in levels:
        log_p = level_log_probabilities(logits, level)
        # Log-probabilities are logits of themselves, up to the constant that cross_entropy removes.
        loss = loss + weight * functional.cross_entropy(
            log_p, level.of_logit[labels], ignore_index=-1, label_smoothing=smoothing, reduction="none"
        )
    return loss


def balanced_weights(counts: Tensor, balance: float) -> Tensor:
    """Weight of a sample of each group, (groups,): counts^-balance, scaled so that the mean over all samples is one.

    counts: samples of each group in the training set; a group without any counts as if it had one.
    """
    weights = counts.clamp(min=1).double() ** -balance
    return (weights * counts.sum() / (weights * counts).sum()).float()


def cell_loss(predicted: Tensor, truth: Tensor, delta: float = 0.1) -> Tensor:
    """Huber loss of each sample, (B,), averaged over its known numbers; NaN in the truth means not known.

    Both in logarithms, so that a miss beyond delta = 0.1, some 10 %, counts linearly and an odd cell cannot dominate.
    """
    known = ~truth.isnan()
    misses = functional.huber_loss(predicted.float(), truth.nan_to_num(), delta=delta, reduction="none")
    return (misses * known).sum(dim=-1) / known.sum(dim=-1).clamp(min=1)


def inside(logits: Tensor, labels: Tensor, level: Level) -> tuple[Tensor, Tensor]:
    """Log-probabilities (b, classes) among the classes of a level, and classes (b,), of the samples that it holds."""
    classes = level.of_logit[labels]
    log_p = functional.log_softmax(level_log_probabilities(logits, level), dim=-1)
    return log_p[classes >= 0], classes[classes >= 0]


def scores(logits: Tensor, labels: Tensor, levels: Sequence[Level]) -> dict[str, float]:
    """Top-1 and top-5 accuracy, cross entropy and calibration error at each level, as "level/score".

    All among the samples that the level holds, and among its own classes.
    """
    found: dict[str, float] = {}
    for level in levels:
        log_p, classes = inside(logits, labels, level)
        for k in (1, 5):
            found[f"{level.name}/top-{k}"] = top_accuracy(log_p, classes, k)
        found[f"{level.name}/cross entropy"] = float(functional.nll_loss(log_p, classes))
        found[f"{level.name}/calibration error"] = calibration_error(log_p, classes)
    return found


def confusion_matrix(logits: Tensor, labels: Tensor, level: Level) -> Tensor:
    """Counts (classes, classes): how often class `row` was taken for class `column`."""
    log_p, classes = inside(logits, labels, level)
    matrix: Tensor = multiclass_confusion_matrix(log_p, classes, level.classes)
    return matrix


def top_accuracy(logits: Tensor, labels: Tensor, k: int = 1) -> float:
    """Share of the samples whose label (B,) is among the k largest of its logits (B, classes)."""
    return float(multiclass_accuracy(logits, labels, logits.shape[-1], average="micro", top_k=k))


def calibration_error(logits: Tensor, labels: Tensor, bins: int = 15) -> float:
    """Expected calibration error: mean distance between how sure the first answer is and how often it is right.

    Guo et al., ICML (2017): answers are binned by their probability, and bins weighted by what they hold.
    """
    p = functional.softmax(logits.float(), dim=-1)
    return float(multiclass_calibration_error(p, labels, logits.shape[-1], n_bins=bins, norm="l1"))


def fit_temperature(logits: Tensor, labels: Tensor) -> float:
    """Temperature T in TEMPERATURES for which softmax(logits / T) has the least cross entropy.

    Fit it on validation samples. The cross entropy is convex in b = 1 / T and its slope, the mean of
    <l>_p - l_true, is bisected; one temperature serves all levels, as they are sums over one softmax.
    """
    logits = logits.double()
    true = logits.gather(1, labels[:, None])
    log_t = torch.tensor(TEMPERATURES, dtype=torch.float64).log()
    for _ in range(25):  # to some 1e-7 of T
        middle = log_t.mean()
        p = functional.softmax(logits / middle.exp(), dim=-1)
        too_cold = ((logits * p).sum(-1, keepdim=True) - true).mean() > 0
        log_t[0 if too_cold else 1] = middle
    return float(log_t.mean().exp())


def log_real(logits: Tensor) -> Tensor:
    """log D (B,) with D = Z / (Z + 1) and Z = sum exp(logits), eq. (1): D is the sigmoid of log Z."""
    return functional.logsigmoid(torch.logsumexp(logits.float(), dim=-1))


def log_generated(logits: Tensor) -> Tensor:
    """log(1 - D) (B,), with 1 - D = 1 / (Z + 1)."""
    return functional.logsigmoid(-torch.logsumexp(logits.float(), dim=-1))


def sgan_generator_loss(of_generated: Tensor) -> Tensor:
    """Eq. (2): the mean of -log D(G(z)); of_generated: logits of generated patterns."""
    return -log_real(of_generated).mean()


def sgan_unsupervised_loss(of_unlabelled: Tensor, of_generated: Tensor) -> Tensor:
    """The adversarial part of eq. (3) with its sign turned: the mean of -log D(x) - log(1 - D(G(z)))."""
    return -(log_real(of_unlabelled).mean() + log_generated(of_generated).mean())


def sgan_discriminator_loss(of_unlabelled: Tensor, of_generated: Tensor, of_labelled: Tensor, labels: Tensor) -> Tensor:
    """Eq. (3) with its sign turned, to be minimised: -log D(x) - log(1 - D(G(z))) and the cross entropy.

    of_unlabelled, of_generated, of_labelled: logits of the three inputs; labels: (B,), of the last.
    """
    unsupervised = sgan_unsupervised_loss(of_unlabelled, of_generated)
    return functional.cross_entropy(of_labelled.float(), labels) + unsupervised
