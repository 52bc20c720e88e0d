"""Score the factorization on held-out molecule pairs, through the same function that users call."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from torch import nn
from tqdm import tqdm

from unscatter.diffuse.factorize.factorize import factorize
from unscatter.diffuse.plane.fold import PlaneLattice, plane_lattice
from unscatter.diffuse.samples.draw import Samples, collate, draw_sample, render
from unscatter.diffuse.samples.recipe import DiffuseRecipe, read_recipe
from unscatter.nouns.arrays import Floats
from unscatter.nouns.plane import Plane
from unscatter.train.diffuse.distribution import Distances, distribution_distances
from unscatter.train.diffuse.features import open_encoder, open_inception
from unscatter.train.diffuse.measures import HEADLINE, SCALINGS, Scored
from unscatter.workers import ALONE, Workers, spread

Stack = NDArray[np.float32]
#: What is known of the lattice of a plane that is scored.
Given = Literal["lattice given", "lattice found", "no lattice"]

#: Table 1 of Fuller & Rudden (2024): the published network on its own validation set, without the lattice.
PUBLISHED = {
    "I_FF": {"mean": 0.006, "90 %": 0.014, "FID": 36.9, "KID": 0.008},
    "I_SRO": {"mean": 0.015, "90 %": 0.032, "FID": 13.1, "KID": 0.003},
}


@dataclass(frozen=True)
class EvaluationOptions:
    """What is scored. count: samples, 98 hold every validation pair once; seed: of the validation set.

    distances: also FID-x and KID-x, in features of the encoder that comes with the package; inception: file of
    Inception weights (TorchScript or .safetensors), for FID and KID in the scale of the literature too.
    """

    weights: str = "factorize-256"
    recipe: str = "paper"
    count: int = 98
    seed: int = 0
    distances: bool = True
    inception: Path | None = None


def validation_planes(
    recipe: DiffuseRecipe, seed: int, count: int
) -> Iterator[tuple[Plane, Samples, PlaneLattice | None]]:
    """Simulated measurements with cell and axes, the truth behind them, and how I_SRO repeats."""
    for index in range(count):
        yield validation_plane(recipe, seed, index)


def validation_plane(recipe: DiffuseRecipe, seed: int, index: int) -> tuple[Plane, Samples, PlaneLattice | None]:
    """One of them; a pure function of the arguments."""
    draw = draw_sample(recipe, seed, index, "validation")
    samples = render(collate(recipe, [draw]))
    intensity = np.where(draw.measured, samples.intensity[0], np.nan)
    plane = Plane(intensity, draw.axes, draw.cell, title=" / ".join(draw.names), simulated=True)
    return plane, samples, plane_lattice(draw.axes)


def score(options: EvaluationOptions, given: Given, workers: Workers = ALONE) -> Scored:
    """Take every validation plane apart, with its lattice, looking for it, or as a bare picture.

    workers: who simulates the planes and takes them apart; the scores are the same whoever does.
    """
    work = partial(_score_plane, options, read_recipe(options.recipe), given)
    with spread(work, range(options.count), workers) as answers:
        found = list(tqdm(answers, total=options.count, desc=given, leave=False))
    predicted, truth, planes, lattices = zip(*found, strict=True)
    return Scored(np.stack(predicted), np.stack(truth), planes, lattices)


def _score_plane(
    options: EvaluationOptions, recipe: DiffuseRecipe, given: Given, index: int
) -> tuple[Stack, Stack, Plane, PlaneLattice | None]:
    """Factors that were found, true factors, plane and lattice of one validation sample."""
    plane, samples, lattice = validation_plane(recipe, options.seed, index)
    seen = plane if given == "lattice given" else Plane(plane.intensity)
    found = factorize(seen, options.weights, lattice="none" if given == "no lattice" else "find")
    predicted = np.stack([found.form_factor, found.short_range_order]).astype(np.float32)
    truth = np.stack([samples.form_factor[0], samples.short_range_order[0]]).astype(np.float32)
    return predicted, truth, plane, lattice


def error_table(rows: dict[str, Floats], published: bool = True) -> str:
    """A table of mean, median and 90th percentile of squared errors, the published row below ours if `published`.

    rows: errors (samples, 2) by the name of the row; NaN, where nothing was to be scored, is left out.
    """
    lines = [f"{'':<34}{'I_SRO':^27}{'I_FF':^27}"]
    lines += [f"{'':<34}" + f"{'mean':>9}{'median':>9}{'90 %':>9}" * 2]
    for name, errors in rows.items():
        numbers = [_summary(errors[:, component]) for component in (1, 0)]
        lines.append(f"{name:<34}" + "".join(f"{value:9.5f}" for triple in numbers for value in triple))
    if published:
        triples = [(PUBLISHED[c]["mean"], None, PUBLISHED[c]["90 %"]) for c in ("I_SRO", "I_FF")]
        cells = "".join(f"{'':>9}" if v is None else f"{v:9.3f}" for triple in triples for v in triple)
        lines.append(f"{'published network, without':<34}" + cells)
    return "\n".join(lines)


def _summary(errors: Floats) -> tuple[float, float, float]:
    seen = errors[np.isfinite(errors)]
    if not seen.size:
        return float("nan"), float("nan"), float("nan")
    return float(seen.mean()), float(np.median(seen)), float(np.quantile(seen, 0.9))


def error_tables(rows: dict[str, Scored]) -> list[str]:
    """Every measure: the published scaling first, measured pixels and gaps apart, other scalings, physical units."""
    tables = []
    for scaling in SCALINGS:
        first = scaling == HEADLINE
        tables.append(f"mean squared error, {scaling}")
        tables.append(error_table({name: scored.errors(scaling) for name, scored in rows.items()}, published=first))
        if first:
            for measured, words in ((True, "measured pixels only"), (False, "gaps only")):
                tables.append(f"the same, {words}")
                parts = {name: scored.errors_where(measured) for name, scored in rows.items()}
                tables.append(error_table(parts, published=False))
    return [*tables, physical_table({name: scored.physical_errors() for name, scored in rows.items()})]


def physical_table(rows: dict[str, Floats]) -> str:
    """A table of r.m.s. errors in physical units: mean and median over the samples.

    rows: errors (samples, 3) of I_FF, I_SRO and the alphas by the name of the row.
    """
    lines = [f"{'r.m.s. error, physical units':<34}{'I_SRO, mean 1':^18}{'I_FF / mean':^18}{'alpha':^18}"]
    lines += [f"{'':<34}" + f"{'mean':>9}{'median':>9}" * 3]
    for name, errors in rows.items():
        numbers = [_summary(errors[:, column])[:2] for column in (1, 0, 2)]
        lines.append(f"{name:<34}" + "".join(f"{value:9.4f}" for pair in numbers for value in pair))
    return "\n".join(lines)


def distance_table(rows: dict[str, list[Distances]], suffix: str = "") -> str:
    """A table of the Frechet and kernel distances of I_FF and I_SRO by the name of the row.

    suffix: "-x" for features of our own; without, the published row stands below ours.
    """
    lines = [f"{'distance of the sets of planes':<34}{'I_SRO':^27}{'I_FF':^27}"]
    lines += [f"{'':<34}" + f"{'FID' + suffix:>14}{'KID' + suffix:>13}" * 2]
    for name, (form, ordered) in rows.items():
        lines.append(f"{name:<34}" + "".join(f" {each.fid:13.3f} {each.kid:12.5f}" for each in (ordered, form)))
    if not suffix:
        cells = [f"{PUBLISHED[c]['FID']:14.1f}{PUBLISHED[c]['KID']:13.3f}" for c in ("I_SRO", "I_FF")]
        lines.append(f"{'published, of 12607 planes':<34}" + "".join(cells))
    return "\n".join(lines)


def evaluate_factorize(options: EvaluationOptions, workers: Workers = ALONE) -> str:
    """Score with the lattice, with the one that is found, and without, and return the tables.

    workers: who simulates the planes and takes them apart. Raises ValueError for distances of fewer than two samples.
    """
    if options.distances and options.count < 2:
        raise ValueError(f"distances need two samples or more, got --count {options.count}: add --no-distances")
    # Before the long work, so that a file that cannot be used is known at once.
    encoders = _open_encoders(options)
    rows = {f"ours, {given}": score(options, given, workers) for given in get_args(Given)}
    tables = [f"{options.count} validation samples of recipe {options.recipe}, weights {options.weights}"]
    tables += error_tables(rows)
    for suffix, encoder in encoders.items():
        distances = {name: component_distances(scored, encoder) for name, scored in rows.items()}
        tables.append(distance_table(distances, suffix))
    return "\n".join(tables)


def component_distances(scored: Scored, encoder: nn.Module) -> list[Distances]:
    """Distances between predicted and true I_FF, and between predicted and true I_SRO."""
    made, true = scored.scaled()
    return [distribution_distances(made[:, c], true[:, c], encoder) for c in (0, 1)]


def _open_encoders(options: EvaluationOptions) -> dict[str, nn.Module]:
    """Encoders by what stands behind FID and KID."""
    if not options.distances:
        return {}
    given = {"": open_inception(options.inception)} if options.inception else {}
    return {"-x": open_encoder(), **given}
