"""Asymmetry by axial divergence: lines lean to one side, as far as sample and detector are high."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from array_api_compat import array_namespace, device, is_torch_namespace
from numpy.typing import NDArray

from unscatter.nouns.arrays import Array
from unscatter.powder.pattern.peaks import Peaks, take_rows

# Numbers of nodes there are rules for, and how many FWHM a line may lean for the sum over them to be right to 5e-7 of
# its height, whatever its shape.
_SIZES = (1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 32, 40, 48, 64, 96, 128)
_LEANS = (
    0.0012,
    0.048,
    0.167,
    0.316,
    0.47,
    0.62,
    0.78,
    0.93,
    1.22,
    1.51,
    1.8,
    2.08,
    2.65,
    3.2,
    4.3,
    5.4,
    6.6,
    8.9,
    13.5,
)
# Points of each part of the density from which the rules are made.
_FINE = 300
# Heights are cut where rays come within this share of the tangent of the line's cone.
_STEEPEST = 0.97


@dataclass(frozen=True, eq=False)
class Nodes:
    """Rays that make up each of n lines, m in all: owner (m,), angle (m,) in degrees, share (m,), slope (m,).

    share: of the intensity of the line, 1 in sum; slope: d(angle) / d(two-theta).
    """

    owner: Array
    angle: Array
    share: Array
    slope: Array


def spread_axially(peaks: Peaks, axial: tuple[float, float]) -> Peaks:
    """Split peaks into rays that lean to one side; axial: S/L and H/L, half heights of sample and detector over their
    distance. See `axial_nodes`.
    """
    if max(axial) == 0 or len(peaks) == 0:
        return peaks
    nodes = axial_nodes(peaks.position, peaks.fwhm, axial)
    xp = array_namespace(peaks.position)
    area, fwhm, eta, row = (xp.take(column, nodes.owner) for column in (peaks.area, peaks.fwhm, peaks.eta, peaks.row))
    hkl = None if peaks.hkl is None else take_rows(peaks.hkl, nodes.owner)
    return Peaks(nodes.angle, area * nodes.share, fwhm, eta, row, hkl)


def axial_nodes(two_theta: Array, fwhm: Array, axial: tuple[float, float]) -> Nodes:
    """Rays of lines at two_theta (n,) with fwhm (n,), both in degrees; axial: S/L and H/L.

    A ray that leaves the plane by z times the distance is seen at cos(2 phi) = cos(2 theta) sqrt(1 + z^2). The density
    of z is flat up to |S - H| / L and falls to zero at (S + H) / L, times 1 / ((1 + z^2) sin 2 phi). The integral over
    z is Gauss' rule of that density in z^2, to which the lean is nearly proportional, with as many nodes as the line
    leans FWHM. Source: Finger, Cox & Jephcoat, J. Appl. Cryst. 27, 892 (1994), eqs. (7) to (15).
    """
    xp = array_namespace(two_theta)
    reach = sum(axial)
    # A cone has rays up to z = tan(2 theta); what is higher than that sees the line whole, as a ring.
    heights = xp.clip(_STEEPEST * xp.abs(xp.tan(two_theta * (math.pi / 180))), max=reach)
    rule = _choose_rules(two_theta, fwhm, heights)
    sizes = xp.asarray(np.array(_SIZES), device=device(two_theta))
    counts, before = xp.take(sizes, rule), xp.take(xp.cumulative_sum(sizes) - sizes, rule)
    squares, weights = _rules(abs(axial[0] - axial[1]) / reach)
    owner = xp.repeat(xp.arange(two_theta.shape[0], device=device(two_theta)), counts)
    # Rules lie one after the other, and so do the rays of the lines.
    shift = before - xp.cumulative_sum(counts) + counts
    place = xp.arange(owner.shape[0], device=device(two_theta)) + xp.take(shift, owner)
    z2, share = (
        xp.take(xp.asarray(numbers, dtype=two_theta.dtype, device=device(two_theta)), place)
        for numbers in (squares, weights)
    )
    angle, share, slope = _rays(two_theta, owner, z2 * xp.take(heights * heights, owner), share)
    total = _sums(owner, share, two_theta.shape[0])
    return Nodes(owner, angle, share / xp.take(total, owner), slope)


def _rays(two_theta: Array, owner: Array, z2: Array, weight: Array) -> tuple[Array, Array, Array]:
    """Angle in degrees, weight and d(angle) / d(two-theta) of rays z^2 (m,), each of its owner's two_theta (n,)."""
    xp = array_namespace(two_theta)
    radians = two_theta * (math.pi / 180)
    stretch = xp.sqrt(1 + z2)
    cosine = xp.take(xp.cos(radians), owner) * stretch
    sine = xp.sqrt(1 - cosine * cosine)
    slope = xp.take(xp.sin(radians), owner) * stretch / sine
    return xp.acos(cosine) * (180 / math.pi), weight / ((1 + z2) * sine), slope


def _choose_rules(two_theta: Array, fwhm: Array, heights: Array) -> Array:
    """Number (n,) of the rule for each line, by how many FWHM it leans."""
    xp = array_namespace(two_theta)
    angle = two_theta * (math.pi / 180)
    cosine = xp.cos(angle) * xp.sqrt(1 + heights * heights)
    lean = xp.abs(xp.acos(xp.clip(cosine, -1.0, 1.0)) - angle) * (180 / math.pi) / fwhm
    return xp.searchsorted(xp.asarray(np.array(_LEANS), dtype=lean.dtype, device=device(lean)), lean)


@lru_cache(maxsize=64)
def _rules(flat: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Nodes in t = (z / reach)^2 and weights of all rules, one after the other, for a density flat up to `flat`."""
    x, w = np.polynomial.legendre.leggauss(_FINE)
    pieces = [(a, b) for a, b in ((0.0, flat), (flat, 1.0)) if b - a > 1e-9]
    z = np.concatenate([(a + b) / 2 + (b - a) / 2 * x for a, b in pieces])
    w = np.concatenate([(b - a) / 2 * w for a, b in pieces])
    w = w * np.where(z < flat, 1.0, (1 - z) / max(1 - flat, 1e-9))
    diagonal, beside = _recurrence(z * z, w / w.sum())
    nodes, weights = [], []
    for n in _SIZES:
        jacobi = np.diag(diagonal[:n]) + np.diag(beside[1:n], 1) + np.diag(beside[1:n], -1)
        values, vectors = np.linalg.eigh(jacobi)
        nodes.append(np.clip(values, 0.0, 1.0))
        weights.append(vectors[0] ** 2)
    return np.concatenate(nodes), np.concatenate(weights)


def _recurrence(t: NDArray[np.float64], weight: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Coefficients of the polynomials orthonormal under a discrete density, by Stieltjes' procedure."""
    most = _SIZES[-1]
    diagonal, beside = np.zeros(most), np.zeros(most)
    before, now = np.zeros_like(t), np.ones_like(t)
    for k in range(most):
        diagonal[k] = np.sum(weight * t * now**2)
        following = (t - diagonal[k]) * now - beside[k] * before
        if k + 1 < most:
            beside[k + 1] = math.sqrt(np.sum(weight * following**2))
            before, now = now, following / beside[k + 1]
    return diagonal, beside


def _sums(owner: Array, values: Array, size: int) -> Array:
    """Sum of the values of each owner, (size,)."""
    xp = array_namespace(values)
    if is_torch_namespace(xp):
        return xp.zeros(size, dtype=values.dtype, device=device(values)).index_add(0, owner, values)
    return np.bincount(owner, values, size)
