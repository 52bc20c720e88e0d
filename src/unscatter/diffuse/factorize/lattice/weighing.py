"""How far each of several lattices is to be believed: what it predicts of pixels that it has not seen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from unscatter.diffuse.factorize.asking import Answer, scale_factor
from unscatter.diffuse.factorize.folding import Grid, fit_order
from unscatter.nouns.arrays import Floats, Mask

#: Edge of the blocks that are hidden, in pixels; of so many parts of all blocks, so many are hidden in turn.
BLOCK = 24
PARTS, HIDDEN = 6, 2
#: Highest harmonic of the fold that predicts.
HIGHEST = 6
#: Powers of the residual and of the area of the cell in the weight.
SHARPNESS, PARSIMONY = 20.0, 1.0
#: Added to a residual: no form factor is known better.
LEAST_RESIDUAL = 0.01
#: Share of the noise of pixels that is taken out of a residual: its estimate is not better.
SURE_NOISE = 0.97
#: Share of the residual of a simpler lattice above which one that contains it says nothing more.
IDLE = 0.99
#: How near to a whole number a translation must be of another lattice's.
WHOLE = 0.08


def held_out_residual(intensity: Floats, measured: Mask, blind: Answer, grid: Grid) -> float:
    """Relative residual of hidden pixels, sum |I - M| / sum I, M predicted from all others by the fold alone.

    The form factor is the network's without a lattice: one that had seen the lattice would hide its faults.
    """
    parts = _parts(measured.shape)
    total = scale = 0.0
    for hidden in range(HIDDEN):
        test, shown = measured & (parts == hidden), measured & (parts != hidden)
        weight = shown.astype(np.float64)
        ordered = fit_order(intensity, weight, blind.form_factor, blind.short_range_order, grid, HIGHEST)
        model = blind.form_factor * ordered
        model = model * scale_factor(intensity, model, weight)
        total += float(np.sum(np.abs(intensity[test] - model[test])))
        scale += float(np.sum(intensity[test]))
    return total / max(scale, 1e-30)


def _parts(shape: tuple[int, ...]) -> NDArray[np.int64]:
    """A number 0 to PARTS - 1 for each block of pixels, (ny, nx), the same every time."""
    blocks = np.random.default_rng(0).integers(0, PARTS, tuple(n // BLOCK + 1 for n in shape))
    return np.asarray(np.kron(blocks, np.ones((BLOCK, BLOCK), dtype=np.int64))[: shape[0], : shape[1]])


def noise_residual(intensity: Floats, measured: Mask) -> float:
    """Relative residual sum |e| / sum I that the noise e of pixels leaves, whatever the model.

    From fourth differences along rows and columns, which hardly see what repeats over eight pixels or more; noise that
    neighbours share, of a plane finer than its data, does not count.
    """
    total = count = 0.0
    for values, seen in ((intensity, measured), (intensity.T, measured.T)):
        inside = np.logical_and.reduce([seen[:, k : values.shape[1] - 4 + k] for k in range(5)])
        total += float(np.abs(np.diff(values, 4, axis=1)[inside]).sum()) / 70**0.5
        count += float(values[:, 2:-2][inside].sum())
    return total / max(count, 1e-30)


def excess_residual(residual: Sequence[float], noise: float) -> Floats:
    """What is left of residuals (n,) when the noise of pixels is taken out, and a little: sqrt(h^2 - h_0^2) + 0.01."""
    h = np.asarray(residual, dtype=np.float64)
    known = SURE_NOISE * min(noise, float(h.min(initial=np.inf)))
    return np.asarray(np.sqrt(h**2 - known**2) + LEAST_RESIDUAL)


def weights_of(
    evidence: Sequence[float], residual: Sequence[float], translations: Sequence[Floats], noise: float = 0.0
) -> Floats:
    """Weights (n,) of sum 1: log w = (g - g_max) / (0.5 + 0.05 g_max) - 20 ln sqrt(h^2 - h_0^2) - ln A.

    evidence: g of each lattice in the spectrum; residual: h of each on hidden pixels, of which the noise of pixels is
    the part h_0; translations: (2, 2) of each, which span a cell of area A. A lattice of longer periods holds all waves
    of one that it contains: it weighs nothing unless it predicts better.
    """
    h, excess = np.asarray(residual), excess_residual(residual, noise)
    g = np.asarray(evidence, dtype=np.float64)
    area = np.abs([np.linalg.det(each) for each in translations])
    logarithm = (g - g.max()) / (0.5 + 0.05 * max(g.max(), 0.0)) - SHARPNESS * np.log(excess) - PARSIMONY * np.log(area)
    idle = [
        any(h[i] > IDLE * h[j] and _contains(one, other) for j, other in enumerate(translations))
        for i, one in enumerate(translations)
    ]
    logarithm = np.where(idle, -np.inf, logarithm)
    weight = np.exp(logarithm - logarithm.max())
    return np.asarray(weight / weight.sum())


def _contains(longer: Floats, shorter: Floats) -> bool:
    """Whether the translations of one lattice are whole numbers of those of another, and span a larger cell."""
    steps = longer @ np.linalg.inv(shorter)
    whole = np.round(steps)
    return bool(abs(np.linalg.det(whole)) > 1.5 and np.abs(steps - whole).max() < WHOLE)


def same_periods(one: Floats, other: Floats) -> bool:
    """Whether translations (2, 2) span one lattice."""
    steps = one @ np.linalg.inv(other)
    whole = np.round(steps)
    return bool(abs(abs(np.linalg.det(whole)) - 1) < 0.1 and np.abs(steps - whole).max() < WHOLE)
