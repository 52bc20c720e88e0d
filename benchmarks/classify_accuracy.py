"""Accuracy of networks and baselines on held-out structures, beside the published figures.

python benchmarks/classify_accuracy.py runs/group-230/checkpoint.safetensors runs/resnet1d/checkpoint.safetensors

Every network answers to the test structures of its own split, through the recipes it was trained with. Baselines get
the structures, the split and the recipes of the first network that looks at the network's axis.
"""

import argparse
from dataclasses import replace
from pathlib import Path

from unscatter.train.checkpoint import read_record
from unscatter.train.powder.baselines import BaselineOptions, score_baselines
from unscatter.train.powder.evaluate import ClassifyEvaluation, Row, accuracy_table, held_out_source, score_checkpoint


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoints", type=Path, nargs="+")
    parser.add_argument("--structures", type=Path, nargs="*", default=[], help="instead of those of the training")
    parser.add_argument("--count", type=int, default=2000, help="test structures, 0 for all")
    parser.add_argument("--known", type=int, default=8000, help="training patterns of the baselines")
    parser.add_argument("--no-baselines", dest="baselines", action="store_false")
    options = parser.parse_args()
    structures = tuple(options.structures)
    rows: list[Row] = []
    for path in options.checkpoints:
        asked = ClassifyEvaluation(path, structures=structures, count=options.count)
        rows += score_checkpoint(asked).rows
    records = [read_record(path) for path in options.checkpoints]
    looking = [record for record in records if record["axis"] == "network"]
    if options.baselines and looking:
        source = held_out_source(looking[0], structures=structures)
        rows += score_baselines(source, replace(BaselineOptions(), count=options.count, known=options.known))
    print(accuracy_table(sorted(rows, key=lambda row: (row.split, row.recipe))))


if __name__ == "__main__":
    main()
