"""OrderFit: Warren-Cowley parameters with uncertainties, as refined from planes of diffuse scattering."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from unscatter.nouns.arrays import Floats
from unscatter.nouns.components import Components
from unscatter.nouns.findings import Findings
from unscatter.nouns.order import OrderParameters, OrderTargets
from unscatter.nouns.table import Result, Table

#: What the parameters were refined against: I_SRO, the data with I_FF refined, or the data with I_FF known.
Against: TypeAlias = Literal["order", "data", "form-factor"]


@dataclass(frozen=True, eq=False, repr=False)
class OrderFit(Result):
    """One Warren-Cowley parameter for each orbit of vectors, with what is known of its uncertainty.

    vectors: (n, 3), one of each orbit; multiplicity: (n,), vectors in the orbit, v and -v both counted;
    labels: (n,), the vector as text, or a sum of vectors that the planes cannot tell apart; alpha: (n,);
    standard_error: (n,), the one to quote: bootstrap, prior and choice in quadrature; covariance_error: (n,), from the
    covariance scaled by chi2; bootstrap_error: (n,), by resampling reciprocal cells; choice_error: (n,), what other
    probable choices of I_FF change, or, against I_SRO, what its errors do; choices: what the data chose, in words;
    headline: what a reader must know first, empty where there is nothing; correlation: (n, n);
    determined: (n,), False where the planes say too little; order: all equivalents in a half space, the origin
    included; components: the planes with refined I_FF and I_SRO; background: of each plane; chi2: reduced.
    """

    against: Against
    laue: str
    vectors: NDArray[np.int64]
    multiplicity: NDArray[np.int64]
    labels: tuple[str, ...]
    alpha: Floats
    standard_error: Floats
    covariance_error: Floats
    bootstrap_error: Floats
    choice_error: Floats
    correlation: Floats
    determined: NDArray[np.bool_]
    order: OrderParameters
    components: tuple[Components, ...]
    background: Floats
    chi2: float
    pixels: int
    cells: int
    notes: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    headline: str = ""
    provenance: dict[str, Any] = field(default_factory=dict, compare=False)
    findings: Findings = field(default_factory=Findings)

    def __len__(self) -> int:
        """Return the number of refined parameters."""
        return len(self.alpha)

    def rows(self) -> list[dict[str, Any]]:
        """One plain dictionary for each parameter, for CSV and JSON."""
        return [
            {
                "u": int(self.vectors[i, 0]),
                "v": int(self.vectors[i, 1]),
                "w": int(self.vectors[i, 2]),
                "label": self.labels[i],
                "multiplicity": int(self.multiplicity[i]),
                "alpha": float(self.alpha[i]),
                "standard_error": float(self.standard_error[i]),
                "covariance_error": float(self.covariance_error[i]),
                "bootstrap_error": float(self.bootstrap_error[i]),
                "determined": bool(self.determined[i]),
            }
            for i in range(len(self))
        ]

    @property
    def targets(self) -> OrderTargets:
        """The alphas of the orbits alone, to draw a crystal from."""
        return OrderTargets(self.vectors, self.alpha, self.standard_error, self.laue)

    @cached_property
    def r_factor(self) -> float:
        """R = sum |I - model| / sum |I| over the measured pixels of all planes, background included in the model."""
        residual = total = 0.0
        for components, background in zip(self.components, self.background, strict=True):
            seen = components.plane.measured
            residual += float(np.abs(components.residual[seen] - background).sum())
            total += float(np.abs(components.plane.intensity[seen]).sum())
        return residual / max(total, 1e-30)

    def strongest_correlations(self, count: int = 5) -> list[tuple[str, str, float]]:
        """Pairs of parameters with the largest correlation in magnitude, the largest first."""
        rows, columns = np.triu_indices(len(self), 1)
        values = np.nan_to_num(self.correlation[rows, columns])
        best = np.argsort(-np.abs(values), kind="stable")[:count]
        return [(self.labels[rows[i]], self.labels[columns[i]], float(values[i])) for i in best]

    def __repr__(self) -> str:
        """One line: the title of the table without the warning above it."""
        return f"<OrderFit: {self.table().title.splitlines()[-1]}>"

    def table(self) -> Table:
        """Vector, multiplicity, alpha and its standard error; then figures of merit, correlations and notes."""
        sources = {
            "order": "I_SRO",
            "data": "the data, I_FF refined with them",
            "form-factor": "the data, I_FF known",
        }
        rows = tuple(
            (
                label,
                str(self.multiplicity[i]),
                f"{self.alpha[i]:+.4f}",
                f"{self.standard_error[i]:.4f}",
                f"{self.covariance_error[i]:.4f}",
                f"{self.bootstrap_error[i]:.4f}",
                "" if self.determined[i] else "not determined",
            )
            for i, label in enumerate(self.labels)
        )
        pairs = [pair for pair in self.strongest_correlations(3) if abs(pair[2]) > 0.5]
        notes = [f"R {self.r_factor:.3f}, chi2 {self.chi2:.3g}"]
        notes += [f"correlation of {a} and {b}: {value:+.2f}" for a, b, value in pairs]
        notes += [f"chosen by the data: {choice}" for choice in self.choices]
        notes += [f"note: {note}" for note in self.notes]
        return Table(
            (f"{self.headline}\n" if self.headline else "")
            + f"Warren-Cowley parameters from {sources[self.against]}: Laue class {self.laue}, "
            f"{self.pixels} pixels in {self.cells} reciprocal cells",
            rows,
            ("vector", "mult", "alpha", "s.u.", "covariance", "bootstrap", ""),
            "lrrrrrl",
            tuple(notes),
        )
