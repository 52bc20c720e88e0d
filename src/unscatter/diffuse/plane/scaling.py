"""From intensities to the network's range [-1, 1] and exactly back, in NumPy or torch."""

from __future__ import annotations

from array_api_compat import array_namespace

from unscatter.nouns.arrays import Array


def scale_plane(intensity: Array, maximum: Array) -> Array:
    """Square root and range: s = 2 sqrt(I / I_max) - 1; zero and less become -1. Section 2.1 (6), Fuller & Rudden 2024.

    intensity: (..., ny, nx); maximum: a number or (..., 1, 1).
    """
    xp = array_namespace(intensity)
    return 2 * xp.sqrt(xp.clip(intensity / maximum, 0.0, None)) - 1


def unscale_plane(scaled: Array, maximum: Array) -> Array:
    """Inverse of `scale_plane` for I >= 0: I = I_max ((s + 1) / 2)^2."""
    return maximum * ((scaled + 1) / 2) ** 2


def plane_maximum(intensity: Array) -> Array:
    """Largest value of each plane, (..., 1, 1)."""
    xp = array_namespace(intensity)
    return xp.max(intensity, axis=(-2, -1), keepdims=True)


def scale_by_maximum(intensity: Array) -> Array:
    """`scale_plane` with the plane's own maximum: the scaling in which the paper's errors are stated."""
    return scale_plane(intensity, plane_maximum(intensity))


def scale_as_published(intensity: Array) -> Array:
    """The scaling of the published code: s = 2 sqrt((I - I_min) / (I_max - I_min)) - 1, each plane by itself.

    intensity: (..., ny, nx). The published errors are of this scale; a plane without contrast becomes -1.
    """
    xp = array_namespace(intensity)
    lowest = xp.min(intensity, axis=(-2, -1), keepdims=True)
    above = intensity - lowest
    return scale_plane(above, xp.clip(plane_maximum(above), 1e-30, None))


def scale_as_in_text(intensity: Array) -> Array:
    """The scaling of the paper's text: the square root first, then each plane from its minimum to its maximum.

    s = 2 (r - r_min) / (r_max - r_min) - 1 with r = sqrt(I). Section 2.1 (6), Fuller & Rudden 2024.
    """
    xp = array_namespace(intensity)
    root = xp.sqrt(xp.clip(intensity, 0.0, None))
    lowest = xp.min(root, axis=(-2, -1), keepdims=True)
    above = root - lowest
    return 2 * above / xp.clip(plane_maximum(above), 1e-30, None) - 1
