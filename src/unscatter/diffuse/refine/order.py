"""Refine Warren-Cowley parameters: against I_SRO, or against the data with I_FF refined beside them or known."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from unscatter.diffuse.plane.symmetry import check_class_fits, class_fits, operations_about_origin
from unscatter.diffuse.refine.order_basis import choose_orbits
from unscatter.diffuse.refine.order_equations import TOLERATED, misfits, step_to_rest
from unscatter.diffuse.refine.order_setup import (
    common_lattice,
    covering_radius,
    data_state,
    filling_diameter,
    order_state,
    with_form_factors,
)
from unscatter.diffuse.refine.order_uncertainty import with_uncertainties
from unscatter.laue import LAUE_CLASSES, laue_rotations
from unscatter.nouns.cell import Cell
from unscatter.nouns.components import Components
from unscatter.nouns.order_fit import Against, OrderFit
from unscatter.version import __version__

Floats = NDArray[np.float64]

#: Prior spread of I_FF about the network's, in units of its radial mean.
FORM_FACTOR_SPREAD = 0.2


def refine_order(
    components: Components | Sequence[Components],
    *,
    against: Against = "data",
    laue: str | None = None,
    vectors: Sequence[Sequence[int]] | None = None,
    radius: float | None = None,
    in_plane: bool = True,
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
    I_FF refined too as a Fourier series over distances up to `reach` in Angstrom (default: `filling_diameter`, but
    `covering_radius` where data and model still differ by a tenth beyond noise), near the I_FF of the components to
    within `form_factor_spread` of its radial mean.
    "form-factor": the same with `form_factors` known up to scale, one (ny, nx) a plane.

    laue: Laue class; None takes -1, which is never wrong. vectors: representatives to refine, or all up to a `radius`
    in Angstrom (default 8 shortest vectors). in_plane: leave out vectors with a component along the normal.
    saturation: measured intensities from here on are only known to be at least that.

    Raises ValueError for planes without cell or axes, a class that the cell cannot have, or too little data.
    """
    started = time.perf_counter()
    planes = (components,) if isinstance(components, Components) else tuple(components)
    cell, axes = common_lattice(planes)
    laue_class = "-1" if laue is None else laue
    check_class_fits(laue_class, cell)
    basis = choose_orbits(axes, cell, laue_class, vectors=vectors, radius=radius, in_plane=in_plane)
    rotations = laue_rotations(laue_class)
    if against == "form-factor":
        planes = with_form_factors(planes, form_factors)
    groups = [operations_about_origin(one, rotations) for one in axes]
    pictures = [basis.on_plane(one) for one in axes]
    states = [
        order_state(c, ax, cell, group, picture, exclude if against == "order" else 0.0)
        for c, ax, group, picture in zip(planes, axes, groups, pictures, strict=True)
    ]
    alpha = np.zeros(len(basis))
    alpha, equations = step_to_rest(states, alpha)
    reach_notes: list[str] = []
    size = 0.0
    if against != "order":
        start, sizes = (alpha, states), [reach or 0.0]
        if against == "data" and reach is None:
            sizes = [max(filling_diameter(one, cell) for one in axes), max(covering_radius(one, cell) for one in axes)]
        for size in sizes:
            states = [
                data_state(c, state, ax, cell, group, against, saturation, background, size, form_factor_spread)
                for c, state, ax, group in zip(planes, start[1], axes, groups, strict=True)
            ]
            alpha, equations = step_to_rest(states, start[0])
            if not misfits(states):
                break
        if len(sizes) > 1 and size == sizes[1]:
            reach_notes.append(
                f"data and model differ by more than {TOLERATED:.0%} beyond noise, whatever I_FF is: its reach was "
                f"cut from {sizes[0]:.1f} to {size:.1f} Angstrom, so that it cannot absorb errors of the data; "
                "compare --reach"
            )
    fit = with_uncertainties(
        basis, planes, states, equations, alpha, against, laue_class, concentration, bootstrap, seed
    )
    notes = [*fit.notes, *reach_notes, *_laue_note(laue, cell)]
    provenance = {
        "program": "unscatter",
        "version": __version__,
        "against": against,
        "laue": laue_class,
        "seconds": round(time.perf_counter() - started, 3),
    }
    if against == "data":
        provenance |= {"reach": round(size, 3), "form_factor_spread": form_factor_spread}
    return replace(fit, notes=tuple(notes), provenance=provenance)


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
