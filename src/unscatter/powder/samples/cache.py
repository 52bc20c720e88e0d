"""Reflection lists of a whole table of structures in one small file, from which every pattern is drawn.

The file is HDF5: one compressed record a structure (see records.py), one after the other in the array `records`,
and columns with what else is known of each. Records are mapped into memory and read when they are asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unscatter.atoms import Radiation
from unscatter.io.hdf5 import Store, require_format
from unscatter.nouns.cell import Cell
from unscatter.powder.samples.records import unpack_lines

NAME = "unscatter reflections"
#: The layout written here; a reader refuses a later one.
FORMAT_VERSION = 1
#: Largest 1/d in 1/Angstrom: the network's axis ends at d = 0.8 Angstrom, and cells may grow by 4 % before that.
LIMIT = 1.3
#: Lines of one structure that are kept apart at most; denser ones are gathered (see records.merge_lines).
MOST_LINES = 2000
#: Cu K-alpha1 in Angstrom: X-ray strengths hold f' and f'' at this wavelength, at any other they are approximate.
X_RAY_WAVELENGTH = 1.540593

#: Radiations of which strengths are kept, with the wavelength in Angstrom where they depend on it.
BEAMS: tuple[tuple[Radiation, float | None], ...] = (("neutron", None), ("x-ray", X_RAY_WAVELENGTH))
_RADIATIONS = tuple(radiation for radiation, _ in BEAMS)


@dataclass(frozen=True, eq=False)
class PhaseLines:
    """Lines of one structure and what a sample of it needs besides.

    hkl: (n, 3); strength: (n,), m |F|^2 d^2; poles, damped: as in ReflectionCache.
    """

    hkl: NDArray[np.int64]
    strength: NDArray[np.float64]
    cell: Cell
    space_group: int
    poles: int
    damped: bool

    def inverse_d(self, cell: Cell | None = None) -> NDArray[np.float64]:
        """1/d (n,) in 1/Angstrom, in another cell of the same symmetry if one is given."""
        q = self.hkl @ ((cell or self.cell).reciprocal / (2 * np.pi))
        return np.asarray(np.sqrt(np.einsum("ni,ni->n", q, q)))


@dataclass(frozen=True, eq=False)
class ReflectionCache:
    """Lines of many structures, read from a file when they are asked for; made by `read_reflection_cache`.

    Columns, one entry a structure: space_group (n,); cells: (n, 6) in Angstrom and degrees; volumes: (n,) in
    Angstrom^3; prototype: (n,) numbers, equal for structures of one type, in all caches; year: (n,), 0 where not known;
    poles: (n,) bits 1, 2, 4 for each of a*, b*, c* that symmetry turns into nothing but itself or its
    opposite; damped: (n,) whether displacement factors were known and are in the strengths; names: (n,).
    """

    path: Path
    limit: float
    space_group: NDArray[np.int64]
    cells: NDArray[np.float64]
    prototype: NDArray[np.int64]
    year: NDArray[np.int64]
    poles: NDArray[np.int64]
    damped: NDArray[np.bool_]
    names: NDArray[np.bytes_]
    strongest: NDArray[np.float64]
    starts: NDArray[np.int64]
    place: int

    def __len__(self) -> int:
        """Return the number of structures."""
        return len(self.space_group)

    def __reduce__(self) -> tuple[Any, ...]:
        """Send the path alone to another process, which maps the file itself."""
        return read_reflection_cache, (self.path,)

    @cached_property
    def volumes(self) -> NDArray[np.float64]:
        """Volumes of the cells in cubic Angstrom, (n,)."""
        return np.array([Cell(*cell).volume for cell in self.cells.tolist()])

    @cached_property
    def _records(self) -> NDArray[np.uint8]:
        size = int(self.starts[-1])
        return np.memmap(self.path, dtype=np.uint8, mode="r", offset=self.place, shape=(size,))

    def name(self, i: int) -> str:
        """Name of structure i in the table it came from."""
        return bytes(self.names[i]).decode("utf-8", errors="replace")

    def lines(self, i: int, radiation: Radiation = "neutron") -> PhaseLines:
        """Lines of structure i in no particular order, strengths right to 1.9 %; IndexError if it is not there."""
        if not -len(self) <= i < len(self):
            raise IndexError(f"structure {i} of a cache of {len(self)}")
        i %= len(self)
        record = self._records[self.starts[i] : self.starts[i + 1]].tobytes()
        hkl, strengths = unpack_lines(record, self.strongest[i])
        strength = strengths[_RADIATIONS.index(radiation)]
        seen = strength > 0
        return PhaseLines(
            hkl[seen],
            strength[seen],
            Cell(*self.cells[i].tolist()),
            int(self.space_group[i]),
            int(self.poles[i]),
            bool(self.damped[i]),
        )


def read_reflection_cache(path: str | Path) -> ReflectionCache:
    """Open a cache that `write_reflection_cache` wrote.

    Raises ValueError for another file or one of a later unscatter, FileNotFoundError if there is none.
    """
    with Store(path) as store:
        found = store.root.attrs
        require_format(store, NAME, FORMAT_VERSION, "simulate reflections")
        columns = {name: np.asarray(store.root[name][()]) for name in COLUMNS}
        starts = np.concatenate([[0], np.cumsum(store.require("size")[()], dtype=np.int64)])
        place = store.require("records").id.get_offset()
        columns = {name: column.astype(COLUMNS[name][1]) for name, column in columns.items()}
        return ReflectionCache(Path(path), float(found["limit"]), **columns, starts=starts, place=place)


#: Columns of the file: as stored, and as handed out.
COLUMNS: dict[str, tuple[Any, Any]] = {
    "space_group": (np.uint8, np.int64),
    "cells": (np.float64, np.float64),
    "prototype": (np.int64, np.int64),
    "year": (np.int16, np.int64),
    "poles": (np.uint8, np.int64),
    "damped": (np.uint8, np.bool_),
    "names": (np.bytes_, np.bytes_),
    "strongest": (np.float64, np.float64),
}
