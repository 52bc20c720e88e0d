"""A U-Net with Fourier blocks and two heads that correct two first guesses.

The plane enters folded into blocks of pixels, so that the network works at a fraction of the resolution and still
sees every pixel. A Fourier block mixes channels wave by wave over the whole plane: what is periodic and what
is smooth lies in different places there, and gaps are filled from everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True)
class UNetConfig:
    """patch: pixels folded into channels along either axis; channels: of each level, halving the resolution from one
    to the next; blocks: residual blocks a level; fourier_channels: width of the Fourier blocks.
    """

    in_channels: int = 6
    out_channels: int = 2
    patch: int = 8
    size: int = 256
    channels: tuple[int, ...] = (96, 144, 208)
    blocks: int = 1
    fourier_channels: int = 48


class UNet(nn.Module):
    """Inputs (B, in_channels, size, size) and first guesses (B, 2, size, size) to corrected guesses of that shape."""

    def __init__(self, config: UNetConfig) -> None:
        """Build the network; the last layer starts at zero, so the first output is the first guess."""
        super().__init__()
        self.config = config
        widths = config.channels
        grid = config.size // config.patch
        self.stem = nn.Conv2d(config.in_channels * config.patch**2, widths[0], 1)
        self.down = nn.ModuleList()
        self.up = nn.ModuleList()
        for level, width in enumerate(widths):
            before = widths[max(level - 1, 0)]
            resolution = grid >> level
            self.down.append(Level(before, width, resolution, config, stride=1 if level == 0 else 2))
            if level < len(widths) - 1:
                self.up.append(Level(widths[level + 1] + width, width, resolution, config, stride=1))
        self.head = nn.Conv2d(widths[0], config.out_channels * config.patch**2, 1)
        _start_at_zero(self.head)

    def forward(self, inputs: Tensor, guesses: Tensor) -> Tensor:
        """Return guesses + correction."""
        x = self.stem(functional.pixel_unshuffle(inputs, self.config.patch))
        skips = []
        for level in self.down:
            x = level(x)
            skips.append(x)
        x = skips.pop()
        for level, skip in zip(reversed(self.up), reversed(skips), strict=True):
            x = functional.interpolate(x, scale_factor=2.0, mode="nearest")
            x = level(torch.cat([x, skip], dim=1))
        correction: Tensor = functional.pixel_shuffle(self.head(functional.silu(x)), self.config.patch)
        return guesses + correction


class Level(nn.Module):
    """Change width and resolution, then residual blocks and one Fourier block."""

    def __init__(self, before: int, width: int, resolution: int, config: UNetConfig, stride: int) -> None:
        """Build the layers of one resolution."""
        super().__init__()
        self.enter = nn.Conv2d(before, width, 3, stride=stride, padding=1)
        self.blocks = nn.Sequential(*[ResidualBlock(width) for _ in range(config.blocks)])
        self.fourier = FourierBlock(width, config.fourier_channels, resolution)

    def forward(self, x: Tensor) -> Tensor:
        """Return features (B, width, n, n)."""
        x = self.enter(x)
        features: Tensor = self.fourier(self.blocks(x))
        return features


class ResidualBlock(nn.Module):
    """Norm, SiLU, convolution, SiLU, convolution; plus the input."""

    def __init__(self, width: int) -> None:
        """Build two 3 x 3 convolutions."""
        super().__init__()
        self.layers = nn.Sequential(
            nn.GroupNorm(8, width),
            nn.SiLU(),
            nn.Conv2d(width, width, 3, padding=1),
            nn.SiLU(),
            nn.Conv2d(width, width, 3, padding=1),
        )
        _start_at_zero(self.layers[-1])

    def forward(self, x: Tensor) -> Tensor:
        """Return x + f(x)."""
        change: Tensor = self.layers(x)
        return x + change


class FourierBlock(nn.Module):
    """Mix channels wave by wave: Fourier transform, two pointwise layers, transform back; plus the input.

    The transform is a matrix product, which every runtime executes, on a real basis (Hartley's cas = cos + sin) so
    that no complex numbers are needed.
    """

    basis: Tensor

    def __init__(self, width: int, hidden: int, resolution: int) -> None:
        """Build the layers for planes of resolution x resolution."""
        super().__init__()
        self.enter = nn.Sequential(nn.GroupNorm(8, width), nn.Conv2d(width, hidden, 1))
        self.mix = nn.Sequential(nn.Conv2d(hidden, 2 * hidden, 1), nn.SiLU(), nn.Conv2d(2 * hidden, hidden, 1))
        self.leave = nn.Conv2d(hidden, width, 1)
        _start_at_zero(self.leave)
        index = torch.arange(resolution, dtype=torch.float64)
        phase = 2 * torch.pi * torch.outer(index, index) / resolution
        basis = (torch.cos(phase) + torch.sin(phase)) / resolution**0.5
        self.register_buffer("basis", basis.float(), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return x + f(x)."""
        waves = self.basis @ self.enter(x) @ self.basis
        change: Tensor = self.leave(self.basis @ self.mix(waves) @ self.basis)
        return x + change


def _start_at_zero(layer: nn.Module) -> None:
    """Let a branch begin by adding nothing: deep sums of branches then train without warm-up trouble."""
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)
