"""Arrays without axes, from .npy, .npz, TIFF and text, as planes or, where --axes gives three ranges, as volumes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unscatter.io.hdf5 import require_numbers, require_size
from unscatter.io.planes.asked import Asked
from unscatter.io.planes.grids import GridAxis, Slices, stored_volume
from unscatter.io.planes.missing import Block, Spelling, describe_missing, measured_values
from unscatter.io.planes.notation import parse_direction, parse_volume_axes
from unscatter.nouns.plane import Plane
from unscatter.nouns.volume import Volume

#: An array so narrow and long is a list of pixels, h k I in each row, and no picture.
_NARROW, _LONG = 6, 63


def limits_note(limits: tuple[float, float, float, float]) -> str:
    """What is told of a file that has limits of x and y, and does not say which indices these are."""
    x, y = f"{limits[0]:g}:{limits[1]:g}", f"{limits[2]:g}:{limits[3]:g}"
    return (
        f"columns run from {x.replace(':', ' to ')} and rows from {y.replace(':', ' to ')} in the file, which does not "
        f'say what of: where the pixels lie is not used (say it, for example --axes "h={x} k={y} l=0")'
    )


def bare_array(
    array: NDArray[Any], path: Path | str, asked: Asked, fills: tuple[float, ...] = (), notes: tuple[str, ...] = ()
) -> Plane | Volume:
    """Make a plane of an array (ny, nx), or a volume of (slow, middle, fast) whose ranges `asked.axes` gives.

    Raises ValueError for other shapes, and for a plane that is too large.
    """
    spelling = Spelling((*asked.fills, *fills))
    require_numbers(array, path)
    if array.ndim > 2 and sum(count > 1 for count in array.shape) == 2:
        notes = (*notes, f"of the shape {array.shape} the axes of one pixel were left out")
        array = np.squeeze(array, axis=tuple(place for place, count in enumerate(array.shape) if count == 1))
    if array.ndim == 2 and min(array.shape) < _NARROW <= _LONG < max(array.shape):
        return _list_of_pixels(array, path, asked)
    if array.ndim == 3 and asked.axes is not None:
        ranges = parse_volume_axes(asked.axes, array.shape)
        axes = [GridAxis(letter, values, parse_direction(letter)) for letter, values in ranges]
        order = f"the array was read as [{', '.join(letter for letter, _ in ranges)}], the last one fastest"

        def load(slices: Slices) -> Block:
            return measured_values(array[slices], spelling)

        return stored_volume(str(path), axes, load, notes=(*notes, order))
    if array.ndim != 2:
        raise ValueError(
            f"{path} has shape {array.shape}; expected a plane (ny, nx), or a volume (slow, middle, fast axis) with "
            '--axes "h=-8:8 k=-8:8 l=-2:2" (fastest axis first) and --plane hk0'
        )
    require_size(array.shape, "the plane", path)
    block = measured_values(array[...], spelling)
    told = (*notes, *describe_missing(block.tally, block.values.size))
    return Plane(block.values, source=str(path), notes=told)


def _list_of_pixels(array: NDArray[Any], path: Path | str, asked: Asked) -> Plane | Volume:
    from unscatter.io.planes.pixel_list import read_pixels

    table = np.asarray(array if array.shape[0] > array.shape[1] else array.T, dtype=np.float64)
    if table.shape[1] < 3:
        raise ValueError(
            f"{path} has shape {array.shape}; expected a plane (ny, nx), or a list of pixels h k I: save the plane"
        )
    return read_pixels(table, path, asked)
