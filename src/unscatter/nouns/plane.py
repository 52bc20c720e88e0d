"""A measured plane of diffuse scattering, and where its pixels lie."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unscatter.nouns.arrays import Noun
from unscatter.nouns.cell import Cell


@dataclass(frozen=True, eq=False, repr=False)
class PlaneAxes(Noun):
    """Where the pixels of a plane lie: hkl(row j, column i) = origin + x[i] u + y[j] v.

    origin, u, v: (3,) in reciprocal-lattice units; x: (nx,), y: (ny,), evenly spaced and increasing.
    """

    origin: NDArray[np.float64]
    u: NDArray[np.float64]
    v: NDArray[np.float64]
    x: NDArray[np.float64]
    y: NDArray[np.float64]

    def __post_init__(self) -> None:
        """Refuse axes that do not span a plane."""
        for name in ("origin", "u", "v", "x", "y"):
            object.__setattr__(self, name, np.asarray(getattr(self, name), dtype=np.float64))
        if np.linalg.norm(np.cross(self.u, self.v)) < 1e-9:
            raise ValueError(f"in-plane vectors {self.u} and {self.v} are parallel: they span no plane")
        for name, axis in (("x", self.x), ("y", self.y)):
            if axis.ndim != 1 or axis.size < 2 or np.any(np.diff(axis) <= 0):
                raise ValueError(f"axis {name} must increase from pixel to pixel, got {axis}")

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns: (ny, nx)."""
        return (self.y.size, self.x.size)

    def hkl(self) -> NDArray[np.float64]:
        """Indices of every pixel, (ny, nx, 3)."""
        return (
            self.origin + self.x[None, :, None] * self.u[None, None, :] + self.y[:, None, None] * self.v[None, None, :]
        )

    def label(self, which: str) -> str:
        """Name of the axis "x" or "y" as the field writes it, for example "[h 0 0]" or "[0 0 l]"."""
        # Of each direction, the letter of the first index that it moves.
        letters = ["hkl"[int(np.argmax(np.abs(vector) > 1e-9))] for vector in (self.u, self.v)]
        if letters[0] == letters[1]:
            letters[1] = "hklh"["hkl".index(letters[1]) + 1]
        vector, letter = (self.u, letters[0]) if which == "x" else (self.v, letters[1])
        return "[" + " ".join(_coefficient(c, letter) for c in vector) + "]"

    def name(self) -> str:
        """Name of the plane as the field writes it, for example "hk1" or "origin (0 0 0.5)"."""
        for normal, letters in enumerate((["", "k", "l"], ["h", "", "l"], ["h", "k", ""])):
            if abs(self.u[normal]) < 1e-9 and abs(self.v[normal]) < 1e-9:
                letters[normal] = f"{self.origin[normal]:.4g}"
                return "".join(letters)
        return "origin (" + " ".join(f"{c:.4g}" for c in self.origin) + ")"


def _coefficient(value: float, letter: str) -> str:
    if abs(value) < 1e-9:
        return "0"
    if abs(abs(value) - 1) < 1e-9:
        return ("-" if value < 0 else "") + letter
    return f"{value:.3g}{letter}"


@dataclass(frozen=True, eq=False, repr=False)
class Plane(Noun):
    """A measured (or simulated) plane of diffuse scattering.

    intensity: (ny, nx), rows along v, columns along u, lower left first; NaN = not measured; negative where noise is,
    once a background was subtracted. axes and cell are None where the lattice is not known. notes: what was assumed and
    decided in reading, in words.
    """

    intensity: NDArray[np.float64]
    axes: PlaneAxes | None = None
    cell: Cell | None = None
    title: str = ""
    simulated: bool = False
    source: str = ""
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what is not a plane."""
        object.__setattr__(self, "intensity", np.asarray(self.intensity, dtype=np.float64))
        if self.intensity.ndim != 2 or min(self.intensity.shape) < 2:
            raise ValueError(f"a plane has two dimensions (ny, nx), got shape {self.intensity.shape}")
        if self.axes is not None and self.axes.shape != self.intensity.shape:
            raise ValueError(f"axes describe {self.axes.shape} pixels, the plane has {self.intensity.shape}")

    @property
    def measured(self) -> NDArray[np.bool_]:
        """True where a pixel was measured, (ny, nx)."""
        return np.isfinite(self.intensity)

    @property
    def coverage(self) -> float:
        """Fraction of the pixels that were measured."""
        return float(self.measured.mean())

    def axis_label(self, which: str) -> tuple[str, str]:
        """Name and unit of the axis "x" or "y": r.l.u., 1/Angstrom where a step of one is that long, or pixels."""
        if self.axes is None:
            return which, "pixel"
        vector = self.axes.u if which == "x" else self.axes.v
        if self.cell is not None and abs(float(np.linalg.norm(vector @ self.cell.reciprocal)) - 1) < 1e-6:
            return f"Q_{which}", "1/Angstrom"
        return self.axes.label(which), "r.l.u."

    @property
    def lattice_known(self) -> bool:
        """Whether both the cell and the axes are known."""
        return self.axes is not None and self.cell is not None
