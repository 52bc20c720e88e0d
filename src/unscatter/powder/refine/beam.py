"""What the beam may hold beside the wavelength that is told: tubes and their lines."""

from __future__ import annotations

from typing import NamedTuple

from unscatter.nouns.pattern import Pattern

# Files and users say K-alpha 1 or the mean of the doublet, with few digits.
_ALIKE = 3e-4


class Tube(NamedTuple):
    """K-alpha 1, K-alpha 2 and K-beta 1 of an anode in Angstrom."""

    first: float
    second: float
    beta: float

    @property
    def mean(self) -> float:
        """Mean of the doublet, K-alpha 1 counting twice."""
        return (2 * self.first + self.second) / 3


# Cr, Fe, Co, Cu, Mo, Ag. Source: Hoelzer et al., Phys. Rev. A 56, 4554 (1997); Bearden, Rev. Mod. Phys. 39, 78 (1967).
TUBES = (
    Tube(2.28970, 2.29361, 2.08487),
    Tube(1.93604, 1.93998, 1.75661),
    Tube(1.78897, 1.79285, 1.62079),
    Tube(1.54059, 1.54443, 1.39222),
    Tube(0.70930, 0.71359, 0.63229),
    Tube(0.55941, 0.56380, 0.49707),
)


def tube_of(wavelength: float) -> Tube | None:
    """The tube whose K-alpha 1, or mean of the doublet, is a wavelength in Angstrom."""
    near = (tube for tube in TUBES for line in (tube.first, tube.mean) if abs(wavelength / line - 1) < _ALIKE)
    return next(near, None)


def possible_beams(pattern: Pattern) -> tuple[tuple[float, ...], ...]:
    """Wavelengths in Angstrom that the beam of a pattern may hold, each time the first one first.

    Columns of numbers seldom say that a tube's beam held K-alpha 2: where the wavelength is that of a tube, the pattern
    has to tell whether it is a doublet.
    """
    first, second = pattern.wavelength, pattern.second_wavelength
    assert first is not None
    if second:
        return ((first, second),)
    tube = None if pattern.radiation == "neutron" else tube_of(first)
    if tube is None:
        return ((first,),)
    if abs(first / tube.first - 1) < abs(first / tube.mean - 1):
        return ((first, first * tube.second / tube.first), (first,))
    return ((tube.first, tube.second), (first,))
