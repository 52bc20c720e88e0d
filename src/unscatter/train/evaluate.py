"""Score the factorization on held-out molecule pairs, through the same function that users call."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from unscatter.diffuse.factorize import factorize
from unscatter.diffuse.samples import DiffuseRecipe, Samples, collate, draw_sample, read_recipe, render
from unscatter.diffuse.scaling import scale_by_maximum
from unscatter.types import Plane

Floats = NDArray[np.float64]

#: Table 1 of Fuller & Rudden (2024): the published network on its own validation set, without the lattice.
PUBLISHED = {"I_FF": {"mean": 0.006, "90 %": 0.014}, "I_SRO": {"mean": 0.015, "90 %": 0.032}}


@dataclass(frozen=True)
class EvaluationOptions:
    """What is scored. count: samples, 98 hold every validation pair once; seed: of the validation set.

    lattice: known (cell and axes given) or unknown (the picture alone).
    """

    weights: str = "factorize-256"
    recipe: str = "paper"
    count: int = 98
    seed: int = 0


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


def score(options: EvaluationOptions, lattice_known: bool) -> Scored:
    """Take every validation plane apart, with its lattice or as a bare picture."""
    recipe = read_recipe(options.recipe)
    predicted, truth = [], []
    planes = validation_planes(recipe, options.seed, options.count)
    label = "with the lattice" if lattice_known else "without"
    for plane, samples in tqdm(planes, total=options.count, desc=label, leave=False):
        given = plane if lattice_known else Plane(plane.intensity)
        components = factorize(given, options.weights)
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


def evaluate_factorize(options: EvaluationOptions) -> str:
    """Score with and without the lattice and return the table."""
    rows = {
        "ours, lattice given": score(options, lattice_known=True).errors,
        "ours, the picture alone": score(options, lattice_known=False).errors,
    }
    head = f"{options.count} validation samples of recipe {options.recipe}, weights {options.weights}"
    return f"{head}\n{error_table(rows)}"
