"""Patterns that were drawn once, kept on disk: a memory that any number of trainings share, at the same time too."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unscatter.io.files import temporary_beside
from unscatter.train.powder.splits import Rows

#: The layout of the files: another one does not find them.
_LAYOUT = 1


class Drawn(NamedTuple):
    """inputs: (B, channels, points); cell: (B, 4), as in PowderSamples."""

    inputs: NDArray[np.float32]
    cell: NDArray[np.float32]


class PatternStore:
    """Patterns of rows of a table, each drawn when it is first asked for and read from then on.

    Three arrays in a folder, mapped into memory, take room as they fill: inputs in half precision, to which also a
    pattern that was just drawn is rounded, cells, and which rows are there. Two processes that draw the same row
    write the same numbers.
    """

    def __init__(
        self, folder: Path, what: Mapping[str, Any], rows: int, shape: tuple[int, ...], draw: Callable[[Rows], Drawn]
    ) -> None:
        """Open the store of `what`, which with a row decides its pattern, or begin it."""
        self.draw = draw
        identity = json.dumps({"layout": _LAYOUT, "rows": rows, "shape": shape, **what}, sort_keys=True)
        place = folder / hashlib.sha256(identity.encode()).hexdigest()[:16]
        place.mkdir(parents=True, exist_ok=True)
        (place / "what.json").write_text(identity, encoding="utf-8")
        self.inputs = _open(place / "inputs.npy", np.float16, (rows, *shape))
        self.cell = _open(place / "cell.npy", np.float32, (rows, 4))
        self.known = _open(place / "known.npy", np.uint8, (rows,))

    def get(self, rows: Rows) -> Drawn:
        """Patterns of rows, those that are not there drawn and kept."""
        missing = np.unique(rows[self.known[rows] == 0])
        if len(missing):
            fresh = self.draw(missing)
            self.inputs[missing], self.cell[missing] = fresh.inputs, fresh.cell
            # Last, so that nobody takes a row for known before it is whole.
            self.known[missing] = 1
        return Drawn(self.inputs[rows].astype(np.float32), self.cell[rows])


def _open(path: Path, dtype: Any, shape: tuple[int, ...]) -> NDArray[Any]:
    """Map an array of zeros, made if it is not there; two that make it at once end with the same file."""
    if not path.exists():
        name = temporary_beside(path)
        made = np.lib.format.open_memmap(name, mode="w+", dtype=dtype, shape=shape)
        del made
        try:
            os.link(name, path)
        except FileExistsError:
            pass
        finally:
            name.unlink()
    mapped: NDArray[Any] = np.lib.format.open_memmap(path, mode="r+")
    return mapped
