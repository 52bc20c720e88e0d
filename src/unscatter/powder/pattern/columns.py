"""What a least-squares fit needs of the profile: one column of unit area for each line, sparse, with derivatives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csc_array

from unscatter.nouns.arrays import Floats
from unscatter.powder.pattern.axial import Nodes, axial_nodes
from unscatter.powder.pattern.profile import CUT, even_step, lorentzian_norm

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Columns:
    """Profiles of n lines at `points` angles: column j holds the points start[j], start[j] + 1, ... of line j.

    start: (n,); begin: (n + 1,), the values of column j are values[begin[j] : begin[j + 1]], in 1/degree; by_position,
    by_fwhm, by_eta: their derivatives, laid out alike, by the position and the FWHM of the line in degrees and by its
    Lorentzian share; None where they were not asked for.
    """

    points: int
    start: Ints
    begin: Ints
    values: Floats
    by_position: Floats | None = None
    by_fwhm: Floats | None = None
    by_eta: Floats | None = None

    def __len__(self) -> int:
        """Return the number of lines."""
        return len(self.start)

    def matrix(self, values: Floats | None = None) -> csc_array:
        """Columns, or one of their derivatives, as a sparse matrix (points, n)."""
        size = np.diff(self.begin)
        rows = np.arange(self.begin[-1]) + np.repeat(self.start - self.begin[:-1], size)
        data = self.values if values is None else values
        return csc_array((data, rows, self.begin), shape=(self.points, len(self)))


def profile_columns(
    two_theta: ArrayLike,
    position: ArrayLike,
    fwhm: ArrayLike,
    eta: ArrayLike,
    *,
    axial: tuple[float, float] = (0.0, 0.0),
    wavelengths: tuple[float, ...] = (1.0,),
    weights: tuple[float, ...] = (1.0,),
    cut: float = CUT,
    derivatives: bool = False,
) -> Columns:
    """Profiles of unit area of lines at position (n,), sampled at two_theta (points,), increasing, even or not.

    The profile of `unscatter.powder.pattern.profile`. position: of the first wavelength, in degrees, outside the range
    as well; fwhm, eta: (n,) or one for all, in degrees and as a share; axial: S/L and H/L, see `axial_nodes`;
    wavelengths: of the beam, of which the ratios count, and their weights: the lines of all lie in one column; cut:
    peaks end so many FWHM from their centre. Columns of lines that reach no point are empty. Raises ValueError for a
    width that is not positive.
    """
    from unscatter.powder.pattern.kernels import fill_columns, find_spans

    grid, position = np.asarray(two_theta, dtype=np.float64), np.asarray(position, dtype=np.float64)
    fwhm, eta = (np.array(np.broadcast_to(column, position.shape), dtype=np.float64) for column in (fwhm, eta))
    if not np.all(fwhm > 0):
        raise ValueError(f"widths must be positive, got {fwhm.min():g} degrees: check U, V, W at the ends of the range")
    nodes = _find_nodes(position, fwhm, axial, wavelengths, weights)
    step = even_step(grid)
    start, end = np.full(len(position), len(grid)), np.zeros(len(position), dtype=np.int64)
    find_spans(grid, step, nodes.owner, nodes.angle, fwhm, cut, start, end)
    begin = np.concatenate([[0], np.cumsum(end - start)])
    columns = np.zeros((4 if derivatives else 1, begin[-1]))
    rays = (nodes.owner, nodes.angle, nodes.share, nodes.slope)
    fill_columns(grid, step, *rays, fwhm, eta, cut, lorentzian_norm(cut), start, begin, columns)
    return Columns(len(grid), start, begin, *columns)


def _find_nodes(
    position: Floats,
    fwhm: Floats,
    axial: tuple[float, float],
    wavelengths: tuple[float, ...],
    weights: tuple[float, ...],
) -> Nodes:
    """Rays of all wavelengths and heights, with the derivative of each angle by the position of the line."""
    owner = np.arange(len(position))
    parts = []
    for wavelength, weight in zip(wavelengths, weights, strict=True):
        ratio = wavelength / wavelengths[0]
        sine = ratio * np.sin(np.radians(position / 2))
        seen = np.abs(sine) < 1
        theta = np.arcsin(sine[seen])
        slope = ratio * np.cos(np.radians(position[seen] / 2)) / np.cos(theta)
        share = np.full(len(theta), weight / sum(weights))
        part = Nodes(owner[seen], np.degrees(2 * theta), share, slope)
        parts.append(part if max(axial) == 0 else _spread(part, fwhm[seen], axial))
    if len(parts) == 1:
        return parts[0]
    columns = ([getattr(part, name) for part in parts] for name in ("owner", "angle", "share", "slope"))
    return Nodes(*map(np.concatenate, columns))


def _spread(lines: Nodes, fwhm: Floats, axial: tuple[float, float]) -> Nodes:
    """Rays of the lines of one wavelength."""
    rays = axial_nodes(lines.angle, fwhm, axial)
    share, slope = rays.share * lines.share[rays.owner], rays.slope * lines.slope[rays.owner]
    return Nodes(lines.owner[rays.owner], rays.angle, share, slope)
