"""TIFF: a plane without axes, one page, row 0 the lowest value of the second axis."""

from __future__ import annotations

from pathlib import Path

from unscatter.io.files import first_bytes
from unscatter.io.hdf5 import require_numbers
from unscatter.nouns.plane import Plane

NAME = "TIFF"
GAPS_KNOWN = False


def recognises(path: Path) -> bool:
    """Whether the file starts as a TIFF or BigTIFF of either byte order."""
    return first_bytes(path, 4) in (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")


def read(path: Path) -> Plane:
    """Read the one grey image of the file, (ny, nx); raises ValueError for colours, stacks, broken files."""
    import tifffile

    try:
        image = tifffile.imread(path)
    # tifffile raises many kinds of errors over a broken file, and none of them helps its reader.
    except Exception as error:
        raise ValueError(
            f"{path} is a TIFF file that cannot be read ({error}); copy it again, or save it uncompressed"
        ) from error
    if image.ndim != 2:
        raise ValueError(f"{path} has shape {image.shape}; expected one grey image (ny, nx): save a single page")
    return Plane(require_numbers(image, path), source=str(path))
