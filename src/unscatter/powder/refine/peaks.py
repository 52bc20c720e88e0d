"""A pattern as a sum of lines of one profile: least squares for areas, positions, baseline and the profile itself."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solveh_banded

from unscatter.powder.refine.banded import band_width, banded_gram, nonnegative, project
from unscatter.powder.refine.columns import Columns, Floats, Integers, Profile, make_columns

# Nodes a FWHM on which lines are first sought, and how far nodes of one line lie apart, in FWHM.
_NODES = 4.0
_ONE_LINE = 0.34
# A node is looked at where it alone would stand so many standard deviations above nothing.
_WORTH = 2.5
# Standard deviations at which a line is kept.
SIGNIFICANT = 6.0
# Lines move by this many FWHM in one step at most, and are held to where they are by so many.
_STEP, _HELD = 0.25, 0.5
# Share of a line that its profile may be wrong by.
_MISFIT = (0.002, 0.03)
# How far profile parameters may be from where they start: squared widths (share), mixing, slope, axial squared.
_LOOSE = np.array([0.5, 0.5, 0.5, 0.3, 0.003, 1e-3])
# Lines below this share of the strongest within ten FWHM are what its profile does not describe.
_FAINTEST = 0.002


@dataclass(frozen=True, eq=False)
class Data:
    """What lines are fitted to: intensity (n,) without background, sigma (n,), smooth functions baseline (n, k)."""

    two_theta: Floats
    intensity: Floats
    sigma: Floats
    baseline: Floats


@dataclass(frozen=True, eq=False)
class Peaks:
    """Lines at position (m,) in degrees with area (m,), on a baseline of coefficients (k,), of one profile."""

    position: Floats
    area: Floats
    baseline: Floats
    profile: Profile

    def __len__(self) -> int:
        """Return the number of lines."""
        return len(self.position)

    def kept(self, chosen: NDArray[np.bool_]) -> Peaks:
        """The lines of a mask (m,)."""
        return replace(self, position=self.position[chosen], area=self.area[chosen])


def model(peaks: Peaks, data: Data) -> Floats:
    """Lines alone (n,), without the baseline."""
    if not len(peaks):
        return np.zeros_like(data.intensity)
    return make_columns(peaks.position, peaks.profile, data.two_theta).sum(peaks.area, len(data.two_theta))


def residual(peaks: Peaks, data: Data) -> Floats:
    """Data minus lines and baseline (n,)."""
    return np.asarray(data.intensity - model(peaks, data) - data.baseline @ peaks.baseline)


def seek(data: Data, profile: Profile) -> tuple[Peaks, float]:
    """Lines on a fine grid by non-negative least squares, neighbours merged; and chi squared of the fit."""
    weight = 1 / data.sigma**2
    place = _nodes(data.two_theta, profile)
    columns = make_columns(place, profile, data.two_theta)
    norm = np.sqrt(np.maximum(project(columns.start, columns.values**2, weight), 1e-300))
    target = project(columns.start, columns.values, weight * data.intensity)
    worth = target > _WORTH * norm
    place, norm, target = place[worth], norm[worth], target[worth]
    start, values = columns.start[worth], columns.values[worth] / norm[:, None]
    none = np.zeros(data.baseline.shape[1])
    if not len(place):
        return Peaks(place, place, none, profile), float(np.sum(data.intensity**2 * weight))
    gram = banded_gram(start, values, weight, band_width(start, values.shape[1]))
    # A standard deviation is the price of a node: noise alone makes none.
    area = nonnegative(gram, target / norm - 1.0, 400, 0.3)
    fitted = Columns(start, values, values).sum(area, len(data.intensity))
    chi2 = float(np.sum((data.intensity - fitted) ** 2 * weight))
    position, area = _merge(place, area / norm, profile)
    return Peaks(position, area, none, profile), chi2


def refine_peaks(peaks: Peaks, data: Data, steps: int, with_profile: bool = False) -> Peaks:
    """Areas, positions and baseline by Gauss-Newton steps, and the profile if asked for."""
    for _ in range(steps):
        if not len(peaks):
            break
        peaks = _step(peaks, data, with_profile)
    return peaks


def with_misfit(data: Data, sigma: Floats, peaks: Peaks) -> Data:
    """The data with sigmas (n,) that hold what the profile does not describe, as the residuals tell it."""
    lines = model(peaks, data)
    strong = lines > 20 * sigma
    excess = (residual(peaks, data)[strong] ** 2 - sigma[strong] ** 2) / lines[strong] ** 2
    share = float(np.sqrt(max(np.quantile(excess, 0.7), 0.0))) if len(excess) > 20 else _MISFIT[0]
    share = min(max(share, _MISFIT[0]), _MISFIT[1])
    return replace(data, sigma=np.sqrt(sigma**2 + (share * lines) ** 2))


def eliminate(peaks: Peaks, data: Data, least: float = SIGNIFICANT, rounds: int = 20) -> Peaks:
    """Take away lines below `least` standard deviations, the weakest of each neighbourhood first."""
    for _ in range(rounds):
        if not len(peaks):
            break
        peaks = _merge_close(peaks)
        _, error = uncertainties(peaks, data)
        worth = peaks.area / error
        fwhm = peaks.profile.fwhm(peaks.position)
        faint = peaks.area < _FAINTEST * _strongest_near(peaks.position, peaks.area, 10 * fwhm)
        worth = np.where(faint, 0.0, worth)
        doomed = (worth < least) & (-worth >= _strongest_near(peaks.position, -worth, 2 * fwhm) - 1e-12)
        if not np.any(doomed):
            break
        peaks = refine_peaks(peaks.kept(~doomed), data, 2)
    return peaks


def uncertainties(peaks: Peaks, data: Data, neighbours: int = 3) -> tuple[Floats, Floats]:
    """Standard uncertainties of positions (m,) in degrees and areas (m,), the nearest neighbours' overlap included."""
    columns = make_columns(peaks.position, peaks.profile, data.two_theta)
    start, values = _interleaved(columns, peaks.area)
    gram = banded_gram(start, values, 1 / data.sigma**2, band_width(start, values.shape[1]))
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


def _step(peaks: Peaks, data: Data, with_profile: bool) -> Peaks:
    columns = make_columns(peaks.position, peaks.profile, data.two_theta)
    start, values = _interleaved(columns, peaks.area)
    weight = 1 / data.sigma**2
    rest = data.intensity - columns.sum(peaks.area, len(data.intensity)) - data.baseline @ peaks.baseline
    border = np.concatenate([data.baseline, _profile_slopes(peaks, data)], axis=1) if with_profile else data.baseline
    gram = banded_gram(start, values, weight, band_width(start, values.shape[1]))
    fwhm = peaks.profile.fwhm(peaks.position)
    gram[1::2, 0] += 1 / (_HELD * fwhm) ** 2
    gram[:, 0] *= 1 + 1e-6
    target = project(start, values, weight * rest)
    lines, other = _solve(gram, target, start, values, border, weight, rest, _priors(peaks, data, with_profile))
    moved = np.clip(lines[1::2], -_STEP * fwhm, _STEP * fwhm)
    area = np.maximum(peaks.area + lines[0::2], 1e-3 * peaks.area)
    position = peaks.position + moved
    order = np.argsort(position, kind="stable")
    smooth = data.baseline.shape[1]
    profile = _moved_profile(peaks.profile, other[smooth:]) if with_profile else peaks.profile
    return Peaks(position[order], area[order], peaks.baseline + other[:smooth], profile)


def _solve(
    gram: Floats,
    target: Floats,
    start: Integers,
    values: Floats,
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
    scaled[:, 0] += 1e-9
    cross = np.array([project(start, values, weight * column) for column in border.T]).reshape(-1, len(gram)).T
    cross = cross * scale[:, None]
    sides = np.concatenate([(target * scale)[:, None], cross], axis=1)
    solved = solveh_banded(scaled.T, sides, lower=True, check_finite=False)
    stiffness, pull = prior
    square = (border * weight[:, None]).T @ border + np.diag(stiffness) - cross.T @ solved[:, 1:]
    right = border.T @ (weight * rest) + pull - cross.T @ solved[:, 0]
    other = np.linalg.lstsq(square, right, rcond=1e-12)[0]
    return (solved[:, 0] - solved[:, 1:] @ other) * scale, other


def _priors(peaks: Peaks, data: Data, with_profile: bool) -> tuple[Floats, Floats]:
    """Stiffness of baseline and profile parameters, and the pull (k,) of axial squared towards nothing."""
    smooth = np.full(data.baseline.shape[1], 1e-12 / max(float(np.max(data.intensity)) ** 2, 1e-300))
    if not with_profile:
        return smooth, np.zeros_like(smooth)
    width = float(np.median(peaks.profile.fwhm(peaks.position)) ** 2)
    stiffness = np.concatenate([smooth, 1 / (_LOOSE * [width, width, width, 1, 1, 1]) ** 2])
    pull = np.zeros_like(stiffness)
    pull[-1] = -stiffness[-1] * peaks.profile.axial**2
    return stiffness, pull


def _profile_slopes(peaks: Peaks, data: Data) -> Floats:
    """Derivatives (n, 6) of the sum of lines by U, V, W, mixing, its slope, and axial squared."""
    points, h = len(data.two_theta), 1e-3
    position, profile, area = peaks.position, peaks.profile, peaks.area
    now = make_columns(position, profile, data.two_theta).sum(area, points)
    fwhm, tangent = profile.fwhm(position), np.tan(np.radians(position / 2))
    wide = make_columns(position, profile, data.two_theta, 1 + h)
    still = make_columns(position, profile, data.two_theta)
    found = []
    for power in (2, 1, 0):
        by_width = area * tangent**power / (2 * fwhm**2) / h
        found.append(wide.sum(by_width, points) - still.sum(by_width, points))
    round_ = make_columns(position, profile, data.two_theta, 1.0, 0.01)
    found += [(round_.sum(part, points) - still.sum(part, points)) / 0.01 for part in (area, area * position)]
    step = 1e-4
    leaning = replace(profile, axial=float(np.sqrt(profile.axial**2 + step)))
    found.append((make_columns(position, leaning, data.two_theta).sum(area, points) - now) / step)
    return np.stack(found, axis=1)


def _moved_profile(profile: Profile, change: Floats) -> Profile:
    u, v, w = (float(old + new) for old, new in zip(profile.caglioti, change[:3], strict=True))
    slope = float(np.clip(profile.mixing[1] + change[4], -0.01, 0.01))
    mixing = float(np.clip(profile.mixing[0] + change[3], 0.0, 1.2))
    axial = float(np.sqrt(np.clip(profile.axial**2 + change[5], 0.0, 0.004)))
    return replace(profile, caglioti=(u, v, w), mixing=(mixing, slope), axial=axial)


def _interleaved(columns: Columns, area: Floats) -> tuple[Integers, Floats]:
    """Columns of area and of position in turn: start (2m,) and values (2m, span)."""
    count, span = columns.values.shape
    values = np.empty((2 * count, span))
    values[0::2] = columns.values
    values[1::2] = columns.slopes * area[:, None]
    return np.repeat(columns.start, 2), values


def _nodes(two_theta: Floats, profile: Profile) -> Floats:
    """Angles in steps of a part of the FWHM over the whole range."""
    fine = np.linspace(two_theta[0], two_theta[-1], 4096)
    density = _NODES / profile.fwhm(fine)
    count = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2 * np.diff(fine))])
    return np.interp(np.arange(0.5, count[-1]), count, fine)


def _merge(place: Floats, area: Floats, profile: Profile) -> tuple[Floats, Floats]:
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


def _merge_close(peaks: Peaks) -> Peaks:
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
