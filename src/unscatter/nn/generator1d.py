"""The published generator of powder patterns: noise, made longer by nine transposed convolutions.

Architecture of Lolla et al., J. Appl. Cryst. 55, 882 (2022), section 2.4.1, Fig. 5.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True)
class Generator1dConfig:
    """kernels, strides: of each transposed convolution; channels: between any two of them; noise: numbers drawn."""

    noise: int = 100
    channels: int = 32
    kernels: tuple[int, ...] = (17, 15, 14, 18, 13, 11, 9, 9, 7)
    strides: tuple[int, ...] = (2, 1, 1, 3, 1, 4, 1, 1, 1)
    slope: float = 0.2
    eps: float = 1e-4

    @property
    def points(self) -> int:
        """Points of a generated pattern: n -> (n - 1) stride + kernel at each layer, 24 noise + 641 in all.

        >>> Generator1dConfig().points
        3041
        """
        points = self.noise
        for kernel, stride in zip(self.kernels, self.strides, strict=True):
            points = (points - 1) * stride + kernel
        return points


class Generator1d(nn.Module):
    """Noise (B, 1, noise), drawn from N(0, 1), to patterns (B, 1, points) in (0, 1); 92 416 parameters.

    The running statistics of BatchNorm make the evaluation mode differ from the training mode, in which the patterns
    of a batch depend on each other.
    """

    def __init__(self, config: Generator1dConfig = Generator1dConfig()) -> None:
        """Build the network."""
        super().__init__()
        self.config = config
        widths = [1, *[config.channels] * (len(config.kernels) - 1), 1]
        layers: list[nn.Module] = []
        for before, width, kernel, stride in zip(widths, widths[1:], config.kernels, config.strides, strict=False):
            layers.append(nn.ConvTranspose1d(before, width, kernel, stride=stride, bias=False))
            layers += [nn.LeakyReLU(config.slope), nn.BatchNorm1d(width, eps=config.eps)]
        # The last layer is bounded by a sigmoid instead: a pattern divided by its maximum lies between 0 and 1.
        self.layers = nn.Sequential(*layers[:-2], nn.Sigmoid())

    def forward(self, noise: Tensor) -> Tensor:
        """Return the generated patterns."""
        if noise.device.type != "cpu":
            patterns: Tensor = self.layers(noise)
            return patterns
        # The same as images one pixel high: in this layout a CPU makes patterns more than twice as fast.
        x = noise[:, :, None].contiguous(memory_format=torch.channels_last)
        for layer in self.layers:
            if isinstance(layer, nn.ConvTranspose1d):
                x = _widen(x, layer)
            elif isinstance(layer, nn.BatchNorm1d):
                x = _normalise(x, layer)
            else:
                x = layer(x)
        return x[:, :, 0]


def _widen(x: Tensor, layer: nn.ConvTranspose1d) -> Tensor:
    """The layer on (B, C, 1, n); with stride 1 it is a convolution by the reversed kernel, padded to full overlap."""
    weight, stride = layer.weight[:, :, None], layer.stride[0]
    if stride > 1 or layer.out_channels == 1:
        weight = weight.contiguous(memory_format=torch.channels_last)
        return functional.conv_transpose2d(x, weight, stride=(1, stride))
    weight = weight.flip(-1).transpose(0, 1).contiguous(memory_format=torch.channels_last)
    return functional.conv2d(x, weight, padding=(0, layer.kernel_size[0] - 1))


def _normalise(x: Tensor, layer: nn.BatchNorm1d) -> Tensor:
    """The layer on (B, C, 1, n), its running statistics included."""
    if layer.training and layer.num_batches_tracked is not None:
        layer.num_batches_tracked.add_(1)
    mean, var = layer.running_mean, layer.running_var
    return functional.batch_norm(
        x, mean, var, layer.weight, layer.bias, layer.training, layer.momentum or 0.0, layer.eps
    )
