"""From a powder pattern to its lines: where they are, how strong, and the profile that all of them share."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Literal, TypeAlias

import numpy as np

from unscatter.nouns.arrays import Floats, Integers
from unscatter.nouns.lines import Lines
from unscatter.nouns.pattern import Pattern
from unscatter.one_thread import one_thread
from unscatter.powder.pattern.background import HALF_FOOT, estimate_background
from unscatter.powder.pattern.line_shape import CUTS, LineShape, beam_of
from unscatter.powder.refine.beam import possible_beams
from unscatter.powder.refine.images import flag_images
from unscatter.powder.refine.noise import Noise, find_noise
from unscatter.powder.refine.peaks import (
    Data,
    FittedPeaks,
    Free,
    chi_squared,
    eliminate,
    model,
    refine_peaks,
    residual,
    satellites,
    seek,
    uncertainties,
    with_misfit,
)
from unscatter.powder.refine.widths import find_maxima, half_widths, width_laws

#: Lines from which the profile is found: all of a first fit, the main ones, or all with a profile that leans.
Start: TypeAlias = Literal["all", "main", "leaning"]
STARTS: tuple[Start, ...] = ("all", "main", "leaning")

# Lorentzian share from which its refinement starts.
_MIXING = {"neutron": 0.2, "x-ray": 0.5}
# Standard deviations by which the highest maximum stands above the background at least, where there are lines.
_PEAK = 3.0
# A first fit of more lines than this, and than so many for each maximum, describes no lines.
_DENSE, _EACH = 500, 5
# Smooth functions of the baseline beside the estimated background.
_BASELINE = 12
# Misfit of the profile by which main lines are told, and that which their fit allows for.
_MAIN, _LOOSE = 0.03, 0.01
# Misfit of the profile that is allowed for before it has been refined with all lines, and then where there is noise.
_MISFIT, _COUNTED = 0.003, 0.012
# Share of a line's height that its tails have at its foot, from which they are told from background, and how often.
_TAILS, _TAIL_ROUNDS = 0.003, 3
# Asymmetry from which its refinement starts, and chi squared that it must save, also as a share; and that with which
# lines are sought that lean.
_AXIAL, _WORTH, _SHARE, _LEANING = 0.02, 40.0, 0.02, 0.03


@one_thread
def find_lines(pattern: Pattern) -> Lines:
    """Lines of a powder pattern, resolved as far as the profile allows, with the profile found on the way.

    The intensity is sum_j A_j p(2 theta - t_j) + baseline with one pseudo-Voigt p of FWHM^2 = U tan^2 + V tan + W,
    leaning at low angles and doubled where the beam holds K-alpha 2; lines are sought on a fine grid with A_j >= 0,
    merged, refined with the profile, and kept where they stand six standard deviations above nothing. Raises
    ValueError for a pattern without a wavelength.
    """
    if pattern.wavelength is None:
        raise ValueError(
            "no wavelength is known of this pattern: give one in Angstrom, for example --wavelength 1.5406"
        )
    noise = find_noise(pattern)
    data = _prepare(pattern, noise)
    maxima = find_maxima(data.intensity, data.sigma, _PEAK)
    if not len(maxima):
        return _lines_of(_no_lines(data, pattern.wavelength), data, pattern, noise)
    data, beams, starts = _with_tails(pattern, data, noise), list[FittedPeaks](), STARTS
    for beam in possible_beams(pattern):
        first = _first_fit(pattern, data, beam)
        if len(first) > max(_DENSE, _EACH * len(maxima)):
            return _lines_of(_at_maxima(first, data, maxima), data, pattern, noise)
        peaks, start = _best_from(first, data, noise, starts)
        # What is the better start in one beam is so in the other, but where a doublet stood for lines that lean.
        beams, starts = [*beams, peaks], (start, "leaning") if start != "leaning" else (start,)
    # What a profile misses must not be explained by another wavelength.
    peaks = min(beams, key=lambda p: _badness(p, data, _LOOSE))
    # Without noise the profile is as good as exact, and weak lines beside strong ones are lines.
    peaks, data = _whole_fit(_with_profile(peaks, data), data, noise, _COUNTED if noise.present else _MISFIT)
    return _lines_of(peaks, data, pattern, noise)


def _no_lines(data: Data, wavelength: float) -> FittedPeaks:
    """A pattern without a maximum: what rounding and noise leave is not to be fitted by hundreds of lines."""
    nothing, width = np.empty(0), 5 * float(np.median(np.diff(data.two_theta)))
    shape = LineShape((0.0, 0.0, width**2), wavelengths=(wavelength,))
    return FittedPeaks(nothing, nothing, np.zeros(data.baseline.shape[1]), shape)


def _prepare(pattern: Pattern, noise: Noise) -> Data:
    two_theta, intensity = pattern.two_theta, pattern.intensity
    if not noise.present:
        return Data(two_theta, intensity, noise.sigma, np.empty((len(two_theta), 0)))
    background = estimate_background(two_theta, intensity)
    return Data(two_theta, intensity - background, noise.sigma, _smooth_functions(two_theta))


def _with_tails(pattern: Pattern, data: Data, noise: Noise) -> Data:
    """The data above a background that leaves broad lines their tails: less what it has of the main lines.

    Else it rises under each of them, the profile becomes too Gaussian, and what is left beside one is taken for a line.
    """
    x, foot = data.two_theta, HALF_FOOT * (data.two_theta[-1] - data.two_theta[0])
    _, width = half_widths(x, data.intensity, data.sigma)
    if not noise.present or not len(width) or (float(np.median(width)) / (2 * foot)) ** 2 < _TAILS:
        return data
    beam, estimate = possible_beams(pattern)[0], pattern.intensity - data.intensity
    background = estimate
    for _ in range(_TAIL_ROUNDS):
        first = _first_fit(pattern, data, beam)
        if len(first) > max(_DENSE, _EACH * len(width)):
            return data
        lines = model(_from_main_lines(first, data), data)
        background = np.clip(estimate - (estimate_background(x, background + lines) - background), 0.0, estimate)
        data = replace(data, intensity=pattern.intensity - background)
    return data


def _smooth_functions(two_theta: Floats) -> Floats:
    """Triangles (n, k) over the range, of which a continuous baseline is made."""
    place = (two_theta - two_theta[0]) / (two_theta[-1] - two_theta[0]) * (_BASELINE - 1)
    return np.asarray(np.maximum(1 - np.abs(place[:, None] - np.arange(_BASELINE)), 0.0))


def _at_maxima(peaks: FittedPeaks, data: Data, maxima: Integers) -> FittedPeaks:
    """One line at every maximum, of a usual width: hills are no sums of hundreds of lines."""
    _, width = half_widths(data.two_theta, data.intensity, data.sigma)
    fwhm = float(np.median(width)) if len(width) else 5 * float(np.median(np.diff(data.two_theta)))
    shape = replace(peaks.profile, caglioti=(0.0, 0.0, fwhm**2), guess=None)
    return replace(peaks, position=data.two_theta[maxima], area=data.intensity[maxima] * fwhm, profile=shape)


def _best_from(first: FittedPeaks, data: Data, noise: Noise, starts: tuple[Start, ...]) -> tuple[FittedPeaks, Start]:
    """Lines of a beam from a first fit, with a profile from all lines or from the main ones; and which of these."""
    # A profile that is a little wrong is likelier than lines beside every strong one.
    misfit, found = _LOOSE if noise.present else _MISFIT, list[tuple[FittedPeaks, Start]]()
    for start in starts:
        peaks, fitted = _whole_fit(_begun(first, data, start), data, noise, _MISFIT)
        found.append((_upright(peaks, fitted) if start == "leaning" else peaks, start))
    return min(found, key=lambda one: _badness(one[0], data, misfit))


def _upright(peaks: FittedPeaks, data: Data) -> FittedPeaks:
    """Lines that lean without need upright: where other lines, and not the leaning, explain more."""
    upright = refine_peaks(replace(peaks, profile=replace(peaks.profile, axial=0.0)), data, 4, "widths")
    gained = chi_squared(upright, data) - chi_squared(peaks, data)
    return peaks if gained > max(_WORTH, _SHARE * chi_squared(upright, data)) else upright


def _begun(first: FittedPeaks, data: Data, start: Start) -> FittedPeaks:
    """Lines and profile with which the fit of all lines begins."""
    if start == "all":
        return first
    if start == "main":
        return _with_profile(_from_main_lines(first, data), data)
    # Lines that lean are several to a profile that does not, which so leaves nothing that tells of leaning.
    return _with_profile(replace(first, profile=replace(first.profile, axial=_LEANING)), data)


def _first_fit(pattern: Pattern, data: Data, beam: tuple[float, ...]) -> FittedPeaks:
    """Lines in a beam of one or two wavelengths with the best of a few laws of the width, by chi squared."""
    place, width = half_widths(data.two_theta, data.intensity, data.sigma)
    step = float(np.median(np.diff(data.two_theta)))
    if not len(place):
        place, width = data.two_theta[:1], np.array([5 * step])
    radiation = pattern.radiation or "x-ray"
    loose = replace(data, sigma=np.sqrt(data.sigma**2 + (0.02 * np.maximum(data.intensity, 0)) ** 2))
    shape = LineShape((0.0, 0.0, 1.0), (_MIXING[radiation], 0.0), 0.0, *beam_of(*beam), cut=CUTS[radiation])
    shapes = [replace(shape, caglioti=law, guess=law) for law in width_laws(place, width)]
    # Lines narrower than a step over most of the range are an artefact of few widths.
    wide = [one for one in shapes if float(np.median(one.fwhm(data.two_theta))) > step]
    found = [seek(loose, one) for one in wide or shapes[:1]]
    # A law that needs many lines to explain the same is too narrow.
    return min(found, key=lambda one: one[1] + 30.0 * len(one[0]))[0]


def _with_profile(peaks: FittedPeaks, data: Data) -> FittedPeaks:
    """Lines sought anew with the profile and the baseline of others."""
    return replace(seek(data, peaks.profile)[0], baseline=peaks.baseline)


def _badness(peaks: FittedPeaks, data: Data, misfit: float = _MISFIT) -> float:
    """Chi squared with a little misfit of the profile allowed for, and a price of each line."""
    sigma = np.sqrt(data.sigma**2 + (misfit * model(peaks, data)) ** 2)
    return chi_squared(peaks, replace(data, sigma=sigma)) + 2 * math.log(len(sigma)) * len(peaks)


def _from_main_lines(peaks: FittedPeaks, data: Data) -> FittedPeaks:
    """The main lines with the profile that explains them: where lines stand apart, the profile comes before weak ones.

    Weak lines beside strong ones would take over what is wrong with the profile so far, and keep it wrong. Lines lean
    at low angles only where that explains much more than lines that do not.
    """
    if not len(peaks):
        return peaks
    loose = replace(data, sigma=np.sqrt(data.sigma**2 + (_LOOSE * model(peaks, data)) ** 2))
    main = refine_peaks(peaks.kept(~satellites(peaks, _MAIN)), loose, 2)
    main = refine_peaks(main.kept(~satellites(main, _MAIN)), loose, 6, "widths")
    start = replace(main, profile=replace(main.profile, axial=_AXIAL))
    leaning = refine_peaks(refine_peaks(start, loose, 2), loose, 5, "axial")
    main = refine_peaks(main, loose, 4, "widths")
    gained = chi_squared(main, loose) - chi_squared(leaning, loose)
    return leaning if gained > max(_WORTH, _SHARE * chi_squared(main, loose)) else main


def _whole_fit(peaks: FittedPeaks, data: Data, noise: Noise, misfit: float) -> tuple[FittedPeaks, Data]:
    """Lines, profile and misfit of the profile in turn, and the lines that are left.

    misfit: largest by which lines beside strong ones are told from what the profile does not describe.
    """
    free: Free = "axial" if peaks.profile.axial > 0 else "widths"
    data = with_misfit(data, noise.sigma, refine_peaks(peaks, data, 1))
    # As long as the profile is not known, what it does not describe may be lines.
    peaks = eliminate(refine_peaks(peaks, data, 2), data, least=3.0, rounds=6, misfit=_MISFIT)
    peaks = refine_peaks(peaks, data, 6, free)
    data = with_misfit(data, noise.sigma, peaks)
    peaks = eliminate(refine_peaks(peaks, data, 2, free), data, misfit=min(misfit, data.misfit))
    return refine_peaks(refine_peaks(peaks, data, 2, free), data, 1), data


def _lines_of(peaks: FittedPeaks, data: Data, pattern: Pattern, noise: Noise) -> Lines:
    position_error, area_error = uncertainties(peaks, data) if len(peaks) else (peaks.area, peaks.area)
    chi2 = float(np.mean((residual(peaks, data) / data.sigma) ** 2))
    misfit = max(chi2, 1.0) ** 0.5 if noise.present else 1.0
    lines = Lines(
        two_theta=peaks.position,
        two_theta_error=position_error * misfit,
        area=peaks.area,
        area_error=area_error * misfit,
        fwhm=peaks.profile.fwhm(peaks.position),
        wavelength=peaks.profile.wavelengths[0],
        range=(float(pattern.two_theta[0]), float(pattern.two_theta[-1])),
        radiation=pattern.radiation,
        second_wavelength=(*peaks.profile.wavelengths, None)[1],
        caglioti=peaks.profile.caglioti,
        mixing=peaks.profile.mixing,
        axial=peaks.profile.axial,
        title=pattern.title,
        provenance={"source": pattern.source, "noise": noise.present, "gain": noise.gain, "constant": noise.constant},
    )
    return replace(lines, flags=flag_images(lines))
