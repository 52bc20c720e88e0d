"""NumPy .npz: one of its arrays, as of a .npy file; of several planes one is named with --dataset.

Arrays called h, k, l, cell and mask beside it are used as such (see npz_axes); others are not, which is told. A mask of
another name is given as `--mask FILE.npz::name`.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np
from numpy.lib import format as npy_format
from numpy.typing import NDArray

from unscatter.io.files import first_bytes
from unscatter.io.hdf5 import LARGEST_READ
from unscatter.io.planes.asked import Asked
from unscatter.io.planes.npz_axes import names_beside, placed_array
from unscatter.nouns.plane import Plane
from unscatter.nouns.volume import Volume

NAME = "NumPy .npz"
GAPS_KNOWN = False
DATASETS = "name of an array"

#: Bytes of one array that are unpacked: as many numbers as are read at once, and its header.
_LARGEST_MEMBER = 8 * LARGEST_READ + 2**16
#: What the libraries raise over a broken archive.
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    OSError,
    ValueError,
    EOFError,
    RuntimeError,
    SyntaxError,
    MemoryError,
    TokenError,
)


def recognises(path: Path) -> bool:
    """Whether the file is a ZIP archive whose first member is a NumPy array."""
    start = first_bytes(path, 400)
    length = int.from_bytes(start[26:28], "little")
    return start[:4] == b"PK\x03\x04" and start[30 : 30 + length].endswith(b".npy")


def read(path: Path, asked: Asked = Asked()) -> Plane | Volume:  # noqa: B008  frozen
    """Read the array with two or more axes, or the one that is named; arrays called h, k, l beside it are its axes.

    Raises ValueError for several, none, and archives that are broken or unpack to more than is read at once.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
            shapes = {key: _shape(archive, info) for key, info in members.items()}
            beside = names_beside(shapes)
            name = _chosen(path, {key: shapes[key] for key in shapes if key not in beside}, shapes, asked.dataset)
            array = _unpacked(path, archive, members[name])
            arrays = {key: _unpacked(path, archive, members[key]) for key in beside if key != name}
    except _BROKEN as error:
        if str(error).startswith(str(path)):
            raise
        reason = " ".join(str(error).split())[:120]
        raise ValueError(f"{path} is a NumPy archive that cannot be read ({reason}); save it again") from error
    others = [other for other in members if other != name and other not in arrays]
    used = ", ".join([name, *arrays])
    notes = (f"of the arrays {', '.join(members)} only {used} {'were' if arrays else 'was'} read",) if others else ()
    return placed_array(array, arrays, path, asked, notes)


def _shape(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> tuple[int, ...]:
    """The shape that the header of an array announces; () for what is no array."""
    with archive.open(info) as member:
        if npy_format.read_magic(member) == (1, 0):
            return npy_format.read_array_header_1_0(member)[0]
        member.seek(0)
        return npy_format.read_array_header_2_0(member)[0] if npy_format.read_magic(member) == (2, 0) else ()


def _chosen(path: Path, shapes: dict[str, tuple[int, ...]], every: dict[str, tuple[int, ...]], name: str | None) -> str:
    listed = ", ".join(f"{key} {shape}" for key, shape in every.items())
    if name is not None:
        if name not in every:
            raise ValueError(f"{path} holds {listed} and no {name}: choose with --dataset {next(iter(every))}")
        return name
    planes = [key for key, shape in shapes.items() if len(shape) > 1]
    if not planes:
        raise ValueError(f"{path} holds {listed}; expected a plane (ny, nx): save the intensities as an array")
    if len(planes) > 1:
        raise ValueError(
            f"{path} holds {listed}: choose one with --dataset {planes[0]}, and a mask with --mask "
            f"{path.name}::{planes[1]}"
        )
    return planes[0]


def _unpacked(path: Path, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> NDArray[Any]:
    if info.file_size > _LARGEST_MEMBER:
        raise ValueError(
            f"{path}: {info.filename} unpacks to {info.file_size >> 20} MB; at most {_LARGEST_MEMBER >> 20} are "
            "unpacked: save it as .npy, which is read where it lies"
        )
    with archive.open(info) as member:
        # no more than was announced, whatever the stream goes on with
        content = member.read(info.file_size)
    return np.asarray(np.load(io.BytesIO(content), allow_pickle=False))
