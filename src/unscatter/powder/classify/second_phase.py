"""A second phase behind the lines that a lattice leaves unexplained: offered, not asserted."""

from __future__ import annotations

import numpy as np

from unscatter.nouns.lattice import Lattice
from unscatter.nouns.lines import Lines
from unscatter.nouns.pattern_fit import PatternFit
from unscatter.powder.refine.index import index
from unscatter.powder.refine.predicted import free_components

#: Fewest unexplained lines in which a lattice is sought, and lines beyond those that any lattice of as many free
#: numbers explains.
FEWEST, BEYOND = 4, 3
#: Nats a line by which the lattice explains them better than chance, and the largest volume in Angstrom^3: a large cell
#: explains any few lines.
BETTER, LARGEST = 2.0, 1500.0
#: Share of a FWHM within which a line is that of the first lattice.
NEAR = 0.6
#: Weaker than this share of the strongest line, an unexplained one is rather what a profile misses.
FAINT = 0.003


def find_second_phase(lines: Lines, fit: PatternFit, time_limit: float = 2.0) -> Lattice | None:
    """The lattice that explains what the first one leaves; None where nothing tells of one.

    lines: of the whole pattern; fit: of the first lattice; time_limit: CPU seconds of the search. At least four lines
    must be left, and the lattice explain three more of them than it has free numbers, all but a third, by two nats a
    line better than chance.
    """
    left = unexplained(lines, fit)
    if len(left) < FEWEST:
        return None
    found = index(left, max_volume=LARGEST, count=6, time_limit=time_limit)
    shift = fit.zero + fit.displacement * np.cos(np.radians(left.two_theta.mean() / 2))
    # Both phases are seen by one instrument.
    alike = [one for one in found if abs(one.zero - shift) < 0.15]
    return next((one for one in alike if _tells(one)), None)


def unexplained(lines: Lines, fit: PatternFit) -> Lines:
    """The lines that are neither of a lattice nor images of stronger ones, and stronger than what a profile misses.

    Lines beyond the range of the fit, of which nothing is known, are left out.
    """
    fitted = lines.two_theta <= fit.pattern.two_theta[-1]
    distance = np.abs(lines.two_theta[:, None] - fit.two_theta[None, :]).min(axis=1, initial=np.inf)
    own = distance < NEAR * np.maximum(lines.fwhm, 0.02)
    faint = lines.area < FAINT * float(lines.area.max(initial=0.0))
    images = np.array([bool(flag) for flag in lines.flags], dtype=bool)
    return lines.chosen(fitted & ~own & ~faint & ~images)


def _tells(lattice: Lattice) -> bool:
    """Whether a lattice explains the lines by more than what any of its kind does."""
    count = lattice.indexed + lattice.foreign
    return (
        lattice.indexed >= free_components(lattice.bravais) + BEYOND
        and lattice.foreign <= count / 3
        and lattice.score >= BETTER * lattice.indexed
    )
