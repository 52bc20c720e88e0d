"""X-ray tubes: the wavelengths of their anodes."""

from __future__ import annotations

from typing import NamedTuple

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


#: By the symbol of the anode. Sources: International Tables for Crystallography C, table 4.2.2.4 (K-alpha 1); Hoelzer
#: et al., Phys. Rev. A 56, 4554 (1997), and Bearden, Rev. Mod. Phys. 39, 78 (1967) (K-alpha 2, K-beta 1).
TUBES = {
    "Ag": Tube(0.5594218, 0.56380, 0.49707),
    "Mo": Tube(0.7093172, 0.71359, 0.63229),
    "Cu": Tube(1.5405929, 1.54443, 1.39222),
    "Co": Tube(1.7889960, 1.79285, 1.62079),
    "Fe": Tube(1.9360410, 1.93998, 1.75661),
    "Cr": Tube(2.2897260, 2.29361, 2.08487),
}
#: K-alpha 1 in Angstrom, by the symbol of the anode.
K_ALPHA_1 = {anode: tube.first for anode, tube in TUBES.items()}


def tube_of(wavelength: float) -> Tube | None:
    """The tube whose K-alpha 1, or mean of the doublet, is a wavelength in Angstrom; None for any other."""
    near = (tube for tube in TUBES.values() for one in (tube.first, tube.mean) if abs(wavelength / one - 1) < _ALIKE)
    return next(near, None)
