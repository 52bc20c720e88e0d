"""Losses and scores of a classifier: by hand, against direct formulas, and where those overflow."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from unscatter.symmetry import LABEL_SETS, label_set
from unscatter.train.powder.classification import (
    LossOptions,
    balanced_weights,
    calibration_error,
    cell_loss,
    classification_loss,
    confusion_matrix,
    fit_temperature,
    level_log_probabilities,
    log_generated,
    log_real,
    make_level,
    scores,
    sgan_discriminator_loss,
    sgan_generator_loss,
    top_accuracy,
)

COARSER = [name for name in LABEL_SETS if name != "group-230"]


@pytest.fixture
def logits() -> Tensor:
    return 3 * torch.randn(64, 230, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def groups() -> Tensor:
    return torch.randint(230, (64,), generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("name", LABEL_SETS)
def test_coarse_probabilities_are_sums_over_the_groups(name: str, logits: Tensor) -> None:
    p = level_log_probabilities(logits, make_level(name)).exp()
    members = torch.as_tensor(label_set(name).of_group[:, None] == np.arange(len(label_set(name)))).double()
    expected = logits.double().softmax(-1) @ members
    torch.testing.assert_close(p.double(), expected, rtol=1e-5, atol=1e-9)
    if members.sum() == 230:
        torch.testing.assert_close(p.sum(-1), torch.ones(64))


@pytest.mark.parametrize("name", LABEL_SETS)
@pytest.mark.parametrize("size", [1e2, 1e4])
def test_coarse_probabilities_survive_huge_logits(name: str, size: float, logits: Tensor) -> None:
    huge = (size * logits.sign()).requires_grad_()
    level = make_level(name)
    log_p = level_log_probabilities(huge, level)
    (gradient,) = torch.autograd.grad(log_p.sum(), huge)
    assert log_p.isfinite().all()
    assert gradient.isfinite().all()
    # In float64 the logarithms of sums over the members of each class, one by one.
    exact = huge.detach().double().log_softmax(-1)
    members = torch.as_tensor(label_set(name).of_group)
    expected = torch.stack([exact[:, members == c].logsumexp(-1) for c in range(level.classes)], dim=-1)
    torch.testing.assert_close(log_p.double(), expected, rtol=1e-5, atol=1e-4)


def test_a_coarser_head_has_levels_of_its_own() -> None:
    level = make_level("bravais-14", head="group-144")
    assert len(level.of_logit) == 144
    logits = torch.zeros(1, 144)
    share = label_set("group-144").of_group[label_set("bravais-14").of_group == 13] >= 0
    assert level_log_probabilities(logits, level).exp()[0, 13] == pytest.approx(share.sum() / 144)
    with pytest.raises(ValueError, match=r"aP of bravais-14 lies in several .* bravais-14 is too coarse"):
        make_level("group-230", head="bravais-14")


def test_loss_of_an_ignorant_network_counts_the_groups_of_each_class() -> None:
    groups = torch.tensor([0, 1, 224])  # P1, P-1, Fm-3m
    loss = classification_loss(torch.zeros(3, 230), groups, [(make_level("group-230"), 1.0)])
    torch.testing.assert_close(loss, torch.full((3,), math.log(230)))
    levels = [(make_level("group-230"), 1.0), (make_level("bravais-14"), 0.5)]
    both = classification_loss(torch.zeros(3, 230), groups, levels)
    # aP has 2 groups, cF has 11: 196, 202, 203, 209, 210, 216, 219, 225 to 228.
    expected = torch.tensor([math.log(230 / 2), math.log(230 / 2), math.log(230 / 11)])
    torch.testing.assert_close(both - loss, 0.5 * expected)


def test_smoothing_spreads_the_truth(logits: Tensor, groups: Tensor) -> None:
    level = make_level("bravais-14")
    log_p = level_log_probabilities(logits, level)
    true = log_p.gather(1, level.of_logit[groups, None])[:, 0]
    loss = classification_loss(logits, groups, [(level, 2.0)], smoothing=0.1)
    torch.testing.assert_close(loss, -2 * (0.9 * true + 0.1 * log_p.mean(-1)))


def test_groups_outside_a_level_add_nothing(logits: Tensor) -> None:
    level = make_level("group-144")
    outside = torch.tensor([2])  # P2
    logits = logits[:1].clone().requires_grad_()
    loss = classification_loss(logits, outside, [(level, 1.0)])
    loss.sum().backward()
    assert float(loss.detach()) == 0
    assert logits.grad is not None
    assert logits.grad.abs().max() == 0


def test_options_name_the_levels_and_leave_out_those_without_weight() -> None:
    levels = LossOptions(group=1.0, extinction=0.0, bravais=0.25, system=0.5).levels()
    assert [(level.name, weight) for level, weight in levels] == [
        ("group-230", 1.0),
        ("bravais-14", 0.25),
        ("system-7", 0.5),
    ]


def test_loss_learns_at_every_level(logits: Tensor, groups: Tensor) -> None:
    for level, weight in LossOptions().levels():
        leaf = logits.clone().requires_grad_()
        classification_loss(leaf, groups, [(level, weight)]).mean().backward()
        assert leaf.grad is not None
        assert leaf.grad.abs().max() > 0
        # A step down the slope makes the loss smaller.
        after = classification_loss(logits - leaf.grad, groups, [(level, weight)])
        assert after.mean() < classification_loss(logits, groups, [(level, weight)]).mean()


@pytest.mark.parametrize(("balance", "ratio"), [(0.0, 1.0), (0.5, 10.0), (1.0, 100.0)])
def test_balance_weighs_rare_groups_up(balance: float, ratio: float) -> None:
    counts = torch.tensor([1000, 10, 0])
    weights = balanced_weights(counts, balance)
    assert float(weights[1] / weights[0]) == pytest.approx(ratio)
    assert float((weights * counts).sum() / counts.sum()) == pytest.approx(1)
    assert weights.isfinite().all()


def test_cell_loss_by_hand_ignores_what_is_not_known() -> None:
    predicted = torch.tensor([[0.05, 1.0, 7.0], [1.0, 2.0, 3.0]], requires_grad=True)
    truth = torch.tensor([[0.0, 0.0, math.nan], [math.nan] * 3])
    loss = cell_loss(predicted, truth, delta=0.1)
    # A small miss counts half its square, a large one delta (miss - delta / 2).
    torch.testing.assert_close(loss, torch.tensor([(0.5 * 0.05**2 + 0.1 * 0.95) / 2, 0.0]))
    loss.sum().backward()
    assert predicted.grad is not None
    assert predicted.grad.isfinite().all()
    assert predicted.grad[1].abs().max() == 0


def test_top_accuracies_by_hand() -> None:
    logits = torch.tensor([[3.0, 2.0, 1.0, 0.0]] * 4)
    labels = torch.arange(4)
    assert [top_accuracy(logits, labels, k) for k in (1, 2, 3, 4)] == [0.25, 0.5, 0.75, 1.0]


def test_confusion_is_counted_by_truth_and_answer() -> None:
    groups = torch.tensor([0, 0, 224])  # P1, P1, Fm-3m
    logits = torch.zeros(3, 230)
    logits[0, 1] = logits[1, 224] = logits[2, 226] = 20.0  # taken for P-1, Fm-3m, Fd-3m
    matrix = confusion_matrix(logits, groups, make_level("bravais-14"))
    assert matrix.sum() == 3
    assert matrix[0, 0] == matrix[0, 13] == matrix[13, 13] == 1


def test_scores_of_a_network_that_knows_all(groups: Tensor) -> None:
    logits = 50.0 * functional.one_hot(groups, 230)
    found = scores(logits, groups, [make_level(name) for name in LABEL_SETS])
    for name in LABEL_SETS:
        assert found[f"{name}/top-1"] == found[f"{name}/top-5"] == 1
        assert found[f"{name}/cross entropy"] == pytest.approx(0, abs=1e-6)
        assert found[f"{name}/calibration error"] == pytest.approx(0, abs=1e-6)


def test_right_lattice_with_wrong_group_scores_for_the_lattice_alone() -> None:
    logits = torch.zeros(1, 230)
    logits[0, 224] = 50.0  # Fm-3m, where Fd-3m is true
    found = scores(logits, torch.tensor([226]), [make_level("group-230"), make_level("bravais-14")])
    assert found["group-230/top-1"] == 0
    assert found["bravais-14/top-1"] == 1


def toy(samples: int) -> tuple[Tensor, Tensor]:
    """Logits of ten classes and labels drawn from their softmax: calibrated by construction."""
    generator = torch.Generator().manual_seed(2)
    logits = 2 * torch.randn(samples, 10, generator=generator)
    return logits, torch.multinomial(logits.softmax(-1), 1, generator=generator)[:, 0]


def test_calibrated_answers_have_no_calibration_error() -> None:
    logits, labels = toy(20_000)
    assert calibration_error(logits, labels) < 0.015
    assert calibration_error(3 * logits, labels) > 0.1


def test_calibration_error_by_hand() -> None:
    # All answers 80 % sure, half of them right.
    logits = torch.log(torch.tensor([[0.8, 0.2]] * 4))
    assert calibration_error(logits, torch.tensor([0, 0, 1, 1])) == pytest.approx(0.3, abs=1e-6)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_temperature_is_recovered(temperature: float) -> None:
    logits, labels = toy(20_000)
    fitted = fit_temperature(temperature * logits, labels)
    assert fitted == pytest.approx(temperature, rel=0.03)
    assert calibration_error(temperature * logits / fitted, labels) < 0.015


def test_temperature_has_the_least_cross_entropy() -> None:
    logits, labels = toy(2000)
    fitted = fit_temperature(5 * logits, labels)
    least = functional.cross_entropy(5 * logits / fitted, labels)
    for factor in (0.97, 1.03):
        assert least < functional.cross_entropy(5 * logits / (fitted * factor), labels)


def test_temperature_of_a_faultless_network_is_bounded() -> None:
    labels = torch.arange(5)
    assert fit_temperature(9.0 * functional.one_hot(labels, 5), labels) == pytest.approx(0.05)
    assert fit_temperature(-9.0 * functional.one_hot(labels, 5), labels) == pytest.approx(20)


def test_sgan_losses_are_equations_2_and_3() -> None:
    generator = torch.Generator().manual_seed(3)
    real, made, known = 2 * torch.randn(3, 16, 14, generator=generator, dtype=torch.float64)
    labels = torch.arange(16) % 14

    def D(logits: Tensor) -> Tensor:
        Z = logits.exp().sum(-1)
        return Z / (Z + 1)

    torch.testing.assert_close(log_real(real).double(), D(real).log(), rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(log_generated(real).double(), (1 - D(real)).log(), rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(sgan_generator_loss(made).double(), -D(made).log().mean(), rtol=1e-5, atol=1e-6)
    s = known.exp() / known.exp().sum(-1, keepdim=True)
    t = functional.one_hot(labels, 14)
    maximised = (D(real).log() + (1 - D(made)).log()).mean() + (t * s.log()).sum(-1).mean()
    minimised = sgan_discriminator_loss(real, made, known, labels)
    torch.testing.assert_close(minimised.double(), -maximised, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("size", [-1e4, 1e4])
@pytest.mark.parametrize("loss", [log_real, log_generated])
def test_sgan_losses_survive_huge_logits(size: float, loss: Callable[[Tensor], Tensor]) -> None:
    logits = torch.full((2, 14), size, requires_grad=True)
    value = loss(logits)
    (gradient,) = torch.autograd.grad(value.sum(), logits)
    assert value.isfinite().all()
    assert gradient.isfinite().all()
    # The side that is wrong still learns: its slope does not saturate.
    wrong = (size < 0) == (loss is log_real)
    assert float(gradient.abs().sum()) == pytest.approx(2.0 if wrong else 0.0, rel=1e-2)
