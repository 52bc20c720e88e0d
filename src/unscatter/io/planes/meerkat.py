"""Old Meerkat ("Yell 0.9"): /rebinned_data / /number_of_pixels_rebinned, (nh, nk, nl).

The grid runs from -maxind to maxind. A voxel that no detector pixel fell into is 0/0: not measured.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from unscatter.io.hdf5 import Store, is_hdf5
from unscatter.io.planes.asked import Asked
from unscatter.io.planes.grids import GridAxis, Slices, stored_volume
from unscatter.io.planes.missing import Block, Spelling, measured_values
from unscatter.io.planes.yell import refuse_direct_space
from unscatter.nouns.volume import Volume

NAME = "Meerkat"
GAPS_KNOWN = True
DATASETS = "group or data set"


def recognises(path: Path) -> bool:
    """Whether the file has the sums and the numbers of pixels of Meerkat."""
    if not is_hdf5(path):
        return False
    with Store(path) as store:
        return all(store.dataset(name) is not None for name in ("rebinned_data", "number_of_pixels_rebinned"))


def read(path: Path, asked: Asked = Asked()) -> Volume:  # noqa: B008  frozen
    """Read a volume; it stays on disk. Raises ValueError if the grid does not fit the data."""
    asked.refuse_axes(path)
    with Store(path) as store:
        refuse_direct_space(store)
        shape = store.require("rebinned_data").shape
        highest = store.numbers("maxind")
        highest = None if highest is None else np.ravel(highest)
        if len(shape) != 3 or highest is None or highest.size != 3:
            raise ValueError(
                f"{path} is a {NAME} file without rebinned_data (nh, nk, nl) and maxind (3): rebin it again"
            )
        steps = store.numbers("step_size")
        steps = None if steps is None else np.ravel(steps)
        if steps is None:
            steps = 2 * highest / np.maximum(np.array(shape) - 1, 1)
        axes = [
            GridAxis(name, -highest[i] + steps[i] * np.arange(shape[i]), np.eye(3)[i]) for i, name in enumerate("hkl")
        ]

        def load(slices: Slices) -> Block:
            with Store(path) as again:
                return _load(again, slices, asked.fills)

        return stored_volume(str(path), axes, load, asked.cell or store.cell(), notes=store.notes)


def _load(store: Store, slices: Slices, fills: tuple[float, ...]) -> Block:
    total = store.require("rebinned_data")[slices]
    count = store.require("number_of_pixels_rebinned")[slices]
    block = measured_values(total, Spelling(fills), [("number_of_pixels_rebinned as empty", ~(count > 0))])
    return Block(block.values / np.where(count > 0, count, 1), block.tally)
