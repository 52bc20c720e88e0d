"""The published classifier, against its layer list."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from unscatter.nn.resnet1d import ResNet1d, ResNet1dConfig


@pytest.fixture(scope="module")
def published() -> ResNet1d:
    torch.manual_seed(0)
    return ResNet1d().eval()


def count(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def lengths(network: ResNet1d, pattern: Tensor) -> list[int]:
    found: list[int] = []
    hooks = [
        stage.register_forward_hook(lambda _module, _input, output: found.append(output.shape[-1]))
        for stage in (network.first, *network.stages)
    ]
    with torch.no_grad():
        network(pattern)
    for hook in hooks:
        hook.remove()
    return found


def test_parameters_are_those_of_the_layer_list(published: ResNet1d) -> None:
    # Convolutions have no bias; a norm has a scale and a shift for each channel.
    first = 13 * 32 + 2 * 32
    narrow = (5 * 32 * 32 + 64) * 4 + (32 * 32 + 64)
    widening = (7 * 32 * 64 + 128) + (7 * 64 * 64 + 128) * 3 + (32 * 64 + 128)
    longest = (17 * 64 * 64 + 128) * 4 + (64 * 64 + 128)
    last = (13 * 64 * 64 + 128) * 4 + (64 * 64 + 128)
    classifier = 64 * 230 + 230
    assert count(published) == first + narrow + widening + longest + last + classifier == 641_286


@pytest.mark.parametrize("points", [3041, 3042])
def test_grid_coarsens_as_published(published: ResNet1d, points: int) -> None:
    # The first layer loses 12 points; pooling makes 433 of 3029; then strides 4, 4, 5 and 3, rounded up.
    assert lengths(published, torch.rand(1, 1, points)) == [points - 12, 109, 28, 6, 2]


def test_pooling_of_one_point_is_no_pooling() -> None:
    assert lengths(ResNet1d(ResNet1dConfig(pool=1)), torch.rand(1, 1, 3041)) == [3029, 758, 190, 38, 13]


def test_layers_come_in_the_published_order(published: ResNet1d) -> None:
    assert [type(m).__name__ for m in published.first] == ["ChannelsLastConv1d", "Dropout", "ChannelNorm", "GELU"]
    for stage in published.stages:
        entering, following = stage.children()
        assert [type(m).__name__ for m in entering.layers] == [
            *["ChannelsLastConv1d", "Dropout", "ChannelNorm", "GELU"],
            *["ChannelsLastConv1d", "Dropout", "ChannelNorm"],
        ]
        assert [type(m).__name__ for m in entering.shortcut] == ["ChannelsLastConv1d", "ChannelNorm"]
        assert isinstance(following.shortcut, nn.Identity)


def test_first_layer_is_normalised_at_each_point(published: ResNet1d) -> None:
    features = published.first[:3](torch.rand(2, 1, 100))
    torch.testing.assert_close(features.mean(dim=1), torch.zeros(2, 88), atol=1e-5, rtol=0)
    torch.testing.assert_close(features.var(dim=1, unbiased=False), torch.ones(2, 88), atol=1e-2, rtol=0)


@pytest.mark.parametrize("height", [0.0, 1e-30, 1.0, 1e6])
def test_flat_and_extreme_patterns_stay_finite(published: ResNet1d, height: float) -> None:
    pattern = torch.zeros(2, 1, 512)
    pattern[1] = height
    pattern.requires_grad_()
    logits = published(pattern)
    (gradient,) = torch.autograd.grad(logits.square().sum(), pattern)
    assert logits.isfinite().all()
    assert gradient.isfinite().all()


def test_every_weight_learns() -> None:
    network = ResNet1d()
    network(torch.rand(4, 1, 1000)).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in network.parameters())


def test_dropout_makes_noise_in_training_and_none_in_evaluation() -> None:
    network, pattern = ResNet1d(), torch.rand(1, 1, 500)
    assert not torch.equal(network(pattern), network(pattern))
    network.eval()
    assert torch.equal(network(pattern), network(pattern))


def test_what_does_not_fit_is_refused_with_advice(published: ResNet1d) -> None:
    with pytest.raises(ValueError, match="12 points is too short: expected 13 or more"):
        published(torch.zeros(1, 1, 12))
    with pytest.raises(ValueError, match="hold an even one: a shortcut needs odd kernels"):
        ResNet1d(ResNet1dConfig(kernels=(4, 7, 17, 13)))
