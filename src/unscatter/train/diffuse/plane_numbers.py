"""The numbers a clean plane was made from, as the picture alone could tell them: what an encoder learns to read.

All spread over about one, so that none drowns the others in a loss, and do not change with the scale of the plane:
lengths are in units of its half width.
"""

from __future__ import annotations

import torch
from torch import Tensor

from unscatter.diffuse.samples.draw import DrawBatch, Samples

ORDER_NUMBERS = (
    "cells_1",
    "cells_2",
    "alpha_1",
    "alpha_2",
    "alpha_sum",
    "alpha_difference",
    "modulation",
    "range",
)
FORM_NUMBERS = ("size_x", "size_y", "tilt", "contrast", "level", "radius", "stretch", "shear")


def order_numbers(batch: DrawBatch) -> Tensor:
    """The lattice and the series of I_SRO on the plane, (B, 8), named by `ORDER_NUMBERS`.

    cells: log of the reciprocal cells across the plane along either translation, over 16. alpha: amplitude of the
    first harmonics f_1, f_2, f_1 + f_2, f_1 - f_2 over the mean, which sums alpha_v along the normal of the
    plane. modulation: log of the variance over the squared mean. range: log of the r.m.s. length of the vectors
    v, weighted by amplitude, in cells.
    """
    waves, cells = batch.waves, batch.frequencies
    frequencies = torch.stack([waves.frequency_x, waves.frequency_y], dim=-1)
    power = waves.cosine**2 + waves.sine**2
    lengths = frequencies.norm(dim=-1)
    unit = cells.norm(dim=-1)
    constant = lengths < 0.05 * unit.amin(dim=1, keepdim=True)
    mean = (waves.cosine * constant).sum(dim=1, keepdim=True)
    power = torch.where(constant, 0.0, power / mean**2)
    extent = (power * lengths**2).sum(dim=1) / power.sum(dim=1).clamp_min(1e-6) / unit.prod(dim=1)
    width = 2 * _half_width(batch)[:, None]
    return torch.cat(
        [
            torch.log(unit * width / 16),
            (_first_harmonics(frequencies, waves.cosine, cells) / mean).clamp(-3, 3),
            torch.log(power.sum(dim=1) / 2 + 1e-3)[:, None] / 2,
            torch.log(extent + 1e-3)[:, None] / 2,
        ],
        dim=1,
    )


def _first_harmonics(frequencies: Tensor, cosine: Tensor, cells: Tensor) -> Tensor:
    """Amplitudes of the waves f_1, f_2, f_1 + f_2, f_1 - f_2 (of either sign), (B, 4)."""
    first, second = cells.unbind(dim=1)
    wanted = torch.stack([first, second, first + second, first - second], dim=1)[:, :, None]
    near = torch.minimum((frequencies[:, None] - wanted).norm(dim=-1), (frequencies[:, None] + wanted).norm(dim=-1))
    hit = near < 0.05 * cells.norm(dim=-1).amin(dim=1)[:, None, None]
    amplitudes: Tensor = (hit * cosine[:, None]).sum(dim=-1)
    return amplitudes


def form_numbers(batch: DrawBatch, samples: Samples) -> Tensor:
    """The pair of molecules as the plane sees it and the moments of its I_FF, (B, 8), named by `FORM_NUMBERS`.

    size: log of the radius of gyration along x and y (electrons as weights) times the half width in 1/Angstrom,
    over 16; tilt: their correlation; contrast: log(1 + (sum of Z)^2 / sum of Z^2), Z of B counted negative;
    level: distance of the plane from Q = 0. Of the intensity: mean |Q| less 0.6, <x^2 - y^2> / <r^2> and
    <2 x y> / <r^2>, eight times each.
    """
    half = _half_width(batch)
    electrons = _electrons(batch)
    tensor = _gyration(batch, electrons.abs())
    xx, xy, yy = tensor[:, 0, 0], tensor[:, 0, 1], tensor[:, 1, 1]
    contrast = electrons.sum(dim=1) ** 2 / (electrons**2).sum(dim=1)
    pair = [
        torch.log(xx.sqrt() * half / 16),
        torch.log(yy.sqrt() * half / 16),
        xy / (xx * yy).sqrt(),
        torch.log1p(contrast),
        batch.plane.origin.norm(dim=-1) / half,
    ]
    return torch.stack([*pair, *(8 * moment for moment in _moments(samples.form_factor))], dim=1)


def _electrons(batch: DrawBatch) -> Tensor:
    """Scattering power of every atom at Q = 0, negative for molecule B, (B, n)."""
    forward = batch.pair.a.sum(dim=-1) + batch.pair.c
    electrons: Tensor = (batch.pair.weights * forward[..., None]).sum(dim=1)
    return electrons


def _gyration(batch: DrawBatch, mass: Tensor) -> Tensor:
    """Second moments of the atoms along the two axes of the plane, (B, 2, 2) in Angstrom^2."""
    axes = torch.stack([batch.plane.u, batch.plane.v], dim=-1)
    positions = batch.pair.positions @ axes
    share = (mass / mass.sum(dim=1, keepdim=True))[..., None]
    centred = positions - (share * positions).sum(dim=1, keepdim=True)
    # A flat pair seen edge on has no width: 0.1 Angstrom keeps its logarithm finite.
    floor = 0.01 * torch.eye(2, device=mass.device)
    tensor: Tensor = (share * centred).mT @ centred + floor
    return tensor


def _moments(intensity: Tensor) -> list[Tensor]:
    """Mean radius less 0.6, stretch along x and shear of planes (B, n, n), in units of the half width."""
    grid = torch.linspace(-1, 1, intensity.shape[-1], device=intensity.device)
    x, y = grid[None, :], grid[:, None]
    share = intensity / intensity.sum(dim=(-2, -1), keepdim=True)

    def mean(weight: Tensor) -> Tensor:
        return (share * weight).sum(dim=(-2, -1))

    square = mean(x**2 + y**2)
    return [mean((x**2 + y**2).sqrt()) - 0.6, mean(x**2 - y**2) / square, mean(2 * x * y) / square]


def _half_width(batch: DrawBatch) -> Tensor:
    half: Tensor = batch.plane.x[:, -1]
    return half
