"""What lies around a pattern in NeXus and belongs to its intensities and angles: times, monitors, factors, shifts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

import numpy as np

from unscatter.io.hdf5 import Node, Store, is_class
from unscatter.io.patterns.conditions import conditions
from unscatter.io.patterns.labels import parse_label
from unscatter.io.patterns.scan import Scan, refuse_changing

#: More points than this are no pattern.
MOST_POINTS = 10_000_000
#: A look around goes through this many groups, and to so many nodes.
_DEEPEST = 8
_MOST_NODES = 5000

#: What lies in the entry of a pattern, by name.
Around = list[tuple[str, Node]]


def nodes_below(store: Store, top: str) -> Iterator[tuple[str, Node]]:
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


def at_same_conditions(store: Store, around: Around, scan: Scan) -> Scan:
    """Intensities relative to the counting time and the monitor of each point, where the file has them for each.

    Raises ValueError for a factor of each point, as of an attenuator, that may or may not be in the intensities.
    """
    told = []
    values, sigma = scan.intensity, scan.sigma
    for path, node in around:
        role = "" if hasattr(node, "keys") or node.dtype.kind not in "fiu" else role_of(store, path)
        if not role or (role == "time" and scan.per_second) or not 1 < (node.size or 0) <= MOST_POINTS:
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


def role_of(store: Store, path: str) -> str:
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


def shifts_of(around: Around, group: str) -> list[str]:
    """Shifts of the angles that single numbers outside of the group of the data give; those in it are applied."""
    named = [
        f"{path.rpartition('/')[2]} = {float(np.ravel(node[()])[0]):g}"
        for path, node in around
        if not hasattr(node, "keys")
        and node.dtype.kind in "fiu"
        and node.size == 1
        and not path.startswith(f"{group}/")
    ]
    return list(conditions(named))
