"""Doubts about a refinement of order, in words: what a table does not show."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from unscatter.diffuse.refine.order_basis import OrderBasis
from unscatter.diffuse.refine.order_reach import TOLERATED, ReachChoice
from unscatter.diffuse.refine.order_setup import PlaneState
from unscatter.diffuse.refine.order_uncertainty import DETERMINED
from unscatter.nouns.arrays import Floats
from unscatter.nouns.components import Components
from unscatter.nouns.findings import Finding, Findings
from unscatter.nouns.order_fit import OrderFit

#: Fewer independent reciprocal cells than this say little of their own scatter.
FEW_CELLS = 8
#: A fit whose R is so many times that of the factorization says so in its first line.
FAR = 1.25


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


def headline(fit: OrderFit, planes: Sequence[Components], chosen: ReachChoice | None) -> str:
    """What a reader must know first: that the fit is far worse than the factorization it began with, and why."""
    before = _r_factor(planes)
    if fit.r_factor < FAR * before:
        return ""
    if fit.against == "form-factor":
        why = "I_FF is held at what was given; check the model, or leave I_FF to be refined"
    elif fit.against == "order":
        why = "I_FF is held at the network's, and I_SRO at few alphas; refine against the data"
    elif chosen is not None and chosen.cut:
        why = (
            f"the data depart from any product by {chosen.wrong:.0%} beyond noise, so that I_FF was held to distances "
            f"up to {fit.provenance['reach']:.1f} A, which no order can imitate"
        )
    else:
        why = f"I_FF is smooth and has the symmetry of Laue class {fit.laue}; check the class, the background, the mask"
    return f"R is {fit.r_factor:.3f}, far above the {before:.3f} of the factorization: {why}."


def order_findings(fit: OrderFit, planes: Sequence[Components], states: Sequence[PlaneState]) -> Findings:
    """Agreement with the factorization, what no product explains, and what of the list is determined."""
    before = max(_r_factor(planes), 1e-12)
    ratio = fit.r_factor / before
    wrong = max((float(np.sqrt(state.noise.square)) for state in states if state.noise is not None), default=np.nan)
    share = 1 - float(np.mean(fit.determined))
    away = float(np.max(np.abs(fit.alpha) / fit.standard_error)) if len(fit) else np.nan
    each = [
        Finding("agreement", ratio, 1.1, FAR, f"R is {fit.r_factor:.3f}, {before:.3f} as factorized"),
        Finding("product", wrong, TOLERATED, 0.3, f"the data depart from I_FF I_SRO by {wrong:.1%} beyond noise")
        if np.isfinite(wrong)
        else Finding.untested("product", (TOLERATED, 0.3), "I_SRO was taken as factorized"),
        Finding("order", away, 6.0, 4.0, f"the strongest alpha is {away:.1f} s.u. from 0"),
        Finding("determined", share, 0.1, 0.5, f"{share:.0%} of the alphas have s.u. above {DETERMINED:g}"),
    ]
    return Findings(tuple(each), "order")


def _r_factor(planes: Sequence[Components]) -> float:
    """R of the factorizations together."""
    residual = sum(float(np.abs(one.residual[one.plane.measured]).sum()) for one in planes)
    total = sum(float(np.abs(one.plane.intensity[one.plane.measured]).sum()) for one in planes)
    return residual / max(total, 1e-30)
