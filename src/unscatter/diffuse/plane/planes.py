"""Planes in Cartesian axes: the frame in which samples are made and the network looks at a measured plane."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unscatter.nouns.cell import Cell
from unscatter.nouns.plane import PlaneAxes


def cartesian_axes(
    cell: Cell, origin: NDArray[np.float64], u: NDArray[np.float64], v: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Origin and in-plane vectors (hkl) of the same plane with x along u, y perpendicular, both of 1/Angstrom length.

    The new origin is the foot of the perpendicular from Q = 0, so that the plane is centred on the beam stop.
    """
    reciprocal = cell.reciprocal
    inverse = np.linalg.inv(reciprocal)
    along = u @ reciprocal
    along = along / np.linalg.norm(along)
    across = v @ reciprocal
    across = across - (across @ along) * along
    across = across / np.linalg.norm(across)
    foot = origin @ reciprocal
    foot = foot - (foot @ along) * along - (foot @ across) * across
    return _rounded(foot @ inverse), _rounded(along @ inverse), _rounded(across @ inverse)


def _rounded(hkl: NDArray[np.float64]) -> NDArray[np.float64]:
    """Drop the 1e-17 left by inverting a matrix, so that axes that are parallel stay parallel."""
    return np.where(np.abs(hkl) < 1e-12, 0.0, hkl)


def axis_plane(cell: Cell, normal: int, level: float, q_max: float, pixels: int) -> PlaneAxes:
    """The plane hk*level* (normal = 2), h*level*l (1) or *level*kl (0) on a square Cartesian grid of -q_max..q_max.

    x and y of the axes are in 1/Angstrom.
    """
    p, q = [axis for axis in range(3) if axis != normal]
    unit = np.eye(3)
    origin, u, v = cartesian_axes(cell, level * unit[normal], unit[p], unit[q])
    grid = np.linspace(-q_max, q_max, pixels)
    return PlaneAxes(origin, u, v, grid, grid)
