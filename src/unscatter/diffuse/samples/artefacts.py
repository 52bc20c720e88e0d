"""What spoils the intensities of a measured plane: background, Bragg residue, blur, counting noise.

Written once against the array API standard: NumPy arrays and batched torch tensors alike. No function draws
random numbers by itself: `draw_*` take a NumPy generator and return plain numbers, all else is deterministic.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from array_api_compat import array_namespace, device
from numpy.typing import NDArray

from unscatter.nouns.arrays import Array

#: One number for all planes, or an array (...) with one number for each plane of a batch (..., ny, nx).
PerPlane: TypeAlias = Any

#: Expected counts from which on a pixel's count is a rounded Gaussian.
MANY_COUNTS = 24.0

# A prime as the number of classes of heights.
_PRIME = 4093


@dataclass(frozen=True)
class Background:
    """Smooth isotropic scattering that is not the crystal's, in units of a plane's mean intensity.

    B(Q) = constant + air / (1 + Q^2 / air_width^2) + halo exp(-(|Q| - halo_centre)^2 / (2 halo_width^2)):
    fluorescence, air around the beam, and the first ring of glue, oil or glass. Widths and centre in
    1/Angstrom. Each is a number or an array (...), one for each plane.
    """

    constant: PerPlane = 0.0
    air: PerPlane = 0.0
    air_width: PerPlane = 0.5
    halo: PerPlane = 0.0
    halo_centre: PerPlane = 1.4
    halo_width: PerPlane = 0.3


def debye_waller(q_squared: Array, b: PerPlane) -> Array:
    """Debye-Waller factor exp(-b Q^2).

    q_squared: (..., ny, nx) in 1/Angstrom^2; b: D_w in Angstrom^2, a number or (...). Returns (..., ny, nx).
    Source: eq. (13), Fuller & Rudden 2024. A mean-square displacement u^2 along Q gives b = u^2.
    """
    return array_namespace(q_squared).exp(-_per_plane(b) * q_squared)


def add_background(intensity: Array, q_squared: Array, background: Background) -> Array:
    """Intensity plus mean(intensity) B(Q), with B the curve of `Background`.

    intensity: (..., ny, nx); q_squared: likewise, in 1/Angstrom^2. Returns (..., ny, nx).
    """
    xp = array_namespace(intensity)
    width, centre = _per_plane(background.halo_width), _per_plane(background.halo_centre)
    air = _per_plane(background.air) / (1 + q_squared / _per_plane(background.air_width) ** 2)
    halo = _per_plane(background.halo) * xp.exp(-0.5 * ((xp.sqrt(q_squared) - centre) / width) ** 2)
    return intensity + _mean(intensity) * (_per_plane(background.constant) + air + halo)


def draw_background(rng: np.random.Generator) -> Background:
    """A random background: up to 0.3 of the mean intensity flat, air and a halo 0.3 and 0.1 on average."""
    return Background(
        constant=float(rng.uniform(0, 0.3)),
        air=float(rng.exponential(0.3)),
        air_width=float(rng.uniform(0.3, 1.5)),
        halo=float(rng.exponential(0.1)),
        halo_centre=float(rng.uniform(1.2, 1.9)),
        halo_width=float(rng.uniform(0.15, 0.5)),
    )


def bragg_residue(hkl: NDArray[np.float64], height: float, width: float, seed: int) -> NDArray[np.float32]:
    """What imperfect removal of Bragg peaks leaves (...): a Gaussian of random height at every integer hkl (..., 3).

    height: the mean one, in units of the plane's mean intensity; width: s.d. in r.l.u. Heights follow Wilson's
    exponential distribution, are equal at hkl and -hkl (Friedel), and depend on hkl and the seed alone: planes that
    share a reflection agree on it.
    """
    nearest = np.round(hkl)
    heights = np.random.default_rng(seed).exponential(height, 4096)
    # Friedel's law: a hash of squares gives hkl and -hkl one height.
    code = (nearest.astype(np.int64) @ np.array([73856093, 19349663, 83492791])) ** 2 % _PRIME
    shape = np.exp(-0.5 * np.sum((hkl - nearest) ** 2, axis=-1) / width**2)
    return np.asarray(heights[code] * shape, dtype=np.float32)


def add_blur(intensity: Array, sigma: PerPlane, periodic: bool = False) -> Array:
    """Intensity convolved with a Gaussian: the resolution of beam, crystal and detector.

    intensity: (..., ny, nx), all measured; sigma: s.d. in pixels, a number or (...). Returns (..., ny, nx).
    Two matrix products, one for each axis. Every row of a kernel sums to 1, so a constant plane stays
    as it is; at the border the Gaussian is cut and renormalised, or wraps around if `periodic`.
    """
    xp = array_namespace(intensity)
    rows = _gaussian_kernel(intensity, intensity.shape[-2], sigma, periodic)
    columns = _gaussian_kernel(intensity, intensity.shape[-1], sigma, periodic)
    return xp.matmul(xp.matmul(rows, intensity), xp.matrix_transpose(columns))


def _gaussian_kernel(like: Array, n: int, sigma: PerPlane, periodic: bool) -> Array:
    xp = array_namespace(like)
    index = xp.arange(n, dtype=like.dtype, device=device(like))
    gap = xp.abs(index[:, None] - index[None, :])
    if periodic:
        gap = xp.minimum(gap, n - gap)
    # A narrower Gaussian than this is already the identity; zero would divide zero by zero.
    width = max(sigma, 1e-2) if isinstance(sigma, int | float) else xp.clip(sigma, 1e-2, None)
    kernel = xp.exp(-0.5 * (gap / _per_plane(width)) ** 2)
    return kernel / xp.sum(kernel, axis=-1, keepdims=True)


def add_counting_noise(intensity: Array, mean_counts: PerPlane, normal: Array) -> Array:
    """Intensity as if counted: never negative, its mean kept, its variance that of Poisson.

    intensity: (..., ny, nx), not negative; mean_counts: counts in an average pixel, a number or (...);
    normal: standard normal numbers (..., ny, nx). Returns (..., ny, nx) in the units of intensity.

    A pixel of n expected counts becomes (m + s z)^2 with m^2 + s^2 = n and 4 m^2 s^2 + 2 s^4 = n, so its mean
    and its variance are n exactly for n >= 1/2; below, m = 0 keeps the mean and the variance is 2 n^2.
    For many counts s -> 1/2, Anscombe's square root, and the Gaussian n + sqrt(n) z is the limit.
    """
    xp = array_namespace(intensity)
    tiny = 1e-20
    scale = _per_plane(mean_counts) / xp.clip(_mean(intensity), tiny, None)
    n = intensity * scale
    # The smaller root of 2 s^4 - 4 n s^2 + n = 0, written without a difference of large numbers.
    root = xp.sqrt(xp.clip(1 - 0.5 / xp.clip(n, tiny, None), 0.0, None))
    s_squared = xp.minimum(n, 0.5 / (1 + root))
    counts = (xp.sqrt(n - s_squared) + xp.sqrt(s_squared) * normal) ** 2
    return counts / scale


def add_whole_counts(intensity: Array, mean_counts: PerPlane, normal: Array) -> Array:
    """Intensity as counted where counts are few: whole numbers of Poisson's law, in the units of intensity.

    As `add_counting_noise`; pixels of more than MANY_COUNTS expected counts take the rounded value of that. Each
    normal number is one quantile: the count is how many terms of the cumulated law lie below it.
    """
    xp = array_namespace(intensity)
    tiny = 1e-20
    scale = _per_plane(mean_counts) / xp.clip(_mean(intensity), tiny, None)
    n = intensity * scale
    few = xp.clip(n, tiny, MANY_COUNTS)
    quantile = _normal_distribution(normal)
    term = xp.exp(-few)
    below, counts = term, xp.zeros_like(n)
    for k in range(1, int(MANY_COUNTS + 6 * MANY_COUNTS**0.5)):
        more = quantile > below
        if not bool(xp.any(more)):
            break
        counts = counts + xp.astype(more, n.dtype)
        term = term * few / k
        below = below + term
    many = xp.round(add_counting_noise(intensity, mean_counts, normal) * scale)
    return xp.where(n > MANY_COUNTS, many, counts) / scale


def _normal_distribution(z: Array) -> Array:
    """Phi(z) to 1e-4 (the logistic form of Bowling et al., 2009), which is finer than any count is known."""
    xp = array_namespace(z)
    return 1 / (1 + xp.exp(-(1.5976 * z + 0.07056 * z**3)))


def _mean(intensity: Array) -> Array:
    """Mean of each plane, (..., 1, 1)."""
    return array_namespace(intensity).mean(intensity, axis=(-2, -1), keepdims=True)


def _per_plane(value: PerPlane) -> Any:
    """A number as it is, an array (...) as (..., 1, 1)."""
    return value if isinstance(value, int | float) else value[..., None, None]
