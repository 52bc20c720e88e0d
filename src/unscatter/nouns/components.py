"""A plane taken apart: form factor and short-range order."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unscatter.nouns.plane import Plane


@dataclass(frozen=True)
class Components:
    """A plane taken apart: I_D = I_FF * I_SRO.

    form_factor carries the intensity scale and the units of the input; short_range_order has mean 1 over a cell of
    the plane (which is the mean over a reciprocal cell where there is no order along the normal). Both (ny, nx) on
    the pixels of `plane`, finite everywhere: gaps are filled.
    """

    plane: Plane
    form_factor: NDArray[np.float64]
    short_range_order: NDArray[np.float64]
    provenance: dict[str, Any] = field(default_factory=dict)

    @property
    def product(self) -> NDArray[np.float64]:
        """I_FF * I_SRO, in the units of the input."""
        return self.form_factor * self.short_range_order

    @property
    def residual(self) -> NDArray[np.float64]:
        """Measured minus product; NaN where nothing was measured."""
        return self.plane.intensity - self.product

    @property
    def explained(self) -> float:
        """1 - sum residual^2 / sum (I - mean I)^2 over the measured pixels."""
        measured = self.plane.measured
        intensity = self.plane.intensity[measured]
        return float(1 - np.sum(self.residual[measured] ** 2) / np.sum((intensity - intensity.mean()) ** 2))

    @property
    def r_factor(self) -> float:
        """R = sum |residual| / sum |I| over the measured pixels."""
        measured = self.plane.measured
        return float(np.sum(np.abs(self.residual[measured])) / np.sum(np.abs(self.plane.intensity[measured])))
