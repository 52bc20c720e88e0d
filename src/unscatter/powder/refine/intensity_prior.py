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
        logs = log_components(means, found, mean[:, None], variance[:, None])
        part = np.exp(logs - logs.max(axis=1, keepdims=True))
        part /= part.sum(axis=1, keepdims=True)
        found = (PRIOR_LINES * weights + part.sum(axis=0)) / (PRIOR_LINES + len(mean))
    return found


def log_components(means: Floats, weights: Floats, mean: Floats, variance: Floats) -> Floats:
    """ln of w/m integral_0^inf exp(-z/m) N(z; mean, variance) dz of each component, (..., k).

    mean, variance: (..., 1).
    """
    place = (mean - variance / means) / np.sqrt(variance)
    prior = np.log(np.maximum(weights, 1e-12) / means)
    return np.asarray(prior - mean / means + variance / (2 * means**2) + log_ndtr(place))
