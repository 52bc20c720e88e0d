"""One distribution over the space groups from the network and from crystallography."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np

from unscatter.nouns.arrays import Floats
from unscatter.symmetry import BRAVAIS_LATTICES, LabelSet, label_set

#: Numbers that tell how far the engine is to be believed.
FEATURES = ("seen", "foreign", "margin", "predicted", "lines")
#: Lines for each free number of the cell that are enough.
ENOUGH = 4.0
#: Share of the frequency of space groups that is mixed into what the network says inside a symbol and of symbols.
MIXED = 0.1
#: Share of the nats of symbols that is believed, all of them where intensities are as modelled, and nats at which a
#: symbol is out: a foreign line upon an extinguished one must not rule the true symbol out for good.
SYMBOL_WEIGHT, SYMBOL_CAP = 0.5, 5.0


@dataclass(frozen=True)
class Combination:
    """log p(lattice) = log p(network) + Q max(-cap, weight (E - E_best)), Q = 1 / (1 + exp(-(bias + slopes . x))).

    floor: share of an even distribution that is mixed into the network's, so that it rules nothing out.
    """

    weight: float
    cap: float
    floor: float
    bias: float
    slopes: tuple[float, ...]

    @classmethod
    def of(cls, vector: Floats) -> Combination:
        """Numbers of a vector: logarithms of weight, cap and floor, then bias and slopes."""
        weight, cap, floor = (float(np.exp(np.clip(x, -8, 5))) for x in vector[:3])
        return cls(weight, cap, min(floor, 0.5), float(vector[3]), tuple(float(x) for x in vector[4:]))

    def lines(self) -> list[str]:
        """As lines of TOML."""
        numbers = {"weight": self.weight, "cap": self.cap, "floor": self.floor, "bias": self.bias}
        slopes = ", ".join(f"{slope:.4f}" for slope in self.slopes)
        return [*(f"{name} = {value:.4f}" for name, value in numbers.items()), f"slopes = [{slopes}]"]


@cache
def read_combination() -> Combination:
    """The numbers that come with the package, fitted on simulated patterns by tools/build_combination.py."""
    table = tomllib.loads((files("unscatter.data") / "combination.toml").read_text(encoding="utf-8"))
    return Combination(table["weight"], table["cap"], table["floor"], table["bias"], tuple(table["slopes"]))


def sum_classes(probabilities: Floats, labels: LabelSet) -> Floats:
    """Probability of each class (classes,) of a partition, given that of the space groups (230,)."""
    return np.asarray(np.bincount(labels.of_group, probabilities, len(labels)), dtype=np.float64)


def features_of(quality: Mapping[str, float]) -> Floats:
    """FEATURES of an interpretation, each about zero to one; NaN-free, zeros where there is no hypothesis."""
    if "seen" not in quality:
        return np.zeros(len(FEATURES))
    return np.array(
        [
            quality["seen"],
            min(quality["foreign"], 1.0),
            float(np.clip(quality["margin"] / 10, -2, 3)),
            float(np.clip(np.log(max(quality["predicted"], 0.1)), -2, 3)),
            float(np.clip(np.log(max(quality["lines"], 1.0) / (ENOUGH * quality["free"])), -2, 2)),
        ]
    )


def belief(features: Floats, combination: Combination) -> float:
    """Q in [0, 1]: how far the engine is believed."""
    return float(1 / (1 + np.exp(-(combination.bias + features @ np.array(combination.slopes)))))


def lattice_logs(network: Floats, evidence: Mapping[str, float], features: Floats, combination: Combination) -> Floats:
    """ln of the probability of each of the 14 Bravais lattices (14,), given the network's (14,) and the evidence."""
    prior = (1 - combination.floor) * network + combination.floor / len(network)
    logs = np.log(prior)
    if evidence:
        best = max(evidence.values())
        nats = np.array([evidence.get(b, -np.inf) for b in BRAVAIS_LATTICES]) - best
        q = belief(features, combination)
        logs = logs + q * np.maximum(-combination.cap, combination.weight * nats)
    top = logs.max()
    return np.asarray(logs - top - np.log(np.sum(np.exp(logs - top))))


def combine(
    network: Floats,
    evidence: Mapping[str, float],
    symbols: Mapping[str, Floats],
    quality: Mapping[str, float],
    combination: Combination | None = None,
) -> Floats:
    """Probabilities of the 230 space groups (230,), of sum 1, given the network's (230,) and an interpretation.

    symbols: ln of the evidence of the 99 extinction groups (99,), -inf for those of other lattices, by Bravais lattice.
    p(group) = p(lattice) p(symbol | lattice) p(group | symbol): the lattice as lattice_logs says, symbols by their
    evidence with a prior of network and frequency, groups inside a symbol by the network mixed with frequency.
    """
    rule = combination or read_combination()
    bravais, extinction = label_set("bravais-14"), label_set("extinction-99")
    lattices = np.exp(lattice_logs(sum_classes(network, bravais), evidence, features_of(quality), rule))
    mixed = (1 - MIXED) * network + MIXED * frequencies()
    found = np.zeros(230)
    for k, name in enumerate(BRAVAIS_LATTICES):
        groups = np.flatnonzero(bravais.of_group == k)
        inside = mixed[groups] / mixed[groups].sum()
        if name in symbols:
            labels = extinction.of_group[groups]
            prior = np.asarray(np.bincount(labels, inside, len(extinction)), dtype=np.float64)
            posterior = weigh_symbols(prior, symbols[name])
            inside = inside * posterior[labels] / np.maximum(prior[labels], 1e-300)
        found[groups] = lattices[k] * inside / inside.sum()
    return np.asarray(found / found.sum())


def weigh_symbols(prior: Floats, logs: Floats) -> Floats:
    """Probability of the 99 extinction groups (99,) of one lattice, given their prior and ln of their evidence (99,).

    Part of the evidence is believed, and no more than a cap: what is extinguished may be there all the same.
    """
    nats = np.maximum(SYMBOL_WEIGHT * (logs - logs.max()), -SYMBOL_CAP)
    posterior = prior * np.exp(np.where(np.isfinite(logs), nats, -60.0))
    return np.asarray(posterior / posterior.sum())


@cache
def frequencies() -> Floats:
    """Share of each space group (230,) among known structures, none of them nothing."""
    table = tomllib.loads((files("unscatter.data") / "group_frequency.toml").read_text(encoding="utf-8"))
    counts = np.array(table["counts"], dtype=np.float64) + 1.0
    return np.asarray(counts / counts.sum())
