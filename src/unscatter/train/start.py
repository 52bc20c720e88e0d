"""Begin a training with the weights of another one: of the same labels or of others, and never with what is held out.

Weights that have learned from random crystals alone know no structure of any table, so any split may begin with them.
Others serve a split by prototype alone, which holds out the same structure types in every table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load
from torch import Tensor, nn

from unscatter.symmetry import label_set
from unscatter.train.patterns import PatternOptions
from unscatter.weights import WeightsCard, find_weights, read_verified

#: The layer that names; its rows are those of the labels.
_HEAD = "classifier"


def start_from(network: nn.Module, start: str, options: PatternOptions, channels: Sequence[str]) -> None:
    """Take over the weights called `start`, or at that path, that export wrote.

    Where they name other labels, each label begins as the mean of its space groups. Raises ValueError for weights of
    another network or of other channels, and for those that may have learned from what is held out now.
    """
    card = find_weights(start)
    _refuse_what_is_held_out(card, options)
    if card.record["channels"] != list(channels):
        raise ValueError(f"weights {card.name!r} look at {card.record['channels']}, not {list(channels)}")
    weights = load(read_verified(card, f"{card.name}.safetensors"))
    labels = card.record["options"]["labels"]
    if labels != options.labels:
        before, now = (label_set(name).of_group for name in (labels, options.labels))
        weights |= translate_head(weights, before, now)
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        raise ValueError(f"{card.name} does not hold the weights of this network: {error}") from error


def _refuse_what_is_held_out(card: WeightsCard, options: PatternOptions) -> None:
    if card.record.get("learned_from", {}).get("known_structures") == 0:
        return
    then = card.record["options"]
    before = [then.get(part) for part in ("split", "split_seed", "fractions")]
    now = [options.split, options.split_seed, list(options.fractions)]
    if before != now or options.split != "prototype":
        raise ValueError(
            f"weights {card.name!r} were trained on the split {before} and may have learned from what {now} holds "
            "out: begin with weights of the same split by prototype, which is the same in any table, or with weights "
            "that have learned from random crystals alone"
        )


def translate_head(weights: Mapping[str, Tensor], before: NDArray[Any], now: NDArray[Any]) -> dict[str, Tensor]:
    """Weight and bias of the head for other labels: of each the mean of its space groups.

    before, now: (230,), the label of each group, -1 for none. As a label of n groups is a sum over n of them, ln n is
    added to its bias; a label of which no group was known begins with zeros.
    """
    rows, bias = weights[f"{_HEAD}.weight"], weights[f"{_HEAD}.bias"]
    groups = [np.flatnonzero((now == label) & (before >= 0)) for label in range(now.max() + 1)]
    sizes = np.bincount(before[before >= 0], minlength=len(bias))
    means = torch.zeros(len(groups), len(bias), dtype=bias.dtype)
    counts = torch.zeros(len(groups), dtype=bias.dtype)
    for label, members in enumerate(groups):
        if len(members):
            means[label] = torch.as_tensor(np.bincount(before[members], minlength=len(bias)) / len(members))
            counts[label] = float(np.log(len(members)))
    single = bias - torch.as_tensor(np.log(np.maximum(sizes, 1)), dtype=bias.dtype)
    return {f"{_HEAD}.weight": means @ rows, f"{_HEAD}.bias": means @ single + counts}
