"""NeXus NXdata with two or three axes: generic files, NXrefine's /entry/transform, "Disorder scattering 1.0".

The group is the one the attributes `default` lead to. Axes are known by their names or labels: Qh, h, [H,0,0],
[h h 0]. A plane states where it lies by the attributes origin, u and v of its group, or by the names of its axes and a
single value of the third: then the earlier of h, k, l runs along x.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from unscatter.io.hdf5 import Node, Store, attribute, is_class, is_hdf5, require_numbers, require_size
from unscatter.io.planes.asked import Asked
from unscatter.io.planes.grids import GridAxis, Slices, stored_volume
from unscatter.io.planes.missing import Block, describe_missing
from unscatter.io.planes.nexus_axes import read_axes
from unscatter.io.planes.nexus_masks import unused_arrays
from unscatter.io.planes.nexus_norms import find_norm
from unscatter.io.planes.nexus_signal import read_signal
from unscatter.io.planes.placing import place_plane
from unscatter.nouns.cell import Cell
from unscatter.nouns.plane import Plane
from unscatter.nouns.volume import Volume
from unscatter.quantities import is_transformed

NAME = "NeXus NXdata"
GAPS_KNOWN = False
_DIRECT_SPACE = re.compile(r"\b(?:3D[-_ ]?)?(?:delta[-_ ]?|Δ|d)?PDF\b|pair[-_ ]distribution|patterson", re.IGNORECASE)
DATASETS = "group or data set, with # and a number for one of several along an axis"
#: Three of reciprocal space, and one or two of a single pixel.
_MOST_AXES = 5


def recognises(path: Path) -> bool:
    """Whether the file has an NXdata group."""
    if not is_hdf5(path):
        return False
    with Store(path) as store:
        return bool(_default_group(store) or _data_groups(store))


def read(path: Path, asked: Asked = Asked()) -> Plane | Volume:  # noqa: B008  frozen
    """Read the default NXdata group, or `asked.dataset`: a group, its signal, or any dataset (ny, nx) without axes.

    Raises ValueError with the names that are there if the choice is not clear, and for data in direct space.
    """
    with Store(path) as store:
        if asked.dataset is None:
            return read_group(store, _default_group(store) or _only_group(store), asked)
        name, _, frame = asked.dataset.strip("/").partition("#")
        node = store.get(name)
        if node is None:
            raise ValueError(f"{path} has no {asked.dataset}; {_contents(store)}")
        holder, _, last = name.rpartition("/")
        if is_class(node, "NXdata"):
            return read_group(store, name, asked, frame)
        if is_class(store.get(holder), "NXdata") and _signal_name(store, holder) == last:
            return read_group(store, holder, asked, frame)
        return _read_bare(store, name, asked)


def read_group(store: Store, name: str, asked: Asked = Asked(), frame: str = "") -> Plane | Volume:  # noqa: B008  frozen
    """Read an NXdata group: a plane into memory, a volume left on disk; of several along an axis, one by its number."""
    group: Node = store.get(name)
    if attribute(group, "space") not in ("", "reciprocal"):
        raise ValueError(f"{store.path}: {name} is in {attribute(group, 'space')} space; expected reciprocal space")
    signal_name = _signal_name(store, name)
    if not signal_name:
        raise ValueError(f"{store.path}: {name} names no signal; {_contents(store)}")
    signal = store.require(f"{name}/{signal_name}")
    _refuse_other_kinds(store, name, signal_name, signal)
    if not 2 <= signal.ndim <= _MOST_AXES:
        raise ValueError(
            f"{store.path}: {name}/{signal_name} has shape {signal.shape}; expected a plane or a volume: "
            "choose other data with --dataset"
        )
    if signal.ndim == 2:
        require_size(signal.shape, f"plane {name}", store.path)
    cell, title, path = asked.cell or _cell(store, name), _title(store, name), store.path
    axes, fixed = read_axes(store, group, signal, asked, cell)
    norm = find_norm(
        store, name, signal_name, as_it_is=(asked.dataset or "").strip("/").partition("#")[0] == f"{name}/{signal_name}"
    )
    if norm is not None:
        store.notes.append(norm.words)
    used = {axis.label for axis in axes} | ({norm.name} if norm is not None else set())
    others = [other for other in unused_arrays(store, name, signal_name) if other not in used]
    if others:
        store.notes.append(f"{', '.join(others[:8])} beside {signal_name} were not used (--dataset chooses)")

    divisor = norm.name if norm is not None and norm.divides else ""
    # a layer that is no index, such as a frame or a temperature, has one pixel
    kept = tuple(axis.values.size > 1 or axis.direction is not None for axis in axes)
    chosen = slice(None)
    if (across := _frames(axes)) is not None:
        chosen = _frame(f"{store.path}: {name}", name, axes[across], frame)
        kept = tuple(keep and place != across for place, keep in enumerate(kept))
    axes = [axis for axis, keep in zip(axes, kept, strict=True) if keep]
    if len(axes) not in (2, 3):
        raise ValueError(
            f"{store.path}: {name}/{signal_name} has shape {signal.shape}; expected a plane or a volume: "
            "choose other data with --dataset"
        )

    def load(slices: Slices) -> Block:
        with Store(path) as again:
            return _block(again, slices)

    def _block(opened: Store, slices: Slices) -> Block:
        wanted = iter(slices)
        index = tuple(
            next(wanted) if keep else chosen if place == across else slice(None) for place, keep in enumerate(kept)
        )
        block = read_signal(opened, name, signal_name, index, asked.fills, divisor)
        left = tuple(place for place, keep in enumerate(kept) if not keep)
        return Block(np.squeeze(block.values, axis=left), block.tally)

    if len(axes) == 3:
        return stored_volume(str(path), axes, load, cell, title, store.notes)
    require_size(tuple(axis.values.size for axis in axes), f"plane {name}", store.path)
    block = _block(store, (slice(None), slice(None)))
    notes = [*store.notes, *describe_missing(block.tally, block.values.size)]
    plane = Plane(block.values, None, cell, title, _simulated(store, name), str(path), tuple(notes))
    return place_plane(plane, axes, fixed, {key: group.attrs.get(key) for key in ("origin", "u", "v")})


def _frames(axes: list[GridAxis]) -> int | None:
    """The axis along which planes or volumes follow one another: the only one of several that is no direction."""
    without = [place for place, axis in enumerate(axes) if axis.direction is None and axis.values.size > 1]
    return without[0] if len(without) == 1 and len(axes) > 2 else None


def _frame(who: str, name: str, axis: GridAxis, frame: str) -> slice:
    count = axis.values.size
    if not frame.isdigit() or not 1 <= int(frame) <= count:
        raise ValueError(
            f"{who} holds {count} planes or volumes along {axis.label!r}, which is no direction of reciprocal space; "
            f"expected one: choose it with --dataset {name}#1 (to {count}), or say what the axis is with --axes"
        )
    return slice(int(frame) - 1, int(frame))


def _refuse_other_kinds(store: Store, name: str, signal_name: str, signal: Node) -> None:
    """Raise ValueError for data whose names say that they are logarithms, or in direct space."""
    words = (signal_name, attribute(signal, "long_name"), attribute(signal, "units"), _title(store, name))
    if transformed := next((word for word in words if is_transformed(word)), ""):
        raise ValueError(
            f"{store.path}: {signal_name} ({transformed[:40]!r}) holds logarithms or roots; expected intensities: turn "
            "them back (10**y, exp(y) or y**2) and save those"
        )
    if said := next((word for word in words if _DIRECT_SPACE.search(word)), ""):
        raise ValueError(
            f"{store.path}: {name} is called {said[:40]!r}, which is in direct space; expected reciprocal space: give "
            "the data before the transform"
        )


def _read_bare(store: Store, name: str, asked: Asked) -> Plane:
    node = store.dataset(name)
    if node is None or node.ndim != 2:
        seen = "a group without NXdata" if node is None else f"of shape {node.shape}"
        raise ValueError(f"{store.path}: {name} is {seen}; expected a plane (ny, nx) or an NXdata group")
    require_size(require_numbers(node, store.path).shape, name, store.path)
    holder, _, last = name.rpartition("/")
    block = read_signal(store, holder, last, (slice(None), slice(None)), asked.fills)
    return Plane(block.values, source=str(store.path), notes=tuple(describe_missing(block.tally, block.values.size)))


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


def _holders(name: str) -> list[str]:
    """The places where facts about a group are kept, nearest first: itself, its entry, the file."""
    entry = name.rpartition("/")[0]
    return list(dict.fromkeys([name, entry, "/"]))


def _cell(store: Store, name: str) -> Cell | None:
    nodes = [store.get(f"{holder}{inside}") for holder in _holders(name) for inside in ("", "/sample")]
    return next((cell for node in nodes if node is not None and (cell := store.cell(node)) is not None), None)


def _title(store: Store, name: str) -> str:
    entry = name.rpartition("/")[0]
    said = store.text(f"{entry}/title") or store.text(f"{name}/title")
    return said or attribute(store.get(name), "title")


def _simulated(store: Store, name: str) -> bool:
    nodes = [store.get(holder) for holder in _holders(name)]
    return any(bool(node.attrs.get("simulated", False)) for node in nodes if node is not None)
