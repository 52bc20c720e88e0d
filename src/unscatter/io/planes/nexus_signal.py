"""The signal of an NXdata group as intensities: its masks, fill values, weights, scaling factor and offset."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unscatter.io.hdf5 import Node, Store, as_text, require_numbers
from unscatter.io.planes.grids import Slices
from unscatter.io.planes.missing import Block, Spelling, measured_values
from unscatter.io.planes.nexus_masks import find_masks

#: Attributes that name a value for what was not measured (netCDF, CF, xarray, GDAL).
_FILL_ATTRIBUTES = ("_FillValue", "missing_value", "fill_value", "FillValue", "nodata", "_NoData")


def read_signal(
    store: Store, group_name: str, name: str, slices: Slices, fills: tuple[float, ...] = (), norm: str = ""
) -> Block:
    """Read a block of a signal: NaN where not measured, scaled as its group says, divided by `norm` beside it."""
    group = store.get(group_name or "/")
    node = store.require(f"{group_name}/{name}")
    factor, offset = scaling_of(store, group, name, alone=True)
    spelling = Spelling((*fills, *_fill_values(node)), factor, offset)
    raw = node[slices]
    masks = [
        (mask.name, np.broadcast_to(mask.marks(slices), raw.shape))
        for mask in find_masks(store, group_name, name, node)
    ]
    masks += _outside_of_valid(store, node, raw)
    block = measured_values(raw, spelling, masks)
    for divisor in filter(None, (f"{name}_weights", norm)):
        weights = store.dataset(divisor, group)
        if weights is not None and weights.shape == node.shape:
            block = _divided(block, np.asarray(require_numbers(weights, store.path)[slices], dtype=np.float64), divisor)
    return block


def _outside_of_valid(store: Store, node: Node, raw: NDArray[Any]) -> list[tuple[str, NDArray[np.bool_]]]:
    """What lies outside of the attributes valid_min, valid_max or valid_range (netCDF): counted before any scaling."""
    said = node.attrs.get("valid_range")
    ends = [_attribute(store, node, name) for name in ("valid_min", "valid_max")]
    if said is not None and np.size(said) == 2:
        ends = [float(end) for end in np.ravel(said)]
    low, high = (-np.inf if ends[0] is None else ends[0]), (np.inf if ends[1] is None else ends[1])
    outside = (raw < low) | (raw > high)
    return [(f"its valid range, {low:g} to {high:g}, as outside", outside)] if np.any(outside) else []


def _divided(block: Block, weights: NDArray[np.float64], name: str) -> Block:
    """NeXus: divide the field by its weights; what has none was not measured."""
    none = ~(weights > 0) & np.isfinite(block.values)
    if none.any():
        block.tally[f"without weight in {name}"] += int(none.sum())
    return Block(np.where(weights > 0, block.values / np.where(weights > 0, weights, 1.0), np.nan), block.tally)


def scaling_of(store: Store, group: Node, name: str, *, alone: bool = False) -> tuple[float, float]:
    """Factor and offset of a field: value = factor * number + offset.

    NeXus, (number + offset) * scaling_factor, from fields NAME_scaling_factor and NAME_offset, or for the signal
    (`alone`) also scaling_factor and offset; CF, number * scale_factor + add_offset, from attributes.
    """
    node = store.dataset(name, group)
    factor, shift = 1.0, 0.0
    for stem in (f"{name}_", *(("",) if alone else ())):
        fields = [_number(store, group, f"{stem}{what}") for what in ("scaling_factor", "offset")]
        if fields != [None, None]:
            factor, shift = 1.0 if fields[0] is None else fields[0], fields[1] or 0.0
            break
    else:
        fields = [_attribute(store, node, what) for what in ("scaling_factor", "offset")]
        factor, shift = 1.0 if fields[0] is None else fields[0], fields[1] or 0.0
    scale, added = (_attribute(store, node, what) for what in ("scale_factor", "add_offset"))
    scale = 1.0 if scale is None else scale
    factor, offset = factor * scale, factor * shift * scale + (added or 0.0)
    if not (np.isfinite(factor) and np.isfinite(offset)) or factor == 0:
        raise ValueError(f"{store.path}: {name} has scaling factor {factor:g} and offset {offset:g}; correct them")
    return factor, offset


def _number(store: Store, group: Node, name: str) -> float | None:
    node = store.dataset(name, group)
    if node is None:
        return None
    if node.size != 1:
        raise ValueError(f"{store.path}: {name} has shape {node.shape}; expected one number: apply it and save again")
    return float(np.ravel(require_numbers(node, store.path)[()])[0])


def _attribute(store: Store, node: Node, name: str) -> float | None:
    said = None if node is None else node.attrs.get(name)
    if said is None:
        return None
    try:
        return float(np.ravel(said)[0]) if not isinstance(said, str | bytes) else float(said)
    except (ValueError, TypeError, IndexError):
        raise ValueError(f"{store.path}: {name} of {node.name} is {as_text(said)[:20]!r}; expected a number") from None


def _fill_values(node: Node) -> tuple[float, ...]:
    found: list[float] = []
    for name in _FILL_ATTRIBUTES:
        said = node.attrs.get(name)
        values = np.ravel(said) if said is not None else np.empty(0)
        if values.dtype.kind in "iuf":
            found += [float(value) for value in values if np.isfinite(value)]
    # What HDF5 itself fills with where nothing was written; the usual one is zero, which says nothing.
    written = node.fillvalue if node.dtype.kind in "iuf" else 0
    return (*found, float(written)) if written < 0 else tuple(found)
