"""Which phases of weighed mixtures are named, and down to which weight fraction.

python benchmarks/weighed_mixtures.py [--data ../shared/data/patterns/mixtures] [--records mixtures.jsonl]

The patterns are not shipped. labels_mixtures.csv names the file, wavelength, phases and weight fractions of each; cells
are those of the literature, below. The first lattice is the one that classify fits, the second the one that it offers
for the lines left over. A phase is named where the lattice has its Bravais symbol and its reduced cell within 1 %. A
weight fraction is no fraction of intensity: heavy atoms scatter more.
"""

import argparse
import csv
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path

from scipy.stats import binomtest

from unscatter.io.patterns import read_pattern
from unscatter.nouns.cell import Cell
from unscatter.nouns.lattice import Lattice
from unscatter.powder.classify.classify import classify
from unscatter.powder.refine.metric import primitive_metric, same_lattice

DATA = Path(__file__).parents[2] / "shared" / "data" / "patterns" / "mixtures"
#: Lattices of each phase at room temperature, of all its forms that may be sold: textbook values.
CELLS = {
    "NiO": [("cF", 4.177, 4.177, 4.177, 90, 90, 90)],
    "In2O3": [("cI", 10.118, 10.118, 10.118, 90, 90, 90)],
    "La(OH)3": [("hP", 6.523, 6.523, 3.855, 90, 90, 120)],
    "TiO2": [("tI", 3.785, 3.785, 9.514, 90, 90, 90), ("tP", 4.594, 4.594, 2.959, 90, 90, 90)],
    "MnCO3": [("hR", 4.777, 4.777, 15.67, 90, 90, 120)],
    "Li2CO3": [("mC", 8.359, 4.973, 6.197, 90, 114.83, 90)],
    "ZrO2": [("mP", 5.150, 5.212, 5.317, 90, 99.23, 90)],
    "Bi2O3": [("mP", 5.850, 8.165, 7.512, 90, 113.0, 90)],
    "ZnO": [("hP", 3.250, 3.250, 5.207, 90, 90, 120)],
    "V2O5": [("oP", 11.516, 3.566, 4.372, 90, 90, 90)],
}
TOLERANCE = 1e-2
#: Bounds of the rows of the report: weight fractions.
BOUNDS = (0.0, 0.15, 0.25, 0.35, 0.55, 1.0)


@dataclass(frozen=True)
class Answer:
    """What was weighed and what was said: phases with fractions, which of them is first and second ("" for none)."""

    file: str
    phases: tuple[str, ...]
    fractions: tuple[float, ...]
    first: str
    second: str
    first_lattice: str
    second_lattice: str
    told: str
    symbol_named: bool

    @property
    def named(self) -> set[str]:
        """All phases that were named."""
        return {self.first, self.second} - {""}

    @property
    def main(self) -> str:
        """The phase of the largest fraction."""
        return self.phases[max(range(len(self.phases)), key=lambda k: self.fractions[k])]


def phase_of(found: Lattice | None, phases: Sequence[str]) -> str:
    """The phase that has this lattice, "" where none has."""
    if found is None:
        return ""
    metric = primitive_metric(found.cell, found.bravais[1])
    for phase in phases:
        for bravais, *cell in CELLS[phase]:
            truth = primitive_metric(Cell(*cell), bravais[1])
            if bravais == found.bravais and same_lattice(truth, metric, TOLERANCE):
                return phase
    return ""


def ask(folder: Path, row: dict[str, str]) -> Answer:
    """What classify says of one pattern."""
    phases = tuple(row["phases"].split(";"))
    fractions = tuple(float(one) for one in row["weight_fractions"].split(";"))
    radiation = "neutron" if row["radiation"] == "neutron" else "x-ray"
    pattern = read_pattern(folder / row["file"], wavelength=float(row["wavelength"]), radiation=radiation)
    ranking = classify(pattern)
    first = ranking.fit.lattice if ranking.fit is not None else None
    other = ranking.second_phase
    symbol = ranking.top(1, "Bravais lattice")[0].name
    return Answer(
        row["file"],
        phases,
        fractions,
        phase_of(first, phases),
        phase_of(other, phases),
        first.describe() if first else "none",
        other.describe() if other else "none",
        next((one.verdict for one in ranking.findings if one.name == "phases"), "not tested"),
        first is not None and first.bravais == symbol,
    )


def share(hits: Sequence[bool]) -> str:
    if not hits:
        return "-"
    low, high = binomtest(sum(hits), len(hits)).proportion_ci(method="wilson")
    return f"{sum(hits)} of {len(hits)} ({100 * low:.0f} to {100 * high:.0f} %)"


def report(answers: Sequence[Answer]) -> None:
    print(f"{len(answers)} patterns")
    print(f"  first lattice is a phase that is there    {share([bool(one.first) for one in answers])}")
    print(f"  first lattice is the phase of most weight {share([one.first == one.main for one in answers])}")
    both = [bool(one.first) and one.symbol_named for one in answers]
    print(f"  it is, and its symbol is the likeliest    {share(both)}")
    offered = [one for one in answers if one.second_lattice != "none"]
    print(f"  a second phase is offered                 {share([one in offered for one in answers])}")
    print(f"  it is another phase that is there         {share([bool(one.second) for one in offered])}")
    print(f"  told that there is more than one phase    {share([one.told in ('fair', 'poor') for one in answers])}")
    print("  named by weight fraction, first or second")
    parts = [(f, p in one.named) for one in answers for p, f in zip(one.phases, one.fractions, strict=True)]
    for low, high in pairwise(BOUNDS):
        print(f"    {low:4.2f} to {high:4.2f}  {share([hit for fraction, hit in parts if low <= fraction < high])}")
    seen = sorted(fraction for fraction, hit in parts if hit)
    print(f"  smallest fraction that was named: {seen[0]:.2f}" if seen else "  none was named")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--records", type=Path, help="one line a pattern; those that are there are not done again")
    options = parser.parse_args()
    table = options.data / "labels_mixtures.csv"
    if not table.is_file():
        sys.exit(f"skipped: {options.data} is not there; give the folder of labels_mixtures.csv with --data")
    known: dict[str, Answer] = {}
    if options.records is not None and options.records.is_file():
        lines = options.records.read_text(encoding="utf-8").splitlines()
        known = {one.file: one for one in (Answer(**json.loads(line)) for line in lines)}
    answers = []
    with table.open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if (options.data / row["file"]).is_file()]
    for row in rows:
        one = known.get(row["file"]) or ask(options.data, row)
        if options.records is not None and row["file"] not in known:
            with options.records.open("a", encoding="utf-8") as records:
                records.write(json.dumps(asdict(one)) + "\n")
        answers.append(one)
        weights = ", ".join(f"{p} {100 * f:.0f} %" for p, f in zip(one.phases, one.fractions, strict=True))
        said = f"{one.first or 'none of them'} ({one.first_lattice}); {one.second or 'none'} ({one.second_lattice})"
        print(f"{weights:<40} {said}", flush=True)
    report(answers)


if __name__ == "__main__":
    main()
