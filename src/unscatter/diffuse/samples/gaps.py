"""Gaps of kinds that no single detector makes: what is missing when planes are put together from anything."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from unscatter.nouns.arrays import Mask


def draw_gaps(rng: np.random.Generator, measured: Mask, least: float) -> Mask:
    """A mask with more gaps, one kind after the other, as long as a share `least` of the plane stays measured."""
    kinds = (_strips, _grid, _sector, _disc, _beyond, _patches, _pixels)
    for kind in rng.permutation(len(kinds))[: int(rng.integers(1, 4))]:
        less = measured & ~kinds[kind](rng, len(measured))
        if less.mean() >= least:
            measured = less
    return measured


def _places(n: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Coordinates of the pixels in -1..1."""
    place = np.linspace(-1, 1, n)
    return place[None, :], place[:, None]


def _strips(rng: np.random.Generator, n: int) -> Mask:
    """One to five straight strips in any direction."""
    x, y = _places(n)
    gap = np.zeros((n, n), dtype=bool)
    along = rng.uniform(0, math.pi) if rng.random() < 0.6 else float(rng.integers(2)) * math.pi / 2
    for _ in range(int(rng.integers(1, 6))):
        angle = along + rng.normal(0, 0.02)
        distance = np.abs(x * math.cos(angle) + y * math.sin(angle) - rng.uniform(-1, 1))
        gap |= distance < rng.uniform(0.01, 0.12)
    return gap


def _grid(rng: np.random.Generator, n: int) -> Mask:
    """The frame of tiles, turned by any angle or along the edges."""
    x, y = _places(n)
    angle = rng.uniform(0, math.pi) if rng.random() < 0.4 else 0.0
    turned = (x * math.cos(angle) + y * math.sin(angle), y * math.cos(angle) - x * math.sin(angle))
    gap = np.zeros((n, n), dtype=bool)
    for place in turned:
        pitch = rng.uniform(0.2, 0.9)
        gap |= (place + rng.uniform(0, pitch)) % pitch < rng.uniform(0.02, 0.25) * pitch
    return gap


def _sector(rng: np.random.Generator, n: int) -> Mask:
    """A wedge that was not turned through, with its Friedel mate or without."""
    x, y = _places(n)
    start, width = rng.uniform(-math.pi, math.pi), rng.uniform(0.1, 1.0)
    angle = np.arctan2(y, x)
    gap = (angle - start) % (2 * math.pi) < width
    return gap | ((angle - start + math.pi) % (2 * math.pi) < width) if rng.random() < 0.7 else gap


def _disc(rng: np.random.Generator, n: int) -> Mask:
    """What the beam stop hides, with an arm or without."""
    x, y = _places(n)
    gap = np.hypot(x, y) < rng.uniform(0.05, 0.35)
    if rng.random() < 0.5:
        angle = rng.uniform(-math.pi, math.pi)
        along, across = x * math.cos(angle) + y * math.sin(angle), y * math.cos(angle) - x * math.sin(angle)
        gap |= (along > 0) & (np.abs(across) < rng.uniform(0.01, 0.08))
    return gap


def _beyond(rng: np.random.Generator, n: int) -> Mask:
    """All outside an ellipse, or beyond a straight edge."""
    x, y = _places(n)
    if rng.random() < 0.6:
        return np.asarray(np.hypot(x / rng.uniform(0.7, 1.2), y / rng.uniform(0.7, 1.2)) > 1)
    angle = rng.uniform(0, 2 * math.pi)
    return np.asarray(x * math.cos(angle) + y * math.sin(angle) > rng.uniform(0.1, 0.9))


def _patches(rng: np.random.Generator, n: int) -> Mask:
    """Discs anywhere: what was cut out around reflections, rings and shadows."""
    x, y = _places(n)
    gap = np.zeros((n, n), dtype=bool)
    for _ in range(int(rng.integers(3, 40))):
        gap |= np.hypot(x - rng.uniform(-1, 1), y - rng.uniform(-1, 1)) < rng.uniform(0.01, 0.12)
    return gap


def _pixels(rng: np.random.Generator, n: int) -> Mask:
    """Single pixels that no ray happened to reach."""
    return np.asarray(rng.random((n, n)) < rng.uniform(0.01, 0.3))
