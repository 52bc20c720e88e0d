"""How a lattice explains a whole powder pattern."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unscatter.nouns.arrays import Floats
from unscatter.nouns.cell import Cell
from unscatter.nouns.extinction import ExtinctionSymbol
from unscatter.nouns.findings import Findings
from unscatter.nouns.lattice import Lattice
from unscatter.nouns.pattern import Pattern
from unscatter.nouns.table import Result, Table, with_error

#: What no check of a pattern can see.
CAVEAT = "no check here sees two phases whose lines coincide, nor a superstructure too weak to be measured"


@dataclass(frozen=True, eq=False, repr=False)
class PatternFit(Result):
    """A whole-pattern fit of one lattice without a structure, after Le Bail and Pawley.

    lattice: with the refined cell; cell_error: (6,) s.u. of a, b, c (Angstrom) and alpha, beta, gamma (degrees), zero
    where symmetry fixes them; zero and displacement: shifts in degrees, two_theta = 2 theta + zero + displacement
    cos(theta), with zero_error and displacement_error; hkl: (n, 3), one of each set that the metric makes equivalent,
    multiplicity (n,) and two_theta (n,) in degrees, as measured; area and area_error: (n,) in intensity times degrees,
    lines closer than the profile resolves share theirs by multiplicity; column: (n,) number of the resolved line that
    each belongs to; calculated and background: (points,) in the units of the pattern; foreign: (m,) positions in
    degrees of lines that the lattice does not explain, without those which may be what the profile left of a line ten
    times stronger, and foreign_area (m,); caglioti: U, V, W in deg^2, mixing:
    Lorentzian share and its slope per degree, axial: half height over distance, size and strain: FWHM in degrees of
    Lorentzians, size / cos + strain tan; r_p, r_wp: profile R values, background
    taken off; chi2: weighted squares a degree of freedom; evidence: logarithm of the evidence in nats, to be compared
    with that of other lattices on the same pattern; symbols: extinction symbols of the lattice, the likeliest first,
    and findings: what the pattern says of the fit, both where they were asked for.
    """

    pattern: Pattern
    lattice: Lattice
    cell_error: tuple[float, ...]
    zero: float
    zero_error: float
    displacement: float
    displacement_error: float
    hkl: NDArray[np.int64]
    multiplicity: NDArray[np.int64]
    two_theta: Floats
    area: Floats
    area_error: Floats
    column: NDArray[np.int64]
    calculated: Floats
    background: Floats
    foreign: Floats
    foreign_area: Floats
    caglioti: tuple[float, float, float]
    mixing: tuple[float, float]
    axial: float
    size: float
    strain: float
    r_p: float
    r_wp: float
    chi2: float
    evidence: float
    symbols: tuple[ExtinctionSymbol, ...] = ()
    findings: Findings = field(default_factory=Findings)
    provenance: dict[str, Any] = field(default_factory=dict, compare=False)

    @property
    def difference(self) -> Floats:
        """Observed minus calculated intensity, (points,)."""
        return self.pattern.intensity - self.calculated

    @property
    def resolved(self) -> int:
        """Number of predicted lines that the profile tells apart."""
        return int(self.column.max(initial=-1)) + 1

    @property
    def absent(self) -> NDArray[np.bool_]:
        """Whether a predicted line is not seen: its area is below three s.u., (n,)."""
        return np.asarray(self.area < 3 * self.area_error)

    @property
    def seen_share(self) -> float:
        """Share of the resolved predicted lines that carry intensity."""
        if not len(self.column):
            return 0.0
        seen = np.zeros(self.resolved, dtype=bool)
        np.logical_or.at(seen, self.column, ~self.absent)
        return float(seen.mean())

    @property
    def foreign_share(self) -> float:
        """Share of the intensity above the background that foreign lines carry."""
        total = float(self.area.sum() + self.foreign_area.sum())
        return float(self.foreign_area.sum()) / total if total > 0 else 0.0

    def table(self) -> Table:
        """Cell with uncertainties, shifts, R values, and what is not explained."""
        rows = (
            ("lattice", self.lattice.bravais),
            ("cell", self.cell_text),
            ("volume", f"{self.lattice.volume:.6g} A^3"),
            ("zero", f"{with_error(self.zero, self.zero_error)} deg"),
            ("displacement", f"{with_error(self.displacement, self.displacement_error)} deg"),
            *self._profile_rows(),
            ("R_p, R_wp", f"{100 * self.r_p:.2f} %, {100 * self.r_wp:.2f} %"),
            ("chi2", f"{self.chi2:.3g}"),
            ("lines", f"{self.resolved} predicted and resolved, {100 * self.seen_share:.0f} % seen"),
            ("absent", _listed(self._absent_names(), "none")),
            ("foreign", _listed([f"{angle:.2f}" for angle in self.foreign.tolist()], "none")),
            ("evidence", f"{self.evidence:.1f} nats"),
            *self._weighed_rows(),
            *self._symbol_rows(),
            *(("finding", f"{one.verdict}: {one.sentence}") for one in self.findings.with_verdict("poor")),
        )
        return Table("", rows)

    def _profile_rows(self) -> tuple[tuple[str, str], ...]:
        """Widths and shape of the lines, those terms of which anything was found."""
        u, v, w = self.caglioti
        share, slope = self.mixing
        said = [f"U {u:.4g}, V {v:.4g}, W {w:.4g} deg^2", f"Lorentzian share {share:.2f} {slope:+.4f} (2theta / deg)"]
        said += [f"size {self.size:.3g} deg"] * bool(self.size) + [f"strain {self.strain:.3g} deg"] * bool(self.strain)
        said += [f"axial divergence {self.axial:.3g}"] * bool(self.axial)
        return (("profile", "; ".join(said)),)

    def _absent_names(self) -> list[str]:
        """hkl of lines that are predicted and resolved, and not seen."""
        gone = np.ones(self.resolved, dtype=bool)
        np.logical_and.at(gone, self.column, self.absent)
        first = np.unique(self.column, return_index=True)[1]
        return [" ".join(map(str, self.hkl[n].tolist())) for n in first.tolist() if gone[self.column[n]]]

    def _weighed_rows(self) -> tuple[tuple[str, str], ...]:
        """Evidence of the lattices among which this one was chosen, over that of the best."""
        listed = self.provenance.get("lattices", ())
        said = [f"{one['bravais']} {one['evidence'] - listed[0]['evidence']:.1f}" for one in listed]
        return (("weighed", ", ".join(said) + " nats"),) if len(said) > 1 else ()

    def _symbol_rows(self) -> tuple[tuple[str, str], ...]:
        """The likeliest extinction symbols, a line each."""
        shown = [one for one in self.symbols[:5] if one.probability >= 0.001]
        return tuple(("" if rank else "extinction", _symbol_line(one)) for rank, one in enumerate(shown))

    @property
    def cell_text(self) -> str:
        """The six numbers of the cell, refined ones with their s.u. in units of the last digits."""
        numbers = zip(self.lattice.cell.parameters, self.cell_error, strict=True)
        return " ".join(with_error(value, error) if error > 0 else f"{value:g}" for value, error in numbers)

    def to_dict(self) -> dict[str, Any]:
        """All of it but the pattern, as plain numbers and words, for JSON."""
        plain: dict[str, Any] = {
            "bravais": self.lattice.bravais,
            "cell": list(self.lattice.cell.parameters),
            "lattice_zero": self.lattice.zero,
        }
        for one in fields(self):
            if one.name in ("pattern", "lattice"):
                continue
            value = getattr(self, one.name)
            plain[one.name] = value.tolist() if isinstance(value, np.ndarray) else value
        plain["symbols"] = [one.to_dict() for one in self.symbols]
        plain["findings"] = self.findings.rows()
        return plain

    @classmethod
    def from_dict(cls, record: dict[str, Any], pattern: Pattern) -> PatternFit:
        """Make a fit again from what to_dict gave, and its pattern."""
        lattice = Lattice(Cell(*record["cell"]), record["bravais"], zero=record["lattice_zero"])
        numbers: dict[str, Any] = {}
        for one in fields(cls):
            if one.name not in record:
                continue
            value = record[one.name]
            if one.name == "symbols":
                value = tuple(ExtinctionSymbol.from_dict(each) for each in value)
            elif one.name == "findings":
                value = Findings.from_rows(value, subject="fit", caveat=CAVEAT) if value else Findings()
            elif one.name in _INTEGERS:
                value = np.array(value, dtype=np.int64).reshape((-1, 3) if one.name == "hkl" else -1)
            elif str(one.type) == "Floats":
                value = np.array(value, dtype=np.float64)
            elif isinstance(value, list):
                value = tuple(value)
            numbers[one.name] = value
        return cls(pattern=pattern, lattice=lattice, **numbers)


def _listed(names: list[str], nothing: str) -> str:
    """The first names of a list, and how many more there are."""
    shown = ", ".join(names[:_LISTED])
    return (shown if len(names) <= _LISTED else f"{shown} and {len(names) - _LISTED} more") or nothing


def _symbol_line(one: ExtinctionSymbol) -> str:
    axes = f", axes {one.axes}" if one.axes not in ("", "abc") else ""
    seen = f", {one.seen} of them seen all the same" if one.seen else ""
    return f"{100 * one.probability:5.1f} %  {one.name}{axes} ({one.extinguished} lines extinguished{seen})"


# Names that a line of the table has room for.
_LISTED = 12
# Columns of whole numbers.
_INTEGERS = ("hkl", "multiplicity", "column")
