"""TIFF: a plane without axes, row 0 the lowest value of the second axis; a stack of pages is a volume, with --axes.

What the tags say is applied: white is zero, orientation, reduced copies. Of pages of several sizes the largest is the
image.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unscatter.io.files import first_bytes
from unscatter.io.hdf5 import require_numbers, require_size
from unscatter.io.planes.arrays import bare_array
from unscatter.io.planes.asked import Asked
from unscatter.nouns.plane import Plane
from unscatter.nouns.volume import Volume

NAME = "TIFF"
GAPS_KNOWN = False
DATASETS = "page"

#: Numbers of tags: what zero means, where row 0 lies, reduced copies and masks, and GDAL's value for "no data".
_PHOTOMETRIC, _ORIENTATION, _SUBFILE, _NO_DATA = 262, 274, 254, 42113
_WHITE_IS_ZERO, _BLACK_IS_ZERO = 0, 1


def recognises(path: Path) -> bool:
    """Whether the file starts as a TIFF or BigTIFF of either byte order."""
    return first_bytes(path, 4) in (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")


def read(path: Path, asked: Asked = Asked()) -> Plane | Volume:  # noqa: B008  frozen
    """Read the grey image of the file, (ny, nx), or page N of it (dataset "N", from 1), or a stack of pages.

    Raises ValueError for colours, broken files, and several pages without a word on which.
    """
    import tifffile

    # What it has to say of a broken file is said by the error, in one line.
    tifffile.logger().setLevel("CRITICAL")
    try:
        with tifffile.TiffFile(path) as file:
            array, fills, notes = _read(file, path, asked)
    except (ValueError, MemoryError) as error:
        if str(error).startswith(str(path)):
            raise
        raise _unreadable(path, error) from error
    # tifffile raises many kinds of errors over a broken file, and none of them helps its reader.
    except Exception as error:
        raise _unreadable(path, error) from error
    return bare_array(array, path, asked, fills, notes)


def _unreadable(path: Path, error: Exception) -> ValueError:
    reason = " ".join(str(error).split())[:120]
    return ValueError(f"{path} is a TIFF file that cannot be read ({reason}); copy it again, or save it uncompressed")


def _read(file: Any, path: Path, asked: Asked) -> tuple[NDArray[Any], tuple[float, ...], tuple[str, ...]]:
    """Numbers, values of gaps, and what is told."""
    every = list(file.pages)
    largest = max(page.size for page in every)
    pages = [page for page in every if page.size == largest and not _tag(page, _SUBFILE, 0) & 1]
    notes: tuple[str, ...] = ()
    if len(pages) < len(every):
        notes = (f"{len(every) - len(pages)} of {len(every)} pages are smaller copies: left out",)
    if asked.dataset is not None:
        pages, notes = [_named_page(every, asked.dataset, path)], (f"page {asked.dataset} was read",)
    if len(pages) > 1 and (asked.axes is None or asked.axes.count(":") < 3):
        raise ValueError(
            f"{path} has {len(pages)} pages of {pages[0].shape}; choose one with --dataset 1 (to {len(every)}), or "
            'give the ranges of a volume, --axes "h=-8:8 k=-8:8 l=-2:2" (columns, rows, pages), and --plane hk0'
        )
    images = [_as_intensity(page, path) for page in pages]
    fills = tuple(float(text) for page in pages[:1] if _is_number(text := str(_tag(page, _NO_DATA, "")).strip("\x00 ")))
    notes += tuple(dict.fromkeys(note for _, told in images for note in told))
    array = images[0][0] if len(images) == 1 else np.stack([image for image, _ in images])
    return array, fills, notes


def _named_page(pages: list[Any], name: str, path: Path) -> Any:
    if not name.isdecimal() or not 1 <= int(name) <= len(pages):
        raise ValueError(f"{path} has pages 1 to {len(pages)} and no {name!r}: choose with --dataset 1")
    return pages[int(name) - 1]


def _tag(page: Any, number: int, otherwise: Any) -> Any:
    tag = page.tags.get(number)
    return otherwise if tag is None else tag.value


def _as_intensity(page: Any, path: Path) -> tuple[NDArray[Any], list[str]]:
    """The numbers of a page with row 0 at its top and large where there is much, and what was done for that."""
    meaning = int(_tag(page, _PHOTOMETRIC, _BLACK_IS_ZERO))
    if meaning not in (_WHITE_IS_ZERO, _BLACK_IS_ZERO) or len(page.shape) != 2:
        raise ValueError(
            f"{path} has a page of shape {page.shape} in colours; expected one grey image (ny, nx) of intensities: "
            "save the numbers, not a picture of them"
        )
    require_size(page.shape, "the image", path)
    image, notes = require_numbers(page.asarray(), path), []
    if meaning == _WHITE_IS_ZERO:
        if image.dtype.kind != "u":
            raise ValueError(f"{path} says that white is zero and holds {image.dtype}; save it with black as zero")
        bits = int(page.bitspersample)
        image = (np.array(2**bits - 1, dtype=image.dtype) - image).astype(image.dtype)
        notes.append("white is zero in this TIFF: turned round")
    orientation = int(_tag(page, _ORIENTATION, 1))
    if orientation not in range(1, 9):
        raise ValueError(f"{path} has orientation {orientation}; expected 1 to 8: save it again")
    if orientation != 1:
        notes.append(f"turned as the tag says, orientation {orientation}")
    return _upright(image, orientation), notes


def _upright(image: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Row 0 at the top and column 0 at the left; from 5 on rows and columns are exchanged."""
    flips = {1: (1, 1), 2: (1, -1), 3: (-1, -1), 4: (-1, 1), 5: (1, 1), 6: (1, -1), 7: (-1, -1), 8: (-1, 1)}
    rows, columns = flips[orientation]
    return (image if orientation < 5 else image.T)[::rows, ::columns]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
