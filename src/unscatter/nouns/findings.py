"""Findings: what the data say of the assumptions behind a result, each with its limits and a verdict."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from unscatter.nouns.table import Result, Table

Verdict: TypeAlias = Literal["good", "fair", "poor", "not tested"]
#: In which each verdict is written, in pictures and notebooks.
VERDICT_COLOURS: dict[Verdict, str] = {"good": "#2a7f3f", "fair": "#b07000", "poor": "#b02020", "not tested": "#707070"}


@dataclass(frozen=True)
class Finding:
    """One check: its name, its number, from where that is fair and poor, and a sentence that says what it means.

    Larger is worse where fair < poor, smaller is worse where fair > poor. value is None where the check could not be
    made, and the sentence then says why; that is "not tested", which is not good. A check that was made and gave no
    finite number is poor: something is wrong with the data or the result.
    """

    name: str
    value: float | None
    fair: float
    poor: float
    sentence: str

    @classmethod
    def untested(cls, name: str, limits: tuple[float, float], why: str) -> Finding:
        """Make the finding of a check that could not be made."""
        return cls(name, None, *limits, why)

    @property
    def limits(self) -> tuple[float, float]:
        """From where the number is fair, and from where it is poor."""
        return self.fair, self.poor

    @property
    def verdict(self) -> Verdict:
        """Good, fair or poor, or not tested."""
        if self.value is None:
            return "not tested"
        if not np.isfinite(self.value):
            return "poor"
        sign = 1.0 if self.poor >= self.fair else -1.0
        if sign * self.value >= sign * self.poor:
            return "poor"
        return "fair" if sign * self.value >= sign * self.fair else "good"

    @property
    def number(self) -> str:
        """The number with its limits, as text; empty where there is none."""
        if self.value is None:
            return ""
        word = "from" if self.poor >= self.fair else "up to"
        return f"{self.value:.2g} (fair {word} {self.fair:g}, poor {word} {self.poor:g})"

    def row(self) -> dict[str, Any]:
        """All of it as plain numbers and words, for CSV, JSON and the provenance; None where not tested."""
        return {
            "name": self.name,
            "value": None if self.value is None else float(self.value),
            "fair_from": self.fair,
            "poor_from": self.poor,
            "verdict": self.verdict,
            "sentence": self.sentence,
        }


@dataclass(frozen=True, eq=False, repr=False)
class Findings(Result):
    """All findings of a result, in the order in which they are told.

    subject: what they are about, for the first line; caveat: what no check can see, for the last one; evidence: arrays
    behind the findings, by name, for pictures; plot(components=...) draws them. Findings compare by what they say; the
    arrays do not count.
    """

    #: The picture is of the components too.
    draws_itself: ClassVar[bool] = False

    each: tuple[Finding, ...] = ()
    subject: str = "findings"
    caveat: str = ""
    evidence: Mapping[str, NDArray[Any]] = field(default_factory=dict, compare=False, repr=False)

    def __iter__(self) -> Iterator[Finding]:
        """Go through the findings."""
        return iter(self.each)

    def __len__(self) -> int:
        """Return the number of findings."""
        return len(self.each)

    def __getitem__(self, name: str) -> Finding:
        """Return the finding of that name; KeyError that lists the names if there is none."""
        for finding in self.each:
            if finding.name == name:
                return finding
        raise KeyError(f"no finding {name!r}; there are {', '.join(finding.name for finding in self.each)}")

    def __add__(self, other: Iterable[Finding]) -> Findings:
        """Add findings; the words and arrays of the first stay."""
        return Findings((*self.each, *other), self.subject, self.caveat, self.evidence)

    @property
    def verdict(self) -> Verdict:
        """Poor or fair if any finding is; good only if every check was made and is good; else not tested."""
        found = {finding.verdict for finding in self.each}
        return next((word for word in ("poor", "fair") if word in found), "good" if found == {"good"} else "not tested")

    def with_verdict(self, verdict: Verdict) -> tuple[Finding, ...]:
        """Return the findings with a verdict."""
        return tuple(finding for finding in self.each if finding.verdict == verdict)

    def worst(self, count: int = 2) -> tuple[Finding, ...]:
        """Return the findings that a reader must see first: poor, then fair, then those not tested; none that is good.

        Among equals the one that is farther beyond its limit, in units of that limit, comes first.
        """
        ranks = ("poor", "fair", "not tested")
        bad = [finding for finding in self.each if finding.verdict != "good"]
        return tuple(sorted(bad, key=lambda one: (ranks.index(one.verdict), -_excess(one)))[:count])

    def rows(self) -> list[dict[str, Any]]:
        """One plain dictionary for each finding; None where not tested."""
        return [finding.row() for finding in self.each]

    @classmethod
    def from_rows(cls, rows: Iterable[Mapping[str, Any]], subject: str = "findings", caveat: str = "") -> Findings:
        """Read back what rows() wrote, but for the arrays."""
        return cls(
            tuple(
                Finding(
                    row["name"],
                    None if row["value"] is None else float(row["value"]),
                    float(row["fair_from"]),
                    float(row["poor_from"]),
                    row["sentence"],
                )
                for row in rows
            ),
            subject,
            caveat,
        )

    def brief(self) -> str:
        """Write a line for each poor finding, or one line that there is none, and what is fair or was not tested."""
        poor = self.with_verdict("poor")
        lines = [f"{'poor':<10} {finding.name}: {finding.sentence}" for finding in poor]
        if not poor:
            lines.append(f"{self.subject:<10} no finding is poor")
        rest: tuple[Verdict, ...] = ("fair", "not tested")
        for word in rest:
            names = ", ".join(finding.name for finding in self.with_verdict(word))
            if names:
                lines.append(f"{word:<10} {names}")
        return "\n".join(lines)

    def table(self) -> Table:
        """The report: verdict, name, number and limits of each finding, and what it says."""
        rows = tuple((one.verdict, one.name, one.number, one.sentence) for one in self.each)
        notes = (self.caveat,) if self.caveat else ()
        return Table(f"{self.subject}: {self.verdict}", rows, notes=notes)


def _excess(finding: Finding) -> float:
    """By how much a number is beyond its poor limit, in units of the limit."""
    if finding.value is None or not np.isfinite(finding.value):
        return 0.0 if finding.value is None else float("inf")
    scale = max(abs(finding.poor), 1e-300)
    return (finding.value - finding.poor) / scale * (1.0 if finding.poor >= finding.fair else -1.0)
