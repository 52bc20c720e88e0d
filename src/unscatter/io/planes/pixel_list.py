"""A list of pixels as text (.csv, .txt, .dat): columns h k I, h k l I, or Qx ... by names, a pixel a line in any order.

Indices stand on an even grid; a pixel of the grid without a line was not measured. Without names columns are h, k and
the intensity, or h, k, l and the intensity, which is told.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unscatter.io.files import first_bytes
from unscatter.io.hdf5 import require_size
from unscatter.io.planes.asked import Asked
from unscatter.io.planes.grids import GridAxis, Slices, in_lattice_units, stored_volume
from unscatter.io.planes.missing import Block, Spelling, describe_missing, measured_values
from unscatter.io.planes.notation import parse_direction
from unscatter.io.planes.placing import place_plane
from unscatter.io.text.decode import decode
from unscatter.io.text.table import first_row, has_decimal_comma, number_table, remarked_table
from unscatter.io.text.transformed import refuse_transformed_words
from unscatter.nouns.plane import Plane
from unscatter.nouns.volume import Volume

NAME = "list of pixels (h k I)"
GAPS_KNOWN = False
DATASETS = ""

#: Columns of such a list, pixels it has at least, and indices along each side.
_FEWEST, _MOST, _LEAST_PIXELS, _LEAST_SIDE = 3, 8, 64, 4
#: The share of a grid that has lines, at least; how far off the grid an index may be, in steps.
_FILLED, _OFF = 0.2, 0.1
_HEAD = 2**16
#: Bytes of a file that is read.
LARGEST_FILE = 2**27
_INTENSITY = re.compile(
    r"i|int|intens\w*|counts?|cts|signal|data|values?|z|i_?(?:obs|exp|meas|diffuse|total)|i\(.*\)|y", re.IGNORECASE
)
_UNIT = re.compile(r"(.+?)\s*[\[(]([^\[\]()]+)[\])]")

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class _Columns:
    """Which column is what: names, directions and units of two or three axes, number of the intensity, what is told."""

    names: tuple[str, ...]
    places: tuple[int, ...]
    units: tuple[str, ...]
    intensity: int
    told: str = ""


def recognises(path: Path) -> bool:
    """Whether the file is text whose rows of numbers are as narrow as those of a list."""
    text = decode(first_bytes(path, _HEAD))
    rows = [
        line for line in text[first_row(text) :].split("\n")[:-1] or [text] if re.match(r"[ \t\"]*[-+]?\.?\d", line)
    ]
    fields = [len([word for word in re.split(r"[\s,;]+", row.strip(' \t\r,;"')) if word]) for row in rows[-20:]]
    return bool(fields) and min(fields) >= _FEWEST and max(fields) <= _MOST


def read(path: Path, asked: Asked = Asked()) -> Plane | Volume:  # noqa: B008  frozen
    """Read a plane, or a volume where three indices run; raises ValueError for what stands on no grid."""
    size = path.stat().st_size
    if size > LARGEST_FILE:
        raise ValueError(
            f"{path} has {size >> 20} MB; at most {LARGEST_FILE >> 20} of text are read: save the array as .npy"
        )
    text = decode(path.read_bytes())
    begin = first_row(text)
    comma = has_decimal_comma(text)
    table = number_table(text[begin:], decimal_comma=comma)
    table = remarked_table(text[begin:], decimal_comma=comma) if table is None else table
    if table is None or not _FEWEST <= table.shape[1] <= _MOST:
        raise ValueError(
            f"{path} is neither a matrix nor a list of pixels; expected a row of the plane in each line, or h k I: "
            "save the intensities as an array, numpy.save('plane.npy', array)"
        )
    return read_pixels(table, path, asked, text[:begin].split("\n"))


def read_pixels(table: Floats, path: Path | str, asked: Asked, header: Sequence[str] = ()) -> Plane | Volume:
    """Make a plane or a volume of rows (n, columns) such as h k I; header: lines in which their names may be."""
    refuse_transformed_words(header)
    columns = _by_name(header, table.shape[1]) or _by_shape(table)
    steps = [_grid(table[:, place]) for place in columns.places]
    if len(table) < _LEAST_PIXELS or any(grid is None for grid in steps):
        raise ValueError(_no_grid(path, table))
    grids = [grid for grid in steps if grid is not None]
    running = [n for n, (values, _) in enumerate(grids) if values.size > 1]
    shape = tuple(grids[n][0].size for n in running[::-1])
    if len(running) < 2 or sorted(shape)[-2] < _LEAST_SIDE or len(table) < _FILLED * np.prod(shape):
        raise ValueError(_no_grid(path, table))
    require_size(shape, "the plane or volume of this list", path)
    where = tuple(grids[n][1] for n in running[::-1])
    flat = np.ravel_multi_index(where, shape)
    if np.unique(flat).size < flat.size:
        raise ValueError(
            f"{path} has {flat.size - np.unique(flat).size} pixels more than once; expected each of them in one line: "
            "average them, or save one plane a file"
        )
    array = np.full(int(np.prod(shape)), np.nan)
    array[flat] = table[:, columns.intensity]
    array = array.reshape(shape)
    block = measured_values(array, Spelling(asked.fills))
    fixed = _fixed(columns, grids, running)
    notes = [columns.told, *describe_missing(block.tally, block.values.size)]
    empty = block.values.size - flat.size
    if empty:
        notes.append(f"{100 * empty / block.values.size:.1f} % of the grid have no line: not measured")
    notes = [note for note in notes if note]
    if asked.axes is not None and len(running) == 2:
        return Plane(block.values, source=str(path), notes=tuple(notes))
    asked.refuse_axes(path)
    axes = [_axis(columns, n, grids[n][0], asked) for n in running[::-1]]
    if len(axes) == 3:
        values = block.values

        def load(slices: Slices) -> Block:
            return Block(values[slices])

        return stored_volume(str(path), axes, load, asked.cell, notes=notes)
    return place_plane(Plane(block.values, None, asked.cell, source=str(path), notes=tuple(notes)), axes, fixed)


def _fixed(
    columns: _Columns, grids: Sequence[tuple[Floats, NDArray[np.intp]]], running: Sequence[int]
) -> dict[str, float]:
    """Indices that do not run, by letter."""
    found = {}
    for n, (values, _) in enumerate(grids):
        direction = parse_direction(columns.names[n])
        if n not in running and direction is not None and np.count_nonzero(direction) == 1:
            found["hkl"[int(np.flatnonzero(direction)[0])]] = float(values[0])
    return found


def _axis(columns: _Columns, n: int, values: Floats, asked: Asked) -> GridAxis:
    name, unit = columns.names[n], columns.units[n]
    direction = parse_direction(name)
    if direction is not None:
        values = in_lattice_units(values, unit, name, direction, asked.cell)
    return GridAxis(name, values, direction)


def _by_name(header: Sequence[str], width: int) -> _Columns | None:
    """What the last line of as many words as there are columns says, if it names axes."""
    for line in reversed(header):
        bare = line.strip().lstrip("#!%;/* \t").strip()
        for words in (re.split(r"\s*[,;\t]\s*", bare), re.sub(r"\s+(?=[\[(])", "", bare).split()):
            words = [word.strip(" \"'") for word in words]
            if len(words) != width:
                continue
            split = [(_UNIT.fullmatch(word), word) for word in words]
            names = [
                match[1] if match and (parse_direction(match[1]) is not None or _is_q(match[1])) else word
                for match, word in split
            ]
            axes = [n for n, name in enumerate(names) if parse_direction(name) is not None or _is_q(name)]
            others = [n for n in range(len(names)) if n not in axes]
            if len(axes) in (2, 3):
                refuse_transformed_words(names[n] for n in others)
            # the only other column is the intensity, whatever it is called
            known = [n for n in others if _INTENSITY.fullmatch(names[n])]
            intensity = known or (others if len(others) == 1 else [])
            if len(axes) in (2, 3) and intensity:
                units = [match[2] if match and names[n] != words[n] else "" for n, (match, _) in enumerate(split)]
                told = "" if known else f"the column {names[intensity[0]]!r} was taken for the intensity"
                places = tuple(axes)
                return _Columns(
                    tuple(names[n] for n in axes), places, tuple(units[n] for n in axes), intensity[0], told
                )
    return None


def _is_q(name: str) -> bool:
    return re.fullmatch(r"q_?[xyz]", name, re.IGNORECASE) is not None


def _by_shape(table: Floats) -> _Columns:
    """Columns without names: h, k, and l if the third has few values; then the intensity."""
    few = table.shape[1] > _FEWEST and np.unique(table[:, 2]).size <= np.sqrt(len(table)) + 1
    count = 3 if few else 2
    names = tuple("hkl"[:count])
    told = f"the columns have no names: {', '.join(names)} and the intensity were assumed"
    told += ", those behind were not used" if table.shape[1] > count + 1 else ""
    return _Columns(names, tuple(range(count)), ("",) * count, count, told)


def _grid(values: Floats) -> tuple[Floats, NDArray[np.intp]] | None:
    """The even grid that numbers stand on, and the place of each on it; None where there is no such grid."""
    if not np.all(np.isfinite(values)):
        return None
    distinct = np.unique(values)
    steps = np.diff(distinct)
    if not steps.size:
        return distinct[:1], np.zeros(values.size, dtype=np.intp)
    # what differs by rounding is one
    steps = steps[steps > 0.2 * np.median(steps)]
    step = float(np.median(steps[steps < 1.5 * steps.min()]))
    count = round(float(distinct[-1] - distinct[0]) / step) + 1
    if count > values.size + 1:
        return None
    grid = np.linspace(distinct[0], distinct[-1], count)
    place = np.rint((values - distinct[0]) / ((distinct[-1] - distinct[0]) / (count - 1))).astype(np.intp)
    return (grid, place) if np.max(np.abs(values - grid[place])) < _OFF * step else None


def _no_grid(path: Path | str, table: Floats) -> str:
    return (
        f"{path} is a table of {table.shape[1]} columns whose first two stand on no even grid; expected a list h k I "
        "of the pixels of a plane, or a matrix (ny, nx) of intensities with at least 11 columns: a powder pattern is "
        "for unscatter classify"
    )
