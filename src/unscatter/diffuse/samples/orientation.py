"""Views of a crystal: planes of any orientation, turned by any angle, of cells of any shape, in any axes."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from unscatter.diffuse.plane.fold import plane_lattice
from unscatter.diffuse.plane.planes import cartesian_axes
from unscatter.diffuse.samples.recipe import DiffuseRecipe
from unscatter.nouns.arrays import Floats
from unscatter.nouns.cell import Cell
from unscatter.nouns.plane import PlaneAxes

#: In-plane directions and one out of the plane, in reciprocal-lattice units, before the three axes change places.
_PLANES = (
    ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    ((1, 1, 0), (0, 0, 1), (1, 0, 0)),
    ((1, -1, 0), (0, 0, 1), (1, 0, 0)),
    ((1, -1, 0), (0, 1, -1), (1, 0, 0)),
    ((2, 1, 0), (0, 0, 1), (1, 0, 0)),
    ((1, -2, 0), (0, 0, 1), (1, 0, 0)),
)
#: How often each of them is drawn: planes along two axes most.
_CHANCES = (0.6, 0.15, 0.1, 0.05, 0.05, 0.05)
#: Half edges of planes, in 1/Angstrom.
_Q_LIMITS = (1.5, 9.5)
#: The shortest translation in pixels and the longest as a share of the plane.
_SHORTEST, _LONGEST = 5.5, 0.36


@dataclass(frozen=True)
class View:
    """A plane of a crystal as a picture: the cell, the axes, and how the picture's axes lie in Cartesian ones.

    frame: rows are the picture's axes x and y, (2, 2), in units of their usual length; the identity is a picture in
    Cartesian axes.
    """

    cell: Cell
    axes: PlaneAxes
    frame: Floats = field(default_factory=lambda: np.eye(2))

    def distort(self, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """A mask in Cartesian axes as this picture shows it, (n, n); beyond its border nothing was measured."""
        if np.array_equal(self.frame, np.eye(2)):
            return mask
        n = len(mask)
        place = np.arange(n) - (n - 1) / 2
        x, y = np.tensordot(self.frame.T, np.stack(np.meshgrid(place, place)), axes=1)
        columns, rows = (np.rint(p + (n - 1) / 2).astype(np.int64) for p in (x, y))
        inside = (columns >= 0) & (columns < n) & (rows >= 0) & (rows < n)
        return np.asarray(inside & mask[np.clip(rows, 0, n - 1), np.clip(columns, 0, n - 1)])


def draw_view(rng: np.random.Generator, recipe: DiffuseRecipe, usual: View, normal: int) -> View:
    """The usual view of a sample, or in a fraction `oriented` of them one of any kind.

    normal: the axis that the usual plane is normal to.
    """
    if rng.random() >= recipe.oriented:
        return _with_period(rng, recipe, usual)
    cell = _draw_cell(rng, usual.cell, normal)
    origin, p, q = _draw_plane(rng, recipe, usual, normal)
    frame = _draw_frame(rng, recipe)
    origin, u, v = cartesian_axes(cell, origin, p, q)
    turned = frame @ _rotation(rng.uniform(0, 2 * np.pi)) @ np.stack([u, v])
    axes = PlaneAxes(origin, turned[0], turned[1], usual.axes.x, usual.axes.y)
    return _with_period(rng, recipe, View(cell, axes, frame))


def _draw_cell(rng: np.random.Generator, cell: Cell, normal: int) -> Cell:
    """The cell as it is, oblique, or the primitive one of a lattice centred on the plane."""
    kind = rng.random()
    edges, angles = np.array(cell.parameters[:3]), np.array(cell.parameters[3:])
    if kind < 0.35:
        return cell
    if kind < 0.65:
        stretched = edges * np.exp(rng.normal(0, 0.12, 3))
        return Cell.from_sequence([*stretched, *rng.uniform(72, 112, 3)])
    i, j = (axis for axis in range(3) if axis != normal)
    ratio = float(np.exp(rng.normal(0, 0.35)))
    angle = math.degrees(2 * math.atan(ratio * edges[j] / edges[i]))
    # Half diagonals of a rectangle are equally long.
    edges[[i, j]] = math.sqrt(edges[i] * edges[j])
    angles[:] = 90.0
    angles[normal] = float(np.clip(angle, 50, 130))
    return Cell.from_sequence([*edges, *angles])


def _draw_plane(
    rng: np.random.Generator, recipe: DiffuseRecipe, usual: View, normal: int
) -> tuple[Floats, Floats, Floats]:
    """Origin and two in-plane directions in reciprocal-lattice units."""
    if rng.random() < recipe.incommensurate:
        directions = rng.normal(size=(3, 3))
        return directions[2] * rng.uniform(0, 1), directions[0], directions[1]
    chosen = _PLANES[int(rng.choice(len(_PLANES), p=_CHANCES))]
    if chosen is _PLANES[0]:
        i, j = (axis for axis in range(3) if axis != normal)
        return usual.axes.origin, np.eye(3)[i], np.eye(3)[j]
    p, q, out = np.array(chosen, dtype=np.float64)[:, rng.permutation(3)]
    height = rng.uniform(0, 2)
    return (np.rint(height) if rng.random() < 0.5 else height) * out, p, q


def _draw_frame(rng: np.random.Generator, recipe: DiffuseRecipe) -> Floats:
    """Axes of the picture: Cartesian, or sheared by up to 35 deg and stretched by up to 1.4."""
    if rng.random() >= recipe.sheared:
        return np.eye(2)
    stretch, angle = float(np.exp(rng.uniform(-0.17, 0.17))), math.radians(rng.uniform(-35, 35))
    return np.array([[stretch, 0.0], [math.sin(angle) / stretch, math.cos(angle) / stretch]])


def _rotation(angle: float) -> Floats:
    c, s = math.cos(angle), math.sin(angle)
    return np.array([[c, s], [-s, c]])


def _with_period(rng: np.random.Generator, recipe: DiffuseRecipe, view: View) -> View:
    """The same view out to where its translations are as long on the picture as the recipe says."""
    lattice = plane_lattice(view.axes) if recipe.period[1] > 0 else None
    if lattice is None:
        return view
    share = float(np.exp(rng.uniform(*np.log(recipe.period))))
    lengths = np.linalg.norm(lattice.translations, axis=1)
    q_max = math.sqrt(abs(float(np.linalg.det(lattice.translations)))) / (2 * share)
    pixels = view.axes.x.size
    q_max = max(min(q_max, float(lengths.min()) * pixels / (2 * _SHORTEST)), float(lengths.max()) / (2 * _LONGEST))
    grid = np.linspace(-1, 1, pixels) * float(np.clip(q_max, *_Q_LIMITS))
    return replace(view, axes=replace(view.axes, x=grid, y=grid))
