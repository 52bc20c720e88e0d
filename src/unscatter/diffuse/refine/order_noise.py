"""How uncertain a pixel is, and what a saturated one still says: the weights of a refinement against intensities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls
from scipy.special import log_ndtr

from unscatter.nouns.arrays import Floats, Mask

#: A residual of so many standard deviations halves the weight of a pixel (Cauchy): Bragg residue, hot pixels.
TRUST = 4.0
#: Mean counts a pixel below which counting noise is skew, and a deviate of its root that no count explains.
FEW_COUNTS, FAR_COUNTS = 30.0, 5.0
#: Median of the square of a standard normal deviate.
_MEDIAN_SQUARE = 0.4549
#: So many pixels, and this share of them, with the very same largest or smallest value are no chance.
MANY, PILED = 20, 0.002
#: Pixels within this distance may share noise.
NEIGHBOURS = 2
_BINS, _SMALLEST_BIN = 40, 25


@dataclass(frozen=True)
class Noise:
    """Variance of a pixel by what the model says of it: constant + linear |I| + (relative I)^2, units of the input.

    The three terms are the noise of the instrument, counting, and what the model itself gets wrong. quantum: what one
    count is in the units of the input where pixels hold few, else 0.
    """

    constant: float
    linear: float
    square: float
    quantum: float = 0.0

    def variance(self, model: Floats) -> Floats:
        """Variance of every pixel of a model."""
        positive = np.clip(model, 0.0, None)
        return np.asarray(self.constant + self.linear * positive + self.square * positive**2)


def counting_quantum(intensity: Floats, model: Floats) -> float:
    """What one count is in the units of the input, 0 where pixels hold many or are no whole numbers of it; (n,) each.

    Few counts are skew: a pixel of 0.5 expected counts that holds 3 is no outlier, and a median says nothing of it.
    Where weak pixels scatter more about a first model than counts can, the whole numbers are something else.
    """
    positive = intensity[intensity > 0]
    if not positive.size or np.any(intensity < 0):
        return 0.0
    one = float(positive.min())
    counts = intensity / one
    whole = np.abs(counts - np.rint(counts)) < 1e-3
    if counts.mean() >= FEW_COUNTS or whole.mean() <= 0.999:
        return 0.0
    weak = model <= np.median(model)
    scatter = float(np.mean(np.minimum((intensity - model)[weak] ** 2, 25 * one**2)))
    return one if scatter < 2 * one * float(np.clip(model[weak], 0.1 * one, None).mean()) else 0.0


def estimate_noise(residual: Floats, model: Floats, quantum: float = 0.0) -> Noise:
    """Fit the three terms to the squared residual in bins of the model; (n,) each, uncensored pixels.

    The median of each bin counts; with few counts (`quantum`) the variance of counting is known, and the mean in excess
    of it is what the model gets wrong.
    """
    positive = np.clip(model, 0.0, None)
    if quantum > 0:
        square = _excess_square(residual, positive, quantum)
        # The model may touch zero: a quarter of a count keeps any pixel from deciding alone.
        return Noise(0.25 * quantum**2, quantum, square, quantum)
    bins = int(np.clip(positive.size // _SMALLEST_BIN, 1, _BINS))
    edges = np.quantile(positive, np.linspace(0, 1, bins + 1)[1:-1])
    place = np.searchsorted(edges, positive)
    order = np.argsort(place, kind="stable")
    starts = np.flatnonzero(np.diff(place[order], prepend=-1))
    groups = np.split(order, starts[1:])
    level = np.array([positive[group].mean() for group in groups])
    spread = np.array([np.median(residual[group] ** 2) for group in groups]) / _MEDIAN_SQUARE
    floor = 1e-8 * float(np.mean(model**2)) + 1e-300
    spread = np.maximum(spread, floor)
    terms = np.stack([np.ones_like(level), level, level**2], axis=1)
    weight = 1 / spread
    for _ in range(4):
        found = nnls(terms * weight[:, None], spread * weight)[0]
        weight = 1 / np.maximum(terms @ found, floor)
    return Noise(max(float(found[0]), floor), float(found[1]), float(found[2]))


def _excess_square(residual: Floats, positive: Floats, quantum: float) -> float:
    """Relative variance that counting leaves unexplained, weighted by what each pixel tells of it."""
    counting, square = quantum * positive + 0.25 * quantum**2, 0.0
    for _ in range(6):
        variance = counting + square * positive**2
        # Clipped: one bright pixel is no error of the model.
        excess = np.minimum(residual**2, 16 * variance) - counting
        weight = (positive / variance) ** 2
        square = max(float(np.sum(weight * excess) / max(float(np.sum(weight * positive**2)), 1e-300)), 0.0)
    return square


def working_residuals(
    intensity: Floats,
    model: Floats,
    variance: Floats,
    quantum: float,
    measured: Mask,
    censored: Mask,
    floored: Mask,
) -> tuple[Floats, Floats]:
    """Residual and weight of every pixel for one step of Gauss and Newton, (ny, nx) each; weight 0: says nothing.

    A measured pixel: I - model with weight 1 / variance, less where it lies far out. A censored one, known to be at
    least `intensity`, and a floored one, known to be at most that, count with the probability of that: its score and
    curvature take the place of both (Tobit).
    """
    sigma = np.sqrt(variance)
    residual = np.where(measured, intensity - model, 0.0)
    weight = measured * _trust(residual, model, variance, quantum) / variance
    for bound, sign in ((censored, 1.0), (floored, -1.0)):
        spread = sigma[bound]
        z = sign * (intensity - model)[bound] / spread
        # Inverse Mills ratio phi(z) / (1 - Phi(z)), safe in both tails.
        ratio = np.exp(-0.5 * z**2 - 0.5 * np.log(2 * np.pi) - log_ndtr(-z))
        curvature = np.clip(ratio * (ratio - z), 1e-9, 1.0)
        residual[bound] = sign * spread * ratio / curvature
        # Beyond TRUST the score grows no more: a saturated Bragg peak on a weak plane says little.
        weight[bound] = curvature / (1 + np.clip(z, 0, None) ** 2 / TRUST**2) / variance[bound]
    return residual, weight


def find_saturation(intensity: Floats) -> float | None:
    """The largest intensity where many pixels share it, as a saturated detector or rendering makes them; (n,)."""
    top = float(intensity.max())
    many = np.count_nonzero(intensity == top)
    return top if many > max(MANY, PILED * intensity.size) and top > FEW_COUNTS * _smallest(intensity) else None


def find_floor(intensity: Floats) -> float | None:
    """Zero where many pixels were clipped to it, else None; (n,). Counts are not clipped: do not ask for theirs."""
    piled = np.count_nonzero(intensity == 0) > max(MANY, PILED * intensity.size)
    return 0.0 if piled and intensity.min() == 0 else None


def _smallest(intensity: Floats) -> float:
    positive = intensity[intensity > 0]
    return float(positive.min()) if positive.size else 0.0


def _trust(residual: Floats, model: Floats, variance: Floats, quantum: float) -> Floats:
    """Between 0 and 1, how far a residual is believed."""
    if quantum == 0:
        return np.asarray(1 / (1 + residual**2 / (TRUST**2 * variance)))
    # Any weight that falls within the skew distribution of few counts would pull the mean down: only what no count
    # explains loses weight. Anscombe's root is nearly normal down to one count.
    positive = np.clip(model, 0.0, None)
    roots = [np.sqrt(np.clip(value, 0.0, None) / quantum + 0.375) for value in (positive + residual, positive)]
    z = 2 * (roots[0] - roots[1]) / np.sqrt(1 + (variance - quantum * positive) / (quantum * positive + quantum**2))
    return np.where(np.abs(z) < FAR_COUNTS, 1.0, (FAR_COUNTS / np.maximum(np.abs(z), 1e-12)) ** 2)


def shared_noise(residual: Floats, weight: Floats) -> float:
    """How many pixels share one error: the sum of the autocorrelation of weighted residuals, at least 1.

    White noise has 1; planes that were resampled or blurred have more. What a model gets wrong over longer distances
    is left to the bootstrap over cells.
    """
    scaled = np.sqrt(weight) * residual
    seen = (weight > 0).astype(np.float64)
    scaled = np.clip(scaled, -TRUST, TRUST)
    shape = tuple(2 * n for n in scaled.shape)
    power, pairs = (np.fft.irfft2(np.abs(np.fft.rfft2(one, shape)) ** 2, shape) for one in (scaled, seen))
    near = np.arange(-NEIGHBOURS, NEIGHBOURS + 1)
    ratio = (power / np.maximum(pairs, 1.0))[np.ix_(near, near)]
    inside = np.hypot(near[:, None], near) <= NEIGHBOURS + 0.5
    return max(float(np.sum(ratio[inside]) / max(float(power[0, 0] / max(pairs[0, 0], 1.0)), 1e-300)), 1.0)
