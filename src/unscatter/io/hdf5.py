"""HDF5 as untrusted input: links lead only inside the file's own folder, values are plain types, sizes are bounded."""

from __future__ import annotations

import importlib
import math
import re
from contextlib import AbstractContextManager, ExitStack, suppress
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from unscatter.io.files import first_bytes, require_file
from unscatter.io.probing import require_sound
from unscatter.nouns.cell import Cell
from unscatter.quantities import Dimension, find_unit
from unscatter.version import __version__

#: An h5py group, dataset or file; h5py has no types.
Node = Any

_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_DEEPEST_LINK = 16
#: What h5py raises over a file that is damaged: a flipped bit can make any object of it be of another kind.
_DAMAGE = (OSError, RuntimeError, LookupError, TypeError, AttributeError, ArithmeticError, UnicodeError, SystemError)
#: Values that are read at once, and bytes of one block as the file stores it (a chunk is unpacked whole).
LARGEST_READ, LARGEST_CHUNK = 2**24, 2**27
_LONGEST_TEXT = 2**16
#: No crystal has a cell with all edges below this, in Angstrom.
SHORTEST_EDGE = 1.8
#: Filters of HDF5 that files of beamlines use, by their registered number.
_FILTERS = {
    307: "bzip2",
    32000: "LZF",
    32001: "Blosc",
    32004: "LZ4",
    32008: "bitshuffle",
    32013: "ZFP",
    32015: "Zstandard",
    32017: "SZ",
    32024: "SZ3",
    32026: "Blosc2",
    32028: "SPERR",
}
_CELL_NAMES = (
    ("unit_cell",),
    ("unit_cell_abc", "unit_cell_alphabetagamma"),
    ("unit_cell_lengths", "unit_cell_angles"),
    tuple(f"unit_cell_{name}" for name in ("a", "b", "c", "alpha", "beta", "gamma")),
    tuple(f"unitcell_{name}" for name in ("a", "b", "c", "alpha", "beta", "gamma")),
)


def is_hdf5(path: Path) -> bool:
    """Whether a file carries the HDF5 signature, at its start or after a user block of 512 bytes or more."""
    start = first_bytes(path, 8192 + len(_SIGNATURE))
    return any(start[offset:].startswith(_SIGNATURE) for offset in (0, 512, 1024, 2048, 4096, 8192))


class Store:
    """An HDF5 file open for reading, to be used in a with statement.

    External links lead only to files in the folder of the file that holds them, or below it. Anything else,
    and data kept in other files by external storage or virtual datasets, is refused with a ValueError.
    """

    def __init__(self, path: str | Path) -> None:
        """Remember the file; it is opened by the with statement."""
        self.path = require_file(path)
        #: What was assumed in reading, in words.
        self.notes: list[str] = []
        self._files = ExitStack()

    def __enter__(self) -> Self:
        """Open the file; raises ValueError if it is truncated or no HDF5 file."""
        self.root = self._open(self.path)
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Close the file and all that it linked to; damage met while reading becomes a ValueError."""
        self._files.close()
        if isinstance(error, _DAMAGE) and not isinstance(error, FileNotFoundError):
            raise ValueError(
                f"{self.path} cannot be read ({_reason(error)}); it is damaged: copy it again, or rewrite it with "
                "h5repack"
            ) from error

    def get(self, name: str, start: Node = None) -> Node | None:
        """Give the group or dataset of that name, below `start` or the root; None if there is none."""
        node = self._walk(self.root if start is None else start, name, 0)
        if _is_dataset(node):
            _require_readable(node, self.path)
        return node

    def dataset(self, name: str, start: Node = None) -> Node | None:
        """Give the dataset of that name; None if there is none or it is a group."""
        node = self.get(name, start)
        return node if _is_dataset(node) else None

    def require(self, name: str, start: Node = None) -> Node:
        """Give the dataset of real numbers of that name; raises ValueError if there is none."""
        node = self.dataset(name, start)
        if node is None:
            raise ValueError(f"{self.path} has no dataset {name}, which its layout asks for; write the file again")
        return require_numbers(node, self.path)

    def numbers(self, name: str, start: Node = None) -> NDArray[np.float64] | None:
        """Read a dataset of numbers as float64; None if there is none."""
        node = self.dataset(name, start)
        if node is None:
            return None
        require_size(require_numbers(node, self.path).shape, f"dataset {name}", self.path)
        return np.asarray(node[()], dtype=np.float64)

    def text(self, name: str, start: Node = None) -> str:
        """Read a dataset of text; empty if there is none."""
        node = self.dataset(name, start)
        return "" if node is None or node.size is None or node.size > _LONGEST_TEXT else as_text(node[()])

    def cell(self, start: Node = None) -> Cell | None:
        """Read the unit cell under any name in use, 6 numbers or 3 + 3 or 6 x 1; None if there is none.

        Units that the file names are converted, others refused; angles that are all below pi are radians, noted. Cells
        of zeros and 1 1 1 90 90 90 are placeholders in many files and count as none.
        """
        for names in _CELL_NAMES:
            parts = [self._cell_part(name, start) for name in names]
            found = [part for part in parts if part is not None]
            if len(found) == len(names):
                said = any(self._unit_of(name, start) for name in names)
                parameters = self._in_degrees(np.concatenate(found)[:6])
                parameters = parameters if said else self._in_angstrom(parameters)
                unit = [1, 1, 1, 90, 90, 90][: parameters.size]
                placeholder = not parameters.any() or np.array_equal(parameters, unit)
                return None if placeholder else Cell.from_sequence(parameters)
        return None

    def _cell_part(self, name: str, start: Node) -> NDArray[np.float64] | None:
        """Edges in Angstrom and angles in the unit of the file's own or in degrees."""
        values = self.numbers(name, start)
        if values is None:
            return None
        factors = _cell_factors(self._unit_of(name, start), name, self.path)
        angles = name.endswith(("alphabetagamma", "angles", "alpha", "beta", "gamma"))
        values = np.ravel(values)
        scale = [factors["angle" if angles or place >= 3 else "length"] for place in range(values.size)]
        return np.asarray(values * np.array(scale))

    def _unit_of(self, name: str, start: Node) -> str:
        node = self.dataset(name, start)
        return "" if node is None else attribute(node, "units") or attribute(node, "unit")

    def _in_angstrom(self, parameters: NDArray[np.float64]) -> NDArray[np.float64]:
        """Edges of a cell without units that no crystal has in Angstrom: in metres, or in nm, which is noted."""
        edges = parameters[:3]
        longest = float(edges.max())
        if not 0 < longest < SHORTEST_EDGE or np.array_equal(edges, np.ones(3)):
            return parameters
        unit, factor = ("metres", 1e10) if longest < 1e-7 else ("nm", 10.0)
        told = ", ".join(f"{edge:.5g}" for edge in edges)
        self.notes.append(f"edges of the cell, {told}, were taken as {unit} (--cell says otherwise)")
        return np.concatenate([factor * edges, parameters[3:]])

    def _in_degrees(self, parameters: NDArray[np.float64]) -> NDArray[np.float64]:
        angles = parameters[3:]
        if angles.size and np.all(angles > 0) and np.all(angles < math.pi):
            self.notes.append(f"angles of the cell, {', '.join(f'{a:.5g}' for a in angles)}, were taken as radians")
            return np.concatenate([parameters[:3], np.degrees(angles)])
        return parameters

    def _walk(self, node: Node | None, name: str, depth: int) -> Node | None:
        if depth > _DEEPEST_LINK:
            raise ValueError(f"{self.path}: the links in this file lead in a circle at {name}")
        if node is not None and name.startswith("/"):
            node = node.file
        for part in (part for part in name.split("/") if part not in ("", ".")):
            node = self._step(node, part, depth)
        return node

    def _step(self, group: Node | None, part: str, depth: int) -> Node | None:
        import h5py

        if group is None or _is_dataset(group):
            return None
        link = group.get(part, getlink=True)
        if isinstance(link, h5py.SoftLink):
            return self._walk(group, link.path, depth + 1)
        if isinstance(link, h5py.ExternalLink):
            target = self._open(self._beside(Path(group.file.filename), link.filename))
            return self._walk(target, link.path, depth + 1)
        return group.get(part)

    def _beside(self, holder: Path, filename: str) -> Path:
        folder = holder.resolve().parent
        target = (folder / filename).resolve()
        if not target.is_relative_to(folder):
            raise ValueError(
                f"{self.path} links to {filename}, outside its own folder, and is not followed; "
                f"copy that file into {folder} and link to it there"
            )
        return require_file(target)

    def _open(self, path: Path) -> Node:
        import h5py

        require_sound(path)
        try:
            return self._files.enter_context(h5py.File(path, "r"))
        except OSError as error:
            raise ValueError(
                f"{path} cannot be opened as HDF5 ({_reason(error)}); it is truncated, still being written "
                "or no HDF5 file: copy it again"
            ) from error


def open_own(path: Path, mode: Literal["r", "r+", "w"]) -> AbstractContextManager[Node]:
    """Open a file of unscatter's own making, to read, alter or write; what comes from others goes through Store."""
    import h5py

    file: AbstractContextManager[Node] = h5py.File(path, mode)
    return file


def require_size(shape: tuple[int, ...], what: str, path: Path | str) -> None:
    """Raise ValueError for an array of more than LARGEST_READ values: nothing is read before it is known to fit."""
    count = math.prod(shape)
    if count > LARGEST_READ:
        raise ValueError(
            f"{path}: {what} has shape {' x '.join(map(str, shape))}, {count:.3g} values; at most {LARGEST_READ} "
            f"(4096 x 4096) are read at once: cut out or bin what you need first"
        )


def _require_readable(node: Node, path: Path) -> None:
    """Refuse data in other files, filters that are not there, and blocks too large to unpack."""
    if node.external or node.is_virtual:
        raise ValueError(
            f"{path}: dataset {node.name} keeps its data in other files; "
            "copy it into one file first, for example with h5py: out['data'] = source['data'][()]"
        )
    if node.chunks is not None and math.prod(node.chunks) * node.dtype.itemsize > LARGEST_CHUNK:
        raise ValueError(
            f"{path}: dataset {node.name} is stored in blocks of {' x '.join(map(str, node.chunks))} values, which "
            f"would be unpacked whole (limit {LARGEST_CHUNK} bytes): rewrite it with h5repack -l CHUNK=64x64"
        )
    if (missing := _missing_filter(node)) is not None:
        raise ValueError(
            f"{path}: dataset {node.name} is compressed with {missing}, which HDF5 cannot unpack by itself: "
            'pip install "unscatter[beamline]" (or: pip install hdf5plugin)'
        )


def _missing_filter(node: Node) -> str | None:
    """Name of a filter that a dataset needs and that is not there, even with hdf5plugin; None if all are."""
    import h5py

    recipe = node.id.get_create_plist()
    for place in range(recipe.get_nfilters()):
        number, _, _, name = recipe.get_filter(place)
        if h5py.h5z.filter_avail(number):
            continue
        # Loading it registers all its filters; who reads plain files does not pay for that.
        with suppress(ImportError):
            importlib.import_module("hdf5plugin")
        if not h5py.h5z.filter_avail(number):
            return f"{_FILTERS.get(number) or as_text(name) or 'a filter'} (HDF5 filter {number})"
    return None


def _cell_factors(unit: str, name: str, path: Path) -> dict[Dimension, float]:
    """Angstrom and degrees in the units that an attribute names, such as "nm" or "Angstrom, deg"."""
    factors: dict[Dimension, float] = {"length": 1.0, "angle": 1.0}
    for word in re.split(r"[,;\s]+|\band\b", unit):
        found = find_unit(word) if word else None
        if word and (found is None or found.dimension not in factors):
            raise ValueError(f"{path}: {name} is in {unit[:30]!r}; expected Angstrom and degrees: give --cell")
        if found is not None:
            factors[found.dimension] = found.factor
    return factors


def require_numbers(node: Node, path: Path | str) -> Node:
    """Give back an array or dataset of real numbers; raises ValueError for any other type."""
    if node.dtype.kind not in "fiub":
        raise ValueError(f"{path} holds {node.dtype} where real numbers are expected; save it as float32")
    return node


def as_text(value: Any) -> str:
    """Give text as str, whether it was stored as bytes, str or an array of one of them."""
    value = np.ravel(value)[0] if np.size(value) else ""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)[:_LONGEST_TEXT]


def attribute(node: Node, name: str) -> str:
    """Give an attribute as text, empty if there is none."""
    value = node.attrs.get(name)
    return "" if value is None else as_text(value)


def refuse_later(store: Store, latest: int) -> None:
    """Raise ValueError for a file of unscatter in a layout later than `latest`."""
    version = int(store.root.attrs.get("format_version", 1))
    if version > latest:
        raise ValueError(
            f"{store.path} has layout {version} and this unscatter {__version__} reads up to {latest}: "
            "pip install --upgrade unscatter"
        )


def require_format(store: Store, name: str, latest: int, command: str) -> None:
    """Raise ValueError for a file that is no `name`, as unscatter COMMAND writes it, or in a later layout."""
    if attribute(store.root, "format") != name:
        raise ValueError(f"{store.path} holds no {name}; expected a file that unscatter {command} wrote")
    refuse_later(store, latest)


def is_class(node: Node | None, name: str) -> bool:
    """Whether a node is a group of that NeXus class."""
    return node is not None and not _is_dataset(node) and attribute(node, "NX_class") == name


def _reason(error: BaseException) -> str:
    """The part of an error of h5py that a person can use."""
    return " ".join((str(error).partition("(")[2].rstrip(")") or str(error)).split())


def _is_dataset(node: Node | None) -> bool:
    # Only a dataset has this: a named type has a dtype too.
    return hasattr(node, "is_virtual")
