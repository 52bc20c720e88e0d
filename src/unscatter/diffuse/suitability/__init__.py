"""Is the crystal suitable? What a factorized plane tells of the assumptions behind I_D = I_FF I_SRO.

Section 3.3 of Fuller & Rudden (2024) asks for binary substitutional disorder on one site a cell and for little
displacive disorder. Every check here compares the data with a part of that, needs no truth, and has limits set on
simulated planes (benchmarks/suitability_rates.py).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unscatter.diffuse.plane.fold import CellMap, PlaneLattice, fit_waves, half_plane, plane_lattice
from unscatter.diffuse.plane.smoothing import smooth_plane
from unscatter.diffuse.suitability.changes import find_changes
from unscatter.diffuse.suitability.noise import measured_intensity, noise_variance, smooth_form_factor, total_variance
from unscatter.diffuse.suitability.periods import find_other_period
from unscatter.diffuse.suitability.signal import probability_of_halves, probability_of_neighbours
from unscatter.nouns.arrays import Floats
from unscatter.nouns.cell import Cell
from unscatter.nouns.components import Components
from unscatter.nouns.findings import Finding, Findings
from unscatter.nouns.plane import PlaneAxes
from unscatter.one_thread import one_thread

#: What a finding is called; where it turns fair and where poor.
LIMITS: dict[str, tuple[float, float]] = {
    # Probability that noise alone agrees so well with itself.
    "signal": (1e-6, 1e-3),
    "fit": (0.004, 0.02),
    "period": (0.0004, 0.005),
    # Log weight of another lattice over the given one.
    "lattice": (5.0, 8.0),
    "bragg": (0.05, 0.15),
    "size effect": (0.03, 0.1),
    "displacement": (0.035, 0.1),
    # What is not measured; the networks were trained on planes of which 35 to 50 % or more was.
    "coverage": (0.5, 0.65),
}
#: Harmonics of I_SRO that are compared between alternate cells.
COMPARED_ORDER = 4
#: Longest distance in a molecule that fills the cell, in cells: a smooth I_FF holds nothing beyond.
LONGEST_DISTANCE, FILLING_DISTANCE = 1.3, 1.0
#: Width of the mean about which contrast is told where no lattice is known, as a share of the plane.
SMOOTHED = 0.03
#: Radius in shortest translations of what counts as a Bragg position, and the fewest of them that are judged.
CORE, FEWEST_NODES = 0.06, 6


#: What no check can see; section 3.3 of the paper.
LIMITATIONS = (
    "What no check proves: two components come out of any plane. They mean I_FF and I_SRO only for binary "
    "substitutional disorder on one site a cell with little displacive disorder (Fuller & Rudden 2024, section 3.3)."
)


@one_thread
def assess_suitability(components: Components, *, images: bool = True) -> Findings:
    """Compare a factorized plane with what binary substitutional disorder on one site a cell would give.

    images: also make the images (ny, nx) behind the findings, and as "bragg" (n, 2) |Q| in 1/Angstrom of Bragg
    positions with the share of their intensity that stands out. Without cell and axes only signal, fit and coverage
    are judged.
    """
    components = components.unsaturated
    plane = components.plane
    lattice = plane_lattice(plane.axes) if plane.axes is not None and plane.cell is not None else None
    variance = noise_variance(components)
    findings: list[Finding] = [_fit(components, variance)]
    pictures = {"fit": components.residual / np.sqrt(variance)}
    nodes = np.empty((0, 2))
    if lattice is None or plane.axes is None or plane.cell is None:
        why = "needs cell and axes, and a plane that holds two translations of the lattice"
        findings = [_contrast_signal(components), *findings]
        findings += [_untested(name, why) for name in ("period", "lattice", "bragg", "size effect", "displacement")]
    else:
        axes, cell = plane.axes, plane.cell
        smooth = smooth_form_factor(components.form_factor, axes, lattice, LONGEST_DISTANCE)
        halves = _halves(components, axes, lattice, smooth)
        findings = [_periodic_signal(halves), *findings]
        period, pictures["period"] = _period(components, axes, halves, smooth, variance)
        bragg, nodes = _bragg(components, axes, cell, lattice, variance)
        findings += [period, find_other_period(components, axes, lattice, LIMITS["lattice"]), bragg]
        if lattice.centre is None:
            why = "the plane lies between layers; take one of whole or half indices"
            findings += [_untested(name, why) for name in ("size effect", "displacement")]
        else:
            size, displacement, changes = find_changes(components, axes, cell, lattice, variance, LIMITS, images)
            pictures |= changes
            findings += [size, displacement]
    findings.append(_coverage(components, lattice))
    evidence = {**pictures, "bragg": nodes} if images else {}
    return Findings(tuple(findings), "suitability", LIMITATIONS, evidence)


def _finding(name: str, number: float, words: str) -> Finding:
    return Finding(name, float(number), *LIMITS[name], words)


def _untested(name: str, why: str) -> Finding:
    return Finding.untested(name, LIMITS[name], why)


# --- The findings -----------------------------------------------------------------------------------------------------


def _fit(components: Components, variance: Floats) -> Finding:
    """Share of the variance that the product leaves unexplained, counting noise taken off."""
    seen = components.plane.measured
    total = total_variance(components)
    noise = float(variance[seen].sum()) / total
    left = float(np.sum(components.residual[seen] ** 2)) / total
    words = (
        f"the product explains {1 - left:.2%} of the variance, R = {components.r_factor:.1%}; noise allows "
        f"{1 - noise:.2%}. Mean square residual in units of noise: {left / max(noise, 1e-30):.3g}"
    )
    return _finding("fit", max(left - noise, 0.0), words)


def _coverage(components: Components, lattice: PlaneLattice | None) -> Finding:
    words = f"{components.plane.coverage:.1%} of the pixels were measured"
    axes = components.plane.axes
    if lattice is not None and axes is not None:
        pixel = (axes.x[1] - axes.x[0]) * (axes.y[1] - axes.y[0])
        cells = components.plane.measured.sum() * pixel / abs(float(np.linalg.det(lattice.translations)))
        words += f", {cells:.0f} reciprocal cells"
    return _finding("coverage", 1 - components.plane.coverage, f"{words}; elsewhere the factors are filled in")


def _halves(
    components: Components, axes: PlaneAxes, lattice: PlaneLattice, form: Floats
) -> tuple[CellMap, CellMap] | None:
    """I_SRO from every other cell and from the rest, like the fields of a chessboard; None where one half is empty."""
    seen, intensity = components.plane.measured, measured_intensity(components)
    place = np.floor(np.stack(np.meshgrid(axes.x, axes.y), axis=-1) @ lattice.frequencies.T)
    white = np.mod(place.sum(axis=-1), 2) == 0
    found = []
    for colour in (white, ~white):
        weight = (seen & colour) * form
        if not np.any(weight):
            return None
        found.append(fit_waves(intensity / form, weight, lattice.frequencies, axes.x, axes.y, COMPARED_ORDER))
    return found[0], found[1]


def _periodic_signal(halves: tuple[CellMap, CellMap] | None) -> Finding:
    """Is anything periodic that noise would not make? Two halves of the cells say the same of it, or do not."""
    if halves is None:
        return _untested("signal", "less than two reciprocal cells were measured")
    first, second = (np.concatenate([one.cosine[1:], one.sine[1:]]) for one in halves)
    chance = probability_of_halves(first, second)
    words = f"noise alone makes two halves of the cells agree so well with a probability of {chance:.1g}"
    return _finding("signal", chance, words if chance < LIMITS["signal"][0] else f"no order stands out: {words}")


def _contrast_signal(components: Components) -> Finding:
    """Is there any contrast that noise of pixels would not make? For planes without a lattice."""
    seen = components.plane.measured
    smooth, share = (
        smooth_plane(np.where(seen, values, 0.0), SMOOTHED * max(seen.shape), "reflect")
        for values in (components.plane.intensity, 1.0)
    )
    chance = probability_of_neighbours(measured_intensity(components), seen, smooth / np.maximum(share, 1e-6))
    words = f"noise of pixels alone makes such contrast with a probability of {chance:.1g}"
    return _finding("signal", chance, words if chance < LIMITS["signal"][0] else f"no contrast stands out: {words}")


def _period(
    components: Components,
    axes: PlaneAxes,
    halves: tuple[CellMap, CellMap] | None,
    form: Floats,
    variance: Floats,
) -> tuple[Finding, Floats]:
    """The two halves of the cells must agree. Also returns the difference.

    With N pixels in all and K coefficients, noise alone makes the mean square of half the difference K s^2 / N.
    """
    if halves is None:
        return _untested("period", "less than two reciprocal cells were measured"), np.zeros_like(form)
    seen = components.plane.measured
    first, second = (one(axes.x, axes.y) for one in halves)
    half = form * (first - second) / 2
    coefficients = 2 * len(half_plane(COMPARED_ORDER)) - 1
    expected = coefficients * float(variance[seen].mean())
    number = max(float(np.sum(half[seen] ** 2)) - expected, 0.0) / total_variance(components)
    words = f"I_SRO from every other reciprocal cell and from the rest agree to {np.sqrt(number):.1%} of the contrast"
    if number >= LIMITS["period"][0]:
        words += ": a second phase or crystal, or another cell"
    return _finding("period", number, words), np.where(seen, 2 * half, np.nan)


def _bragg(
    components: Components, axes: PlaneAxes, cell: Cell, lattice: PlaneLattice, variance: Floats
) -> tuple[Finding, Floats]:
    """Share of the intensity at Bragg positions that stands out from the ring around it by more than the other ones do.

    Sharp order raises all positions alike; what is left of Bragg peaks raises each differently.
    """
    seen, intensity = components.plane.measured, measured_intensity(components)
    hkl = axes.hkl()
    nearest = np.round(hkl)
    shortest = float(np.linalg.norm(lattice.translations @ np.stack([axes.u, axes.v]) @ cell.reciprocal, axis=1).min())
    radius = np.linalg.norm((hkl - nearest) @ cell.reciprocal, axis=-1) / shortest
    steps = np.linalg.norm(np.stack([axes.u, axes.v]) @ cell.reciprocal, axis=1) * [
        axes.x[1] - axes.x[0],
        axes.y[1] - axes.y[0],
    ]
    core_radius = max(CORE, float(steps.max()) / shortest)
    if radius.min() > CORE or core_radius > 2 * CORE:
        why = "no Bragg position lies in the plane" if radius.min() > CORE else "pixels are too coarse to see peaks"
        return _untested("bragg", why), np.empty((0, 2))
    core, ring = seen & (radius < core_radius), seen & (radius > 2 * core_radius) & (radius < 4 * core_radius)
    form = smooth_form_factor(components.form_factor, axes, lattice, FILLING_DISTANCE)
    number = np.unique((nearest @ [1, 1000, 1000000]).astype(np.int64), return_inverse=True)[1].reshape(radius.shape)
    pixels = [np.bincount(number[part], minlength=number.max() + 1) for part in (core, ring)]
    good = (pixels[0] >= 1) & (pixels[1] >= 4)
    if good.sum() < FEWEST_NODES:
        return _untested("bragg", f"only {good.sum()} Bragg positions were measured"), np.empty((0, 2))

    def mean(part: NDArray[np.bool_], values: Floats) -> Floats:
        sums = np.bincount(number[part], values[part], minlength=number.max() + 1)[good]
        return np.asarray(sums / np.bincount(number[part], minlength=number.max() + 1)[good])

    ordered = components.short_range_order
    rise = mean(core, ordered) / np.maximum(mean(ring, ordered), 1e-2)
    excess = mean(core, intensity / form) - rise * mean(ring, intensity / form)
    noise = variance / form**2
    error = np.sqrt(mean(core, noise) / pixels[0][good] + rise**2 * mean(ring, noise) / pixels[1][good])
    # The largest of n normal deviates is about sqrt(2 ln n): noise lifts one position in all, not one in forty.
    chance = np.sqrt(2 * np.log(np.count_nonzero(good)))
    excess = np.clip(excess - np.median(excess) - chance * error, 0.0, None)
    level = np.maximum(mean(core, ordered), 1e-2)
    strength = mean(core, form)
    share = float(np.sum(strength * excess) / np.sum(strength * level))
    words = (
        f"{share:.1%} of the intensity at {good.sum()} Bragg positions is sharp and differs from one to the next; "
        + ("mask what is left of Bragg peaks" if share >= LIMITS["bragg"][0] else "no trace of Bragg peaks")
    )
    Q = mean(core, np.linalg.norm(hkl @ cell.reciprocal, axis=-1))
    return _finding("bragg", share, words), np.stack([Q, excess / (level + excess)], axis=1)
