"""A small convolutional encoder: one plane to a few features, for telling sets of planes apart."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True)
class EncoderConfig:
    """size: pixels along either axis to which a plane is averaged; widths: channels, from `size` down by halves."""

    size: int = 64
    widths: tuple[int, ...] = (16, 32, 64, 96, 64)
    features: int = 64


class Encoder(nn.Module):
    """Planes (B, 1, n, n) in the range [-1, 1], n >= size, to features (B, features).

    The last layer has no weights: it gives every feature mean 0 and variance 1 over the planes of the training, so
    that distances between features have a scale.
    """

    def __init__(self, config: EncoderConfig | None = None) -> None:
        """Build the network."""
        super().__init__()
        self.config = config = config or EncoderConfig()
        widths = config.widths
        self.stem = nn.Conv2d(1, widths[0], 3, padding=1)
        self.down = nn.Sequential(*[_halve(*pair) for pair in pairwise(widths)])
        # Flattened, not averaged: where in the plane something stands is part of what it means.
        rest = config.size >> (len(widths) - 1)
        self.gather = nn.Linear(widths[-1] * rest**2, config.features)
        self.standardize = nn.BatchNorm1d(config.features, affine=False)

    @property
    def num_features(self) -> int:
        """Length of the features."""
        return self.config.features

    def forward(self, planes: Tensor) -> Tensor:
        """Return the features."""
        averaged = functional.adaptive_avg_pool2d(planes, self.config.size)
        x = self.down(self.stem(averaged))
        features: Tensor = self.standardize(self.gather(functional.silu(x).flatten(1)))
        return features


def _halve(before: int, after: int) -> nn.Module:
    return nn.Sequential(nn.GroupNorm(8, before), nn.SiLU(), nn.Conv2d(before, after, 3, stride=2, padding=1))
