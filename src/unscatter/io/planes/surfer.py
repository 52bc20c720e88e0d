"""Grids of Surfer (.grd): as text (DSAA), binary of version 6 (DSBB) and of version 7 (DSRB).

Layout: Golden Software, "Surfer 6 text grid", "Surfer 6 binary grid" and "Surfer 7 grid file format". The first row
is the lowest in y; 1.70141e38 stands for no data. Which indices x and y are, the file does not say.
"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unscatter.io.files import first_bytes
from unscatter.io.hdf5 import require_size
from unscatter.io.planes.arrays import bare_array, limits_note
from unscatter.io.planes.asked import Asked
from unscatter.io.text.decode import decode
from unscatter.io.text.table import number_list
from unscatter.nouns.plane import Plane
from unscatter.nouns.volume import Volume

NAME = "Surfer grid"
GAPS_KNOWN = False
DATASETS = ""

_Limits = tuple[float, float, float, float]
#: Tags of the sections of version 7.
_HEADER, _GRID, _DATA = b"DSRB", b"GRID", b"DATA"


def recognises(path: Path) -> bool:
    """Whether the file begins with one of the marks of Surfer."""
    return first_bytes(path, 4) in (b"DSAA", b"DSBB", _HEADER)


def read(path: Path, asked: Asked = Asked()) -> Plane | Volume:  # noqa: B008  frozen
    """Read the grid; raises ValueError for files that are cut, and for turned grids."""
    data = path.read_bytes()
    reader = {b"DSAA": _text, b"DSBB": _version_6, _HEADER: _version_7}[data[:4]]
    try:
        values, limits, blank = reader(data, path)
    except struct.error as error:
        raise ValueError(f"{path} is a Surfer grid that was cut short ({error}); copy it again") from error
    note = () if asked.axes else (limits_note(limits),)
    return bare_array(np.where(values >= blank, np.nan, values), path, asked, notes=note)


def _text(data: bytes, path: Path) -> tuple[NDArray[np.float64], _Limits, float]:
    numbers = number_list(decode(data)[4:])
    if numbers.size < 8 or not np.all(np.isfinite(numbers[:6])):
        raise ValueError(f"{path} is a Surfer grid without nx, ny and limits; copy it again")
    values = _shaped(numbers[8:], int(numbers[1]), int(numbers[0]), path)
    return values, (numbers[2], numbers[3], numbers[4], numbers[5]), 1.7e38


def _version_6(data: bytes, path: Path) -> tuple[NDArray[np.float64], _Limits, float]:
    nx, ny, *limits = struct.unpack_from("<hhdddd", data, 4)
    return (
        _shaped(np.frombuffer(data[56 : 56 + (len(data) - 56) // 4 * 4], dtype="<f4"), ny, nx, path),
        tuple(limits),
        1.7e38,
    )


def _version_7(data: bytes, path: Path) -> tuple[NDArray[np.float64], _Limits, float]:
    sections, at = {}, 0
    while at + 8 <= len(data):
        tag, size = struct.unpack_from("<4si", data, at)
        if size < 0:
            break
        sections[tag] = data[at + 8 : at + 8 + size]
        at += 8 + size
    if _GRID not in sections or _DATA not in sections:
        raise ValueError(f"{path} is a Surfer grid without its sections GRID and DATA; copy it again")
    ny, nx, x, y, dx, dy, _, _, turned, blank = struct.unpack_from("<ii8d", sections[_GRID])
    if turned:
        raise ValueError(f"{path} is a Surfer grid turned by {turned:g} deg; expected none: save it without rotation")
    data = sections[_DATA]
    values = _shaped(np.frombuffer(data[: len(data) // 8 * 8], dtype="<f8"), ny, nx, path)
    return values, (x, x + dx * (nx - 1), y, y + dy * (ny - 1)), blank


def _shaped(values: NDArray[np.floating], ny: int, nx: int, path: Path) -> NDArray[np.float64]:
    if min(nx, ny) < 2 or values.size < nx * ny:
        raise ValueError(f"{path} announces a grid of {nx} x {ny} and holds {values.size} values; copy it again")
    require_size((ny, nx), "the grid", path)
    return np.asarray(values[: nx * ny], dtype=np.float64).reshape(ny, nx)
