"""The published pair of networks: a U-Net that turns one plane into another, and a critic of patches.

Architecture of Isola et al. (2018) in the sizes of Fuller & Rudden, IUCrJ 11 (2024), section 2.2 and its
supporting information. Kept as the baseline that other networks are measured against.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class GeneratorConfig:
    """channels: of each level down, every one halving the resolution; the way up mirrors it without the last.

    down_dropout, up_dropout: how many of the last levels down and of the first levels up drop features, each
    with probability dropout. The dropout is the network's only source of noise.
    """

    in_channels: int = 1
    out_channels: int = 1
    channels: tuple[int, ...] = (64, 128, 256, 512, 512, 512)
    dropout: float = 0.5
    down_dropout: int = 3
    up_dropout: int = 2


@dataclass(frozen=True)
class DiscriminatorConfig:
    """in_channels: the judged plane and its condition; channels: of each level, halving the resolution."""

    in_channels: int = 2
    channels: tuple[int, ...] = (64, 128, 256, 512)


class Generator(nn.Module):
    """Plane (B, in_channels, n, n) to plane (B, out_channels, n, n) in (-1, 1); n a multiple of 2^levels.

    In training mode features are dropped and two calls differ; in evaluation mode they are not and the output
    is a function of the input. Nothing else depends on the mode: InstanceNorm keeps no running statistics.
    """

    def __init__(self, config: GeneratorConfig = GeneratorConfig()) -> None:
        """Build the network with weights drawn from N(0, 0.02)."""
        super().__init__()
        self.config = config
        widths = config.channels
        last = len(widths) - 1
        self.down = nn.ModuleList()
        for level, width in enumerate(widths):
            before = widths[level - 1] if level else config.in_channels
            dropout = config.dropout if level > last - config.down_dropout else 0.0
            self.down.append(_halve(before, width, norm=0 < level < last, dropout=dropout))
        self.up = nn.ModuleList()
        before = widths[last]
        for level, width in enumerate(reversed(widths[:last])):
            self.up.append(_double(before, width, config.dropout if level < config.up_dropout else 0.0))
            before = 2 * width  # the skip connection doubles what goes on
        self.head = nn.Sequential(
            nn.Upsample(scale_factor=2, mode="nearest"), *_same_size(before, config.out_channels), nn.Tanh()
        )
        self.apply(_draw_weights)

    def forward(self, plane: Tensor) -> Tensor:
        """Return the translated plane."""
        *skips, x = self.encode(plane)
        for layer, skip in zip(self.up, reversed(skips), strict=True):
            x = torch.cat([layer(x), skip], dim=1)
        translated: Tensor = self.head(x)
        return translated

    def encode(self, plane: Tensor) -> list[Tensor]:
        """Return the features of every level down, the latent ones last: (B, 512, 4, 4) for 256 pixels."""
        step = 2 ** len(self.down)
        if plane.shape[-2] % step or plane.shape[-1] % step:
            raise ValueError(
                f"a plane of {plane.shape[-2]} x {plane.shape[-1]} pixels does not fit"
                f" {len(self.down)} levels: resample it to a multiple of {step} pixels"
            )
        features = [plane]
        for layer in self.down:
            features.append(layer(features[-1]))
        return features[1:]


class Discriminator(nn.Module):
    """Judged plane and condition, (B, 1, n, n) each, to one verdict a patch, (B, 1, n / 16, n / 16).

    Least-squares verdicts: 1 is real, 0 is generated, and no sigmoid bounds them.
    """

    def __init__(self, config: DiscriminatorConfig = DiscriminatorConfig()) -> None:
        """Build the network with weights drawn from N(0, 0.02)."""
        super().__init__()
        self.config = config
        before = (config.in_channels, *config.channels)
        levels = [_halve(a, b, norm=i > 0) for i, (a, b) in enumerate(zip(before, config.channels, strict=False))]
        self.layers = nn.Sequential(*levels, *_same_size(config.channels[-1], 1))
        self.apply(_draw_weights)

    def forward(self, plane: Tensor, condition: Tensor) -> Tensor:
        """Return the map of verdicts."""
        verdicts: Tensor = self.layers(torch.cat([plane, condition], dim=1))
        return verdicts


def _halve(before: int, width: int, *, norm: bool, dropout: float = 0.0) -> nn.Sequential:
    # InstanceNorm subtracts any bias again, so convolutions have one only where no norm follows.
    layers: list[nn.Module] = [nn.Conv2d(before, width, 4, stride=2, padding=1, bias=not norm)]
    if norm:
        layers.append(nn.InstanceNorm2d(width))
    layers.append(nn.LeakyReLU(0.2))
    return nn.Sequential(*layers, *_dropout(dropout))


def _double(before: int, width: int, dropout: float) -> nn.Sequential:
    convolution = nn.ConvTranspose2d(before, width, 4, stride=2, padding=1, bias=False)
    return nn.Sequential(convolution, nn.InstanceNorm2d(width), nn.ReLU(), *_dropout(dropout))


def _dropout(probability: float) -> list[nn.Module]:
    return [nn.Dropout(probability)] if probability else []


def _same_size(before: int, width: int) -> list[nn.Module]:
    # An even kernel has no centre: the odd pixel of padding goes left and below.
    return [nn.ZeroPad2d((2, 1, 2, 1)), nn.Conv2d(before, width, 4)]


def _draw_weights(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, 0.0, 0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
