"""NIPL of DISCUS and KUPLOT: numbers of points, limits of both axes, then the values row by row from the lower left.

Layout: T. Proffen and R. B. Neder, KUPLOT manual, "2D file formats": `nx ny`, `xmin xmax ymin ymax`, z ...; -9999
stands for excluded regions. Which indices x and y are, the file does not say.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from unscatter.io.files import first_bytes
from unscatter.io.hdf5 import require_size
from unscatter.io.planes.arrays import bare_array, limits_note
from unscatter.io.planes.asked import Asked
from unscatter.io.text.decode import decode
from unscatter.io.text.table import number_list
from unscatter.nouns.plane import Plane
from unscatter.nouns.volume import Volume
from unscatter.quantities import parse_number

NAME = "NIPL of DISCUS"
GAPS_KNOWN = False
DATASETS = ""
_EXCLUDED = -9999.0
_HEAD = 2**14


def recognises(path: Path) -> bool:
    """Whether two whole numbers and then two ranges stand above the numbers."""
    return _head(decode(first_bytes(path, _HEAD))) is not None


def read(path: Path, asked: Asked = Asked()) -> Plane | Volume:  # noqa: B008  frozen
    """Read the plane; raises ValueError if there are fewer values than announced."""
    text = decode(path.read_bytes())
    found = _head(text)
    if found is None:
        raise ValueError(f"{path} has no numbers of points and limits; expected nx ny and xmin xmax ymin ymax above it")
    (nx, ny), limits, begin = found
    require_size((ny, nx), "the plane", path)
    values = number_list("\n".join(text.split("\n")[begin:]))
    if values.size != nx * ny:
        raise ValueError(f"{path} announces {nx} x {ny} values and holds {values.size}: copy it again")
    note = () if asked.axes else (limits_note(limits),)
    return bare_array(values.reshape(ny, nx), path, asked, (_EXCLUDED,), note)


def _head(text: str) -> tuple[tuple[int, int], tuple[float, float, float, float], int] | None:
    """Numbers of points, limits, and the line of the first value; None where these lines are of another kind."""
    lines = text.split("\n")
    first = next((i for i, line in enumerate(lines) if line.strip() and not line.lstrip().startswith("#")), 0)
    rows = [[parse_number(word) for word in line.replace(",", " ").split()] for line in lines[first : first + 2]]
    if [len(row) for row in rows] != [2, 4] or any(number is None for row in rows for number in row):
        return None
    counts, limits = ([number[0] for number in row if number is not None] for row in rows)
    whole = all(count == int(count) and count > 1 for count in counts if np.isfinite(count))
    if not whole or not (limits[0] < limits[1] and limits[2] < limits[3]):
        return None
    return (int(counts[0]), int(counts[1])), (limits[0], limits[1], limits[2], limits[3]), first + 2
