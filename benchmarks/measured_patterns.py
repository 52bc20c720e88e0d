"""How often the classifier is right on measured powder patterns, by radiation.

python benchmarks/measured_patterns.py [--data ../shared/data/patterns] [--weights group-230] [--engine none]

The patterns are not shipped. labels.csv names the file, radiation, wavelength and space group of each; a pattern
counts where the space group is known. Space groups that share an extinction group look alike to a powder.
"""

import argparse
import csv
import sys
from dataclasses import dataclass
from pathlib import Path

from unscatter.io.patterns import read_pattern
from unscatter.nouns.pattern import Pattern
from unscatter.nouns.ranking import Ranking
from unscatter.powder.classify.classify import LEVELS, classify_many
from unscatter.symmetry import bravais_lattice, hermann_mauguin

DATA = Path(__file__).parents[2] / "shared" / "data" / "patterns"
SHOWN = ("Bravais lattice", "extinction group", "space group")


@dataclass(frozen=True)
class Labelled:
    """A measured pattern, what it is, and what is odd about it."""

    pattern: Pattern
    phase: str
    space_group: int
    flags: str


def read_labelled(folder: Path) -> list[Labelled]:
    """All patterns of labels.csv whose space group is known; those that cannot be read are named and left out."""
    found = []
    with (folder / "labels.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if not row["space_group"]:
                print(f"left out, no space group in labels.csv: {row['file']}")
                continue
            radiation = "neutron" if row["radiation"] == "neutron" else "x-ray"
            pattern = read_pattern(folder / row["file"], wavelength=float(row["wavelength_A"]), radiation=radiation)
            flags = "; ".join(words for words in (row["flags"], row["extra_phases"]) if words)
            found.append(Labelled(pattern, row["phase"], int(float(row["space_group"])), flags))
    return found


def rank_of_truth(ranking: Ranking, level: str, number: int) -> int:
    """Place of the class that holds the true space group, 1 for the likeliest."""
    return next(k for k, one in enumerate(ranking.top(230, level), 1) if number in one.groups)


def report(name: str, pairs: list[tuple[Labelled, Ranking]]) -> None:
    if not pairs:
        return
    print(f"{name}, {len(pairs)} patterns")
    for level in LEVELS:
        ranks = [rank_of_truth(ranking, level, labelled.space_group) for labelled, ranking in pairs]
        first, fifth = (100 * sum(rank <= k for rank in ranks) / len(ranks) for k in (1, 5))
        print(f"  {level:<18} top-1 {first:5.1f} %   top-5 {fifth:5.1f} %")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--weights", default="group-230")
    parser.add_argument("--subtract-background", action="store_true")
    parser.add_argument("--engine", choices=("crystallography", "none"), default="crystallography")
    options = parser.parse_args()
    if not (options.data / "labels.csv").is_file():
        sys.exit(f"skipped: {options.data} is not there; give the folder of labels.csv with --data")
    labelled = read_labelled(options.data)
    patterns = [one.pattern for one in labelled]
    rankings = classify_many(
        patterns, options.weights, subtract_background=options.subtract_background, engine=options.engine
    )
    pairs = list(zip(labelled, rankings, strict=True))
    for one, ranking in pairs:
        places = " ".join(f"{rank_of_truth(ranking, level, one.space_group):3d}" for level in SHOWN)
        truth = f"{bravais_lattice(one.space_group)} {hermann_mauguin(one.space_group)}"
        best = f"{ranking.top(1, 'Bravais lattice')[0].name} {ranking.top(1)[0].name}"
        print(f"{Path(one.pattern.source).name:<28} {truth:<14} found {best:<14} ranks {places}  {one.flags}")
    print(f"ranks of the truth: {', '.join(SHOWN)}")
    for radiation in ("neutron", "x-ray"):
        report(radiation, [pair for pair in pairs if pair[0].pattern.radiation == radiation])
    report("all", pairs)
    report("all without a flag", [pair for pair in pairs if not pair[0].flags])


if __name__ == "__main__":
    main()
