"""Compare models of the molecules with I_FF, scan what moves, and refine it by least squares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from unscatter.atoms import Radiation
from unscatter.diffuse.crystal.motions import Motion
from unscatter.diffuse.plane.forward import ScatteringPlane, form_factor_difference, q_squared, scattering_plane
from unscatter.diffuse.plane.scaling import scale_plane
from unscatter.diffuse.refine.disorder_model import DisorderModel, Move
from unscatter.nouns.cell import Cell
from unscatter.nouns.components import Components
from unscatter.nouns.molecule_fit import MoleculeFit, MoleculesAgainst, MotionScan
from unscatter.nouns.plane import PlaneAxes
from unscatter.progress import steps
from unscatter.version import __version__

Floats = NDArray[np.float64]
#: A motion and the values to scan, in its unit.
Scan = tuple[Motion, Floats]

#: I_FF is left out where I_SRO is below this fraction of its mean, 1: there the data say nothing of it.
LEAST_ORDER = 0.05
#: Counts vary as the intensity, and by this fraction of its mean where there is none: background, the network.
FLOOR = 0.05
#: Width in pixels over which I_FF is smoothed for its weights.
WEIGHT_WIDTH = 2.0
#: Range of D_w in Angstrom^2: a larger one hides all but the middle of a wrong model.
DEBYE_WALLER_RANGE = (-0.2, 0.4)
#: Steps of the numerical derivatives.
STEPS = {"deg": 0.25, "Angstrom": 0.005}
CYCLES = 25
#: A scan looks at every n-th row and column, so that about so many pixels are left: I_FF is smooth.
SCAN_PIXELS = 30_000


@dataclass(frozen=True)
class _Pixels:
    """The pixels that are compared, flat: data, weight, what multiplies I_FF there, and |Q|^2; used: (ny, nx)."""

    used: NDArray[np.bool_]
    data: Floats
    weight: Floats
    order: Floats
    q_squared: Floats

    def every(self, step: int) -> _Pixels:
        """Every `step`-th row and column of them."""
        grid = np.zeros(self.used.shape, dtype=bool)
        grid[::step, ::step] = True
        kept = grid[self.used]
        flat = (self.data[kept], self.weight[kept], self.order[kept], self.q_squared[kept])
        return _Pixels(self.used[::step, ::step], *flat)


@dataclass(frozen=True)
class _Scaled:
    """A calculated |F_A - F_B|^2 on the scale of the data: s exp(-D Q^2) c + b, flat."""

    damped: Floats
    model: Floats
    scale: float
    background: float
    debye_waller: float


@dataclass(frozen=True)
class _Problem:
    """Everything that stays the same while the molecules move."""

    model: DisorderModel
    motions: tuple[Motion, ...]
    plane: ScatteringPlane
    cell: Cell
    pixels: _Pixels
    radiation: Radiation
    debye_waller: float | None

    def calculate(self, amounts: Floats) -> Floats:
        """|F_A - F_B|^2 of the moved model, times I_SRO where the data are compared, flat."""
        moves: list[Move] = list(zip(self.motions, amounts.tolist(), strict=True))
        pair = self.model.pair(self.cell, moves, neutrons=self.radiation == "neutron")
        real, imaginary = form_factor_difference(pair, self.plane)
        squared: Floats = (real**2 + imaginary**2)[self.pixels.used] * self.pixels.order
        if not np.any(squared > 1e-9):
            raise ValueError(f"model {self.model.name!r}: A and B are the same, so they make no diffuse scattering")
        return squared

    def coarse(self) -> _Problem:
        """The same on about SCAN_PIXELS pixels."""
        step = max(round(float(np.sqrt(len(self.pixels.data) / SCAN_PIXELS))), 1)
        plane = replace(self.plane, x=self.plane.x[::step], y=self.plane.y[::step])
        return replace(self, plane=plane, pixels=self.pixels.every(step))

    def scale(self, amounts: Floats, start: float) -> _Scaled:
        """Calculate, and bring to the scale of the data."""
        return _scale_to(self.pixels, self.calculate(amounts), self.debye_waller, start)


def refine_molecules(
    components: Components,
    model: DisorderModel,
    scans: Sequence[Scan] = (),
    debye_waller: float | None = None,
    radiation: Radiation = "x-ray",
    against: MoleculesAgainst = "form-factor",
    saturated: float | None = None,
) -> MoleculeFit:
    """Fit s exp(-D_w Q^2) |F_A - F_B|^2 + b to I_FF, eq. (1), (2) and (13): scan each motion, then refine all.

    scans: motions with their values; each is scanned with the others where the last scan left them, and all are
    refined together from there. debye_waller: D_w in Angstrom^2, refined where it is None. saturated: measured
    intensities from here on are left out. Only measured pixels count, each with weight 1 / variance of a count.
    Raises ValueError where cell and axes are not known, no pixel is left, or a motion does not fit the model.
    """
    axes, cell = _require_lattice(components)
    pixels = _choose_pixels(components, axes, cell, against, saturated)
    motions = tuple(motion for motion, _ in scans)
    for motion in motions:
        model.require_unbroken(motion, cell)
    problem = _Problem(model, motions, scattering_plane(axes, cell), cell, pixels, radiation, debye_waller)
    coarse, amounts, done = problem.coarse(), np.zeros(len(motions)), []
    for place, (_, values) in enumerate(scans):
        done.append(_scan(coarse, amounts, place, np.asarray(values, dtype=np.float64)))
        amounts[place] = done[-1].best
    amounts, _, _ = _descend(coarse, amounts)
    return _refine(problem, components, against, amounts, tuple(done))


def rank_models(
    components: Components,
    models: Sequence[DisorderModel],
    debye_waller: float | None = None,
    radiation: Radiation = "x-ray",
    against: MoleculesAgainst = "form-factor",
    saturated: float | None = None,
) -> tuple[MoleculeFit, ...]:
    """Fit scale, background and D_w of several models as they are, and return the fits, the lowest weighted R first.

    Raises ValueError as refine_molecules does.
    """
    fits = [refine_molecules(components, model, (), debye_waller, radiation, against, saturated) for model in models]
    return tuple(sorted(fits, key=lambda fit: fit.weighted_r))


def model_form_factor(
    components: Components,
    model: DisorderModel,
    debye_waller: float | None = None,
    radiation: Radiation = "x-ray",
    saturated: float | None = None,
) -> Floats:
    """|F_A - F_B|^2 exp(-D_w Q^2) of a model on the plane, eq. (1), (2) and (13), in electrons^2 or fm^2, (ny, nx).

    debye_waller: D_w in Angstrom^2, refined against I_FF of the components where it is None; saturated: intensities
    from here on are left out of that. Raises ValueError as refine_molecules does.
    """
    if debye_waller is None:
        debye_waller = refine_molecules(components, model, (), None, radiation, "form-factor", saturated)["D_w"][0]
    axes, cell = _require_lattice(components)
    plane = scattering_plane(axes, cell)
    pixels = _everywhere(plane, components, "form-factor")
    squared = _Problem(model, (), plane, cell, pixels, radiation, debye_waller).calculate(np.zeros(0))
    return np.asarray(squared * np.exp(-debye_waller * pixels.q_squared)).reshape(axes.shape)


def _require_lattice(components: Components) -> tuple[PlaneAxes, Cell]:
    plane = components.plane
    if plane.axes is None or plane.cell is None:
        raise ValueError(
            f"{plane.source or 'the plane'}: molecules need Q, so cell and axes must be known; factorize the plane "
            'with --cell and --axes, such as --axes "h=-8:8 k=-8:8 l=1"'
        )
    return plane.axes, plane.cell


def _choose_pixels(
    components: Components, axes: PlaneAxes, cell: Cell, against: MoleculesAgainst, saturated: float | None
) -> _Pixels:
    """Measured pixels that are not saturated and, for I_FF, where I_SRO is not near zero; and their weights.

    A count varies as its mean I_FF I_SRO, so I_FF = count / I_SRO varies as I_FF / I_SRO.
    """
    form, ordered, plane = components.form_factor, components.short_range_order, components.plane
    used = plane.measured & np.isfinite(form) & np.isfinite(ordered)
    if saturated is not None:
        used &= np.nan_to_num(plane.intensity, nan=np.inf) < saturated
    if against == "form-factor":
        used &= ordered > LEAST_ORDER
    if used.sum() < 10:
        raise ValueError(
            f"only {used.sum()} of {used.size} pixels are measured, not saturated and with I_SRO above {LEAST_ORDER}; "
            "check the mask and --saturated"
        )
    q2 = q_squared(scattering_plane(axes, cell))[used]
    # Weights that follow the noise of single pixels would prefer those that are too low.
    f = gaussian_filter(np.clip(np.nan_to_num(form), 0.0, None), WEIGHT_WIDTH)[used]
    o = np.clip(ordered[used], 0.0, None)
    if against == "data":
        product = f * o
        return _Pixels(used, plane.intensity[used], 1 / (product + FLOOR * product.mean()), o, q2)
    return _Pixels(used, form[used], o / (f + FLOOR * f.mean()), np.ones_like(f), q2)


def _scale_to(pixels: _Pixels, calculated: Floats, given: float | None, start: float) -> _Scaled:
    """Scale and background by linear least squares, D_w by Gauss-Newton around them."""
    d = start if given is None else given
    w, y, q2 = pixels.weight, pixels.data, pixels.q_squared
    for _ in range(CYCLES):
        damped = calculated * np.exp(-d * q2)
        scale, background = _line(w, damped, y)
        model = scale * damped + background
        if given is not None or scale == 0:
            break
        columns = np.stack([damped, np.ones_like(damped), -q2 * scale * damped])
        weighted = columns * w
        shift = float(np.linalg.solve(weighted @ columns.T, weighted @ (y - model))[2])
        moved = float(np.clip(d + np.clip(shift, -0.1, 0.1), *DEBYE_WALLER_RANGE))
        if abs(moved - d) < 1e-6:
            break
        d = moved
    return _Scaled(damped, model, scale, background, d)


def _line(w: Floats, x: Floats, y: Floats) -> tuple[float, float]:
    """Slope and intercept of y over x; the slope of an intensity is not negative."""
    total = float(w.sum())
    mean_x, mean_y = float(w @ x) / total, float(w @ y) / total
    slope = max(float((w * (x - mean_x)) @ (y - mean_y)) / max(float(w @ (x - mean_x) ** 2), 1e-300), 0.0)
    return slope, mean_y - slope * mean_x


def _merit(pixels: _Pixels, model: Floats) -> tuple[float, float, float]:
    """Mean square error of scaled roots, R and weighted R."""
    difference, top = pixels.data - model, pixels.data.max()
    mse = np.mean((scale_plane(pixels.data, top) - scale_plane(model, top)) ** 2)
    r_factor = np.abs(difference).sum() / np.abs(pixels.data).sum()
    weighted = np.sqrt((pixels.weight @ difference**2) / (pixels.weight @ pixels.data**2))
    return float(mse), float(r_factor), float(weighted)


def _scan(problem: _Problem, amounts: Floats, place: int, values: Floats) -> MotionScan:
    """Run one motion through its values; D_w starts from its value at the last step."""
    trial, d, figures = amounts.copy(), 0.0, []
    for value in steps(values, f"scan of {problem.motions[place].name}"):
        trial[place] = float(value)
        scaled = problem.scale(trial, d)
        d = scaled.debye_waller
        figures.append((*_merit(problem.pixels, scaled.model), d))
    mse, r_factor, weighted_r, debye_waller = np.array(figures).T
    motion = problem.motions[place]
    return MotionScan(motion.name, motion.unit, values, mse, r_factor, weighted_r, debye_waller)


# --- least squares ---


def _refine(
    problem: _Problem,
    components: Components,
    against: MoleculesAgainst,
    amounts: Floats,
    scans: tuple[MotionScan, ...],
) -> MoleculeFit:
    amounts, scaled, converged = _descend(problem, amounts)
    pixels = problem.pixels
    jacobian, free = _jacobian(problem, amounts, scaled), _free(problem)
    radius, area = _correlation(pixels, pixels.data - scaled.model, problem.plane)
    covariance, plain = _covariances(pixels, jacobian, pixels.data - scaled.model, area)
    errors, plain_errors = np.full(len(free), np.nan), np.full(len(free), np.nan)
    errors[free], plain_errors[free] = np.sqrt(np.diag(covariance)), np.sqrt(np.diag(plain))
    correlation = np.full((len(free), len(free)), np.nan)
    correlation[np.ix_(free, free)] = covariance / np.maximum(np.outer(errors[free], errors[free]), 1e-300)
    mse, r_factor, weighted_r = _merit(pixels, scaled.model)
    calculated = np.full(pixels.used.shape, np.nan)
    whole = replace(problem, pixels=_everywhere(problem.plane, components, against))
    everywhere = whole.calculate(amounts) * np.exp(-scaled.debye_waller * whole.pixels.q_squared)
    calculated[...] = (scaled.scale * everywhere + scaled.background).reshape(calculated.shape)
    return MoleculeFit(
        name=problem.model.name or problem.model.a.name,
        against=against,
        names=(*(motion.name for motion in problem.motions), "D_w", "scale", "background"),
        units=(*(motion.unit for motion in problem.motions), "Angstrom^2", "", ""),
        values=np.array([*amounts, scaled.debye_waller, scaled.scale, scaled.background]),
        standard_error=errors,
        plain_error=plain_errors,
        correlation=correlation,
        mse=mse,
        r_factor=r_factor,
        weighted_r=weighted_r,
        pixels=len(pixels.data),
        independent=len(pixels.data) / area,
        correlation_radius=radius,
        components=components,
        calculated=calculated,
        used=pixels.used,
        scans=scans,
        notes=_notes(problem, amounts, scaled, converged, scans),
        provenance={"program": "unscatter", "version": __version__, "radiation": problem.radiation},
    )


def _descend(problem: _Problem, amounts: Floats) -> tuple[Floats, _Scaled, bool]:
    """Gauss-Newton with scale, background and D_w fitted at every trial; a step that does not help is halved."""
    scaled = problem.scale(amounts, 0.0)
    if not len(amounts) or scaled.scale == 0:
        return amounts, scaled, True
    pixels = problem.pixels
    lowest = float(pixels.weight @ (pixels.data - scaled.model) ** 2)
    for _ in range(CYCLES):
        jacobian = _jacobian(problem, amounts, scaled)
        normal = (jacobian * pixels.weight) @ jacobian.T
        shift = np.linalg.lstsq(normal, (jacobian * pixels.weight) @ (pixels.data - scaled.model), rcond=1e-12)[0]
        step = shift[: len(amounts)]
        errors = np.sqrt(np.diag(np.linalg.pinv(normal))[: len(amounts)] * lowest / len(pixels.data))
        while np.any(np.abs(step) > 1e-2 * errors + 1e-6):
            trial = problem.scale(amounts + step, scaled.debye_waller)
            value = float(pixels.weight @ (pixels.data - trial.model) ** 2)
            if value < lowest:
                amounts, scaled, lowest = amounts + step, trial, value
                break
            step = step / 2
        else:
            return amounts, scaled, True
    return amounts, scaled, False


def _jacobian(problem: _Problem, amounts: Floats, scaled: _Scaled) -> Floats:
    """Derivatives of the model by the free parameters, (p, n): motions by central differences, the rest exactly."""
    rows = []
    damping = np.exp(-scaled.debye_waller * problem.pixels.q_squared)
    for place, motion in enumerate(problem.motions):
        step = np.zeros(len(amounts))
        step[place] = STEPS[motion.unit]
        difference = problem.calculate(amounts + step) - problem.calculate(amounts - step)
        rows.append(scaled.scale * damping * difference / (2 * STEPS[motion.unit]))
    if problem.debye_waller is None:
        rows.append(-problem.pixels.q_squared * scaled.scale * scaled.damped)
    return np.stack([*rows, scaled.damped, np.ones_like(scaled.damped)])


def _free(problem: _Problem) -> NDArray[np.bool_]:
    """Which of motions, D_w, scale, background are refined."""
    return np.array([True] * len(problem.motions) + [problem.debye_waller is None, True, True])


def _correlation(pixels: _Pixels, residual: Floats, plane: ScatteringPlane) -> tuple[float, float]:
    """Radius in 1/Angstrom and area in pixels over which weighted residuals are correlated.

    The area is the sum of the autocorrelation over a disc, and the radius that of a disc of this area. The summed
    disc is the first that is three such radii wide: wider ones add noise alone. Source: A. Sokal's window for
    autocorrelation times, in two dimensions.
    """
    shape = tuple(2 * n for n in pixels.used.shape)
    field, seen = np.zeros(shape), np.zeros(shape)
    rows, columns = np.nonzero(pixels.used)
    field[rows, columns] = np.sqrt(pixels.weight) * residual
    seen[rows, columns] = 1.0
    pairs, products = (np.fft.irfft2(np.abs(np.fft.rfft2(image)) ** 2, s=shape) for image in (seen, field))
    known = pairs > 0.5 + 1e-3 * len(rows)
    autocorrelation = np.where(known, products / np.maximum(pairs, 1.0), 0.0)
    autocorrelation /= max(float(autocorrelation[0, 0]), 1e-300)
    steps = np.array([(a[1] - a[0]) * np.linalg.norm(v) for a, v in ((plane.y, plane.v), (plane.x, plane.u))])
    lags = [np.minimum(np.arange(n), n - np.arange(n)) * step for n, step in zip(shape, steps, strict=True)]
    distance = np.hypot(lags[0][:, None], lags[1][None, :]).ravel()
    near = np.argsort(distance, kind="stable")
    area = np.maximum(np.cumsum(autocorrelation.ravel()[near]), 1.0)
    radii = np.sqrt(area * steps.prod() / np.pi)
    wide = np.flatnonzero(distance[near] >= 3 * radii)
    place = int(wide[0]) if wide.size else int(np.argmax(area))
    return float(radii[place]), float(area[place])


def _covariances(pixels: _Pixels, jacobian: Floats, residual: Floats, area: float) -> tuple[Floats, Floats]:
    """Covariance of the parameters for residuals correlated over `area` pixels, and for independent ones.

    H^-1 S H^-1, with H = J W J^T and S the covariance of the sums J W r, in which the products of r in pixels near
    each other count with a Gaussian weight that falls slower than their correlation. Source: T. G. Conley,
    J. Econometrics 92, 1 (1999).
    """
    inverse = np.linalg.pinv((jacobian * pixels.weight) @ jacobian.T, hermitian=True)
    count, parameters = len(residual), len(jacobian)
    plain = inverse * float(pixels.weight @ residual**2) / max(count - parameters, 1)
    # Smoothing by sigma correlates over 2 sigma; the kernel below has twice the width of the correlation.
    width = float(np.sqrt(area / np.pi)) if area > 1.5 else 0.0
    sums = np.empty((parameters, *pixels.used.shape))
    for place, derivative in enumerate(jacobian):
        image = np.zeros(pixels.used.shape)
        image[pixels.used] = derivative * pixels.weight * residual
        sums[place] = gaussian_filter(image, width, mode="constant", truncate=5.0) if width else image
    # The filter has unit sum, a kernel unit height; and of a correlation of half its width it loses a fifth.
    height = 1.25 * 4 * np.pi * width**2 if width else 1.0
    # As for clusters: what the parameters take up shows in so many sums as the kernel fits into the plane.
    clusters = count / height
    spread = height * np.einsum("pij,qij->pq", sums, sums) * clusters / max(clusters - parameters, 1.0)
    robust = inverse @ spread @ inverse
    # Residuals that alternate would make the errors smaller than independent ones: not relied upon.
    growth = np.sqrt(np.maximum(np.diag(robust) / np.maximum(np.diag(plain), 1e-300), 1.0))
    correlation = robust / np.sqrt(np.maximum(np.outer(np.diag(robust), np.diag(robust)), 1e-300))
    errors = np.sqrt(np.diag(plain)) * growth
    return correlation * np.outer(errors, errors), plain


def _everywhere(plane: ScatteringPlane, components: Components, against: MoleculesAgainst) -> _Pixels:
    """All pixels, for the picture of the model."""
    used = np.ones(components.form_factor.shape, dtype=bool)
    order = components.short_range_order if against == "data" else np.ones(used.shape)
    empty = np.zeros(used.size)
    return _Pixels(used, empty, empty, order.ravel(), q_squared(plane).ravel())


def _notes(
    problem: _Problem, amounts: Floats, scaled: _Scaled, converged: bool, scans: Sequence[MotionScan]
) -> tuple[str, ...]:
    notes = []
    if scaled.scale == 0:
        notes.append("the model explains nothing of the data: its scale refines to zero")
    if not converged:
        notes.append(f"not converged after {CYCLES} cycles: narrow the range or move fewer things at once")
    for scan, amount in zip(scans, amounts, strict=True):
        if not scan.values[0] <= amount <= scan.values[-1]:
            notes.append(f"{scan.name} left its range ({scan.values[0]:g} to {scan.values[-1]:g} {scan.unit})")
        rivals = [v for v in scan.minima[1:] if _close(scan, v)]
        if rivals:
            words = ", ".join(f"{value:g}" for value in rivals)
            notes.append(f"{scan.name}: {words} {scan.unit} is a minimum nearly as deep (wR within 2 %)")
    if problem.debye_waller is None and scaled.debye_waller in DEBYE_WALLER_RANGE:
        notes.append("D_w is at the end of its range: the model does not fit, or the background is not constant")
    elif problem.debye_waller is None and scaled.debye_waller < 0:
        notes.append("D_w is negative: I_FF falls off slower than that of rigid molecules at rest")
    return tuple(notes)


def _close(scan: MotionScan, value: float) -> bool:
    merit = float(np.interp(value, scan.values, scan.weighted_r))
    return merit < 1.02 * float(scan.weighted_r.min())
