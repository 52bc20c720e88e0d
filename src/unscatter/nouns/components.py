"""A plane taken apart: form factor and short-range order."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unscatter.nouns.findings import Findings
from unscatter.nouns.found_lattice import FoundLattice, found_lattice
from unscatter.nouns.plane import Plane
from unscatter.nouns.table import Result, Table


@dataclass(frozen=True, eq=False, repr=False)
class Components(Result):
    """A plane taken apart: I_D = I_FF * I_SRO.

    form_factor carries the intensity scale and the units of the input; short_range_order has mean 1 over a cell of
    the plane (which is the mean over a reciprocal cell where there is no order along the normal). Both (ny, nx) on
    the pixels of `plane`, finite everywhere: gaps are filled. findings: what the data say of the assumptions.
    provenance: "found_lattice" is the record of a `FoundLattice`; "saturation" is a level from which measured
    intensities are only known to be at least that; such pixels are not compared.

    Raises ValueError if a factor is not finite or of another shape than the plane.
    """

    plane: Plane
    form_factor: NDArray[np.float64]
    short_range_order: NDArray[np.float64]
    provenance: dict[str, Any] = field(default_factory=dict, compare=False)
    findings: Findings = field(default_factory=Findings)

    def __post_init__(self) -> None:
        """Refuse factors that are not numbers everywhere."""
        for name, factor in (("I_FF", self.form_factor), ("I_SRO", self.short_range_order)):
            if np.shape(factor) != self.plane.intensity.shape:
                raise ValueError(f"{name} has shape {np.shape(factor)}, the plane {self.plane.intensity.shape}")
            if bad := int(np.sum(~np.isfinite(factor))):
                raise ValueError(
                    f"{self.plane.source or 'the plane'}: {name} is not finite in {bad} pixels, as happens where "
                    "intensities are absurd: mark what was not measured with --missing or --mask"
                )

    @property
    def compared(self) -> NDArray[np.bool_]:
        """Pixels that were measured and are not saturated, (ny, nx)."""
        below = self.plane.intensity < float(self.provenance.get("saturation", np.inf))
        return np.asarray(self.plane.measured & below)

    @property
    def unsaturated(self) -> Components:
        """The same with saturated pixels counted as not measured."""
        if "saturation" not in self.provenance:
            return self
        intensity = np.where(self.compared, self.plane.intensity, np.nan)
        return replace(self, plane=replace(self.plane, intensity=intensity))

    @property
    def found_lattice(self) -> FoundLattice | None:
        """The lattice that was found in a picture, as the provenance has it; None where there is none."""
        record = self.provenance.get("found_lattice")
        return None if record is None else found_lattice(record)

    @property
    def indexed(self) -> Plane:
        """The plane with the axes and cell it was taken apart with: its own, or those of the found lattice.

        Order along one direction only spans no cell: the plane is then as it was given.
        """
        found = self.found_lattice
        given = self.plane.lattice_known or found is None or found.one_dimensional
        return self.plane if given or found is None else found.index(self.plane)

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
        """1 - sum residual^2 / sum (I - mean I)^2 over the pixels that are compared."""
        measured = self.compared
        intensity = self.plane.intensity[measured]
        return float(1 - np.sum(self.residual[measured] ** 2) / np.sum((intensity - intensity.mean()) ** 2))

    @property
    def r_factor(self) -> float:
        """R = sum |residual| / sum |I| over the pixels that are compared."""
        measured = self.compared
        return float(np.sum(np.abs(self.residual[measured])) / np.sum(np.abs(self.plane.intensity[measured])))

    def table(self) -> Table:
        """Size, coverage, lattice, how well the product explains the data, time, weights, and what was assumed."""
        plane, provenance = self.plane, self.provenance
        rows, columns = plane.intensity.shape
        name = f"{columns} x {rows} pixels" + (f", {plane.axes.name()}" if plane.axes is not None else "")
        lines = (
            ("plane", name + (" (simulated)" if plane.simulated else "")),
            ("measured", f"{100 * plane.coverage:.1f} % of the pixels"),
            *self._mate_rows(),
            ("cell", str(plane.cell) if plane.cell is not None else "not known"),
            *self._lattice_rows(),
            ("explained", f"{100 * self.explained:.2f} % of the variance, R = {100 * self.r_factor:.1f} %"),
            ("I_SRO", f"{self.short_range_order.min():.3g} to {self.short_range_order.max():.3g}"),
            ("I_FF", f"up to {self.form_factor.max():.4g}, in the units of the input"),
            ("weights", str(provenance.get("weights", "none"))),
            ("time", f"{provenance.get('seconds', float('nan'))} s"),
            *(("note", note) for note in plane.notes),
        )
        return Table("", lines)

    def _mate_rows(self) -> tuple[tuple[str, str], ...]:
        share = self.provenance.get("from_mates")
        return () if share is None else (("by Friedel", f"{100 * share:.1f} % more, taken from the pixels at -Q"),)

    def _lattice_rows(self) -> tuple[tuple[str, str], ...]:
        found = self.found_lattice
        if found is not None:
            return found.rows()
        words = {
            "known": "known: I_SRO is periodic, mean 1",
            "aperiodic": "no two of its translations lie in this plane: I_SRO by its strongest waves",
            "not looked for": "not looked for: I_SRO by its strongest waves",
        }
        return (("lattice", words.get(str(self.provenance.get("lattice")), "not found: I_SRO by its strongest waves")),)

    def to_dict(self) -> dict[str, Any]:
        """All but the images, as plain numbers and words, for JSON."""
        plane = self.plane
        return {
            "plane": {
                "source": plane.source,
                "title": plane.title,
                "simulated": plane.simulated,
                "shape": list(plane.intensity.shape),
                "coverage": plane.coverage,
                "name": None if plane.axes is None else plane.axes.name(),
                "cell": None if plane.cell is None else list(plane.cell.parameters),
                "notes": list(plane.notes),
            },
            "explained": self.explained,
            "r_factor": self.r_factor,
            "findings": self.findings.rows(),
            "provenance": self.provenance,
        }
