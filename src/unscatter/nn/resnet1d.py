"""The published classifier of powder patterns: an 18-layer residual network along one axis.

Architecture of Lolla et al., J. Appl. Cryst. 55, 882 (2022), sections 2.3 and 2.4.2, Figs. 3 and 6. Kept as the
baseline that other networks are measured against, and as the discriminator of the published SGAN.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from unscatter.nn.channels_last import ChannelNorm, ChannelsLastConv1d, Dropout


@dataclass(frozen=True)
class ResNet1dConfig:
    """channels, kernels, strides: of each stage, whose first block has the stride; blocks: in every stage.

    pool: kernel and stride of the max pooling after the first layer. The paper draws it and its published scripts
    skip it; 1 does as the scripts do. dropout: 0.1 in table 2, 0.05 in the scripts. offset: added to the input, as
    in the scripts, so that no stretch of a pattern is exactly zero.
    """

    in_channels: int = 1
    classes: int = 230
    first_kernel: int = 13
    pool: int = 7
    channels: tuple[int, ...] = (32, 64, 64, 64)
    kernels: tuple[int, ...] = (5, 7, 17, 13)
    strides: tuple[int, ...] = (4, 4, 5, 3)
    blocks: int = 2
    dropout: float = 0.1
    offset: float = 1e-3


class ResNet1d(nn.Module):
    """Patterns (B, in_channels, points) to logits (B, classes); 641 286 parameters for 230 classes.

    Any number of points from the first kernel on, since the maximum over the last features forgets where they are.
    """

    def __init__(self, config: ResNet1dConfig = ResNet1dConfig()) -> None:
        """Build the network; kernels must be odd, so that a block keeps the grid of its shortcut."""
        super().__init__()
        self.config = config
        if any(kernel % 2 == 0 for kernel in config.kernels):
            raise ValueError(f"kernels {config.kernels} hold an even one: a shortcut needs odd kernels")
        first = config.channels[0]
        self.first = nn.Sequential(
            *_layer(config.in_channels, first, config.first_kernel, dropout=config.dropout), nn.GELU()
        )
        before = (first, *config.channels)
        stages = zip(before, config.channels, config.kernels, config.strides, strict=False)
        self.stages = nn.Sequential(*[_stage(*shape, config) for shape in stages])
        self.classifier = nn.Linear(config.channels[-1], config.classes)

    def forward(self, pattern: Tensor) -> Tensor:
        """Return the logits."""
        logits: Tensor = self.classifier(self.features(pattern))
        return logits

    def features(self, pattern: Tensor) -> Tensor:
        """Return what the classifier sees, (B, 64): the largest value of each channel anywhere in the pattern."""
        if pattern.shape[-1] < self.config.first_kernel:
            raise ValueError(
                f"a pattern of {pattern.shape[-1]} points is too short: expected {self.config.first_kernel} or more"
            )
        pool = self.config.pool
        x = self.first(pattern + self.config.offset)
        # In two dimensions, where pooling keeps the channels last in memory.
        x = functional.max_pool2d(x.unsqueeze(2), (1, pool), (1, pool), (0, pool // 2)).squeeze(2)
        return torch.amax(self.stages(x), dim=-1)


class ResidualBlock(nn.Module):
    """Two layers and a shortcut; GELU after their sum. The shortcut is a layer of its own where the shape changes."""

    def __init__(self, before: int, width: int, kernel: int, stride: int, dropout: float, *, project: bool) -> None:
        """Build the block."""
        super().__init__()
        padding = kernel // 2
        self.layers = nn.Sequential(
            *_layer(before, width, kernel, stride=stride, padding=padding, dropout=dropout),
            nn.GELU(),
            *_layer(width, width, kernel, padding=padding, dropout=dropout),
        )
        self.shortcut = nn.Sequential(*_layer(before, width, 1, stride=stride)) if project else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Return features (B, width, points / stride), rounded up."""
        return functional.gelu(self.shortcut(x) + self.layers(x))


def _stage(before: int, width: int, kernel: int, stride: int, config: ResNet1dConfig) -> nn.Sequential:
    first = ResidualBlock(before, width, kernel, stride, config.dropout, project=True)
    rest = [ResidualBlock(width, width, kernel, 1, config.dropout, project=False) for _ in range(config.blocks - 1)]
    return nn.Sequential(first, *rest)


def _layer(
    before: int, width: int, kernel: int, *, stride: int = 1, padding: int = 0, dropout: float = 0.0
) -> list[nn.Module]:
    convolution = ChannelsLastConv1d(before, width, kernel, stride=stride, padding=padding, bias=False)
    drop: list[nn.Module] = [Dropout(dropout)] if dropout else []
    return [convolution, *drop, ChannelNorm(width)]
