"""How far each of several lattices is to be believed: what it predicts of pixels that it has not seen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from unscatter.diffuse.factorize.asking import Answer, scale_factor
from unscatter.diffuse.factorize.folding import Grid, fit_order

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

#: Edge of the blocks that are hidden, in pixels; of so many parts of all blocks, so many are hidden in turn.
BLOCK = 24
PARTS, HIDDEN = 6, 2
#: Highest harmonic of the fold that predicts.
HIGHEST = 6
#: Powers of the residual and of the area of the cell in the weight.
SHARPNESS, PARSIMONY = 20.0, 1.0


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


def weights_of(evidence: Sequence[float], residual: Sequence[float], area: Sequence[float]) -> Floats:
    """Weights (n,) of sum 1: log w = (g - g_max) / (0.5 + 0.05 g_max) - 20 ln h - ln A.

    evidence: g of each lattice in the spectrum; residual: h of each on hidden pixels; area: A of the cell that the
    translations span, in any unit: of two lattices that say the same, the smaller cell says it
    in fewer words.
    """
    g, h = np.asarray(evidence, dtype=np.float64), np.maximum(residual, 1e-12)
    logarithm = (g - g.max()) / (0.5 + 0.05 * max(g.max(), 0.0)) - SHARPNESS * np.log(h) - PARSIMONY * np.log(area)
    weight = np.exp(logarithm - logarithm.max())
    return np.asarray(weight / weight.sum())
