"""How strong a line may be that is not extinguished: mixtures of exponentials, learned from structures."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files

import numpy as np
from scipy.special import log_ndtr

from unscatter.nouns.arrays import Floats

#: Lines that the prior of all structures counts as, beside those of the pattern itself.
PRIOR_LINES = 15.0
# No component is ruled out, lest a pattern that has it could not ask for it.
_LEAST = 1e-4
_LOG_2_PI = float(np.log(2 * np.pi))


@cache
def intensity_mixture(radiation: str | None, special: bool) -> tuple[Floats, Floats]:
    """Means (k,) and weights (k,) of the mixture for z = intensity over the mean of lines around.

    special: of lines with fewer equivalents than the general ones. Where the radiation is not known, both count alike.
    """
    text = (files("unscatter.data") / "intensity_prior.toml").read_text(encoding="utf-8")
    table = tomllib.loads(text)
    kind = "special" if special else "general"
    names = ("neutron", "x-ray") if radiation is None else (radiation,)
    weights = np.maximum(np.mean([table[name][kind]["weights"] for name in names], axis=0), _LEAST)
    return np.array(table["means"]), np.asarray(weights / weights.sum())


def reweighted(means: Floats, weights: Floats, mean: Floats, variance: Floats, rounds: int = 6) -> Floats:
    """Weights (k,) of a mixture for one pattern, from estimates of z (n,) of lines that nothing extinguishes.

    Expectation maximisation with the weights of all structures as PRIOR_LINES more lines.
    """
    found = weights
    for _ in range(rounds):
        logs = log_components(means, found, mean[:, None], variance[:, None])[0]
        part = np.exp(logs - logs.max(axis=1, keepdims=True))
        part /= part.sum(axis=1, keepdims=True)
        found = (PRIOR_LINES * weights + part.sum(axis=0)) / (PRIOR_LINES + len(mean))
    return found


def log_components(means: Floats, weights: Floats, mean: Floats, variance: Floats) -> tuple[Floats, Floats, Floats]:
    """ln of w/m integral_0^inf exp(-z/m) N(z; mean, variance) dz of each component, and its place and cut.

    Returned are the logarithms (..., k), the means of the Gaussians that are cut at zero, and these means in standard
    deviations. mean, variance: (..., 1).
    """
    shifted = mean - variance / means
    place = shifted / np.sqrt(variance)
    logs = np.log(np.maximum(weights, 1e-12) / means) - mean / means + variance / (2 * means**2) + log_ndtr(place)
    return logs, shifted, place


def moments(means: Floats, weights: Floats, mean: Floats, variance: Floats) -> tuple[Floats, Floats, Floats]:
    """ln Z, mean and variance of z under prior times N(z; mean, variance); mean, variance (...,)."""
    logs, shifted, place = log_components(means, weights, mean[..., None], variance[..., None])
    top = logs.max(axis=-1, keepdims=True)
    part = np.exp(logs - top)
    total = part.sum(axis=-1, keepdims=True)
    part /= total
    hazard = np.exp(-(place**2) / 2 - _LOG_2_PI / 2 - log_ndtr(place))
    deviation = np.sqrt(variance)[..., None]
    one = np.maximum(shifted + deviation * hazard, 0.0)
    # Far below zero what is left of the Gaussian is an exponential, whose variance is the square of its mean.
    spread = np.where(place < -20, one**2, variance[..., None] * np.maximum(1 - hazard * (hazard + place), 0.0))
    first = (part * one).sum(axis=-1)
    second = (part * (spread + one**2)).sum(axis=-1)
    log_z = (top + np.log(total))[..., 0]
    return log_z, first, np.maximum(second - first**2, 1e-12 * first**2 + 1e-300)
