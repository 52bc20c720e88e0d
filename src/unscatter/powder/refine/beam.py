"""What the beam may hold beside the wavelength that is told."""

from __future__ import annotations

from unscatter.nouns.pattern import Pattern
from unscatter.tubes import tube_of


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
