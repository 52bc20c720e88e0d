"""Axes of an NXdata group: names, order, labels, units, scaling, and what is fixed beside them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unscatter.io.hdf5 import Node, Store, as_text, attribute
from unscatter.io.planes.asked import Asked
from unscatter.io.planes.grids import GridAxis, in_lattice_units, line_of_mesh, pixel_centres
from unscatter.io.planes.nexus_signal import scaling_of
from unscatter.io.planes.notation import names_axes, parse_axis_names, parse_direction, parse_volume_axes, split_names
from unscatter.nouns.cell import Cell
from unscatter.quantities import find_unit

#: Names under which a group keeps the one value of an index that does not run.
_INDEX_NAMES = ("{0}", "{1}", "Q{0}", "q{0}", "Q{1}", "Q_{0}", "q_{0}")


def read_axes(
    store: Store, group: Node, signal: Node, asked: Asked, cell: Cell | None
) -> tuple[list[GridAxis], dict[str, float]]:
    """Axes in the order of the disk, and indices that the group fixes by one value: {"l": 0.5}.

    An axis that cannot be read has no direction. What `asked.axes` says of names and ranges overrules the file.
    """
    if asked.axes is not None and not names_axes(asked.axes) and signal.ndim == 3:
        ranges = parse_volume_axes(asked.axes, signal.shape)
        return [GridAxis(key, values, parse_direction(key)) for key, values in ranges], {}
    given, fixed = parse_axis_names(asked.axes) if asked.axes and names_axes(asked.axes) else ({}, {})
    names = _axis_names(store, group, signal)
    names += ["."] * (signal.ndim - len(names))
    if unknown := set(given) - set(names):
        raise ValueError(
            f"{store.path} has no axis {', '.join(sorted(unknown))}; it has {', '.join(names)}: name those in --axes"
        )
    # Ranges of a plane are given: what the file says of units does not matter then.
    overruled = asked.axes is not None and not given and ":" in asked.axes
    lattice = None if overruled else (cell,)
    axes = [
        _axis(store, group, name, signal.shape, place, given.get(name), lattice)
        for place, name in enumerate(names[: signal.ndim])
    ]
    return axes, _fixed(store, group, axes) | fixed


def _axis_names(store: Store, group: Node, signal: Node) -> list[str]:
    said = group.attrs.get("axes", signal.attrs.get("axes", ""))
    names = [as_text(name) for name in np.ravel(said)]
    if len(names) == 1:
        names = split_names(names[0])
    if not any(names):
        return _numbered_axes(store, group, signal)
    # NAME_indices, where given, says which axis of the array each name belongs to.
    places = {name: _place(store, group, name, place) for place, name in enumerate(names)}
    return sorted((name for name in names if name), key=lambda name: places[name])


def _numbered_axes(store: Store, group: Node, signal: Node) -> list[str]:
    """Names of axes that number themselves with the attribute `axis`, as before 2014, the first the slowest."""
    numbers = {}
    for member in group:
        said = attribute(store.dataset(member, group), "axis") if store.dataset(member, group) is not None else ""
        if said.isdigit():
            numbers[member] = int(said)
    names = sorted(numbers, key=lambda name: numbers[name])
    sizes = [store.dataset(name, group).size for name in names]  # type: ignore[union-attr]
    fits = [size in (count, count + 1) for size, count in zip(sizes, signal.shape, strict=False)]
    return names if len(names) == signal.ndim and all(fits) else names[::-1]


def _place(store: Store, group: Node, name: str, otherwise: int) -> int:
    said = np.ravel(group.attrs.get(f"{name}_indices", otherwise))
    try:
        return int(said[0])
    except (ValueError, TypeError, IndexError):
        raise ValueError(
            f"{store.path}: attribute {name}_indices is {as_text(said)[:20]!r}; expected the number of an axis of the "
            "array: correct it, or give --dataset and --axes"
        ) from None


def _axis(
    store: Store,
    group: Node,
    name: str,
    shape: tuple[int, ...],
    place: int,
    given: NDArray[np.float64] | None,
    lattice: tuple[Cell | None] | None,
) -> GridAxis:
    """Axis number `place` of an array; lattice: the cell, where its unit counts."""
    count = shape[place]
    numbers = None if name == "." else store.numbers(name, group)
    if numbers is not None and numbers.shape == shape and numbers.ndim > 1:
        numbers = line_of_mesh(numbers, place, name)
    if numbers is None or (numbers.size == 1 and count != 1):
        return GridAxis(name, np.arange(count, dtype=np.float64), given)
    node = store.dataset(name, group)
    factor, offset = scaling_of(store, group, name)
    values = pixel_centres(factor * np.ravel(numbers) + offset, count, name)
    direction = next(
        (
            found
            for found in (given, parse_direction(name), parse_direction(attribute(node, "long_name")))
            if found is not None
        ),
        None,
    )
    units = attribute(node, "units")
    unit = find_unit(units) if units else None
    if lattice is not None and unit is not None and unit.dimension == "length":
        raise ValueError(
            f"{store.path}: axis {name} is in {units[:30]!r}, so the data are in direct space (a pair distribution "
            "function?); expected reciprocal space: give the data before the transform, or say what the axes are with "
            '--axes "h=-8:8 k=-8:8 l=1"'
        )
    if direction is not None and lattice is not None and attribute(group, "u") == "":
        values = in_lattice_units(values, units, name, direction, lattice[0])
        if unit is not None and unit.dimension == "inverse length":
            store.notes.append(f"axis {name} in {units[:20]} was turned into r.l.u. with the cell, as Q = 2 pi / d")
    return GridAxis(name, values, direction)


def _fixed(store: Store, group: Node, axes: list[GridAxis]) -> dict[str, float]:
    """Indices with one value in the group, or two that are the edges of a layer."""
    running = {axis.label for axis in axes}
    found = {}
    for letter in "hkl":
        for pattern in _INDEX_NAMES:
            name = pattern.format(letter, letter.upper())
            if (said := group.attrs.get(name)) is not None and np.size(said) == 1:
                found[letter] = float(np.ravel(said)[0])
            if name not in running and (value := store.numbers(name, group)) is not None and 1 <= value.size <= 2:
                factor, offset = scaling_of(store, group, name)
                found[letter] = factor * float(np.mean(value)) + offset
    return found
