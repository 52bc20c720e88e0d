"""unscatter's own file: NeXus, so that silx view, h5py and NeXpy open it on the plot of the measured plane.

/entry (NXentry) holds one NXdata group for each plane; the default plot is I_D. The planes are float64 and
read back exactly; product and residual are written for the eye and made anew on reading; in mask 1 = not
measured.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unscatter.io.files import replacing, require_file
from unscatter.io.hdf5 import Node, Store, open_own
from unscatter.io.planes.result import FORMAT_VERSION, NAME, read, recognises
from unscatter.nouns.components import Components
from unscatter.nouns.findings import Findings
from unscatter.nouns.plane import Plane
from unscatter.version import __version__


def read_components(path: str | Path) -> Components:
    """Read what write_components wrote, exactly; raises ValueError for a file without components."""
    path = require_file(path)
    if not recognises(path):
        raise ValueError(f"{path} is no {NAME}; expected a file that unscatter factorize wrote")
    plane = read(path)
    with Store(path) as store:
        factors = [store.numbers(f"entry/{name}/data") for name in ("I_FF", "I_SRO")]
        provenance = json.loads(store.text("entry/process/provenance") or "{}")
        findings = json.loads(store.text("entry/process/findings") or "{}")
    if factors[0] is None or factors[1] is None:
        raise ValueError(f"{path} holds a plane without its factors; make them with unscatter factorize {path}")
    return Components(plane, factors[0], factors[1], provenance, _findings(findings))


def _findings(record: dict[str, Any]) -> Findings:
    if not record:
        return Findings()
    return Findings.from_rows(record["findings"], record["subject"], record["caveat"])


@dataclass(frozen=True)
class Extra:
    """What is written beside components: images with what they show, and records as JSON, by their names."""

    images: Mapping[str, tuple[NDArray[Any], str]]
    records: Mapping[str, Any]


def write_components(path: str | Path, components: Components, extra: Extra | None = None) -> None:
    """Write a plane taken apart: I_D, I_FF, I_SRO, product, residual, mask, cell, findings and provenance.

    The file appears whole or not at all. Raises FileNotFoundError if the folder does not exist and TypeError
    if the provenance cannot be written as JSON.
    """
    images: dict[str, tuple[NDArray[Any], str]] = {
        "I_FF": (components.form_factor, "Form factor I_FF (units of the input)"),
        "I_SRO": (components.short_range_order, "Short-range order I_SRO (mean 1)"),
        # What follows from the others is written for viewers, in half the bytes.
        "product": (components.product.astype(np.float32), "I_FF x I_SRO"),
        "residual": (components.residual.astype(np.float32), "Measured - I_FF x I_SRO"),
    }
    found = components.findings
    records = {
        "provenance": json.dumps(components.provenance, default=_plain),
        "findings": json.dumps({"subject": found.subject, "caveat": found.caveat, "findings": found.rows()}),
    }
    if extra is not None:
        images |= extra.images
        records |= {name: json.dumps(record, default=_plain) for name, record in extra.records.items()}
    with replacing(path) as temporary:
        _write(temporary, components.plane, images, records)


def write_plane(path: str | Path, plane: Plane) -> None:
    """Write a plane, its mask, axes and cell; the file appears whole or not at all.

    Raises FileNotFoundError if the folder does not exist.
    """
    with replacing(path) as temporary:
        _write(temporary, plane, {}, {"provenance": "{}"})


def _write(path: Path, plane: Plane, images: dict[str, tuple[NDArray[Any], str]], records: dict[str, str]) -> None:
    with open_own(path, "w") as file:
        file.attrs.update({"NX_class": "NXroot", "default": "entry", "format": NAME, "format_version": FORMAT_VERSION})
        entry = _group(file, "entry", "NXentry")
        entry.attrs.update({"default": "I_D", "simulated": plane.simulated})
        entry["title"] = plane.title
        first = _image(entry, "I_D", _narrowed(plane.intensity), "Diffuse intensity I_D")
        first["data"].attrs.update({"source": plane.source, "notes": "\n".join(plane.notes)})
        _axes(first, plane)
        images = {**images, "mask": ((~plane.measured).astype(np.uint8), "Not measured")}
        for name, (image, label) in images.items():
            group = _image(entry, name, image, label)
            for axis in "xy":
                group[axis] = first[axis]
            _position(group, plane)
        if plane.cell is not None:
            _group(entry, "sample", "NXsample")["unit_cell"] = np.array(plane.cell.parameters)
        _process(entry, records)


def _group(parent: Node, name: str, nexus_class: str) -> Node:
    group = parent.create_group(name)
    group.attrs["NX_class"] = nexus_class
    return group


def _image(entry: Node, name: str, image: NDArray[Any], label: str) -> Node:
    group = _group(entry, name, "NXdata")
    group.attrs.update({"signal": "data", "axes": ["y", "x"]})
    group["title"] = label
    data = group.create_dataset("data", data=image, compression="gzip", compression_opts=1, shuffle=True)
    data.attrs.update({"long_name": label, "interpretation": "image"})
    return group


def _narrowed(values: NDArray[np.float64]) -> NDArray[Any]:
    """The same numbers in single precision, where that holds them exactly."""
    with np.errstate(over="ignore"):
        single = values.astype(np.float32)
    return single if np.array_equal(single, values, equal_nan=True) else values


def _axes(group: Node, plane: Plane) -> None:
    for place, name in ((1, "x"), (0, "y")):
        title, unit = plane.axis_label(name)
        pixels = np.arange(plane.intensity.shape[place], dtype=np.float64)
        group[name] = pixels if plane.axes is None else getattr(plane.axes, name)
        group[name].attrs.update({"units": unit, "long_name": f"{title} ({unit})"})
    _position(group, plane)


def _position(group: Node, plane: Plane) -> None:
    if plane.axes is not None:
        group.attrs.update({"origin": plane.axes.origin, "u": plane.axes.u, "v": plane.axes.v})


def _process(entry: Node, records: dict[str, str]) -> None:
    process = _group(entry, "process", "NXprocess")
    process["program"] = "unscatter"
    process["version"] = __version__
    process["date"] = datetime.now(UTC).isoformat(timespec="seconds")
    for name, text in records.items():
        process[name] = text
        process[name].attrs["media_type"] = "application/json"


def _plain(value: Any) -> Any:
    """NumPy values and paths as JSON knows them."""
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"provenance holds {value!r} of type {type(value).__name__}, which JSON does not know")
