"""A classifier of patterns that starts from how lines relate to each other, and also looks at the lines themselves.

The relations (see relations.py) carry what tells lattices apart; a plain network reads them. The profile, cut into
patches that all pass through the same layers, adds heights and absences. Both meet in one trunk with two heads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from unscatter.nn.relations import DIFFERENCE_RATIOS, DIFFERENCES, MEASURED, RATIOS, LineRelations


@dataclass(frozen=True)
class RelationNetConfig:
    """width: of the trunk; blocks: in it; patch: points of the profile in one patch, which overlap by half.

    patch_width, fold, folded_width, kept_width: channels of a patch, patches that are folded into one token, its
    channels, and those that are kept of it; profile: whether the profile is looked at besides the relations.
    """

    in_channels: int = 3
    size: int = 4096
    classes: int = 230
    cell: int = 4
    width: int = 384
    blocks: int = 3
    patch: int = 32
    patch_width: int = 48
    fold: int = 4
    folded_width: int = 96
    kept_width: int = 32
    profile: bool = True
    dropout: float = 0.15


class Judgement(NamedTuple):
    """logits: (B, classes); cell: (B, cell), the numbers of the cell in the scaling of the training targets."""

    logits: Tensor
    cell: Tensor


class RelationNet(nn.Module):
    """Channels (B, 3, 4096) to a Judgement; 3 746 522 parameters."""

    def __init__(self, config: RelationNetConfig = RelationNetConfig()) -> None:
        """Build the network; every residual branch starts at zero."""
        super().__init__()
        self.config = config
        width = config.width
        self.relations = LineRelations(config.size)
        self.read = nn.ModuleList(
            nn.Sequential(nn.LayerNorm(numbers), nn.Linear(numbers, width))
            for numbers in (DIFFERENCES, DIFFERENCE_RATIOS, RATIOS, MEASURED)
        )
        self.profile = Profile(config) if config.profile else None
        self.trunk = nn.Sequential(
            *[nn.Sequential(ResidualBlock(width, 2 * width), nn.Dropout(config.dropout)) for _ in range(config.blocks)],
            nn.LayerNorm(width),
        )
        self.classifier = nn.Linear(width, config.classes)
        self.cell = nn.Linear(width, config.cell)

    def forward(self, channels: Tensor) -> Judgement:
        """Return logits and cell."""
        answers = self.features(channels)
        return Judgement(self.classifier(answers), self.cell(answers))

    def features(self, channels: Tensor) -> Tensor:
        """Return what both heads see, (B, width)."""
        if channels.shape[-1] != self.config.size:
            raise ValueError(f"a pattern of {channels.shape[-1]} points does not fit: resample to {self.config.size}")
        with torch.no_grad():
            relations = self.relations(channels)
        seen = torch.stack([read(numbers) for read, numbers in zip(self.read, relations, strict=True)]).sum(dim=0)
        if self.profile is not None:
            seen = seen + self.profile(channels)
        answers: Tensor = self.trunk(seen)
        return answers


class Profile(nn.Module):
    """Channels (B, channels, size) to (B, width): patches through common layers, folded, mixed, and flattened."""

    def __init__(self, config: RelationNetConfig) -> None:
        """Build the layers; raises ValueError if patches do not divide the pattern."""
        super().__init__()
        self.patch, self.fold = config.patch, config.fold
        self.step = config.patch // 2
        tokens, rest = divmod(config.size, self.step * config.fold)
        if rest:
            raise ValueError(
                f"patterns of {config.size} points do not fit {config.fold} steps of {self.step}: change patch or fold"
            )
        self.first = nn.Conv1d(config.in_channels, config.patch_width, config.patch, stride=self.step)
        self.describe = ResidualBlock(config.patch_width, config.patch_width)
        self.folded = nn.Linear(config.patch_width * config.fold, config.folded_width)
        self.place = nn.Parameter(torch.zeros(tokens, config.folded_width))
        self.before = ResidualBlock(config.folded_width, config.folded_width)
        self.mix = ResidualMix(tokens, config.folded_width)
        self.after = ResidualBlock(config.folded_width, config.folded_width)
        self.keep = nn.Linear(config.folded_width, config.kept_width)
        self.gather = nn.Linear(tokens * config.kept_width, config.width)

    def forward(self, channels: Tensor) -> Tensor:
        """Return one vector a pattern."""
        margin = (self.patch - self.step) // 2
        patches = functional.relu(self.first(functional.pad(channels, (margin, margin)))).transpose(1, 2)
        patches = self.describe(patches)
        tokens = self.folded(patches.reshape(len(patches), len(self.place), -1)) + self.place
        tokens = self.after(self.mix(self.before(tokens)))
        gathered: Tensor = self.gather(self.keep(tokens).flatten(1))
        return gathered


class ResidualBlock(nn.Module):
    """x + two layers of a norm of x, along the last dimension."""

    def __init__(self, width: int, hidden: int) -> None:
        """Build the layers; the last begins at zero."""
        super().__init__()
        last = nn.Linear(hidden, width)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        self.layers = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, hidden), nn.ReLU(), last)

    def forward(self, x: Tensor) -> Tensor:
        """Return x + f(x)."""
        change: Tensor = self.layers(x)
        return x + change


class ResidualMix(nn.Module):
    """x + a linear mixture of all tokens, the same for every channel: x is (B, tokens, width)."""

    def __init__(self, tokens: int, width: int) -> None:
        """Build the layers; the mixture begins at zero."""
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.mixture = nn.Linear(tokens, tokens)
        nn.init.zeros_(self.mixture.weight)
        nn.init.zeros_(self.mixture.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Return x + f(x)."""
        change: Tensor = self.mixture(self.norm(x).transpose(-2, -1)).transpose(-2, -1)
        return x + change
