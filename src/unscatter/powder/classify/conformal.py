"""Split conformal prediction: limits of prediction sets from rankings whose truth is known."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Literal, TypeAlias

import numpy as np

from unscatter.nouns.arrays import Floats
from unscatter.nouns.prediction_sets import PredictionSets

#: What ranks: the network alone, or the network with crystallography.
Ranker: TypeAlias = Literal["network", "crystallography"]


def probability_above(probabilities: Floats, truth: int) -> float:
    """Probability of all classes that are likelier than the true one, in [0, 1): how surprising the truth is."""
    return float(probabilities[probabilities > probabilities[truth]].sum())


def conformal_limit(above: Sequence[float], coverage: float) -> float:
    """The limit that the truth of a further pattern does not exceed with at least this probability.

    It is the value of place ceil((n + 1) coverage) among the n of patterns whose truth is known, and 1 where n is too
    small for such a place. above: (n,) probability_above of each. Source: Vovk, Gammerman & Shafer (2005).
    """
    place = int(np.ceil((len(above) + 1) * coverage))
    return float(np.sort(above)[place - 1]) if place <= len(above) else 1.0


@cache
def read_prediction_sets(ranker: Ranker) -> PredictionSets:
    """The limits that come with the package, found on simulated patterns by tools/build_combination.py."""
    table = tomllib.loads((files("unscatter.data") / "prediction_sets.toml").read_text(encoding="utf-8"))
    return PredictionSets(table["coverage"], table[ranker], table["basis"])
