"""Does I_SRO change across the plane, as displacements of atoms make it do?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unscatter.diffuse.plane.fold import PlaneLattice, half_plane
from unscatter.diffuse.plane.separable import wave_tables
from unscatter.diffuse.suitability.noise import cell_mean, measured_intensity
from unscatter.nouns.arrays import Floats
from unscatter.nouns.cell import Cell
from unscatter.nouns.components import Components
from unscatter.nouns.findings import Finding
from unscatter.nouns.plane import PlaneAxes

#: Harmonics of I_SRO that may change across the plane.
CHANGING_ORDER = 2
#: Pixels along a translation that are enough for them.
FEW_PIXELS = 10


def find_changes(
    components: Components,
    axes: PlaneAxes,
    cell: Cell,
    lattice: PlaneLattice,
    variance: Floats,
    limits: dict[str, tuple[float, float]],
    images: bool,
) -> tuple[Finding, Finding, dict[str, Floats]]:
    """Does the periodic part change across the plane as displacements make it do?

    Displacements add to I_SRO terms Q . v sin(Q v), the size effect, and Q_i Q_j cos(Q v) (Borie & Sparks, Acta Cryst.
    A27, 198, 1971). Both are fitted to I / I_FF, with an I_FF so smooth that it cannot take them up, beside constant
    harmonics; each counts as the share of the variance that only it explains.
    """
    width = lattice.window
    form = cell_mean(components.form_factor, axes, width)
    regression = _Regression(components, axes, cell, lattice, form)
    pictures: dict[str, Floats] = {}
    everything = ("constant", "size effect", "displacement")
    noise = float(np.sum(components.plane.measured * variance / form))
    pixel = noise / max(float(components.plane.measured.sum()), 1.0)
    total = max(regression.chi2(()), 1e-300)

    def gain(names: tuple[str, ...], known: tuple[str, ...]) -> float:
        # Each coefficient takes up noise of about one average pixel.
        expected = sum(regression.count(name) for name in names) * pixel
        return max(regression.chi2(known) - regression.chi2((*known, *names)) - expected, 0.0) / total

    rest = ("constant", "size effect")
    # Fringes of I_FF leave more in what changes with direction: it counts a third.
    gains = {
        "size effect": gain(("size effect",), ("constant", "displacement")),
        "displacement": max(gain(("displacement",), rest), gain(("displacement", "direction"), rest) / 3),
    }
    if images:
        pictures = {name: form * regression.image(everything, name) for name in everything[1:]}
    direction = "grows" if regression.at_centre(everything) > 0 else "falls"
    size = Finding(
        "size effect",
        gains["size effect"],
        *limits["size effect"],
        f"{gains['size effect']:.1%} of the variance is asymmetric about points of the lattice, more so at larger |Q|",
    )
    displacement = Finding(
        "displacement",
        gains["displacement"],
        *limits["displacement"],
        f"{gains['displacement']:.1%} of the variance is periodic with a strength that changes with Q as Q_i Q_j; it "
        f"{direction} with |Q| at the points of the lattice"
        + (": displacive disorder" if gains["displacement"] >= limits["displacement"][0] else ""),
    )
    return size, displacement, pictures


def _pixels_per_cell(axes: PlaneAxes, lattice: PlaneLattice) -> float:
    """Pixels along the shorter translation."""
    steps = np.array([axes.x[1] - axes.x[0], axes.y[1] - axes.y[0]])
    return float(np.linalg.norm(lattice.translations / steps, axis=1).min())


class _Regression:
    """I / I_FF as harmonics that are constant or change with Q, on the measured pixels, weighted by I_FF."""

    def __init__(
        self, components: Components, axes: PlaneAxes, cell: Cell, lattice: PlaneLattice, form: Floats
    ) -> None:
        self._axes, self._lattice = axes, lattice
        Q = np.moveaxis(axes.hkl() @ cell.reciprocal, -1, 0)
        directions = np.linalg.qr((np.stack([axes.u, axes.v]) @ cell.reciprocal).T)[0].T
        along = np.tensordot(directions, Q, axes=1)
        squared = np.sum(Q**2, axis=0)
        # In units of their maximum, so that all columns of the normal matrix are of one size.
        x, y = along / np.abs(along).max()
        away = np.sum(along**2, axis=0) + 1e-3 * float(np.max(along**2))
        # Displacements scatter as Q_i Q_j D_ij: with their size, and with their direction once I_FF has taken the size.
        self._factors = (
            x,
            y,
            squared / squared.max(),
            x * x - y * y,
            2 * x * y,
            (along[0] ** 2 - along[1] ** 2) / away,
            2 * along[0] * along[1] / away,
        )
        count = len(half_plane(CHANGING_ORDER)) - 1
        names = ["mean", "constant", "size effect", "displacement", "direction"]
        self._labels = np.repeat(names, [1, count, 2 * count, count, 4 * count])
        weight = components.plane.measured * form
        target = measured_intensity(components) / form
        size = len(self._labels)
        self._normal, self._right, self._square = np.zeros((size, size)), np.zeros(size), 0.0
        # Many pixels a cell say little more of two harmonics than a few do.
        stride = max(int(_pixels_per_cell(axes, lattice) // FEW_PIXELS), 1)
        columns = np.arange(0, axes.x.size, stride)
        # A band of rows at a time: all basis functions of a large plane would fill the memory.
        for rows in self._bands(stride):
            basis = self._basis(rows, columns).reshape(size, -1)
            w, y = weight[np.ix_(rows, columns)].ravel(), target[np.ix_(rows, columns)].ravel()
            self._normal += (basis * w) @ basis.T
            self._right += basis @ (w * y)
            self._square += float(np.sum(w * y**2))

    def count(self, name: str) -> int:
        """Number of coefficients of a term."""
        return int(np.sum(self._labels == name))

    def _bands(self, stride: int = 1) -> list[NDArray[np.int64]]:
        rows = np.arange(0, self._axes.y.size, stride)
        return np.array_split(rows, max(len(rows) // 16, 1))

    def _basis(self, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> Floats:
        """All basis functions on some rows and columns of the plane, (n, rows, columns)."""
        frequency = half_plane(CHANGING_ORDER)[1:] @ self._lattice.frequencies
        centre = self._lattice.centre or (0.0, 0.0)
        cos_x, sin_x = wave_tables(frequency[:, 0], self._axes.x[columns] - centre[0])
        cos_y, sin_y = wave_tables(frequency[:, 1], self._axes.y[rows] - centre[1])
        even = cos_y[:, :, None] * cos_x[:, None] - sin_y[:, :, None] * sin_x[:, None]
        odd = sin_y[:, :, None] * cos_x[:, None] + cos_y[:, :, None] * sin_x[:, None]
        x, y, *even_factors = (factor[np.ix_(rows, columns)] for factor in self._factors)
        grown = [factor * even for factor in even_factors]
        return np.concatenate([np.ones_like(even[:1]), even, x * odd, y * odd, *grown])

    def _solve(self, terms: tuple[str, ...]) -> tuple[NDArray[np.int64], Floats]:
        kept = np.flatnonzero(np.isin(self._labels, ("mean", *terms)))
        normal = self._normal[np.ix_(kept, kept)]
        normal = normal + 1e-6 * np.diag(np.diag(normal))
        return kept.astype(np.int64), np.asarray(np.linalg.solve(normal, self._right[kept]), dtype=np.float64)

    def chi2(self, terms: tuple[str, ...]) -> float:
        """Weighted sum of squares that is left with some of the terms."""
        kept, found = self._solve(terms)
        normal = self._normal[np.ix_(kept, kept)]
        return float(self._square - 2 * found @ self._right[kept] + found @ normal @ found)

    def image(self, terms: tuple[str, ...], name: str) -> Floats:
        """What one of the terms adds to I / I_FF, (ny, nx)."""
        kept, found = self._solve(terms)
        shown = np.where(self._labels[kept] == name, found, 0.0)
        columns = np.arange(self._axes.x.size)
        return np.concatenate([np.tensordot(shown, self._basis(r, columns)[kept], axes=1) for r in self._bands()])

    def at_centre(self, terms: tuple[str, ...]) -> float:
        """Whether the Q^2 term adds (> 0) or takes off at the centre of symmetry, where all cosines are 1."""
        kept, found = self._solve(terms)
        return float(found[self._labels[kept] == "displacement"].sum())
