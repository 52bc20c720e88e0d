"""Mantid MDHistoWorkspace, SaveMD version 2: bin edges, the last dimension slowest, numbers of events.

A bin without events, or masked, was not measured. An axis that is no direction of reciprocal space (the
energy transfer) is dropped if it has one bin.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from unscatter.io.hdf5 import Store, attribute, is_hdf5
from unscatter.io.planes.grids import GridAxis, Slices, pixel_centres, stored_volume
from unscatter.io.planes.notation import parse_direction
from unscatter.nouns.arrays import FloatArray
from unscatter.nouns.volume import Volume

NAME = "Mantid MDHisto"
GAPS_KNOWN = True

_DATA = "MDHistoWorkspace/data"
_LATTICE = "MDHistoWorkspace/experiment0/sample/oriented_lattice"


def recognises(path: Path) -> bool:
    """Whether the file has the signal of an MDHistoWorkspace."""
    if not is_hdf5(path):
        return False
    with Store(path) as store:
        return store.dataset(f"{_DATA}/signal") is not None


def read(path: Path) -> Volume:
    """Read a volume; it stays on disk. Raises ValueError if the axes do not span h, k, l."""
    with Store(path) as store:
        axes = _axes(store)
        lattice = store.get(_LATTICE)
        cell = None if lattice is None else store.cell(lattice)
        kept = tuple(axis.direction is not None or axis.values.size > 1 for axis in axes)

    def load(store: Store, slices: Slices) -> FloatArray:
        return _load(store, slices, kept)

    return stored_volume(path, [axis for axis, keep in zip(axes, kept, strict=True) if keep], load, cell)


def _axes(store: Store) -> list[GridAxis]:
    """Axes in the order of the disk."""
    signal = store.require(f"{_DATA}/signal")
    names = [name for name in attribute(signal, "axes").replace(",", ":").split(":") if name]
    # SaveMD writes the first dimension last: without the attribute that is the order.
    names = names or [f"D{i}" for i in reversed(range(signal.ndim))]
    if len(names) != signal.ndim:
        raise ValueError(f"{store.path}: signal has shape {signal.shape} but axes {names}; save it again with SaveMD")
    return [_axis(store, name, count) for name, count in zip(names, signal.shape, strict=True)]


def _axis(store: Store, name: str, count: int) -> GridAxis:
    edges = store.require(f"{_DATA}/{name}")
    label = attribute(edges, "long_name") or name
    return GridAxis(label, pixel_centres(edges[()].astype(np.float64), count, label), parse_direction(label))


def _load(store: Store, slices: Slices, kept: tuple[bool, ...]) -> FloatArray:
    wanted = iter(slices)
    index = tuple(next(wanted) if keep else 0 for keep in kept)
    signal: FloatArray = store.require(f"{_DATA}/signal")[index].astype(np.float64)
    events, mask = (store.dataset(f"{_DATA}/{name}") for name in ("num_events", "mask"))
    if events is not None:
        signal[events[index] == 0] = np.nan
    if mask is not None:
        signal[mask[index] != 0] = np.nan
    return signal
