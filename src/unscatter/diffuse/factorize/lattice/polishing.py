"""The last digits of a lattice, and whether it is more symmetric than it came out: what predicts hidden pixels best."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from unscatter.diffuse.factorize.asking import Answer
from unscatter.diffuse.factorize.folding import Grid
from unscatter.diffuse.factorize.lattice.candidates import reduce
from unscatter.diffuse.factorize.lattice.refinement import fold_step
from unscatter.diffuse.factorize.lattice.spectrum import FlatPlane
from unscatter.diffuse.factorize.lattice.weighing import held_out_residual
from unscatter.diffuse.plane.fold import PlaneLattice
from unscatter.nouns.arrays import Floats, Mask

#: Steps of Gauss-Newton, and how far from a special angle (degrees) or ratio of lengths one is tried.
STEPS = 4
ANGLE, RATIO = 3.0, 0.05
#: Relative gain in the residual that pays for one free number.
PRICE = 5e-4
#: Drift across the picture, in pixels of the canvas, within which a translation may be meant to run along an edge.
ALONG_EDGE = 6.0


def polish(intensity: Floats, measured: Mask, blind: Answer, grid: Grid) -> PlaneLattice:
    """The lattice near that of `grid` with the least residual of hidden pixels, a little less for each free number."""
    start = grid.lattice.translations
    fitted = _fit_intensity(intensity, measured, blind, grid)
    tried = [(start, 4), (fitted, 4), *_symmetric(fitted, grid)]

    def price(each: tuple[Floats, int]) -> float:
        lattice = PlaneLattice(each[0], None)
        residual = held_out_residual(intensity, measured, blind, Grid(grid.x, grid.y, lattice))
        return residual * (1 + PRICE * each[1])

    return PlaneLattice(min(tried, key=price)[0], None)


def _fit_intensity(intensity: Floats, measured: Mask, blind: Answer, grid: Grid) -> Floats:
    """Gauss-Newton on the fold of I / I_FF; the start where it runs away."""
    form = np.maximum(blind.form_factor, 1e-2 * blind.form_factor.max())
    plane = FlatPlane(intensity / form, measured * form)
    x, y = (axis - axis.mean() for axis in (grid.x, grid.y))
    frequencies = grid.lattice.frequencies
    for _ in range(STEPS):
        frequencies = frequencies + fold_step(plane, frequencies, x, y)
    drift = np.abs(frequencies - grid.lattice.frequencies).max() * float(max(np.ptp(x), np.ptp(y)))
    fitted = reduce(*np.linalg.inv(frequencies).T) if drift < 1 else None
    return grid.lattice.translations if fitted is None else fitted


def _symmetric(translations: Floats, grid: Grid) -> Iterator[tuple[Floats, int]]:
    """More symmetric lattices nearby and how many numbers each leaves free; along an edge of the picture if near it."""
    a, b = translations
    b = b if a @ b >= 0 else -b
    lengths = np.linalg.norm([a, b], axis=1)
    angle = math.degrees(math.acos(float(np.clip(a @ b / lengths.prod(), -1, 1))))
    equal = np.full(2, math.sqrt(lengths.prod()))
    shapes = [(lengths, 90.0, 3)] if abs(angle - 90) < ANGLE else []
    if abs(lengths[0] / lengths[1] - 1) < RATIO:
        shapes += [(equal, special, 2) for special in (60.0, 90.0) if abs(angle - special) < ANGLE] or [
            (equal, angle, 3)
        ]
    for sides, opening, free in shapes:
        made = _span(a, b, sides, opening)
        yield made, free
        turned = _along_edge(made, grid)
        if turned is not None:
            yield turned, free - 1


def _span(a: Floats, b: Floats, sides: Floats, opening: float) -> Floats:
    """Two vectors of given lengths and angle about the bisector of a and b."""
    middle = np.arctan2(*(a / np.linalg.norm(a) + b / np.linalg.norm(b))[::-1])
    side = 1 if a[0] * b[1] - a[1] * b[0] > 0 else -1
    half = side * math.radians(opening) / 2
    return np.array(
        [[s * math.cos(p), s * math.sin(p)] for s, p in zip(sides, (middle - half, middle + half), strict=True)]
    )


def _along_edge(translations: Floats, grid: Grid) -> Floats | None:
    """Turned so that a translation, or the bisector of both, runs along an edge; None if none is near."""
    a, b = translations
    near: list[float] = []
    for vector in (a, b, a / np.linalg.norm(a) + b / np.linalg.norm(b)):
        direction = math.atan2(vector[1], vector[0])
        near.append(direction - round(direction / (math.pi / 2)) * (math.pi / 2))
    turn = min(near, key=abs)
    edge = min(float(np.ptp(grid.x)), float(np.ptp(grid.y)))
    if abs(turn) * edge > ALONG_EDGE * (grid.x[1] - grid.x[0]):
        return None
    c, s = math.cos(turn), math.sin(turn)
    turned = translations @ np.array([[c, -s], [s, c]])
    return np.where(np.abs(turned) < 1e-9 * np.abs(turned).max(), 0.0, turned)
