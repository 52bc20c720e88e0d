"""How the lines of a pattern relate to each other: the numbers from which lattices are found by hand.

With Q = 1/d^2, the lines of a crystal are Q = h^2 A + k^2 B + l^2 C + ..., so that differences of Q repeat: in an
orthorhombic lattice Q(hk1) - Q(hk0) = C for every h and k, in a monoclinic one this holds along one axis only, in a
triclinic one along none (Ito, 1949; de Wolff, 1957). Ratios of differences are what remains of a lattice when its size
is taken out. A network that sees neighbouring points finds none of this; the autocorrelation shows it at once.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

#: Even steps of Q in 1/Angstrom^2, and the range that they cover.
_STEPS, _FIRST, _LAST = 2048, 0.0016, 0.92
#: Differences of Q on a logarithmic axis, and the least in steps of Q.
DIFFERENCES, _LEAST = 768, 6.0
#: Ratios of differences on the same axis; ratios of 1/d, each the mean of two neighbours; blocks of what was measured.
DIFFERENCE_RATIOS, RATIOS, MEASURED = 512, 1280, 64
#: Lines are some 5 points wide on the axis of the pattern, and 3 on that of Q.
_NARROW, _NARROW_IN_Q = 5, 3
#: Points to either side over which differences make a smooth background of their own.
_SMOOTH = 32
#: Overlaps of what was measured with itself below this share are too short to divide by.
_SHORTEST = 0.1


class Relations(NamedTuple):
    """How often what occurs, one row a pattern, all in steps of a logarithmic axis.

    differences: (B, 768) of Q; difference_ratios: (B, 512) of those to each other; ratios: (B, 1280) of 1/d;
    measured: (B, 64), share of each stretch of the axis that was measured.
    """

    differences: Tensor
    difference_ratios: Tensor
    ratios: Tensor
    measured: Tensor


class LineRelations(nn.Module):
    """Channels (B, 3, 4096) of network_channels to Relations; nothing is learned."""

    def __init__(self, size: int = 4096, longest: float = 25.0, shortest: float = 0.8) -> None:
        """Prepare the axis of Q for `size` points even in ln(1/d) from `longest` to `shortest` d in Angstrom."""
        super().__init__()
        self.size = size
        edges = torch.linspace(_FIRST, _LAST, _STEPS + 1, dtype=torch.float64)
        place = (0.5 * edges.log() + math.log(longest)) * size / math.log(longest / shortest)
        place = place.clamp(0, size - 1e-6)
        below = place.floor()
        self.below: Tensor
        self.beyond: Tensor
        self.width: Tensor
        self.register_buffer("below", below.long(), persistent=False)
        self.register_buffer("beyond", place - below, persistent=False)
        self.register_buffer("width", place.diff().clamp(min=1e-6), persistent=False)
        lag = torch.logspace(math.log10(_LEAST), math.log10(_STEPS - 2), DIFFERENCES, dtype=torch.float64)
        self.lag: Tensor
        self.part: Tensor
        self.register_buffer("lag", lag.floor().long(), persistent=False)
        self.register_buffer("part", (lag - lag.floor()).float(), persistent=False)

    def forward(self, channels: Tensor) -> Relations:
        """Return the relations."""
        lines, mask = channels[:, 1], channels[:, 2]
        sharp = _even_out(_sharpen(_box(lines, 1), _NARROW) * mask)
        ratios = _autocorrelation(_box(sharp, 1), 2 * RATIOS)
        differences = self._differences(lines, mask)
        peaks = functional.relu(differences - _box(differences, _SMOOTH))
        return Relations(
            2 * differences,
            _autocorrelation(peaks, DIFFERENCE_RATIOS),
            4 * functional.avg_pool1d(ratios[:, None], 2)[:, 0],
            functional.avg_pool1d(mask[:, None], self.size // MEASURED)[:, 0],
        )

    def _differences(self, lines: Tensor, mask: Tensor) -> Tensor:
        """Autocorrelation over Q at DIFFERENCES lags, as if all of Q had been measured."""
        over_q, measured = self._over_q(lines), self._over_q(mask)
        seen = _autocorrelation(_even_out(_sharpen(over_q, _NARROW_IN_Q) * measured), _STEPS)
        seen = seen / _autocorrelation(measured, _STEPS).clamp(min=_SHORTEST)
        lower, upper = seen[:, self.lag], seen[:, self.lag + 1]
        return lower + self.part * (upper - lower)

    def _over_q(self, values: Tensor) -> Tensor:
        """Means of values (B, size) over even steps of Q, (B, 2048)."""
        # In double precision, as small differences of large sums are what counts.
        total = functional.pad(values.double().cumsum(dim=-1), (1, 0))
        lower, upper = total[:, self.below], total[:, self.below + 1]
        means: Tensor = ((lower + self.beyond * (upper - lower)).diff(dim=-1) / self.width).float()
        return means


def _box(values: Tensor, reach: int) -> Tensor:
    """Means over `reach` points to either side, (B, n)."""
    return functional.avg_pool1d(values[:, None], 2 * reach + 1, 1, reach, count_include_pad=False)[:, 0]


def _sharpen(values: Tensor, width: int) -> Tensor:
    """What rises above the mean of both neighbours at a distance of `width` points, (B, n)."""
    padded = functional.pad(values[:, None], (width, width), mode="replicate")[:, 0]
    return functional.relu(values - 0.5 * (padded[:, : -2 * width] + padded[:, 2 * width :]))


def _even_out(lines: Tensor) -> Tensor:
    """Square root of lines / root mean square: weak lines say as much about a lattice as strong ones."""
    return (lines / (lines.square().mean(dim=-1, keepdim=True).sqrt() + 1e-6) + 1e-12).sqrt()


def _autocorrelation(values: Tensor, lags: int) -> Tensor:
    """Sum of values at i and i + lag over i, as a share of that at lag 0: (B, lags)."""
    points = 2 * values.shape[-1]
    power = torch.view_as_real(torch.fft.rfft(values, points)).square().sum(dim=-1)
    correlation: Tensor = torch.fft.irfft(torch.complex(power, torch.zeros_like(power)), points)[:, :lags]
    return correlation / correlation[:, :1].clamp(min=1e-9)
