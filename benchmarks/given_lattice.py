"""How often the finding `lattice` doubts a right lattice, and one that is halved, doubled or has its axes swapped.

python benchmarks/given_lattice.py [--count 40] [--seed 31]

Planes of the validation split, recipes `paper` and `measured`, factorized with the lattice as given; a third of them
where it is wrong. An axis is that of the crystal: with a doubled, the translations in the plane are half as long. For
swapped axes pairs of rows are averaged first, so that a pixel is not square. The limits of the finding were set on
seeds 21 and 5.
"""

import argparse
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from unscatter.diffuse.factorize.factorize import factorize
from unscatter.diffuse.plane.fold import PlaneLattice, plane_lattice
from unscatter.diffuse.samples.draw import collate, draw_sample, read_recipe, render
from unscatter.diffuse.suitability import LIMITS
from unscatter.diffuse.suitability.periods import find_other_period
from unscatter.nouns.findings import Finding
from unscatter.nouns.plane import Plane, PlaneAxes

KINDS = ("right", "a doubled", "a halved", "swapped, pairs of rows")
STRETCHED = {"a doubled": (0.5, 1), "a halved": (2, 1)}


def simulate(recipe: str, seed: int, index: int) -> Plane:
    """One plane of a recipe."""
    settings = read_recipe(recipe)
    draw = draw_sample(settings, seed, index, "validation")
    sample = render(collate(settings, [draw]))
    return Plane(np.where(sample.measured[0], sample.intensity[0], np.nan), draw.axes, draw.cell, simulated=True)


def judge(plane: Plane, kind: str) -> Finding:
    """What the finding says of a plane whose lattice is given as a kind has it."""
    axes, values = plane.axes, plane.intensity
    assert axes is not None
    lattice = plane_lattice(axes)
    assert lattice is not None
    if "rows" in kind:
        values = (values[::2] + values[1::2]) / 2
        axes = replace(axes, y=(axes.y[::2] + axes.y[1::2]) / 2)
    translations = np.array(STRETCHED.get(kind, (1, 1)))[:, None] * lattice.translations
    if kind.startswith("swapped"):
        steps = np.array([axes.x[1] - axes.x[0], axes.y[1] - axes.y[0]])
        translations = (translations / steps)[:, ::-1] * steps
    # Axes in which the translations are (1 0 0) and (0 1 0): the network is told the same wrong lattice.
    u, v = (np.array([*row, 0.0]) for row in np.linalg.inv(translations))
    plane = Plane(values, replace(axes, origin=np.zeros(3), u=u, v=v), plane.cell)
    assert plane.axes is not None
    return find_other_period(factorize(plane), plane.axes, PlaneLattice(translations, None), LIMITS["lattice"])


def verdicts(recipe: str, count: int, seed: int) -> Iterator[tuple[str, list[str]]]:
    """All verdicts of each kind."""
    planes = [simulate(recipe, seed, index) for index in range(count)]
    known = [p for p in planes if isinstance(p.axes, PlaneAxes) and plane_lattice(p.axes) is not None]
    for kind in KINDS:
        few = known if kind == "right" else known[: count // 3]
        yield kind, [judge(plane, kind).verdict for plane in few]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--seed", type=int, default=31)
    given = parser.parse_args()
    print("of the planes on which it was tested, in percent: fair or poor / poor (planes)")
    for recipe in ("paper", "measured"):
        for kind, found in verdicts(recipe, given.count, given.seed):
            tested = [verdict for verdict in found if verdict != "not tested"]
            doubted, poor = (100 * np.mean([v in words for v in tested]) for words in (("fair", "poor"), ("poor",)))
            print(f"{recipe:<10}{kind:<24}{doubted:4.0f} /{poor:4.0f} ({len(tested)})", flush=True)


if __name__ == "__main__":
    main()
