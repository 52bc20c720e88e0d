"""What every start file says, in one place: cell in the standard setting, group, profile, shifts, background."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import gemmi
import numpy as np
from numpy.typing import NDArray

from unscatter.io.results.start_files.setting import standard_cell
from unscatter.nouns.cell import Cell
from unscatter.nouns.pattern import Pattern
from unscatter.nouns.pattern_fit import PatternFit
from unscatter.symmetry import space_group

#: Height of K-alpha 2 over K-alpha 1, where the beam holds both.
DOUBLET = 0.5
_POINTS = 12


@dataclass(frozen=True, eq=False)
class Start:
    """A fit made ready for other programs.

    group: in its standard setting; cell with cell_error (6,), zero where symmetry fixes it, in that setting; widths:
    U, V, W in deg^2 and X, Y in degrees, Gaussian FWHM^2 = U tan^2 + V tan + W, Lorentzian FWHM = X / cos + Y tan;
    fit: where all else is from.
    """

    fit: PatternFit
    group: gemmi.SpaceGroup
    cell: Cell
    cell_error: tuple[float, ...]
    widths: tuple[float, float, float, float, float]

    @property
    def pattern(self) -> Pattern:
        """What was fitted."""
        return self.fit.pattern

    @property
    def wavelength(self) -> float:
        """First wavelength in Angstrom."""
        assert self.pattern.wavelength is not None, "a pattern that was fitted has a wavelength"
        return self.pattern.wavelength

    @property
    def data_name(self) -> str:
        """Name of the file of the pattern, without its folder."""
        return Path(self.pattern.source).name or "pattern.xye"

    @property
    def title(self) -> str:
        """What was measured, in one line of the letters that all programs read."""
        line = " ".join((self.pattern.title or self.data_name).split())
        return line.encode("ascii", "replace").decode("ascii")

    @property
    def neutron(self) -> bool:
        """Whether neutrons were used; X-rays are taken where nothing is known."""
        return self.pattern.radiation == "neutron"

    def background(self) -> NDArray[np.float64]:
        """Angles in degrees and background, (n, 2), at even steps."""
        place = np.linspace(self.pattern.two_theta[0], self.pattern.two_theta[-1], _POINTS)
        return np.column_stack([place, np.interp(place, self.pattern.two_theta, self.fit.background)])


def make_start(fit: PatternFit, number: int, widths: tuple[float, float, float, float, float]) -> Start:
    """Make a fit ready; number: of a space group of its lattice, widths: as Start has them."""
    cell, error = standard_cell(fit, number)
    return Start(fit, space_group(number), cell, error, widths)
