"""Doubts about a refinement of order, in words: what a table does not show."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from unscatter.diffuse.refine.order_basis import OrderBasis
from unscatter.diffuse.refine.order_setup import PlaneState
from unscatter.diffuse.refine.order_uncertainty import DETERMINED
from unscatter.nouns.order_fit import OrderFit

Floats = NDArray[np.float64]

#: Fewer independent reciprocal cells than this say little of their own scatter.
FEW_CELLS = 8


def doubts(
    fit: OrderFit,
    states: Sequence[PlaneState],
    alpha: Floats,
    basis: OrderBasis,
) -> list[str]:
    """Say what is not determined, too few, impossible, or only part of what was asked for."""
    notes = [*basis.notes, *dict.fromkeys(remark for state in states for remark in state.remarks)]
    if not fit.determined.all():
        names = ", ".join(label for label, good in zip(fit.labels, fit.determined, strict=True) if not good)
        notes.append(
            f"not determined by these pixels (s.u. above {DETERMINED:g}): {names}; measure more cells, lower the "
            "excluded fraction of I_FF, or refine fewer vectors"
        )
    if fit.cells < FEW_CELLS:
        notes.append(f"{fit.cells} independent reciprocal cells are few: the bootstrap says little, s.u. are too small")
    concentration = fit.order.concentration
    lowest = -min(concentration / (1 - concentration), (1 - concentration) / concentration)
    beyond = [
        label
        for label, value, s in zip(fit.labels, fit.alpha, fit.standard_error, strict=True)
        if value - 2 * s > 1 or value + 2 * s < lowest
    ]
    if beyond:
        notes.append(
            f"{', '.join(beyond)} lie outside {lowest:+.3f} to +1, all that pair probabilities allow at a "
            f"concentration of {concentration:g}: the concentration, the lattice or the form factor is wrong"
        )
    dips = min(float(state.pictures.ordered(alpha).min()) for state in states)
    if dips < -0.05:
        notes.append(
            f"I_SRO falls to {dips:.2f}, which no arrangement has: refine more vectors, or check the background"
        )
    return notes
