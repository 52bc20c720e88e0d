"""Project a plane into one reciprocal cell and back: what the lattice alone says about I_SRO and I_FF.

I_SRO repeats with the reciprocal lattice, so on a plane it is a Fourier series over the translations that lie in
the plane. Folding is the weighted least-squares fit of that series: no bins, no interpolation, gaps welcome.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from array_api_compat import array_namespace
from numpy.typing import NDArray

from unscatter.diffuse.plane.separable import project_waves, sum_waves, wave_tables
from unscatter.nouns.arrays import Array
from unscatter.nouns.plane import PlaneAxes


@dataclass(frozen=True)
class PlaneLattice:
    """The translations of the reciprocal lattice that lie in a plane, in units of the axes x and y.

    translations: (2, 2), rows (t_x, t_y); centre: a point (x, y) about which I_SRO is the same turned by 180 deg,
    None where the plane holds no such point; one_dimensional: I_SRO is constant along the second translation, which
    may have any length (streaks).
    """

    translations: NDArray[np.float64]
    centre: tuple[float, float] | None
    one_dimensional: bool = False

    @property
    def frequencies(self) -> NDArray[np.float64]:
        """Waves per unit of (x, y) of the first harmonic of either translation, (2, 2): f_i . t_j = delta_ij."""
        return np.asarray(np.linalg.inv(self.translations).T, dtype=np.float64)

    @property
    def window(self) -> tuple[float, float]:
        """Widths in x and y over which every harmonic but the mean averages out, exactly if one lies along x."""
        (t, s) = self.translations
        if abs(t[1]) < 1e-6 * abs(t[0]):
            return abs(float(t[0])), abs(float(s[1]))
        if abs(s[0]) < 1e-6 * abs(s[1]):
            return abs(float(t[0])), abs(float(s[1]))
        size = math.sqrt(abs(float(np.linalg.det(self.translations))))
        return size, size


@dataclass(frozen=True)
class CellMap:
    """I_SRO of a plane as a Fourier series, (..., K): what `fold` returns.

    I_SRO(x, y) = sum_k cosine_k cos(2 pi (f_x x + f_y y)) + sine_k sin(...); the first wave is the mean.
    """

    cosine: Array
    sine: Array
    frequency_x: Array
    frequency_y: Array

    def __call__(self, x: Array, y: Array) -> Array:
        """Unfold: I_SRO on the pixels x (..., nx), y (..., ny)."""
        return sum_waves(self.cosine, self.sine, self.frequency_x, self.frequency_y, x, y)


def plane_lattice(axes: PlaneAxes, largest_index: int = 12) -> PlaneLattice | None:
    """Translations (t_x, t_y) with t_x u + t_y v a whole number of reciprocal cells; None if there are not two.

    A plane such as (h h l) holds longer translations than one cell, and the search goes up to largest_index cells.
    Source of the reduction: Lagrange-Gauss.
    """
    hkl = _indices(largest_index)
    normal = np.cross(axes.u, axes.v)
    normal /= np.linalg.norm(normal)
    inside = hkl[np.abs(hkl @ normal) < 1e-6]
    inside = inside[np.argsort(np.sum(inside**2, axis=1), kind="stable")][1:]
    if not len(inside):
        return None
    basis = np.stack([axes.u, axes.v])
    coordinates = np.linalg.lstsq(basis.T, inside.T, rcond=None)[0].T
    # Shortest first in the metric of the picture, so the cell is as compact as it can be.
    coordinates = coordinates[np.argsort(np.sum(coordinates**2, axis=1).round(9), kind="stable")]
    first = coordinates[0]
    for second in coordinates[1:]:
        area = first[0] * second[1] - first[1] * second[0]
        if abs(area) > 1e-9:
            translations = _along_axes(first, second)
            return PlaneLattice(translations, _inversion_centre(axes))
    return None


def _inversion_centre(axes: PlaneAxes) -> tuple[float, float] | None:
    """A point of the plane with 2 hkl whole: there I_SRO(-Q) = I_SRO(Q) and its period meet."""
    normal = np.cross(axes.u, axes.v)
    half = _indices(6) / 2
    off = (half - axes.origin) @ normal / np.linalg.norm(normal)
    inside = half[np.abs(off) < 1e-5]
    if not len(inside):
        return None
    basis = np.stack([axes.u, axes.v])
    coordinates = np.linalg.lstsq(basis.T, (inside - axes.origin).T, rcond=None)[0].T
    x, y = coordinates[np.argmin(np.sum(coordinates**2, axis=1))]
    return float(x), float(y)


@cache
def _indices(largest: int) -> NDArray[np.float64]:
    """All hkl up to a largest index, (n, 3)."""
    index = np.arange(-largest, largest + 1, dtype=np.float64)
    return np.stack(np.meshgrid(index, index, index, indexing="ij"), axis=-1).reshape(-1, 3)


def _along_axes(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """Prefer a translation along x as the first and make both point forward."""
    pair = [first, second]
    pair.sort(key=lambda t: abs(t[1]))
    return np.array([t * (1 if t[np.argmax(np.abs(t))] > 0 else -1) for t in pair])


@cache
def half_plane(order: int) -> NDArray[np.int64]:
    """Harmonics (m, n), |m|, |n| <= order, one of each pair +-(m, n), the mean (0, 0) first: (K, 2)."""
    index = np.arange(-order, order + 1)
    pairs = np.stack(np.meshgrid(index, index, indexing="ij"), axis=-1).reshape(-1, 2)
    return pairs[len(pairs) // 2 :]


def local_mean(plane: Array, weight: Array, x: Array, y: Array, width_x: Array, width_y: Array) -> Array:
    """Weighted mean of a plane over a rectangle around each pixel, by two matrix products.

    plane, weight: (..., ny, nx); width: numbers or (...,) in units of the axes. Where the rectangle holds no
    weight the mean is taken over the neighbourhood that does, with a weight that falls off smoothly.
    """
    xp = array_namespace(plane)
    box_x, box_y = _box_matrix(x, width_x), _box_matrix(y, width_y)
    far_x, far_y = _bell_matrix(x, width_x), _bell_matrix(y, width_y)

    def smooth(values: Array) -> Array:
        near = xp.matmul(xp.matmul(box_y, values), xp.matrix_transpose(box_x))
        return near + 1e-4 * xp.matmul(xp.matmul(far_y, values), xp.matrix_transpose(far_x))

    return smooth(plane * weight) / xp.clip(smooth(weight), 1e-12, None)


def local_gain(
    intensity: Array, model: Array, weight: Array, x: Array, y: Array, width: tuple[float, float], prior: float = 2.0
) -> Array:
    """Ratio of what is measured to what a model says, over a rectangle around each pixel, (..., ny, nx).

    gain = (sum w I + prior <model>) / (sum w model + prior <model>): `prior` pixels of the model keep it at 1 where
    little or nothing was measured.
    """
    xp = array_namespace(intensity)
    box_x, box_y = _box_matrix(x, width[0]), _box_matrix(y, width[1])

    def total(values: Array) -> Array:
        return xp.matmul(xp.matmul(box_y, values), xp.matrix_transpose(box_x))

    kept = prior * total(model) / total(xp.ones_like(model)) + 1e-30
    return (total(weight * intensity) + kept) / (total(weight * model) + kept)


def _offsets(axis: Array, width: Array) -> tuple[Array, Array]:
    xp = array_namespace(axis)
    distance = xp.abs(axis[..., :, None] - axis[..., None, :])
    wide = width if isinstance(width, float) else width[..., None, None]
    return distance, wide


def _box_matrix(axis: Array, width: Array) -> Array:
    """Overlap of every pixel with a box around every other, 0 to 1."""
    xp = array_namespace(axis)
    distance, wide = _offsets(axis, width)
    step = (axis[..., 1] - axis[..., 0])[..., None, None]
    return xp.clip(0.5 + (wide / 2 - distance) / step, 0.0, 1.0)


def _bell_matrix(axis: Array, width: Array) -> Array:
    """A weight that never vanishes, so that wide gaps are filled from what lies around them."""
    distance, wide = _offsets(axis, width)
    return 1 / (1 + (distance / wide) ** 2) ** 3


def fit_waves(
    values: Array,
    weight: Array,
    frequencies: Array,
    x: Array,
    y: Array,
    order: int,
    *,
    centric: bool = False,
    ridge: float = 1e-3,
    prior: tuple[Array, Array] | None = None,
) -> CellMap:
    """Weighted least-squares Fourier series of a plane: minimises sum w (values - series)^2 + ridge |c - prior|^2.

    values, weight: (..., ny, nx), weight 0 where not measured; frequencies: (..., 2, 2), the waves per unit of
    (x, y) of the first harmonic of the two translations; order: highest harmonic; ridge: relative to the mean weight
    and growing with the square of the harmonic, so that what the data do not determine stays at the prior (zero).
    """
    xp = array_namespace(values)
    harmonics = half_plane(order)
    fx, fy = _combine(frequencies, harmonics, xp)
    weight_cos, weight_sin = project_harmonics(weight, frequencies, half_plane(2 * order), x, y)
    right_cos, right_sin = project_harmonics(values * weight, frequencies, harmonics, x, y)
    normal = _normal_matrix(weight_cos, weight_sin, order, centric, xp)
    total = weight_cos[..., 0]
    right = right_cos if centric else xp.concat([right_cos, right_sin[..., 1:]], axis=-1)
    penalty = _penalty(order, centric, ridge)
    diagonal = xp.asarray(penalty, dtype=values.dtype, device=_device(values)) * total[..., None]
    if prior is not None:
        old = prior[0] if centric else xp.concat([prior[0], prior[1][..., 1:]], axis=-1)
        right = right + diagonal * old
    size = penalty.size
    identity = xp.eye(size, dtype=values.dtype, device=_device(values))
    solution = _solve(normal + diagonal[..., None, :] * identity, right, xp)
    count = len(harmonics)
    cosine = solution[..., :count]
    zero = xp.zeros_like(cosine[..., :1])
    sine = xp.zeros_like(cosine) if centric else xp.concat([zero, solution[..., count:]], axis=-1)
    return CellMap(cosine, sine, fx, fy)


def project_harmonics(
    plane: Array, frequencies: Array, harmonics: NDArray[np.int64], x: Array, y: Array
) -> tuple[Array, Array]:
    """Sums over the pixels of plane * cos and plane * sin for harmonics (K, 2), (..., K) each.

    Where one translation lies along x, the second basic frequency has no x component and all harmonics with equal
    first number share one wave in x: few matrix columns serve many harmonics.
    """
    xp = array_namespace(plane)
    fx, fy = _combine(frequencies, harmonics, xp)
    if not bool(xp.all(xp.abs(frequencies[..., 1, 0]) <= 1e-6 * xp.max(xp.abs(frequencies)))):
        return project_waves(plane, fx, fy, x, y)
    numbers, place = np.unique(harmonics[:, 0], return_inverse=True)
    shared = np.stack([numbers, np.zeros_like(numbers)], axis=-1)
    cos_x, sin_x = wave_tables(_combine(frequencies, shared, xp)[0], x)
    index = xp.asarray(place, device=_device(plane))
    by_cos, by_sin = (
        xp.matrix_transpose(xp.take(xp.matmul(plane, xp.matrix_transpose(table)), index, axis=-1))
        for table in (cos_x, sin_x)
    )
    cos_y, sin_y = wave_tables(fy, y)
    cosine = xp.sum(by_cos * cos_y - by_sin * sin_y, axis=-1)
    return cosine, xp.sum(by_sin * cos_y + by_cos * sin_y, axis=-1)


def _solve(matrix: Array, right: Array, xp: Array, iterations: int = 50) -> Array:
    """Solve symmetric positive-definite systems by conjugate gradients with a diagonal preconditioner.

    The systems are close to diagonal (waves are nearly orthogonal over many cells), so a few steps give all the
    digits of float32, in any array library and for a whole batch at once.
    """
    inverse = 1 / xp.linalg.diagonal(matrix)
    solution = xp.zeros_like(right)
    residual = right
    direction = inverse * residual
    power = xp.sum(residual * direction, axis=-1, keepdims=True)
    tiny = 1e-36
    for _ in range(iterations):
        image = xp.matmul(matrix, direction[..., None])[..., 0]
        step = power / (xp.sum(direction * image, axis=-1, keepdims=True) + tiny)
        solution = solution + step * direction
        residual = residual - step * image
        preconditioned = inverse * residual
        new_power = xp.sum(residual * preconditioned, axis=-1, keepdims=True)
        direction = preconditioned + new_power / (power + tiny) * direction
        power = new_power
    return solution


def _device(array: Array) -> Array:
    return getattr(array, "device", None)


def _combine(frequencies: Array, harmonics: NDArray[np.int64], xp: Array) -> tuple[Array, Array]:
    """Frequencies (f_x, f_y), (..., K), of harmonics (K, 2) of two basic frequencies (..., 2, 2)."""
    numbers = xp.asarray(harmonics.astype(np.float64), dtype=frequencies.dtype, device=_device(frequencies))
    both = xp.matmul(numbers, frequencies)
    return both[..., 0], both[..., 1]


@cache
def _pair_lookup(
    order: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Where the sum and the difference of two harmonics stand in the half plane of twice the order, and their signs."""
    harmonics = half_plane(order)
    edge = 4 * order + 1
    middle = edge * edge // 2

    def place(pairs: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        flat = (pairs[..., 0] + 2 * order) * edge + pairs[..., 1] + 2 * order - middle
        return np.abs(flat), np.where(flat < 0, -1.0, 1.0)

    sums, sum_sign = place(harmonics[:, None] + harmonics[None, :])
    differences, difference_sign = place(harmonics[:, None] - harmonics[None, :])
    return sums, differences, sum_sign, difference_sign


def _normal_matrix(weight_cos: Array, weight_sin: Array, order: int, centric: bool, xp: Array) -> Array:
    """Sums of w cos cos, w cos sin and w sin sin over the pixels, from the Fourier sums of w alone."""
    sums, differences, sum_sign, difference_sign = _pair_lookup(order)
    shape = (*weight_cos.shape[:-1], *sums.shape)

    def pick(source: Array, where: NDArray[np.int64]) -> Array:
        index = xp.asarray(where.ravel(), device=_device(source))
        return xp.reshape(xp.take(source, index, axis=-1), shape)

    def signs(values: NDArray[np.float64]) -> Array:
        return xp.asarray(values, dtype=weight_cos.dtype, device=_device(weight_cos))

    plus, minus = pick(weight_cos, sums), pick(weight_cos, differences)
    cos_cos = (minus + plus) / 2
    if centric:
        return cos_cos
    sin_plus = pick(weight_sin, sums) * signs(sum_sign)
    sin_minus = pick(weight_sin, differences) * signs(difference_sign)
    sin_sin = ((minus - plus) / 2)[..., 1:, 1:]
    # sin(q) cos(p) = (sin(q + p) + sin(q - p)) / 2, rows p, columns q: q - p = -(p - q)
    cos_sin = ((sin_plus - sin_minus) / 2)[..., :, 1:]
    top = xp.concat([cos_cos, cos_sin], axis=-1)
    bottom = xp.concat([xp.matrix_transpose(cos_sin), sin_sin], axis=-1)
    return xp.concat([top, bottom], axis=-2)


@cache
def _penalty(order: int, centric: bool, ridge: float) -> NDArray[np.float64]:
    harmonics = half_plane(order)
    growth = ridge * (np.sum(harmonics**2, axis=1) / max(order, 1) ** 2 + 1e-3)
    return growth if centric else np.concatenate([growth, growth[1:]])
