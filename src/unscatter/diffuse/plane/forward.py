"""From a model to its diffuse scattering on a plane: equations (1) to (5) of Fuller & Rudden (2024).

The functions take NumPy arrays or torch tensors, in float32 or float64, with any leading batch dimensions,
and are differentiable under torch. Sums over atoms and vectors are matrix products along the plane's axes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from array_api_compat import array_namespace

from unscatter.atoms import Radiation, form_factors
from unscatter.diffuse.plane.separable import sum_wave_tables, sum_waves, wave_tables
from unscatter.nouns.arrays import Array
from unscatter.nouns.cell import Cell
from unscatter.nouns.molecule import Molecule
from unscatter.nouns.order import OrderParameters
from unscatter.nouns.plane import PlaneAxes


@dataclass(frozen=True)
class ScatteringPlane:
    """A plane in Cartesian 1/Angstrom: Q(j, i) = origin + x[i] u + y[j] v.

    origin, u, v: (..., 3); x: (..., nx); y: (..., ny).
    """

    origin: Array
    u: Array
    v: Array
    x: Array
    y: Array


@dataclass(frozen=True)
class AtomPair:
    """The atoms of two molecules in one list, those of B with negative weight: their sum is F_A - F_B.

    positions: (..., n, 3) in Angstrom; weights: (..., E, n), that of atom n if it is of element E, else 0;
    a, b: (..., E, 4) and c: (..., E), the form factors of the E elements.
    """

    positions: Array
    weights: Array
    a: Array
    b: Array
    c: Array


@dataclass(frozen=True)
class Waves:
    """A real Fourier series on a plane: amplitudes and frequencies (per unit of x and y), all (..., K)."""

    cosine: Array
    sine: Array
    frequency_x: Array
    frequency_y: Array


def scattering_plane(axes: PlaneAxes, cell: Cell) -> ScatteringPlane:
    """Carry a plane from reciprocal-lattice units into Cartesian 1/Angstrom (NumPy, float64)."""
    reciprocal = cell.reciprocal
    return ScatteringPlane(axes.origin @ reciprocal, axes.u @ reciprocal, axes.v @ reciprocal, x=axes.x, y=axes.y)


def atom_pair(a: Molecule, b: Molecule | None, radiation: Radiation = "x-ray") -> AtomPair:
    """List the atoms of A and B by element; B = None is a vacancy."""
    molecules = [(a, 1.0)] if b is None else [(a, 1.0), (b, -1.0)]
    symbols = [symbol for molecule, _ in molecules for symbol in molecule.elements]
    signs = np.concatenate([np.full(len(molecule.elements), sign) for molecule, sign in molecules])
    elements = sorted(set(symbols))
    weights = np.array(
        [[sign * (symbol == element) for symbol, sign in zip(symbols, signs, strict=True)] for element in elements]
    )
    table = form_factors(elements, radiation)
    positions = np.concatenate([molecule.positions for molecule, _ in molecules])
    return AtomPair(positions=positions, weights=weights, a=table.a, b=table.b, c=table.c)


def q_squared(plane: ScatteringPlane) -> Array:
    """|Q|^2 of every pixel in 1/Angstrom^2, (..., ny, nx)."""
    along_x, along_y, cross = _q_squared_parts(plane)
    return along_x[..., None, :] + along_y[..., :, None] + cross * plane.y[..., :, None] * plane.x[..., None, :]


def _q_squared_parts(plane: ScatteringPlane) -> tuple[Array, Array, Array]:
    """|Q|^2 = X(x) + Y(y) + c x y, with X: (..., nx), Y: (..., ny), c: (..., 1, 1)."""
    xp = array_namespace(plane.u)

    def dot(p: Array, q: Array) -> Array:
        return xp.sum(p * q, axis=-1)[..., None]

    along_x = dot(plane.origin, plane.origin) + 2 * dot(plane.origin, plane.u) * plane.x
    along_x = along_x + dot(plane.u, plane.u) * plane.x**2
    along_y = 2 * dot(plane.origin, plane.v) * plane.y + dot(plane.v, plane.v) * plane.y**2
    return along_x, along_y, 2 * dot(plane.u, plane.v)[..., None]


def element_form_factors(pair: AtomPair, plane: ScatteringPlane) -> Iterator[Array]:
    """Yield the atomic form factor of one element after the other on the plane, (..., ny, nx) each.

    A Gaussian of |Q|^2 factorises along the axes but for the term in x y, which vanishes where u and v are
    perpendicular: then the four Gaussians are a matrix product of rank four.
    """
    xp = array_namespace(pair.a)
    along_x, along_y, cross = _q_squared_parts(plane)
    exponent = -pair.b / (4 * math.pi) ** 2
    in_x = pair.a[..., None] * xp.exp(exponent[..., None] * along_x[..., None, None, :])
    in_y = xp.exp(exponent[..., None] * along_y[..., None, None, :])
    skew = None if _perpendicular(plane) else cross * plane.y[..., :, None] * plane.x[..., None, :]
    for e in range(pair.c.shape[-1]):
        columns, rows = in_x[..., e, :, :], in_y[..., e, :, :]
        if skew is None:
            gaussians = xp.matmul(xp.matrix_transpose(rows), columns)
        else:
            bend = xp.exp(exponent[..., e, :, None, None] * skew[..., None, :, :])
            gaussians = xp.sum(rows[..., :, None] * columns[..., None, :] * bend, axis=-3)
        yield gaussians + pair.c[..., e, None, None]


def _perpendicular(plane: ScatteringPlane) -> bool:
    """Whether u and v are perpendicular to rounding: angles of 90 degrees leave 1e-17 behind."""
    xp = array_namespace(plane.u)
    rounding = 8 * xp.finfo(plane.u.dtype).eps * (xp.sum(plane.u**2, axis=-1) + xp.sum(plane.v**2, axis=-1))
    return bool(xp.all(xp.abs(xp.sum(plane.u * plane.v, axis=-1)) <= rounding))


def form_factor_difference(pair: AtomPair, plane: ScatteringPlane) -> tuple[Array, Array]:
    """Real and imaginary part of F_A - F_B, eq. (2): F(Q) = sum_i f_i(Q) exp(i Q x_i), (..., ny, nx) each."""
    xp = array_namespace(pair.positions)
    turn = 2 * math.pi

    def along(direction: Array) -> Array:
        return xp.sum(pair.positions * direction[..., None, :], axis=-1)

    tables = (*wave_tables(along(plane.u) / turn, plane.x), *wave_tables(along(plane.v) / turn, plane.y))
    offset = along(plane.origin)[..., None, :]
    cosine, sine = pair.weights * xp.cos(offset), pair.weights * xp.sin(offset)
    real = imaginary = 0.0
    # One element at a time: on a CPU the traffic to memory of all at once costs more than the sums.
    for e, f in enumerate(element_form_factors(pair, plane)):
        c, s = cosine[..., e, :], sine[..., e, :]
        real = real + f * sum_wave_tables(c, -s, *tables)
        imaginary = imaginary + f * sum_wave_tables(s, c, *tables)
    return real, imaginary


def molecular_form_factor(pair: AtomPair, plane: ScatteringPlane, concentration: Array | float = 0.5) -> Array:
    """I_FF(Q) = m_A m_B |F_A - F_B|^2, eq. (1) with N = 1, in electrons^2 (fm^2) a cell, (..., ny, nx).

    concentration: m_A = 1 - m_B, a number or (...,).
    """
    real, imaginary = form_factor_difference(pair, plane)
    m_a = concentration if isinstance(concentration, int | float) else concentration[..., None, None]
    return m_a * (1 - m_a) * (real**2 + imaginary**2)


def order_waves(order: OrderParameters, axes: PlaneAxes) -> Waves:
    """Collapse a list of vectors onto a plane: vectors that differ along its normal share one wave.

    The sum runs over v and -v, eq. (3): I_SRO = alpha_0 + 2 sum over the half space of alpha cos(2 pi hkl.v).
    """
    vectors = np.asarray(order.vectors, dtype=np.float64)
    twice = np.where(np.any(vectors != 0, axis=1), 2.0, 1.0) * np.asarray(order.alpha, dtype=np.float64)
    frequencies = np.stack([vectors @ axes.u, vectors @ axes.v], axis=1)
    phase = 2 * np.pi * vectors @ axes.origin
    # A wave and its mirror image are one wave: keep the one that points to +y, or to +x along y = 0.
    coarse = np.round(frequencies * 1e7).astype(np.int64)
    backward = (coarse[:, 1] < 0) | ((coarse[:, 1] == 0) & (coarse[:, 0] < 0))
    sign = np.where(backward, -1, 1)
    key = (coarse[:, 0] * sign) * (1 << 32) + coarse[:, 1] * sign
    _, first, index = np.unique(key, return_index=True, return_inverse=True)
    unique = (frequencies * sign[:, None])[first]
    cosine = np.bincount(index, weights=twice * np.cos(phase), minlength=len(first))
    sine = np.bincount(index, weights=-sign * twice * np.sin(phase), minlength=len(first))
    return Waves(cosine, sine, unique[:, 0], unique[:, 1])


def short_range_order(waves: Waves, x: Array, y: Array) -> Array:
    """I_SRO(Q) = sum_v alpha_v cos(Q v), eq. (3), on a plane, (..., ny, nx)."""
    return sum_waves(waves.cosine, waves.sine, waves.frequency_x, waves.frequency_y, x, y)


def diffuse_scattering(form_factor: Array, short_range_order: Array) -> Array:
    """I_D(Q) = I_FF(Q) I_SRO(Q), eq. (5)."""
    return form_factor * short_range_order


def to_namespace(value: Any, xp: Any, **options: Any) -> Any:
    """Carry the arrays of a ScatteringPlane, AtomPair or Waves into another array library, or onto a GPU."""
    fields = {name: xp.asarray(getattr(value, name), **options) for name in value.__dataclass_fields__}
    return type(value)(**fields)


def simulate_plane(pair: AtomPair, order: OrderParameters, axes: PlaneAxes, cell: Cell) -> tuple[Array, Array, Array]:
    """I_FF, I_SRO and I_D of one plane with NumPy in float64, (ny, nx) each."""
    form = molecular_form_factor(pair, scattering_plane(axes, cell), order.concentration)
    ordering = short_range_order(order_waves(order, axes), axes.x, axes.y)
    return form, ordering, diffuse_scattering(form, ordering)


def stack(values: Sequence[Any]) -> Any:
    """Stack equal-sized ScatteringPlanes, AtomPairs or Waves along a new leading batch dimension (NumPy)."""
    first = values[0]
    fields = {name: np.stack([getattr(v, name) for v in values]) for name in first.__dataclass_fields__}
    return type(first)(**fields)
