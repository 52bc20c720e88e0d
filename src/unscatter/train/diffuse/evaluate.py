"""Score the factorization on held-out molecule pairs, through the same function that users call."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from torch import nn
from tqdm import tqdm

from unscatter.diffuse.factorize.factorize import factorize
from unscatter.diffuse.plane.scaling import scale_by_maximum
from unscatter.diffuse.samples.draw import DiffuseRecipe, Samples, collate, draw_sample, read_recipe, render
from unscatter.nouns.plane import Plane
from unscatter.train.diffuse.distribution import Distances, distribution_distances
from unscatter.train.diffuse.features import open_encoder, open_inception

Floats = NDArray[np.float64]
#: What is known of the lattice of a plane that is scored.
Given = Literal["lattice given", "lattice looked for", "the picture alone"]

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


@dataclass(frozen=True)
class Scored:
    """Planes of a validation set taken apart: (samples, 2, ny, nx) of I_FF and I_SRO in the paper's scaling."""

    predicted: NDArray[np.float32]
    truth: NDArray[np.float32]

    @property
    def errors(self) -> Floats:
        """Mean squared error of each component of each sample, (samples, 2)."""
        return np.asarray(np.mean((self.predicted.astype(np.float64) - self.truth) ** 2, axis=(-2, -1)))


def validation_planes(recipe: DiffuseRecipe, seed: int, count: int) -> Iterator[tuple[Plane, Samples]]:
    """Simulated measurements with cell and axes, and the truth behind them."""
    for index in range(count):
        draw = draw_sample(recipe, seed, index, "validation")
        samples = render(collate(recipe, [draw]))
        intensity = np.where(draw.measured, samples.intensity[0], np.nan)
        yield Plane(intensity, draw.axes, draw.cell, title=" / ".join(draw.names), simulated=True), samples


def score(options: EvaluationOptions, given: Given) -> Scored:
    """Take every validation plane apart, with its lattice, looking for it, or as a bare picture."""
    recipe = read_recipe(options.recipe)
    predicted, truth = [], []
    planes = validation_planes(recipe, options.seed, options.count)
    for plane, samples in tqdm(planes, total=options.count, desc=given, leave=False):
        seen = plane if given == "lattice given" else Plane(plane.intensity)
        components = factorize(seen, options.weights, find_lattice=given == "lattice looked for")
        predicted.append(_scaled(components.form_factor, components.short_range_order))
        truth.append(_scaled(samples.form_factor[0], samples.short_range_order[0]))
    return Scored(np.stack(predicted), np.stack(truth))


def _scaled(form: Floats, ordered: Floats) -> NDArray[np.float32]:
    return np.stack([scale_by_maximum(form), scale_by_maximum(ordered)]).astype(np.float32)


def error_table(rows: dict[str, Floats]) -> str:
    """A table of mean, median and 90th percentile of the squared errors, the published row beside ours.

    rows: errors (samples, 2) by the name of the row.
    """
    lines = [f"{'mean squared error':<34}{'I_SRO':^27}{'I_FF':^27}"]
    lines += [f"{'':<34}" + f"{'mean':>9}{'median':>9}{'90 %':>9}" * 2]
    for name, errors in rows.items():
        numbers = [_summary(errors[:, component]) for component in (1, 0)]
        lines.append(f"{name:<34}" + "".join(f"{value:9.5f}" for triple in numbers for value in triple))
    published = [(PUBLISHED[c]["mean"], None, PUBLISHED[c]["90 %"]) for c in ("I_SRO", "I_FF")]
    cells = "".join(f"{'':>9}" if v is None else f"{v:9.3f}" for triple in published for v in triple)
    return "\n".join([*lines, f"{'published network, without':<34}" + cells])


def _summary(errors: Floats) -> tuple[float, float, float]:
    return float(errors.mean()), float(np.median(errors)), float(np.quantile(errors, 0.9))


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


def evaluate_factorize(options: EvaluationOptions) -> str:
    """Score with the lattice, looking for it and without, and return the tables.

    Raises ValueError for distances of fewer than two samples.
    """
    if options.distances and options.count < 2:
        raise ValueError(f"distances need two samples or more, got --count {options.count}: add --no-distances")
    # Before the long work, so that a file that cannot be used is known at once.
    encoders = _open_encoders(options)
    rows = {f"ours, {given}": score(options, given) for given in get_args(Given)}
    tables = [f"{options.count} validation samples of recipe {options.recipe}, weights {options.weights}"]
    tables += [error_table({name: scored.errors for name, scored in rows.items()})]
    for suffix, encoder in encoders.items():
        distances = {name: component_distances(scored, encoder) for name, scored in rows.items()}
        tables.append(distance_table(distances, suffix))
    return "\n".join(tables)


def component_distances(scored: Scored, encoder: nn.Module) -> list[Distances]:
    """Distances between predicted and true I_FF, and between predicted and true I_SRO."""
    return [distribution_distances(scored.predicted[:, c], scored.truth[:, c], encoder) for c in (0, 1)]


def _open_encoders(options: EvaluationOptions) -> dict[str, nn.Module]:
    """Encoders by what stands behind FID and KID."""
    if not options.distances:
        return {}
    given = {"": open_inception(options.inception)} if options.inception else {}
    return {"-x": open_encoder(), **given}
