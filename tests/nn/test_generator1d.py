"""The published generator, against its layer list."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from unscatter.nn.generator1d import Generator1d, Generator1dConfig


@pytest.fixture(scope="module")
def published() -> Generator1d:
    torch.manual_seed(0)
    return Generator1d().eval()


def test_pattern_grows_as_published(published: Generator1d) -> None:
    x, lengths = torch.randn(2, 1, 100), []
    with torch.no_grad():
        for layer in published.layers:
            x = layer(x)
            if isinstance(layer, nn.ConvTranspose1d):
                lengths.append(x.shape[-1])
    assert lengths == [215, 229, 242, 741, 753, 3019, 3027, 3035, 3041]


@pytest.mark.parametrize("noise", [1, 57, 100])
def test_number_of_points_is_known_beforehand(noise: int) -> None:
    config = Generator1dConfig(noise=noise, channels=4)
    made = Generator1d(config)(torch.randn(3, 1, noise))
    assert made.shape == (3, 1, config.points) == (3, 1, 24 * noise + 641)


def test_parameters_are_those_of_the_layer_list(published: Generator1d) -> None:
    kernels = 32 * 17 + 32 * 32 * (15 + 14 + 18 + 13 + 11 + 9 + 9) + 32 * 7
    assert sum(p.numel() for p in published.parameters()) == kernels + 8 * 2 * 32 == 92_416


def test_layers_come_in_the_published_order(published: Generator1d) -> None:
    between = ["ConvTranspose1d", "LeakyReLU", "BatchNorm1d"]
    assert [type(m).__name__ for m in published.layers] == [*between * 8, "ConvTranspose1d", "Sigmoid"]
    assert {m.eps for m in published.layers if isinstance(m, nn.BatchNorm1d)} == {1e-4}
    assert {m.negative_slope for m in published.layers if isinstance(m, nn.LeakyReLU)} == {0.2}


@pytest.mark.parametrize("training", [True, False])
def test_the_layout_in_memory_changes_nothing(training: bool) -> None:
    torch.manual_seed(0)
    network = Generator1d(Generator1dConfig(noise=7, channels=4)).double().train(training)
    plain = copy.deepcopy(network)
    noise = torch.randn(3, 1, 7, dtype=torch.float64)
    made, expected = network(noise), plain.layers(noise)
    torch.testing.assert_close(made, expected, rtol=1e-9, atol=1e-12)
    for patterns in (made, expected):
        patterns.square().sum().backward()
    for one, other in zip(network.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad, rtol=1e-6, atol=1e-9)
    for name, value in plain.state_dict().items():
        torch.testing.assert_close(network.state_dict()[name], value)


def test_patterns_lie_between_zero_and_one_and_differ(published: Generator1d) -> None:
    with torch.no_grad():
        made = published.train()(torch.randn(4, 1, 100))
    assert made.min() > 0
    assert made.max() < 1
    assert made.std(dim=0).max() > 0


def test_every_weight_learns() -> None:
    network = Generator1d(Generator1dConfig(noise=5, channels=4))
    network(torch.randn(3, 1, 5)).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in network.parameters())
