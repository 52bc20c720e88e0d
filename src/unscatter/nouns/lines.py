"""The lines that were found in a powder pattern."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from unscatter.nouns.arrays import Noun


@dataclass(frozen=True, eq=False, repr=False)
class Lines(Noun):
    """Observed lines of a powder pattern, by increasing angle: d = lambda / (2 sin theta).

    two_theta: (n,) positions in degrees, as measured, of the K-alpha 1 component where the beam holds a doublet;
    two_theta_error: (n,) their standard uncertainties; area: (n,) integrated intensity and area_error: (n,) its s.u.,
    in intensity times degrees; fwhm: (n,) in degrees; wavelength in Angstrom; range: first and last two-theta of what
    was measured, in degrees; flags: (n,) "" or what a line may be an image of ("K-beta of 3", "W L-alpha of 3",
    "lambda/2 of 3", counted from 0). caglioti: U, V, W in deg^2; mixing: Lorentzian share, constant and slope per
    degree; axial: asymmetry (half height over distance). Raises ValueError for columns of different length.
    """

    two_theta: NDArray[np.float64]
    two_theta_error: NDArray[np.float64]
    area: NDArray[np.float64]
    area_error: NDArray[np.float64]
    fwhm: NDArray[np.float64]
    wavelength: float
    range: tuple[float, float]
    flags: tuple[str, ...] = ()
    radiation: Literal["neutron", "x-ray"] | None = None
    second_wavelength: float | None = None
    caglioti: tuple[float, float, float] | None = None
    mixing: tuple[float, float] = (0.5, 0.0)
    axial: float = 0.0
    title: str = ""
    provenance: dict[str, Any] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        """Refuse columns that do not belong together."""
        for name in ("two_theta", "two_theta_error", "area", "area_error", "fwhm"):
            object.__setattr__(self, name, np.asarray(getattr(self, name), dtype=np.float64))
            if getattr(self, name).shape != self.two_theta.shape:
                raise ValueError(f"{name} has shape {getattr(self, name).shape}, two_theta {self.two_theta.shape}")
        if np.any(np.diff(self.two_theta) <= 0):
            raise ValueError("lines must be given by increasing two-theta, each once: sort the list")
        if not self.flags:
            object.__setattr__(self, "flags", ("",) * len(self.two_theta))

    def __len__(self) -> int:
        """Return the number of lines."""
        return len(self.two_theta)

    def chosen(self, kept: NDArray[np.bool_]) -> Lines:
        """Some of the lines, kept (n,), as a list of their own, without what they may be images of."""
        columns = ("two_theta", "two_theta_error", "area", "area_error", "fwhm")
        return replace(self, **{name: getattr(self, name)[kept] for name in columns}, flags=())

    @property
    def d(self) -> NDArray[np.float64]:
        """Spacings in Angstrom, (n,)."""
        return np.asarray(self.wavelength / (2 * np.sin(np.radians(self.two_theta / 2))))

    @property
    def q(self) -> NDArray[np.float64]:
        """1/d^2 in 1/Angstrom^2, (n,): the quantity that is linear in the reciprocal metric."""
        return np.asarray(1 / self.d**2)

    @property
    def q_error(self) -> NDArray[np.float64]:
        """Standard uncertainty of 1/d^2, (n,): sin(2 theta) / (lambda^2 / 2) times that of two-theta in radians."""
        slope = 2 * np.sin(np.radians(self.two_theta)) / self.wavelength**2
        return np.asarray(slope * np.radians(self.two_theta_error))
