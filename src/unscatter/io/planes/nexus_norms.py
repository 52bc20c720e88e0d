"""Normalizations beside a signal, and whether it was divided by them: told by how both change from pixel to pixel.

A normalization that jumps between neighbours, as numbers of pixels do, leaves its jumps in a sum and none in a mean.
Where it is smooth nothing tells, and the file is refused until somebody says which it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from unscatter.io.hdf5 import Node, Store
from unscatter.io.planes.nexus_masks import NORMS, middle_of
from unscatter.io.planes.nexus_signal import read_signal
from unscatter.nouns.arrays import Floats

#: A normalization that varies by less does nothing; how well the slope of both has to be known.
_FLAT, _KNOWN = 0.01, 0.1

Verdict = Literal["flat", "sum", "mean", "unknown"]


@dataclass(frozen=True)
class Norm:
    """A normalization beside a signal: its name, and whether the signal is yet to be divided by it."""

    name: str
    divides: bool
    words: str


def find_norm(store: Store, group_name: str, name: str, *, as_it_is: bool = False) -> Norm | None:
    """The normalization of a signal; None where there is none, or it is constant.

    as_it_is: whoever asked named the data set itself, which is then not divided. Raises ValueError where nothing tells
    whether it was divided.
    """
    group: Node = store.get(group_name or "/")
    signal = store.dataset(name, group)
    names = [pattern.format(name).lower() for pattern in NORMS]
    for member in group:
        norm = store.dataset(member, group) if member.lower() in names and member != name else None
        if (
            signal is None
            or norm is None
            or norm.shape != signal.shape
            or norm.dtype.kind not in "iuf"
            or norm.ndim < 2
        ):
            continue
        part = middle_of(norm.shape)
        values = read_signal(store, group_name, name, part).values
        verdict = judge_norm(*(np.squeeze(np.asarray(one, dtype=np.float64)) for one in (values, norm[part])))
        if verdict == "flat":
            continue
        if as_it_is:
            return Norm(member, False, f"{name} was named and is taken as it is: not divided by {member}")
        if verdict == "unknown":
            raise ValueError(
                f"{store.path}: {member} beside {name} varies, and whether {name} was divided by it is not known; if "
                f"it was, type --dataset {group_name}/{name}; if not, divide it, save that and take {member} out"
            )
        divides = verdict == "sum"
        how = (
            f"changes with {member} from pixel to pixel: divided by it"
            if divides
            else (f"does not change with {member} from pixel to pixel: it was divided by it before")
        )
        return Norm(member, divides, f"{name} {how}")
    return None


def judge_norm(signal: Floats, norm: Floats) -> Verdict:
    """Whether a signal (ny, nx) is a "sum", yet to be divided by a normalization of its shape, or a "mean".

    By the slope of the differences of their logarithms between neighbours, 1 for a sum and 0 for a mean; "unknown"
    where it is not known to 0.1, "flat" where the normalization is constant.
    """
    good = (signal > 0) & (norm > 0) & np.isfinite(signal) & np.isfinite(norm)
    if not good.any() or float(np.std(np.log(norm[good]))) < _FLAT:
        return "flat"
    logs = [np.where(good, np.log(np.where(good, values, 1.0)), np.nan) for values in (signal, norm)]
    s, n = (np.concatenate([np.diff(values, axis=axis).ravel() for axis in (0, 1)]) for values in logs)
    both = np.isfinite(s) & np.isfinite(n)
    s, n = s[both], n[both]
    power = float(np.sum(n * n))
    if s.size < 10 or not power > 0:
        return "unknown"
    slope = float(np.sum(s * n)) / power
    error = float(np.sqrt(np.mean((s - slope * n) ** 2) / power))
    if error > _KNOWN or 0.4 < slope < 0.6:
        return "unknown"
    return "sum" if slope > 0.5 else "mean"
