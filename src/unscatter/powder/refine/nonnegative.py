"""Least squares with intensities that cannot be negative, where each line overlaps with its neighbours alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky_banded
from scipy.sparse import csc_array

from unscatter.nouns.arrays import Floats
from unscatter.powder.pattern.kernels import compiled
from unscatter.powder.refine.banded import solve_held

Flags = NDArray[np.bool_]

# Intensities, and slopes at zero, count as zero below this many standard deviations.
_TOLERANCE = 0.01
# Lines with less than this share of the largest weight lie outside of the pattern.
_OUTSIDE = 1e-9
# Exchanges of whole sets that may fail before one line at a time is exchanged, and exchanges at most.
_PATIENCE, _MOST = 3, 25
# Sweeps of coordinate descent at most, where exchanges do not end.
_SWEEPS = 300


@dataclass(frozen=True, eq=False)
class Normal:
    """Normal equations of lines (banded) and a background (few columns), weighted.

    lines: (m, m) C' W C, sparse; mixed: (m, b) C' W B; ground: (b, b) B' W B; right: C' W y (m,); right_ground:
    B' W y (b,); total: y' W y.
    """

    lines: csc_array
    mixed: Floats
    ground: Floats
    right: Floats
    right_ground: Floats
    total: float


def normal_equations(columns: csc_array, background: Floats, weight: Floats, observed: Floats) -> Normal:
    """Normal equations of columns (n, m), background (n, b), weights 1/sigma^2 (n,) and intensities (n,)."""
    weighted = columns.T * weight
    heavy = background * weight[:, None]
    return Normal(
        csc_array(weighted @ columns),
        np.asarray(weighted @ background),
        heavy.T @ background,
        np.asarray(weighted @ observed),
        heavy.T @ observed,
        float(weight @ observed**2),
    )


@dataclass(frozen=True, eq=False)
class Solution:
    """Intensities (m,), background coefficients (b,), which lines are above zero (m,), and chi2 / that of zero."""

    intensity: Floats
    background: Floats
    passive: Flags
    chi2: float


def solve_nonnegative(normal: Normal, passive: Flags | None = None) -> Solution:
    """Minimise |W^(1/2) (y - C I - B b)|^2 with I >= 0 by block principal pivoting.

    Source: Portugal, Judice & Vicente, Math. Comp. 63, 625 (1994); Kim & Park, SIAM J. Sci. Comput. 33, 3261 (2011).
    """
    count = len(normal.right)
    diagonal = normal.lines.diagonal()
    # A line that hardly reaches into the pattern has no intensity.
    able = diagonal > _OUTSIDE * float(diagonal.max(initial=0.0))
    passive = able if passive is None else passive & able
    scale = np.sqrt(np.maximum(diagonal, 1e-300))
    fewest, patience = count + 1, _PATIENCE
    for _ in range(_MOST):
        intensity, ground = solve_free(normal, passive)
        slope = normal.lines @ intensity + normal.mixed @ ground - normal.right
        wrong = np.where(passive, intensity * scale < -_TOLERANCE, slope / scale < -_TOLERANCE) & able
        number = int(wrong.sum())
        if number == 0:
            break
        if number < fewest:
            fewest, patience = number, _PATIENCE
        elif patience > 0:
            patience -= 1
        else:
            last = np.flatnonzero(wrong)[-1]
            wrong = np.arange(count) == last
        passive = passive ^ wrong
    else:
        return _descended(normal, able, intensity, ground)
    intensity = np.where(passive, np.maximum(intensity, 0.0), 0.0)
    return Solution(intensity, ground, passive, chi2_of(normal, intensity, ground))


def _descended(normal: Normal, able: Flags, start: Floats, ground: Floats) -> Solution:
    """What block pivoting left open, by coordinate descent from where it ended, the background as it was."""
    chosen = np.flatnonzero(able)
    band = banded(normal.lines, chosen)
    target = normal.right[chosen] - normal.mixed[chosen] @ ground
    intensity = np.zeros(len(able))
    intensity[chosen] = descend(band, target, np.maximum(start[chosen], 0.0), _SWEEPS)
    return Solution(intensity, ground, intensity > 0, chi2_of(normal, intensity, ground))


@compiled
def descend(band: Floats, target: Floats, start: Floats, sweeps: int) -> Floats:
    """x >= 0 (m,) of less x A x / 2 - target x, by coordinate descent; band: lower diagonals (w + 1, m) of A."""
    width, count = band.shape
    x = start.copy()
    slope = target.copy()
    for i in range(count):
        slope[i] -= band[0, i] * x[i]
        for k in range(1, min(width, count - i)):
            slope[i + k] -= band[k, i] * x[i]
            slope[i] -= band[k, i] * x[i + k]
    for _ in range(sweeps):
        moved = 0.0
        for i in range(count):
            new = max(0.0, x[i] + slope[i] / band[0, i])
            step = new - x[i]
            if step == 0.0:
                continue
            x[i] = new
            moved = max(moved, step * step * band[0, i])
            for k in range(min(width, count - i)):
                slope[i + k] -= band[k, i] * step
            for k in range(1, min(width, i + 1)):
                slope[i - k] -= band[k, i - k] * step
        if moved < 1e-4:
            break
    return x


def chi2_of(normal: Normal, intensity: Floats, ground: Floats) -> float:
    """Weighted sum of squared differences between the pattern and a fit."""
    fitted = intensity @ (normal.lines @ intensity) + 2 * intensity @ normal.mixed @ ground
    fitted += ground @ normal.ground @ ground
    return float(normal.total - 2 * (intensity @ normal.right + ground @ normal.right_ground) + fitted)


def solve_free(normal: Normal, passive: Flags) -> tuple[Floats, Floats]:
    """Intensities (m,), zero outside `passive`, and background (b,) of ordinary least squares."""
    intensity, ground = solve_many(normal, passive, normal.right[:, None], normal.right_ground[:, None])
    return intensity[:, 0], ground[:, 0]


def solve_many(normal: Normal, passive: Flags, right: Floats, right_ground: Floats) -> tuple[Floats, Floats]:
    """As solve_free, for several right-hand sides (m, r) and (b, r)."""
    chosen = np.flatnonzero(passive)
    out = np.zeros(right.shape)
    if not len(chosen):
        return out, np.asarray(np.linalg.solve(_held(normal.ground), right_ground))
    mixed = normal.mixed[chosen]
    band = banded(normal.lines, chosen)
    solved = solve_held(band, np.concatenate([right[chosen], mixed], axis=1))
    plain, coupled = solved[:, : right.shape[1]], solved[:, right.shape[1] :]
    rest = _held(normal.ground) - mixed.T @ coupled
    ground = np.linalg.solve(rest, right_ground - mixed.T @ plain)
    out[chosen] = plain - coupled @ ground
    return out, np.asarray(ground)


def banded(matrix: csc_array, chosen: NDArray[np.int64], add: float = 0.0) -> Floats:
    """Lower diagonals (w + 1, k) of the rows and columns `chosen` of a symmetric sparse matrix."""
    part: Any = matrix[chosen][:, chosen].tocoo()
    below = part.row >= part.col
    row, column, value = part.row[below], part.col[below], part.data[below]
    width = int((row - column).max(initial=0))
    band = np.zeros((width + 1, len(chosen)))
    band[row - column, column] = value
    band[0] += add
    return band


def log_pivots(matrix: csc_array, scale: Floats) -> Floats:
    """Parts (m,) of ln det(1 + S A S), each line given those before it; A (m, m) sparse and symmetric, S (m,)."""
    scaled = csc_array(matrix.multiply(scale[:, None]).multiply(scale[None, :]))
    factor = cholesky_banded(banded(scaled, np.arange(len(scale)), add=1.0), lower=True, check_finite=False)
    return np.asarray(2 * np.log(factor[0]))


def _held(ground: Floats) -> Floats:
    return ground + np.diag(1e-12 * np.diag(ground) + 1e-300)
