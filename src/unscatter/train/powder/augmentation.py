"""Views of a measured pattern: what another instrument might have measured of the same crystal.

Everything is done to the pattern itself, on the network's axis, so that it serves patterns of unknown structures too.
What stays is the symmetry: lines move together, and a change of height is no systematic absence.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from unscatter.powder.pattern.channels import lower_envelope, network_axis, stack_channels
from unscatter.powder.samples.artefacts import add_counting_noise

#: Orders of the cosines that a drawn background is made of.
_WAVES = 5
#: A view that shows less than this share of the highest point is not taken.
_FAINTEST = 0.02
#: Every how many-th point is looked at for a median; noises and points that are tried to find the one that was meant.
_SPARSE, _FITTED = 8, 64
#: Points to either side that a broadened line reaches to.
_TAPS = 15


@dataclass(frozen=True)
class Augmentation:
    """How far a view may be from its pattern; 0 or (0, 0) switches a change off.

    scale: s.d. of ln(d) of all lines together. zero_shift: s.d. of the shift of ln(d) at d = 5 Angstrom that a wrong
    zero makes, which grows with d. width: largest s.d. in ln(d) of the Gaussian that broadens, drawn evenly. texture:
    s.d. of ln(height), correlated over `correlation` in ln(d), of the lines without what lies under them. background:
    largest, as a share of the highest point. counts: in the highest point, even on a logarithmic scale. cut: largest
    share of the measured range that is missing at either end, drawn evenly.
    """

    scale: float = 0.02
    zero_shift: float = 1e-3
    width: float = 4e-3
    texture: float = 0.4
    correlation: float = 0.02
    background: float = 0.2
    counts: tuple[float, float] = (300.0, 1e6)
    cut: float = 0.2


class View(NamedTuple):
    """channels: (B, 3, 4096); shift: (B, 1), what has been added to ln(1/d) of all lines, of a cell that shrank."""

    channels: Tensor
    shift: Tensor


def augment(inputs: Tensor, options: Augmentation = Augmentation()) -> View:
    """A view of each of the patterns (B, 3, 4096), drawn with the random numbers of torch.

    Channels are those of network_channels: of the view shares of the highest point, the logarithms of its lines
    above its noise, and what is measured. A pattern whose view would show next to nothing is returned
    as it was.
    """
    shift = options.scale * _randn(inputs[:, 0])
    share, mask = _move(inputs[:, 0], inputs[:, 2], shift, options)
    mask = _cut(mask, options.cut)
    share = _broaden(share * mask, mask, options.width)
    below = torch.minimum(lower_envelope(share, mask), share)
    lines = (share - below) * _heights(share, options)
    top = lines.amax(dim=-1, keepdim=True)
    visible = top > _FAINTEST
    top = torch.where(visible, top, 1.0)
    share = ((lines + below) / top + _background(share, options.background)) * mask
    counts = _draw_log(share, options.counts)
    noise = (_typical(share, mask) / counts + (_noise(inputs) / top) ** 2).sqrt()
    if options.counts[1] > 0:
        share = add_counting_noise(share * counts, torch.randn_like(share)) / counts * mask
    # The highest point must be above zero for the channels to exist; where nothing is visible they are not used.
    share = torch.where(visible, share, inputs[:, 0])
    channels: Tensor = stack_channels(share, mask, noise)
    return View(torch.where(visible[:, None], channels, inputs), torch.where(visible, shift, 0.0))


def _typical(share: Tensor, mask: Tensor) -> Tensor:
    """Median of what was measured, (B, 1)."""
    seen = torch.where(mask > 0, share, torch.nan)[:, ::_SPARSE]
    return seen.nanmedian(dim=-1, keepdim=True).values.nan_to_num()


def _noise(inputs: Tensor) -> Tensor:
    """Noise (B, 1) that a pattern was described with, as a share of its highest point.

    The second channel is ln(1 + s / f) / ln(1 + 1 / f) for lines s: the f that fits best, times their height.
    """
    share, described, mask = inputs[:, 0], inputs[:, 1], inputs[:, 2]
    lines = (share - lower_envelope(share, mask)).clamp(min=0)
    height = lines.amax(dim=-1, keepdim=True)
    strongest, places = (lines / height.clamp(min=1e-6)).topk(_FITTED, dim=-1)
    f = torch.logspace(-3, -1, _FITTED, device=share.device)[:, None]
    expected = torch.log1p(strongest[:, None] / f) / torch.log1p(1 / f)
    missed = (expected - described.gather(-1, places)[:, None]).abs().mean(dim=-1)
    noise: Tensor = height * f[:, 0][missed.argmin(dim=-1)][:, None]
    return noise


def _move(share: Tensor, mask: Tensor, shift: Tensor, options: Augmentation) -> tuple[Tensor, Tensor]:
    """Lines moved by a shift and a wrong zero, linearly interpolated; beyond the axis nothing was measured."""
    points, d = share.shape[-1], torch.as_tensor(network_axis(), dtype=share.dtype, device=share.device)
    moved = shift + options.zero_shift * _randn(share) * d / 5.0
    source = torch.arange(points, device=share.device) - moved / _step()
    inside = (source >= 0) & (source <= points - 1)
    source = source.clamp(0, points - 1)
    below = source.floor().clamp(max=points - 2).long()
    part = source - below
    lower, upper = (torch.stack([share, mask]).gather(-1, (below + k).expand(2, -1, -1)) for k in (0, 1))
    share, mask = lower + part * (upper - lower)
    whole = (mask > 0.999) & inside
    return share * whole, whole.to(share.dtype)


def _cut(mask: Tensor, most: float) -> Tensor:
    """A mask without a share of its measured points at either end."""
    done = mask.cumsum(dim=-1) / mask.sum(dim=-1, keepdim=True).clamp(min=1)
    first, last = (most * torch.rand_like(done[:, :1]) for _ in range(2))
    return mask * (done > first) * (done <= 1 - last)


def _broaden(share: Tensor, mask: Tensor, most: float) -> Tensor:
    """Lines folded with a Gaussian, as if nothing were different beyond the ends of what is measured."""
    if not most:
        return share
    sigma = most * torch.rand_like(share[:, :1]) / _step()
    taps = torch.arange(-_TAPS, _TAPS + 1, device=share.device)
    kernel = torch.exp(-0.5 * (taps / sigma.clamp(min=0.1)) ** 2)
    kernel = (kernel / kernel.sum(dim=-1, keepdim=True))[:, None]
    blurred, weight = (
        functional.conv1d(values[None], kernel, padding=_TAPS, groups=len(values))[0] for values in (share, mask)
    )
    return torch.where(mask > 0, blurred / weight.clamp(min=1e-3), 0.0)


def _heights(share: Tensor, options: Augmentation) -> Tensor:
    """Factors exp(texture z) of the heights (B, n), z a smooth random function of variance about one."""
    if not options.texture:
        return torch.ones_like(share)
    knots = max(2, round(share.shape[-1] * _step() / options.correlation))
    z = torch.randn(len(share), 1, knots, device=share.device)
    # Between two knots the variance falls to one half, on the mean to two thirds.
    curve = functional.interpolate(z, share.shape[-1], mode="linear")[:, 0]
    return torch.exp(options.texture * (3 / 2) ** 0.5 * curve)


def _step() -> float:
    """Step of the network's axis in ln(d)."""
    axis = network_axis()
    return math.log(axis[0] / axis[-1]) / (len(axis) - 1)


def _background(share: Tensor, most: float) -> Tensor:
    """A smooth positive function of the axis, (B, n), at most about `most`."""
    place = torch.linspace(0, math.pi, share.shape[-1], device=share.device)
    order = torch.arange(1, _WAVES + 1, device=share.device)
    weights = torch.randn(len(share), _WAVES, device=share.device) / order
    waves = torch.exp(0.5 * weights @ torch.cos(order[:, None] * place))
    return most * torch.rand_like(share[:, :1]) ** 2 * waves / waves.amax(dim=-1, keepdim=True)


def _draw_log(like: Tensor, limits: tuple[float, float]) -> Tensor:
    """Numbers (B, 1) between two limits, even on a logarithmic scale; infinite where there is no upper one."""
    low, high = limits
    if high <= 0:
        return torch.full_like(like[:, :1], torch.inf)
    return low * (high / low) ** torch.rand_like(like[:, :1])


def _randn(like: Tensor) -> Tensor:
    return torch.randn_like(like[:, :1])
