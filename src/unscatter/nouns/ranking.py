"""What a powder pattern says about symmetry."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unscatter.nouns.findings import Findings
from unscatter.nouns.lattice import Lattice
from unscatter.nouns.pattern import Pattern
from unscatter.nouns.pattern_fit import CAVEAT, PatternFit
from unscatter.nouns.prediction_sets import PredictionSets
from unscatter.nouns.table import Result, Table


@dataclass(frozen=True)
class Classes:
    """A division of the 230 space groups: the name of each class and the numbers of its space groups."""

    names: tuple[str, ...]
    groups: tuple[tuple[int, ...], ...]


class Candidate(NamedTuple):
    """One answer of a ranking: name, probability, and the numbers of the space groups that it stands for."""

    name: str
    probability: float
    groups: tuple[int, ...]


@dataclass(frozen=True, eq=False, repr=False)
class Ranking(Result):
    """What a powder pattern says about symmetry: a probability for each of the 230 space groups.

    probabilities: (230,), space group n at entry n - 1, of sum 1. levels: how the space groups are divided, by
    "space group", "extinction group", "Bravais lattice" and "crystal system"; the probability of a class is the
    sum over its space groups, so that all levels agree. volume in Angstrom^3 and edges a, b, c in Angstrom are
    estimates of the conventional cell, or refined where there is a fit. assumptions: what was taken for granted, one
    sentence each; network: (230,), what the network says by itself, where crystallography had its say too; fit and
    second: the likeliest lattice and the best of another kind on the whole pattern; second_phase: a lattice
    that explains the lines that `fit` leaves unexplained, None where there is none; sets: how many of the first
    answers of a level hold the truth as often as promised, None where that was never measured.
    Raises ValueError for what are no probabilities.
    """

    pattern: Pattern
    probabilities: NDArray[np.float64]
    levels: dict[str, Classes]
    volume: float
    edges: tuple[float, float, float]
    assumptions: tuple[str, ...] = ()
    provenance: dict[str, Any] = field(default_factory=dict, compare=False)
    findings: Findings = field(default_factory=Findings)
    network: NDArray[np.float64] | None = None
    fit: PatternFit | None = None
    second: PatternFit | None = None
    second_phase: Lattice | None = None
    sets: PredictionSets | None = None

    def __post_init__(self) -> None:
        """Refuse what are no probabilities."""
        object.__setattr__(self, "probabilities", np.asarray(self.probabilities, dtype=np.float64))
        p = self.probabilities
        if p.shape != (230,) or not np.all(p >= 0) or abs(float(p.sum()) - 1) > 1e-6:
            raise ValueError(f"a ranking needs 230 probabilities of sum 1, got shape {p.shape} and sum {p.sum():g}")

    @property
    def d_range(self) -> tuple[float, float]:
        """Largest and smallest spacing of the pattern in Angstrom, d = lambda / (2 sin theta)."""
        if self.pattern.wavelength is None:
            raise ValueError("the pattern of a ranking has a wavelength; make it with unscatter.classify")
        ends = self.pattern.two_theta[[0, -1]]
        largest, smallest = self.pattern.wavelength / (2 * np.sin(np.radians(ends / 2)))
        return float(largest), float(smallest)

    @property
    def label(self) -> str:
        """Title of the pattern, or its file; a simulated one is called so."""
        name = self.pattern.title or self.pattern.source or "untitled"
        return name if not self.pattern.simulated or "simulated" in name.lower() else f"{name} (simulated)"

    def probabilities_of(self, level: str) -> NDArray[np.float64]:
        """Probability of each class of a level, the sum over its space groups.

        Raises ValueError for a level that is not known.
        """
        return np.array([self.probabilities[np.array(g) - 1].sum() for g in self._classes(level).groups])

    def top(self, k: int = 5, level: str = "space group") -> list[Candidate]:
        """The k most likely classes of a level, the likeliest first; raises ValueError for a level not known."""
        classes, p = self._classes(level), self.probabilities_of(level)
        chosen = np.argsort(-p, kind="stable")[:k]
        return [Candidate(classes.names[i], float(p[i]), classes.groups[i]) for i in chosen]

    def prediction_set(self, level: str) -> list[Candidate]:
        """The first classes of a level, which hold the truth in the share of patterns that `sets` promises.

        Raises ValueError for a level that is not known, or where no limits came with the ranking.
        """
        if self.sets is None:
            raise ValueError("this ranking has no limits of prediction sets; make it with unscatter.classify")
        p = self.probabilities_of(level)
        limit = self.sets.limits[level]
        return [one for one in self.top(230, level) if p[p > one.probability].sum() <= limit]

    def _classes(self, level: str) -> Classes:
        if level not in self.levels:
            raise ValueError(f"no level is called {level!r}; there are {', '.join(self.levels)}")
        return self.levels[level]

    def table(self) -> Table:
        """What was given, the most likely symmetry at each level, and what was assumed."""
        return Table("", tuple(self._lines()))

    def _lines(self) -> list[tuple[str, str]]:
        pattern = self.pattern
        ends = pattern.two_theta[[0, -1]]
        edges = ", ".join(f"{edge:.3g}" for edge in self.edges)
        lines = [
            ("pattern", self.label),
            ("points", f"{pattern.two_theta.size}, two-theta {ends[0]:g} to {ends[1]:g} deg"),
            ("range", "d {:.4g} to {:.4g} A".format(*self.d_range)),
            ("radiation", f"{pattern.radiation or 'not known'}{self._origin('radiation')}"),
            ("wavelength", f"{pattern.wavelength:g} A{self._origin('wavelength')}"),
        ]
        for level in ("crystal system", "Bravais lattice", "extinction group"):
            best = self.top(1, level)[0]
            lines.append((level, f"{100 * best.probability:5.1f} %  {best.name}"))
        for rank, one in enumerate(self.top(5)):
            number = f"(no. {one.groups[0]})"
            lines.append(("" if rank else "space group", f"{100 * one.probability:5.1f} %  {one.name:<8} {number}"))
        lines += self._set_lines()
        if self.fit is None:
            lines.append(("cell", f"volume about {self.volume:.3g} A^3; a, b, c about {edges} A (estimated)"))
        lines += self._engine_lines()
        lines.append(("weights", str(self.provenance.get("weights", "none"))))
        lines += [("" if rank else "assumed", sentence) for rank, sentence in enumerate(self.assumptions)]
        return lines

    def _set_lines(self) -> list[tuple[str, str]]:
        """The sets that hold the truth as often as promised: lattices by name, how many of the longer levels."""
        if self.sets is None:
            return []
        lattices = " ".join(one.name for one in self.prediction_set("Bravais lattice"))
        counts = [
            f"{len(found)} {level}{'s' * (len(found) > 1)}"
            for level in ("extinction group", "space group")
            for found in [self.prediction_set(level)]
        ]
        return [(f"{100 * self.sets.coverage:.0f} % set", f"{lattices}; {counts[0]}, {counts[1]}")]

    def _engine_lines(self) -> list[tuple[str, str]]:
        """What crystallography adds: cell, fit, foreign lines, whether the network agrees, and findings."""
        lines: list[tuple[str, str]] = []
        if self.fit is not None:
            fit = self.fit
            seen = f"{fit.resolved} lines predicted, {100 * fit.seen_share:.0f} % of them seen"
            foreign = ", ".join(f"{angle:.2f}" for angle in fit.foreign[:8].tolist())
            more = f" and {len(fit.foreign) - 8} more" if len(fit.foreign) > 8 else ""
            lines += [
                ("cell", f"{fit.cell_text} (A, deg; refined as {fit.lattice.bravais})"),
                ("volume", f"{fit.lattice.volume:.6g} A^3"),
                ("fit", f"R_p {100 * fit.r_p:.1f} %, R_wp {100 * fit.r_wp:.1f} %; {seen}"),
                ("foreign lines", f"{foreign}{more} deg" if len(fit.foreign) else "none"),
            ]
        if self.second_phase is not None:
            other = self.second_phase
            said = f"explains {other.indexed} of the {other.indexed + other.foreign} lines left"
            lines.append(("second phase", f"perhaps {other.describe()}: {said}"))
        if self.network is not None:
            lines.append(("network alone", self._network_says()))
        lines += [("finding", f"{one.verdict}: {one.sentence}") for one in self.findings.with_verdict("poor")]
        return lines

    def _network_says(self) -> str:
        """The likeliest lattice and group of the network, and whether they are those of the answer."""
        assert self.network is not None, "asked only where the network was kept"
        alone = replace(self, probabilities=self.network, network=None)
        lattice, group = alone.top(1, "Bravais lattice")[0], alone.top(1)[0]
        same = lattice.name == self.top(1, "Bravais lattice")[0].name
        return (
            f"{lattice.name} {100 * lattice.probability:.0f} %, {group.name} {100 * group.probability:.0f} %: "
            f"{'agrees' if same else 'does not agree'} on the lattice"
        )

    def _origin(self, name: str) -> str:
        """In brackets, where a number came from; nothing where that is not known."""
        origin = self.provenance.get(f"{name}_from")
        return f" (from {origin})" if origin else ""

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain numbers and words, for JSON: every class of every level, the likeliest first."""
        pattern = self.pattern
        largest, smallest = self.d_range
        return {
            "pattern": {
                "source": pattern.source,
                "title": pattern.title,
                "simulated": pattern.simulated,
                "points": int(pattern.two_theta.size),
                "two_theta_deg": [float(angle) for angle in pattern.two_theta[[0, -1]]],
                "d_A": [largest, smallest],
                "radiation": pattern.radiation,
                "wavelength_A": pattern.wavelength,
                "second_wavelength_A": pattern.second_wavelength,
                "assumptions": list(pattern.assumptions),
            },
            "levels": {
                level: [
                    {"name": one.name, "probability": one.probability, "space_groups": list(one.groups)}
                    for one in self.top(230, level)
                ]
                for level in self.levels
            },
            "classes": {level: list(classes.names) for level, classes in self.levels.items()},
            "cell_estimated": {"volume_A3": self.volume, **dict(zip(("a_A", "b_A", "c_A"), self.edges, strict=True))},
            "assumptions": list(self.assumptions),
            "verdict": self.findings.verdict,
            "findings": self.findings.rows(),
            "network": None if self.network is None else self.network.tolist(),
            "fit": None if self.fit is None else self.fit.to_dict(),
            "second": None if self.second is None else self.second.to_dict(),
            "second_phase": None if self.second_phase is None else self.second_phase.to_dict(),
            "prediction_sets": None if self.sets is None else self._sets_record(),
            "provenance": self.provenance,
        }

    def _sets_record(self) -> dict[str, Any]:
        """Limits of the sets, and which classes of each level are in them."""
        assert self.sets is not None, "asked only where there are limits"
        names = {level: [one.name for one in self.prediction_set(level)] for level in self.levels}
        return {**self.sets.to_dict(), "members": names}

    @classmethod
    def from_dict(cls, record: dict[str, Any], pattern: Pattern) -> Ranking:
        """Make a ranking again from what to_dict gave, and its pattern."""
        probabilities = np.zeros(230)
        for one in record["levels"]["space group"]:
            probabilities[one["space_groups"][0] - 1] = one["probability"]
        levels = {}
        for level, entries in record["levels"].items():
            groups = {one["name"]: tuple(one["space_groups"]) for one in entries}
            names = record["classes"][level]
            levels[level] = Classes(tuple(names), tuple(groups[name] for name in names))
        cell = record["cell_estimated"]
        return cls(
            pattern,
            probabilities,
            levels,
            cell["volume_A3"],
            (cell["a_A"], cell["b_A"], cell["c_A"]),
            tuple(record["assumptions"]),
            record["provenance"],
            Findings.from_rows(record.get("findings", ()), **_WORDS if record.get("network") else {}),
            None if record.get("network") is None else np.array(record["network"]),
            PatternFit.from_dict(record["fit"], pattern) if record.get("fit") else None,
            PatternFit.from_dict(record["second"], pattern) if record.get("second") else None,
            Lattice.from_dict(record["second_phase"]) if record.get("second_phase") else None,
            PredictionSets.from_dict(record["prediction_sets"]) if record.get("prediction_sets") else None,
        )


# What findings of a ranking are about.
_WORDS = {"subject": "pattern", "caveat": CAVEAT}
