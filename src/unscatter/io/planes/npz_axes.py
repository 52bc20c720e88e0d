"""What arrays beside a plane in an archive are: axes h, k, l, a cell, a mask, by their names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unscatter.io.hdf5 import require_numbers, require_size
from unscatter.io.planes.arrays import bare_array
from unscatter.io.planes.asked import Asked
from unscatter.io.planes.grids import GridAxis, Slices, line_of_mesh, pixel_centres, stored_volume
from unscatter.io.planes.missing import Block, Spelling, describe_missing, measured_values
from unscatter.io.planes.nexus_masks import BAD, GOOD
from unscatter.io.planes.notation import parse_direction
from unscatter.io.planes.placing import place_plane
from unscatter.nouns.cell import Cell
from unscatter.nouns.plane import Plane
from unscatter.nouns.volume import Volume

_AXIS = re.compile(r"(?:q_?)?[hkl](?:_?(?:axis|values|grid|mesh))?", re.IGNORECASE)
_CELL = re.compile(r"(?:unit_?)?cell|lattice(?:_?parameters)?", re.IGNORECASE)
_ERRORS = re.compile(r"errors?|sigma|esd|std|uncertaint(?:y|ies)|variance", re.IGNORECASE)

_Arrays = Mapping[str, NDArray[Any]]


def names_beside(shapes: Mapping[str, tuple[int, ...]]) -> list[str]:
    """Names of arrays that are axes, a cell, a mask or uncertainties; none where nothing else would be left."""
    found = [
        name
        for name, shape in shapes.items()
        if _AXIS.fullmatch(name)
        or (_CELL.fullmatch(name) and shape == (6,))
        or _is_mask(name)
        or _ERRORS.fullmatch(name)
    ]
    return found if any(len(shape) > 1 for name, shape in shapes.items() if name not in found) else []


def placed_array(
    array: NDArray[Any], beside: _Arrays, path: Path, asked: Asked, notes: tuple[str, ...] = ()
) -> Plane | Volume:
    """A plane or a volume of an array and what stands beside it; what the user says of axes and cell wins.

    Raises ValueError for axes that do not fit the array.
    """
    require_numbers(array, path)
    array, told = _masked(array, beside)
    notes = (*notes, *told)
    cell = asked.cell or next((_cell(values) for name, values in beside.items() if _CELL.fullmatch(name)), None)
    named = {name: values for name, values in beside.items() if asked.axes is None and _AXIS.fullmatch(name)}
    axes, fixed, how = _axes(array.shape, named, path)
    if not axes:
        found = bare_array(array, path, asked, notes=notes)
        return found if cell is None else _with_cell(found, cell)
    notes = (*notes, *how)
    spelling = Spelling(asked.fills)
    if array.ndim == 3:

        def load(slices: Slices) -> Block:
            return measured_values(array[slices], spelling)

        return stored_volume(str(path), axes, load, cell, notes=notes)
    require_size(array.shape, "the plane", path)
    block = measured_values(array, spelling)
    told = describe_missing(block.tally, block.values.size)
    return place_plane(Plane(block.values, None, cell, source=str(path), notes=(*notes, *told)), axes, fixed)


def _is_mask(name: str) -> bool:
    return name.lower() in (*(pattern.format("data").lower() for pattern in BAD), *GOOD)


def _masked(array: NDArray[Any], beside: _Arrays) -> tuple[NDArray[Any], list[str]]:
    """The array, NaN where a mask beside it says so or an uncertainty is no number."""
    told = []
    for name, values in beside.items():
        if values.shape != array.shape or not values.size:
            continue
        if _is_mask(name):
            marks = values == 0 if name.lower() in GOOD else values != 0
        elif _ERRORS.fullmatch(name) and values.dtype.kind == "f" and np.isfinite(values).any():
            marks = ~np.isfinite(values)
        else:
            continue
        if marks.any() and not marks.all():
            array = np.where(marks, np.nan, array)
            told.append(f"{100 * marks.mean():.1f} % of the pixels are marked in {name}: not measured")
    return array, told


def _cell(values: NDArray[Any]) -> Cell:
    return Cell.from_sequence(np.ravel(values).astype(np.float64))


def _with_cell(found: Plane | Volume, cell: Cell) -> Plane | Volume:
    return replace(found, cell=cell)


def _axes(
    shape: tuple[int, ...], named: _Arrays, path: Path
) -> tuple[list[GridAxis], dict[str, float], tuple[str, ...]]:
    """Axes in the order of the array, indices with one value, and what was assumed; no axes where too few are named."""
    fixed = {_letter(name): float(np.mean(v)) for name, v in named.items() if v.size == 1}
    running = {name: np.asarray(v, dtype=np.float64) for name, v in named.items() if v.size > 1}
    if len(running) != len(shape) or len(shape) not in (2, 3):
        return [], fixed, ()
    meshes = [name for name, values in running.items() if values.shape == shape]
    if meshes and len(meshes) == len(running):
        order = {name: int(np.argmax([_changes(values, place) for place in range(len(shape))]))
                 for name, values in running.items()}  # fmt: skip
        running = {name: line_of_mesh(values, order[name], name) for name, values in running.items()}
        ways = [order] if len(set(order.values())) == len(order) else []
    else:
        ways = [way for way in _ways(list(running), len(shape)) if _fits(way, running, shape)]
    if not ways:
        sizes = ", ".join(f"{name} {values.shape}" for name, values in running.items())
        raise ValueError(
            f"{path}: the axes {sizes} do not fit the array {shape}; expected one value for each row or column: save "
            "them so, or say where the pixels lie with --axes"
        )
    if len(ways) > 1 and len(shape) == 3:
        raise ValueError(
            f"{path}: which of {', '.join(running)} runs along which axis of {shape}, their sizes do not tell; say it "
            'with --axes "h=-8:8 k=-8:8 l=-2:2" (fastest axis first)'
        )
    way = ways[0]
    told = (f"as both axes have {shape[0]} values, {_names(way)} was assumed (overrule with --axes)",)
    names = sorted(way, key=lambda name: way[name])
    axes = [GridAxis(name, pixel_centres(running[name], shape[way[name]], name), _direction(name)) for name in names]
    return axes, fixed, told if len(ways) > 1 else ()


def _fits(way: Mapping[str, int], running: _Arrays, shape: tuple[int, ...]) -> bool:
    """Whether each axis has as many values as the array has pixels there, or edges."""
    return all(running[name].ndim == 1 and running[name].size - shape[place] in (0, 1) for name, place in way.items())


def _names(way: Mapping[str, int]) -> str:
    return f"[{', '.join(sorted(way, key=lambda name: way[name]))}]"


def _ways(names: list[str], ndim: int) -> list[dict[str, int]]:
    """Ways to give axes of an array to names, that of pictures, rows the later of two indices, first."""
    later_first = sorted(names, key=_letter, reverse=True)
    return [dict(zip(order, range(ndim), strict=True)) for order in permutations(later_first)]


def _changes(values: NDArray[np.float64], place: int) -> float:
    return float(np.mean(np.abs(np.diff(values, axis=place)))) if values.shape[place] > 1 else 0.0


def _letter(name: str) -> str:
    found = re.search(r"[hkl]", re.sub(r"_?(?:axis|values|grid|mesh)$", "", name.lower()))
    return found[0] if found else name


def _direction(name: str) -> NDArray[np.float64] | None:
    return parse_direction(_letter(name))
