"""The lines of a powder: which reflections a crystal has, how often, and how strong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from array_api_compat import array_namespace, device
from numpy.typing import NDArray

from unscatter.atoms import Radiation, anomalous_dispersion, form_factors, neutron_lengths
from unscatter.nouns.arrays import Array, IntArray
from unscatter.nouns.crystal import Crystal
from unscatter.nouns.reflections import Reflections
from unscatter.nouns.sites import centrings, coset_representatives, primitive_atoms


def simulate_reflections(
    crystal: Crystal,
    limit: float,
    radiation: Radiation = "neutron",
    wavelength: float | None = None,
    b_default: float = 0.0,
) -> Reflections:
    """Lines of a crystal up to 1/d = limit (1/Angstrom), sorted by 1/d.

    |F|^2 = |sum_j o_j b_j exp(-B_j / 4 d^2) exp(2 pi i h.x_j)|^2, averaged over Friedel pairs. `wavelength`
    in Angstrom adds f' + i f'' for X-rays and picks resonant neutron lengths; atoms without a displacement
    factor get `b_default` in Angstrom^2. Raises ValueError for an element without a tabulated length or form
    factor, and where no reflection lies below the limit.
    """
    hkl, multiplicity = unique_hkl(crystal, limit)
    if len(hkl) == 0:
        raise ValueError(f"{crystal.name or 'structure'}: no reflection below 1/d = {limit:g} 1/Angstrom")
    q = hkl @ crystal.cell.reciprocal
    inverse_d = np.sqrt(np.einsum("ni,ni->n", q, q)) / (2 * np.pi)
    order = np.argsort(inverse_d, kind="stable")
    hkl, multiplicity, inverse_d = hkl[order], multiplicity[order], inverse_d[order]
    f_squared = simulate_f_squared(crystal, hkl, inverse_d, [(radiation, wavelength)], b_default)[0]
    return Reflections(inverse_d, multiplicity, f_squared, crystal.cell.volume, hkl, radiation, crystal.name)


def simulate_f_squared(
    crystal: Crystal,
    hkl: IntArray,
    inverse_d: NDArray[np.float64],
    beams: Sequence[tuple[Radiation, float | None]],
    b_default: float = 0.0,
) -> NDArray[np.float64]:
    """|F|^2 of reflections hkl (m, 3) at 1/d (m,) in several beams at once, (beams, m), as simulate_reflections.

    beams: radiation and wavelength in Angstrom (None: no dispersion, no resonance). The phases, which take most of
    the time, are computed once for all of them.
    """
    positions, site = primitive_atoms(crystal)
    b_iso = np.where(np.isnan(crystal.b_iso), b_default, crystal.b_iso)
    species, of_site = _species(crystal.elements, b_iso)
    elements = [e for e, _ in species]
    amplitudes = np.stack([scattering_amplitudes(elements, inverse_d, *beam) for beam in beams])
    amplitudes = amplitudes * np.exp(-np.array([b for _, b in species]) * inverse_d[:, None] ** 2 / 4)
    weights = np.zeros((len(positions), len(species)))
    weights[np.arange(len(positions)), of_site[site]] = crystal.occupancies[site] * centrings(crystal)
    f_squared = powder_f_squared(hkl, positions, weights, amplitudes, centric=_inversion_at_origin(crystal))
    return np.asarray(f_squared, dtype=np.float64)


def powder_f_squared(
    hkl: IntArray, positions: Array, weights: Array, amplitudes: Array, centric: bool = False
) -> Array:
    """|F|^2 (m,), mean of h and -h: |sum_j Re(b_j) e_j|^2 + |sum_j Im(b_j) e_j|^2, e_j = exp(2 pi i h.x_j).

    hkl: (m, 3); positions: (p, 3) fractional, of any array library; weights: (p, s), what each atom adds to
    each species; amplitudes: (..., m, s), complex, and so the result is (..., m); centric: whether each atom at x
    has one at -x, so sines cancel.
    """
    xp = array_namespace(positions)
    indices = xp.asarray(hkl, dtype=positions.dtype)
    turns = indices @ positions.T
    # A fraction of a turn is good to 1e-7 in single precision, where sines are ten times faster.
    phase = xp.astype(turns - xp.round(turns), xp.float32) * (2 * xp.pi)
    waves = [xp.cos(phase)] if centric else [xp.cos(phase), xp.sin(phase)]
    amplitudes = xp.asarray(amplitudes)
    parts = [part for part in (xp.real(amplitudes), xp.imag(amplitudes)) if bool(xp.any(part != 0))]
    weights = xp.astype(xp.asarray(weights), xp.float32)
    sums = [xp.astype(wave @ weights, positions.dtype) for wave in waves]
    zero = xp.zeros(phase.shape[0], dtype=positions.dtype, device=device(phase))
    return sum((xp.sum(part * total, axis=-1) ** 2 for part in parts for total in sums), start=zero)


def scattering_amplitudes(
    elements: list[str], inverse_d: NDArray[np.float64], radiation: Radiation, wavelength: float | None = None
) -> NDArray[np.complex128]:
    """Scattering length (fm) or form factor (electrons) of each element at each 1/d, complex, (m, n)."""
    if radiation == "neutron":
        lengths = neutron_lengths(elements, wavelength)
        return np.tile(lengths, (len(inverse_d), 1))
    symbols = [e.lstrip("0123456789") for e in elements]
    f0 = form_factors(symbols, "x-ray")(2 * np.pi * inverse_d).T
    dispersion = anomalous_dispersion(symbols, wavelength) if wavelength else np.zeros(len(symbols), complex)
    return (f0 + dispersion).astype(np.complex128)


def unique_hkl(crystal: Crystal, limit: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """One hkl (m, 3) of each set of equivalent reflections with 1/d <= limit, and the size (m,) of the set.

    Equivalent: by the Laue class, so Friedel pairs count together. Systematic absences are left out.
    """
    rotations, translations, centring = coset_representatives(crystal)
    hkl = _sphere(crystal, limit, rotations)
    if len(centring) > 1:
        hkl = hkl[np.all(_whole(hkl @ centring.T), axis=1)]
    # One number per hkl, h B^2 + k B + l: its images under all rotations are then one matrix product, and the
    # set is represented by its largest number.
    base = 4.0 * np.abs(hkl).sum(axis=1).max(initial=1) + 1
    codes = hkl @ (rotations @ np.array([base**2, base, 1.0])).T
    own = codes[:, :1]
    first = np.all(np.abs(codes) <= own, axis=1)
    hkl, codes, own = hkl[first], codes[first], own[first]
    fixed = codes == own
    present = np.all(_whole(hkl @ translations.T) | ~fixed, axis=1)
    # The orbit of h under {R, -R} has 2 n / (number of R with h R = h or -h) members.
    multiplicity = 2 * len(rotations) // np.sum(fixed | (codes == -own), axis=1)
    return hkl[present].astype(np.int64), multiplicity[present]


def _species(
    elements: tuple[str, ...], b_iso: NDArray[np.float64]
) -> tuple[list[tuple[str, float]], NDArray[np.int64]]:
    """Return the distinct pairs of element and B, and the pair each site belongs to."""
    numbers: dict[tuple[str, float], int] = {}
    of_site = [numbers.setdefault((e, float(b)), len(numbers)) for e, b in zip(elements, b_iso, strict=True)]
    return list(numbers), np.array(of_site)


def _sphere(crystal: Crystal, limit: float, rotations: NDArray[np.int64]) -> NDArray[np.float64]:
    """All hkl (m, 3) but the origin with 1/d <= limit, h >= 0, and k, l >= 0 where a mirror makes -k, -l alike."""
    most = [int(limit * edge + 1e-9) for edge in crystal.cell.parameters[:3]]
    least: list[int] = [0, *(0 if _mirrored(rotations, axis) else -most[axis] for axis in (1, 2))]
    h, k, l = np.ogrid[tuple(slice(a, b + 1) for a, b in zip(least, most, strict=True))]  # noqa: E741
    reciprocal = crystal.cell.reciprocal / (2 * np.pi)
    g = reciprocal @ reciprocal.T
    squared = (
        (g[0, 0] * h * h + g[1, 1] * k * k + 2 * g[0, 1] * h * k)
        + (2 * g[0, 2] * h + 2 * g[1, 2] * k) * l
        + g[2, 2] * l * l
    )
    # Equivalent reflections on the limit stay together, whatever the rounding.
    inside = squared <= limit**2 * (1 + 1e-9)
    inside[tuple(-a for a in least)] = False
    return np.stack(np.nonzero(inside), axis=1).astype(np.float64) + np.array(least, dtype=np.float64)


def _mirrored(rotations: NDArray[np.int64], axis: int) -> bool:
    """Whether the Laue class turns one index alone around."""
    mirror = np.diag([-1 if i == axis else 1 for i in range(3)])
    same = np.all(rotations == mirror, axis=(1, 2)) | np.all(rotations == -mirror, axis=(1, 2))
    return bool(np.any(same))


def _inversion_at_origin(crystal: Crystal) -> bool:
    rotations, translations, centring = coset_representatives(crystal)
    inversions = translations[np.all(rotations == -np.eye(3), axis=(1, 2))]
    return any(bool(np.all(_whole(t - c))) for t in inversions for c in centring)


def _whole(numbers: NDArray[Any]) -> NDArray[np.bool_]:
    whole: NDArray[np.bool_] = np.abs(numbers - np.round(numbers)) < 1e-3
    return whole
