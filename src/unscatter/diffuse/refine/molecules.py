"""Compare models of the molecules with I_FF, scan what moves, and refine it by least squares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from unscatter.atoms import Radiation
from unscatter.diffuse.crystal.motions import Motion
from unscatter.diffuse.plane.forward import ScatteringPlane, form_factor_difference, scattering_plane
from unscatter.diffuse.refine.disorder_model import DisorderModel, Move
from unscatter.diffuse.refine.molecule_errors import correlation_range, covariances
from unscatter.diffuse.refine.molecule_pixels import Pixels, all_pixels, choose_pixels, figures_of_merit
from unscatter.nouns.arrays import Floats
from unscatter.nouns.cell import Cell
from unscatter.nouns.components import Components
from unscatter.nouns.molecule_fit import MoleculeFit, MoleculesAgainst, MotionScan
from unscatter.nouns.plane import PlaneAxes
from unscatter.one_thread import one_thread
from unscatter.progress import steps
from unscatter.version import __version__

#: A motion and the values to scan, in its unit.
Scan = tuple[Motion, Floats]

#: Range of D_w in Angstrom^2: a larger one hides all but the middle of a wrong model.
DEBYE_WALLER_RANGE = (-0.2, 0.4)
#: Steps of the numerical derivatives.
STEPS = {"deg": 0.25, "Angstrom": 0.005}
CYCLES = 25
#: A scan looks at every n-th row and column, so that about so many pixels are left: I_FF is smooth.
SCAN_PIXELS = 30_000


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
    pixels: Pixels
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


@one_thread
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
    pixels = choose_pixels(components, axes, cell, against, saturated)
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
    pixels = all_pixels(plane, components, "form-factor")
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


def _scale_to(pixels: Pixels, calculated: Floats, given: float | None, start: float) -> _Scaled:
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


def _scan(problem: _Problem, amounts: Floats, place: int, values: Floats) -> MotionScan:
    """Run one motion through its values; D_w starts from its value at the last step."""
    trial, d, figures = amounts.copy(), 0.0, []
    for value in steps(values, f"scan of {problem.motions[place].name}"):
        trial[place] = float(value)
        scaled = problem.scale(trial, d)
        d = scaled.debye_waller
        figures.append((*figures_of_merit(problem.pixels, scaled.model), d))
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
    radius, area = correlation_range(pixels, pixels.data - scaled.model, problem.plane)
    covariance, plain = covariances(pixels, jacobian, pixels.data - scaled.model, area)
    errors, plain_errors = np.full(len(free), np.nan), np.full(len(free), np.nan)
    errors[free], plain_errors[free] = np.sqrt(np.diag(covariance)), np.sqrt(np.diag(plain))
    correlation = np.full((len(free), len(free)), np.nan)
    correlation[np.ix_(free, free)] = covariance / np.maximum(np.outer(errors[free], errors[free]), 1e-300)
    mse, r_factor, weighted_r = figures_of_merit(pixels, scaled.model)
    calculated = np.full(pixels.used.shape, np.nan)
    whole = replace(problem, pixels=all_pixels(problem.plane, components, against))
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
