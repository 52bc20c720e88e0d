"""Evidence of intensities that overlap, by expectation propagation one line after the other."""

from __future__ import annotations

import math

import numpy as np

from unscatter.nouns.arrays import Floats
from unscatter.powder.pattern.kernels import compiled

# Sweeps over all lines at most, and the change of ln Z that ends them.
_SWEEPS, _ENOUGH = 12, 0.02
# Standard deviations below zero from which the tail of a Gaussian is a series.
_TAIL = -15.0
_LOG_2_PI = math.log(2 * math.pi)


@compiled
def log_evidence(precision: Floats, right: Floats, means: Floats, weights: Floats) -> float:
    """ln of the integral of p(z) exp(-z'A z / 2 + r'z) over z >= 0, with a prior for each line.

    precision: A (n, n); right: r (n,); means (k,) and weights (n, k) of the mixtures of exponentials. One line is
    exact, more are expectation propagation in sequence.
    Source: Minka, UAI 2001, 362; Markvardsen, David, Johnson & Shankland, Acta Cryst. A57, 47 (2001), for the use.
    """
    count = len(right)
    if count == 0:
        return 0.0
    if count == 1:
        variance = 1 / precision[0, 0]
        mean = right[0] * variance
        log_z, _, _ = moments(means, weights[0], mean, variance)
        return float(log_z + (_LOG_2_PI + np.log(variance) + mean * right[0]) / 2)
    tau, nu = np.full(count, 1e-2), np.full(count, 1e-2)
    covariance: Floats = np.linalg.inv(precision + np.diag(tau))  # type: ignore[assignment]
    means_now = covariance @ (right + nu)
    site, total, last = np.zeros(count), 0.0, -np.inf
    for _ in range(_SWEEPS):
        for i in range(count):
            _update(i, tau, nu, site, covariance, means_now, means, weights[i])
        _, log_det = np.linalg.slogdet(precision + np.diag(tau))
        total = site.sum() + (count * _LOG_2_PI - log_det + np.sum(means_now * (right + nu))) / 2
        if abs(total - last) < _ENOUGH:
            break
        last = total
    return total


@compiled
def _update(
    i: int,
    tau: Floats,
    nu: Floats,
    site: Floats,
    covariance: Floats,
    mean: Floats,
    means: Floats,
    weights: Floats,
) -> None:
    """Match line i anew; changes tau, nu, site, covariance and mean."""
    own = covariance[i, i]
    cavity = 1 / own - tau[i]
    if cavity <= 1e-12 / own:
        return
    centre = (mean[i] / own - nu[i]) / cavity
    log_z, first, variance = moments(means, weights, centre, 1 / cavity)
    # A mixture may be wider than the cavity; the product must stay a Gaussian.
    new_tau = max(1 / variance - cavity, -0.9 * cavity)
    new_nu = first / variance - centre * cavity
    site[i] = log_z + 0.5 * np.log1p(new_tau / cavity)
    site[i] -= 0.5 * ((centre * cavity + new_nu) ** 2 / (cavity + new_tau) - centre**2 * cavity)
    change_tau, change_nu = new_tau - tau[i], new_nu - nu[i]
    tau[i], nu[i] = new_tau, new_nu
    column = covariance[:, i].copy()
    factor = 1 / (1 + change_tau * own)
    # h changes by change_nu at i: mean = covariance h.
    step = factor * (change_nu - change_tau * mean[i])
    for j in range(len(column)):
        mean[j] += column[j] * step
        for k in range(len(column)):
            covariance[j, k] -= change_tau * factor * column[j] * column[k]


@compiled
def moments(means: Floats, weights: Floats, mean: float, variance: float) -> tuple[float, float, float]:
    """ln Z, mean and variance of z >= 0 under a mixture of exponentials (k,) times N(z; mean, variance)."""
    deviation = np.sqrt(variance)
    logs, firsts, seconds = np.empty(len(means)), np.empty(len(means)), np.empty(len(means))
    for k in range(len(means)):
        log_part, first, spread = _cut_gaussian((mean - variance / means[k]) / deviation)
        logs[k] = np.log(max(weights[k], 1e-12) / means[k]) - mean / means[k] + variance / (2 * means[k] ** 2)
        logs[k] += log_part
        firsts[k], seconds[k] = deviation * first, variance * (spread + first**2)
    top = logs.max()
    part = np.exp(logs - top)
    total = part.sum()
    first, second = np.sum(part * firsts) / total, np.sum(part * seconds) / total
    return top + np.log(total), first, max(second - first**2, 1e-12 * first**2 + 1e-300)


@compiled
def _cut_gaussian(x: float) -> tuple[float, float, float]:
    """ln of the part of N(x, 1) that lies above zero, and mean and variance of that part."""
    if x > _TAIL:
        above = 0.5 * math.erfc(-x / math.sqrt(2.0))
        hazard = math.exp(-(x**2) / 2 - _LOG_2_PI / 2) / above
        return math.log(above), max(x + hazard, 0.0), max(1 - hazard * (hazard + x), 0.0)
    # Differences of large numbers, as asymptotic series.
    u = 1 / x**2
    ratio = -(1 - u * (1 - 3 * u * (1 - 5 * u * (1 - 7 * u)))) / x
    mean = -(1 - u * (2 - u * (10 - 74 * u))) / x
    return -(x**2) / 2 - _LOG_2_PI / 2 + math.log(ratio), mean, u * (1 - u * (6 - 50 * u))
