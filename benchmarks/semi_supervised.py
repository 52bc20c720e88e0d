"""Table 4 and Fig. 9 of Lolla et al. (2022) on open data: accuracy against the share of patterns with a label.

unscatter simulate reflections random:40000 --out runs/powder/random.h5
unscatter train classify --method supervised --structures runs/powder/random.h5 --recipes paper --batch 64 \\
    --draw-balance 0 --minutes 9 --out runs/random-only
unscatter export classify runs/random-only/checkpoint.safetensors --name random-230 --out runs/random-230
python benchmarks/semi_supervised.py --structures runs/powder/icsd.h5 runs/powder/other.h5 \\
    --start runs/random-230/random-230.onnx --out runs/table-4

Every cell is a training of its own, scored on the same test structures. All take as many steps, of as many labelled
patterns each; the SGAN sees as many unlabelled and generated ones besides, FixMatch as many unlabelled ones. The last
two methods begin with weights that have learned from random crystals alone, once for all cells. What is done stays in
the folder: the same command goes on where it stopped, and --report prints and draws what there is. All rows share the
structures: --most takes a subset, chosen once and for all.

Learning rates of table 2 of the paper are for many epochs. Both published methods have those of the published scripts,
constant as there, with the network of the paper; ours fall along half a cosine over the steps.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from kept_options import keep_options
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from unscatter.train.powder.augmentation import Augmentation
from unscatter.train.powder.classify import RelationNetTraining, ResNetTraining, train_classify
from unscatter.train.powder.evaluate import ClassifyEvaluation, score_checkpoint
from unscatter.train.powder.fixmatch import FixMatchTraining, train_fixmatch
from unscatter.train.powder.sgan import SganTraining, train_sgan

SHARES = (0.05, 0.10, 0.25, 0.50)
#: Accuracy in per cent of the paper's table 4, by label set and method, at each share.
PUBLISHED = {
    ("bravais-14", "supervised"): (61, 68, 76, 82),
    ("bravais-14", "sgan"): (70, 74, 80, 85),
    ("group-144", "supervised"): (54, 61, 68, 75),
    ("group-144", "sgan"): (60, 65, 72, 78),
}
METHODS = {
    "supervised": "ResNet-18, labelled alone",
    "sgan": "SGAN",
    "ours": "ours, labelled alone",
    "begun": "ours, begun with random crystals",
    "combined": "ours, begun so, and unlabelled",
}
TITLES = {"bravais-14": "14 Bravais lattices", "group-144": "144 space groups"}
#: What all cells of a folder have in common.
CELL_OPTIONS = ("structures", "start", "split", "steps", "batch", "most", "count")
#: What each of them cannot do without.
NEEDS = {"begun": "start", "combined": "start"}
#: Patterns of this recipe are of one instrument without noise, so views are of other cells and heights alone.
VIEWS = Augmentation(scale=0.05, texture=0.25, zero_shift=0.0, width=0.0, background=0.0, counts=(0.0, 0.0), cut=0.0)


class Cell(NamedTuple):
    """One training of the table."""

    labels: str
    share: float
    method: str
    seed: int

    @property
    def name(self) -> str:
        """Name of its folder."""
        return f"{self.labels}-{round(100 * self.share):02d}-{self.method}-{self.seed}"


def main() -> None:
    options = read_options()
    keep_options(options.out, options, CELL_OPTIONS)
    wanted = product(range(options.seeds), options.labels, options.shares, options.methods)
    cells = [Cell(labels, share, method, seed) for seed, labels, share, method in wanted]
    if not options.report:
        for number, cell in enumerate(cells):
            if not (options.out / cell.name / "scores.json").exists():
                print(f"{number + 1} of {len(cells)}: {cell.name}", flush=True)
                run(cell, options)
    found = {cell: scores for cell in cells if (scores := read_scores(options.out / cell.name))}
    print(table(found, options.labels, options.methods))
    plot(found, options.labels, options.methods, options.out / "figure-9.png")


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--structures", type=Path, nargs="+", required=True)
    parser.add_argument("--start", default="", help="weights that have learned from random crystals alone")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--store", type=Path, help="folder for patterns that are drawn once")
    parser.add_argument("--labels", nargs="+", default=["bravais-14", "group-144"], choices=["bravais-14", "group-144"])
    parser.add_argument("--methods", nargs="+", default=list(METHODS), choices=METHODS)
    parser.add_argument("--shares", type=float, nargs="+", default=list(SHARES), choices=SHARES)
    parser.add_argument("--split", default="random", choices=["random", "prototype"], help="random as in the paper")
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--most", type=int, default=0, help="structures in all, 0 for every one")
    parser.add_argument("--count", type=int, default=2000, help="test structures, 0 for all")
    parser.add_argument("--report", action="store_true", help="print and draw what there is")
    options = parser.parse_args()
    for method in options.methods:
        if (needed := NEEDS.get(method)) and not getattr(options, needed) and not options.report:
            parser.error(f"{METHODS[method]!r} needs --{needed}: make it as said above, or choose other --methods")
    return options


def run(cell: Cell, options: argparse.Namespace) -> None:
    """Train and score one cell."""
    out = options.out / cell.name
    shared: dict[str, Any] = {
        "out": out,
        "structures": tuple(options.structures),
        "most_structures": options.most,
        "store": options.store,
        "recipes": ("paper",),
        "views": 1,
        "split": options.split,
        "labels": cell.labels,
        "labelled": cell.share,
        "label_seed": cell.seed,
        "seed": cell.seed + 1,
        "steps": options.steps,
        "batch": options.batch,
        "minutes": 1e6,
        "validate_every": 1e6,
        "validation_samples": 256,
    }
    checkpoint = TRAININGS[cell.method](shared, options.start)
    report = score_checkpoint(ClassifyEvaluation(checkpoint, count=options.count))
    scores = {name: float(value) for name, value in report.rows[0].scores.items()}
    part = out / "scores.json.part"
    part.write_text(json.dumps({"samples": report.rows[0].samples, **scores}), encoding="utf-8")
    part.replace(out / "scores.json")


def train_supervised(shared: Mapping[str, Any]) -> Path:
    return train_classify(ResNetTraining(**shared, learning_rate=1e-3, epsilon=1e-4))


def train_published(shared: Mapping[str, Any]) -> Path:
    return train_sgan(
        SganTraining(**shared, discriminator_rate=1e-3, unsupervised_rate=1e-4, generator_rate=1e-4, epsilon=1e-4)
    )


def train_ours(shared: Mapping[str, Any], start: str = "") -> Path:
    return train_classify(RelationNetTraining(**shared, **_begin(start)))


def train_with_unlabelled(shared: Mapping[str, Any], start: str) -> Path:
    return train_fixmatch(FixMatchTraining(**shared, **_begin(start), augmentation=VIEWS))


def _begin(start: str) -> dict[str, Any]:
    """Smaller steps where something has been learned before."""
    return {"start": start, "learning_rate": 3e-4 if start else 1e-3, "warm_up": 100}


TRAININGS: dict[str, Callable[[Mapping[str, Any], str], Path]] = {
    "supervised": lambda shared, _: train_supervised(shared),
    "sgan": lambda shared, _: train_published(shared),
    "ours": lambda shared, _: train_ours(shared),
    "begun": train_ours,
    "combined": train_with_unlabelled,
}


def read_scores(folder: Path) -> dict[str, float] | None:
    path = folder / "scores.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def accuracy(scores: Mapping[str, float], labels: str) -> float:
    """Top-1 accuracy in per cent at the level that was learned."""
    return 100 * scores[f"{labels}/top-1"]


def gather(found: Mapping[Cell, Mapping[str, float]], labels: str, method: str, share: float) -> list[float]:
    """Accuracies of all seeds that are done."""
    return [
        accuracy(scores, labels)
        for cell, scores in found.items()
        if (cell.labels, cell.method, cell.share) == (labels, method, share)
    ]


def table(found: Mapping[Cell, Mapping[str, float]], label_sets: Sequence[str], methods: Sequence[str]) -> str:
    """Mean and half the range of the seeds, their number in brackets; the paper's figures below."""
    head = f"{'labels':<12}{'method':<44}" + "".join(f"{f'{share:.0%}':>16}" for share in SHARES)
    lines = [head]
    for labels in label_sets:
        for method in methods:
            cells = [_cell(gather(found, labels, method, share)) for share in SHARES]
            lines.append(f"{labels:<12}{METHODS[method]:<44}" + "".join(f"{cell:>16}" for cell in cells))
        for (of, method), values in PUBLISHED.items():
            if of == labels:
                lines.append(f"{labels:<12}{f'published, {method}':<44}" + "".join(f"{v:>16}" for v in values))
    return "\n".join(lines)


def _cell(values: Sequence[float]) -> str:
    if not values:
        return "-"
    return f"{np.mean(values):.1f} ± {np.ptp(values) / 2:.1f} ({len(values)})"


def plot(
    found: Mapping[Cell, Mapping[str, float]], label_sets: Sequence[str], methods: Sequence[str], path: Path
) -> None:
    """Fig. 9: a panel for each label set, lines with the range of the seeds, the paper's own figures dashed."""
    figure = Figure(figsize=(5.2 * len(label_sets), 4.4), layout="constrained")
    FigureCanvasAgg(figure)
    percents = [100 * share for share in SHARES]
    shown: dict[str, Any] = {}
    for axes, labels in zip(figure.subplots(1, len(label_sets), squeeze=False)[0], label_sets, strict=True):
        for number, method in enumerate(methods):
            done = [(p, v) for p, s in zip(percents, SHARES, strict=True) if (v := gather(found, labels, method, s))]
            if done:
                means = np.array([np.mean(values) for _, values in done])
                ends = np.array([[np.min(values), np.max(values)] for _, values in done]).T
                axes.errorbar(
                    [p for p, _ in done],
                    means,
                    np.abs(ends - means),
                    marker="o",
                    capsize=3,
                    color=f"C{number}",
                    label=METHODS[method],
                )
        for (of, method), values in PUBLISHED.items():
            if of == labels:
                style = {"supervised": "C0", "sgan": "C1"}[method]
                axes.plot(percents, values, "--", color=style, alpha=0.6, label=f"published, {method}")
        axes.set(
            title=TITLES[labels], xlabel="patterns with a label / %", xscale="log", ylabel="right first answer / %"
        )
        axes.set_xticks(percents, [f"{p:g}" for p in percents])
        axes.minorticks_off()
        axes.grid(alpha=0.3)
        handles, names = axes.get_legend_handles_labels()
        shown |= dict(zip(names, handles, strict=True))
    figure.legend(shown.values(), shown.keys(), loc="outside lower center", ncols=2, fontsize=8)
    figure.savefig(path, dpi=140)
    print(f"wrote {path}")


if __name__ == "__main__":
    main()
