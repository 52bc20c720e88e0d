"""Inception v3 as FID is defined with it (the network of 2015-12-05), for weights that the user brings.

Layers bear the names under which these weights are passed on: `Mixed_5b.branch1x1.conv.weight`. Average pools do not
count the padding, and the last block pools by maximum: Heusel et al. (2017), arXiv:1706.08500.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional

Size: TypeAlias = tuple[int, int]
Pool: TypeAlias = Literal["average", "maximum", "halve"]
#: name, channels, kernel, stride
Layer: TypeAlias = tuple[str, int, Size, int]
Branch: TypeAlias = list[Layer]


class Inception(nn.Module):
    """Images (B, 3, n, n) of bytes to the 2048 features before the classifier."""

    num_features = 2048

    def __init__(self) -> None:
        """Build the network without weights of its own."""
        super().__init__()
        self.Conv2d_1a_3x3 = Convolution(3, 32, (3, 3), stride=2, padding=(0, 0))
        self.Conv2d_2a_3x3 = Convolution(32, 32, (3, 3), padding=(0, 0))
        self.Conv2d_2b_3x3 = Convolution(32, 64, (3, 3))
        self.Conv2d_3b_1x1 = Convolution(64, 80, (1, 1))
        self.Conv2d_4a_3x3 = Convolution(80, 192, (3, 3), padding=(0, 0))
        self.Mixed_5b = _mixed_5(192, 32)
        self.Mixed_5c = _mixed_5(256, 64)
        self.Mixed_5d = _mixed_5(288, 64)
        self.Mixed_6a = _mixed_6a(288)
        self.Mixed_6b = _mixed_6(768, 128)
        self.Mixed_6c = _mixed_6(768, 160)
        self.Mixed_6d = _mixed_6(768, 160)
        self.Mixed_6e = _mixed_6(768, 192)
        self.Mixed_7a = _mixed_7a(768)
        self.Mixed_7b = _mixed_7(1280, "average")
        self.Mixed_7c = _mixed_7(2048, "maximum")

    def forward(self, images: Tensor) -> Tensor:
        """Return the features."""
        x = functional.interpolate(images.float(), size=(299, 299), mode="bilinear", antialias=True)
        x = (x - 128) / 128
        for name, layer in self.named_children():
            # Children stand in the order in which they act.
            x = _halved(x) if name in ("Conv2d_3b_1x1", "Mixed_5b") else x
            x = layer(x)
        return x.mean(dim=(-2, -1))


class Convolution(nn.Module):
    """Convolution, batch norm, ReLU; padded to keep the size unless it halves it or is told otherwise."""

    def __init__(self, before: int, after: int, kernel: Size, stride: int = 1, padding: Size | None = None) -> None:
        """Build the two layers."""
        super().__init__()
        same = (kernel[0] // 2, kernel[1] // 2) if stride == 1 else (0, 0)
        self.conv = nn.Conv2d(before, after, kernel, stride, same if padding is None else padding, bias=False)
        self.bn = nn.BatchNorm2d(after, eps=0.001)

    def forward(self, x: Tensor) -> Tensor:
        """Return features."""
        return functional.relu(self.bn(self.conv(x)))


class Mixed(nn.Module):
    """Branches side by side, joined along the channels; branches may begin with the same layers."""

    def __init__(self, before: int, branches: list[Branch], pool: Pool) -> None:
        """Build every layer that is named once."""
        super().__init__()
        self.paths = [[name for name, *_ in branch] for branch in branches]
        self.pool = pool
        for branch in branches:
            width = before
            for name, after, kernel, stride in branch:
                if not hasattr(self, name):
                    self.add_module(name, Convolution(width, after, kernel, stride))
                width = after

    def forward(self, x: Tensor) -> Tensor:
        """Return features; the pooled input ends in `branch_pool` where there is one."""
        pooled = _pooled(x, self.pool)
        made: dict[str, Tensor] = {}
        joined = []
        for path in self.paths:
            y = pooled if path == ["branch_pool"] else x
            for name in path:
                if name not in made:
                    made[name] = self.get_submodule(name)(y)
                y = made[name]
            joined.append(y)
        return torch.cat([*joined, pooled] if self.pool == "halve" else joined, dim=1)


def _halved(x: Tensor) -> Tensor:
    return functional.max_pool2d(x, 3, stride=2)


def _pooled(x: Tensor, pool: Pool) -> Tensor:
    if pool == "halve":
        return _halved(x)
    if pool == "maximum":
        return functional.max_pool2d(x, 3, stride=1, padding=1)
    return functional.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False)


def _chain(name: str, *layers: tuple[int, Size], stride: int = 1) -> Branch:
    """Layers NAME_1, NAME_2, ... (NAME, if there is one); the stride is that of the last."""
    numbered = [f"{name}_{i + 1}" for i in range(len(layers))] if len(layers) > 1 else [name]
    strides = [1] * (len(layers) - 1) + [stride]
    return [(n, width, kernel, s) for n, (width, kernel), s in zip(numbered, layers, strides, strict=True)]


def _mixed_5(before: int, pooled: int) -> Mixed:
    return Mixed(
        before,
        [
            _chain("branch1x1", (64, (1, 1))),
            _chain("branch5x5", (48, (1, 1)), (64, (5, 5))),
            _chain("branch3x3dbl", (64, (1, 1)), (96, (3, 3)), (96, (3, 3))),
            _chain("branch_pool", (pooled, (1, 1))),
        ],
        "average",
    )


def _mixed_6a(before: int) -> Mixed:
    return Mixed(
        before,
        [
            _chain("branch3x3", (384, (3, 3)), stride=2),
            _chain("branch3x3dbl", (64, (1, 1)), (96, (3, 3)), (96, (3, 3)), stride=2),
        ],
        "halve",
    )


def _mixed_6(before: int, inner: int) -> Mixed:
    row, column = (1, 7), (7, 1)
    long = [(inner, (1, 1)), (inner, column), (inner, row), (inner, column), (192, row)]
    return Mixed(
        before,
        [
            _chain("branch1x1", (192, (1, 1))),
            _chain("branch7x7", (inner, (1, 1)), (inner, row), (192, column)),
            _chain("branch7x7dbl", *long),
            _chain("branch_pool", (192, (1, 1))),
        ],
        "average",
    )


def _mixed_7a(before: int) -> Mixed:
    return Mixed(
        before,
        [
            _chain("branch3x3", (192, (1, 1)), (320, (3, 3)), stride=2),
            _chain("branch7x7x3", (192, (1, 1)), (192, (1, 7)), (192, (7, 1)), (192, (3, 3)), stride=2),
        ],
        "halve",
    )


def _mixed_7(before: int, pool: Pool) -> Mixed:
    short: Branch = [("branch3x3_1", 384, (1, 1), 1)]
    double: Branch = [("branch3x3dbl_1", 448, (1, 1), 1), ("branch3x3dbl_2", 384, (3, 3), 1)]
    return Mixed(
        before,
        [
            _chain("branch1x1", (320, (1, 1))),
            [*short, ("branch3x3_2a", 384, (1, 3), 1)],
            [*short, ("branch3x3_2b", 384, (3, 1), 1)],
            [*double, ("branch3x3dbl_3a", 384, (1, 3), 1)],
            [*double, ("branch3x3dbl_3b", 384, (3, 1), 1)],
            _chain("branch_pool", (192, (1, 1))),
        ],
        pool,
    )
