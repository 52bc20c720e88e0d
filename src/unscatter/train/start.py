"""Begin a training with the weights of another one: of the same labels or of others, and never with what is held out.

Weights that have learned from random crystals alone know no structure of any table, so any split may begin with them.
Others serve a split by prototype alone, which holds out the same structure types in every table.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load
from torch import Tensor, nn

from unscatter.symmetry import label_set
from unscatter.train.checkpoint import read_module, read_record
from unscatter.train.patterns import PatternOptions
from unscatter.weights import find_weights, read_verified

#: The layer that names; its rows are those of the labels.
_HEAD = "classifier"
#: All that answers, rather than looks.
_HEADS = (f"{_HEAD}.", "cell.")


class _Begun(NamedTuple):
    """Weights to begin with, what is known of their training, and what to call them."""

    name: str
    record: Mapping[str, Any]
    weights: dict[str, Tensor]


def start_from(network: nn.Module, start: str, options: PatternOptions, channels: Sequence[str]) -> None:
    """Take over the weights called `start`, or at that path: what export wrote, or the checkpoint of a training.

    Where they name other labels, each label begins as the mean of its space groups; heads that have learned nothing
    begin anew. Raises ValueError for weights of another network or of other channels, and for those that may have
    learned from what is held out now.
    """
    begun = _read(start)
    _refuse_what_is_held_out(begun, options)
    if begun.record["channels"] != list(channels):
        raise ValueError(f"weights {begun.name!r} look at {begun.record['channels']}, not {list(channels)}")
    weights, labels = begun.weights, begun.record["options"]["labels"]
    if begun.record["task"] != "classify":
        weights |= {name: value for name, value in network.state_dict().items() if name.startswith(_HEADS)}
    elif labels != options.labels:
        before, now = (label_set(name).of_group for name in (labels, options.labels))
        weights |= translate_head(weights, before, now)
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        raise ValueError(f"{begun.name} does not hold the weights of this network: {error}") from error


def _read(start: str) -> _Begun:
    path = Path(start)
    if path.suffix == ".safetensors" and path.is_file() and not path.with_suffix(".json").is_file():
        record = read_record(path)
        if "channels" not in record:
            raise ValueError(f"{path} is of the task {record['task']!r}: begin with one of unscatter train classify")
        return _Begun(start, record, read_module(path, "average" if record["options"].get("average") else "network"))
    card = find_weights(start)
    return _Begun(card.name, card.record, load(read_verified(card, f"{card.name}.safetensors")))


def _refuse_what_is_held_out(begun: _Begun, options: PatternOptions) -> None:
    if begun.record.get("learned_from", {}).get("known_structures") == 0:
        return
    then, now = begun.record["options"], json.loads(json.dumps(asdict(options), default=str))
    # By prototype the same structure types are held out in any table; otherwise it has to be the same table.
    parts = ("split", "split_seed", "fractions")
    same = parts if options.split == "prototype" else (*parts, "structures", "most_structures")
    before, after = ([each.get(part) for part in same] for each in (then, now))
    if before != after:
        raise ValueError(
            f"weights {begun.name!r} were trained on the split {before} and may have learned from what {after} holds "
            "out: begin with weights of the same split by prototype, which is the same in any table, or with weights "
            "that have learned from random crystals alone; --start '' begins with none"
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
