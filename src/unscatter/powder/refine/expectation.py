"""Evidence of intensities that overlap, by expectation propagation one line after the other."""

from __future__ import annotations

import numpy as np

from unscatter.nouns.arrays import Floats
from unscatter.powder.refine.intensity_prior import moments

# Sweeps over all lines at most, and the change of ln Z that ends them.
_SWEEPS, _ENOUGH = 12, 0.02


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
        return float(single_evidence(np.diag(precision), right, means, weights)[0])
    tau, nu = np.full(count, 1e-2), np.full(count, 1e-2)
    covariance: Floats = np.asarray(np.linalg.inv(precision + np.diag(tau)), dtype=np.float64)
    mean = covariance @ (right + nu)
    site, last = np.zeros(count), -np.inf
    for _ in range(_SWEEPS):
        for i in range(count):
            mean = _update(i, tau, nu, site, covariance, mean, means, weights[i])
        _, log_det = np.linalg.slogdet(precision + np.diag(tau))
        total = site.sum() + (count * np.log(2 * np.pi) - log_det + mean @ (right + nu)) / 2
        if abs(total - last) < _ENOUGH:
            break
        last = float(total)
    return float(total)


def single_evidence(precision: Floats, right: Floats, means: Floats, weights: Floats) -> Floats:
    """The same for lines (n,) that overlap with none: exact."""
    variance = 1 / precision
    mean = right * variance
    log_z, _, _ = _each(means, weights, mean, variance)
    return np.asarray(log_z + (np.log(2 * np.pi * variance) + mean**2 * precision) / 2)


def _each(means: Floats, weights: Floats, mean: Floats, variance: Floats) -> tuple[Floats, Floats, Floats]:
    return moments(means, weights, mean, variance)


def _update(
    i: int,
    tau: Floats,
    nu: Floats,
    site: Floats,
    covariance: Floats,
    mean: Floats,
    means: Floats,
    weights: Floats,
) -> Floats:
    """Match line i anew; changes tau, nu, site and covariance, and returns the new mean."""
    own = covariance[i, i]
    cavity = 1 / own - tau[i]
    if cavity <= 1e-12 / own:
        return mean
    centre = (mean[i] / own - nu[i]) / cavity
    log_z, first, variance = (float(x[0]) for x in moments(means, weights, np.array([centre]), np.array([1 / cavity])))
    new_tau = 1 / variance - cavity
    new_nu = first / variance - centre * cavity
    # A mixture may be wider than the cavity; the product must stay a Gaussian.
    new_tau = max(new_tau, -0.9 * cavity)
    site[i] = log_z + 0.5 * np.log1p(new_tau / cavity)
    site[i] -= 0.5 * ((centre * cavity + new_nu) ** 2 / (cavity + new_tau) - centre**2 * cavity)
    change_tau, change_nu = new_tau - tau[i], new_nu - nu[i]
    tau[i], nu[i] = new_tau, new_nu
    column = covariance[:, i].copy()
    factor = 1 / (1 + change_tau * own)
    covariance -= (change_tau * factor) * np.outer(column, column)
    # h changes by change_nu at i: mean = covariance h.
    return np.asarray(mean + column * (factor * (change_nu - change_tau * mean[i])))
