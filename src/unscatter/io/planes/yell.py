"""Yell 1.0, as Yell, Meerkat, DISCUS and gemmi-disorder write it: /data (nh, nk, nl) on an even grid.

Missing voxels are NaN. The first point lies at /lower_limits, or without them half the grid below the
origin, which is then point N // 2: the middle of an odd grid.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from unscatter.io.hdf5 import Node, Store, attribute, is_hdf5
from unscatter.io.planes.asked import Asked
from unscatter.io.planes.grids import GridAxis, Slices, stored_volume
from unscatter.io.planes.missing import Block
from unscatter.io.planes.nexus_signal import read_signal
from unscatter.nouns.volume import Volume

NAME = "Yell 1.0"
GAPS_KNOWN = False
DATASETS = "group or data set"


def recognises(path: Path) -> bool:
    """Whether the file says that it is Yell's, or has its datasets."""
    if not is_hdf5(path):
        return False
    with Store(path) as store:
        said = store.text("format") or attribute(store.root, "filetype") or attribute(store.root, "format")
        grid = store.dataset("step_sizes") is not None and store.dataset("data") is not None
        return said.startswith("Yell 1") or grid


def read(path: Path, asked: Asked = Asked()) -> Volume:  # noqa: B008  frozen
    """Read a volume; it stays on disk. Raises ValueError for direct space (a PDF) or a missing grid."""
    asked.refuse_axes(path)
    with Store(path) as store:
        refuse_direct_space(store)
        data = _data(store)
        shape = data.shape + (1,) * (3 - data.ndim)
        steps = next((s for n in ("step_sizes", "step_size") if (s := store.numbers(n)) is not None), None)
        if steps is None or steps.size != 3:
            raise ValueError(f"{path} is a {NAME} file without step_sizes (3): write lower_limits and step_sizes to it")
        lower = store.numbers("lower_limits")
        first = -steps * (np.array(shape) // 2) if lower is None else np.ravel(lower)
        axes = [GridAxis(name, first[i] + steps[i] * np.arange(shape[i]), np.eye(3)[i]) for i, name in enumerate("hkl")]

        def load(slices: Slices) -> Block:
            with Store(path) as again:
                return _load(again, slices, asked.fills)

        return stored_volume(str(path), axes, load, asked.cell or store.cell(), notes=store.notes)


def _data(store: Store) -> Node:
    data = store.require("data")
    if not 1 <= data.ndim <= 3:
        raise ValueError(f"{store.path} has data of shape {data.shape}; {NAME} asks for (nh, nk, nl)")
    return data


def _load(store: Store, slices: Slices, fills: tuple[float, ...]) -> Block:
    block = read_signal(store, "", "data", slices[: _data(store).ndim], fills)
    return Block(block.values.reshape(block.values.shape + (1,) * (3 - block.values.ndim)), block.tally)


def refuse_direct_space(store: Store) -> None:
    """Raise ValueError if /is_direct is set: seen as 1 and as 256, the same flag with its bytes swapped."""
    node = store.dataset("is_direct")
    if node is None or node.size is None:
        return
    words = store.text("is_direct").strip().lower()
    if words not in ("", "0", "0.0", "false", "no", "[]"):
        raise ValueError(
            f"{store.path} is in direct space (is_direct = {words[:20]}), a pair distribution "
            "function; expected reciprocal space: give the file before the transform, or correct the flag"
        )
