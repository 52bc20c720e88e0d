"""How often extinction symbols are named where the lattice is given, by evidence alone and with the network.

python benchmarks/extinction_given_lattice.py runs/icsd.h5 [--recipes paper measured] [--count 40] [--part validation]

Structures are those of one part of the split by prototype. Lines are found, the true lattice is refined on the pattern,
and its extinction symbols are weighed: alone with the frequency of space groups as prior, and with the network's.
Patterns without a line, or on which the lattice cannot be laid, count as wrong.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from engine_accuracy import draw, recipe_called
from engine_losses import true_lattice

from unscatter.nouns.pattern import Pattern
from unscatter.powder.classify.classify import classify
from unscatter.powder.classify.combine import combine, frequencies, sum_classes
from unscatter.powder.pattern.instrument import Instrument
from unscatter.powder.refine.extinctions import Symbols, extinction_symbols
from unscatter.powder.refine.hypotheses import fit_lattice, weigh_lattices
from unscatter.powder.refine.lines import find_lines
from unscatter.powder.refine.observation import observe
from unscatter.powder.samples.cache import PhaseLines
from unscatter.powder.samples.tables import CachedCrystals
from unscatter.symmetry import label_set
from unscatter.train.powder.splits import split_table

TOPS = (1, 2, 5)


def symbols_of(pattern: Pattern, phase: PhaseLines, instrument: Instrument) -> Symbols | None:
    """Evidence of the symbols of the true lattice, None where it cannot be refined."""
    lines = find_lines(pattern)
    if not len(lines):
        return None
    given = true_lattice(phase, instrument.zero)
    observation, found = weigh_lattices(observe(pattern, lines), (given,))
    mine = [one for one in found if one.lattice.bravais == given.bravais]
    if not mine:
        return None
    near = observation.up_to(mine[0].last_angle)
    return extinction_symbols(near, fit_lattice(near, *mine[0].start).model, mine[0].lattice.bravais)


def places(pattern: Pattern, phase: PhaseLines, instrument: Instrument) -> dict[str, Any]:
    """Places of the true symbol and of the true group, for evidence alone and with the network."""
    labels = label_set("extinction-99")
    truth = int(labels.of_group[phase.space_group - 1])
    found = symbols_of(pattern, phase, instrument)
    if found is None:
        return {"alone": 99, "both": 99, "group": 230, "behind": 0.0}
    logs = found.of_labels()
    network = classify(pattern, engine="none").probabilities
    lattice = {found.bravais: 0.0}
    sure = {"seen": 1.0, "foreign": 0.0, "margin": 30.0, "predicted": 1.0, "lines": 100.0, "free": 1.0}
    told: dict[str, Any] = {"best": labels.groups(int(logs.argmax()))[0]}
    told["behind"] = round(float(logs.max() - logs[truth]), 1)
    for name, prior in (("alone", frequencies()), ("both", network)):
        inside = np.where(np.isin(labels.of_group, np.flatnonzero(np.isfinite(logs))), prior, 0.0)
        groups = combine(inside / inside.sum(), lattice, {found.bravais: logs}, sure)
        groups = np.where(inside > 0, groups, 0.0)
        sums = sum_classes(groups, labels)
        told[name] = int(np.sum(sums > sums[truth])) + 1
        told["group"] = int(np.sum(groups > groups[phase.space_group - 1])) + 1
    return told


def report(recipe: str, found: list[dict[str, Any]]) -> None:
    tops = ", ".join(map(str, TOPS))
    print(f"{recipe}, {len(found)} patterns, lattice given; in the first {tops} answers, in per cent")
    for name, title in (("alone", "symbol, alone"), ("both", "symbol, with the network"), ("group", "space group")):
        shares = "  ".join(f"{100 * np.mean([one[name] <= top for one in found]):5.1f}" for top in TOPS)
        print(f"  {title:<26}{shares}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("structures", type=Path)
    parser.add_argument("--recipes", nargs="+", default=["paper", "noisy", "measured"])
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--part", choices=("training", "validation", "test"), default="test")
    parser.add_argument("--verbose", action="store_true", help="one line a pattern")
    options = parser.parse_args()
    crystals = CachedCrystals([options.structures])
    split = split_table(crystals, "prototype")
    rows = np.random.default_rng(options.seed + 1).permutation(getattr(split, options.part))[: options.count]
    for name in options.recipes:
        recipe, found = recipe_called(name), []
        for number, row in enumerate(rows):
            drawn = draw(recipe, crystals, int(row), options.seed, number, split.training)
            one = {"number": number, "truth": drawn[1].space_group, "radiation": drawn[0].radiation, **places(*drawn)}
            found.append(one)
            if options.verbose:
                print(json.dumps(one), flush=True)
        report(name, found)


if __name__ == "__main__":
    main()
