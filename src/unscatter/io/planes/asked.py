"""What the reader of a file is asked for beside the file itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from unscatter.nouns.cell import Cell

#: How numbers are to be taken: as intensities, or as the planes of the published network, linear in [-1, 1].
Values = Literal["intensity", "published"]
#: What exact zeros are: see `zeros.judge_zeros`.
Zeros = Literal["auto", "measured", "missing"]
#: What to do with negative intensities: see `signed.settle_negative`.
Negative = Literal["auto", "keep", "refuse", "clip", "shift"]


@dataclass(frozen=True)
class Asked:
    """What a person says of a file: which data of it, the value of its gaps, its axes and its cell.

    axes: as `notation.parse_axis_names` or `parse_volume_axes` reads them; a format without directions of its own uses
    them. cell: to bring axes in 1/Angstrom to reciprocal-lattice units, in place of the file's.
    """

    dataset: str | None = None
    missing: float | None = None
    axes: str | None = None
    cell: Cell | None = None

    @property
    def fills(self) -> tuple[float, ...]:
        """Values that stand for "not measured"."""
        return () if self.missing is None else (self.missing,)

    def refuse_axes(self, source: object) -> None:
        """Raise ValueError if axes were given for a file that has its own."""
        if self.axes is not None:
            raise ValueError(f"{source} has axes of its own: leave out --axes, and choose a plane with --plane")
