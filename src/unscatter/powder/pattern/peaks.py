"""Lines of a powder as a diffractometer shows them: where, how strong and how wide; with hkl, so with derivatives."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from array_api_compat import array_namespace, device

from unscatter.nouns.arrays import Array
from unscatter.nouns.reflections import Reflections
from unscatter.powder.pattern.factors import cylinder_absorption, lorentz_polarisation, polarised_share
from unscatter.powder.pattern.instrument import Instrument
from unscatter.powder.pattern.width import broaden, caglioti_fwhm

# Lines so far beyond the last angle are left out, in degrees, and all beyond the second angle, where widths diverge.
_BEYOND, _LAST = 5.0, 179.0


@dataclass(frozen=True, eq=False)
class Peaks:
    """Peaks of one or many patterns, each a column (m,): position and fwhm in degrees, area, Lorentzian share eta.

    row: (m,) number of the pattern; hkl: (m, 3) indices, None where they were not kept. Columns are arrays of any
    library; those of torch carry gradients, by the cell as well where it gave the 1/d.
    """

    position: Array
    area: Array
    fwhm: Array
    eta: Array
    row: Array
    hkl: Array | None = None

    def __len__(self) -> int:
        """Return the number of peaks."""
        return int(self.position.shape[0])


def place_peaks(
    reflections: Reflections, instrument: Instrument, *, size: float = math.inf, strain: float = 0.0, row: int = 0
) -> Peaks:
    """Peaks of a powder on an instrument, where a well aligned one would show them; all wavelengths, those in range.

    sin(theta) = lambda / (2 d), area = m |F|^2 / V^2 LP A, FWHM and eta of Caglioti's law and of crystallites of
    `size` (Angstrom) and `strain`; see `misalign` for zero and displacement, `spread_axially` for the asymmetry.
    """
    strength = reflections.multiplicity * reflections.f_squared / reflections.volume**2
    return place_lines(reflections.inverse_d, strength, instrument, reflections.hkl, size=size, strain=strain, row=row)


def place_lines(
    inverse_d: Array,
    strength: Array,
    instrument: Instrument,
    hkl: Array | None = None,
    *,
    size: float = math.inf,
    strain: float = 0.0,
    row: int = 0,
) -> Peaks:
    """Peaks of lines at 1/d (n,) in 1/Angstrom with strengths m |F|^2 (n,) in any unit, as `place_peaks`."""
    xp = array_namespace(inverse_d, strength)
    last = math.sin(math.radians(min(instrument.range[1] + _BEYOND, _LAST) / 2))
    parts = []
    for wavelength, weight in zip(instrument.wavelengths, instrument.weights, strict=True):
        sine = inverse_d * (wavelength / 2)
        seen = sine < last
        theta = xp.asin(sine[seen])
        two_theta = theta * (360 / math.pi)
        factor = lorentz_polarisation(theta, polarised_share(instrument)) * (weight / sum(instrument.weights))
        if instrument.mu_r:
            factor = factor * cylinder_absorption(theta, instrument.mu_r)
        fwhm = caglioti_fwhm(theta, *instrument.caglioti)
        eta = xp.clip(instrument.mixing[0] + instrument.mixing[1] * two_theta, 0.0, 1.0)
        if size < math.inf or strain > 0:
            fwhm, eta = broaden(fwhm, eta, theta, instrument.wavelengths[0], size, strain)
        rows = xp.full(theta.shape, row, dtype=xp.int64, device=device(theta))
        indices = None if hkl is None else take_rows(hkl, seen)
        parts.append(Peaks(two_theta, strength[seen] * factor, fwhm, eta, rows, indices))
    return join_peaks(parts)


def join_peaks(parts: Sequence[Peaks]) -> Peaks:
    """All peaks of several lists in one; hkl are kept where all have them."""
    if len(parts) == 1:
        return parts[0]
    xp = array_namespace(parts[0].position)
    position, area, fwhm, eta, row = (
        xp.concat([getattr(part, name) for part in parts]) for name in ("position", "area", "fwhm", "eta", "row")
    )
    hkl = [part.hkl for part in parts if part.hkl is not None]
    kept = array_namespace(hkl[0]).concat(hkl) if len(hkl) == len(parts) else None
    return Peaks(position, area, fwhm, eta, row, kept)


def take_rows(hkl: Array, chosen: Array) -> Array:
    """Rows of hkl (n, 3) by number or by mask, which may be of another library than hkl."""
    return hkl[chosen if isinstance(chosen, type(hkl)) else np.asarray(chosen)]


def misalign(peaks: Peaks, zero: float, displacement: float = 0.0) -> Peaks:
    """Peaks where they are seen: zero of the scale, and a sample off the axis of the circle, both in degrees.

    displacement: shift at two-theta = 0, - 2 s / R of Bragg-Brentano optics; it falls as cos(theta).
    """
    xp = array_namespace(peaks.position)
    shift = zero + displacement * xp.cos(peaks.position * (math.pi / 360)) if displacement else zero
    return replace(peaks, position=peaks.position + shift)


def position_by_metric(hkl: Array, two_theta: Array, wavelength: float) -> Array:
    """Derivatives (n, 6), degrees times Angstrom^2, of two-theta by A, B, C, D, E, F of the reciprocal metric.

    1/d^2 = h^2 A + k^2 B + l^2 C + k l D + h l E + h k F and d(2 theta) / d(1/d^2) = lambda^2 / (2 sin 2 theta).
    hkl: (n, 3) and two_theta: (n,) in degrees, of one library.
    """
    xp = array_namespace(two_theta)
    h, k, l = (xp.astype(hkl[:, i], two_theta.dtype) for i in range(3))  # noqa: E741
    terms = xp.stack([h * h, k * k, l * l, k * l, h * l, h * k], axis=1)
    slope = wavelength**2 / 2 / xp.sin(two_theta * (math.pi / 180)) * (180 / math.pi)
    return terms * slope[:, None]
