"""Data sets that grow in FILE.part, which remembers how far it has come, and get their name when they are whole."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unscatter.io.files import replacing
from unscatter.io.hdf5 import Store


def count_complete(part: Path, what: Mapping[str, Any]) -> int:
    """How many rows FILE.part holds already, 0 if there is none.

    what: all that the content depends on, as attributes of the file. Raises ValueError if they differ.
    """
    if not part.exists():
        return 0
    with Store(part) as store:
        found = store.root.attrs
        for name, value in what.items():
            if name not in found or found[name] != value:
                seen = found.get(name)
                raise ValueError(
                    f"{part} is the beginning of another set: its {name} is {seen}, not {value}; "
                    "repeat the call it came from, or delete it"
                )
        return int(store.require("complete")[()])


def create_rows(
    path: Path,
    what: Mapping[str, Any],
    row: Mapping[str, NDArray[Any]],
    count: int,
    *,
    dtypes: Mapping[str, Any] | None = None,
    chunked: Collection[str] = (),
) -> None:
    """Lay out a file for `count` rows like this one; it appears with all its space set aside.

    What is written later changes numbers and no structure, so that a run killed at any moment leaves it whole.
    dtypes: where not that of the row; chunked: names of data sets that are kept row by row.
    """
    import h5py

    with replacing(path) as temporary, h5py.File(temporary, "w") as file:
        file.attrs.update(what)
        file["complete"] = 0
        for name, value in row.items():
            layout = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
            layout.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
            layout.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
            file.create_dataset(
                name,
                shape=(count, *value.shape),
                dtype=(dtypes or {}).get(name, value.dtype),
                chunks=(1, *value.shape) if name in chunked else None,
                dcpl=layout,
            )


def write_rows(path: Path, rows: Sequence[Mapping[str, NDArray[Any]]], start: int) -> None:
    """Write rows from number `start`, and count them only when they are in the file."""
    import h5py

    with h5py.File(path, "r+") as file:
        for name in rows[0]:
            file[name][start : start + len(rows)] = np.stack([row[name] for row in rows])
        file.flush()
        file["complete"][()] = start + len(rows)
