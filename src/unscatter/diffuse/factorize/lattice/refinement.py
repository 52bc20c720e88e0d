"""The four numbers of a lattice, fitted to the whole plane."""

from __future__ import annotations

import numpy as np
from scipy import fft, ndimage

from unscatter.diffuse.factorize.lattice.candidates import reduce
from unscatter.diffuse.factorize.lattice.spectrum import PADDING, SHORTEST_WAVE, FlatPlane
from unscatter.diffuse.plane.fold import PlaneLattice, fit_waves
from unscatter.diffuse.plane.separable import sum_waves
from unscatter.nouns.arrays import Floats

#: Width of the Gaussian that averages the log power to whiten the plane, in bins.
WHITENING = 2.5
#: Harmonics in the fit, and its steps.
ORDER = 4
STEPS = 3
#: Drift across the plane, in pixels, below which a translation is taken to run along an axis.
ALONG_AXIS = 1.0


def whiten(plane: FlatPlane) -> FlatPlane:
    """Divide the spectrum of a weighted plane by its own smooth amplitude, and take the weight off again.

    What I_FF leaves at low frequencies would pull the first harmonics about; this gives each the weight of its spike.
    """
    size = fft.next_fast_len(PADDING * max(plane.shape))
    wave = fft.rfft2(plane.logarithm * plane.weight, s=(size, size))
    power = np.abs(wave) ** 2
    smooth = ndimage.gaussian_filter(
        np.log(power + 1e-12 * power.max() + 1e-300), WHITENING, mode=("wrap", "mirror"), truncate=3.0
    )
    frequency = np.hypot(fft.fftfreq(size)[:, None], fft.rfftfreq(size))
    wave = np.where(frequency < 1.1 / SHORTEST_WAVE, wave * np.exp(-smooth / 2), 0.0)
    rows, columns = plane.shape
    white = fft.irfft2(wave, s=(size, size))[:rows, :columns]
    return FlatPlane(np.asarray(white / np.maximum(plane.weight, 1e-2)), plane.weight**2)


def refine_lattice(white: FlatPlane, frequencies: Floats) -> PlaneLattice | None:
    """Gauss-Newton on the fold of a whitened plane over the four numbers of its frequencies (2, 2), in waves a pixel.

    Returns the two shortest translations in pixels; None where they come out parallel.
    """
    start = frequencies
    # From the middle, where a change of frequency moves no phase.
    y, x = (np.arange(n, dtype=np.float64) - (n - 1) / 2 for n in white.shape)
    for _ in range(STEPS):
        frequencies = frequencies + fold_step(white, frequencies, x, y)
    if np.abs(frequencies - start).max() * max(white.shape) >= 1:
        frequencies = start
    translations = reduce(*np.linalg.inv(frequencies).T)
    return None if translations is None else PlaneLattice(_align(translations, white.shape), None)


def fold_step(plane: FlatPlane, frequencies: Floats, x: Floats, y: Floats) -> Floats:
    """Change of the frequencies (2, 2) that explains most of what a fold leaves over."""
    series = fit_waves(plane.logarithm, plane.weight, frequencies, x, y, ORDER)
    fx, fy = series.frequency_x, series.frequency_y
    harmonics = np.stack([fx, fy], axis=-1) @ np.linalg.inv(frequencies)
    slopes = [sum_waves(series.sine * m, -series.cosine * m, fx, fy, x, y) for m in 2 * np.pi * harmonics.T]
    design = np.stack([(slope * place).ravel() for slope in slopes for place in (x[None, :], y[:, None])])
    weighted = design * plane.weight.ravel()
    normal = weighted @ design.T
    normal += np.eye(4) * (1e-6 * np.trace(normal) + 1e-300)
    left = (plane.logarithm - series(x, y)).ravel()
    return np.asarray(np.linalg.solve(normal, weighted @ left).reshape(2, 2))


def _align(translations: Floats, shape: tuple[int, ...]) -> Floats:
    """Lay translations that all but run along an axis exactly along it: smoothing over a cell is then exact too."""
    cells = min(shape) / np.linalg.norm(translations, axis=1)
    return np.where(np.abs(translations) * cells[:, None] < ALONG_AXIS, 0.0, translations)
