"""Refine Warren-Cowley parameters: against I_SRO, or against the data with I_FF refined beside them or known."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from unscatter.diffuse.plane.symmetry import check_class_fits, class_fits, operations_about_origin
from unscatter.diffuse.refine.order_basis import choose_orbits
from unscatter.diffuse.refine.order_doubts import doubts, headline, order_findings
from unscatter.diffuse.refine.order_equations import ALPHA_SPREAD, step_to_rest
from unscatter.diffuse.refine.order_list import ListChoice, choose_list
from unscatter.diffuse.refine.order_reach import FORM_FACTOR_SPREAD, ReachChoice, choose_reach
from unscatter.diffuse.refine.order_setup import (
    common_lattice,
    data_state,
    order_state,
    with_form_factors,
    with_found_lattices,
)
from unscatter.diffuse.refine.order_uncertainty import with_uncertainties
from unscatter.diffuse.refine.seen_vectors import sees_all_directions
from unscatter.laue import LAUE_CLASSES, laue_rotations
from unscatter.nouns.cell import Cell
from unscatter.nouns.components import Components
from unscatter.nouns.order_fit import Against, OrderFit
from unscatter.version import __version__

Floats = NDArray[np.float64]


def refine_order(
    components: Components | Sequence[Components],
    *,
    against: Against = "data",
    laue: str | None = None,
    vectors: Sequence[Sequence[int]] | None = None,
    radius: float | None = None,
    in_plane: bool | None = None,
    exclude: float = 0.05,
    saturation: float | None = None,
    background: bool = True,
    reach: float | None = None,
    form_factor_spread: float = FORM_FACTOR_SPREAD,
    form_factors: Sequence[Floats] | None = None,
    concentration: float = 0.5,
    bootstrap: int = 200,
    seed: int = 0,
) -> OrderFit:
    """Refine one set of alphas, eq. (3), from one plane or several, with uncertainties.

    against "order": least squares of scale and alphas against I_SRO, pixels weighted by I_FF, those with I_FF under
    `exclude` of its maximum and unmeasured ones left out. "data": I_D = I_FF (1 + sum alpha cos) + background,
    I_FF refined too as a Fourier series over distances up to `reach` in Angstrom, which is chosen by its evidence where
    it is not given, near the I_FF of the components to within `form_factor_spread` of its radial mean.
    "form-factor": the same with `form_factors` known up to scale, one (ny, nx) a plane.

    laue: Laue class; None takes -1, which is never wrong. vectors: representatives to refine, or all up to a `radius`
    in Angstrom; without them the data choose how far the list goes, and the alphas beyond it stay in the fit with a
    spread that falls off with distance. in_plane: take vectors that differ along the normal as one; None does so unless
    the planes tell them apart. saturation: measured intensities from here on are only known to be at least that.

    Raises ValueError for planes without cell or axes, a class that the cell cannot have, or too little data.
    """
    started = time.perf_counter()
    planes = (components,) if isinstance(components, Components) else tuple(components)
    planes, found_notes = with_found_lattices(planes)
    factorized = planes
    cell, axes = common_lattice(planes)
    laue_class = "-1" if laue is None else laue
    check_class_fits(laue_class, cell)
    rows = not sees_all_directions(axes) if in_plane is None else in_plane
    basis = choose_orbits(axes, cell, laue_class, vectors=vectors, radius=radius, in_plane=rows)
    if against == "form-factor":
        planes = with_form_factors(planes, form_factors)
    groups = [operations_about_origin(one, laue_rotations(laue_class)) for one in axes]
    states = [
        order_state(c, ax, cell, group, basis.on_plane(ax), exclude if against == "order" else 0.0)
        for c, ax, group in zip(planes, axes, groups, strict=True)
    ]
    precision = np.full(len(basis), ALPHA_SPREAD**-2)
    alpha, equations, eliminated = step_to_rest(states, np.zeros(len(basis)), precision)
    chosen: ReachChoice | None = None
    if against != "order":
        states = [
            data_state(c, state, ax, cell, group, against, saturation, background, reach)
            for c, state, ax, group in zip(planes, states, axes, groups, strict=True)
        ]
        if against == "data":
            chosen = choose_reach(states, alpha, precision, axes, cell, reach, form_factor_spread)
            states, alpha = list(chosen.states), chosen.alpha
        alpha, equations, eliminated = step_to_rest(states, alpha, precision, most=1 if against == "data" else 3)
    listed: ListChoice | None = None
    if vectors is None and radius is None:
        listed = choose_list(basis, equations, eliminated, states, alpha, 1.0 if chosen is None else chosen.shared)
        precision = listed.precision
        alpha, equations, eliminated = step_to_rest(states, alpha, precision, eliminated, most=2)
    if chosen is not None:
        alpha = alpha + chosen.shift
    fit = with_uncertainties(
        basis if listed is None else basis.first(listed.count),
        planes,
        states,
        equations,
        eliminated,
        alpha,
        precision,
        None if chosen is None else chosen.doubt(),
        against,
        laue_class,
        concentration,
        bootstrap,
        seed,
    )
    notes = [*found_notes, *doubts(fit, states, alpha, basis), *_laue_note(laue, cell)]
    choices = tuple(text for one in (listed, chosen) if one is not None for text in one.words(fit))
    provenance = {
        "program": "unscatter",
        "version": __version__,
        "against": against,
        "laue": laue_class,
        "seconds": round(time.perf_counter() - started, 3),
    }
    if chosen is not None:
        provenance |= {"reach": round(chosen.size, 3), "form_factor_spread": chosen.spread}
    fit = replace(fit, notes=tuple(notes), choices=choices, provenance=provenance)
    return replace(fit, headline=headline(fit, factorized, chosen), findings=order_findings(fit, factorized, states))


def _laue_note(laue: str | None, cell: Cell) -> list[str]:
    if laue is not None:
        return []
    others = [name for name in LAUE_CLASSES if name != "-1" and class_fits(name, cell)]
    if not others:
        return []
    return [
        f"Laue class -1 was taken, which ties nothing but v and -v; the cell also allows {', '.join(others)}: "
        "give the one of your crystal with --laue for smaller uncertainties"
    ]
