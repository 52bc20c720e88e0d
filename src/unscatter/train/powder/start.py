"""Begin a training with the weights of another one, of the same labels or of others, never with what is held out.

Parts by prototype hold out the same structure types in every table, so weights of the same parts serve any table.
Random parts and parts by year are the same in the same table alone. Weights that have learned from random crystals
alone know no structure of any table, and serve every split.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
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
from unscatter.train.powder.patterns import PatternSource
from unscatter.weights import find_weights, read_verified

#: The layer that names; its rows are those of the labels.
_HEAD = "classifier"
#: All that answers, rather than looks.
_HEADS = (f"{_HEAD}.", "cell.")


#: What to type instead.
_WITHOUT = "--start '' --learning-rate 1e-3 begins with none"


class _Begun(NamedTuple):
    """What to call the weights to begin with, what is known of their training, and how to read them."""

    name: str
    record: Mapping[str, Any]
    read: Callable[[], dict[str, Tensor]]


def start_from(network: nn.Module, start: str, source: PatternSource, channels: Sequence[str]) -> bool:
    """Take over the weights called `start`, or at that path: what export wrote, or the checkpoint of a training.

    Where they name other labels, each label begins as the mean of its space groups. Returns whether the heads have
    learned nothing and begin anew. Raises ValueError for weights of another network or of other channels, and for those
    that may have learned from what is held out now.
    """
    begun = _find(start)
    _refuse_what_is_held_out(begun, source)
    if begun.record["channels"] != list(channels):
        raise ValueError(
            f"weights {begun.name!r} look at {', '.join(begun.record['channels'])}, not at {', '.join(channels)}: "
            f"begin with others; {_WITHOUT}"
        )
    weights, labels = begun.read(), begun.record["options"]["labels"]
    anew: bool = begun.record["task"] != "classify"
    if anew:
        weights |= {name: value for name, value in network.state_dict().items() if name.startswith(_HEADS)}
    elif labels != source.options.labels:
        before, now = (label_set(name).of_group for name in (labels, source.options.labels))
        weights |= translate_head(weights, before, now)
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        raise ValueError(
            f"weights {begun.name!r} are of a network of another shape: give the --network options that they were "
            f"trained with, or others to begin with; {_WITHOUT}"
        ) from error
    return anew


def known_structures(start: str) -> int:
    """How many structures that were not drawn at random the weights called `start` have learned from."""
    return _known(_find(start).record)


def known_before(checkpoint: Path) -> int:
    """The same for a checkpoint, 0 where there is none."""
    return _known(read_record(checkpoint)) if checkpoint.exists() else 0


def _known(record: Mapping[str, Any]) -> int:
    learned = record.get("learned_from", {})
    # Older records do not tell random crystals from others: all of them count as known, and one at least.
    return int(learned.get("known_structures", learned.get("labelled", 0) + learned.get("unlabelled", 0) or 1))


def _find(start: str) -> _Begun:
    path = Path(start) / "checkpoint.safetensors" if Path(start).is_dir() else Path(start)
    if path.suffix == ".safetensors" and not path.with_suffix(".json").is_file():
        if not path.is_file():
            raise FileNotFoundError(f"no checkpoint {path}: give the path of one, or of weights; {_WITHOUT}")
        record = read_record(path)
        if "channels" not in record:
            raise ValueError(f"{path} is of the task {record['task']!r}: begin with one of unscatter train classify")
        averaged = record["task"] == "classify" and record["options"].get("average")
        return _Begun(str(path), record, lambda: read_module(path, "average" if averaged else "network"))
    card = find_weights(start)
    return _Begun(card.name, card.record, lambda: load(read_verified(card, f"{card.name}.safetensors")))


def _refuse_what_is_held_out(begun: _Begun, source: PatternSource) -> None:
    if not _known(begun.record):
        return
    options = source.options
    before, now = _parts(begun.record["options"]), _parts(json.loads(json.dumps(asdict(options), default=str)))
    same_table = options.split == "prototype" or begun.record.get("table") == source.table_key
    if before != now or not same_table:
        told = f"{before} of another table" if before == now else before
        raise ValueError(
            f"weights {begun.name!r} were trained on the split {told} and may have learned from what {now} holds out: "
            "begin with weights of the same split by prototype, which is the same in any table, or with weights that "
            f"have learned from random crystals alone; {_WITHOUT}"
        )


def _parts(options: Mapping[str, Any]) -> list[Any]:
    """What decides which part a row of a table is in."""
    return [options.get(name) for name in ("split", "split_seed", "fractions")]


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
