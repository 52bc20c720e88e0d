"""The nouns: what flows between the steps of both wings, as frozen dataclasses that check themselves."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from html import escape
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

#: An array of any library that follows the array API standard (NumPy, torch, ...).
Array: TypeAlias = Any
FloatArray: TypeAlias = NDArray[np.floating[Any]]
IntArray: TypeAlias = NDArray[np.integer[Any]]


@dataclass(frozen=True)
class Cell:
    """A unit cell: edges in Angstrom, angles in degrees.

    Raises ValueError if an edge is not positive or the three angles cannot meet in a corner.
    """

    a: float
    b: float
    c: float
    alpha: float = 90.0
    beta: float = 90.0
    gamma: float = 90.0

    def __post_init__(self) -> None:
        """Refuse a cell that cannot be."""
        numbers = np.array([self.a, self.b, self.c, self.alpha, self.beta, self.gamma], dtype=float)
        if not np.all(np.isfinite(numbers)) or np.any(numbers[:3] <= 0):
            raise ValueError(
                f"cell {self} cannot be: edges must be positive numbers in Angstrom, "
                "for example --cell 14.12 14.12 6.93 90 90 120"
            )
        if np.any(numbers[3:] <= 0) or np.any(numbers[3:] >= 180) or self._corner() <= 1e-10:
            raise ValueError(
                f"cell {self} cannot be: angles {self.alpha:g}, {self.beta:g}, {self.gamma:g} deg do not close; "
                "give alpha, beta, gamma in degrees, for example --cell 14.12 14.12 6.93 90 90 120"
            )

    def __str__(self) -> str:
        """Six numbers, as a crystallographer writes them."""
        return f"({self.a:g} {self.b:g} {self.c:g} {self.alpha:g} {self.beta:g} {self.gamma:g})"

    def _corner(self) -> float:
        """Squared volume of the cell of unit edges."""
        ca, cb, cg = np.cos(np.radians([self.alpha, self.beta, self.gamma]))
        return float(1 - ca**2 - cb**2 - cg**2 + 2 * ca * cb * cg)

    @classmethod
    def from_sequence(cls, numbers: ArrayLike) -> Cell:
        """Make a cell from a sequence of 3 (right angles) or 6 numbers."""
        values = [float(n) for n in np.ravel(np.asarray(numbers, dtype=float))]
        if len(values) not in (3, 6):
            raise ValueError(f"a cell has 3 or 6 numbers (a b c alpha beta gamma), got {len(values)}: {values}")
        return cls(*values)

    @property
    def parameters(self) -> tuple[float, float, float, float, float, float]:
        """a, b, c in Angstrom, alpha, beta, gamma in degrees."""
        return (self.a, self.b, self.c, self.alpha, self.beta, self.gamma)

    @property
    def volume(self) -> float:
        """Volume in cubic Angstrom."""
        return self.a * self.b * self.c * float(np.sqrt(self._corner()))

    @cached_property
    def direct(self) -> NDArray[np.float64]:
        """Rows a, b, c in Cartesian Angstrom: a along x, b in the xy plane (the PDB convention)."""
        ca, cb, cg = np.cos(np.radians([self.alpha, self.beta, self.gamma]))
        sg = np.sin(np.radians(self.gamma))
        rows = np.array(
            [
                [self.a, 0.0, 0.0],
                [self.b * cg, self.b * sg, 0.0],
                [self.c * cb, self.c * (ca - cb * cg) / sg, self.volume / (self.a * self.b * sg)],
            ]
        )
        rows[np.abs(rows) < 1e-12] = 0.0
        return rows

    @cached_property
    def reciprocal(self) -> NDArray[np.float64]:
        """Rows a*, b*, c* in Cartesian 1/Angstrom with 2 pi: Q = hkl @ reciprocal, a . a* = 2 pi."""
        return np.asarray(2 * np.pi * np.linalg.inv(self.direct).T, dtype=np.float64)


@dataclass(frozen=True)
class PlaneAxes:
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
        letters = [_letter(vector) for vector in (self.u, self.v)]
        if letters[0] == letters[1]:
            letters[1] = "hklh"["hkl".index(letters[1]) + 1]
        vector, letter = (self.u, letters[0]) if which == "x" else (self.v, letters[1])
        return "[" + " ".join(_coefficient(c, letter) for c in vector) + "]"

    def name(self) -> str:
        """Name of the plane as the field writes it, for example "hk1" or "origin (0 0 0.5)"."""
        for normal, letters in enumerate((["", "k", "l"], ["h", "", "l"], ["h", "k", ""])):
            if abs(self.u[normal]) < 1e-9 and abs(self.v[normal]) < 1e-9:
                letters[normal] = f"{self.origin[normal]:g}"
                return "".join(letters)
        return "origin (" + " ".join(f"{c:g}" for c in self.origin) + ")"


def _letter(vector: NDArray[np.float64]) -> str:
    """The letter of the first index that the vector moves."""
    return "hkl"[int(np.argmax(np.abs(vector) > 1e-9))]


def _coefficient(value: float, letter: str) -> str:
    if abs(value) < 1e-9:
        return "0"
    if abs(abs(value) - 1) < 1e-9:
        return ("-" if value < 0 else "") + letter
    return f"{value:.3g}{letter}"


@dataclass(frozen=True)
class Plane:
    """A measured (or simulated) plane of diffuse scattering.

    intensity: (ny, nx), rows along v, columns along u, lower left first; NaN = not measured.
    axes and cell are None where the lattice is not known.
    """

    intensity: NDArray[np.float64]
    axes: PlaneAxes | None = None
    cell: Cell | None = None
    title: str = ""
    simulated: bool = False
    source: str = ""

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


@dataclass(frozen=True)
class Volume:
    """A volume of reciprocal space: intensity[l, k, h], axes h, k, l in reciprocal-lattice units; NaN = not measured.

    intensity may be a lazily read array (an h5py dataset): only the planes asked for are read.
    basis: (3, 3), a row for each axis: hkl = h basis[0] + k basis[1] + l basis[2]. It is the identity unless the
    volume was binned along other directions, such as [H,H,0], [H,-H,0] and [0,0,L].
    """

    intensity: Array
    h: NDArray[np.float64]
    k: NDArray[np.float64]
    l: NDArray[np.float64]  # noqa: E741  the index is called l
    cell: Cell | None = None
    title: str = ""
    simulated: bool = False
    source: str = ""
    basis: NDArray[np.float64] = field(default_factory=lambda: np.eye(3))


@dataclass(frozen=True)
class Components:
    """A plane taken apart: I_D = I_FF * I_SRO.

    form_factor carries the intensity scale and the units of the input; short_range_order has mean 1 over a cell of
    the plane (which is the mean over a reciprocal cell where there is no order along the normal). Both (ny, nx) on
    the pixels of `plane`, finite everywhere: gaps are filled.
    """

    plane: Plane
    form_factor: NDArray[np.float64]
    short_range_order: NDArray[np.float64]
    provenance: dict[str, Any] = field(default_factory=dict)

    @property
    def product(self) -> NDArray[np.float64]:
        """I_FF * I_SRO, in the units of the input."""
        return self.form_factor * self.short_range_order

    @property
    def residual(self) -> NDArray[np.float64]:
        """Measured minus product; NaN where nothing was measured."""
        return self.plane.intensity - self.product

    @property
    def explained(self) -> float:
        """1 - sum residual^2 / sum (I - mean I)^2 over the measured pixels."""
        measured = self.plane.measured
        intensity = self.plane.intensity[measured]
        return float(1 - np.sum(self.residual[measured] ** 2) / np.sum((intensity - intensity.mean()) ** 2))

    @property
    def r_factor(self) -> float:
        """R = sum |residual| / sum |I| over the measured pixels."""
        measured = self.plane.measured
        return float(np.sum(np.abs(self.residual[measured])) / np.sum(np.abs(self.plane.intensity[measured])))


@dataclass(frozen=True)
class OrderParameters:
    """Warren-Cowley parameters alpha of a half space of vectors: I_SRO = sum over v and -v of alpha cos(2 pi hkl.v).

    vectors: (n, 3) in lattice units, each of v and -v once, the origin (where listed) with alpha = 1 as a rule;
    alpha: (n,); concentration: mean fraction of species A; standard_error: (n,) or None.
    """

    vectors: IntArray
    alpha: FloatArray
    concentration: float = 0.5
    standard_error: FloatArray | None = None

    def __post_init__(self) -> None:
        """Refuse lists that do not belong together."""
        object.__setattr__(self, "vectors", np.asarray(self.vectors))
        object.__setattr__(self, "alpha", np.asarray(self.alpha))
        if self.vectors.ndim != 2 or self.vectors.shape[1] != 3 or self.alpha.shape != self.vectors.shape[:1]:
            raise ValueError(f"vectors must be (n, 3) and alpha (n,), got {self.vectors.shape} and {self.alpha.shape}")


@dataclass(frozen=True)
class Molecule:
    """A rigid molecule, ion or atom: element symbols and Cartesian positions (n, 3) in Angstrom.

    cell_lengths are the edges in Angstrom of the cell it would fill; group is its shape class; labels are the
    names of the atoms, such as N1, or () where the file has none.
    """

    name: str
    elements: tuple[str, ...]
    positions: NDArray[np.float64]
    group: int = 0
    cell_lengths: tuple[float, float, float] | None = None
    labels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse positions or labels that do not match the elements."""
        object.__setattr__(self, "positions", np.asarray(self.positions, dtype=np.float64).reshape(-1, 3))
        if len(self.elements) != len(self.positions):
            raise ValueError(f"{self.name}: {len(self.elements)} elements but {len(self.positions)} positions")
        if self.labels and len(self.labels) != len(self.elements):
            raise ValueError(f"{self.name}: {len(self.elements)} elements but {len(self.labels)} labels")

    @property
    def atom_labels(self) -> tuple[str, ...]:
        """The labels, or element and place in the list, counted from 1: C1, C2, O3."""
        return self.labels or tuple(f"{element}{n}" for n, element in enumerate(self.elements, 1))


@dataclass(frozen=True)
class Pattern:
    """A measured (or simulated) powder pattern: intensity (n,) over two_theta (n,) in degrees, increasing.

    sigma: (n,) standard uncertainty of the intensity, or None; wavelength in Angstrom, or None where the file
    does not say; second_wavelength is K-alpha2 where the beam holds both; source is the file it came from.
    Raises ValueError if the lists do not belong together or the wavelength cannot be.
    """

    two_theta: NDArray[np.float64]
    intensity: NDArray[np.float64]
    sigma: NDArray[np.float64] | None = None
    wavelength: float | None = None
    second_wavelength: float | None = None
    radiation: Literal["neutron", "x-ray"] | None = None
    title: str = ""
    source: str = ""
    simulated: bool = False

    def __post_init__(self) -> None:
        """Refuse what is not a pattern."""
        for name in ("two_theta", "intensity", "sigma"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, self._column(name))
        if np.any(np.diff(self.two_theta) <= 0):
            row = int(np.argmax(np.diff(self.two_theta) <= 0))
            before, after = self.two_theta[row : row + 2]
            raise ValueError(
                f"two-theta must increase from point to point, but point {row + 2} is at {after:g} deg after "
                f"{before:g} deg; sort the points and keep each angle once"
            )
        for wavelength in (self.wavelength, self.second_wavelength):
            if wavelength is not None and not 0 < wavelength <= 50:
                raise ValueError(
                    f"wavelength {wavelength:g} cannot be: expected more than 0 and at most 50 Angstrom, "
                    "for example --wavelength 1.5406"
                )
        if self.radiation not in (None, "neutron", "x-ray"):
            raise ValueError(f'radiation {self.radiation!r} is not known: write "neutron" or "x-ray"')

    def _column(self, name: str) -> NDArray[np.float64]:
        column = np.asarray(getattr(self, name), dtype=np.float64)
        if column.ndim != 1 or column.shape != np.shape(self.two_theta):
            raise ValueError(
                f"{name} must be one number per angle, got shape {column.shape} "
                f"for angles of shape {np.shape(self.two_theta)}"
            )
        lost = int(np.sum(~np.isfinite(column)))
        if lost:
            raise ValueError(f"{name} holds {lost} values that are not finite; take those points out")
        return column


@dataclass(frozen=True)
class Crystal:
    """A crystal structure: a cell, the sites of its asymmetric unit, and the operations that repeat them.

    elements: n symbols, isotopes as D or 7Li; positions: (n, 3) fractional; rotations: (m, 3, 3) integers and
    translations: (m, 3), x' = R x + t, the identity first, centring included; occupancies: (n,), 1 where not
    given; b_iso: (n,) in Angstrom^2, NaN where not known; space_group: number of the label, None if unknown.
    Atoms that share a site are listed at the same position. Raises ValueError for lists that do not match.
    """

    cell: Cell
    elements: tuple[str, ...]
    positions: NDArray[np.float64]
    rotations: NDArray[np.int64]
    translations: NDArray[np.float64]
    occupancies: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    b_iso: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    space_group: int | None = None
    name: str = ""

    def __post_init__(self) -> None:
        """Fill in what was left out and refuse what does not match."""
        n = len(self.elements)
        if n == 0:
            raise ValueError(f"structure {self.name!r} has no atoms")
        shapes = {"positions": (n, 3), "rotations": (-1, 3, 3), "translations": (-1, 3)}
        for name, shape in shapes.items():
            values = np.asarray(getattr(self, name), dtype=np.int64 if name == "rotations" else np.float64)
            object.__setattr__(self, name, values.reshape(shape))
        for name, missing in (("occupancies", 1.0), ("b_iso", np.nan)):
            values = np.asarray(getattr(self, name), dtype=np.float64)
            object.__setattr__(self, name, values if values.size else np.full(n, missing))
        if self.occupancies.shape != (n,) or self.b_iso.shape != (n,):
            raise ValueError(f"structure {self.name!r}: {n} atoms need {n} occupancies and {n} factors b_iso")
        if len(self.rotations) != len(self.translations) or len(self.rotations) == 0:
            raise ValueError(f"structure {self.name!r}: every operation needs a rotation and a translation")
        if not np.all(np.isfinite(self.positions)):
            raise ValueError(f"structure {self.name!r}: some positions are not numbers")


@dataclass(frozen=True)
class Reflections:
    """The lines of a powder, one entry for each set of equivalent reflections, by increasing 1/d.

    inverse_d: (n,) in 1/Angstrom; multiplicity: (n,), reflections in the set; f_squared: (n,), |F|^2 a cell,
    averaged over Friedel pairs, in fm^2 (neutron) or electrons^2 (x-ray); volume of that cell in Angstrom^3;
    hkl: (n, 3) integers, None where they were not kept. f_squared may be an array of any library.
    """

    inverse_d: Array
    multiplicity: Array
    f_squared: Array
    volume: float
    hkl: IntArray | None = None
    radiation: Literal["neutron", "x-ray"] = "neutron"
    name: str = ""

    def __post_init__(self) -> None:
        """Refuse columns of different length."""
        if not tuple(self.inverse_d.shape) == tuple(self.multiplicity.shape) == tuple(self.f_squared.shape):
            raise ValueError(
                "reflections need one multiplicity and one |F|^2 for each 1/d, got "
                f"{self.inverse_d.shape}, {self.multiplicity.shape}, {self.f_squared.shape}"
            )

    def __len__(self) -> int:
        """Return the number of lines."""
        return int(self.inverse_d.shape[0])


@dataclass(frozen=True)
class Classes:
    """A division of the 230 space groups: the name of each class and the numbers of its space groups."""

    names: tuple[str, ...]
    groups: tuple[tuple[int, ...], ...]


class Candidate(NamedTuple):
    """One answer of a ranking: name, probability, and the numbers of the space groups that it stands for."""

    name: str
    probability: float
    groups: tuple[int, ...]


@dataclass(frozen=True)
class Ranking:
    """What a powder pattern says about symmetry: a probability for each of the 230 space groups.

    probabilities: (230,), space group n at entry n - 1, of sum 1. levels: how the space groups are divided, by
    "space group", "extinction group", "Bravais lattice" and "crystal system"; the probability of a class is the
    sum over its space groups, so that all levels agree. volume in Angstrom^3 and edges a, b, c in Angstrom are
    estimates of the conventional cell. assumptions: what was taken for granted, one sentence each.
    Raises ValueError for what are no probabilities.
    """

    pattern: Pattern
    probabilities: NDArray[np.float64]
    levels: dict[str, Classes]
    volume: float
    edges: tuple[float, float, float]
    assumptions: tuple[str, ...] = ()
    provenance: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what are no probabilities."""
        object.__setattr__(self, "probabilities", np.asarray(self.probabilities, dtype=np.float64))
        p = self.probabilities
        if p.shape != (230,) or not np.all(p >= 0) or abs(float(p.sum()) - 1) > 1e-6:
            raise ValueError(f"a ranking needs 230 probabilities of sum 1, got shape {p.shape} and sum {p.sum():g}")

    @property
    def d_range(self) -> tuple[float, float]:
        """Largest and smallest spacing of the pattern in Angstrom, d = lambda / (2 sin theta)."""
        if self.pattern.wavelength is None:
            raise ValueError("the pattern of a ranking has a wavelength; make it with unscatter.classify")
        ends = self.pattern.two_theta[[0, -1]]
        largest, smallest = self.pattern.wavelength / (2 * np.sin(np.radians(ends / 2)))
        return float(largest), float(smallest)

    @property
    def label(self) -> str:
        """Title of the pattern, or its file; a simulated one is called so."""
        name = self.pattern.title or self.pattern.source or "untitled"
        return name if not self.pattern.simulated or "simulated" in name.lower() else f"{name} (simulated)"

    def probabilities_of(self, level: str) -> NDArray[np.float64]:
        """Probability of each class of a level, the sum over its space groups.

        Raises ValueError for a level that is not known.
        """
        return np.array([self.probabilities[np.array(g) - 1].sum() for g in self._classes(level).groups])

    def top(self, k: int = 5, level: str = "space group") -> list[Candidate]:
        """The k most likely classes of a level, the likeliest first; raises ValueError for a level not known."""
        classes, p = self._classes(level), self.probabilities_of(level)
        chosen = np.argsort(-p, kind="stable")[:k]
        return [Candidate(classes.names[i], float(p[i]), classes.groups[i]) for i in chosen]

    def _classes(self, level: str) -> Classes:
        if level not in self.levels:
            raise ValueError(f"no level is called {level!r}; there are {', '.join(self.levels)}")
        return self.levels[level]

    def describe(self) -> str:
        """A table in words: what was given, the most likely symmetry at each level, and what was assumed."""
        width = max(len(name) for name, _ in self._lines())
        return "\n".join(f"{name:<{width}} {value}" for name, value in self._lines())

    def _lines(self) -> list[tuple[str, str]]:
        pattern = self.pattern
        ends = pattern.two_theta[[0, -1]]
        edges = ", ".join(f"{edge:.3g}" for edge in self.edges)
        lines = [
            ("pattern", self.label),
            ("points", f"{pattern.two_theta.size}, two-theta {ends[0]:g} to {ends[1]:g} deg"),
            ("range", "d {:.4g} to {:.4g} A".format(*self.d_range)),
            ("radiation", f"{pattern.radiation or 'not known'}{self._origin('radiation')}"),
            ("wavelength", f"{pattern.wavelength:g} A{self._origin('wavelength')}"),
        ]
        for level in ("crystal system", "Bravais lattice", "extinction group"):
            best = self.top(1, level)[0]
            lines.append((level, f"{100 * best.probability:5.1f} %  {best.name}"))
        for rank, one in enumerate(self.top(5)):
            number = f"(no. {one.groups[0]})"
            lines.append(("" if rank else "space group", f"{100 * one.probability:5.1f} %  {one.name:<8} {number}"))
        lines.append(("cell", f"volume about {self.volume:.3g} A^3; a, b, c about {edges} A (estimated)"))
        lines.append(("weights", str(self.provenance.get("weights", "none"))))
        lines += [("" if rank else "assumed", sentence) for rank, sentence in enumerate(self.assumptions)]
        return lines

    def _origin(self, name: str) -> str:
        """In brackets, where a number came from; nothing where that is not known."""
        origin = self.provenance.get(f"{name}_from")
        return f" (from {origin})" if origin else ""

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain numbers and words, for JSON: every class of every level, the likeliest first."""
        pattern = self.pattern
        largest, smallest = self.d_range
        return {
            "pattern": {
                "source": pattern.source,
                "title": pattern.title,
                "simulated": pattern.simulated,
                "points": int(pattern.two_theta.size),
                "two_theta_deg": [float(angle) for angle in pattern.two_theta[[0, -1]]],
                "d_A": [largest, smallest],
                "radiation": pattern.radiation,
                "wavelength_A": pattern.wavelength,
                "second_wavelength_A": pattern.second_wavelength,
            },
            "levels": {
                level: [
                    {"name": one.name, "probability": one.probability, "space_groups": list(one.groups)}
                    for one in self.top(230, level)
                ]
                for level in self.levels
            },
            "cell_estimated": {"volume_A3": self.volume, **dict(zip(("a_A", "b_A", "c_A"), self.edges, strict=True))},
            "assumptions": list(self.assumptions),
            "provenance": self.provenance,
        }

    def _repr_html_(self) -> str:
        """The table, for a notebook."""
        rows = "".join(
            f"<tr><th style='text-align:left'>{escape(name)}</th><td style='text-align:left'>{escape(value)}</td></tr>"
            for name, value in self._lines()
        )
        return f"<table>{rows}</table>"
