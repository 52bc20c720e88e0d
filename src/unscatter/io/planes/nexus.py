"""NeXus NXdata with two or three axes: generic files, NXrefine's /entry/transform, "Disorder scattering 1.0".

The group is the one the attributes `default` lead to. Axes are known by their names or labels: Qh, h,
[H,0,0], [h h 0]. A plane states where it lies by the attributes origin, u and v of its group; without origin
its axes stay unknown, because hk0 and hk1 look the same.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unscatter.io.hdf5 import Node, Store, as_text, attribute, is_class, is_hdf5, require_numbers
from unscatter.io.planes.grids import GridAxis, Slices, pixel_centres, stored_volume
from unscatter.io.planes.notation import parse_direction
from unscatter.nouns.arrays import FloatArray
from unscatter.nouns.cell import Cell
from unscatter.nouns.plane import Plane, PlaneAxes
from unscatter.nouns.volume import Volume

NAME = "NeXus NXdata"
GAPS_KNOWN = False

_Vector = NDArray[np.float64]


def recognises(path: Path) -> bool:
    """Whether the file has an NXdata group."""
    if not is_hdf5(path):
        return False
    with Store(path) as store:
        return bool(_default_group(store) or _data_groups(store))


def read(path: Path, dataset: str | None = None) -> Plane | Volume:
    """Read the default NXdata group, or `dataset`: a group, its signal, or any dataset (ny, nx) without axes.

    Raises ValueError with the names that are there if the choice is not clear, and for data in direct space.
    """
    with Store(path) as store:
        if dataset is None:
            return read_group(store, _default_group(store) or _only_group(store))
        name = dataset.strip("/")
        node = store.get(name)
        if node is None:
            raise ValueError(f"{path} has no {dataset}; {_contents(store)}")
        holder, _, last = name.rpartition("/")
        if is_class(node, "NXdata"):
            return read_group(store, name)
        if is_class(store.get(holder), "NXdata") and _signal_name(store, holder) == last:
            return read_group(store, holder)
        return _read_bare(store, name)


def read_group(store: Store, name: str) -> Plane | Volume:
    """Read an NXdata group: a plane into memory, a volume left on disk."""
    group = store.get(name)
    if attribute(group, "space") not in ("", "reciprocal"):
        raise ValueError(f"{store.path}: {name} is in {attribute(group, 'space')} space; expected reciprocal space")
    signal_name = _signal_name(store, name)
    if not signal_name:
        raise ValueError(f"{store.path}: {name} names no signal; {_contents(store)}")
    path = f"{name}/{signal_name}"
    signal = store.require(path)
    cell, title = _cell(store, name), _title(store, name)
    if signal.ndim == 2:
        intensity = np.asarray(signal[()], dtype=np.float64)
        axes = _plane_axes(store, group, signal)
        return Plane(intensity, axes, cell, title, simulated=_simulated(store, name), source=str(store.path))
    if signal.ndim != 3:
        raise ValueError(f"{store.path}: {path} has shape {signal.shape}; expected a plane or a volume")

    def load(store: Store, slices: Slices) -> FloatArray:
        block: FloatArray = store.require(path)[slices]
        return block

    return stored_volume(store.path, _axes(store, group, signal), load, cell, title)


def _read_bare(store: Store, name: str) -> Plane:
    node = store.dataset(name)
    if node is None or node.ndim != 2:
        seen = "a group without NXdata" if node is None else f"of shape {node.shape}"
        raise ValueError(f"{store.path}: {name} is {seen}; expected a plane (ny, nx) or an NXdata group")
    return Plane(require_numbers(node, store.path)[()], source=str(store.path))


def _default_group(store: Store) -> str:
    """Name of the NXdata group that the attributes `default` lead to; empty if they lead nowhere."""
    name, node = "", store.root
    # Entry, subentry, data: a file that leads further than that leads in a circle.
    for _ in range(4):
        if node is None or is_class(node, "NXdata"):
            break
        name = f"{name}/{attribute(node, 'default') or '.'}".strip("/")
        node = store.get(name)
    return name if is_class(node, "NXdata") else ""


def _data_groups(store: Store) -> list[str]:
    """Names of the NXdata groups of all entries: /entry/data, /data."""
    tops = [name for name in store.root if not _external(store.root, name)]
    names = tops + [f"{top}/{name}" for top in tops for name in _members(store, top)]
    return [name for name in names if is_class(store.get(name), "NXdata")]


def _members(store: Store, name: str) -> list[str]:
    node = store.get(name)
    if node is None or not hasattr(node, "keys"):
        return []
    return [member for member in node if not _external(node, member)]


def _external(group: Node, name: str) -> bool:
    # A look around follows no link to another file: only what is asked for is opened.
    return type(group.get(name, getlink=True)).__name__ == "ExternalLink"


def _only_group(store: Store) -> str:
    groups = _data_groups(store)
    transforms = [name for name in groups if name.endswith("/transform")]
    for choice in (groups, transforms):
        if len(choice) == 1:
            return choice[0]
    raise ValueError(f"{store.path} does not say which of its data to plot; {_contents(store)}")


def _contents(store: Store) -> str:
    groups = _data_groups(store)
    names = groups or list(store.root)
    example = names[0] if names else "entry/data"
    return f"it holds {', '.join(names[:8]) or 'nothing'}: choose for example --dataset {example}"


def _signal_name(store: Store, name: str) -> str:
    group = store.get(name)
    if said := attribute(group, "signal"):
        return said
    # Before 2014 the signal itself carried the mark.
    return next(
        (member for member in _members(store, name) if attribute(store.get(f"{name}/{member}"), "signal") == "1"),
        "",
    )


def _axes(store: Store, group: Node, signal: Node) -> list[GridAxis]:
    """Axes in the order of the disk; an axis that cannot be read has no direction."""
    names = _axis_names(group, signal)
    names += ["."] * (signal.ndim - len(names))
    return [_axis(store, group, name, count) for name, count in zip(names, signal.shape, strict=False)]


def _axis_names(group: Node, signal: Node) -> list[str]:
    said = group.attrs.get("axes", signal.attrs.get("axes", ""))
    names = [as_text(name) for name in np.ravel(said)]
    if len(names) == 1:
        names = [name for name in names[0].strip("[]").replace(",", ":").split(":") if name]
    # NAME_indices, where given, says which axis of the array each name belongs to.
    places = {name: group.attrs.get(f"{name}_indices", place) for place, name in enumerate(names)}
    return sorted(names, key=lambda name: int(np.ravel(places[name])[0]))


def _axis(store: Store, group: Node, name: str, count: int) -> GridAxis:
    values = None if name == "." else store.numbers(name, group)
    if values is None:
        return GridAxis(name, np.arange(count, dtype=np.float64), None)
    label = attribute(store.dataset(name, group), "long_name")
    direction = parse_direction(name)
    return GridAxis(
        name, pixel_centres(values, count, name), parse_direction(label) if direction is None else direction
    )


def _plane_axes(store: Store, group: Node, signal: Node) -> PlaneAxes | None:
    y, x = _axes(store, group, signal)
    u, v = _vector(group, "u", x.direction), _vector(group, "v", y.direction)
    origin = _vector(group, "origin", None)
    if origin is None or u is None or v is None:
        return None
    return PlaneAxes(origin, u, v, x.values, y.values)


def _vector(group: Node, name: str, otherwise: _Vector | None) -> _Vector | None:
    said = group.attrs.get(name)
    return otherwise if said is None or np.size(said) != 3 else np.asarray(said, dtype=np.float64)


def _holders(name: str) -> list[str]:
    """The places where facts about a group are kept, nearest first: itself, its entry, the file."""
    entry = name.rpartition("/")[0]
    return list(dict.fromkeys([name, entry, "/"]))


def _cell(store: Store, name: str) -> Cell | None:
    nodes = [store.get(f"{holder}{inside}") for holder in _holders(name) for inside in ("", "/sample")]
    return next((cell for node in nodes if node is not None and (cell := store.cell(node)) is not None), None)


def _title(store: Store, name: str) -> str:
    entry = name.rpartition("/")[0]
    return store.text(f"{entry}/title") or store.text(f"{name}/title")


def _simulated(store: Store, name: str) -> bool:
    nodes = [store.get(holder) for holder in _holders(name)]
    return any(bool(node.attrs.get("simulated", False)) for node in nodes if node is not None)
