"""Learn how far to believe the engine beside the network, and how long a list must be, from simulated patterns alone.

python tools/build_combination.py runs/icsd.h5 --records records.jsonl [--count 100] [--recipes NAME ...] [--fit]
python tools/build_combination.py runs/icsd.h5 --records held_out.jsonl --first 40 --count 80 --coverage

Patterns of validation structures are drawn, interpreted and shown to the network; what is needed of each stands as one
line in the records, so that an interrupted call goes on. With --fit the few numbers of powder.classify.combine are
fitted, and the limits of prediction sets (data/prediction_sets.toml) taken from the patterns of LIKE_MEASURED; with
--limits the limits alone, under the numbers that are there. --coverage tells how often the sets that are there hold the
truth, how many classes they have and the mean of -ln p of the truth: on patterns that no limit was taken from.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from scipy.optimize import minimize
from scipy.stats import binomtest

from unscatter.nouns.pattern import Pattern
from unscatter.powder.classify.classify import LEVELS, classify_many
from unscatter.powder.classify.combine import (
    Combination,
    combine,
    features_of,
    lattice_logs,
    read_combination,
    sum_classes,
)
from unscatter.powder.classify.conformal import conformal_limit, probability_above, read_prediction_sets
from unscatter.powder.refine.engine import interpret
from unscatter.powder.samples.draw import draw_pattern, read_recipe
from unscatter.powder.samples.tables import CachedCrystals
from unscatter.symmetry import BRAVAIS_LATTICES, bravais_lattice, label_set
from unscatter.train.powder.splits import split_table

#: Logarithms of weight, cap and floor, bias and slopes before any pattern is seen, and how far they may move.
EXPECTED = (np.log(0.3), np.log(8.0), np.log(0.05), 0.0, 2.0, -2.0, 1.0, -1.0, 0.5)
HELD = 0.7
#: Recipes whose patterns are like measured ones, and the share of patterns whose truth a prediction set shall hold.
LIKE_MEASURED, COVERAGE = ("measured", "laboratory"), 0.9
TARGET = Path(__file__).parents[1] / "src" / "unscatter" / "data" / "combination.toml"


def collect(options: argparse.Namespace) -> list[dict]:
    """Records of all patterns, those of an earlier call included."""
    known = options.records.read_text(encoding="utf-8").splitlines() if options.records.is_file() else []
    found = [json.loads(line) for line in known]
    done = {(one["recipe"], one["index"]) for one in found}
    crystals = CachedCrystals(options.structures)
    rows = split_table(crystals, "prototype", 0).validation
    with options.records.open("a", encoding="utf-8") as file:
        for number in range(options.first, options.count):
            for name in options.recipes:
                if (name, number) not in done:
                    one = record(crystals, rows, name, number)
                    file.write(json.dumps(one) + "\n")
                    file.flush()
                    found.append(one)
    return found


def record(crystals: CachedCrystals, rows: np.ndarray, name: str, number: int) -> dict:
    """What network and engine say of one pattern, and the truth."""
    row = int(np.random.default_rng([2027, number]).choice(rows))
    x, y, instrument, phase = draw_pattern(read_recipe(name), crystals, row, 2027, number, rows)
    # Columns of numbers do not tell K-alpha 2.
    pattern = Pattern(x, y, wavelength=instrument.wavelengths[0], radiation=instrument.radiation)
    network = classify_many([pattern], engine="none")[0].probabilities
    lattices = sum_classes(network, label_set("bravais-14"))
    found = interpret(pattern, likely=dict(zip(BRAVAIS_LATTICES, lattices.tolist(), strict=True)))
    symbols = {
        bravais: {str(k): float(logs[k]) for k in np.flatnonzero(np.isfinite(logs))}
        for bravais, logs in found.label_evidence.items()
    }
    return {
        "recipe": name,
        "index": number,
        "truth": phase.space_group,
        "cell": phase.cell.parameters,
        "network": [round(float(p), 8) for p in network],
        "evidence": found.evidence,
        "cells": [[h.lattice.bravais, h.lattice.cell.parameters] for h in found.hypotheses[:1]],
        "symbols": symbols,
        "quality": dict(found.quality),
        "seconds": dict(found.seconds),
    }


def fit(records: list[dict]) -> Combination:
    """Numbers of the combination of the largest likelihood of the true Bravais lattice, held near zero."""
    bravais = label_set("bravais-14")
    networks = [sum_classes(np.array(one["network"]), bravais) for one in records]
    truth = np.array([BRAVAIS_LATTICES.index(bravais_lattice(one["truth"])) for one in records])

    def loss(vector: np.ndarray) -> float:
        combination = Combination.of(vector)
        total = 0.0
        for one, network, true in zip(records, networks, truth, strict=True):
            total -= lattice_logs(network, one["evidence"], features_of(one["quality"]), combination)[true]
        # Few patterns must not turn what is known: what a good explanation looks like.
        return total + 0.5 * float(np.sum((vector - EXPECTED) ** 2)) / HELD**2

    start = np.array(EXPECTED)
    best = minimize(loss, start, method="Nelder-Mead", options={"maxiter": 4000, "maxfev": 6000, "adaptive": True})
    print(
        f"mean nats a pattern: {loss(start) / len(records):.3f} at the start, {best.fun / len(records):.3f} at the end"
    )
    return Combination.of(best.x)


def label_evidence(one: dict) -> dict[str, np.ndarray]:
    """Of a record: ln of the evidence of the 99 extinction groups, by Bravais lattice."""
    found = {bravais: np.full(99, -np.inf) for bravais in one["symbols"]}
    for bravais, logs in one["symbols"].items():
        found[bravais][[int(k) for k in logs]] = list(logs.values())
    return found


def groups_of(one: dict, combination: Combination | None) -> np.ndarray:
    """Probabilities of the 230 space groups, by the combination or, without one, by the network alone."""
    network = np.array(one["network"]) / np.sum(one["network"])
    if combination is None:
        return network
    return combine(network, one["evidence"], label_evidence(one), one["quality"], combination)


def report_coverage(records: list[dict], combination: Combination) -> None:
    """Share of the sets that are there which hold the truth, with its interval of 95 %, and how large they are."""
    for ranker, rule in (("network", None), ("crystallography", combination)):
        for level, name in LEVELS.items():
            labels, limit = label_set(name), read_prediction_sets(ranker).limits[level]
            held, sizes, surprises = [], [], []
            for one in records:
                p = sum_classes(groups_of(one, rule), labels)
                truth = int(labels.of_group[one["truth"] - 1])
                held.append(probability_above(p, truth) <= limit)
                sizes.append(sum(probability_above(p, k) <= limit for k in range(len(labels))))
                surprises.append(-np.log(max(float(p[truth]), 1e-12)))
            low, high = binomtest(sum(held), len(held)).proportion_ci(method="wilson")
            print(
                f"{ranker:<15} {level:<17} holds the truth {100 * np.mean(held):5.1f} % ({100 * low:.0f} to "
                f"{100 * high:.0f}), {np.mean(sizes):5.1f} classes, -ln p {np.mean(surprises):.3f}"
            )


def limits(records: list[dict], combination: Combination | None) -> dict[str, float]:
    """Limits of the prediction sets of each level, of the combination or, without one, of the network alone."""
    above: dict[str, list[float]] = {level: [] for level in LEVELS}
    for one in records:
        groups = groups_of(one, combination)
        for level, name in LEVELS.items():
            labels = label_set(name)
            above[level].append(probability_above(sum_classes(groups, labels), int(labels.of_group[one["truth"] - 1])))
    return {level: conformal_limit(numbers, COVERAGE) for level, numbers in above.items()}


def write_limits(records: list[dict], combination: Combination) -> None:
    """The limits of both rankers as data/prediction_sets.toml."""
    chosen = [one for one in records if one["recipe"] in LIKE_MEASURED]
    basis = f"{len(chosen)} simulated patterns of recipes {' and '.join(LIKE_MEASURED)}, structure types not trained on"
    lines = ["# Made by tools/build_combination.py.", f"coverage = {COVERAGE}", f'basis = "{basis}"']
    for ranker, rule in (("network", None), ("crystallography", combination)):
        lines += [f"[{ranker}]", *(f'"{level}" = {limit:.5f}' for level, limit in limits(chosen, rule).items())]
    TARGET.with_name("prediction_sets.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))


def write_frequencies(structures: list[Path]) -> None:
    """Structure types of the training part in each space group: data/group_frequency.toml."""
    crystals = CachedCrystals(structures)
    rows = split_table(crystals, "prototype", 0).training
    _, first = np.unique(crystals.prototype[rows], return_index=True)
    counts = np.bincount(crystals.space_group[rows[first]], minlength=231)[1:]
    text = "# Made by tools/build_combination.py: structure types in space groups 1 to 230.\n"
    target = TARGET.with_name("group_frequency.toml")
    target.write_text(f"{text}counts = {counts.tolist()}\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("structures", type=Path, nargs="+")
    parser.add_argument("--records", type=Path, required=True)
    parser.add_argument("--recipes", nargs="+", default=["paper", "measured", "laboratory"])
    parser.add_argument("--count", type=int, default=100, help="number after that of the last pattern of each recipe")
    parser.add_argument("--first", type=int, default=0, help="number of the first pattern")
    parser.add_argument("--coverage", action="store_true", help="tell how often the sets hold the truth")
    parser.add_argument("--fit", action="store_true", help="fit and write the numbers, and the limits with them")
    parser.add_argument("--limits", action="store_true", help="write the limits of prediction sets alone")
    options = parser.parse_args()
    if options.first >= options.count:
        parser.error(f"no pattern lies between --first {options.first} and --count {options.count}")
    write_frequencies(options.structures)
    records = collect(options)
    if options.fit:
        found = fit(records)
        lines = ["# Made by tools/build_combination.py from simulated patterns of validation structures."]
        lines += [f"patterns = {len(records)}", *found.lines()]
        TARGET.write_text("\n".join(lines) + "\n", encoding="utf-8")
        print("\n".join(lines))
        write_limits(records, found)
    elif options.coverage:
        report_coverage(records, read_combination())
    elif options.limits:
        write_limits(records, read_combination())


if __name__ == "__main__":
    main()
