"""NumPy .npy: a plane without axes, row 0 the lowest value of the second axis."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from unscatter.io.files import first_bytes
from unscatter.io.hdf5 import require_numbers
from unscatter.nouns.plane import Plane

NAME = "NumPy .npy"
GAPS_KNOWN = False


def recognises(path: Path) -> bool:
    """Whether the file starts as a NumPy array."""
    return first_bytes(path, 6) == b"\x93NUMPY"


def read(path: Path) -> Plane:
    """Read an array (ny, nx) of real numbers; raises ValueError for any other, and for pickled objects."""
    try:
        # A memory map: a header that promises more than the file holds is refused before any memory is taken.
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, OSError, EOFError, SyntaxError) as error:
        raise ValueError(f"{path} is a NumPy file that cannot be read ({error}); save it again") from error
    if array.ndim != 2:
        raise ValueError(
            f"{path} has shape {array.shape}; expected a plane (ny, nx): save one layer, "
            "for example numpy.save('plane.npy', volume[:, :, 0].T)"
        )
    return Plane(np.array(require_numbers(array, path), dtype=np.float64), source=str(path))
