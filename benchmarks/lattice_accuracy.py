"""How often the lattice of a picture is found, how far to believe it, and what it does for the factors.

python benchmarks/lattice_accuracy.py [--count 150] [--recipes paper measured] [--weights factorize-256]

Each recipe: planes of the validation split, seed 0, as bare pictures. Errors in the scaling of unscatter before 0.2
(planes divided by their maximum), in which the bounds are stated, and in that of the published code.
"""

import argparse
import time
from dataclasses import dataclass

import numpy as np

from unscatter.diffuse.factorize.factorize import factorize
from unscatter.diffuse.plane.fold import PlaneLattice
from unscatter.diffuse.plane.scaling import scale_as_published, scale_by_maximum
from unscatter.diffuse.plane.streaks import fit_streaks
from unscatter.diffuse.samples.recipe import read_recipe
from unscatter.nouns.found_lattice import FoundLattice
from unscatter.nouns.plane import Plane
from unscatter.train.diffuse.evaluate import validation_planes

#: A translation is right if it is a whole number of true ones to this.
TOLERANCE = 0.05
#: Streaks are right if so much of the variance of the true I_SRO lies along their direction.
ALONG = 0.95


@dataclass(frozen=True)
class Row:
    """One plane: squared errors of I_SRO and I_FF in two scalings, what was found, and the time it took."""

    errors: tuple[float, float, float, float]
    right: bool
    confidence: str
    index: float
    step: tuple[float, float]
    seconds: float


def index_of(found: np.ndarray, true: np.ndarray) -> tuple[float, bool]:
    """Area of a found cell over that of the true one, and whether both span one lattice."""
    steps = found @ np.linalg.inv(true)
    whole = np.round(steps)
    same = abs(abs(np.linalg.det(whole)) - 1) < 0.1 and np.abs(steps - whole).max() < TOLERANCE
    return abs(float(np.linalg.det(steps))), bool(same)


def is_right(found: FoundLattice, true: np.ndarray, order: np.ndarray) -> bool:
    """Whether a found lattice is that of the translations (2, 2); whether streaks hold the true I_SRO (ny, nx)."""
    if not found.one_dimensional:
        return index_of(found.translations, true)[1]
    wave = np.linalg.inv(found.translations).T[0]
    y, x = (np.arange(n, dtype=float) for n in order.shape)
    series = fit_streaks(order, np.ones_like(order), wave, x, y, int(np.clip(0.49 / np.linalg.norm(wave), 1, 12)))
    return bool(np.var(order - series(x, y)) < (1 - ALONG) * np.var(order))


def step_across_edges(form: np.ndarray, measured: np.ndarray) -> float:
    """Curvature of sqrt(I_FF) at the edges of gaps over that elsewhere: near 1 where gaps leave no scars."""
    root, ratios = np.sqrt(form / form.mean()), []
    for axis in (0, 1):
        bend = np.abs(np.diff(root, n=2, axis=axis))
        edge = np.diff(measured.astype(int), axis=axis) != 0
        edge = np.delete(edge, 0, axis=axis) | np.delete(edge, -1, axis=axis)
        if edge.any():
            ratios.append(float(bend[edge].mean() / bend[~edge].mean()))
    return float(np.mean(ratios)) if ratios else float("nan")


def score(plane: Plane, form: np.ndarray, order: np.ndarray, lattice: PlaneLattice | None, weights: str) -> Row:
    started = time.process_time()
    components = factorize(Plane(plane.intensity), weights)
    seconds = time.process_time() - started
    pairs = ((components.short_range_order, order), (components.form_factor, form))
    errors = tuple(
        float(np.mean((scale(made) - scale(true)) ** 2))
        for scale in (scale_by_maximum, scale_as_published)
        for made, true in pairs
    )
    found = components.found_lattice
    index, right = float("nan"), False
    if found is not None and lattice is not None:
        step = np.array([axis[1] - axis[0] for axis in (plane.axes.x, plane.axes.y)])
        true = lattice.translations / step
        index, right = index_of(found.translations, true)[0], is_right(found, true, order)
    steps = tuple(step_across_edges(each, plane.measured) for each in (components.form_factor, form))
    return Row(errors, right, "none" if found is None else found.confidence, index, steps, seconds)


def triple(values: list[float]) -> str:
    return f"{np.mean(values):.4f} / {np.median(values):.4f} / {np.quantile(values, 0.9):.4f}"


def report(name: str, rows: list[Row]) -> str:
    lines = [f"recipe {name}, {len(rows)} planes: mean / median / 90 % of squared errors"]
    for scale, first in (("by maximum", 0), ("published", 2)):
        order, form = ([row.errors[first + i] for row in rows] for i in (0, 1))
        lines.append(f"  {scale:<12} I_SRO {triple(order)}   I_FF {triple(form)}")
    known = [row for row in rows if np.isfinite(row.index) or row.confidence == "none"]
    lines.append(f"  right lattice {100 * np.mean([row.right for row in known]):.1f} %")
    for word in ("sure", "likely", "uncertain", "none"):
        those = [row for row in known if row.confidence == word]
        if those:
            right, error = np.mean([row.right for row in those]), np.mean([row.errors[0] for row in those])
            lines.append(f"    {word:<10} {len(those):4d} planes, {100 * right:5.1f} % right, I_SRO {error:.4f}")
    made, true = (np.nanmedian([row.step[i] for row in rows]) for i in (0, 1))
    lines.append(f"  curvature of I_FF at edges of gaps over elsewhere {made:.2f}, of the truth {true:.2f}")
    lines.append(f"  {np.mean([row.seconds for row in rows]):.2f} CPU-s a plane")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=150)
    parser.add_argument("--recipes", nargs="+", default=["paper", "measured"])
    parser.add_argument("--weights", default="factorize-256")
    options = parser.parse_args()
    for name in options.recipes:
        planes = validation_planes(read_recipe(name), 0, options.count)
        rows = [
            score(plane, samples.form_factor[0], samples.short_range_order[0], lattice, options.weights)
            for plane, samples, lattice in planes
        ]
        print(report(name, rows), flush=True)


if __name__ == "__main__":
    main()
