"""What measured patterns whose labels are hidden change in the answers to measured patterns.

python benchmarks/unlabelled_measured.py --structures runs/powder/icsd.h5 runs/powder/other.h5 --out runs/hidden \\
    [--data ../shared/data/patterns] [--steps 400] [--seeds 3]

The shipped network goes on learning twice, for as many steps: with simulated patterns alone, and with measured ones,
those of mixtures among them, in place of a share of the unlabelled. No label of a measured pattern is read in training;
afterwards the same patterns are asked for, as an instrument would that is left to learn from what it measured. What is
done stays in the folder, and the same command goes on where it stopped.
"""

import argparse
import csv
import math
from pathlib import Path
from typing import NamedTuple

import numpy as np
from kept_options import keep_options
from measured_patterns import DATA, SHOWN, Labelled, rank_of_truth, read_labelled

from unscatter.nouns.ranking import Ranking
from unscatter.powder.classify.classify import classify_many
from unscatter.train.export import export_classify
from unscatter.train.powder.fixmatch import FixMatchTraining, train_fixmatch

START = "group-230"
#: Share of the structures whose label is learned from again; the others are what both arms have no label of.
LABELLED = 0.5
ARMS = {"simulated": "simulated patterns alone", "measured": "measured patterns beside, unlabelled"}


class Scores(NamedTuple):
    """Right first answers and right among five in per cent, and mean of -ln p(truth), by level."""

    first: dict[str, float]
    fifth: dict[str, float]
    surprise: dict[str, float]


def main() -> None:
    options = read_options()
    table = write_table(options.data, options.out / "hidden.csv")
    labelled = read_labelled(options.data)
    print(line("as shipped", [score(labelled, START)]))
    for arm, title in ARMS.items():
        found = [
            score(labelled, train(options, arm, seed, (table,) if arm == "measured" else ()))
            for seed in range(options.seeds)
        ]
        print(line(title, found))


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--structures", type=Path, nargs="+", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--store", type=Path, help="folder for patterns that are drawn once")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rate", type=float, default=2e-4, help="highest learning rate")
    parser.add_argument("--share", type=float, default=0.5, help="of the unlabelled patterns that are measured")
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    if not (options.data / "labels.csv").is_file():
        parser.error(f"{options.data} is not there; give the folder of labels.csv with --data")
    keep_options(options.out, options, ("structures", "data", "steps", "batch", "rate", "share"))
    return options


def write_table(data: Path, path: Path) -> Path:
    """List every measured pattern, mixtures among them, with no space group."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "space_group", "wavelength_A", "radiation"])
        for folder, name, wavelength in (
            (data, "labels.csv", "wavelength_A"),
            (data / "mixtures", "labels_mixtures.csv", "wavelength"),
        ):
            with (folder / name).open(newline="", encoding="utf-8") as known:
                for row in csv.DictReader(known):
                    writer.writerow([(folder / row["file"]).resolve(), "", row[wavelength], row["radiation"]])
    return path


def train(options: argparse.Namespace, arm: str, seed: int, measured: tuple[Path, ...]) -> str:
    """Path of the weights of one training; those that are there already are taken as they are."""
    out = options.out / f"{arm}-{seed}"
    weights = out / "weights" / f"{arm}.onnx"
    if weights.exists():
        return str(weights)
    checkpoint = train_fixmatch(
        FixMatchTraining(
            out=out,
            structures=tuple(options.structures),
            store=options.store,
            start=START,
            labelled=LABELLED,
            measured=measured,
            measured_share=options.share,
            learning_rate=options.rate,
            steps=options.steps,
            batch=options.batch,
            seed=seed + 1,
            minutes=1e6,
            validate_every=1e6,
            validation_samples=256,
        )
    )
    export_classify(checkpoint, out / "weights", arm)
    return str(weights)


def score(labelled: list[Labelled], weights: str) -> Scores:
    """Ask for every pattern with a known group."""
    rankings = classify_many([one.pattern for one in labelled], weights)
    pairs = list(zip(labelled, rankings, strict=True))
    found = Scores({}, {}, {})
    for level in SHOWN:
        ranks = np.array([rank_of_truth(ranking, level, one.space_group) for one, ranking in pairs])
        found.first[level], found.fifth[level] = (float(100 * np.mean(ranks <= k)) for k in (1, 5))
        found.surprise[level] = float(np.mean([surprise(ranking, level, one.space_group) for one, ranking in pairs]))
    return found


def surprise(ranking: Ranking, level: str, number: int) -> float:
    """-ln of the probability that the class of a space group was given."""
    truth = next(one for one in ranking.top(230, level) if number in one.groups)
    return -math.log(max(truth.probability, 1e-6))


def line(title: str, found: list[Scores]) -> str:
    """Means over the seeds, with half their range, of every level."""
    parts = []
    for level in SHOWN:
        shown = [spread([getattr(one, name)[level] for one in found]) for name in Scores._fields]
        parts.append(f"{level}: top-1 {shown[0]} %, top-5 {shown[1]} %, -ln p {shown[2]}")
    return f"{title} ({len(found)})\n  " + "\n  ".join(parts)


def spread(values: list[float]) -> str:
    mean = np.mean(values)
    return f"{mean:.1f}" if len(values) == 1 else f"{mean:.1f} ± {np.ptp(values) / 2:.1f}"


if __name__ == "__main__":
    main()
