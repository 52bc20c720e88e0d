"""Grids of reciprocal space as files store them: in any order of the axes, left on disk until asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unscatter.io.hdf5 import Store
from unscatter.nouns.arrays import FloatArray
from unscatter.nouns.cell import Cell
from unscatter.nouns.volume import Volume

Slices = tuple[slice, ...]
#: Reads a block of an open file, in the order of the axes on disk, as float with NaN where not measured.
Load = Callable[[Store, Slices], FloatArray]


@dataclass(frozen=True)
class GridAxis:
    """An axis of a stored grid: label, values at the pixel centres, direction (3,) or None if it has none."""

    label: str
    values: NDArray[np.float64]
    direction: NDArray[np.float64] | None

    def __post_init__(self) -> None:
        """Refuse an axis that does not increase in even steps."""
        steps = np.diff(self.values)
        # Axes are often kept as float32: a hundredth of a pixel is far above its rounding.
        even = not steps.size or (steps.min() > 0 and np.ptp(steps) <= 0.01 * steps.mean())
        if not (even and np.all(np.isfinite(self.values))):
            raise ValueError(f"axis {self.label} does not increase evenly: rebin the data to an even grid first")


@dataclass(frozen=True)
class StoredArray:
    """A volume left on disk, indexed as [l, k, h] with slices; each block is read when it is asked for.

    order: which axis on disk is l, k and h. NumPy functions take it as an array and read all of it.
    """

    path: Path
    load: Load
    disk_shape: tuple[int, ...]
    order: tuple[int, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of voxels along l, k, h."""
        return tuple(self.disk_shape[axis] for axis in self.order)

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.order)

    def __getitem__(self, slices: Slices) -> FloatArray:
        """Read a block as float64, [l, k, h], NaN where not measured."""
        on_disk = [slice(None)] * self.ndim
        for axis, wanted in zip(self.order, slices, strict=True):
            on_disk[axis] = wanted
        with Store(self.path) as store:
            block = self.load(store, tuple(on_disk))
        return np.asarray(block, dtype=np.float64).transpose(self.order)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """Read all of it."""
        return np.asarray(self[(slice(None),) * self.ndim], dtype=dtype)


def pixel_centres(values: NDArray[np.float64], count: int, label: str) -> NDArray[np.float64]:
    """Give the centres of `count` pixels from their centres or their edges; raises ValueError otherwise."""
    values = np.ravel(values)
    if values.size == count + 1:
        values = (values[:-1] + values[1:]) / 2
    if values.size != count:
        raise ValueError(f"axis {label} has {values.size} values for {count} pixels; expected {count} or {count + 1}")
    return values


def stored_volume(
    path: Path, axes: Sequence[GridAxis], load: Load, cell: Cell | None = None, title: str = ""
) -> Volume:
    """Make a volume of a grid on disk with three axes, in the order of the disk.

    Each axis becomes h, k or l, whichever it lies closest to; in a tie the fastest on disk becomes h. Raises
    ValueError if the axes are no directions of reciprocal space or do not span it.
    """
    directions = [axis.direction for axis in axes if axis.direction is not None]
    if len(axes) != 3 or len(directions) != 3 or abs(np.linalg.det(directions)) < 1e-9:
        labels = ", ".join(axis.label or "?" for axis in axes)
        raise ValueError(
            f"{path}: axes {labels} do not span h, k, l; expected three such as Qh, Qk, Ql or "
            "[H,H,0], [H,-H,0], [0,0,L]: choose other data with --dataset"
        )
    hkl = max(permutations((2, 1, 0)), key=lambda order: sum(abs(directions[d][i]) for i, d in enumerate(order)))
    h, k, l = (axes[disk].values for disk in hkl)  # noqa: E741  the index is called l
    shape = tuple(axis.values.size for axis in axes)
    basis = np.array([directions[disk] for disk in hkl])
    intensity = StoredArray(path, load, shape, hkl[::-1])
    return Volume(intensity, h, k, l, cell=cell, title=title, source=str(path), basis=basis)
