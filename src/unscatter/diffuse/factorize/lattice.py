"""Find the periods of I_SRO in a plane whose cell nobody gave: the lattice read off the picture itself.

log I_D = log I_FF + log I_SRO. A molecule is small, so the spectrum of the first term is broad and smooth; the second
repeats over the whole plane, so its spectrum is a lattice of spikes as sharp as the plane is wide. The steps: flatten
the plane, measure every spike against its surroundings, find the lattice that holds most of them, and fit its four
numbers to the whole plane.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

from unscatter.diffuse.plane.fold import PlaneLattice, fit_waves
from unscatter.diffuse.plane.separable import sum_waves

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

#: Planes with more pixels an edge are averaged in blocks first.
LARGEST_EDGE = 384
#: Translations looked for: the shortest in pixels, the longest as a share of the longer edge. Harmonics count down to
#: the shortest wave in pixels.
SHORTEST_PERIOD = 10.0
LONGEST_PERIOD = 0.2
SHORTEST_WAVE = 6.0
#: Width of the Gaussian that stands in for I_FF, and of the soft border, as shares of an edge.
SMOOTHING = 0.04
BORDER = 0.1
#: Added to I / I_FF before the logarithm, so that noise where I_SRO is nearly zero does not dominate.
FLOOR = 0.15
#: The spectrum is sampled this many times finer than a plane's own resolution; widths below are in such bins.
PADDING = 2
#: Widths of the Gaussians that average the log power around a spike: to find spikes, and to whiten the plane.
SURROUNDINGS = 6.0
WHITENING = 2.5
#: Log power over the surroundings that makes a spike (noise alone reaches 2.7), and how many are tried in pairs.
LEAST_SPIKE = 3.0
SPIKES = 20
#: Lattices refined before the best is chosen.
FOLLOWED = 16
#: What a harmonic must stand out by to pay for itself, and the most that one is credited with.
COST = 1.7
TALLEST = 6.0
#: Harmonics in the final fit, and its steps.
ORDER = 4
STEPS = 3
#: Confidence that a lattice needs to be believed, set on the training split of the recipe `measured`.
LEAST_CONFIDENCE = 5.0
#: Drift across the plane, in pixels, below which a translation is taken to run along an axis.
ALONG_AXIS = 1.0


@dataclass(frozen=True)
class FoundLattice:
    """A lattice found in a picture, and how far to trust it.

    lattice: the two shortest translations in pixels, x along columns and y along rows, without a centre;
    score: log power of its harmonics over their surroundings, less a cost each; share: part of all spikes in the
    spectrum, weighted by height, that lie on the lattice, 0 to 1; confidence: the product of the two.
    """

    lattice: PlaneLattice
    score: float
    share: float

    @property
    def confidence(self) -> float:
        """At least 5; clear cases reach 10 to 80."""
        return self.score * self.share


def find_plane_lattice(intensity: Floats, measured: NDArray[np.bool_]) -> FoundLattice | None:
    """Translations of I_SRO from a plane alone; None where none is found with confidence.

    intensity, measured: (ny, nx), any scale, any value where not measured. Periods from 10 pixels (of a plane averaged
    to at most 384 pixels an edge) to a fifth of the plane are looked for. A form factor that itself nearly repeats
    over the whole plane, as of flat molecules with one bond length, can be taken for a lattice, and a lattice with
    every other spike too weak for half of itself.
    """
    values, weight, factor = _average_blocks(intensity, measured)
    if not np.any(values * weight > 0):
        return None
    logarithm, weight = _flatten(values, weight)
    spectrum = _log_spectrum(logarithm * weight)
    coarse = _best_lattice(spectrum)
    if coarse is None:
        return None
    score, share = _score(spectrum, coarse)[0], _share(spectrum, coarse)
    if score * share < LEAST_CONFIDENCE:
        return None
    frequencies = _refine(_whiten(logarithm * weight, weight), weight**2, coarse / spectrum.size)
    translations = _reduce(*np.linalg.inv(frequencies).T)
    if translations is None:
        return None
    lattice = PlaneLattice(factor * _align(translations, values.shape), None)
    return FoundLattice(lattice, score, share)


def _average_blocks(intensity: Floats, measured: NDArray[np.bool_]) -> tuple[Floats, Floats, int]:
    """A plane of at most LARGEST_EDGE pixels an edge, its weight (0 or 1), and the pixels averaged along an edge."""
    factor = math.ceil(max(intensity.shape) / LARGEST_EDGE)
    ny, nx = (n // factor for n in intensity.shape)
    seen = measured & np.isfinite(intensity)

    def average(plane: Floats) -> Floats:
        blocks = plane[: ny * factor, : nx * factor].reshape(ny, factor, nx, factor)
        return np.asarray(blocks.mean(axis=(1, 3)))

    share = average(seen.astype(np.float64))
    weight = (share >= 0.5).astype(np.float64)
    total = average(np.where(seen, np.clip(intensity, 0.0, None), 0.0))
    return weight * total / np.where(share > 0, share, 1.0), weight, factor


def _flatten(values: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """Logarithm of a plane over its local mean, and its weight: less where I_FF is weak or a border near."""

    def smooth(sigma: float) -> Floats:
        total, seen = (
            ndimage.gaussian_filter(a, sigma, mode="constant", truncate=3.0) for a in (values * weight, weight)
        )
        return np.asarray(total / np.maximum(seen, 1e-3))

    near, far = smooth(1.0), smooth(SMOOTHING * max(values.shape))
    typical = np.sum(far * weight) / np.sum(weight)
    logarithm = np.log(near / (far + 0.02 * typical) + FLOOR)
    rows, columns = (_soft_border(n) for n in values.shape)
    weight = weight * far / (far + 0.3 * typical) * np.outer(rows, columns)
    return logarithm - np.sum(weight * logarithm) / np.sum(weight), weight


def _soft_border(pixels: int) -> Floats:
    """A weight that falls to zero at both ends, (pixels,): sharp ends would blur every spike into a cross."""
    place = np.arange(pixels) + 0.5
    edge = np.minimum(place, pixels - place) / (BORDER * pixels)
    return np.asarray(0.5 - 0.5 * np.cos(np.pi * np.clip(edge, 0.0, 1.0)))


@dataclass(frozen=True)
class _Spectrum:
    """Log power of a plane over its surroundings, (2 reach + 1, 2 reach + 1), zero frequency in the middle.

    Frequencies are counted in bins of 1 / size waves a pixel, as (x, y).
    """

    excess: Floats
    size: int

    @property
    def reach(self) -> int:
        return len(self.excess) // 2

    @property
    def lowest(self) -> float:
        """The frequency of the longest period looked for."""
        return PADDING / LONGEST_PERIOD

    def at(self, bins: Floats) -> Floats:
        """Excess at frequencies (..., 2), zero out of range."""
        index = np.moveaxis(bins[..., ::-1] + self.reach, -1, 0)
        return np.asarray(ndimage.map_coordinates(self.excess, index, order=1, mode="constant"))


def _log_spectrum(plane: Floats) -> _Spectrum:
    size = fft.next_fast_len(PADDING * max(plane.shape))
    power = np.abs(fft.fft2(plane, s=(size, size))) ** 2
    reach = min(int(1.1 * size / SHORTEST_WAVE), size // 2 - 1)
    power = np.roll(power, (reach, reach), axis=(0, 1))[: 2 * reach + 1, : 2 * reach + 1]
    log_power = np.log(power + 1e-9 * power.max() + 1e-300)
    # The mean of a logarithm hardly notices the spikes it runs over.
    return _Spectrum(log_power - ndimage.gaussian_filter(log_power, SURROUNDINGS), size)


def _spikes(spectrum: _Spectrum) -> tuple[Floats, Floats]:
    """The highest spikes of one half plane, highest first: frequencies (n, 2) and heights (n,)."""
    excess, reach = spectrum.excess, spectrum.reach
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    top = (excess == ndimage.maximum_filter(excess, 5)) & (excess > LEAST_SPIKE)
    top &= ((y > 0) | ((y == 0) & (x > 0))) & (np.hypot(x, y) >= spectrum.lowest)
    order = np.argsort(-excess[top], kind="stable")[:SPIKES]
    return np.stack([x[top], y[top]], axis=-1)[order].astype(np.float64), excess[top][order]


def _best_lattice(spectrum: _Spectrum) -> Floats | None:
    """The lattice that the spikes speak for, (2, 2) in bins: the best once the most promising have been sharpened."""
    spikes, _ = _spikes(spectrum)

    def score(basis: Floats) -> float:
        return _score(spectrum, basis)[0]

    promising = sorted(_lattices(spectrum, spikes), key=score, reverse=True)[:FOLLOWED]
    return max((_sharpen(spectrum, basis) for basis in promising), key=score, default=None)


def _lattices(spectrum: _Spectrum, spikes: Floats) -> list[Floats]:
    """Lattices spanned by two spikes, each once."""
    found: dict[tuple[int, ...], Floats] = {}
    for first, second in itertools.combinations(spikes, 2):
        basis = _reduce(first, second)
        if basis is not None and _within(np.linalg.norm(basis, axis=1), spectrum):
            found.setdefault(tuple(np.round(basis).astype(int).ravel().tolist()), basis)
    return list(found.values())


def _within(lengths: Floats, spectrum: _Spectrum) -> bool:
    return bool(lengths.min() >= spectrum.lowest and lengths.max() <= spectrum.size / SHORTEST_PERIOD)


def _reduce(first: Floats, second: Floats) -> Floats | None:
    """Two shortest vectors of the lattice that two others span (Lagrange-Gauss), None where those are parallel."""
    a, b = (first, second) if first @ first <= second @ second else (second, first)
    while True:
        b = b - np.round(a @ b / (a @ a)) * a
        if b @ b < 1e-3 * (a @ a):
            return None
        if b @ b >= a @ a * (1 - 1e-9):
            break
        a, b = b, a
    along, across = sorted((a, b), key=lambda t: abs(float(t[1])))
    return np.stack([_forward(along), _forward(across)])


def _forward(vector: Floats) -> Floats:
    return vector if vector[np.argmax(np.abs(vector))] > 0 else -vector


def _harmonics(spectrum: _Spectrum, basis: Floats) -> Integers:
    """Harmonics (K, 2) of half a plane within the spectrum, nearest first."""
    m, n = (int(s) for s in spectrum.reach * np.abs(np.linalg.inv(basis)).sum(axis=0))
    a, b = np.mgrid[0 : m + 1, -n : n + 1]
    steps = np.stack([a, b], axis=-1)[(a > 0) | (b > 0)]
    length = np.linalg.norm(steps @ basis, axis=1)
    order = np.argsort(length, kind="stable")
    return np.asarray(steps[order][length[order] <= spectrum.reach - 1])


def _score(spectrum: _Spectrum, basis: Floats) -> tuple[float, Integers]:
    """Sum of what the harmonics stand out by, less a cost each, out to where it is largest; and those harmonics.

    Too fine a lattice pays for harmonics that are not there, too coarse a one misses some that are.
    """
    steps = _harmonics(spectrum, basis)
    if not len(steps):
        return 0.0, steps
    total = np.cumsum(np.clip(spectrum.at(steps @ basis), -1.0, TALLEST) - COST)
    last = int(np.argmax(total))
    return float(total[last]), steps[: last + 1]


def _share(spectrum: _Spectrum, basis: Floats) -> float:
    spikes, heights = _spikes(spectrum)
    steps = spikes @ np.linalg.inv(basis)
    distance = np.linalg.norm((steps - np.round(steps)) @ basis, axis=1)
    return float(np.sum(heights[distance < 0.75 * PADDING]) / max(float(np.sum(heights)), 1e-12))


def _sharpen(spectrum: _Spectrum, basis: Floats) -> Floats:
    """Move a basis so that its harmonics meet the tops of the spikes, the near ones first."""
    start = basis
    for share in (0.5, 0.75, 1.0):
        steps = _score(spectrum, basis)[1]
        length = np.linalg.norm(steps @ basis, axis=1)
        farthest = max(share * length.max(initial=0.0), np.linalg.norm(basis, axis=1).max() + 1)
        if not np.any(length <= farthest):
            break
        basis = basis + _towards_tops(spectrum, basis, steps[length <= farthest])
    return basis if np.abs(basis - start).max() < PADDING else start


#: A bin and its eight neighbours, and the least-squares paraboloid 1, x, y, (x^2 + y^2) / 2 through nine values.
_NEIGHBOURS = np.array(list(itertools.product((-1.0, 0.0, 1.0), repeat=2)))
_PARABOLOID = np.linalg.pinv(np.column_stack([np.ones(9), _NEIGHBOURS, np.sum(_NEIGHBOURS**2, axis=1) / 2]))


def _towards_tops(spectrum: _Spectrum, basis: Floats, steps: Integers) -> Floats:
    """Change of a basis, by weighted least squares, that takes its harmonics to the nearest tops."""
    nearest = np.round(steps @ basis)
    heights = spectrum.at(nearest[:, None] + _NEIGHBOURS)
    _, *slope, bend = _PARABOLOID @ heights.T
    to_top = np.clip(np.stack(slope, axis=-1) / np.maximum(-bend, 0.2)[:, None], -1.5, 1.5)
    weighted = steps * np.clip(heights.max(axis=1) - COST, 0.0, TALLEST)[:, None]
    normal = weighted.T @ steps
    normal += np.eye(2) * (1e-3 * np.trace(normal) + 1e-9)
    return np.linalg.solve(normal, weighted.T @ (nearest + to_top - steps @ basis))


def _whiten(plane: Floats, weight: Floats) -> Floats:
    """Divide the spectrum of a weighted plane by its own smooth amplitude, and take the weight off again.

    What I_FF leaves at low frequencies would pull the first harmonics about; this gives each the weight of its spike.
    """
    size = fft.next_fast_len(PADDING * max(plane.shape))
    wave = fft.rfft2(plane, s=(size, size))
    power = np.abs(wave) ** 2
    smooth = ndimage.gaussian_filter(
        np.log(power + 1e-12 * power.max()), WHITENING, mode=("wrap", "mirror"), truncate=3.0
    )
    frequency = np.hypot(fft.fftfreq(size)[:, None], fft.rfftfreq(size))
    wave = np.where(frequency < 1.1 / SHORTEST_WAVE, wave * np.exp(-smooth / 2), 0.0)
    rows, columns = plane.shape
    white = fft.irfft2(wave, s=(size, size))[:rows, :columns]
    return np.asarray(white / np.maximum(weight, 1e-2))


def _refine(plane: Floats, weight: Floats, frequencies: Floats) -> Floats:
    """Gauss-Newton on the fold of the whole plane over the four numbers of its frequencies (2, 2), in waves a pixel."""
    start = frequencies
    # From the middle, where a change of frequency moves no phase.
    y, x = (np.arange(n) - (n - 1) / 2 for n in plane.shape)
    for _ in range(STEPS):
        frequencies = frequencies + _fold_step(plane, weight, frequencies, x, y)
    drift = np.abs(frequencies - start).max() * max(plane.shape)
    return frequencies if drift < 1 else start


def _fold_step(plane: Floats, weight: Floats, frequencies: Floats, x: Floats, y: Floats) -> Floats:
    """Change of the frequencies that explains most of what a fold leaves over."""
    series = fit_waves(plane, weight, frequencies, x, y, ORDER)
    fx, fy = series.frequency_x, series.frequency_y
    harmonics = np.stack([fx, fy], axis=-1) @ np.linalg.inv(frequencies)
    slopes = [sum_waves(series.sine * m, -series.cosine * m, fx, fy, x, y) for m in 2 * np.pi * harmonics.T]
    design = np.stack([(slope * place).ravel() for slope in slopes for place in (x[None, :], y[:, None])])
    weighted = design * weight.ravel()
    normal = weighted @ design.T
    normal += np.eye(4) * (1e-6 * np.trace(normal) + 1e-300)
    return np.linalg.solve(normal, weighted @ (plane - series(x, y)).ravel()).reshape(2, 2)


def _align(translations: Floats, shape: tuple[int, ...]) -> Floats:
    """Lay translations that all but run along an axis exactly along it: smoothing over a cell is then exact too."""
    cells = min(shape) / np.linalg.norm(translations, axis=1)
    return np.where(np.abs(translations) * cells[:, None] < ALONG_AXIS, 0.0, translations)
