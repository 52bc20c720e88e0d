"""Mantid MDHistoWorkspace, SaveMD version 2: bin edges, the last dimension slowest, numbers of events.

A bin without events, or masked, was not measured. An axis that is no direction of reciprocal space (the energy
transfer) is dropped if it has one bin. Two dimensions make a plane.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from unscatter.io.hdf5 import Store, attribute, is_hdf5, require_size
from unscatter.io.planes.asked import Asked
from unscatter.io.planes.grids import GridAxis, Slices, in_lattice_units, pixel_centres, stored_volume
from unscatter.io.planes.missing import Block, Spelling, describe_missing, measured_values
from unscatter.io.planes.notation import names_axes, parse_axis_names, parse_direction, split_names
from unscatter.io.planes.placing import place_plane
from unscatter.nouns.cell import Cell
from unscatter.nouns.plane import Plane
from unscatter.nouns.volume import Volume

NAME = "Mantid MDHisto"
GAPS_KNOWN = True
DATASETS = "group or data set"

_HOME = "MDHistoWorkspace"
_DATA = f"{_HOME}/data"
_LATTICE = f"{_HOME}/experiment0/sample/oriented_lattice"
#: MDNormalization of Mantid: what its viewers divide the signal by.
_NONE, _BY_VOLUME, _BY_EVENTS = 0, 1, 2


def recognises(path: Path) -> bool:
    """Whether the file has the signal of an MDHistoWorkspace."""
    if not is_hdf5(path):
        return False
    with Store(path) as store:
        return store.dataset(f"{_DATA}/signal") is not None


def read(path: Path, asked: Asked = Asked()) -> Plane | Volume:  # noqa: B008  frozen
    """Read a volume, which stays on disk, or a plane. Raises ValueError if the axes do not span h, k, l."""
    with Store(path) as store:
        lattice = store.get(_LATTICE)
        cell = asked.cell or (None if lattice is None else store.cell(lattice))
        given, fixed = parse_axis_names(asked.axes) if names_axes(asked.axes) and asked.axes else ({}, {})
        axes = _axes(store, given, cell)
        kept = tuple(axis.direction is not None or axis.values.size > 1 for axis in axes)
        by_events = _normalization(store) == _BY_EVENTS
    notes = ["visual_normalization = 2: the signal was divided by the number of events"] if by_events else []
    used = [axis for axis, keep in zip(axes, kept, strict=True) if keep]

    def load(slices: Slices) -> Block:
        with Store(path) as again:
            return _load(again, slices, kept, by_events, asked.fills)

    if len(used) != 2:
        if not names_axes(asked.axes):
            asked.refuse_axes(path)
        return stored_volume(str(path), used, load, cell, notes=notes)
    require_size(tuple(axis.values.size for axis in used), "plane", path)
    block = load((slice(None), slice(None)))
    told = (*notes, *describe_missing(block.tally, block.values.size))
    return place_plane(Plane(block.values, None, cell, source=str(path), notes=told), used, fixed)


def _normalization(store: Store) -> int:
    """How the signal is to be divided; raises ValueError for a way that is not known."""
    said = next((s for n in (_HOME, _DATA) if (s := store.numbers(f"{n}/visual_normalization")) is not None), None)
    number = _NONE if said is None or not said.size else int(np.ravel(said)[0])
    if number not in (_NONE, _BY_VOLUME, _BY_EVENTS):
        raise ValueError(
            f"{store.path}: visual_normalization = {number} is not known; expected 0, 1 or 2: save it again"
        )
    # All bins of an even grid have one volume: dividing by it changes the scale alone.
    return number


def _axes(store: Store, given: dict[str, np.ndarray], cell: Cell | None) -> list[GridAxis]:
    """Axes in the order of the disk."""
    signal = store.require(f"{_DATA}/signal")
    # SaveMD writes the first dimension last: without the attribute that is the order.
    names = split_names(attribute(signal, "axes")) or [f"D{i}" for i in reversed(range(signal.ndim))]
    if len(names) != signal.ndim:
        raise ValueError(f"{store.path}: signal has shape {signal.shape} but axes {names}; save it again with SaveMD")
    return [_axis(store, name, count, given, cell) for name, count in zip(names, signal.shape, strict=True)]


def _axis(store: Store, name: str, count: int, given: dict[str, np.ndarray], cell: Cell | None) -> GridAxis:
    edges = store.require(f"{_DATA}/{name}")
    label = attribute(edges, "long_name") or name
    direction = next((d for n in (name, label) if (d := given.get(n)) is not None), None)
    if direction is None:
        direction = next((d for n in (label, name) if (d := parse_direction(n)) is not None), None)
    values = pixel_centres(edges[()].astype(np.float64), count, label)
    unit = "" if attribute(edges, "frame") == "HKL" else attribute(edges, "units")
    return GridAxis(
        label, values if direction is None else in_lattice_units(values, unit, label, direction, cell), direction
    )


def _load(store: Store, slices: Slices, kept: tuple[bool, ...], by_events: bool, fills: tuple[float, ...]) -> Block:
    wanted = iter(slices)
    index = tuple(next(wanted) if keep else 0 for keep in kept)
    signal = store.require(f"{_DATA}/signal")[index]
    events, mask = (store.dataset(f"{_DATA}/{name}") for name in ("num_events", "mask"))
    count = None if events is None else np.asarray(events[index], dtype=np.float64)
    masks = [] if mask is None else [("mask", mask[index])]
    squares = store.dataset(f"{_DATA}/errors_squared")
    unknown = None if squares is None else np.isnan(squares[index])
    if unknown is not None and not unknown.all():
        masks.append(("errors_squared as not known", unknown))
    if count is not None:
        masks.append(("num_events as empty", ~(count > 0)))
    block = measured_values(signal, Spelling(fills), masks)
    if by_events and count is not None:
        return Block(block.values / np.where(count > 0, count, 1.0), block.tally)
    return block
