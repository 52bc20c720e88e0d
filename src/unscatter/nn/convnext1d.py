"""A classifier of patterns that keeps where the peaks are and how high they are.

Positions survive because nothing is pooled: every step down folds neighbouring points into channels, and the last
tokens carry their place along the axis. Heights survive because every channel is normalised over a whole pattern,
not point by point. Convolutions as in ConvNeXt (Liu et al., 2022) describe the neighbourhood of each peak; attention
compares peaks that lie far apart, which is what tells one lattice from another.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True)
class ConvNext1dConfig:
    """size: points of a pattern; stem_kernels: of the parallel first convolutions, which share the first width.

    strides, channels: of each level, whose strides divide size into tokens; blocks: convolutional blocks a level;
    layers, heads: of the attention between the tokens; queries: learned questions put to the tokens; hidden: width
    of what all answers make; cell: numbers of the second head, classes: of the first.
    """

    in_channels: int = 3
    size: int = 4096
    classes: int = 230
    cell: int = 7
    stem_kernels: tuple[int, ...] = (5, 33)
    channels: tuple[int, ...] = (32, 96, 160)
    strides: tuple[int, ...] = (4, 4, 4)
    blocks: tuple[int, ...] = (1, 1, 1)
    kernel: int = 9
    expansion: int = 2
    layers: int = 2
    heads: int = 5
    queries: int = 4
    hidden: int = 512
    dropout: float = 0.1

    @property
    def tokens(self) -> int:
        """Length of the last sequence; raises ValueError if the strides do not divide the size."""
        step = math.prod(self.strides)
        if self.size % step:
            raise ValueError(
                f"patterns of {self.size} points do not fit strides {self.strides}: give a multiple of {step}"
            )
        return self.size // step


#: For training on a GPU: some four times the work of the default, 3 641 837 parameters, still under 16 MB.
WIDE = ConvNext1dConfig(channels=(64, 128, 256), blocks=(2, 2, 1), layers=4, heads=8)


class Judgement(NamedTuple):
    """logits: (B, classes); cell: (B, cell), the numbers of the cell in the scaling of the training targets."""

    logits: Tensor
    cell: Tensor


class ConvNext1d(nn.Module):
    """Patterns (B, in_channels, size) to a Judgement; 1 202 189 parameters and 60 million multiplications a pattern."""

    def __init__(self, config: ConvNext1dConfig = ConvNext1dConfig()) -> None:
        """Build the network; every residual branch starts at zero."""
        super().__init__()
        self.config = config
        width = config.channels[-1]
        self.stem = Stem(config)
        self.levels = nn.Sequential(*[_level(i, config) for i in range(len(config.channels))])
        self.place = nn.Parameter(_waves(config.tokens, width))
        self.attention = nn.Sequential(*[AttentionLayer(width, config) for _ in range(config.layers)])
        self.pool = QueryPool(width, config)
        self.trunk = nn.Sequential(
            nn.LayerNorm(config.queries * width),
            nn.Linear(config.queries * width, config.hidden),
            nn.GELU(),
            nn.Dropout(config.dropout),
        )
        self.classifier = nn.Linear(config.hidden, config.classes)
        self.cell = nn.Linear(config.hidden, config.cell)
        self.apply(_draw_weights)
        for module in self.modules():
            if isinstance(module, ConvBlock | AttentionLayer):
                module.start_at_zero()

    def forward(self, pattern: Tensor) -> Judgement:
        """Return logits and cell."""
        answers = self.features(pattern)
        return Judgement(self.classifier(answers), self.cell(answers))

    def features(self, pattern: Tensor) -> Tensor:
        """Return what both heads see, (B, hidden)."""
        if pattern.shape[-1] != self.config.size:
            raise ValueError(f"a pattern of {pattern.shape[-1]} points does not fit: resample to {self.config.size}")
        tokens = self.levels(self.stem(pattern)).transpose(-2, -1)
        answers: Tensor = self.trunk(self.pool(self.attention(tokens + self.place)))
        return answers


class Stem(nn.Module):
    """Convolutions of several widths side by side: sharp and broad peaks, and the background under them."""

    def __init__(self, config: ConvNext1dConfig) -> None:
        """Build one convolution for each kernel."""
        super().__init__()
        width, rest = divmod(config.channels[0], len(config.stem_kernels))
        if rest or any(kernel % 2 == 0 for kernel in config.stem_kernels):
            raise ValueError(
                f"stem kernels {config.stem_kernels} do not fit: expected odd ones, as many as divide"
                f" {config.channels[0]} channels"
            )
        self.scales = nn.ModuleList(
            nn.Conv1d(config.in_channels, width, kernel, stride=config.strides[0], padding=kernel // 2)
            for kernel in config.stem_kernels
        )

    def forward(self, pattern: Tensor) -> Tensor:
        """Return features (B, channels, size / stride)."""
        return torch.cat([scale(pattern) for scale in self.scales], dim=1)


class ConvBlock(nn.Module):
    """Depthwise convolution, norm over the pattern, two pointwise layers; plus the input."""

    def __init__(self, width: int, config: ConvNext1dConfig) -> None:
        """Build the layers."""
        super().__init__()
        hidden = config.expansion * width
        self.layers = nn.Sequential(
            nn.Conv1d(width, width, config.kernel, padding=config.kernel // 2, groups=width),
            _pattern_norm(width),
            nn.Conv1d(width, hidden, 1),
            nn.GELU(),
            nn.Conv1d(hidden, width, 1),
        )

    def start_at_zero(self) -> None:
        """Let the branch begin by adding nothing."""
        _set_to_zero(self.layers[-1])

    def forward(self, x: Tensor) -> Tensor:
        """Return x + f(x)."""
        change: Tensor = self.layers(x)
        return x + change


class Attention(nn.Module):
    """Scaled dot-product attention of several heads: what asks (B, m, width) and what is asked (B, n, width)."""

    def __init__(self, width: int, heads: int) -> None:
        """Build the projections."""
        super().__init__()
        self.heads = heads
        self.ask = nn.Linear(width, width)
        self.offer = nn.Linear(width, 2 * width)
        self.leave = nn.Linear(width, width)

    def forward(self, asking: Tensor, asked: Tensor) -> Tensor:
        """Return answers (B, m, width)."""
        key, value = self.offer(asked).chunk(2, dim=-1)
        answers = functional.scaled_dot_product_attention(
            self._split(self.ask(asking)), self._split(key), self._split(value)
        )
        joined: Tensor = self.leave(answers.transpose(1, 2).flatten(2))
        return joined

    def _split(self, x: Tensor) -> Tensor:
        batch, n, width = x.shape
        return x.reshape(batch, n, self.heads, width // self.heads).transpose(1, 2)


class AttentionLayer(nn.Module):
    """Attention between tokens and a pointwise network, each after a norm and added to its input."""

    def __init__(self, width: int, config: ConvNext1dConfig) -> None:
        """Build the layers."""
        super().__init__()
        hidden = config.expansion * width
        self.norm = nn.LayerNorm(width)
        self.attention = Attention(width, config.heads)
        self.mix = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, width))
        self.drop = nn.Dropout(config.dropout)

    def start_at_zero(self) -> None:
        """Let both branches begin by adding nothing."""
        _set_to_zero(self.attention.leave)
        _set_to_zero(self.mix[-1])

    def forward(self, tokens: Tensor) -> Tensor:
        """Return tokens (B, n, width)."""
        normed = self.norm(tokens)
        tokens = tokens + self.drop(self.attention(normed, normed))
        mixed: Tensor = tokens + self.drop(self.mix(tokens))
        return mixed


class QueryPool(nn.Module):
    """Learned queries gather from all tokens what the heads need; their answers side by side, (B, queries width)."""

    def __init__(self, width: int, config: ConvNext1dConfig) -> None:
        """Build queries and attention."""
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.queries = nn.Parameter(torch.randn(config.queries, width))
        self.attention = Attention(width, config.heads)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return the answers."""
        queries = self.queries.expand(tokens.shape[0], -1, -1)
        answers: Tensor = self.attention(queries, self.norm(tokens)).flatten(1)
        return answers


def _level(index: int, config: ConvNext1dConfig) -> nn.Sequential:
    """Fold points into channels, except at the first level, where the stem has done so; then blocks."""
    width = config.channels[index]
    blocks = [ConvBlock(width, config) for _ in range(config.blocks[index])]
    if index == 0:
        return nn.Sequential(*blocks)
    before, stride = config.channels[index - 1], config.strides[index]
    return nn.Sequential(_pattern_norm(before), nn.Conv1d(before, width, stride, stride=stride), *blocks)


def _pattern_norm(width: int) -> nn.GroupNorm:
    # Each channel by itself over the whole pattern. A norm point by point would make a weak peak look like a strong
    # one; one norm for all channels would let those that hardly vary, as where all was measured, drown the peaks.
    return nn.GroupNorm(width, width)


def _waves(tokens: int, width: int) -> Tensor:
    """Sines and cosines of the place, (tokens, width), with wavelengths from two tokens to all of them."""
    place = torch.arange(tokens)[:, None]
    angle = torch.pi * place * torch.logspace(0, -torch.log2(torch.tensor(tokens / 2)), width // 2, base=2)
    return torch.cat([angle.sin(), angle.cos()], dim=-1)


def _draw_weights(module: nn.Module) -> None:
    # Variance 1 / inputs and no bias: a fresh network then differs between patterns by more than it is offset.
    if isinstance(module, nn.Linear | nn.Conv1d):
        nn.init.normal_(module.weight, std=module.weight[0].numel() ** -0.5)
        nn.init.zeros_(module.bias)  # type: ignore[arg-type]


def _set_to_zero(layer: nn.Module) -> None:
    # Deep sums of branches train without warm-up trouble if each branch begins by adding nothing.
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)
