"""Refine Warren-Cowley parameters: against I_SRO, or against the data with I_FF refined beside them or known."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.ndimage import binary_dilation

from unscatter.diffuse.fold import plane_lattice
from unscatter.diffuse.order_basis import OrderBasis, choose_orbits
from unscatter.diffuse.order_noise import Noise, estimate_noise, working_residuals
from unscatter.diffuse.patterson import PattersonSeries, foot_of_plane, patterson_series
from unscatter.laue import LAUE_CLASSES, check_class_fits, class_fits, laue_rotations, operations_about_origin
from unscatter.order_fit import Against, OrderFit
from unscatter.types import Cell, Components, PlaneAxes
from unscatter.version import __version__

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

#: Prior spread of alpha: any value that pair probabilities allow.
ALPHA_SPREAD = 0.5
#: Prior spread of I_FF about the network's, in units of its radial mean.
FORM_FACTOR_SPREAD = 0.2
#: Relative departure of data from the model, beyond noise, that speaks against the data rather than for a finer I_FF.
TOLERATED = 0.1
#: A parameter counts as determined where the data bring its uncertainty below this.
DETERMINED = 0.1
#: Fewer independent reciprocal cells than this say little of their own scatter.
FEW_CELLS = 8
#: Pixels around a saturated one that are left out.
EDGE = 1
_STEPS, _CONVERGED = 10, 2e-4
#: More than the reciprocal cells along a plane: makes one number of two.
_STRIDE = 1 << 20


class Surface(Protocol):
    """A form factor that is linear in its coefficients."""

    def __len__(self) -> int:
        """Return the number of coefficients."""

    def __call__(self, coefficients: Floats) -> Floats:
        """Evaluate on the pixels, (ny, nx)."""

    def project(self, image: Floats) -> Floats:
        """Sum pixels times basis functions: (ny, nx) to (n,)."""

    def normal_matrix(self, weight: Floats) -> Floats:
        """Sum of w B_i B_j over the pixels, (n, n)."""


@dataclass(frozen=True)
class KnownSurface:
    """A form factor known up to its scale."""

    image: Floats

    def __len__(self) -> int:
        """Return 1, the scale."""
        return 1

    def __call__(self, coefficients: Floats) -> Floats:
        """Scale the image."""
        return np.asarray(coefficients[0] * self.image)

    def project(self, image: Floats) -> Floats:
        """Sum pixels times the image."""
        return np.array([np.sum(image * self.image)])

    def normal_matrix(self, weight: Floats) -> Floats:
        """Sum of w image^2."""
        return np.array([[np.sum(weight * self.image**2)]])


@dataclass
class _PlaneState:
    """One plane under refinement: what is fixed, and the nuisance parameters (form factor, then background)."""

    intensity: Floats
    measured: Mask
    censored: Mask
    given_weight: Floats | None
    scatter: Floats | None
    pictures: Floats
    surface: Surface
    clusters: NDArray[np.int64]
    cells: int
    background: bool
    prior_mean: Floats
    prior_precision: Floats
    coefficients: Floats
    noise: Noise | None = None

    @property
    def level(self) -> float:
        """Background of the plane."""
        return float(self.coefficients[-1]) if self.background else 0.0

    @property
    def form_factor(self) -> Floats:
        return self.surface(self.coefficients[: len(self.surface)])


@dataclass(frozen=True)
class _Equations:
    """Normal equations of one plane at one point, and what the next step needs of them."""

    residual: Floats
    weight: Floats
    form_factor: Floats
    ordered: Floats
    nuisance: tuple[Floats, bool]
    to_alpha: Floats
    nuisance_gradient: Floats
    normal: Floats
    gradient: Floats

    @property
    def carried(self) -> Floats:
        """How the nuisance parameters follow each alpha, (n_nuisance, n)."""
        return np.asarray(cho_solve(self.nuisance, self.to_alpha, check_finite=False))

    def reduced(self) -> tuple[Floats, Floats]:
        """Normal matrix and gradient of the alphas with the nuisance parameters taken out (Schur)."""
        carried = self.carried
        return self.normal - self.to_alpha.T @ carried, self.gradient - carried.T @ self.nuisance_gradient


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
    cell, axes = _common_lattice(planes)
    laue_class = "-1" if laue is None else laue
    check_class_fits(laue_class, cell)
    basis = choose_orbits(axes, cell, laue_class, vectors=vectors, radius=radius, in_plane=in_plane)
    rotations = laue_rotations(laue_class)
    if against == "form-factor":
        planes = _with_form_factors(planes, form_factors)
    groups = [operations_about_origin(one, rotations) for one in axes]
    pictures = [basis.on_plane(one) for one in axes]
    states = [
        _order_state(c, ax, cell, group, picture, exclude if against == "order" else 0.0)
        for c, ax, group, picture in zip(planes, axes, groups, pictures, strict=True)
    ]
    alpha = np.zeros(len(basis))
    alpha, equations = _refine(states, alpha)
    reach_notes: list[str] = []
    size = 0.0
    if against != "order":
        start, sizes = (alpha, states), [reach or 0.0]
        if against == "data" and reach is None:
            sizes = [max(filling_diameter(one, cell) for one in axes), max(covering_radius(one, cell) for one in axes)]
        for size in sizes:
            states = [
                _data_state(c, state, ax, cell, group, against, saturation, background, size, form_factor_spread)
                for c, state, ax, group in zip(planes, start[1], axes, groups, strict=True)
            ]
            alpha, equations = _refine(states, start[0])
            if not _misfits(states):
                break
        if len(sizes) > 1 and size == sizes[1]:
            reach_notes.append(
                f"data and model differ by more than {TOLERATED:.0%} beyond noise, whatever I_FF is: its reach was "
                f"cut from {sizes[0]:.1f} to {size:.1f} Angstrom, so that it cannot absorb errors of the data; "
                "compare --reach"
            )
    fit = _with_uncertainties(
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


# --- Setting up ----------------------------------------------------------------------------------------------------


def _common_lattice(planes: Sequence[Components]) -> tuple[Cell, list[PlaneAxes]]:
    if not planes:
        raise ValueError("no plane to refine; give at least one result of unscatter factorize")
    axes = []
    for components in planes:
        plane = components.plane
        if plane.axes is None or plane.cell is None:
            raise ValueError(
                f"{plane.source or 'the plane'} has no cell or no axes, and vectors between cells mean nothing on it; "
                "factorize it again with --cell and --axes"
            )
        axes.append(plane.axes)
    cell = planes[0].plane.cell
    assert cell is not None
    for components in planes[1:]:
        other = components.plane.cell
        if other is not None and not np.allclose(other.parameters, cell.parameters, rtol=5e-3):
            raise ValueError(f"planes of one crystal have one cell, got {cell} and {other}; refine them apart")
    return cell, axes


def _with_form_factors(planes: Sequence[Components], form_factors: Sequence[Floats] | None) -> tuple[Components, ...]:
    if form_factors is None or len(form_factors) != len(planes):
        raise ValueError(f"give form_factors, one (ny, nx) for each of the {len(planes)} planes")
    found = []
    for components, form in zip(planes, form_factors, strict=True):
        if np.shape(form) != components.plane.intensity.shape or not np.all(np.isfinite(form)) or not np.max(form) > 0:
            raise ValueError(
                f"a form factor must be finite, positive and of shape {components.plane.intensity.shape}, "
                f"got shape {np.shape(form)}"
            )
        seen = components.plane.measured
        scale = np.sum(components.plane.intensity[seen] * form[seen]) / np.sum(form[seen] ** 2)
        found.append(replace(components, form_factor=np.asarray(form, dtype=np.float64) * max(float(scale), 1e-30)))
    return tuple(found)


def _misfits(states: Sequence[_PlaneState]) -> bool:
    """Whether a plane departs from the model by more than TOLERATED of the model beyond noise."""
    return any(state.noise is not None and state.noise.square > TOLERATED**2 for state in states)


def filling_diameter(axes: PlaneAxes, cell: Cell) -> float:
    """Diameter in Angstrom of a molecule that fills the cell: a disc of its area seen along the normal of the plane."""
    lattice = plane_lattice(axes)
    if lattice is None:
        return float(2 * (3 * cell.volume / (4 * np.pi)) ** (1 / 3))
    first, second = lattice.translations @ np.stack([axes.u, axes.v]) @ cell.reciprocal
    area = (2 * np.pi) ** 2 / np.linalg.norm(np.cross(first, second))
    return float(2 * np.sqrt(area / np.pi))


def covering_radius(axes: PlaneAxes, cell: Cell) -> float:
    """Largest distance in Angstrom from a point to the nearest lattice vector, both seen along the normal of the plane.

    Distances beyond it lie nearer to another lattice vector than to the origin: there the Patterson function of the
    intensity belongs to I_FF and to I_SRO alike, and data do not tell them apart. A third of the cell where the plane
    holds no period.
    """
    lattice = plane_lattice(axes)
    if lattice is None:
        return float(cell.volume ** (1 / 3) / np.sqrt(2))
    plane = np.stack([axes.u, axes.v], axis=1).T @ cell.reciprocal
    first, second = 2 * np.pi * lattice.frequencies @ np.linalg.pinv(plane).T
    # Lagrange-Gauss: in a reduced basis with an acute angle the circle through three lattice points is the largest.
    if first @ first > second @ second:
        first, second = second, first
    while (steps := round(float(first @ second / (first @ first)))) != 0:
        second = second - steps * first
        if first @ first > second @ second:
            first, second = second, first
    if first @ second < 0:
        second = -second
    sides = [float(np.linalg.norm(edge)) for edge in (first, second, second - first)]
    area = np.linalg.norm(np.cross(first, second)) / 2
    return float(np.prod(sides) / (4 * area))


def _order_state(
    components: Components, axes: PlaneAxes, cell: Cell, group: Sequence[Floats], pictures: Floats, exclude: float
) -> _PlaneState:
    """The plane of I_SRO, all of it known up to scale by the sum over alphas."""
    form, measured = components.form_factor, components.plane.measured
    kept = measured & (form > exclude * form.max())
    if kept.sum() < 4 * len(pictures):
        raise ValueError(
            f"{kept.sum()} pixels are measured and have I_FF above {exclude:.0%} of its maximum, too few for "
            f"{len(pictures)} parameters; lower --exclude or refine fewer vectors"
        )
    clusters, cells = _cell_clusters(axes, cell, group, kept)
    ordered = components.short_range_order
    scatter = np.where(kept, components.plane.intensity / np.where(kept, form, 1.0), 0.0)
    return _PlaneState(
        intensity=ordered,
        scatter=scatter * np.sum((form * ordered)[kept]) / np.sum((form * scatter)[kept]),
        measured=kept,
        censored=np.zeros_like(kept),
        given_weight=np.where(kept, form / form.max(), 0.0),
        pictures=pictures,
        surface=KnownSurface(np.ones_like(form)),
        clusters=clusters,
        cells=cells,
        background=False,
        prior_mean=np.zeros(1),
        prior_precision=np.zeros(1),
        coefficients=np.array([float(ordered[kept].mean())]),
    )


def _data_state(
    components: Components,
    state: _PlaneState,
    axes: PlaneAxes,
    cell: Cell,
    group: Sequence[Floats],
    against: Against,
    saturation: float | None,
    background: bool,
    size: float,
    spread: float,
) -> _PlaneState:
    """The plane of I_D with a form factor that is a series, or known up to scale."""
    plane = components.plane
    censored = plane.measured & (plane.intensity >= (np.inf if saturation is None else saturation))
    # Next to a saturated pixel lie pixels that are saturated in part: blooming, and resampling onto the plane.
    measured = plane.measured & ~binary_dilation(censored, iterations=EDGE)
    if measured.sum() < 4 * len(state.pictures):
        raise ValueError(f"{measured.sum()} measured pixels are too few for {len(state.pictures)} parameters")
    intensity = np.where(plane.measured, plane.intensity, 0.0)
    if saturation is not None:
        intensity = np.where(censored, saturation, intensity)
    form = np.clip(components.form_factor, 0.0, None)
    surface: Surface = KnownSurface(form)
    mean, precision = np.ones(1), np.zeros(1)
    if against == "data":
        surface, mean = _series_near(form, axes, cell, group, size)
        precision = 1 / (spread**2 * surface.variance)
    if background:
        mean, precision = np.append(mean, 0.0), np.append(precision, 0.0)
    cells = len(np.unique(state.clusters[plane.measured]))
    return replace(
        state,
        intensity=intensity,
        measured=measured,
        censored=censored,
        given_weight=None,
        scatter=None,
        surface=surface,
        cells=cells,
        background=background,
        prior_mean=mean,
        prior_precision=precision,
        coefficients=mean.copy(),
    )


def _series_near(
    form: Floats, axes: PlaneAxes, cell: Cell, group: Sequence[Floats], size: float
) -> tuple[PattersonSeries, Floats]:
    """The series of I_FF and its coefficients nearest to a given I_FF."""
    lattice = plane_lattice(axes)
    if lattice is None:
        raise ValueError(
            f"the plane {axes.name()} holds no two translations of the reciprocal lattice, which the series of I_FF "
            "needs; refine against I_SRO: --against order"
        )
    q_squared = np.sum((axes.hkl() @ cell.reciprocal) ** 2, axis=-1)
    series = patterson_series(axes, cell, lattice, group, size, radial_envelope(form, q_squared))
    inverse = 1 / series.envelope
    normal = series.normal_matrix(inverse**2)
    normal += np.diag(1e-6 * form.size / series.variance)
    return series, np.asarray(cho_solve(cho_factor(normal), series.project(form * inverse**2)))


def radial_envelope(form: Floats, q_squared: Floats, rings: int = 30) -> Floats:
    """Fall-off of I_FF with |Q|: A exp(-B Q^2) through its means on rings, as in a Wilson plot, (ny, nx)."""
    place = np.minimum((rings * q_squared / q_squared.max()).astype(int), rings - 1).ravel()
    count = np.bincount(place, minlength=rings)
    level = np.bincount(place, form.ravel(), minlength=rings) / np.maximum(count, 1)
    middle = np.bincount(place, q_squared.ravel(), minlength=rings) / np.maximum(count, 1)
    good = (count > 0) & (level > 1e-2 * level.max())
    if good.sum() < 2:
        return np.full_like(form, max(float(form.mean()), 1e-30))
    slope, height = np.polyfit(middle[good], np.log(level[good]), 1, w=np.sqrt(level[good]))
    return np.asarray(np.exp(height + min(float(slope), 0.0) * q_squared))


def _cell_clusters(axes: PlaneAxes, cell: Cell, group: Sequence[Floats], seen: Mask) -> tuple[NDArray[np.int64], int]:
    """Number of the set of equivalent reciprocal cells that each pixel lies in, and how many sets were seen.

    Equivalent cells share what a model gets wrong, so only sets of them are independent.
    """
    lattice = plane_lattice(axes)
    # Where the plane holds no period, eighths of it stand for cells.
    frequencies = np.diag([8 / np.ptp(axes.x), 8 / np.ptp(axes.y)]) if lattice is None else lattice.frequencies
    foot = foot_of_plane(axes, cell)
    position = np.stack(np.meshgrid(axes.x - foot[0], axes.y - foot[1]), axis=-1).reshape(-1, 2)
    whole = np.rint(position @ frequencies.T).astype(np.int64)
    _, first, number = np.unique(whole @ [_STRIDE, 1], return_index=True, return_inverse=True)
    place = whole[first]
    turns = [np.eye(2)] if lattice is None else [frequencies @ m @ np.linalg.inv(frequencies) for m in group]
    images = np.stack([np.rint(place @ turn.T).astype(np.int64) for turn in turns])
    leader = np.max(images @ [_STRIDE, 1], axis=0)
    sets = np.unique(leader, return_inverse=True)[1][number].reshape(axes.shape)
    return sets, len(np.unique(sets[seen]))


# --- Gauss and Newton ----------------------------------------------------------------------------------------------


def _refine(states: Sequence[_PlaneState], alpha: Floats) -> tuple[Floats, list[_Equations]]:
    """Step alphas and the nuisance parameters of all planes together until the alphas rest."""
    prior = np.eye(len(alpha)) / ALPHA_SPREAD**2
    for _ in range(_STEPS):
        equations = [_equations(state, alpha) for state in states]
        parts = [one.reduced() for one in equations]
        normal = prior + sum(part[0] for part in parts)
        gradient = sum((part[1] for part in parts), -alpha / ALPHA_SPREAD**2)
        step = np.linalg.solve(normal, gradient)
        for state, one in zip(states, equations, strict=True):
            state.coefficients = state.coefficients + cho_solve(
                one.nuisance, one.nuisance_gradient - one.to_alpha @ step
            )
        alpha = alpha + step
        if np.max(np.abs(step)) < _CONVERGED:
            break
    return alpha, [_equations(_as_scattered(state), alpha) for state in states]


def _as_scattered(state: _PlaneState) -> _PlaneState:
    """For uncertainties: the I_SRO of a factorization is exactly periodic, I_D / I_FF scatters as the data do."""
    return state if state.scatter is None else replace(state, intensity=state.scatter)


def _equations(state: _PlaneState, alpha: Floats) -> _Equations:
    """Linearise I = I_FF (1 + sum alpha P) + background about the present parameters."""
    form = state.form_factor
    ordered = 1 + np.tensordot(alpha, state.pictures, axes=1)
    model = form * ordered + state.level
    if state.given_weight is None:
        state.noise = estimate_noise((state.intensity - model)[state.measured], model[state.measured])
        variance = state.noise.variance(model)
        residual, weight = working_residuals(state.intensity, model, variance, state.measured, state.censored)
    else:
        residual = np.where(state.measured, state.intensity - model, 0.0)
        scale = np.sum(state.given_weight * residual**2) / max(float(np.sum(state.given_weight > 0)), 1.0)
        weight = state.given_weight / max(float(scale), 1e-12)
    surface, size = state.surface, len(state.surface)
    slopes = form * state.pictures
    weighted = weight * slopes
    normal = np.zeros((len(state.coefficients),) * 2)
    to_alpha = np.zeros((len(normal), len(alpha)))
    gradient = np.zeros(len(normal))
    normal[:size, :size] = surface.normal_matrix(weight * ordered**2)
    to_alpha[:size] = np.stack([surface.project(ordered * image) for image in weighted], axis=1)
    gradient[:size] = surface.project(weight * ordered * residual)
    if state.background:
        normal[:size, -1] = normal[-1, :size] = surface.project(weight * ordered)
        normal[-1, -1] = weight.sum()
        to_alpha[-1] = weighted.sum(axis=(1, 2))
        gradient[-1] = np.sum(weight * residual)
    normal += np.diag(state.prior_precision)
    gradient -= state.prior_precision * (state.coefficients - state.prior_mean)
    flat = slopes.reshape(len(alpha), -1), weighted.reshape(len(alpha), -1)
    return _Equations(
        residual=residual,
        weight=weight,
        form_factor=form,
        ordered=ordered,
        nuisance=cho_factor(normal, overwrite_a=True, check_finite=False),
        to_alpha=to_alpha,
        nuisance_gradient=gradient,
        normal=flat[1] @ flat[0].T,
        gradient=flat[1] @ residual.ravel(),
    )


# --- Uncertainties -------------------------------------------------------------------------------------------------


def _with_uncertainties(
    basis: OrderBasis,
    planes: Sequence[Components],
    states: Sequence[_PlaneState],
    equations: Sequence[_Equations],
    alpha: Floats,
    against: Against,
    laue: str,
    concentration: float,
    bootstrap: int,
    seed: int,
) -> OrderFit:
    """Covariance, bootstrap over reciprocal cells, and what the prior of I_FF adds; then the noun."""
    data = sum(one.reduced()[0] for one in equations)
    covariance = np.linalg.inv(data + np.eye(len(alpha)) / ALPHA_SPREAD**2)
    # The part of the covariance that comes from the prior of the nuisance parameters and not from the pixels.
    held = sum(
        (one.carried * state.prior_precision[:, None]).T @ one.carried
        for state, one in zip(states, equations, strict=True)
    )
    prior_part = covariance @ (held + np.eye(len(alpha)) / ALPHA_SPREAD**2) @ covariance
    count = sum(int((one.weight > 0).sum()) for one in equations)
    free = max(count - len(alpha) - sum(len(state.coefficients) for state in states), 1)
    chi2 = sum(float(np.sum(one.weight * one.residual**2)) for one in equations) / free
    noise_part = np.clip(np.diag(covariance - prior_part), 0.0, None) * max(chi2, 1e-12)
    from_covariance = np.sqrt(noise_part + np.diag(prior_part))
    spread = _bootstrap(states, equations, bootstrap, np.random.default_rng(seed))
    standard = np.sqrt(np.maximum(spread**2, noise_part) + np.diag(prior_part))
    root = np.sqrt(np.diag(covariance))
    determined = standard < DETERMINED
    cells = sum(state.cells for state in states)
    notes = [*basis.notes, *_checks(basis, alpha, standard, determined, concentration, cells, states)]
    return OrderFit(
        against=against,
        laue=laue,
        vectors=basis.vectors,
        multiplicity=np.array([len(members) for members in basis.orbits]),
        labels=basis.labels,
        alpha=alpha,
        standard_error=standard,
        covariance_error=from_covariance,
        bootstrap_error=spread,
        correlation=covariance / np.outer(root, root),
        determined=determined,
        order=basis.order(alpha, standard, concentration),
        components=tuple(
            _refined(one, state, equation, against)
            for one, state, equation in zip(planes, states, equations, strict=True)
        ),
        background=np.array([state.level for state in states]),
        chi2=chi2,
        pixels=count,
        cells=cells,
        notes=tuple(notes),
    )


def _bootstrap(
    states: Sequence[_PlaneState], equations: Sequence[_Equations], count: int, rng: np.random.Generator
) -> Floats:
    """Scatter of the alphas when sets of equivalent cells are drawn again with replacement; one Newton step each.

    Each set of cells c has a score g_c = sum J w r and an information H_c = sum J w J, J with the nuisance parameters
    taken out; a draw that holds set c m_c times moves alpha by (sum m_c H_c)^-1 sum m_c g_c.
    """
    scores, information = [], []
    for state, one in zip(states, equations, strict=True):
        slopes = _slopes(state, one)
        place = state.clusters.ravel()
        order = np.argsort(place, kind="stable")
        used = order[one.weight.ravel()[order] > 0]
        starts = np.flatnonzero(np.diff(place[used], prepend=-1))
        root = np.sqrt(one.weight.ravel()[used])
        scaled = slopes[:, used] * root
        score = np.add.reduceat(scaled * (root * one.residual.ravel()[used]), starts, axis=1)
        scores.append(score.T)
        information += [part @ part.T for part in np.split(scaled, starts[1:], axis=1)]
    score_list, information_list = np.concatenate(scores), np.array(information)
    total = information_list.sum(axis=0)
    if count < 2 or len(score_list) < 2:
        return np.zeros(len(total))
    hold = np.eye(len(total)) / ALPHA_SPREAD**2
    draws = rng.multinomial(len(score_list), np.full(len(score_list), 1 / len(score_list)), size=count)
    # The refined point itself has no score but what the prior holds back: centre on it.
    centred = score_list - score_list.mean(axis=0)
    # A draw that misses the cells that carry a parameter would run away: half of the whole information steadies it.
    matrices = np.tensordot(draws, information_list, axes=1)
    steady = 0.5 * matrices + 0.5 * total + hold
    moves = np.linalg.solve(steady, (draws @ centred)[..., None])[..., 0]
    return np.asarray(moves.std(axis=0, ddof=1))


def _slopes(state: _PlaneState, one: _Equations) -> Floats:
    """dI / d alpha on every pixel with form factor and background following, (n, pixels)."""
    carried = one.carried
    size = len(state.surface)
    slopes = np.empty((len(state.pictures), one.form_factor.size))
    for k, picture in enumerate(state.pictures):
        slope = one.form_factor * picture - one.ordered * state.surface(carried[:size, k])
        slopes[k] = (slope - (carried[-1, k] if state.background else 0.0)).ravel()
    return slopes


def _refined(components: Components, state: _PlaneState, one: _Equations, against: Against) -> Components:
    """The plane with what was refined: I_SRO with mean 1, and I_FF where it was part of it."""
    form = components.form_factor if against == "order" else np.clip(one.form_factor, 0.0, None)
    return replace(components, form_factor=form, short_range_order=one.ordered)


def _checks(
    basis: OrderBasis,
    alpha: Floats,
    error: Floats,
    determined: Mask,
    concentration: float,
    cells: int,
    states: Sequence[_PlaneState],
) -> list[str]:
    """Say in words what a table does not show."""
    notes = []
    if not determined.all():
        names = ", ".join(label for label, good in zip(basis.labels, determined, strict=True) if not good)
        notes.append(
            f"not determined by these pixels (s.u. above {DETERMINED:g}): {names}; measure more cells, lower the "
            "excluded fraction of I_FF, or refine fewer vectors"
        )
    if cells < FEW_CELLS:
        notes.append(f"{cells} independent reciprocal cells are few: the bootstrap says little, s.u. are too small")
    lowest = -min(concentration / (1 - concentration), (1 - concentration) / concentration)
    beyond = [
        label
        for label, value, s in zip(basis.labels, alpha, error, strict=True)
        if value - 2 * s > 1 or value + 2 * s < lowest
    ]
    if beyond:
        notes.append(
            f"{', '.join(beyond)} lie outside {lowest:+.3f} to +1, all that pair probabilities allow at a "
            f"concentration of {concentration:g}: the concentration, the lattice or the form factor is wrong"
        )
    dips = min(float((1 + np.tensordot(alpha, state.pictures, axes=1)).min()) for state in states)
    if dips < -0.05:
        notes.append(
            f"I_SRO falls to {dips:.2f}, which no arrangement has: refine more vectors, or check the background"
        )
    return notes


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
