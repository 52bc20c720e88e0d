"""A powder pattern."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from unscatter.nouns.arrays import Noun

#: A few intensities are below zero where a background was taken away; more than this fraction is told, and a fault
#: where they go deeper than this share of the maximum.
FEW_NEGATIVE, SUBTRACTED = 0.1, 0.1


@dataclass(frozen=True, eq=False, repr=False)
class Pattern(Noun):
    """A measured (or simulated) powder pattern: intensity (n,) over two_theta (n,) in degrees, increasing.

    sigma: (n,) standard uncertainty of the intensity, or None; wavelength in Angstrom, or None where the file
    does not say; second_wavelength is K-alpha2 where the beam holds both; source is the file it came from;
    assumptions: what the reader took for granted or left out, one sentence each.
    Raises ValueError if the lists do not belong together or the wavelength cannot be.
    """

    two_theta: NDArray[np.float64]
    intensity: NDArray[np.float64]
    sigma: NDArray[np.float64] | None = None
    wavelength: float | None = None
    second_wavelength: float | None = None
    radiation: Literal["neutron", "x-ray"] | None = None
    title: str = ""
    source: str = ""
    simulated: bool = False
    assumptions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what is not a pattern."""
        for name in ("two_theta", "intensity", "sigma"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, self._column(name))
        if np.any(np.diff(self.two_theta) <= 0):
            row = int(np.argmax(np.diff(self.two_theta) <= 0))
            before, after = self.two_theta[row : row + 2]
            raise ValueError(
                f"two-theta must increase from point to point, but point {row + 2} is at {after:g} deg after "
                f"{before:g} deg; sort the points and keep each angle once"
            )
        for wavelength in (self.wavelength, self.second_wavelength):
            if wavelength is not None and not 0 < wavelength <= 50:
                raise ValueError(
                    f"wavelength {wavelength:g} cannot be: expected more than 0 and at most 50 Angstrom, "
                    "for example --wavelength 1.5406"
                )
        if self.radiation not in (None, "neutron", "x-ray"):
            raise ValueError(f'radiation {self.radiation!r} is not known: write "neutron" or "x-ray"')

    def _column(self, name: str) -> NDArray[np.float64]:
        column = np.asarray(getattr(self, name), dtype=np.float64)
        if column.ndim != 1 or column.shape != np.shape(self.two_theta):
            raise ValueError(
                f"{name} must be one number per angle, got shape {column.shape} "
                f"for angles of shape {np.shape(self.two_theta)}"
            )
        lost = int(np.sum(~np.isfinite(column)))
        if lost:
            raise ValueError(f"{name} holds {lost} values that are not finite; take those points out")
        return column


def far_below_zero(intensity: NDArray[np.float64]) -> bool:
    """Whether intensities (n,) are negative by more than noise about a background that was taken away."""
    low, high = float(intensity.min(initial=0.0)), float(intensity.max(initial=0.0))
    return -low > high or (float(np.mean(intensity < 0)) > FEW_NEGATIVE and -low > SUBTRACTED * high)
