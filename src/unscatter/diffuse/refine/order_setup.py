"""What is refined on each plane: pixels, form factor, background and their priors, before the first step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation

from unscatter.diffuse.plane.fold import plane_lattice
from unscatter.diffuse.refine.order_noise import Noise, counting_quantum, find_floor, find_saturation
from unscatter.diffuse.refine.order_pictures import OrderPictures
from unscatter.diffuse.refine.patterson import PattersonSeries, foot_of_plane, patterson_series
from unscatter.nouns.arrays import Floats, Mask
from unscatter.nouns.cell import Cell
from unscatter.nouns.components import Components
from unscatter.nouns.order_fit import Against
from unscatter.nouns.plane import PlaneAxes

#: Pixels around a saturated one that are left out.
EDGE = 1
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

    def mixed(self, pictures: OrderPictures, image: Floats) -> Floats:
        """Sum of an image times B_i times each picture of order, (n, number of pictures)."""


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

    def mixed(self, pictures: OrderPictures, image: Floats) -> Floats:
        """Sum of an image times the form factor times each picture, (1, number of pictures)."""
        return pictures.project(image * self.image)[None]


@dataclass
class PlaneState:
    """One plane under refinement: what is fixed, and the nuisance parameters (form factor, then background)."""

    intensity: Floats
    measured: Mask
    censored: Mask
    floored: Mask
    given_weight: Floats | None
    scatter: Floats | None
    pictures: OrderPictures
    surface: Surface
    clusters: NDArray[np.int64]
    cells: int
    background: bool
    prior_mean: Floats
    prior_precision: Floats
    coefficients: Floats
    noise: Noise | None = None
    variance: Floats | None = None
    quantum: float = 0.0
    scale: float = 0.0
    remarks: tuple[str, ...] = ()

    @property
    def level(self) -> float:
        """Background of the plane."""
        return float(self.coefficients[-1]) if self.background else 0.0

    @property
    def form_factor(self) -> Floats:
        """Form factor at the present parameters, (ny, nx)."""
        return self.surface(self.coefficients[: len(self.surface)])


def with_found_lattices(planes: Sequence[Components]) -> tuple[tuple[Components, ...], tuple[str, ...]]:
    """Planes without cell or axes take those that were found in the picture; and what is to be said of them.

    Raises ValueError where none was found, or only one direction of it.
    """
    taken, notes = [], []
    for components in planes:
        plane, found = components.plane, components.found_lattice
        if not plane.lattice_known and found is not None:
            if found.one_dimensional:
                raise ValueError(
                    f"{plane.source or 'the plane'} has streaks, {found.describe()}, and vectors between cells are not "
                    "determined either; give --cell and --axes to factorize"
                )
            components = replace(components, plane=found.index(plane))
            notes.append(f"the lattice is that {found.describe()}: vectors count its cells")
            if found.pixel is None:
                notes.append("the size of a pixel is not known: lengths are right up to one factor (factorize --pixel)")
        taken.append(components)
    return tuple(taken), tuple(dict.fromkeys(notes))


def common_lattice(planes: Sequence[Components]) -> tuple[Cell, list[PlaneAxes]]:
    """Cell of planes of one crystal and the axes of each; raises ValueError where they lack them or differ in cell."""
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


def with_form_factors(planes: Sequence[Components], form_factors: Sequence[Floats] | None) -> tuple[Components, ...]:
    """Planes with the form factors that are given, (ny, nx) each, scaled to the data; raises ValueError for others."""
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


def order_state(
    components: Components,
    axes: PlaneAxes,
    cell: Cell,
    group: Sequence[Floats],
    pictures: OrderPictures,
    exclude: float,
) -> PlaneState:
    """The plane of I_SRO, all of it known up to scale by the sum over alphas."""
    form, measured = components.form_factor, components.plane.measured
    kept = measured & (form > exclude * form.max())
    clusters, cells = _cell_clusters(axes, cell, group, kept)
    ordered = components.short_range_order
    scatter = np.where(kept, components.plane.intensity / np.where(kept, form, 1.0), 0.0)
    return PlaneState(
        intensity=ordered,
        scatter=scatter * np.sum((form * ordered)[kept]) / np.sum((form * scatter)[kept]),
        measured=kept,
        censored=np.zeros_like(kept),
        floored=np.zeros_like(kept),
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


def data_state(
    components: Components,
    state: PlaneState,
    axes: PlaneAxes,
    cell: Cell,
    group: Sequence[Floats],
    against: Against,
    saturation: float | None,
    background: bool,
    reach: float | None,
) -> PlaneState:
    """The plane of I_D with a form factor that is a series, as long as the cell at most, or known up to scale."""
    plane = components.plane
    values = plane.intensity[plane.measured]
    saturation = components.provenance.get("saturation") if saturation is None else saturation
    found = find_saturation(values) if saturation is None else None
    saturation = found if saturation is None else saturation
    quantum = counting_quantum(values, components.product[plane.measured])
    floor = None if quantum > 0 else find_floor(values)
    remarks = []
    if found is not None:
        remarks.append(f"many pixels hold {found:g}, the largest intensity: taken as at least that (--saturation)")
    if floor is not None:
        remarks.append("many pixels hold exactly 0: taken as clipped, at most that; keep negative intensities")
    if quantum > 0:
        remarks.append(f"pixels hold few counts, whole numbers of {quantum:g}: weights are those of counting")
    censored = plane.measured & (plane.intensity >= (np.inf if saturation is None else saturation))
    floored = plane.measured & (plane.intensity <= (-np.inf if floor is None else floor))
    # Next to a saturated pixel lie pixels that are saturated in part: blooming, and resampling onto the plane.
    measured = plane.measured & ~binary_dilation(censored, iterations=EDGE) & ~floored
    intensity = np.where(plane.measured, plane.intensity, 0.0)
    if saturation is not None:
        intensity = np.where(censored, saturation, intensity)
    form = np.clip(components.form_factor, 0.0, None)
    surface: Surface = KnownSurface(form)
    mean, precision = np.ones(1), np.zeros(1)
    if against == "data":
        surface, mean = _series_near(form, axes, cell, group, filling_diameter(axes, cell) if reach is None else reach)
        precision = np.zeros(len(mean))
    if background:
        mean, precision = np.append(mean, 0.0), np.append(precision, 0.0)
    cells = len(np.unique(state.clusters[plane.measured]))
    return replace(
        state,
        quantum=quantum,
        intensity=intensity,
        measured=measured,
        censored=censored,
        floored=floored,
        remarks=tuple(remarks),
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
    return series, series.nearest(form)


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
