"""How planes are read: the options of their readers, shared by all jobs that read such files.

Each field is a keyword of `read_plane` (a test keeps them alike): a new option of a reader is a keyword there and a
field here.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated, Any, TypeAlias

from numpy.typing import ArrayLike
from pydantic import BeforeValidator
from tyro.conf import UseAppendAction, arg

from unscatter.io.planes.asked import Negative, Values, Zeros
from unscatter.io.planes.read import read_plane
from unscatter.jobs.options import CHECKED, OneOrMany, Text, checked_dataclass, part_of, refuse_reading
from unscatter.nouns.cell import Cell
from unscatter.nouns.plane import Plane

logger = logging.getLogger(__name__)

#: A file, an array (ny, nx), or a plane.
PlaneSource: TypeAlias = str | Path | ArrayLike | Plane


def _cell_numbers(value: Any) -> Any:
    return value.parameters if isinstance(value, Cell) else value


@checked_dataclass(frozen=True, kw_only=True, config=CHECKED)
class PlaneReading:
    """How a plane is read from a file."""

    plane: Annotated[tuple[str, ...], arg(metavar="TEXT"), UseAppendAction, OneOrMany] = ()
    """plane to cut from a volume: hk1, h0l, hhl, "origin=0,0,0.5 u=1,1,0 v=0,0,1". Repeat it for several; results are
    then NAME.hk1.factorized.h5 and so on."""
    cell: Annotated[tuple[float, ...] | None, arg(metavar="A B C ALPHA BETA GAMMA"), BeforeValidator(_cell_numbers)] = (
        None
    )
    """a b c alpha beta gamma, in Angstrom and degrees, where the file does not say."""
    axes: Text = None
    """indices of the pixels, where the file does not say: "h=-8:8 k=-8:8 l=1"; of a volume "h=-8:8 k=-8:8 l=-2:2",
    fastest axis first; names of axes in the file, "h=Q1 k=Q2 l=Q3"."""
    mask: Text = None
    """file of the same shape, non-zero = not measured (.npy, TIFF, text, or file.h5::path)."""
    dataset: Text = None
    """which data set of an HDF5 file, array of an .npz, or page of a TIFF."""
    missing: float | None = None
    """a value that marks what was not measured, such as -1."""
    zeros: Zeros = "auto"
    """what exact zeros are: measured, as counts, or missing, as gaps; auto decides by their neighbours."""
    negative: Negative = "auto"
    """keep, refuse, clip or shift negative intensities; auto keeps what looks like noise and refuses the rest."""
    values: Values = "intensity"
    """published: a plane of the published network, linear in -1 to 1, with -1 where not measured."""


def read_plane_source(source: PlaneSource, options: PlaneReading) -> Plane:
    """Read a file or an array as `unscatter factorize` does; a plane is taken as it is.

    Raises ValueError for several planes at once, a cell without axes, and reading options beside a Plane.
    """
    if isinstance(source, Plane):
        refuse_reading(options, PlaneReading, "Plane")
        return source
    keywords = part_of(options, PlaneReading)
    sections = keywords.pop("plane")
    if len(sections) > 1:
        raise ValueError(f"one call takes one plane apart, got {', '.join(sections)}; call once for each")
    found = read_plane(source, plane=next(iter(sections), None), **keywords)
    if options.cell is not None and found.axes is None:
        name = found.source or "the array"
        raise ValueError(f'{name}: a cell does not say where the pixels lie; add --axes, such as "h=-8:8 k=-8:8 l=1"')
    rows, columns = found.intensity.shape
    logger.info("read %s: %d x %d pixels, %.1f %% measured", found.source, columns, rows, 100 * found.coverage)
    return found
