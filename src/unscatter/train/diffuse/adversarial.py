"""Losses of the published Pix2PixGANs: equations (8) to (12), Fuller & Rudden, IUCrJ 11 (2024)."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional


def discriminator_loss(of_truth: Tensor, of_generated: Tensor) -> Tensor:
    """Half of E[(D(x, y_GT) - 1)^2] + E[D(x, G(x))^2]: least squares in place of the logarithms of eq. (8).

    of_truth, of_generated: verdicts of the discriminator, any shape. The half slows the discriminator down
    against the generator (Isola et al., 2018).
    """
    return 0.5 * ((of_truth - 1).square().mean() + of_generated.square().mean())


def generator_loss(verdicts: Tensor, generated: Tensor, truth: Tensor, l1_weight: float) -> Tensor:
    """E[(D(x, G(x)) - 1)^2] + lambda E|y_GT - G(x)|: eqs. (8) to (10), least squares as above."""
    return (verdicts - 1).square().mean() + l1_weight * functional.l1_loss(generated, truth)


def product(form_factor: Tensor, short_range_order: Tensor) -> Tensor:
    """(y_FF + 2)(y_SRO + 2) - 2, the product of eq. (12) for planes y in the range [-1, 1].

    Shifted to the range [1, 3] both factors are positive, so that two dark pixels do not make a bright one.
    """
    return (form_factor + 2) * (short_range_order + 2) - 2


def product_loss(generated: tuple[Tensor, Tensor], truth: tuple[Tensor, Tensor]) -> Tensor:
    """Smooth L1, eq. (11), between the products, eq. (12), of (I_FF, I_SRO) generated and true."""
    return functional.smooth_l1_loss(product(*generated), product(*truth))
