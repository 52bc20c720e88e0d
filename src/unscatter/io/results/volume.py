"""A volume taken apart, as one NeXus file with I_FF and I_SRO, or as a pair of files in the layout of Yell 1.0.

Layers are made and written in blocks: memory does not grow with the volume. What was fitted is kept beside the file
until it is whole, so that a call that was killed need not read the volume again.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unscatter.io.files import replacing
from unscatter.io.hdf5 import Node, Store, attribute, open_own
from unscatter.nouns.order import OrderParameters
from unscatter.nouns.volume import Volume
from unscatter.nouns.volume_components import VolumeComponents
from unscatter.version import __version__

NAME = "unscatter volume result"
FORMAT_VERSION = 1
#: Voxels that are made at once.
BLOCK_VOXELS = 2_000_000
#: Name of each factor in the file and what it is.
FACTORS = {"I_FF": "Form factor I_FF (units of the input)", "I_SRO": "Short-range order I_SRO (mean 1)"}

Report = Callable[[float, str], None]


def write_volume(path: Path, components: VolumeComponents, what: str, report: Report | None = None) -> None:
    """Write I_FF and I_SRO of a volume, its alphas and provenance; the file appears whole or not at all.

    what: a text that names input and options. What was found stands in PATH.found until all layers are written, for
    `begun_volume` after a kill.
    """
    found = _found(path)
    with replacing(found) as temporary, open_own(temporary, "w") as file:
        file.attrs["what"] = what
        _lay_out(file, components, images=False)
    with replacing(path) as temporary, open_own(temporary, "w") as file:
        _lay_out(file, components, images=True)
        for layers in _blocks(components, 0):
            file["entry/I_FF/data"][layers] = components.form_factor(layers).astype(np.float32)
            file["entry/I_SRO/data"][layers] = components.short_range_order(layers).astype(np.float32)
            if report is not None:
                report(layers.stop / components.shape[0], "writing")
    found.unlink()


def begun_volume(path: Path, volume: Volume, what: str) -> VolumeComponents | None:
    """What a call that was killed while it wrote PATH had found already; None where nothing is there, or of another."""
    found = _found(path)
    if not found.exists():
        return None
    with Store(found) as store:
        if attribute(store.root, "what") != what:
            return None
    return _read(found, volume)


def _found(path: Path) -> Path:
    return path.with_name(path.name + ".found")


def read_volume_components(path: Path, volume: Volume) -> VolumeComponents:
    """Read what `write_volume` wrote, beside the volume that it came from."""
    return _read(path, volume)


def write_yell(folder: Path, stem: str, components: VolumeComponents) -> tuple[Path, Path]:
    """Write I_FF and I_SRO as STEM.form_factor.h5 and STEM.short_range_order.h5 in the layout Yell 1.0.

    Source of the layout: Yell and Meerkat write /data (n_h, n_k, n_l), /lower_limits, /step_sizes, /unit_cell.
    Raises ValueError for a volume along other axes than h, k, l, which the layout cannot hold.
    """
    if not np.allclose(components.volume.basis, np.eye(3)):
        raise ValueError("the layout of Yell holds volumes along h, k, l alone; leave out --layout yell")
    makers = {"form_factor": components.form_factor, "short_range_order": components.short_range_order}
    paths = []
    for name, make in makers.items():
        path = folder / f"{stem}.{name}.h5"
        with replacing(path) as temporary, open_own(temporary, "w") as file:
            data = _lay_out_yell(file, components.volume)
            for layers in _blocks(components, 0):
                data[:, :, layers] = make(layers).astype(np.float32).transpose(2, 1, 0)
        paths.append(path)
    return paths[0], paths[1]


def _blocks(components: VolumeComponents, start: int) -> Iterator[slice]:
    layers, rows, columns = components.shape
    # A whole number of chunks, so that none is compressed twice.
    count = max(1, BLOCK_VOXELS // (rows * columns) // _DEPTH) * _DEPTH
    for first in range(start, layers, count):
        yield slice(first, min(first + count, layers))


#: Layers in a chunk.
_DEPTH = 8


def _lay_out(file: Node, components: VolumeComponents, *, images: bool) -> None:
    volume = components.volume
    file.attrs.update({"NX_class": "NXroot", "default": "entry", "format": NAME, "format_version": FORMAT_VERSION})
    entry = _group(file, "entry", "NXentry")
    entry.attrs.update({"default": "I_SRO", "simulated": volume.simulated})
    entry["title"] = volume.title
    for name, label in FACTORS.items() if images else ():
        group = _group(entry, name, "NXdata")
        group.attrs.update({"signal": "data", "axes": ["l", "k", "h"]})
        shape = components.shape
        chunks = (min(_DEPTH, shape[0]), *(min(128, n) for n in shape[1:]))
        data = group.create_dataset(
            "data", shape, np.float32, chunks=chunks, compression="gzip", compression_opts=1, shuffle=True
        )
        data.attrs["long_name"] = label
        for axis, direction in zip("hkl", volume.basis, strict=True):
            group[axis] = getattr(volume, axis)
            group[axis].attrs.update({"units": "r.l.u.", "long_name": axis, "direction": direction})
    if volume.cell is not None:
        _group(entry, "sample", "NXsample")["unit_cell"] = np.array(volume.cell.parameters)
    found = _group(entry, "found", "NXcollection")
    found.update({"form": components.form, "series": components.series})
    for name, nodes in zip("hkl", components.nodes, strict=True):
        found[f"node_{name}"] = nodes
    table = _group(entry, "order_parameters", "NXcollection")
    error = components.order.standard_error
    table.update({"vector": components.order.vectors, "alpha": components.order.alpha})
    table["standard_error"] = np.full(components.order.alpha.shape, math.nan) if error is None else error
    process = _group(entry, "process", "NXprocess")
    process.update({"program": "unscatter", "version": __version__})
    process["provenance"] = json.dumps(components.provenance)


def _lay_out_yell(file: Node, volume: Volume) -> Node:
    axes = (volume.h, volume.k, volume.l)
    file["format"] = "Yell 1.0"
    file["is_direct"] = False
    file["lower_limits"] = np.array([axis[0] for axis in axes])
    file["step_sizes"] = np.array([axis[1] - axis[0] for axis in axes])
    if volume.cell is not None:
        file["unit_cell"] = np.array(volume.cell.parameters)
    shape = tuple(axis.size for axis in axes)
    chunks = (min(128, shape[0]), min(128, shape[1]), min(_DEPTH, shape[2]))
    data: Node = file.create_dataset(
        "data", shape, np.float32, chunks=chunks, compression="gzip", compression_opts=1, shuffle=True
    )
    return data


def _group(parent: Node, name: str, nexus_class: str) -> Node:
    group = parent.create_group(name)
    group.attrs["NX_class"] = nexus_class
    return group


def _read(path: Path, volume: Volume) -> VolumeComponents:
    with Store(path) as store:
        nodes = tuple(_numbers(store, f"entry/found/node_{name}") for name in "hkl")
        order = OrderParameters(
            _numbers(store, "entry/order_parameters/vector").astype(np.int64),
            _numbers(store, "entry/order_parameters/alpha"),
            standard_error=_numbers(store, "entry/order_parameters/standard_error"),
        )
        return VolumeComponents(
            volume,
            _numbers(store, "entry/found/form"),
            (nodes[0], nodes[1], nodes[2]),
            _numbers(store, "entry/found/series"),
            order,
            json.loads(store.text("entry/process/provenance") or "{}"),
        )


def _numbers(store: Store, name: str) -> NDArray[Any]:
    values = store.numbers(name)
    if values is None:
        raise ValueError(f"{store.path} holds no {name}; expected a file that unscatter factorize --volume wrote")
    return values
