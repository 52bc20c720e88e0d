"""What network, crystallography and both name rightly, from one run on the same simulated patterns of unseen types.

python benchmarks/engine_accuracy.py runs/icsd.h5 [--records engine.jsonl] [--recipes paper noisy measured] [--count 40]

Structures are those of one part (test) of the split by prototype. `noisy` is recipe paper with 2 % background and 2e4
counts in the highest point; K-alpha 2 is never told. Every pattern stands as one line in the records, so that an
interrupted call goes on. The network is `classify --engine none`, the engine the likeliest lattice of whole-pattern
fits, both is `classify`. A cell is right where the lattice named is fitted with the reduced cell of the truth within
0.3 %. Intervals are Wilson's, of 95 %; times are CPU seconds of `classify`.
"""

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from known_structures import recipe_called, true_metric
from scipy.stats import binomtest

from unscatter.nouns.lattice import Lattice
from unscatter.nouns.pattern import Pattern
from unscatter.nouns.ranking import Ranking
from unscatter.powder.classify.classify import classify
from unscatter.powder.pattern.instrument import Instrument
from unscatter.powder.refine.metric import primitive_metric, same_lattice
from unscatter.powder.samples.cache import PhaseLines
from unscatter.powder.samples.draw import PowderRecipe, draw_pattern
from unscatter.powder.samples.tables import CachedCrystals
from unscatter.symmetry import bravais_lattice
from unscatter.train.powder.splits import split_table

LEVELS = ("extinction group", "space group")
SYSTEMS = {"a": "triclinic", "m": "monoclinic", "o": "orthorhombic", "t": "tetragonal", "h": "hexagonal", "c": "cubic"}
#: Fewer patterns of a kind get no row.
FEWEST = 5
#: Probabilities of the lattice from which an answer counts as sure.
SURE = (0.9, 0.7)


@dataclass(frozen=True)
class Answer:
    """What was drawn and what was said: lattices, places of the true classes (1 for the likeliest), cell, CPU-s.

    Empty words where nothing was answered; refused: why no ranking was given.
    """

    part: str
    seed: int
    recipe: str
    number: int
    radiation: str
    group: int
    network: str
    engine: str
    both: str
    network_places: tuple[int, ...]
    both_places: tuple[int, ...]
    probability: float
    cell_right: bool
    seconds: float
    refused: str = ""

    @property
    def truth(self) -> str:
        """The true Bravais lattice."""
        return bravais_lattice(self.group)

    @property
    def key(self) -> tuple[str, int, str, int]:
        """What tells one pattern from another."""
        return self.part, self.seed, self.recipe, self.number


def of_structure(found: Lattice, phase: PhaseLines) -> bool:
    """Whether a lattice has the name and the reduced cell of the structure."""
    if found.bravais != bravais_lattice(phase.space_group):
        return False
    return same_lattice(true_metric(phase.cell, phase.space_group), primitive_metric(found.cell, found.bravais[1]))


def place(ranking: Ranking, level: str, number: int) -> int:
    """Place of the class that holds the true space group."""
    return next(k for k, one in enumerate(ranking.top(230, level), 1) if number in one.groups)


def named(ranking: Ranking) -> str:
    return ranking.top(1, "Bravais lattice")[0].name


def ask(pattern: Pattern, phase: PhaseLines, time_limit: float) -> dict[str, Any]:
    """What network, engine and both say of one pattern."""
    group = phase.space_group
    begin = time.process_time()
    try:
        ranking, refused = classify(pattern, time_limit=time_limit), ""
    except ValueError as error:
        ranking, refused = None, str(error)
    seconds = time.process_time() - begin
    alone = classify(pattern, engine="none")
    told = {
        "network": named(alone),
        "network_places": tuple(place(alone, level, group) for level in LEVELS),
        "seconds": round(seconds, 3),
        "refused": refused,
    }
    if ranking is None:
        return told | {"engine": "", "both": "", "both_places": (231, 231), "probability": 0.0, "cell_right": False}
    hypotheses = ranking.provenance.get("engine", {}).get("hypotheses", ())
    return told | {
        "engine": hypotheses[0]["bravais"] if hypotheses else "",
        "both": named(ranking),
        "both_places": tuple(place(ranking, level, group) for level in LEVELS),
        "probability": round(ranking.top(1, "Bravais lattice")[0].probability, 5),
        "cell_right": ranking.fit is not None and of_structure(ranking.fit.lattice, phase),
    }


def known_answers(records: Path | None) -> list[Answer]:
    """Answers of earlier calls; a last line that was cut off is done again."""
    if records is None or not records.is_file():
        return []
    *lines, rest = records.read_text(encoding="utf-8").split("\n")
    if rest:
        records.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return [Answer(**json.loads(line)) for line in lines]


def collect(options: argparse.Namespace) -> list[Answer]:
    """Answers to all patterns that are asked for, those of earlier calls included."""
    known = {one.key: one for one in known_answers(options.records)}
    crystals = CachedCrystals([options.structures])
    split = split_table(crystals, "prototype")
    rows = np.random.default_rng(options.seed + 1).permutation(getattr(split, options.part))[: options.count]
    found, warm = [], False
    for name in options.recipes:
        recipe = recipe_called(name)
        for number, row in enumerate(rows):
            key = (options.part, options.seed, name, number)
            if key not in known:
                pattern, phase, _ = draw(recipe, crystals, int(row), options.seed, number, split.training)
                if not warm:  # Loops that are compiled, or loaded, at the first pattern are not its time.
                    ask(pattern, phase, options.time_limit)
                    warm = True
                said = ask(pattern, phase, options.time_limit)
                known[key] = Answer(*key, pattern.radiation or "", phase.space_group, **said)
                if options.records is not None:
                    with options.records.open("a", encoding="utf-8") as file:
                        file.write(json.dumps(asdict(known[key])) + "\n")
            found.append(known[key])
    return found


def draw(
    recipe: PowderRecipe, crystals: CachedCrystals, row: int, seed: int, number: int, impurities: np.ndarray
) -> tuple[Pattern, PhaseLines, Instrument]:
    """A pattern, the phase that is sought in it, and the instrument that took it."""
    drawn = draw_pattern(recipe, crystals, row, seed, number, impurities)
    two_theta, intensity, instrument, phase = drawn
    # Columns of numbers do not tell K-alpha 2.
    return Pattern(two_theta, intensity, None, instrument.wavelengths[0], None, instrument.radiation), phase, instrument


def share(hits: Sequence[bool]) -> str:
    return f"{100 * np.mean(hits):5.1f}" if hits else "    -"


def interval(hits: Sequence[bool]) -> str:
    low, high = binomtest(sum(hits), len(hits)).proportion_ci(method="wilson")
    return f"{100 * low:.0f} to {100 * high:.0f}"


def lattice_row(title: str, some: Sequence[Answer]) -> str:
    right = {who: [getattr(one, who) == one.truth for one in some] for who in ("network", "engine", "both")}
    gained = sum(both and not network for network, both in zip(right["network"], right["both"], strict=True))
    lost = sum(network and not both for network, both in zip(right["network"], right["both"], strict=True))
    shares = "    ".join(share(hits) for hits in right.values())
    return f"  {title:<14}{len(some):5d}    {shares}   {interval(right['both']):>9}   {gained:4d} / {lost}"


def report_lattices(some: Sequence[Answer]) -> None:
    print(f"  {'lattice':<14}{'n':>5}  {'network':>7}  {'engine':>7}  {'both':>7}  {'of 95 %':>10}   gained / lost")
    for letter, system in SYSTEMS.items():
        chosen = [one for one in some if one.truth[0] == letter]
        if len(chosen) >= FEWEST:
            print(lattice_row(system, chosen))
    for radiation in ("neutron", "x-ray"):
        chosen = [one for one in some if one.radiation == radiation]
        if FEWEST <= len(chosen) < len(some):
            print(lattice_row(radiation, chosen))
    print(lattice_row("all", some))


def report_levels(some: Sequence[Answer]) -> None:
    for k, level in enumerate(LEVELS):
        tops = [
            " / ".join(share([getattr(one, who)[k] <= top for one in some]) for top in (1, 5))
            for who in ("network_places", "both_places")
        ]
        print(f"  {level:<17} top-1 / top-5   network {tops[0]}   both {tops[1]}")


def report_trust(some: Sequence[Answer]) -> None:
    right = [one for one in some if one.both == one.truth]
    cells = [one.cell_right for one in right]
    print(f"  cell right where the lattice is: {sum(cells)} of {len(right)} ({share(cells).strip()} %)")
    for limit in SURE:
        sure = [one.both == one.truth for one in some if one.probability >= limit]
        print(f"  lattices of p >= {limit:g} right: {sum(sure)} of {len(sure)} ({share(sure).strip()} %)")
    if refused := sum(bool(one.refused) for one in some):
        print(f"  refused, counted as wrong: {refused}")
    half, most = np.quantile([one.seconds for one in some], [0.5, 0.9])
    print(f"  CPU-s a pattern, median and 90 %: {half:.1f} and {most:.1f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("structures", type=Path, help="made by unscatter simulate reflections")
    parser.add_argument("--records", type=Path, help="one line a pattern; those that are there are not done again")
    parser.add_argument("--recipes", nargs="+", default=["paper", "noisy", "measured"])
    parser.add_argument("--count", type=int, default=40, help="patterns of each recipe")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--part", choices=("training", "validation", "test"), default="test", help="of the split")
    parser.add_argument(
        "--time-limit", type=float, default=120.0, help="of the search, seconds on the clock; a busy machine is slow"
    )
    options = parser.parse_args()
    if not options.structures.is_file():
        print(f"skipped: {options.structures} is not there; make it by unscatter simulate reflections CIFS --out PATH")
        return
    answers = collect(options)
    for name in options.recipes:
        some = [one for one in answers if one.recipe == name]
        print(f"{name}, {len(some)} patterns, first answers in per cent")
        report_lattices(some)
        report_levels(some)
        report_trust(some)


if __name__ == "__main__":
    main()
