"""What the network sees of a plane: scaled intensity, what was measured, and first guesses of both components."""

from __future__ import annotations

from array_api_compat import array_namespace

from unscatter.diffuse.plane.first_split import split_by_lattice
from unscatter.diffuse.plane.fold import local_mean
from unscatter.diffuse.plane.scaling import scale_by_maximum
from unscatter.nouns.arrays import Array

#: Names of the input channels, in order; a network remembers those it was trained with.
CHANNELS = (
    "root_intensity",
    "measured",
    "log_intensity",
    "guess_form_factor",
    "guess_order",
    "lattice_known",
)

#: Highest harmonic of the fold that makes the first guess.
GUESS_ORDER = 6
#: Width of the neighbourhood, as a fraction of the plane, that stands in for a cell where no lattice is known.
BLIND_WIDTH = 0.15


def guess_with_lattice(
    intensity: Array, measured: Array, frequencies: Array, window: Array, x: Array, y: Array
) -> tuple[Array, Array]:
    """First I_FF and I_SRO from the lattice: fold, then divide and smooth.

    intensity, measured: (..., ny, nx); frequencies: (..., 2, 2); window: (..., 2); x: (..., nx); y: (..., ny).
    """
    width = (window[..., 0], window[..., 1])
    split = split_by_lattice(intensity, measured, frequencies, width, x, y, GUESS_ORDER)
    return split.form_factor, split.short_range_order


def guess_without_lattice(intensity: Array, measured: Array) -> tuple[Array, Array]:
    """First I_FF and I_SRO where no lattice is known: a local mean and what is left after dividing by it."""
    xp = array_namespace(intensity)
    rows, columns = intensity.shape[-2:]
    device = getattr(intensity, "device", None)
    x = xp.arange(columns, dtype=intensity.dtype, device=device)
    y = xp.arange(rows, dtype=intensity.dtype, device=device)
    # The mean of noise of both signs may be negative, I_FF is not.
    form = xp.clip(local_mean(intensity, measured, x, y, BLIND_WIDTH * columns, BLIND_WIDTH * rows), 0.0, None)
    floor = 0.05 * xp.max(form, axis=(-2, -1), keepdims=True)
    ordered = xp.where(measured > 0, intensity / (form + floor + 1e-30), 1.0)
    return form, ordered


def network_channels(
    intensity: Array, measured: Array, guess: tuple[Array, Array], lattice_known: bool
) -> tuple[Array, Array]:
    """Input channels (..., 6, ny, nx) and first guesses (..., 2, ny, nx) in the range [-1, 1].

    intensity: finite everywhere, zero where measured (0 or 1) is zero, negative where noise is. Scaled by
    means, which a few hot pixels do not move, and not by the maximum.
    """
    xp = array_namespace(intensity)
    count = xp.sum(measured, axis=(-2, -1), keepdims=True) + 1e-9
    root = xp.sqrt(xp.clip(intensity, 0.0, None)) * measured
    root = xp.clip(root / (xp.sum(root, axis=(-2, -1), keepdims=True) / count + 1e-20) / 2, 0.0, 4.0) - 1
    mean = xp.sum(intensity * measured, axis=(-2, -1), keepdims=True) / count + 1e-30
    logarithm = xp.log(xp.clip(intensity / mean, 0.0, None) + 1e-3) / 7 * measured
    guesses = xp.stack([scale_by_maximum(guess[0]), scale_by_maximum(guess[1])], axis=-3)
    flag = xp.ones_like(root) if lattice_known else xp.zeros_like(root)
    channels = xp.stack([root, measured, logarithm], axis=-3)
    return xp.concat([channels, guesses, flag[..., None, :, :]], axis=-3), guesses
