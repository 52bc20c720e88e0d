"""Say what symmetry a measured powder pattern has: Pattern + weights -> Ranking."""

from __future__ import annotations

import time
from collections.abc import Iterable
from functools import cache
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from unscatter.nouns.pattern import Pattern, far_below_zero
from unscatter.nouns.ranking import Classes, Ranking
from unscatter.powder.classify.conformal import read_prediction_sets
from unscatter.powder.pattern.channels import CHANNELS, LONGEST, SHORTEST, SIZE, network_background, network_channels
from unscatter.symmetry import label_set
from unscatter.version import __version__
from unscatter.weights import Network, open_network

#: Fewer points, or a smaller ratio of the largest to the smallest d that is used, say nothing about symmetry.
LEAST_POINTS = 200
LEAST_RATIO = 1.5
#: What names the lattice beside the network: crystallography, or nothing.
Engine: TypeAlias = Literal["crystallography", "none"]
#: Patterns that the network sees at once.
BATCH = 32

#: The levels of an answer, and the label sets behind them.
LEVELS = {
    "space group": "group-230",
    "extinction group": "extinction-99",
    "Bravais lattice": "bravais-14",
    "crystal system": "system-7",
}

_WAVELENGTHS = (
    "--wavelength 1.5406 (X-ray: Cu 1.5406, Mo 0.7093, Co 1.7890; neutron: BT-1 Cu(311) 1.5403, Ge(311) 2.0787, "
    "HRPT 1.494, D2B 1.594)"
)


def classify(
    pattern: Pattern,
    weights: str = "group-230",
    *,
    subtract_background: bool = False,
    engine: Engine = "crystallography",
    time_limit: float = 10.0,
) -> Ranking:
    """Probabilities of the 230 space groups, and so of all coarser classes, given one powder pattern.

    p = softmax(logits / T), T the temperature that was fitted on held-out patterns. The pattern needs its wavelength;
    its background is left where it is, as in training, unless subtract_background. weights: name of a shipped
    network or path of one; engine: "crystallography" indexes the pattern and combines what it finds with the network,
    "none" leaves the network alone; time_limit: of the search for lattices, in CPU seconds. Raises ValueError for a
    pattern that says too little, and FileNotFoundError for weights that are not there.
    """
    return classify_many(
        [pattern], weights, subtract_background=subtract_background, engine=engine, time_limit=time_limit
    )[0]


def classify_many(
    patterns: Iterable[Pattern],
    weights: str = "group-230",
    *,
    subtract_background: bool = False,
    engine: Engine = "crystallography",
    time_limit: float = 10.0,
) -> list[Ranking]:
    """As classify, for many patterns, BATCH of them at once; raises ValueError at the first that cannot be used."""
    network = open_network(weights)
    _require_classifier(network)
    waiting = list(patterns)
    rankings: list[Ranking] = []
    for start in range(0, len(waiting), BATCH):
        rankings += _classify_batch(waiting[start : start + BATCH], network, subtract_background)
    if engine == "none":
        return rankings
    # Only those who ask for it load the search, which is compiled.
    from unscatter.powder.classify.crystallography import with_crystallography

    return [with_crystallography(ranking, time_limit) for ranking in rankings]


def check_pattern(pattern: Pattern) -> None:
    """Refuse what cannot be classified, with a ValueError that says what was seen and what to do."""
    name = pattern.source or "the pattern"
    intensity = pattern.intensity
    if pattern.wavelength is None:
        raise ValueError(f"{name}: the wavelength is not known; add for example {_WAVELENGTHS}")
    if pattern.two_theta.size and not (pattern.two_theta[0] > 0 and pattern.two_theta[-1] <= 180):
        raise ValueError(
            f"{name}: angles from {pattern.two_theta[0]:g} to {pattern.two_theta[-1]:g}; expected two-theta above 0 "
            "and up to 180 deg: leave out the points beyond, or convert to degrees"
        )
    if not intensity.size or float(intensity.max()) <= 0:
        raise ValueError(
            f"{name}: no intensity is above zero; expected counts: look whether the right column was saved"
        )
    if far_below_zero(intensity):
        raise ValueError(
            f"{name}: {np.sum(intensity < 0)} of {intensity.size} intensities are negative (lowest "
            f"{intensity.min():.4g}); expected counts: give the pattern before its background was subtracted"
        )
    sine = np.sin(np.radians(pattern.two_theta / 2))
    d = pattern.wavelength / (2 * sine[sine > 0])
    used = d[(d <= LONGEST) & (d >= SHORTEST)]
    ratio = float(used[0] / used[-1]) if used.size else 1.0
    if used.size < LEAST_POINTS or ratio < LEAST_RATIO:
        raise ValueError(
            f"{name}: {used.size} points between d = {LONGEST:g} and {SHORTEST:g} A, whose largest and smallest d are "
            f"in the ratio {ratio:.2f}, say too little about symmetry; expected at least {LEAST_POINTS} points and a "
            f"ratio of {LEAST_RATIO:g}: measure a longer range, and check the wavelength ({pattern.wavelength:g} A)"
        )


def _require_classifier(network: Network) -> None:
    record = network.card.record
    kind = (network.card.task, record.get("labels", "group-230"), record.get("input", [None, 3, SIZE])[1:])
    if kind[:2] != ("classify", "group-230") or kind[2] != [3, SIZE]:
        raise ValueError(
            f"weights {network.card.name!r} do not rank the 230 space groups from 3 x {SIZE} numbers (task "
            f"{kind[0]}, labels {kind[1]}, input {kind[2]}); type --weights group-230"
        )
    if tuple(record.get("channels", CHANNELS)) != CHANNELS:
        raise ValueError(
            f"weights {network.card.name!r} were trained on the channels {', '.join(record['channels'])} of an "
            f"earlier unscatter; this one makes {', '.join(CHANNELS)}: type --weights group-230, or train them again"
        )


def _classify_batch(patterns: list[Pattern], network: Network, subtract_background: bool) -> list[Ranking]:
    started = time.perf_counter()
    channels = np.stack([pattern_channels(pattern, subtract_background=subtract_background) for pattern in patterns])
    logits, cell = network(channels=channels)
    probabilities = _softmax(logits.astype(np.float64) / float(network.card.record["temperature"]))
    # The cell is estimated as logarithms; a factor e^20 from 1 is no cell, and would overflow.
    sizes = np.exp(np.clip(cell.astype(np.float64), -20.0, 20.0))
    seconds = (time.perf_counter() - started) / len(patterns)
    return [
        _ranking(pattern, p, size, network, subtract_background, seconds)
        for pattern, p, size in zip(patterns, probabilities, sizes, strict=True)
    ]


def pattern_channels(pattern: Pattern, *, subtract_background: bool = False) -> NDArray[np.float32]:
    """What the network sees of a pattern, (3, 4096); raises ValueError for one that says too little."""
    check_pattern(pattern)
    intensity = pattern.intensity
    assert pattern.wavelength is not None, "checked above"
    try:
        if subtract_background:
            below = network_background(pattern.two_theta, intensity, pattern.wavelength)
            intensity = np.clip(intensity - below, 0.0, None)
        return np.asarray(network_channels(pattern.two_theta, intensity, pattern.wavelength), dtype=np.float32)
    except ValueError as error:
        raise ValueError(f"{pattern.source or 'the pattern'}: {error}") from error


def _softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


def _ranking(
    pattern: Pattern,
    probabilities: NDArray[np.float64],
    sizes: NDArray[np.float64],
    network: Network,
    subtract_background: bool,
    seconds: float,
) -> Ranking:
    volume, a, b, c = (float(size) for size in sizes)
    provenance = {
        "program": "unscatter",
        "version": __version__,
        **network.provenance,
        "temperature": float(network.card.record["temperature"]),
        "background": "subtracted (peak clipping)" if subtract_background else "left in the pattern",
        "seconds": round(seconds, 4),
    }
    assumptions = _assumptions(pattern, subtract_background)
    return Ranking(
        pattern,
        probabilities,
        dict(_levels()),
        volume,
        (a, b, c),
        assumptions,
        provenance,
        sets=read_prediction_sets("network"),
    )


def _assumptions(pattern: Pattern, subtract_background: bool) -> tuple[str, ...]:
    """What is taken for granted about a pattern, one sentence each."""
    said = [*pattern.assumptions, "one crystalline phase, no magnetic lines"]
    below = int(np.sum(pattern.intensity < 0))
    if subtract_background:
        said.append("the estimated background was subtracted, which the network was not trained on")
    else:
        said.append("the network sees the pattern as it is, and its lines above the background, which is estimated")
    if below:
        said.append(f"{below} negative intensities count as zero")
    if pattern.radiation is None:
        said.append("radiation not known; the network judges neutrons and X-rays alike")
    if pattern.second_wavelength is not None:
        said.append(f"d from the first wavelength; the second, {pattern.second_wavelength:g} A, doubles the lines")
    return tuple(said)


@cache
def _levels() -> tuple[tuple[str, Classes], ...]:
    found = []
    for level, name in LEVELS.items():
        labels = label_set(name)
        found.append((level, Classes(labels.classes, tuple(labels.groups(k) for k in range(len(labels))))))
    return tuple(found)
