"""Is the crystal suitable? What a factorized plane tells of the assumptions behind I_D = I_FF I_SRO.

Section 3.3 of Fuller & Rudden (2024) asks for binary substitutional disorder on one site a cell and for little
displacive disorder. Every check here compares the data with a part of that, needs no truth, and has limits set on
simulated planes (benchmarks/suitability_rates.py).
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from unscatter.diffuse.plane.fold import PlaneLattice, fit_waves, half_plane, local_mean, plane_lattice
from unscatter.diffuse.plane.separable import wave_tables
from unscatter.nouns.cell import Cell
from unscatter.nouns.components import Components
from unscatter.nouns.findings import Finding, Findings
from unscatter.nouns.plane import PlaneAxes

Floats: TypeAlias = NDArray[np.float64]

#: What a finding is called; where it turns fair and where poor.
LIMITS: dict[str, tuple[float, float]] = {
    "fit": (0.004, 0.02),
    "period": (0.0004, 0.005),
    "bragg": (0.05, 0.15),
    "size effect": (0.03, 0.1),
    "displacement": (0.03, 0.1),
    # What is not measured; the networks were trained on planes of which 35 to 50 % or more was.
    "coverage": (0.5, 0.65),
}
#: Harmonics of I_SRO that are compared between alternate cells, and those that may change across the plane.
COMPARED_ORDER, CHANGING_ORDER = 4, 2
#: Longest distance in a molecule that fills the cell, in cells: a smooth I_FF holds nothing beyond.
LONGEST_DISTANCE, FILLING_DISTANCE = 1.3, 1.0
#: Radius in shortest translations of what counts as a Bragg position, and the fewest of them that are judged.
CORE, FEWEST_NODES = 0.06, 6
#: Pixels along a translation that are enough for the harmonics that may change.
FEW_PIXELS = 10
#: Distance of the pixels that are compared for noise: neighbours share noise once a plane was interpolated.
APART = 2
_BINS = 24


#: What no check can see; section 3.3 of the paper.
LIMITATIONS = (
    "What no check proves: two components come out of any plane. They mean I_FF and I_SRO only for binary "
    "substitutional disorder on one site a cell with little displacive disorder (Fuller & Rudden 2024, section 3.3)."
)


def assess_suitability(components: Components, *, images: bool = True) -> Findings:
    """Compare a factorized plane with what binary substitutional disorder on one site a cell would give.

    images: also make the images (ny, nx) behind the findings, and as "bragg" (n, 2) |Q| in 1/Angstrom of Bragg
    positions with the share of their intensity that stands out. Without cell and axes only fit and coverage are judged.
    """
    components = components.unsaturated
    plane = components.plane
    lattice = plane_lattice(plane.axes) if plane.axes is not None and plane.cell is not None else None
    variance = noise_variance(components)
    findings = [_fit(components, variance)]
    pictures = {"fit": components.residual / np.sqrt(variance)}
    nodes = np.empty((0, 2))
    if lattice is None or plane.axes is None or plane.cell is None:
        why = "needs cell and axes, and a plane that holds two translations of the lattice"
        findings += [_untested(name, why) for name in ("period", "bragg", "size effect", "displacement")]
    else:
        axes, cell = plane.axes, plane.cell
        smooth = smooth_form_factor(components.form_factor, axes, lattice, LONGEST_DISTANCE)
        period, pictures["period"] = _period(components, axes, lattice, smooth, variance)
        bragg, nodes = _bragg(components, axes, cell, lattice, variance)
        findings += [period, bragg]
        if lattice.centre is None:
            why = "the plane lies between layers; take one of whole or half indices"
            findings += [_untested(name, why) for name in ("size effect", "displacement")]
        else:
            size, displacement, changes = _changes(components, axes, cell, lattice, variance, images)
            pictures |= changes
            findings += [size, displacement]
    findings.append(_coverage(components, lattice))
    evidence = {**pictures, "bragg": nodes} if images else {}
    return Findings(tuple(findings), "suitability", LIMITATIONS, evidence)


def _finding(name: str, number: float, words: str) -> Finding:
    return Finding(name, float(number), *LIMITS[name], words)


def _untested(name: str, why: str) -> Finding:
    return Finding.untested(name, LIMITS[name], why)


# --- Noise, and a smooth form factor ----------------------------------------------------------------------------------


def noise_variance(components: Components) -> Floats:
    """Variance of every pixel, by its level, from how much the residual differs between neighbours, (ny, nx).

    r - mean of the four pixels APART away has variance 5/4 s^2 and does not see what is wrong over many pixels. Data
    that were blurred or interpolated over more than that scatter more than they differ; then this is too small.
    """
    measured, product = components.plane.measured, np.clip(components.product, 0.0, None)
    residual = np.where(measured, components.residual, 0.0)
    d = APART
    inner = np.s_[d:-d, d:-d]
    around = [np.s_[: -2 * d, d:-d], np.s_[2 * d :, d:-d], np.s_[d:-d, : -2 * d], np.s_[d:-d, 2 * d :]]
    whole = np.all([measured[part] for part in (inner, *around)], axis=0)
    difference = residual[inner] - np.mean([residual[part] for part in around], axis=0)
    floor = 1e-12 * float(np.mean(product**2)) + 1e-300
    # A difference scatters as all five pixels do; relative to their level it is alike within a bin.
    level = (product[inner] + np.mean([product[part] for part in around], axis=0) / 4)[whole] / 1.25
    level = level + 1e-3 * float(product.mean()) + 1e-300
    relative = difference[whole] ** 2 / 1.25 / level
    if relative.size < 4 * _BINS:
        return np.full_like(product, max(float(np.mean(relative * level)) if relative.size else 0.0, floor))
    edges = np.quantile(level, np.linspace(0, 1, _BINS + 1)[1:-1])
    groups = _split(np.searchsorted(edges, level))
    middle = np.array([level[part].mean() for part in groups])
    ratio = np.array([_trimmed_mean(relative[part]) for part in groups])
    return np.asarray(np.maximum(np.interp(product, middle, ratio) * product, floor))


def _split(place: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Indices of the entries of each bin."""
    order = np.argsort(place, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(place[order])) + 1)


def _trimmed_mean(squared: Floats) -> float:
    """Mean of squares without the largest 0.5 %, hot pixels and peaks, which hold 4.6 % of the sum for Gaussian noise.

    The median would not do: counts below one a pixel are far from Gaussian.
    """
    kept = np.sort(squared)[: max(int(np.ceil(0.995 * squared.size)), 1)]
    return float(kept.mean()) * 0.995 / 0.954


def smooth_form_factor(form: Floats, axes: PlaneAxes, lattice: PlaneLattice, distance: float) -> Floats:
    """I_FF without what is sharper than distances of so many cells inside a molecule can make, (ny, nx)."""
    reach = distance * np.max(np.abs(lattice.frequencies), axis=0)
    smooth = _low_pass(axes.y, reach[1]) @ form @ _low_pass(axes.x, reach[0]).T
    return np.clip(smooth, 1e-3 * float(form.max()) + 1e-300, None)


def _low_pass(axis: Floats, cutoff: float) -> Floats:
    """Matrix (n, n) that keeps waves below a frequency: a sinc under a Hann window, rows of sum 1."""
    apart = axis[:, None] - axis[None, :]
    window = np.where(np.abs(apart) * cutoff < 3, 0.5 + 0.5 * np.cos(np.pi * apart * cutoff / 3), 0.0)
    kernel = np.sinc(2 * cutoff * apart) * window
    return np.asarray(kernel / kernel.sum(axis=1, keepdims=True))


def _measured_intensity(components: Components) -> Floats:
    return np.where(components.plane.measured, components.plane.intensity, 0.0)


def _total_variance(components: Components) -> float:
    """Sum of (I - mean I)^2 over the measured pixels."""
    intensity = components.plane.intensity[components.plane.measured]
    return max(float(np.sum((intensity - intensity.mean()) ** 2)), 1e-300)


# --- The findings -----------------------------------------------------------------------------------------------------


def _fit(components: Components, variance: Floats) -> Finding:
    """Share of the variance that the product leaves unexplained, counting noise taken off."""
    seen = components.plane.measured
    total = _total_variance(components)
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


def _period(
    components: Components, axes: PlaneAxes, lattice: PlaneLattice, form: Floats, variance: Floats
) -> tuple[Finding, Floats]:
    """Fit I_SRO in every other cell, like the fields of a chessboard; the two must agree. Also returns the difference.

    With N pixels in all and K coefficients, noise alone makes the mean square of half the difference K s^2 / N.
    """
    seen, intensity = components.plane.measured, _measured_intensity(components)
    place = np.floor(np.stack(np.meshgrid(axes.x, axes.y), axis=-1) @ lattice.frequencies.T)
    white = np.mod(place.sum(axis=-1), 2) == 0
    found = []
    for colour in (white, ~white):
        weight = (seen & colour) * form
        if not np.any(weight):
            return _untested("period", "less than two reciprocal cells were measured"), np.zeros_like(form)
        series = fit_waves(intensity / form, weight, lattice.frequencies, axes.x, axes.y, COMPARED_ORDER)
        found.append(series(axes.x, axes.y))
    half = form * (found[0] - found[1]) / 2
    coefficients = 2 * len(half_plane(COMPARED_ORDER)) - 1
    expected = coefficients * float(variance[seen].mean())
    number = max(float(np.sum(half[seen] ** 2)) - expected, 0.0) / _total_variance(components)
    words = f"I_SRO from every other reciprocal cell and from the rest agree to {np.sqrt(number):.1%} of the contrast"
    return _finding("period", number, words), np.where(seen, 2 * half, np.nan)


def _bragg(
    components: Components, axes: PlaneAxes, cell: Cell, lattice: PlaneLattice, variance: Floats
) -> tuple[Finding, Floats]:
    """Share of the intensity at Bragg positions that stands out from the ring around it by more than the other ones do.

    Sharp order raises all positions alike; what is left of Bragg peaks raises each differently.
    """
    seen, intensity = components.plane.measured, _measured_intensity(components)
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
    excess = np.clip(excess - np.median(excess) - 2 * error, 0.0, None)
    level = np.maximum(mean(core, ordered), 1e-2)
    strength = mean(core, form)
    share = float(np.sum(strength * excess) / np.sum(strength * level))
    words = (
        f"{share:.1%} of the intensity at {good.sum()} Bragg positions is sharp and differs from one to the next; "
        + ("mask what is left of Bragg peaks" if share >= LIMITS["bragg"][0] else "no trace of Bragg peaks")
    )
    Q = mean(core, np.linalg.norm(hkl @ cell.reciprocal, axis=-1))
    return _finding("bragg", share, words), np.stack([Q, excess / (level + excess)], axis=1)


def _changes(
    components: Components, axes: PlaneAxes, cell: Cell, lattice: PlaneLattice, variance: Floats, images: bool
) -> tuple[Finding, Finding, dict[str, Floats]]:
    """Does the periodic part change across the plane as displacements make it do?

    Displacements add to I_SRO terms Q . v sin(Q v), the size effect, and Q^2 cos(Q v) (Borie & Sparks, Acta Cryst.
    A27, 198, 1971). Both are fitted to I / I_FF, with an I_FF so smooth that it cannot take them up, beside constant
    harmonics; each counts as the share of the variance that only it explains.
    """
    width = lattice.window
    form = _cell_mean(components.form_factor, axes, width)
    regression = _Regression(components, axes, cell, lattice, form)
    gains, pictures = {}, {}
    everything = ("constant", "size effect", "displacement")
    whole = regression.chi2(everything)
    noise = float(np.sum(components.plane.measured * variance / form))
    total = max(regression.chi2(()), 1e-300)
    for name in everything[1:]:
        rest = tuple(other for other in everything if other != name)
        # Each coefficient takes up noise of about one average pixel.
        expected = regression.count(name) * noise / max(float(components.plane.measured.sum()), 1.0)
        gains[name] = max(regression.chi2(rest) - whole - expected, 0.0) / total
        if images:
            pictures[name] = form * regression.image(everything, name)
    direction = "grows" if regression.at_centre(everything) > 0 else "falls"
    size = _finding(
        "size effect",
        gains["size effect"],
        f"{gains['size effect']:.1%} of the variance is asymmetric about points of the lattice, more so at larger |Q|",
    )
    displacement = _finding(
        "displacement",
        gains["displacement"],
        f"{gains['displacement']:.1%} of the variance is periodic with a strength that changes as Q^2; it "
        f"{direction} with |Q| at the points of the lattice"
        + (": displacive disorder" if gains["displacement"] >= LIMITS["displacement"][0] else ""),
    )
    return size, displacement, pictures


def _pixels_per_cell(axes: PlaneAxes, lattice: PlaneLattice) -> float:
    """Pixels along the shorter translation."""
    steps = np.array([axes.x[1] - axes.x[0], axes.y[1] - axes.y[0]])
    return float(np.linalg.norm(lattice.translations / steps, axis=1).min())


def _cell_mean(form: Floats, axes: PlaneAxes, width: tuple[float, float]) -> Floats:
    """Mean of I_FF over one reciprocal cell around each pixel."""
    mean = local_mean(form, np.ones_like(form), axes.x, axes.y, *width)
    return np.asarray(np.maximum(mean, 1e-3 * float(form.max()) + 1e-300))


class _Regression:
    """I / I_FF as harmonics that are constant, grow with Q, or with Q^2, on the measured pixels, weighted by I_FF."""

    def __init__(
        self, components: Components, axes: PlaneAxes, cell: Cell, lattice: PlaneLattice, form: Floats
    ) -> None:
        self._axes, self._lattice = axes, lattice
        Q = np.moveaxis(axes.hkl() @ cell.reciprocal, -1, 0)
        directions = np.linalg.qr((np.stack([axes.u, axes.v]) @ cell.reciprocal).T)[0].T
        along = np.tensordot(directions, Q, axes=1)
        squared = np.sum(Q**2, axis=0)
        # In units of their maximum, so that all columns of the normal matrix are of one size.
        self._factors = (*(one / np.abs(along).max() for one in along), squared / squared.max())
        count = len(half_plane(CHANGING_ORDER)) - 1
        self._labels = np.repeat(["mean", "constant", "size effect", "displacement"], [1, count, 2 * count, count])
        weight = components.plane.measured * form
        target = _measured_intensity(components) / form
        size = len(self._labels)
        self._normal, self._right, self._square = np.zeros((size, size)), np.zeros(size), 0.0
        # Many pixels a cell say little more of two harmonics than a few do.
        stride = max(int(_pixels_per_cell(axes, lattice) // FEW_PIXELS), 1)
        columns = np.arange(0, axes.x.size, stride)
        # A band of rows at a time: all basis functions of a large plane would fill the memory.
        for rows in self._bands(stride):
            basis = self._basis(rows, columns).reshape(size, -1)
            w, y = weight[np.ix_(rows, columns)].ravel(), target[np.ix_(rows, columns)].ravel()
            self._normal += (basis * w) @ basis.T
            self._right += basis @ (w * y)
            self._square += float(np.sum(w * y**2))

    def count(self, name: str) -> int:
        """Number of coefficients of a term."""
        return int(np.sum(self._labels == name))

    def _bands(self, stride: int = 1) -> list[NDArray[np.int64]]:
        rows = np.arange(0, self._axes.y.size, stride)
        return np.array_split(rows, max(len(rows) // 16, 1))

    def _basis(self, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> Floats:
        """All basis functions on some rows and columns of the plane, (n, rows, columns)."""
        frequency = half_plane(CHANGING_ORDER)[1:] @ self._lattice.frequencies
        centre = self._lattice.centre or (0.0, 0.0)
        cos_x, sin_x = wave_tables(frequency[:, 0], self._axes.x[columns] - centre[0])
        cos_y, sin_y = wave_tables(frequency[:, 1], self._axes.y[rows] - centre[1])
        even = cos_y[:, :, None] * cos_x[:, None] - sin_y[:, :, None] * sin_x[:, None]
        odd = sin_y[:, :, None] * cos_x[:, None] + cos_y[:, :, None] * sin_x[:, None]
        x, y, squared = (factor[np.ix_(rows, columns)] for factor in self._factors)
        return np.concatenate([np.ones_like(even[:1]), even, x * odd, y * odd, squared * even])

    def _solve(self, terms: tuple[str, ...]) -> tuple[NDArray[np.int64], Floats]:
        kept = np.flatnonzero(np.isin(self._labels, ("mean", *terms)))
        normal = self._normal[np.ix_(kept, kept)]
        normal = normal + 1e-6 * np.diag(np.diag(normal))
        return kept.astype(np.int64), np.asarray(np.linalg.solve(normal, self._right[kept]), dtype=np.float64)

    def chi2(self, terms: tuple[str, ...]) -> float:
        """Weighted sum of squares that is left with some of the terms."""
        kept, found = self._solve(terms)
        normal = self._normal[np.ix_(kept, kept)]
        return float(self._square - 2 * found @ self._right[kept] + found @ normal @ found)

    def image(self, terms: tuple[str, ...], name: str) -> Floats:
        """What one of the terms adds to I / I_FF, (ny, nx)."""
        kept, found = self._solve(terms)
        shown = np.where(self._labels[kept] == name, found, 0.0)
        columns = np.arange(self._axes.x.size)
        return np.concatenate([np.tensordot(shown, self._basis(r, columns)[kept], axes=1) for r in self._bands()])

    def at_centre(self, terms: tuple[str, ...]) -> float:
        """Whether the Q^2 term adds (> 0) or takes off at the centre of symmetry, where all cosines are 1."""
        kept, found = self._solve(terms)
        return float(found[self._labels[kept] == "displacement"].sum())
