"""A pattern as a sum of lines of one profile: least squares for areas, positions, baseline and the profile itself."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from unscatter.nouns.arrays import Floats, Integers
from unscatter.powder.pattern.columns import Columns
from unscatter.powder.pattern.line_shape import LineShape
from unscatter.powder.refine.banded import band_width, banded_gram, combine, nonnegative, project, solve_held

#: What is refined besides areas, positions and baseline: nothing, widths and mixing, or also how far lines lean.
Free: TypeAlias = Literal["lines", "widths", "axial"]

# Nodes a FWHM on which lines are first sought, and how far nodes of one line lie apart, in FWHM.
_NODES = 4.0
_ONE_LINE = 0.34
# A node is looked at where it alone would stand so many standard deviations above nothing.
_WORTH = 2.5
# Standard deviations at which a line is kept.
SIGNIFICANT = 6.0
# Lines move by this many FWHM in one step at most, and are held to where they are by so many.
_STEP, _HELD = 0.25, 0.5
# FWHM beyond either end of the pattern at which a line may lie.
_BEYOND = 0.5
# Share of a line that its profile may be wrong by.
_MISFIT = (0.002, 0.03)
# How far profile parameters may be from where they start: squared widths (share), mixing, slope, axial squared.
_LOOSE = np.array([0.5, 0.5, 0.5, 0.3, 0.003, 1e-3])
# Step of axial squared for its derivative.
_AXIAL_STEP = 1e-4
# Lines within so many FWHM of a strong one, and below so many times the misfit of it, are what its profile does not
# describe.
_SATELLITES = ((1.5, 10.0), (4.0, 4.0), (10.0, 1.0))


@dataclass(frozen=True, eq=False)
class Data:
    """What lines are fitted to: intensity (n,) without background, sigma (n,), smooth functions baseline (n, k).

    misfit: share of a line that its profile is wrong by.
    """

    two_theta: Floats
    intensity: Floats
    sigma: Floats
    baseline: Floats
    misfit: float = 0.002


@dataclass(frozen=True, eq=False)
class FittedPeaks:
    """Lines at position (m,) in degrees with area (m,), on a baseline of coefficients (k,), of one profile."""

    position: Floats
    area: Floats
    baseline: Floats
    profile: LineShape

    def __len__(self) -> int:
        """Return the number of lines."""
        return len(self.position)

    def kept(self, chosen: NDArray[np.bool_]) -> FittedPeaks:
        """The lines of a mask (m,)."""
        return replace(self, position=self.position[chosen], area=self.area[chosen])


def model(peaks: FittedPeaks, data: Data) -> Floats:
    """Lines alone (n,), without the baseline."""
    if not len(peaks):
        return np.zeros_like(data.intensity)
    columns = peaks.profile.columns(peaks.position, data.two_theta)
    return combine(columns.start, columns.begin, columns.values, peaks.area, columns.points)


def residual(peaks: FittedPeaks, data: Data) -> Floats:
    """Data minus lines and baseline (n,)."""
    return np.asarray(data.intensity - model(peaks, data) - data.baseline @ peaks.baseline)


def seek(data: Data, profile: LineShape) -> tuple[FittedPeaks, float]:
    """Lines on a fine grid by non-negative least squares, neighbours merged; and chi squared of the fit."""
    weight = 1 / data.sigma**2
    place = _nodes(data.two_theta, profile)
    columns = profile.columns(place, data.two_theta)
    norm = np.sqrt(np.maximum(project(columns.start, columns.begin, columns.values**2, weight), 1e-300))
    target = project(columns.start, columns.begin, columns.values, weight * data.intensity)
    place, norm, target = (column[target > _WORTH * norm] for column in (place, norm, target))
    none = np.zeros(data.baseline.shape[1])
    if not len(place):
        return FittedPeaks(place, place, none, profile), float(np.sum(data.intensity**2 * weight))
    columns = profile.columns(place, data.two_theta)
    start, begin = columns.start, columns.begin
    values = columns.values / np.repeat(norm, np.diff(begin))
    gram = banded_gram(start, begin, values, weight, band_width(start, begin))
    # A standard deviation is the price of a node: noise alone makes none.
    area = nonnegative(gram, target / norm - 1.0, 400, 0.3)
    fitted = combine(start, begin, values, area, columns.points)
    chi2 = float(np.sum((data.intensity - fitted) ** 2 * weight))
    position, area = _merge(place, area / norm, profile)
    return FittedPeaks(position, area, none, profile), chi2


def refine_peaks(peaks: FittedPeaks, data: Data, steps: int, free: Free = "lines") -> FittedPeaks:
    """Areas, positions and baseline by Gauss-Newton steps; and the profile, with its axial part or without."""
    for _ in range(steps):
        if not len(peaks):
            break
        peaks = _step(peaks, data, free)
    return peaks


def chi_squared(peaks: FittedPeaks, data: Data) -> float:
    """Sum of squared residuals over sigmas."""
    return float(np.sum((residual(peaks, data) / data.sigma) ** 2))


def with_misfit(data: Data, sigma: Floats, peaks: FittedPeaks) -> Data:
    """The data with sigmas (n,) that hold what the profile does not describe, as the residuals tell it."""
    lines = model(peaks, data)
    strong = lines > 20 * sigma
    excess = (residual(peaks, data)[strong] ** 2 - sigma[strong] ** 2) / lines[strong] ** 2
    share = float(np.sqrt(max(np.quantile(excess, 0.7), 0.0))) if len(excess) > 20 else _MISFIT[0]
    share = min(max(share, _MISFIT[0]), _MISFIT[1])
    return replace(data, sigma=np.sqrt(sigma**2 + (share * lines) ** 2), misfit=share)


def eliminate(
    peaks: FittedPeaks, data: Data, least: float = SIGNIFICANT, rounds: int = 20, misfit: float | None = None
) -> FittedPeaks:
    """Take away lines below `least` standard deviations, the weakest of each neighbourhood first.

    misfit: of the profile, for `satellites`; that of the data if not given.
    """
    misfit = data.misfit if misfit is None else misfit
    for _ in range(rounds):
        if not len(peaks):
            break
        peaks = _merge_close(peaks)
        _, error = uncertainties(peaks, data)
        worth = peaks.area / error
        fwhm = peaks.profile.fwhm(peaks.position)
        worth = np.where(satellites(peaks, misfit), 0.0, worth)
        doomed = (worth < least) & (-worth >= _strongest_near(peaks.position, -worth, 2 * fwhm) - 1e-12)
        if not np.any(doomed):
            break
        peaks = refine_peaks(peaks.kept(~doomed), data, 2)
    return peaks


def satellites(peaks: FittedPeaks, misfit: float) -> NDArray[np.bool_]:
    """Lines (m,) so weak beside a strong one that they may be what is wrong with its profile by a share `misfit`."""
    fwhm = peaks.profile.fwhm(peaks.position)
    weak = [
        peaks.area < factor * misfit * _strongest_near(peaks.position, peaks.area, reach * fwhm)
        for reach, factor in _SATELLITES
    ]
    return np.asarray(np.any(weak, axis=0))


def uncertainties(peaks: FittedPeaks, data: Data, neighbours: int = 3) -> tuple[Floats, Floats]:
    """Standard uncertainties of positions (m,) in degrees and areas (m,), the nearest neighbours' overlap included."""
    columns = peaks.profile.columns(peaks.position, data.two_theta, derivatives=True)
    start, begin, values = _interleaved(columns, peaks.area)
    gram = banded_gram(start, begin, values, 1 / data.sigma**2, band_width(start, begin))
    held = 1 / (_HELD * peaks.profile.fwhm(peaks.position)) ** 2
    size, count = 2 * (2 * neighbours + 1), len(gram)
    index = 2 * np.arange(len(peaks))[:, None] + np.arange(-2 * neighbours, 2 * neighbours + 2)
    inside = (index >= 0) & (index < count)
    low = np.minimum(index[:, :, None], index[:, None, :])
    apart = np.abs(index[:, :, None] - index[:, None, :])
    both = inside[:, :, None] & inside[:, None, :] & (apart < gram.shape[1])
    blocks = np.where(both, gram[np.clip(low, 0, count - 1), np.minimum(apart, gram.shape[1] - 1)], 0.0)
    scale = np.sqrt(np.where(inside, np.maximum(gram[np.clip(index, 0, count - 1), 0], 1e-300), 1.0))
    blocks = blocks / (scale[:, :, None] * scale[:, None, :])
    diagonal = np.arange(size)
    blocks[:, diagonal, diagonal] = 1 + 1e-9
    middle = 2 * neighbours
    blocks[:, middle + 1, middle + 1] += held / scale[:, middle + 1] ** 2
    inverse = np.linalg.inv(blocks)
    error = np.sqrt(np.maximum(inverse[:, diagonal, diagonal], 0.0)) / scale
    return error[:, middle + 1], error[:, middle]


def _step(peaks: FittedPeaks, data: Data, free: Free) -> FittedPeaks:
    with_profile = free != "lines"
    columns = peaks.profile.columns(peaks.position, data.two_theta, derivatives=True)
    start, begin, values = _interleaved(columns, peaks.area)
    weight = 1 / data.sigma**2
    lines = combine(columns.start, columns.begin, columns.values, peaks.area, columns.points)
    rest = data.intensity - lines - data.baseline @ peaks.baseline
    border = data.baseline
    if with_profile:
        border = np.concatenate([border, _profile_slopes(peaks, data, columns, lines)], axis=1)
    gram = banded_gram(start, begin, values, weight, band_width(start, begin))
    fwhm = peaks.profile.fwhm(peaks.position)
    gram[1::2, 0] += 1 / (_HELD * fwhm) ** 2
    gram[:, 0] = gram[:, 0] * (1 + 1e-6) + 1e-300
    target = project(start, begin, values, weight * rest)
    cross = np.array([project(start, begin, values, weight * column) for column in border.T])
    change, other = _solve(
        gram, target, cross.reshape(-1, len(gram)).T, border, weight, rest, _priors(peaks, data, free)
    )
    moved = np.clip(change[1::2], -_STEP * fwhm, _STEP * fwhm)
    area = np.maximum(peaks.area + change[0::2], 1e-3 * peaks.area)
    # A line beyond the end, of which only a tail is seen, could be anywhere and of any height.
    ends = data.two_theta[[0, -1]]
    position = np.clip(peaks.position + moved, ends[0] - _BEYOND * fwhm, ends[1] + _BEYOND * fwhm)
    order = np.argsort(position, kind="stable")
    smooth = data.baseline.shape[1]
    # What is tied down stays where it is to the last digit.
    moves = other[smooth:] * [1, 1, 1, 1, 1, free == "axial"] if with_profile else np.zeros(6)
    profile = _moved_profile(peaks.profile, moves, data) if with_profile else peaks.profile
    return FittedPeaks(position[order], area[order], peaks.baseline + other[:smooth], profile)


def _solve(
    gram: Floats,
    target: Floats,
    cross: Floats,
    border: Floats,
    weight: Floats,
    rest: Floats,
    prior: tuple[Floats, Floats],
) -> tuple[Floats, Floats]:
    """Solve banded normal equations with a border of few dense columns, by its Schur complement."""
    scale = 1 / np.sqrt(gram[:, 0])
    scaled = gram * scale[:, None]
    for k in range(gram.shape[1]):
        scaled[: len(gram) - k, k] *= scale[k:]
    cross = cross * scale[:, None]
    sides = np.concatenate([(target * scale)[:, None], cross], axis=1)
    solved = solve_held(scaled.T, sides)
    stiffness, pull = prior
    square = (border * weight[:, None]).T @ border + np.diag(stiffness) - cross.T @ solved[:, 1:]
    right = border.T @ (weight * rest) + pull - cross.T @ solved[:, 0]
    norm = 1 / np.sqrt(np.maximum(np.diag(square), 1e-300))
    other = np.linalg.lstsq(square * np.outer(norm, norm), right * norm, rcond=1e-12)[0] * norm
    return np.asarray((solved[:, 0] - solved[:, 1:] @ other) * scale), np.asarray(other, dtype=np.float64)


def _priors(peaks: FittedPeaks, data: Data, free: Free) -> tuple[Floats, Floats]:
    """Stiffness of baseline and profile parameters, and the pull (k,) of axial squared towards nothing."""
    smooth = np.full(data.baseline.shape[1], 1e-12 / max(float(np.max(data.intensity)) ** 2, 1e-300))
    if free == "lines":
        return smooth, np.zeros_like(smooth)
    width = float(np.median(peaks.profile.fwhm(peaks.position)) ** 2)
    stiffness = np.concatenate([smooth, 1 / (_LOOSE * [width, width, width, 1, 1, 1]) ** 2])
    pull = np.zeros_like(stiffness)
    # Where lines do not lean, the tie to nothing is as good as fixed.
    stiffness[-1] *= 1.0 if free == "axial" else 1e12
    pull[-1] = -stiffness[-1] * peaks.profile.axial**2
    return stiffness, pull


def _profile_slopes(peaks: FittedPeaks, data: Data, columns: Columns, lines: Floats) -> Floats:
    """Derivatives (n, 6) of the sum of lines by U, V, W, mixing, its slope, and axial squared."""
    position, profile, area = peaks.position, peaks.profile, peaks.area
    assert columns.by_fwhm is not None
    assert columns.by_eta is not None
    place = (columns.start, columns.begin)
    tangent, fwhm = np.tan(np.radians(position / 2)), profile.fwhm(position)
    found = [
        combine(*place, columns.by_fwhm, area * tangent**power / (2 * fwhm), columns.points) for power in (2, 1, 0)
    ]
    found += [combine(*place, columns.by_eta, factor, columns.points) for factor in (area, area * position)]
    leaning = replace(profile, axial=float(np.sqrt(profile.axial**2 + _AXIAL_STEP)))
    more = leaning.columns(position, data.two_theta)
    found.append((combine(more.start, more.begin, more.values, area, more.points) - lines) / _AXIAL_STEP)
    return np.stack(found, axis=1)


def _moved_profile(profile: LineShape, change: Floats, data: Data) -> LineShape:
    """The profile after a step, or after the part of it that leaves its widths near those first guessed."""
    for part in (1.0, 0.5, 0.25, 0.1):
        moved = _after(profile, part * change)
        if moved.keeps_to_guess(data.two_theta[0], data.two_theta[-1]):
            return moved
    return profile


def _after(profile: LineShape, change: Floats) -> LineShape:
    u, v, w = (float(old + new) for old, new in zip(profile.caglioti, change[:3], strict=True))
    slope = float(np.clip(profile.mixing[1] + change[4], -0.01, 0.01))
    mixing = float(np.clip(profile.mixing[0] + change[3], 0.0, 1.2))
    axial = float(np.sqrt(np.clip(profile.axial**2 + change[5], 0.0, 0.004)))
    return replace(profile, caglioti=(u, v, w), mixing=(mixing, slope), axial=axial)


def _interleaved(columns: Columns, area: Floats) -> tuple[Integers, Integers, Floats]:
    """Columns of area and of position in turn: start (2m,), begin (2m + 1,) and values."""
    assert columns.by_position is not None
    size = np.diff(columns.begin)
    owner = np.repeat(np.arange(len(size)), size)
    place = np.arange(columns.begin[-1]) + columns.begin[owner]
    values = np.empty(2 * len(owner))
    values[place] = columns.values
    values[place + size[owner]] = columns.by_position * area[owner]
    begin = np.concatenate([[0], np.cumsum(np.repeat(size, 2))])
    return np.repeat(columns.start, 2), begin, values


def _nodes(two_theta: Floats, profile: LineShape) -> Floats:
    """Angles in steps of a part of the FWHM over the whole range, at most two a step of the pattern."""
    fine = np.linspace(two_theta[0], two_theta[-1], 4096)
    step = (two_theta[-1] - two_theta[0]) / len(two_theta)
    density = np.minimum(_NODES / profile.fwhm(fine), 2 / step)
    count = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2 * np.diff(fine))])
    return np.interp(np.arange(0.5, count[-1]), count, fine)


def _merge(place: Floats, area: Floats, profile: LineShape) -> tuple[Floats, Floats]:
    """Nodes that carry area gathered into lines, the strongest first."""
    seen = area > 0
    place, area = place[seen], area[seen]
    reach = _ONE_LINE * profile.fwhm(place)
    owner = np.full(len(place), -1)
    for i in np.argsort(-area):
        if owner[i] < 0:
            free = (owner < 0) & (np.abs(place - place[i]) <= reach[i])
            owner[free] = i
    _, number = np.unique(owner, return_inverse=True)
    total = np.asarray(np.bincount(number, area), dtype=np.float64)
    middle = np.bincount(number, area * place) / np.maximum(total, 1e-300)
    order = np.argsort(middle)
    return middle[order], total[order]


def _merge_close(peaks: FittedPeaks) -> FittedPeaks:
    """Lines that have come closer than a quarter of a FWHM are one."""
    close = np.diff(peaks.position) < 0.25 * peaks.profile.fwhm(peaks.position[1:])
    if not np.any(close):
        return peaks
    number = np.concatenate([[0], np.cumsum(~close)])
    area = np.asarray(np.bincount(number, peaks.area), dtype=np.float64)
    return replace(peaks, position=np.bincount(number, peaks.area * peaks.position) / area, area=area)


def _strongest_near(position: Floats, values: Floats, reach: Floats) -> Floats:
    """Largest of the values (m,) within reach (m,) of each position (m,), increasing."""
    first = np.searchsorted(position, position - reach)
    last = np.searchsorted(position, position + reach, side="right")
    return np.array([values[i:j].max() for i, j in zip(first, last, strict=True)])
