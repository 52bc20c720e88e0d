"""Refine Warren-Cowley parameters: against I_SRO, or against the data with I_FF refined beside them or known."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from unscatter.diffuse.plane.fold import plane_lattice
from unscatter.diffuse.plane.symmetry import check_class_fits, class_fits, operations_about_origin
from unscatter.diffuse.refine.order_basis import OrderBasis, choose_orbits
from unscatter.diffuse.refine.order_doubts import doubts, headline, order_findings
from unscatter.diffuse.refine.order_equations import ALPHA_SPREAD, Eliminated, Equations, step_to_rest
from unscatter.diffuse.refine.order_inherited import Inherited
from unscatter.diffuse.refine.order_list import ListChoice, choose_list
from unscatter.diffuse.refine.order_reach import FORM_FACTOR_SPREAD, ReachChoice, choose_reach
from unscatter.diffuse.refine.order_setup import (
    PlaneState,
    common_lattice,
    data_state,
    order_state,
    with_form_factors,
    with_found_lattices,
)
from unscatter.diffuse.refine.order_uncertainty import covariance_of, with_uncertainties
from unscatter.diffuse.refine.seen_vectors import sees_all_directions
from unscatter.laue import LAUE_CLASSES, laue_rotations
from unscatter.nouns.arrays import Floats
from unscatter.nouns.cell import Cell
from unscatter.nouns.components import Components
from unscatter.nouns.order_fit import Against, OrderFit
from unscatter.nouns.plane import PlaneAxes
from unscatter.one_thread import one_thread
from unscatter.version import __version__


@one_thread
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
    `exclude` of its maximum and unmeasured ones left out; how far the alphas move with I_FF free is in their s.u.
    "data": I_D = I_FF (1 + sum alpha cos) + background, I_FF refined too as a Fourier series over distances up to
    `reach` in Angstrom, which is chosen by its evidence where it is not given, near the I_FF of the components to
    within `form_factor_spread` of its radial mean. "form-factor": the same with `form_factors` known up to scale, one
    (ny, nx) a plane.

    laue: Laue class; None takes -1, which is never wrong. vectors: representatives to refine, or all up to a `radius`
    in Angstrom; without them the data choose how far the list goes, and the alphas beyond it stay in the fit with a
    spread that falls off with distance. in_plane: take vectors that differ along the normal as one; None does so unless
    the planes tell them apart. saturation: measured intensities from here on are only known to be at least that.

    Raises ValueError for planes without cell or axes, a class that the cell cannot have, or too little data.
    """
    started = time.perf_counter()
    given = (components,) if isinstance(components, Components) else tuple(components)
    planes, found_notes = with_found_lattices(given)
    cell, axes = common_lattice(planes)
    laue_class = "-1" if laue is None else laue
    check_class_fits(laue_class, cell)
    rows = not sees_all_directions(axes) if in_plane is None else in_plane
    basis = choose_orbits(axes, cell, laue_class, vectors=vectors, radius=radius, in_plane=rows)
    compared = with_form_factors(planes, form_factors) if against == "form-factor" else planes
    problem = _Problem(compared, axes, cell, laue_class, against, basis, vectors is None and radius is None)
    found = _solve(problem, _Measurement(exclude, saturation, background, reach, form_factor_spread))
    fit = _fit(problem, found, concentration, bootstrap, seed)
    notes = [*found_notes, *doubts(fit, found.states, found.alpha, basis), *_laue_note(laue, cell)]
    if against == "order" and found.inherited is None:
        notes.append("the plane holds no period with which I_FF could be refined: its errors are not in the s.u.")
    provenance = _provenance(problem, found, time.perf_counter() - started)
    fit = replace(fit, notes=tuple(notes), choices=found.words(fit), provenance=provenance)
    return replace(fit, headline=headline(fit, planes, found.reach), findings=order_findings(fit, planes, found.states))


@dataclass(frozen=True)
class _Problem:
    """What is refined against which planes; open_list: the data choose how far the list of alphas goes."""

    planes: tuple[Components, ...]
    axes: Sequence[PlaneAxes]
    cell: Cell
    laue: str
    against: Against
    basis: OrderBasis
    open_list: bool


@dataclass(frozen=True)
class _Measurement:
    """How the pixels are taken, and what I_FF may be; see refine_order."""

    exclude: float
    saturation: float | None
    background: bool
    reach: float | None
    form_factor_spread: float


@dataclass(frozen=True)
class _Solution:
    """The alphas at rest, all that were in the fit, with the equations there and what the data chose."""

    states: list[PlaneState]
    alpha: Floats
    precision: Floats
    equations: list[Equations]
    eliminated: list[Eliminated]
    reach: ReachChoice | None
    listed: ListChoice | None
    inherited: Inherited | None = None

    def words(self, fit: OrderFit) -> tuple[str, ...]:
        """What was chosen, and against what."""
        choices = (self.listed, self.reach, self.inherited)
        return tuple(text for one in choices if one is not None for text in one.words(fit))

    def doubt(self) -> Callable[[Floats], tuple[Floats, Floats]] | None:
        """Of a variance of the alphas: what of it is by chance, and what the choice of I_FF or its errors add."""
        return next((one.parts for one in (self.reach, self.inherited) if one is not None), None)

    def variance(self) -> Floats:
        """Variance of all alphas by noise, priors and the choice of I_FF, without a bootstrap, (n,)."""
        found = covariance_of(self.states, self.equations, self.eliminated, self.precision)
        plain = found.noise + found.prior
        return plain if self.reach is None else plain + self.reach.added(plain)


def _solve(problem: _Problem, how: _Measurement) -> _Solution:
    """Alphas; against I_SRO, also how far they move once I_FF is free."""
    found = _rest(problem, how)
    if problem.against != "order" or any(plane_lattice(axes) is None for axes in problem.axes):
        return found
    freed = _rest(replace(problem, against="data"), how)
    return replace(found, inherited=Inherited(found.alpha - freed.alpha, freed.variance()))


def _rest(problem: _Problem, how: _Measurement) -> _Solution:
    """Alphas against I_SRO; from there against the data; and at last with the list that the data choose."""
    planes, axes, cell, against = problem.planes, problem.axes, problem.cell, problem.against
    groups = [operations_about_origin(one, laue_rotations(problem.laue)) for one in axes]
    states = [
        order_state(c, ax, cell, group, problem.basis.on_plane(ax), how.exclude if against == "order" else 0.0)
        for c, ax, group in zip(planes, axes, groups, strict=True)
    ]
    precision = np.full(len(problem.basis), ALPHA_SPREAD**-2)
    alpha, equations, eliminated = step_to_rest(states, np.zeros(len(problem.basis)), precision)
    chosen: ReachChoice | None = None
    if against != "order":
        states = [
            data_state(c, state, ax, cell, group, against, how.saturation, how.background, how.reach)
            for c, state, ax, group in zip(planes, states, axes, groups, strict=True)
        ]
        if against == "data":
            chosen = choose_reach(states, alpha, precision, axes, cell, how.reach, how.form_factor_spread)
            states, alpha = list(chosen.states), chosen.rested
        # With a series for I_FF matrices cost most, and those at the rest of its choice are good to the end.
        alpha, equations, eliminated = step_to_rest(states, alpha, precision, most=1 if against == "data" else 3)
    listed: ListChoice | None = None
    if problem.open_list:
        shared = 1.0 if chosen is None else chosen.shared
        listed = choose_list(problem.basis, equations, eliminated, states, alpha, shared)
        precision = listed.precision
        alpha, equations, eliminated = step_to_rest(states, alpha, precision, eliminated, most=1 if chosen else 2)
    if chosen is not None:
        alpha = alpha + chosen.shift
    return _Solution(states, alpha, precision, equations, eliminated, chosen, listed)


def _fit(problem: _Problem, found: _Solution, concentration: float, bootstrap: int, seed: int) -> OrderFit:
    return with_uncertainties(
        problem.basis if found.listed is None else problem.basis.first(found.listed.count),
        problem.planes,
        found.states,
        found.equations,
        found.eliminated,
        found.alpha,
        found.precision,
        found.doubt(),
        problem.against,
        problem.laue,
        concentration,
        bootstrap,
        seed,
    )


def _provenance(problem: _Problem, found: _Solution, seconds: float) -> dict[str, Any]:
    provenance: dict[str, Any] = {
        "program": "unscatter",
        "version": __version__,
        "against": problem.against,
        "laue": problem.laue,
        "seconds": round(seconds, 3),
    }
    if found.reach is not None:
        provenance |= {"reach": round(found.reach.size, 3), "form_factor_spread": found.reach.spread}
    return provenance


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
