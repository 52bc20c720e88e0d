"""How powder patterns are read: the options of their readers, shared by all jobs that read such files.

Each field is a keyword of `read_pattern` (a test keeps them alike): a new option of a reader is a keyword there and a
field here.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from numpy.typing import ArrayLike
from tyro.conf import arg

from unscatter.io.patterns import read_pattern
from unscatter.jobs.options import CHECKED, Text, checked_dataclass, part_of, refuse_reading
from unscatter.nouns.pattern import Pattern

logger = logging.getLogger(__name__)

#: A file, columns of two-theta, intensity and perhaps its s.u., or a pattern.
PatternSource: TypeAlias = str | Path | Sequence[ArrayLike] | ArrayLike | Pattern


@checked_dataclass(frozen=True, kw_only=True, config=CHECKED)
class PatternReading:
    """How a powder pattern is read from a file."""

    wavelength: Annotated[float | None, arg(metavar="ANGSTROM")] = None
    """in Angstrom, where the file does not say or says it wrong; for example 1.5406 (Cu)."""
    radiation: Literal["neutron", "x-ray"] | None = None
    """where the file does not say."""
    axis: Literal["two-theta", "theta", "q", "q-nm", "d"] | None = None
    """what the first column is, where the file does not say or says it wrong: two-theta, theta (degrees), q (1/A), q-nm
    (1/nm) or d (A)."""
    block: Text = None
    """which of several patterns in a file: a data block of a CIF, an NXdata group, the number of a GSAS bank, a
    range or a scan."""


def read_pattern_source(source: PatternSource, options: PatternReading) -> Pattern:
    """Read a file or columns as `unscatter classify` does; a pattern is taken as it is.

    Raises ValueError for reading options beside a Pattern.
    """
    if isinstance(source, Pattern):
        refuse_reading(options, PatternReading, "Pattern")
        return source
    found = read_pattern(source, **part_of(options, PatternReading))
    logger.info("read %s: %d points, wavelength %s A", found.source, found.two_theta.size, found.wavelength)
    return found
