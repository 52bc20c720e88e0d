"""A lattice refined on the positions of lines: metric, zero of the scale, asymmetry; and how well it explains them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from unscatter.nouns.arrays import Floats, Integers
from unscatter.nouns.lines import Lines
from unscatter.powder.refine.metric import (
    Metric,
    average,
    invariant_metrics,
    inverse,
    reduce_metric,
    triclinic_metric,
)
from unscatter.powder.refine.nodes import predicted

#: Share of foreign lines among strong ones, those above a tenth of the strongest, and most among weak ones.
FOREIGN, _STRONG, _MOST_FOREIGN = 0.05, 0.1, 0.15
#: Strength of weak lines, of which many or few are foreign, and most of them that may be.
_WEAK, _MOST_WEAK = 0.02, 0.8
# Share of foreign lines with which a mixture is begun.
_MIXED = 0.5
#: Price of a cell parameter in nats.
PRICE = 4.0
# Uncertainty of any position besides that of counting, by misalignment and overlap: share of the FWHM, between two
# bounds in degrees; and the FWHM of a line of which none is known.
_SYSTEMATIC, _BETWEEN, _FWHM = 0.04, (0.002, 0.02), 0.2
# Usual zero in degrees, half width of a Cauchy distribution as some are far off, and shift in cot(two-theta).
_ZERO, _LEANING = 0.08, 0.003
# Windows in degrees in which lines are assigned, from the first turn to the last, or so many s.u. if more.
_WINDOWS, _SIGMAS = (0.09, 0.06, 0.04, 0.015), 4.0


@dataclass(frozen=True, eq=False)
class Observed:
    """Lines to be explained, (n,) each.

    two_theta, error in degrees; q = 1/d^2; slope: dq / d(two-theta); strength: area over that of the strongest;
    mixed: whether they may be of several phases, so that any share of the strong ones may be foreign, too.
    """

    two_theta: Floats
    error: Floats
    q: Floats
    slope: Floats
    strength: Floats
    wavelength: float
    mixed: bool = False

    @classmethod
    def of(cls, lines: Lines, chosen: NDArray[np.bool_] | None = None) -> Observed:
        """Lines of a list, or those chosen (n,)."""
        every = np.ones(len(lines), dtype=bool) if chosen is None else chosen
        two_theta, width = lines.two_theta[every], np.nan_to_num(lines.fwhm[every], nan=_FWHM)
        error = np.hypot(lines.two_theta_error[every], np.clip(_SYSTEMATIC * width, *_BETWEEN))
        slope = 2 * np.sin(np.radians(two_theta)) / lines.wavelength**2 * np.pi / 180
        area = np.nan_to_num(lines.area[every], nan=1.0)
        return cls(two_theta, error, lines.q[every], slope, area / max(float(area.max()), 1e-300), lines.wavelength)

    def __len__(self) -> int:
        """Return the number of lines."""
        return len(self.q)

    def chosen(self, which: slice | NDArray[np.int64]) -> Observed:
        """Some of the lines."""
        return replace(
            self,
            two_theta=self.two_theta[which],
            error=self.error[which],
            q=self.q[which],
            slope=self.slope[which],
            strength=self.strength[which],
        )

    def first(self, most: int) -> Observed:
        """The first lines."""
        return self.chosen(slice(0, most))

    def strongest(self, most: int, among: int) -> Observed:
        """The strongest of the first lines, by increasing angle."""
        order = np.argsort(-self.strength[:among], kind="stable")[:most]
        return self.chosen(np.sort(order))

    def foremost(self, first: int, strongest: int) -> Observed:
        """The first lines and the strongest ones, by increasing angle."""
        order = np.argsort(-self.strength, kind="stable")[:strongest]
        return self.chosen(np.union1d(np.arange(min(first, len(self))), order))

    def shifted(self, zero: float | Floats) -> Observed:
        """As they would be seen with a shift of so many degrees, of all or of each, taken off."""
        two_theta = self.two_theta - zero
        q = (2 * np.sin(np.radians(two_theta / 2)) / self.wavelength) ** 2
        return replace(self, two_theta=two_theta, q=q)

    @property
    def foreign(self) -> Floats:
        """Probability (n,) that a line belongs to something else: the weaker it is, the likelier."""
        return np.asarray(np.clip(FOREIGN * (_STRONG / np.maximum(self.strength, 1e-9)) ** 0.5, FOREIGN, _MOST_FOREIGN))

    def angle_of(self, q: Floats) -> Floats:
        """Two-theta in degrees at which 1/d^2 q (n,) is seen."""
        return np.asarray(np.degrees(2 * np.arcsin(np.clip(np.sqrt(q) * self.wavelength / 2, 0, 1))))


@dataclass(frozen=True, eq=False)
class Settled:
    """A refined lattice: metric, zero and leaning in degrees, score in nats, and for each line the nearest prediction.

    seen: the lines with zero and leaning taken off; off: (n,) degrees from the nearest predicted line, hkl (n, 3) of
    that on the basis of the metric; indexed: (n,) whether it explains the line.
    """

    metric: Metric
    zero: float
    leaning: float
    score: float
    seen: Observed
    off: Floats
    indexed: NDArray[np.bool_]
    hkl: Integers

    @property
    def foreign(self) -> int:
        """Number of lines that are not explained."""
        return int(np.sum(~self.indexed))


def settle(metric: Metric, observed: Observed, zero: float = 0.0, free_zero: bool = True) -> Settled:
    """Refine a lattice with its symmetry on the lines it explains, and score it.

    q = h G* h with G* linear in the free parameters, and two_theta(measured) = two_theta(lattice) + zero +
    c cot(two_theta), where c stands for axial asymmetry.
    """
    reciprocal = inverse(metric.matrix)
    free = invariant_metrics(np.swapaxes(metric.rotations, 1, 2))
    start, leaning = zero, 0.0
    for window in _WINDOWS:
        seen = observed.shifted(zero + leaning / np.tan(np.radians(observed.two_theta)))
        hkl, q = predicted(reciprocal, float(seen.q[-1]) * 1.02)
        if len(q) < 3:
            break
        nearest, off = _nearest(q, seen)
        good = np.abs(off) < np.maximum(window, _SIGMAS * observed.error)
        if np.sum(good) < len(free) + 1:
            break
        solved = _least_squares(free, hkl[nearest[good]], observed, good, start, free_zero)
        changed = np.asarray(np.tensordot(solved[:-2], free, axes=1))
        if np.any(np.linalg.eigvalsh(changed) <= 0):
            break
        reciprocal, zero, leaning = changed, float(solved[-2]), float(solved[-1])
    return _scored(metric, reciprocal, observed, zero, leaning, len(free))


def score_as_is(matrix: Floats, one: Settled) -> float:
    """Score in nats of another metric (3, 3) on the lines of a refined lattice with their shifts taken off.

    Nothing is refined, and parameters cost nothing.
    """
    return _scored(triclinic_metric(matrix), inverse(matrix), one.seen, 0.0, 0.0, 0).score


def _least_squares(
    free: Floats, hkl: Integers, observed: Observed, good: NDArray[np.bool_], zero: float, free_zero: bool
) -> Floats:
    """Free parameters of the reciprocal metric, zero (held to what it was taken for) and leaning, by least squares."""
    slope, weight = observed.slope[good], 1 / (observed.slope[good] * observed.error[good])
    design = (hkl[:, :, None] * hkl[:, None, :]).reshape(-1, 9) @ free.reshape(-1, 9).T
    cotangent = 1 / np.tan(np.radians(observed.two_theta[good]))
    matrix = np.column_stack([design, slope, slope * cotangent]) * weight[:, None]
    target = observed.q[good] * weight
    scale = 1.0 if free_zero else 1e-6
    prior = np.zeros((2, matrix.shape[1]))
    prior[0, -2], prior[1, -1] = 1 / (_ZERO * scale), 1 / (_LEANING * scale)
    matrix, target = np.concatenate([matrix, prior]), np.concatenate([target, [zero * prior[0, -2], 0.0]])
    norm = np.sqrt(np.sum(matrix**2, axis=0)) + 1e-300
    return np.asarray(np.linalg.lstsq(matrix / norm, target, rcond=1e-10)[0] / norm)


def _nearest(q: Floats, seen: Observed) -> tuple[Integers, Floats]:
    """Nearest prediction (n,) of each line, and how far in degrees (n,) the line lies beyond it."""
    above = np.clip(np.searchsorted(q, seen.q), 1, len(q) - 1)
    nearest = np.where(seen.q - q[above - 1] < q[above] - seen.q, above - 1, above)
    return nearest, (seen.q - q[nearest]) / seen.slope


def _scored(
    metric: Metric, reciprocal: Floats, observed: Observed, zero: float, leaning: float, parameters: int
) -> Settled:
    seen = observed.shifted(zero + leaning / np.tan(np.radians(observed.two_theta)))
    hkl, q = predicted(reciprocal, float(seen.q[-1]) * 1.1)
    count = len(observed.q)
    if len(q) < 2:
        nothing = np.zeros(count)
        return Settled(metric, zero, leaning, -1e9, seen, nothing, nothing > 0, np.zeros((count, 3), np.int64))
    nearest, off = _nearest(q, seen)
    distinct = q[np.concatenate([[True], np.diff(q) > 1e-6 * q[1:]])]
    # Predictions a degree around each line, at least half of one in the stretch looked at, which ends with the last.
    low, high = np.minimum(0.7 * seen.q, 0.9 * distinct[-1]), np.minimum(1.3 * seen.q, distinct[-1])
    between = np.searchsorted(distinct, high) - np.searchsorted(distinct, low)
    density = np.maximum(between, 0.5) / (high - low) * seen.slope
    sigma = observed.error
    chance = np.log(density) - 2 * density * np.abs(off)
    close = -0.5 * (off / sigma) ** 2 - np.log(sigma * np.sqrt(2 * np.pi))
    share = _foreign_shares(observed, close - chance)
    close, other = close + np.log(1 - share), chance + np.log(share)
    gains = np.logaddexp(close, other) - chance
    indexed = close > other
    score = float(np.sum(gains)) - PRICE * parameters - np.log1p((zero / _ZERO) ** 2)
    # Back to the direct lattice; the basis stays the one on which the rotations act.
    direct = average(inverse(reciprocal), metric.rotations)
    return Settled(Metric(direct, metric.rotations), zero, leaning, score, seen, off, indexed, hkl[nearest])


def _foreign_shares(observed: Observed, ratio: Floats) -> Floats:
    """Probability (n,) that a line is foreign, of weak ones as many as the lattice leaves.

    ratio: (n,) ln of how likely a line is if explained over how likely it is by chance.
    """
    share = observed.foreign
    weak = np.ones(len(observed), dtype=bool) if observed.mixed else observed.strength < _WEAK
    if observed.mixed:
        share = np.full(len(observed), _MIXED)
    if not np.any(weak):
        return share
    for _ in range(3):
        foreign = 1 / (1 + (1 - share) / share * np.exp(np.clip(ratio, -50, 50)))
        usual = (np.sum(foreign[weak]) + 1) / (np.sum(weak) + 4)
        share = np.where(weak, np.clip(usual, FOREIGN, _MOST_WEAK), share)
    return share


def on_reduced_basis(metric: Metric) -> Metric:
    """The same lattice on the reduced basis, which refinement may have left."""
    reduced, basis = reduce_metric(metric.matrix)
    back = np.rint(np.linalg.inv(basis)).astype(np.int64)
    return Metric(reduced, back.T @ metric.rotations @ basis.T)
