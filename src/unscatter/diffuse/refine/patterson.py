"""A smooth I_FF as a Fourier series over distances inside a molecule, and the sums that least squares ask of it.

I_FF is the Fourier transform of a Patterson function: its waves belong to the distances inside the disordered
molecule and end at the largest of them. On a plane

    I_FF(q) = e(q) sum_g [a_g cos(2 pi g.q) + b_g sin(2 pi g.q)]

with q from the foot of the perpendicular from Q = 0, an envelope e for the fall-off with |Q|, and g on a fraction of
the direct lattice, so that the symmetry of the plane carries g into g. Coefficients that symmetry makes equal are one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from unscatter.diffuse.plane.fold import PlaneLattice
from unscatter.nouns.arrays import Floats
from unscatter.nouns.cell import Cell
from unscatter.nouns.plane import PlaneAxes

if TYPE_CHECKING:
    from unscatter.diffuse.refine.order_pictures import OrderPictures

Complexes = NDArray[np.complex128]

#: Rows of a normal matrix that are made at once.
_BLOCK = 16
#: Room around the plane, as a fraction of its width, before the series of I_FF repeats.
MARGIN = 0.05


@dataclass(frozen=True)
class PattersonSeries:
    """The waves of I_FF on the pixels of one plane, tied by symmetry.

    frequencies: (2, 2), waves per unit of (x, y) of the two basic steps of g; x, y: pixels, from the foot;
    harmonics: (G, 2), whole numbers (m, n) of g, both signs; operations: (2, 2) each, on rows (m, n);
    ties: (G, n) sparse, the amplitudes of exp(2 pi i g.q) in each real basis function; first: (n,), a g of each;
    length: (n,), of each in Angstrom; size: where the series ends; power: (n,), mean square of each basis function;
    envelope: (ny, nx).
    """

    frequencies: Floats
    x: Floats
    y: Floats
    harmonics: NDArray[np.int64]
    operations: tuple[NDArray[np.int64], ...]
    ties: csr_array
    first: NDArray[np.int64]
    length: Floats
    size: float
    power: Floats
    envelope: Floats

    def __len__(self) -> int:
        """Return the number of real coefficients."""
        return int(self.ties.shape[1])

    @cached_property
    def variance(self) -> Floats:
        """Prior variance of each coefficient, such that I_FF / e has variance 1, (n,).

        It falls as the number of pairs of points of a disc so far apart, and ends at `size`.
        """
        pairs = _pairs_in_disc(self.length / self.size)
        return np.asarray(pairs / self.power / max(float(pairs.sum()), 1e-300))

    def within(self, size: float) -> NDArray[np.int64]:
        """Indices of the coefficients of distances shorter than `size`: those of `cut`."""
        return np.flatnonzero(self.length < size * (1 - 1e-6))

    def cut(self, size: float) -> PattersonSeries:
        """Return the series that ends at a shorter distance, its coefficients in the same order."""
        kept = self.within(size)
        rows = np.flatnonzero(np.diff(csr_array(self.ties[:, kept]).indptr) > 0)
        place = np.full(len(self.harmonics), -1)
        place[rows] = np.arange(len(rows))
        return replace(
            self,
            harmonics=self.harmonics[rows],
            ties=csr_array(csr_array(self.ties[rows])[:, kept]),
            first=place[self.first[kept]],
            length=self.length[kept],
            size=size,
            power=self.power[kept],
        )

    def nearest(self, image: Floats, steps: int = 20) -> Floats:
        """Coefficients of the series nearest to an image in units of the envelope: conjugate gradients, (n,)."""
        inverse = 1 / self.envelope**2
        damping = 1e-6 * image.size / self.variance
        found = np.zeros(len(self))
        residual = self.project(image * inverse)
        scale = 1 / (image.size * self.power + damping)
        direction = scale * residual
        power = residual @ direction
        first = power
        for _ in range(steps):
            if power <= 1e-10 * first:
                break
            moved = self.project(self(direction) * inverse) + damping * direction
            step = power / (direction @ moved)
            found = found + step * direction
            residual = residual - step * moved
            after = residual @ (scale * residual)
            direction = scale * residual + after / power * direction
            power = after
        return found

    def __call__(self, coefficients: Floats) -> Floats:
        """Evaluate I_FF on the pixels, (ny, nx)."""
        grid = np.zeros((2 * self._top + 1, 2 * self._top + 1), dtype=np.complex128)
        grid[tuple(self.harmonics.T + self._top)] = self.ties @ coefficients
        return np.asarray(self.envelope * _synthesis(grid, *self._waves))

    def project(self, image: Floats) -> Floats:
        """Sum pixels times basis functions, the adjoint of evaluation: (ny, nx) to (n,)."""
        sums = fourier_sums(self.envelope * image, self._waves)
        return np.asarray((self._adjoint @ sums[tuple(self.harmonics.T + self._top)]).real)

    def normal_matrix(self, weight: Floats) -> Floats:
        """Sum over the pixels of w B_i B_j, (n, n), from the Fourier sums of w alone.

        The basis functions have the symmetry of the plane, so one g of each orbit against all others is enough once
        the Fourier sums are averaged over the operations.
        """
        top = 2 * self._top
        sums = fourier_sums(self.envelope**2 * weight, self._wide_waves)
        flat = self._averaged(sums, top).ravel()
        # Place of (m, n) in the flat table; that of a difference is the difference of places, from the middle.
        stride, middle = np.array([2 * top + 1, 1]), len(flat) // 2
        cosine, sine, members = self._orbits
        leads = self.harmonics[self.first[cosine]]
        images = [leads @ matrix @ stride for matrix in self.operations]
        odd = sine >= 0
        weigh, turned = members / len(images), odd.astype(np.float64)
        matrix = np.empty((len(self), len(self)))
        # In blocks, so that what is looked up stays in the cache.
        for rows in np.array_split(np.arange(len(leads)), len(leads) // _BLOCK + 1):
            place = (leads[rows] @ stride + middle)[:, None]
            near = weigh * _looked_up(flat, [place - image for image in images])
            far = weigh * turned * _looked_up(flat, [place + image for image in images])
            count = (members * (1 + turned))[rows, None]
            block = np.empty((2, len(rows), len(self)))
            block[0][:, cosine] = count * (near.real + far.real)
            block[0][:, sine[odd]] = (count * (near.imag - far.imag))[:, odd]
            block[1][:, cosine] = -count * (near.imag + far.imag)
            block[1][:, sine[odd]] = (count * (near.real - far.real))[:, odd]
            matrix[cosine[rows]] = block[0]
            matrix[sine[rows][odd[rows]]] = block[1][odd[rows]]
        return matrix if len(images) == 1 else np.asarray((matrix + matrix.T) / 2)

    def mixed(self, pictures: OrderPictures, image: Floats) -> Floats:
        """Sum over the pixels of an image times basis functions times pictures of order, (n, number of pictures)."""
        return pictures.mixed(self, image)

    def _averaged(self, sums: Complexes, top: int) -> Complexes:
        """Mean of Fourier sums over the operations; those that leave the table keep their own."""
        index = np.arange(-top, top + 1)
        pairs = np.stack(np.meshgrid(index, index, indexing="ij"), axis=-1)
        total = np.zeros_like(sums)
        count = np.zeros(sums.shape)
        for matrix in self.operations:
            moved = pairs @ matrix
            inside = np.all(np.abs(moved) <= top, axis=-1)
            total[inside] += sums[tuple((moved[inside] + top).T)]
            count += inside
        return np.asarray(total / count)

    @cached_property
    def _orbits(self) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
        """Of each orbit of g: its cosine, its sine or -1 where it holds -g, and how many members it has, (m,) each."""
        starts = np.flatnonzero(np.diff(self.first, prepend=-1))
        sizes = np.diff(np.append(starts, len(self)))
        waves = np.diff(self.ties.tocsc().indptr)[starts]
        return starts, np.where(sizes == 2, starts + 1, -1), waves / sizes

    @cached_property
    def _top(self) -> int:
        return int(np.abs(self.harmonics).max())

    @cached_property
    def _adjoint(self) -> csr_array:
        return csr_array(self.ties.conj().T)

    @cached_property
    def _waves(self) -> tuple[Complexes, Complexes, Complexes, Complexes]:
        return self._tables(self._top)

    @cached_property
    def _wide_waves(self) -> tuple[Complexes, Complexes, Complexes, Complexes]:
        return self._tables(2 * self._top)

    def _tables(self, top: int) -> tuple[Complexes, Complexes, Complexes, Complexes]:
        return wave_powers(self.frequencies, self.x, self.y, top)


def _looked_up(table: Complexes, places: list[NDArray[np.int64]]) -> Complexes:
    """Sum of the numbers of a table at several places."""
    found = table[places[0]]
    for place in places[1:]:
        found += table[place]
    return found


def wave_powers(
    frequencies: Floats, x: Floats, y: Floats, top: int
) -> tuple[Complexes, Complexes, Complexes, Complexes]:
    """exp(2 pi i k f.q) along x and y of the first of two frequencies (2, 2), then of the second, k = -top..top."""
    k = 2j * np.pi * np.arange(-top, top + 1)[:, None]
    (ax, ay), (bx, by) = frequencies
    return np.exp(k * ax * x), np.exp(k * ay * y), np.exp(k * bx * x), np.exp(k * by * y)


def fourier_sums(image: Floats, waves: tuple[Complexes, Complexes, Complexes, Complexes]) -> Complexes:
    """Sums over the pixels of image exp(-2 pi i (m f_1 + n f_2).q), (2 top + 1, 2 top + 1)."""
    ax, ay, bx, by = waves
    if np.abs(bx - 1).max() < 1e-9:
        # The second frequency has no x component: two matrix products serve all harmonics. The image is real, so the
        # sums at -m are the conjugates of those at m with n reversed: half of m is enough.
        half = len(ax) // 2
        along = ax[half:]
        parts = np.concatenate([along.real, -along.imag]) @ image.T
        by_x = (parts[: half + 1] + 1j * parts[half + 1 :]) * ay[half:].conj()
        upper = by_x @ by.conj().T
        return np.concatenate([upper[:0:-1, ::-1].conj(), upper])
    ax, ay, bx, by = ax.conj(), ay.conj(), bx.conj(), by.conj()
    return np.array(
        [np.sum((bx * first @ image.T) * (by * second), axis=1) for first, second in zip(ax, ay, strict=True)]
    )


def _synthesis(grid: Complexes, ax: Complexes, ay: Complexes, bx: Complexes, by: Complexes) -> Floats:
    if np.abs(bx - 1).max() < 1e-9:
        rows = (grid @ by) * ay
        return np.asarray(rows.real.T @ ax.real - rows.imag.T @ ax.imag)
    image = np.zeros((ay.shape[1], ax.shape[1]))
    for row, first, second in zip(grid, ax, ay, strict=True):
        if np.any(row):
            image += ((by * second).T @ (row[:, None] * bx * first)).real
    return image


def patterson_series(
    axes: PlaneAxes,
    cell: Cell,
    lattice: PlaneLattice,
    operations: Sequence[Floats],
    size: float,
    envelope: Floats,
) -> PattersonSeries:
    """Choose the waves: all g up to the length `size` in Angstrom, on a grid fine enough for the width of the plane.

    operations: matrices (2, 2) on (x, y) from the foot that leave I_FF as it is, the identity among them.
    """
    u, v = axes.u @ cell.reciprocal, axes.v @ cell.reciprocal
    foot = foot_of_plane(axes, cell)
    x, y = axes.x - foot[0], axes.y - foot[1]
    repeats = _repeats(x, y, lattice, operations)
    frequencies = lattice.frequencies / repeats[:, None]
    # r in Angstrom of every g: r.u = 2 pi g_x and r.v = 2 pi g_y.
    steps = 2 * np.pi * frequencies @ np.linalg.pinv(np.stack([u, v], axis=1))
    reach = np.ceil(size * np.linalg.norm(np.linalg.pinv(steps), axis=0)).astype(int)
    m, n = (np.arange(-top, top + 1) for top in reach)
    grid = np.stack(np.meshgrid(m, n, indexing="ij"), axis=-1).reshape(-1, 2)
    length = np.linalg.norm(grid @ steps, axis=1)
    # A margin, so that rounding does not part equivalent g on the rim.
    inside = length < size * (1 - 1e-6)
    grid, length = grid[inside], length[inside]
    turns = tuple(np.rint(_on_harmonics(matrix, frequencies)).astype(np.int64) for matrix in operations)
    ties, first = _ties(grid, turns)
    power = np.asarray((abs(ties) ** 2).sum(axis=0), dtype=np.float64).ravel()
    return PattersonSeries(frequencies, x, y, grid, turns, ties, first, length[first], size, power, envelope)


def foot_of_plane(axes: PlaneAxes, cell: Cell) -> Floats:
    """Coordinates (x, y) of the foot of the perpendicular from Q = 0: every rotation about it keeps |Q|."""
    basis = np.stack([axes.u, axes.v]) @ cell.reciprocal
    return np.asarray(-np.linalg.lstsq(basis.T, axes.origin @ cell.reciprocal, rcond=None)[0])


def _repeats(x: Floats, y: Floats, lattice: PlaneLattice, operations: Sequence[Floats]) -> NDArray[np.int64]:
    """Reciprocal cells after which the series of I_FF repeats along either translation: wider than the plane."""
    corners = np.array([(p, q) for p in (x[0], x[-1]) for q in (y[0], y[-1])])
    moved = np.concatenate([corners @ matrix.T for matrix in operations]) @ lattice.frequencies.T
    width = np.ceil((1 + MARGIN) * np.ptp(moved, axis=0)).astype(np.int64)
    for matrix in operations:
        if np.any(np.abs(_on_harmonics(matrix, lattice.frequencies)[[0, 1], [1, 0]]) > 1e-6):
            return np.full(2, max(int(width.max()), 1))
    return np.asarray(np.maximum(width, 1))


def _on_harmonics(matrix: Floats, frequencies: Floats) -> Floats:
    """An operation on (x, y) as one on whole numbers (rows): g.(M q) = (g M).q."""
    return np.asarray(frequencies @ matrix @ np.linalg.inv(frequencies))


def _ties(grid: NDArray[np.int64], operations: Sequence[NDArray[np.int64]]) -> tuple[csr_array, NDArray[np.int64]]:
    """Real basis functions: sums of cosines, and of sines where the orbit does not hold -g; and a g of each."""
    place = {tuple(g): i for i, g in enumerate(grid.tolist())}
    images = [np.array([place[tuple(g)] for g in (grid @ matrix).tolist()]) for matrix in operations]
    opposite = np.array([place[tuple(g)] for g in (-grid).tolist()])
    rows: list[int] = []
    columns: list[int] = []
    values: list[complex] = []
    first: list[int] = []
    seen = np.zeros(len(grid), dtype=bool)
    for i in range(len(grid)):
        if seen[i]:
            continue
        members = np.unique([image[i] for image in images])
        mirror = opposite[members]
        seen[members] = seen[mirror] = True
        both = np.union1d(members, mirror)
        kinds = [(both, np.full(len(both), 1.0 + 0j))]
        if not np.intersect1d(members, mirror).size:
            kinds.append((np.concatenate([members, mirror]), np.repeat([-1j, 1j], len(members))))
        for where, value in kinds:
            rows += where.tolist()
            columns += [len(first)] * len(where)
            values += value.tolist()
            first.append(i)
    return csr_array((values, (rows, columns)), shape=(len(grid), len(first))), np.array(first)


def _pairs_in_disc(t: Floats) -> Floats:
    """Share of the pairs of points of a disc of diameter 1 a distance t apart: the overlap of two discs."""
    t = np.clip(t, 0.0, 1.0)
    return np.asarray(2 / np.pi * (np.arccos(t) - t * np.sqrt(1 - t**2)))
