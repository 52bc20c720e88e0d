"""NeXus: an NXdata group of an HDF5 file, if it is one-dimensional over two-theta, theta, Q or d.

Layout: NeXus manual, NXdata and "Associating plottable data using attributes" (P. Klosowski et al. and NIAC). Read
through the guarded store: links lead to files beside it and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from unscatter.io.hdf5 import Node, Store, as_text, attribute, is_class, is_hdf5, require_numbers
from unscatter.io.patterns.content import Content
from unscatter.io.patterns.header import facts, wavelength_of
from unscatter.io.patterns.labels import DIFFRACTION, is_rate, parse_label, refuse_transformed
from unscatter.io.patterns.scan import Radiation, Scan, refuse_changing
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

#: More points than this are no pattern.
_MOST_POINTS = 10_000_000
#: `default` attributes are followed through this many groups; a look around goes as deep, and to so many nodes.
_DEEPEST = 8
_MOST_NODES = 5000
_WAVELENGTHS = ("wavelength", "incident_wavelength", "lambda")
#: A beam has at most so many wavelengths.
_MOST_LINES = 16
_ENERGIES = ("energy", "incident_energy")
#: Groups whose energy is not that of the beam on the sample: of a ring, of a detector.
_OTHER_ENERGIES = ("NXsource", "NXdetector", "NXinsertion_device")
_KINDS_OF_UNITS = {"angle": "an angle", "inverse length": "Q", "length": "d"}

#: Texts in which a configuration is looked for.
_MOST_TEXTS = 200

Column = NDArray[np.float64]
#: What lies in the entry of a pattern, by name.
Around = list[tuple[str, Node]]


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
    return ((name, node) for name, node in _nodes(store, "") if hasattr(node, "keys"))


def _nodes(store: Store, top: str) -> Iterator[tuple[str, Node]]:
    """Everything below a group, with its full name, level by level; a look around opens no other file."""
    level: list[tuple[str, Node]] = [(top, store.get(top or "/"))]
    seen = 0
    for _ in range(_DEEPEST):
        following: list[tuple[str, Node]] = []
        for name, group in level:
            for member in group:
                node: Node = None
                seen += 1
                if seen > _MOST_NODES:
                    return
                if type(group.get(member, getlink=True)).__name__ == "ExternalLink":
                    continue
                with suppress(ValueError):
                    node = store.get(member, group)
                if node is not None:
                    yield f"{name}/{member}".strip("/"), node
                    following += [(f"{name}/{member}".strip("/"), node)] if hasattr(node, "keys") else []
        level = following


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
    around = list(_nodes(store, entry))
    positions, axis = _axis(store, group, axis_name, intensity.size)
    sigma = _sigma(store, group, signal_name, signal, chosen)
    others = [other for other in unused_arrays(store, name, signal_name) if not _is_used(store, name, other, axis_name)]
    if others:
        lost.append(f"{', '.join(others[:8])} beside {signal_name} were not used")
    radiation = _probe(around)
    first, second, words_of_wavelength = _wavelength(store, around, radiation)
    lost.append(words_of_wavelength)
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
    return _same_conditions(store, around, scan).telling(*lost)


def _is_used(store: Store, group_name: str, name: str, axis_name: str) -> bool:
    """Whether an array beside the signal has a meaning that is looked at elsewhere."""
    known = name == axis_name or bool(_role(store, f"{group_name}/{name}"))
    try:
        return known or find_quantity(name) is not None
    except ValueError:
        return True


def _chosen_frame(store: Store, name: str, signal: Node, axis_name: str, frame: str) -> Slices:
    """Index of the one pattern in a signal: all of it, or one of several frames over the same axis."""
    shape, points = signal.shape, max(signal.shape, default=0)
    if signal.size == points <= _MOST_POINTS and not frame:
        return (slice(None),) * int(signal.ndim)
    axis = store.dataset(axis_name, store.get(name)) if axis_name else None
    along = (
        [] if axis is None else [place for place in (1, 0) if signal.ndim == 2 and axis.size - shape[place] in (0, 1)]
    )
    if not along or points > _MOST_POINTS:
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


def _same_conditions(store: Store, around: Around, scan: Scan) -> Scan:
    """Intensities relative to the counting time and the monitor of each point, where the file has them for each.

    Raises ValueError for a factor of each point, as of an attenuator, that may or may not be in the intensities.
    """
    told = []
    values, sigma = scan.intensity, scan.sigma
    for path, node in around:
        role = "" if hasattr(node, "keys") or node.dtype.kind not in "fiu" else _role(store, path)
        if not role or (role == "time" and scan.per_second) or not 1 < (node.size or 0) <= _MOST_POINTS:
            continue
        scale = np.ravel(np.asarray(node[()], dtype=np.float64))
        if not np.ptp(scale) > 1e-3 * np.abs(scale).max():
            continue
        if scale.size != values.size or (role != "factor" and not np.all(scale > 0)):
            told.append(f"{path} was not applied: {scale.size} values, from {scale.min():g}, for {values.size} points")
        elif role == "factor":
            refuse_changing(scale, path)
        else:
            relative = scale / scale.mean()
            values, sigma = values / relative, None if sigma is None else sigma / relative
            told.append(f"the intensity was divided by {path}")
    if not told:
        return scan
    return replace(scan, intensity=values, sigma=sigma).telling(*told)


def _role(store: Store, path: str) -> str:
    """What a data set of numbers is for the intensities: "time", "monitor", "factor", or "" for nothing."""
    above, _, last = path.rpartition("/")
    holder = store.get(above) if above else None
    if is_class(holder, "NXmonitor"):
        return "monitor" if last in ("data", "integral") else ""
    if last.endswith(("_scaling_factor", "_errors", "_set")) or last in ("scaling_factor", "offset"):
        # of the signal or an axis, applied where these are read
        return ""
    if is_class(holder, "NXattenuator"):
        return "factor" if "transmission" in last or "scaling" in last else ""
    found = parse_label(last).role
    return found if found in ("time", "monitor", "factor") else ""


def _wavelength(store: Store, around: Around, radiation: str | None) -> tuple[float | None, float | None, str]:
    """Wavelength in Angstrom that the entry of the data states, or of the energy of its beam; K-alpha 2; and words.

    One that stands in a monochromator or a beam comes before others.
    """
    for names, energy in ((_WAVELENGTHS, False), (_ENERGIES, True)):
        found: list[tuple[int, float, str]] = []
        for path, node in around:
            above, _, last = path.rpartition("/")
            if last not in names or hasattr(node, "keys") or node.dtype.kind not in "fiuSO" or not node.size:
                continue
            units = attribute(node, "units") or attribute(node, "unit")
            if energy and (not units or any(is_class(store.get(above), other) for other in _OTHER_ENERGIES)):
                continue
            if not energy and (pair := _doublet(node, units)):
                return (*pair, "")
            value = wavelength_of(_strongest(store, path, node), units, radiation)
            if value is not None:
                found.append((_rank(store, above), value, path))
        if found:
            _, value, path = min(found, key=lambda one: one[0])
            others = [f"{other:.5g} A of {place}" for _, other, place in found if abs(other - value) > 1e-3 * value]
            return value, None, f"the wavelength is that of {path}, not {', '.join(others[:3])}" if others else ""
    return _wavelength_in_json(store, around), None, ""


def _rank(store: Store, above: str) -> int:
    """How likely the wavelength in a group is that of the beam: 0 is the likeliest."""
    holder, last = store.get(above) if above else None, above.rpartition("/")[2].lower()
    if is_class(holder, "NXmonochromator") or "mono" in last:
        return 0
    if is_class(holder, "NXbeam") or last in ("beam", "instrument", "source", "incident_beam"):
        return 1
    return 2 if "/instrument" in f"/{above.lower()}" else 3


def _doublet(node: Node, units: str) -> tuple[float, float] | None:
    """K-alpha 1 and 2 where a data set holds two wavelengths as near as these."""
    if node.dtype.kind not in "fiu" or node.size != 2:
        return None
    values = [wavelength_of(float(value), units) or 0.0 for value in np.sort(np.ravel(node[()]))]
    return (values[0], values[1]) if values[0] > 0 and 1.001 < values[1] / values[0] < 1.01 else None


def _wavelength_in_json(store: Store, around: Around) -> float | None:
    """The wavelength of a configuration that is kept as a text of JSON, as pyFAI does."""
    texts = [path for path, node in around if not hasattr(node, "keys") and node.dtype.kind in "SO" and node.size == 1]
    for path in texts[:_MOST_TEXTS]:
        text = store.text(path).strip()
        if text.startswith("{") and (found := facts(text.split("\n"))["wavelength"]) is not None:
            return float(found)
    return None


def _strongest(store: Store, path: str, node: Node) -> float | str | None:
    """The one number or text, or, of a few, that of the largest weight; None where it differs from point to point."""
    if node.dtype.kind in "SO":
        return store.text(path)
    values = np.ravel(node[()]).astype(np.float64) if node.size <= _MOST_LINES else np.empty(0)
    if values.size and np.ptp(values) == 0:
        return float(values[0])
    weights = store.dataset(f"{path}_weights") if values.size else None
    if weights is None or weights.size != values.size or weights.dtype.kind not in "fiu":
        return None
    return float(values[int(np.argmax(np.ravel(weights[()])))])


def _probe(around: Around) -> Radiation | None:
    words = " ".join(
        as_text(node[()]).lower()
        for path, node in around
        if path.rsplit("/", 1)[-1] == "probe" and not hasattr(node, "keys") and node.size == 1
    )
    return "neutron" if "neutron" in words else "x-ray" if "x-ray" in words or "xray" in words else None
