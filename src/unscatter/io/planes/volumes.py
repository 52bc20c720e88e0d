"""Read a whole volume, left on disk, ready to be taken apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unscatter.io.planes.asked import Asked, Zeros
from unscatter.io.planes.read import find_diffraction
from unscatter.nouns.arrays import Array
from unscatter.nouns.cell import Cell
from unscatter.nouns.volume import Volume

#: Layers from which it is decided what zeros are.
_SAMPLE = 6


@dataclass(frozen=True)
class ZerosMissing:
    """A volume in which exact zeros were not measured; each block is read when it is asked for."""

    intensity: Array

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of voxels along l, k, h."""
        return tuple(self.intensity.shape)

    def __getitem__(self, where: Any) -> NDArray[np.float64]:
        """Read a block, NaN where it is zero."""
        block = np.asarray(self.intensity[where], dtype=np.float64)
        return np.where(block == 0, np.nan, block)


def read_volume(
    path: str | Path,
    *,
    cell: Cell | Sequence[float] | None = None,
    axes: str | None = None,
    dataset: str | None = None,
    missing: float | None = None,
    zeros: Zeros = "auto",
) -> Volume:
    """Read a volume of reciprocal space; it stays on disk, and what was assumed stands in its notes.

    The arguments are those of `read_plane`. With zeros "auto", a few layers decide for the whole volume whether exact
    zeros are gaps or counts. Raises FileNotFoundError, or ValueError for a plane or another kind of file.
    """
    cell = cell if cell is None or isinstance(cell, Cell) else Cell.from_sequence(cell)
    found, gaps_known = find_diffraction(path, Asked(dataset, missing, axes, cell))
    if not isinstance(found, Volume):
        raise ValueError(f"{path} is a plane, not a volume: leave out --volume")
    volume = replace(found, cell=cell or found.cell)
    return volume if gaps_known else _with_zeros_decided(volume, zeros)


def _with_zeros_decided(volume: Volume, zeros: Zeros) -> Volume:
    layers = np.unique(np.linspace(0, volume.l.size - 1, _SAMPLE + 2).round().astype(int)[1:-1])
    sample = [np.asarray(volume.intensity[n : n + 1, :, :], dtype=np.float64)[0] for n in layers]
    zero = sum(int(np.sum(layer == 0)) for layer in sample)
    if not zero:
        return volume
    if zeros == "auto":
        from unscatter.io.planes.zeros import judge_zeros

        gaps = sum(int(judge_zeros(layer).gaps.sum()) for layer in sample)
        missing, why = gaps > zero / 2, f"by their neighbours in {len(layers)} layers, {gaps} of {zero} are gaps"
    else:
        missing, why = zeros == "missing", f"--zeros {zeros}"
    note = f"exact zeros count as {'not measured' if missing else 'measured'} ({why})"
    intensity = ZerosMissing(volume.intensity) if missing else volume.intensity
    return replace(volume, intensity=intensity, notes=(*volume.notes, note))
