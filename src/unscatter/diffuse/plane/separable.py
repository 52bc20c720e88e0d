"""Fourier sums over a plane: exp(2 pi i (f_x x + f_y y)) factorises along the two axes, so a sum is matrix products.

All functions take NumPy arrays or torch tensors, with any leading batch dimensions.
"""

from __future__ import annotations

import math

from array_api_compat import array_namespace

from unscatter.nouns.arrays import Array


def wave_tables(frequency: Array, axis: Array) -> tuple[Array, Array]:
    """Cosine and sine of 2 pi f x: (..., K) frequencies and (..., n) positions give two tables (..., K, n)."""
    xp = array_namespace(frequency, axis)
    phase = 2 * math.pi * frequency[..., :, None] * axis[..., None, :]
    return xp.cos(phase), xp.sin(phase)


def sum_waves(cosine: Array, sine: Array, frequency_x: Array, frequency_y: Array, x: Array, y: Array) -> Array:
    """Synthesis: sum_k A_k cos(2 pi (f_x x + f_y y)) + B_k sin(2 pi (f_x x + f_y y)).

    cosine, sine (A, B) and the frequencies: (..., K); x: (..., nx); y: (..., ny); returns (..., ny, nx).
    """
    cos_x, sin_x = wave_tables(frequency_x, x)
    cos_y, sin_y = wave_tables(frequency_y, y)
    return sum_wave_tables(cosine, sine, cos_x, sin_x, cos_y, sin_y)


def sum_wave_tables(cosine: Array, sine: Array, cos_x: Array, sin_x: Array, cos_y: Array, sin_y: Array) -> Array:
    """`sum_waves` with the four tables (..., K, n) already made, for several sums over the same waves."""
    xp = array_namespace(cosine, cos_x)
    a, b = cosine[..., :, None], sine[..., :, None]
    # A cos(X + Y) + B sin(X + Y) = cos X (A cos Y + B sin Y) + sin X (B cos Y - A sin Y)
    rows = xp.concat([a * cos_y + b * sin_y, b * cos_y - a * sin_y], axis=-2)
    columns = xp.concat([cos_x, sin_x], axis=-2)
    return xp.matmul(xp.matrix_transpose(rows), columns)


def project_waves(plane: Array, frequency_x: Array, frequency_y: Array, x: Array, y: Array) -> tuple[Array, Array]:
    """Analysis, the adjoint of `sum_waves`: sums over the pixels of plane * cos and plane * sin, (..., K) each."""
    xp = array_namespace(plane, frequency_x)
    cos_x, sin_x = wave_tables(frequency_x, x)
    cos_y, sin_y = wave_tables(frequency_y, y)
    by_cos, by_sin = xp.matmul(cos_y, plane), xp.matmul(sin_y, plane)
    return (
        xp.sum(by_cos * cos_x - by_sin * sin_x, axis=-1),
        xp.sum(by_cos * sin_x + by_sin * cos_x, axis=-1),
    )
