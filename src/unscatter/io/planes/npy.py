"""NumPy .npy: a plane without axes, row 0 the lowest value of the second axis; or a volume, with --axes."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from unscatter.io.files import first_bytes
from unscatter.io.hdf5 import require_numbers
from unscatter.io.planes.arrays import bare_array
from unscatter.io.planes.asked import Asked
from unscatter.nouns.plane import Plane
from unscatter.nouns.volume import Volume

NAME = "NumPy .npy"
GAPS_KNOWN = False
DATASETS = ""


def recognises(path: Path) -> bool:
    """Whether the file starts as a NumPy array."""
    return first_bytes(path, 6) == b"\x93NUMPY"


def read(path: Path, asked: Asked = Asked()) -> Plane | Volume:  # noqa: B008  frozen
    """Read an array of real numbers; raises ValueError for any other, and for pickled objects."""
    try:
        # A memory map: a header that promises more than the file holds is refused before any memory is taken.
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    # The header is a Python literal: parsing a broken one raises whatever tokens and numbers can.
    except Exception as error:
        reason = " ".join(str(error).split())[:120]
        raise ValueError(f"{path} is a NumPy file that cannot be read ({reason}); save it again") from error
    return bare_array(require_numbers(array, path), path, asked)
