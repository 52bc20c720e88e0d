"""MoleculeFit: how well a model of the molecules explains I_FF, and what was refined of it, with uncertainties."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from unscatter.nouns.arrays import Floats, Noun
from unscatter.nouns.components import Components
from unscatter.nouns.findings import Findings
from unscatter.nouns.plane import Plane
from unscatter.nouns.table import Result, Table, with_error

#: What the model was compared with: I_FF, or the measured intensity with I_SRO as a known factor.
MoleculesAgainst: TypeAlias = Literal["form-factor", "data"]


@dataclass(frozen=True, eq=False, repr=False)
class MotionScan(Noun):
    """Figures of merit while one motion runs through its range, all else as it is but for scale and D_w.

    values: (n,) in `unit`; mse: (n,), mean square error of roots (see MoleculeFit); r_factor and weighted_r: (n,);
    debye_waller: (n,), D_w at each value in Angstrom^2.
    """

    name: str
    unit: str
    values: Floats
    mse: Floats
    r_factor: Floats
    weighted_r: Floats
    debye_waller: Floats

    @property
    def best(self) -> float:
        """The value of the lowest weighted R, from which the refinement starts."""
        return float(self.values[np.argmin(self.weighted_r)])

    @property
    def worst(self) -> float:
        """The value of the highest weighted R."""
        return float(self.values[np.argmax(self.weighted_r)])

    @property
    def minima(self) -> tuple[float, ...]:
        """All values at which weighted R is lower than at both neighbours, the best first."""
        inner = (self.weighted_r[1:-1] < self.weighted_r[:-2]) & (self.weighted_r[1:-1] < self.weighted_r[2:])
        places = np.flatnonzero(inner) + 1
        return tuple(float(self.values[n]) for n in places[np.argsort(self.weighted_r[places])])

    def rows(self) -> list[dict[str, Any]]:
        """One plain dictionary for each value, for CSV and JSON."""
        return [
            {
                "motion": self.name,
                "value": float(self.values[n]),
                "unit": self.unit,
                "mse": float(self.mse[n]),
                "R": float(self.r_factor[n]),
                "wR": float(self.weighted_r[n]),
                "D_w": float(self.debye_waller[n]),
            }
            for n in range(len(self.values))
        ]


@dataclass(frozen=True, eq=False, repr=False)
class MoleculeFit(Result):
    """A model of the molecules against I_FF: parameters with uncertainties and figures of merit.

    names, units, values, standard_error: one entry for each motion, then D_w (Angstrom^2), scale and background;
    standard_error is NaN for what was given. It holds for residuals that are correlated over `correlation_radius`
    (1/Angstrom), so that of `pixels` only `independent` count; plain_error counts every pixel as independent.
    calculated: (ny, nx), scale exp(-D_w Q^2) |F_A - F_B|^2 + background (times I_SRO where `against` is "data");
    used: (ny, nx), the pixels compared. mse: mean square of the difference of 2 sqrt(I / I_max), the scaling in
    which the paper states its errors; r_factor: sum |difference| / sum |data|; weighted_r: the root of
    sum w difference^2 / sum w data^2, what the refinement makes small.
    """

    name: str
    against: MoleculesAgainst
    names: tuple[str, ...]
    units: tuple[str, ...]
    values: Floats
    standard_error: Floats
    plain_error: Floats
    correlation: Floats
    mse: float
    r_factor: float
    weighted_r: float
    pixels: int
    independent: float
    correlation_radius: float
    components: Components
    calculated: Floats
    used: NDArray[np.bool_]
    scans: tuple[MotionScan, ...] = ()
    notes: tuple[str, ...] = ()
    provenance: dict[str, Any] = field(default_factory=dict, compare=False)
    findings: Findings = field(default_factory=Findings)

    def __getitem__(self, name: str) -> tuple[float, float]:
        """Value and standard uncertainty of a parameter; KeyError that lists the names if there is none."""
        if name not in self.names:
            raise KeyError(f"no parameter {name!r}; there are {', '.join(self.names)}")
        place = self.names.index(name)
        return float(self.values[place]), float(self.standard_error[place])

    @property
    def observed(self) -> Floats:
        """What was compared, NaN where it was not: (ny, nx)."""
        data = self.components.form_factor if self.against == "form-factor" else self.components.plane.intensity
        return np.where(self.used, data, np.nan)

    @property
    def plane(self) -> Plane:
        """`observed` as a plane, with axes and cell."""
        plane = self.components.plane
        return Plane(self.observed, plane.axes, plane.cell, plane.title, plane.simulated, plane.source)

    def rows(self) -> list[dict[str, Any]]:
        """One plain dictionary for each parameter, for CSV and JSON."""
        return [
            {
                "model": self.name,
                "parameter": name,
                "value": float(self.values[n]),
                "standard_error": float(self.standard_error[n]),
                "unit": self.units[n],
            }
            for n, name in enumerate(self.names)
        ]

    def table(self) -> Table:
        """Parameters, after figures of merit; then minima of the scans and notes."""
        what = "I_FF" if self.against == "form-factor" else "the data, I_SRO known"
        rows = tuple(
            (name, with_error(self.values[n], self.standard_error[n]), self.units[n])
            for n, name in enumerate(self.names)
        )
        notes = [
            f"{self.pixels} pixels, of which about {self.independent:.0f} are independent "
            f"(residuals are correlated over {self.correlation_radius:.2g} 1/Angstrom)"
        ]
        for scan in self.scans:
            minima = ", ".join(f"{value:g}" for value in scan.minima[:4]) or "none inside the range"
            notes.append(f"scan of {scan.name}: minima {minima}; worst {scan.worst:g} {scan.unit}")
        return Table(
            f"{self.name} against {what}: MSE {self.mse:.5f}, R {self.r_factor:.3f}, wR {self.weighted_r:.3f}",
            rows,
            ("parameter", "value (s.u.)", "unit"),
            notes=(*notes, *(f"note: {note}" for note in self.notes)),
        )


def table_of_models(fits: Sequence[MoleculeFit]) -> Table:
    """Several models below each other, with their figures of merit, in the order given."""
    rows = tuple(
        (fit.name, f"{fit.mse:.5f}", f"{fit.r_factor:.3f}", f"{fit.weighted_r:.3f}", f"{fit['D_w'][0]:.4f}")
        for fit in fits
    )
    return Table("", rows, ("model", "MSE", "R", "wR", "D_w"), "lrrrr")
