"""NeXus: an NXdata group of an HDF5 file, if it is one-dimensional over two-theta, theta, Q or d.

Layout: NeXus manual, NXdata and "Associating plottable data using attributes" (P. Klosowski et al. and NIAC). Read
through the guarded store: links lead to files beside it and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from unscatter.io.hdf5 import Node, Store, as_text, attribute, is_class, is_hdf5, require_numbers
from unscatter.io.patterns.content import Content
from unscatter.io.patterns.labels import DIFFRACTION, is_rate, refuse_transformed
from unscatter.io.patterns.nexus_beam import find_probe, find_wavelength
from unscatter.io.patterns.nexus_conditions import MOST_POINTS, at_same_conditions, nodes_below, role_of, shifts_of
from unscatter.io.patterns.scan import Scan
from unscatter.io.planes.grids import Slices
from unscatter.io.planes.nexus_masks import ERRORS, VARIANCES, unused_arrays
from unscatter.io.planes.nexus_signal import read_signal, scaling_of
from unscatter.quantities import Quantity, find_quantity, find_unit

NAME = "NeXus NXdata"
BLOCKS = "name of the NXdata group, with # and a number for one of its frames"
ASSUMES: tuple[str, ...] = (
    "without the attribute default the first NXdata of one dimension is read",
    "the largest number of an integer type, and -1 and -2 among counts, are no intensities",
)

#: `default` attributes are followed through this many groups.
_DEEPEST = 8
_KINDS_OF_UNITS = {"angle": "an angle", "inverse length": "Q", "length": "d"}

Column = NDArray[np.float64]


def recognises(content: Content) -> bool:
    """Whether the file is HDF5."""
    return is_hdf5(content.path)


def read(content: Content) -> Scan:
    """Read the signal over its axis.

    Raises ValueError if there is no such NXdata, if it has two dimensions, if it is over another axis, or damaged.
    """
    with Store(content.path) as store:
        wanted, _, frame = content.block.partition("#")
        name = _data_group(store, wanted)
        scan = _scan(store, name, frame)
        chosen = wanted or attribute(store.root, "default")
        others = [] if chosen else [other for other in _flat_groups(store) if other != name]
        told = f"{name} is read, not {', '.join(others[:8])} (--block chooses)" if others else ""
        return scan.telling(told)


def _data_group(store: Store, wanted: str) -> str:
    """Name of the NXdata that was asked for, that the `default` attributes lead to, or the first in the file."""
    if wanted:
        if _signal_name(store, store.get(wanted)):
            return wanted.strip("/")
        raise ValueError(f"no NXdata group {wanted!r}; {_contents(store)}")
    name = ""
    for _ in range(_DEEPEST):
        node = store.get(name or "/")
        below = attribute(node, "default") if node is not None and hasattr(node, "keys") else ""
        if not below:
            break
        name = f"{name}/{below}".strip("/")
    if name and _signal_name(store, store.get(name)):
        return name
    found = [name for name, node in _groups(store) if _signal_name(store, node)]
    if not found:
        raise ValueError(
            "an HDF5 file without NXdata and its signal; expected NeXus: export the scan as columns of text (.xy)"
        )
    return (_flat_groups(store) or found)[0]


def _flat_groups(store: Store) -> list[str]:
    """Names of the groups with a signal of one dimension."""
    return [name for name, node in _groups(store) if _signal_name(store, node) and _is_flat(store, name)]


def _is_flat(store: Store, name: str) -> bool:
    group = store.get(name)
    signal = store.dataset(_signal_name(store, group), group)
    return signal is not None and signal.size == max(signal.shape, default=0)


def _contents(store: Store) -> str:
    names = [name for name, node in _groups(store) if _signal_name(store, node)]
    example = names[0] if names else "entry/data"
    return f"the file has {', '.join(names[:8]) or 'none'}: choose for example --block {example}"


def _groups(store: Store) -> Iterator[tuple[str, Node]]:
    return ((name, node) for name, node in nodes_below(store, "") if hasattr(node, "keys"))


def _signal_name(store: Store, group: Node) -> str:
    """The data set that a group of class NXdata names, or, before 2014, the one that names itself; else ""."""
    if not is_class(group, "NXdata"):
        return ""
    if said := attribute(group, "signal"):
        return said if store.dataset(said, group) is not None else ""
    return next((name for name in group if _says(store, group, name, "signal")), "")


def _says(store: Store, group: Node, name: str, word: str) -> bool:
    node = store.dataset(name, group)
    return node is not None and attribute(node, word) == "1"


def _axis_name(store: Store, group: Node, signal: Node) -> str:
    """The axis that the group names, or the signal, or the one that names itself; of several one of diffraction."""
    for owner in (group, signal):
        names = [as_text(name) for name in np.ravel(owner.attrs.get("axes", ""))]
        if len(names) == 1:
            names = [name for name in names[0].strip("[]").replace(",", ":").split(":") if name]
        if used := [name for name in names if name and name != "."]:
            return next((name for name in used[::-1] if _is_of_diffraction(store, group, name)), used[-1])
    return next((name for name in group if _says(store, group, name, "axis")), "")


def _is_of_diffraction(store: Store, group: Node, name: str) -> bool:
    node = store.dataset(name, group)
    try:
        known = None if node is None else find_quantity(name, attribute(node, "units"))
        known = known or (None if node is None else find_quantity(attribute(node, "long_name")))
    except ValueError:
        return False
    return known is not None and known.kind in DIFFRACTION


def _scan(store: Store, name: str, frame: str) -> Scan:
    group: Node = store.get(name)
    signal_name = _signal_name(store, group)
    signal = require_numbers(store.dataset(signal_name, group), store.path)
    axis_name = _axis_name(store, group, signal)
    words = (signal_name, attribute(signal, "long_name"), attribute(signal, "units"))
    for said in words:
        refuse_transformed(said)
    chosen = _chosen_frame(store, name, signal, axis_name, frame)
    block = read_signal(store, name, signal_name, chosen)
    intensity = np.ravel(block.values)
    lost = [f"{count} of {intensity.size} points are {reason}: not measured" for reason, count in block.tally.items()]
    entry = name.split("/")[0] if "/" in name else ""
    around = list(nodes_below(store, entry))
    positions, axis = _axis(store, group, axis_name, intensity.size)
    sigma = _sigma(store, group, signal_name, signal, chosen)
    others = [other for other in unused_arrays(store, name, signal_name) if not _is_used(store, name, other, axis_name)]
    if others:
        lost.append(f"{', '.join(others[:8])} beside {signal_name} were not used")
    radiation = find_probe(around)
    first, second, words_of_wavelength = find_wavelength(store, around, radiation)
    lost += [words_of_wavelength, *shifts_of(around, name)]
    scan = Scan(
        positions=positions,
        intensity=intensity,
        sigma=sigma,
        axis=axis,
        wavelength=first,
        second_wavelength=second,
        radiation=radiation,
        title=store.text("title", group) or (store.text(f"{entry}/title") if entry else ""),
        simulated=bool(group.attrs.get("simulated", False)),
    )
    scan = replace(scan, per_second=any(is_rate(said) for said in words))
    return at_same_conditions(store, around, scan).telling(*lost)


def _is_used(store: Store, group_name: str, name: str, axis_name: str) -> bool:
    """Whether an array beside the signal has a meaning that is looked at elsewhere."""
    known = name == axis_name or bool(role_of(store, f"{group_name}/{name}"))
    try:
        return known or find_quantity(name) is not None
    except ValueError:
        return True


def _chosen_frame(store: Store, name: str, signal: Node, axis_name: str, frame: str) -> Slices:
    """Index of the one pattern in a signal: all of it, or one of several frames over the same axis."""
    shape, points = signal.shape, max(signal.shape, default=0)
    if signal.size == points <= MOST_POINTS and not frame:
        return (slice(None),) * int(signal.ndim)
    axis = store.dataset(axis_name, store.get(name)) if axis_name else None
    along = (
        [] if axis is None else [place for place in (1, 0) if signal.ndim == 2 and axis.size - shape[place] in (0, 1)]
    )
    if not along or points > MOST_POINTS:
        raise ValueError(
            f"signal {name}/{axis_name} has shape {shape}; expected one dimension over two-theta: integrate it "
            "first, or choose another group with --block"
        )
    frames = shape[1 - along[0]]
    if not frame.isdigit() or not 1 <= int(frame) <= frames:
        raise ValueError(
            f"{frames} patterns over {axis_name!r} in one group; expected one: choose for example "
            f"--block {name}#1 (the first)"
        )
    chosen = (slice(int(frame) - 1, int(frame)), slice(None))
    return chosen if along[0] == 1 else chosen[::-1]


def _axis(store: Store, group: Node, name: str, count: int) -> tuple[Column, Quantity | None]:
    """Positions, the centres where the file has the edges of bins, and what they are."""
    node = store.dataset(name, group) if name else None
    if node is None:
        raise ValueError(
            f"the signal has no axis (it names {name!r}); expected @axes to name two_theta, q or d: add it, or export "
            "the scan as columns of text (.xy)"
        )
    factor, offset = scaling_of(store, group, name)
    values = factor * np.ravel(np.asarray(require_numbers(node, store.path)[()], dtype=np.float64)) + offset
    values = (values[:-1] + values[1:]) / 2 if values.size == count + 1 else values
    units, label = attribute(node, "units") or attribute(node, "unit"), attribute(node, "long_name")
    known = find_quantity(name, units) or (find_quantity(label, units) if label else None)
    unit = find_unit(units) if units else None
    if known is None and unit is not None:
        # an axis called x, but in 1/nm; in millimetres it is no spacing
        far = unit.dimension == "length" and unit.factor > 10
        kind = "a position" if far else _KINDS_OF_UNITS.get(unit.dimension, unit.dimension)
        known = Quantity(kind, unit.dimension, unit.factor, unit.offset, f"{name} ({units})")
    return values, known


def _sigma(store: Store, group: Node, name: str, signal: Node, chosen: Slices) -> Column | None:
    """Standard uncertainties in the unit of the intensities: scaled and divided as these are."""
    words = [(key, 1.0) for key in (attribute(signal, "uncertainties"), *(said.format(name) for said in ERRORS))]
    words += [(said.format(name), 0.5) for said in VARIANCES]
    for key, power in words:
        node = store.dataset(key, group) if key else None
        if node is None or node.dtype.kind not in "fiu" or node.size != signal.size:
            continue
        numbers = node[chosen] if node.shape == signal.shape else node[()]
        with np.errstate(invalid="ignore"):
            sigma = np.ravel(np.asarray(numbers, dtype=np.float64)) ** power
        weights = store.dataset(f"{name}_weights", group)
        if weights is not None and weights.shape == signal.shape:
            sigma = sigma / np.maximum(np.ravel(np.asarray(weights[chosen], dtype=np.float64)), 1e-300)
        return (
            sigma
            if scaling_of(store, group, key) != (1.0, 0.0)
            else (sigma * abs(scaling_of(store, group, name, alone=True)[0]))
        )
    return None
