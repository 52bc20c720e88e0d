"""Scattering power of an atom: X-ray form factors (gemmi) and neutron scattering lengths (periodictable)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal, TypeAlias

import gemmi
import numpy as np
from numpy.typing import NDArray

Radiation: TypeAlias = Literal["x-ray", "neutron"]


@dataclass(frozen=True)
class FormFactors:
    """Atomic form factors as four Gaussians and a constant: f(s) = sum_k a_k exp(-b_k s^2) + c, s = |Q| / 4 pi.

    a, b: (n, 4), b in Angstrom^2; c: (n,). X-rays: electrons; neutrons: a = 0 and c = Re b_c in fm.
    Source: International Tables for Crystallography C (1992), table 6.1.1.4, through gemmi.
    """

    a: NDArray[np.float64]
    b: NDArray[np.float64]
    c: NDArray[np.float64]

    def __call__(self, q: NDArray[np.float64]) -> NDArray[np.float64]:
        """Form factors (n, ...) at |Q| = q (...) in 1/Angstrom."""
        s_squared = (np.asarray(q, dtype=float) / (4 * np.pi)) ** 2
        gaussians = np.exp(-self.b.reshape(*self.b.shape, *[1] * s_squared.ndim) * s_squared)
        weights = self.a.reshape(*self.a.shape, *[1] * s_squared.ndim)
        return np.asarray(np.sum(weights * gaussians, axis=1) + self.c.reshape(-1, *[1] * s_squared.ndim))


def form_factors(elements: Sequence[str], radiation: Radiation = "x-ray") -> FormFactors:
    """Form factors of a sequence of element symbols (isotopes such as D for neutrons).

    Raises ValueError for a symbol that is not an element.
    """
    rows = [_x_ray(symbol) if radiation == "x-ray" else _neutron(symbol) for symbol in elements]
    table = np.array(rows, dtype=np.float64).reshape(-1, 9)
    return FormFactors(a=table[:, :4], b=table[:, 4:8], c=table[:, 8])


@cache
def _x_ray(symbol: str) -> tuple[float, ...]:
    element = gemmi.Element(symbol)
    if element.atomic_number == 0 or element.it92 is None:
        raise ValueError(f"{symbol!r} is not an element with an X-ray form factor; write symbols such as C, O, Fe")
    return tuple(element.it92.get_coefs())


@cache
def _neutron(symbol: str) -> tuple[float, ...]:
    import periodictable

    try:
        length = periodictable.elements.symbol(symbol).neutron.b_c
    except ValueError:
        length = None
    if length is None:
        raise ValueError(f"{symbol!r} has no tabulated neutron scattering length; write symbols such as C, D, Fe")
    return (0.0,) * 8 + (float(length),)


def neutron_lengths(elements: Sequence[str], wavelength: float | None = None) -> NDArray[np.complex128]:
    """Bound coherent neutron scattering lengths b_c, complex, (n,) in fm; isotopes as D or 7Li.

    The imaginary part is -sigma_abs / (2 lambda); where tables of resonances exist (Sm, Eu, Gd, ...), the
    length is taken at `wavelength` in Angstrom. Source: the table of periodictable (after Sears 1992).
    Raises ValueError for a symbol without a tabulated length.
    """
    return np.array([_complex_length(symbol, wavelength) for symbol in elements], dtype=np.complex128)


def anomalous_dispersion(elements: Sequence[str], wavelength: float) -> NDArray[np.complex128]:
    """X-ray dispersion f' + i f'' (n,) in electrons at `wavelength` in Angstrom, for f = f0 + f' + i f''.

    Source: Cromer & Liberman, Acta Cryst. A37, 267 (1981), as computed by gemmi. Zero for hydrogen.
    Raises ValueError for a symbol that is not an element.
    """
    return np.array([_dispersion(symbol, float(wavelength)) for symbol in elements], dtype=np.complex128)


def atomic_number(symbol: str) -> int:
    """Number of protons of an element or isotope (D, 7Li); ValueError if it is neither."""
    number = int(gemmi.Element(symbol.lstrip("0123456789")).atomic_number)
    if number == 0:
        raise ValueError(f"{symbol!r} is not an element; write symbols such as C, D, 7Li, Fe")
    return number


@cache
def _complex_length(symbol: str, wavelength: float | None) -> complex:
    import periodictable

    name = symbol.lstrip("0123456789")
    mass = symbol[: len(symbol) - len(name)]
    try:
        element = periodictable.elements.symbol(name)
        neutron = (element[int(mass)] if mass else element).neutron
    except (ValueError, KeyError):
        neutron = None
    if neutron is None or neutron.b_c is None:
        raise ValueError(f"{symbol!r} has no tabulated neutron scattering length; write symbols such as C, D, 7Li")
    if wavelength is not None and neutron.nsf_table is not None:
        return complex(np.interp(wavelength, neutron.nsf_table[0], neutron.nsf_table[1]))
    return complex(neutron.b_c, getattr(neutron.b_c_complex, "imag", 0.0))


@cache
def _dispersion(symbol: str, wavelength: float) -> complex:
    number = atomic_number(symbol)
    if number < 3:
        return 0j
    return complex(*gemmi.cromer_liberman(z=number, energy=_EV_ANGSTROM / wavelength))


# h c in electronvolt Angstrom (CODATA 2018, exact).
_EV_ANGSTROM = 12398.419843320026
