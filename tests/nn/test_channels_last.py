"""Layers with their channels last in memory, against those of PyTorch."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from unscatter.nn.channels_last import ChannelNorm, ChannelsLastConv1d, Dropout


@pytest.mark.parametrize("channels", [1, 6])
@pytest.mark.parametrize("shape", [{}, {"stride": 3, "padding": 2}, {"dilation": 2, "bias": False}])
def test_a_convolution_and_its_gradients_are_those_of_pytorch(channels: int, shape: dict[str, int]) -> None:
    torch.manual_seed(0)
    ours = ChannelsLastConv1d(channels, 8, 5, **shape)
    theirs = nn.Conv1d(channels, 8, 5, **shape)
    theirs.load_state_dict(ours.state_dict())
    x = torch.randn(3, channels, 40)
    for layer in (ours, theirs):
        layer(x).square().sum().backward()
    torch.testing.assert_close(ours(x), theirs(x))
    torch.testing.assert_close(ours.weight.grad, theirs.weight.grad, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("channels", [1, 6])
def test_channels_lie_next_to_each_other(channels: int) -> None:
    result = ChannelsLastConv1d(channels, 8, 5)(torch.randn(3, channels, 40))
    assert result.transpose(-2, -1).is_contiguous()
    assert ChannelNorm(8)(result).transpose(-2, -1).is_contiguous()


def test_named_padding_is_refused() -> None:
    with pytest.raises(ValueError, match="padding 'same'"):
        ChannelsLastConv1d(1, 2, 3, padding="same")(torch.randn(1, 1, 9))


def test_dropout_takes_its_share_and_keeps_the_mean() -> None:
    torch.manual_seed(0)
    x = torch.ones(999, 1001)
    dropped = Dropout(0.1)(x)
    # Four standard deviations of a count of a million.
    assert (dropped == 0).double().mean().item() == pytest.approx(0.1, abs=4 * (0.09 / 1e6) ** 0.5)
    assert dropped.unique().tolist() == pytest.approx([0.0, 1 / 0.9], rel=1e-4)
    # Of the four numbers that come of one draw, each takes the same share.
    shares = (dropped.flatten()[: 4 * 249_999].reshape(-1, 4) == 0).double().mean(dim=0)
    torch.testing.assert_close(
        shares, torch.full((4,), 0.1, dtype=torch.float64), atol=4 * (0.09 / 2.5e5) ** 0.5, rtol=0
    )


def test_dropout_follows_the_layout_of_its_input() -> None:
    x = torch.ones(4, 50, 8).transpose(1, 2)
    assert Dropout(0.5)(x).stride() == x.stride()


def test_dropout_lets_the_gradient_of_what_it_keeps_through() -> None:
    x = torch.ones(3, 5, 7, requires_grad=True)
    result = Dropout(0.5)(x)
    result.sum().backward()
    torch.testing.assert_close(x.grad, result.detach())


def test_dropout_of_nothing_of_all_and_in_evaluation() -> None:
    x = torch.randn(20, 20)
    assert Dropout(0.0)(x) is x
    assert Dropout(0.1).eval()(x) is x
    assert not Dropout(1.0)(x).any()
