"""What the published trainings cost at their full scale, from what one core of this machine measures.

    python benchmarks/full_scale.py [--structures reflections.h5] [--gpus 8] [--teraflops 40] [--cores 128]

Measured here, CPU time of one thread: drawing and rendering planes and patterns, one training step of each network, its
floating-point operations, and the size of a stored sample. Extrapolated, and marked so: everything else, from these
numbers, the number of GPUs, and the operations a second that each is *assumed* to sustain (--teraflops; 40 is less than
a tenth of what the data sheet of an H100 gives for dense TF32). Nothing is measured on a GPU, and small networks do not
fill one: their hours are lower bounds. Without --structures 200 random crystals are drawn.
"""

# The number of threads has to be set before NumPy is imported.
# ruff: noqa: E402

from __future__ import annotations

import os

for library in ("OMP", "OPENBLAS", "MKL"):
    os.environ[f"{library}_NUM_THREADS"] = "1"

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from lightning_fabric import Fabric
from torch.utils.flop_counter import FlopCounterMode

from unscatter.diffuse.samples.draw import read_recipe
from unscatter.diffuse.samples.frozen import write_samples as write_planes
from unscatter.powder.samples.cache_writing import write_reflection_cache
from unscatter.powder.samples.draw import CachedCrystals
from unscatter.powder.samples.draw import read_recipe as read_powder_recipe
from unscatter.powder.samples.frozen import write_samples as write_patterns
from unscatter.train.diffuse.batches import DiffuseStream, draw_batches, render_batch
from unscatter.train.diffuse.factorize import FactorizeTraining, UNetTraining
from unscatter.train.diffuse.pix2pix import ParallelGans, Pix2PixTraining
from unscatter.train.powder.classify import ClassifierTraining, RelationNetTraining, ResNetTraining
from unscatter.train.powder.patterns import PatternSource
from unscatter.train.session import Place, Progress

#: Fuller & Rudden (2024): planes and epochs; the issue of powders: patterns.
PLANES, EPOCHS, PATTERNS = 198_421, 200, 10_000_000
STORED = 16
Made = TypeVar("Made")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--structures", type=Path)
    parser.add_argument("--gpus", type=int, default=8)
    parser.add_argument("--teraflops", type=float, default=40.0, help="assumed to be sustained by a GPU")
    parser.add_argument("--cores", type=int, default=128, help="of the machines together, that draw samples")
    options = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        structures = options.structures or random_structures(Path(folder))
        measured = {**plane_costs(Path(folder)), **pattern_costs(structures, Path(folder))}
    print(f"{'measured, one thread of this CPU':<44}{'samples/s':>12}{'ms':>10}{'GFLOP':>10}{'kB':>9}")
    for name, (seconds, operations, size) in measured.items():
        cells = f"{1 / seconds:12.1f}{1e3 * seconds:10.2f}" if seconds else f"{'':>22}"
        print(f"{name:<44}{cells}{cell(operations / 1e9)}{cell(size / 1e3)}")
    plan(measured, options)


def cell(value: float) -> str:
    return f"{value:10.2f}" if value else f"{'':>10}"


#: Seconds of a core, floating-point operations and bytes of a sample; 0 where there are none.
Costs = dict[str, tuple[float, float, float]]


def plane_costs(folder: Path) -> Costs:
    costs: Costs = {}
    for name in ("paper", "measured"):
        recipe = read_recipe(name)
        batches = draw_batches(recipe, 1, 8, split="training", first=0, batches=4, workers=0)
        next(batches)
        drawn, drawing = timed(lambda batches=batches: list(batches))
        render_batch(drawn[0], torch.device("cpu"))
        _, rendering = timed(lambda drawn=drawn: [render_batch(one, torch.device("cpu")) for one in drawn])
        costs[f"draw a plane, {name}"] = (drawing / 24, 0.0, 0.0)
        costs[f"render a plane, {name}"] = (rendering / 24, 0.0, 0.0)
    _, writing = timed(lambda: write_planes(folder / "planes.h5", read_recipe("paper"), STORED, progress=False))
    size = (folder / "planes.h5").stat().st_size / STORED
    costs["simulate and store a plane, paper"] = (writing / STORED, 0.0, size)
    return costs | {
        "learn from a plane, U-Net": network_cost(FactorizeTraining(recipes=("paper",), batch=8), UNetTraining),
        "learn from a plane, Pix2PixGANs": network_cost(
            Pix2PixTraining(recipes=("paper",), batch=8),
            lambda options, recipes, fabric: ParallelGans(options, fabric, recipes),
        ),
    }


def network_cost(options: Any, make: Callable[..., Any]) -> tuple[float, float, float]:
    fabric = Fabric(accelerator="cpu", devices=1)
    stream = DiffuseStream(options)
    batch = next(stream.batches(Place(0, 0, 1, fabric.device)))
    return step_cost(make(options, stream.recipes, fabric), batch, options.batch)


def pattern_costs(structures: Path, folder: Path) -> Costs:
    costs: Costs = {}
    crystals = CachedCrystals([structures])
    for name in ("paper", "measured"):
        recipe = read_powder_recipe(name)
        # The first call compiles.
        write_patterns(folder / f"warm-{name}.h5", recipe, 64, crystals, progress=False)
        path = folder / f"{name}.h5"
        _, writing = timed(lambda path=path, recipe=recipe: write_patterns(path, recipe, 256, crystals, progress=False))
        costs[f"simulate and store a pattern, {name}"] = (writing / 256, 0.0, path.stat().st_size / 256)
    fabric = Fabric(accelerator="cpu", devices=1)
    for kind, name in ((RelationNetTraining, "RelationNet"), (ResNetTraining, "ResNet-18")):
        asked = kind(structures=(structures,), recipes=("paper",), split="random", fractions=(0.6, 0.2, 0.2), batch=64)
        source = PatternSource(asked, asked.axis)
        rows = np.resize(source.labelled, asked.batch)
        batch = source.draw_training(source.recipes[0], rows, 1, 0)
        learner = ClassifierTraining(asked, source, fabric)
        costs[f"learn from a pattern, {name}"] = step_cost(learner, batch, asked.batch)
    return costs


def step_cost(learner: Any, batch: Any, size: int) -> tuple[float, float, float]:
    """Seconds of a core and operations for each sample of one training step, the second of its kind."""
    progress = Progress()
    counter = FlopCounterMode(display=False)
    with counter:
        learner.update(batch, progress)
    progress.step += 1
    _, seconds = timed(lambda: learner.update(batch, progress))
    return seconds / size, counter.get_total_flops() / size, 0.0


def timed(work: Callable[[], Made]) -> tuple[Made, float]:
    started = time.process_time()
    made = work()
    return made, time.process_time() - started


def random_structures(folder: Path) -> Path:
    write_reflection_cache("random:200", folder / "random.h5", progress=False)
    return folder / "random.h5"


def plan(measured: Costs, options: argparse.Namespace) -> None:
    rate = options.gpus * options.teraflops * 1e12
    visits = PLANES * EPOCHS
    print(f"\nextrapolated: {options.gpus} GPUs that sustain {options.teraflops:g} TFLOP/s each, {options.cores} cores")
    print(f"{'':<58}{'1 core, d':>12}{'GPUs, h':>10}{'cores, h':>10}{'GB':>9}")
    rows = (
        ("simulate and store a plane, paper", PLANES, f"{PLANES} planes, stored once"),
        ("draw a plane, paper", visits, f"{visits / 1e6:.1f} million planes, numbers drawn anew each time"),
        ("render a plane, paper", visits, "the same, rendered"),
        ("learn from a plane, U-Net", visits, f"U-Net, {EPOCHS} epochs of {PLANES}"),
        ("learn from a plane, Pix2PixGANs", visits, f"Pix2PixGANs, {EPOCHS} epochs of {PLANES}"),
        ("simulate and store a pattern, paper", PATTERNS, f"{PATTERNS} patterns of paper, stored"),
        ("simulate and store a pattern, measured", PATTERNS, f"{PATTERNS} patterns of measured, stored"),
        ("learn from a pattern, RelationNet", PATTERNS, f"RelationNet, {PATTERNS} patterns"),
        ("learn from a pattern, ResNet-18", PATTERNS, f"ResNet-18, {PATTERNS} patterns"),
    )
    for name, count, words in rows:
        seconds, operations, size = measured[name]
        gpus = f"{count * operations / rate / 3600:10.2f}" if operations else f"{'':>10}"
        cores = f"{'':>10}" if operations else f"{count * seconds / options.cores / 3600:10.2f}"
        print(f"{words:<58}{count * seconds / 86400:12.1f}{gpus}{cores}{cell(count * size / 1e9)[1:]}")


if __name__ == "__main__":
    main()
