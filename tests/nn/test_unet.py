"""The U-Net begins as its guesses, sees the whole plane from every pixel, and its waves are real and orthogonal."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from unscatter.nn.unet import FourierBlock, ResidualBlock, UNet, UNetConfig

SMALL = UNetConfig(patch=4, size=32, channels=(8, 16), fourier_channels=8)


@pytest.fixture
def network() -> UNet:
    """A small network whose branches do not begin at zero."""
    torch.manual_seed(0)
    network = UNet(SMALL)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(0.1 * torch.randn_like(parameter))
    return network.eval()


def planes(count: int = 2) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    return torch.rand(count, 6, 32, 32, generator=generator), torch.rand(count, 2, 32, 32, generator=generator)


def test_before_any_training_the_answer_is_the_guess() -> None:
    inputs, guesses = planes()
    torch.testing.assert_close(UNet(SMALL)(inputs, guesses), guesses)


@torch.no_grad()
def test_what_is_learned_is_added_to_the_guess(network: UNet) -> None:
    inputs, guesses = planes()
    change = network(inputs, guesses) - guesses
    assert float(change.abs().max()) > 1e-3
    torch.testing.assert_close(network(inputs, guesses + 0.7) - guesses - 0.7, change)


@pytest.mark.parametrize("pixel", [(0, 0), (3, 17), (31, 31)])
def test_every_pixel_of_the_answer_sees_every_pixel_of_the_plane(network: UNet, pixel: tuple[int, int]) -> None:
    inputs, guesses = planes(1)
    inputs.requires_grad_()
    network(inputs, guesses)[0, 1, *pixel].backward()  # type: ignore[no-untyped-call]
    assert inputs.grad is not None
    assert bool((inputs.grad[0, 0] != 0).all())


def test_samples_of_a_batch_do_not_know_of_each_other(network: UNet) -> None:
    inputs, guesses = planes(3)
    together = network(inputs, guesses)
    torch.testing.assert_close(network(inputs[1:2], guesses[1:2]), together[1:2], rtol=1e-4, atol=1e-5)


def test_the_waves_of_a_fourier_block_are_orthonormal_and_their_own_inverse() -> None:
    basis = FourierBlock(8, 8, 16).basis
    torch.testing.assert_close(basis @ basis, torch.eye(16), rtol=0, atol=1e-6)
    torch.testing.assert_close(basis, basis.T)


def test_a_fourier_block_of_single_waves_keeps_them_apart() -> None:
    # A plane that is one wave stays one wave and its constant, whatever the pointwise layers do to its height.
    torch.manual_seed(0)
    block = FourierBlock(8, 8, 16)
    block.enter[0] = torch.nn.Identity()
    wave = torch.outer(block.basis[3], block.basis[5]).expand(1, 8, 16, 16)
    with torch.no_grad():
        seen = block.basis @ block.enter(wave) @ block.basis
    heights = seen.abs().amax(dim=(0, 1))
    # The bias of a pointwise layer is the wave of no frequency at one point, everywhere else.
    assert heights[3, 5] > 5 * heights[2, 7]


def test_blocks_begin_as_the_identity() -> None:
    x = torch.randn(2, 8, 16, 16, generator=torch.Generator().manual_seed(2))
    torch.testing.assert_close(ResidualBlock(8)(x), x)
    torch.testing.assert_close(FourierBlock(8, 8, 16)(x), x)
