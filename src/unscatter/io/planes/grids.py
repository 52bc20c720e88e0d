"""Grids of reciprocal space as files store them: axes in any order and direction, left on disk until asked for."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unscatter.io.planes.missing import Block
from unscatter.nouns.arrays import FloatArray, Floats
from unscatter.nouns.cell import Cell
from unscatter.nouns.volume import Volume
from unscatter.quantities import find_unit

Slices = tuple[slice, ...]
#: Units that are none, as some files have it beside indices.
_WITHOUT = ("", "1", "dimensionless", "unitless", "none")
#: Reads a block, in the order of the axes on disk.
Load = Callable[[Slices], Block]


@dataclass(frozen=True)
class GridAxis:
    """An axis of a stored grid: label, values at the pixel centres, direction (3,) or None if it has none.

    Values may decrease: whoever reads the grid turns it round.
    """

    label: str
    values: Floats
    direction: Floats | None

    def __post_init__(self) -> None:
        """Refuse an axis that does not run in even steps."""
        steps = np.diff(self.values)
        # Axes are often kept as float32: a hundredth of a pixel is far above its rounding.
        even = not steps.size or (np.all(steps * steps[0] > 0) and np.ptp(steps) <= 0.01 * abs(steps.mean()))
        if not (even and np.all(np.isfinite(self.values))):
            raise ValueError(f"axis {self.label} does not run in even steps: rebin the data to an even grid first")

    @property
    def descending(self) -> bool:
        """Whether values decrease."""
        return self.values.size > 1 and bool(self.values[0] > self.values[-1])

    @property
    def increasing(self) -> Floats:
        """The values from the lowest to the highest."""
        return self.values[::-1] if self.descending else self.values


@dataclass(frozen=True)
class StoredArray:
    """A volume left on disk, indexed as [l, k, h] with slices; each block is read when it is asked for.

    order: which axis on disk is l, k and h; turned: which axes on disk decrease and are read backwards. NumPy functions
    take it as an array and read all of it.
    """

    load: Load
    disk_shape: tuple[int, ...]
    order: tuple[int, ...]
    turned: tuple[bool, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of voxels along l, k, h."""
        return tuple(self.disk_shape[axis] for axis in self.order)

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.order)

    def block(self, slices: Slices) -> Block:
        """Read a block, [l, k, h], NaN where not measured, and what said so."""
        on_disk = [slice(None)] * self.ndim
        for axis, wanted in zip(self.order, slices, strict=True):
            on_disk[axis] = _turned(wanted, self.disk_shape[axis]) if self.turned[axis] else wanted
        block = self.load(tuple(on_disk))
        backwards = tuple(slice(None, None, -1 if turned else 1) for turned in self.turned)
        return Block(block.values[backwards].transpose(self.order), block.tally)

    def __getitem__(self, slices: Slices) -> FloatArray:
        """Read a block as float64, [l, k, h], NaN where not measured."""
        return self.block(slices).values

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """Read all of it."""
        return np.asarray(self[(slice(None),) * self.ndim], dtype=dtype)


def _turned(wanted: slice, count: int) -> slice:
    """The same pixels counted from the other end."""
    start, stop, step = wanted.indices(count)
    if step != 1:
        raise IndexError("blocks of a stored volume are read without steps")
    return slice(count - stop, count - start)


def pixel_centres(values: NDArray[np.float64], count: int, label: str) -> NDArray[np.float64]:
    """Give the centres of `count` pixels from their centres or their edges; raises ValueError otherwise."""
    values = np.ravel(values)
    if values.size == count + 1:
        values = (values[:-1] + values[1:]) / 2
    if values.size != count:
        raise ValueError(f"axis {label} has {values.size} values for {count} pixels; expected {count} or {count + 1}")
    return values


def line_of_mesh(values: NDArray[np.float64], place: int, label: str) -> NDArray[np.float64]:
    """The values along one axis of an array that numpy.meshgrid made; raises ValueError where it is none."""
    others = tuple(axis for axis in range(values.ndim) if axis != place)
    line = np.asarray(values.mean(axis=others))
    spread = float(np.max(np.ptp(values, axis=others)))
    if not spread <= 1e-3 * float(np.max(np.abs(np.diff(line)), initial=0.0)):
        raise ValueError(
            f"axis {label} of shape {values.shape} differs from row to row; expected one value for each row or column: "
            "rebin the data to an even grid first"
        )
    return line


def in_lattice_units(values: Floats, unit: str, label: str, direction: Floats | None, cell: Cell | None) -> Floats:
    """Values of an axis in reciprocal-lattice units: as they are, or from 1/Angstrom, 1/nm with the cell.

    Q = value |direction . reciprocal cell|, with 2 pi. Raises ValueError for other units, or without a cell.
    """
    found = find_unit(unit) if unit else None
    if unit.strip().lower() in _WITHOUT or (found is not None and found.dimension == "index"):
        return values
    if found is None or found.dimension != "inverse length" or direction is None:
        raise ValueError(
            f"axis {label} is in {unit[:30]!r}; expected r.l.u. or 1/Angstrom: say what it is, "
            'for example --axes "h=-8:8 k=-8:8 l=1"'
        )
    if cell is None:
        raise ValueError(
            f"axis {label} is in {unit[:30]!r} and no cell is known to make it r.l.u. with: give "
            "--cell A B C ALPHA BETA GAMMA"
        )
    return values * found.factor / float(np.linalg.norm(direction @ cell.reciprocal))


def stored_volume(
    source: str,
    axes: Sequence[GridAxis],
    load: Load,
    cell: Cell | None = None,
    title: str = "",
    notes: Sequence[str] = (),
) -> Volume:
    """Make a volume of a grid on disk with three axes, in the order of the disk.

    Each axis becomes h, k or l, whichever it lies closest to; in a tie the fastest on disk becomes h. Raises
    ValueError if the axes are no directions of reciprocal space or do not span it.
    """
    directions = [axis.direction for axis in axes if axis.direction is not None]
    if len(axes) != 3 or len(directions) != 3 or abs(np.linalg.det(directions)) < 1e-9:
        raise ValueError(_not_spanned(source, axes))
    hkl = max(permutations((2, 1, 0)), key=lambda order: sum(abs(directions[d][i]) for i, d in enumerate(order)))
    h, k, l = (axes[disk].increasing for disk in hkl)  # noqa: E741  the index is called l
    shape = tuple(axis.values.size for axis in axes)
    basis = np.array([directions[disk] for disk in hkl])
    intensity = StoredArray(load, shape, hkl[::-1], tuple(axis.descending for axis in axes))
    return Volume(intensity, h, k, l, cell=cell, title=title, source=source, basis=basis, notes=tuple(notes))


def _not_spanned(source: str, axes: Sequence[GridAxis]) -> str:
    labels = [axis.label or "?" for axis in axes]
    named = all(re.fullmatch(r"[A-Za-z]\w*", label) for label in labels)
    words = zip("hkl", labels[::-1], strict=False) if named else zip("hkl", ("-8:8", "-8:8", "-2:2"), strict=True)
    example = " ".join(f"{index}={what}" for index, what in words)
    return (
        f"{source}: axes {', '.join(labels)} do not span h, k, l; expected three such as Qh, Qk, Ql or "
        f'[H,H,0], [H,-H,0], [0,0,L]: say which they are, fastest first, with --axes "{example}", '
        "or choose other data with --dataset"
    )
