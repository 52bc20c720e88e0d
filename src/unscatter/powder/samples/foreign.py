"""Lines that a powder pattern shows beside those of its structure: of the can, and of magnetic order."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from unscatter.atoms import Radiation
from unscatter.nouns.cell import Cell
from unscatter.nouns.crystal import Crystal
from unscatter.powder.crystal.reflections import simulate_reflections
from unscatter.powder.samples.cache import LIMIT, X_RAY_WAVELENGTH, PhaseLines

Lines = tuple[NDArray[np.float64], NDArray[np.float64]]

# Edge in Angstrom, positions of the atoms and B in Angstrom^2 of what cans and holders are made of.
_FACE_CENTRED = ((0, 0, 0), (0, 0.5, 0.5), (0.5, 0, 0.5), (0.5, 0.5, 0))
_CANS = {"Al": (4.0496, _FACE_CENTRED, 0.85), "V": (3.0240, ((0, 0, 0), (0.5, 0.5, 0.5)), 0.55)}
# Rolled and drawn metal is textured: s.d. of ln(height) from line to line.
_TEXTURE = 0.7
# Propagation vectors of a magnetic cell; a share of the samples has one of no simple value along an axis.
_HALVES = (
    (0, 0, 0),
    (0.5, 0, 0),
    (0, 0.5, 0),
    (0, 0, 0.5),
    (0.5, 0.5, 0),
    (0.5, 0, 0.5),
    (0, 0.5, 0.5),
    (0.5, 0.5, 0.5),
)
_INCOMMENSURATE = 0.2
# Magnetic lines are drawn to this 1/d in 1/Angstrom, and fade as exp(-B / 2 d^2) with B in Angstrom^2.
_MAGNETIC_LIMIT, _MAGNETIC_FADE = 0.55, 14.0


def draw_can(rng: np.random.Generator, radiation: Radiation) -> Lines:
    """1/d (n,) in 1/Angstrom and m |F|^2 (n,) of aluminium or, for neutrons as often, of vanadium, textured."""
    metal = "V" if radiation == "neutron" and rng.random() < 0.5 else "Al"
    inverse_d, strength = _can_lines(metal, radiation)
    return inverse_d, strength * np.exp(_TEXTURE * rng.standard_normal(len(strength)))


def draw_magnetic(rng: np.random.Generator, phase: PhaseLines) -> Lines:
    """1/d (n,) in 1/Angstrom and strengths (n,) of magnetic satellites q = G + k and G - k of a phase.

    k is one of eight points of the zone or, in a fifth of the draws, anywhere on a reciprocal axis. Strengths are
    exponentially distributed, as those of many random moments are, times the square of a magnetic form factor.
    """
    k = np.array(_HALVES[int(rng.integers(len(_HALVES)))])
    if rng.random() < _INCOMMENSURATE:
        k = np.eye(3)[int(rng.integers(3))] * rng.uniform(0.05, 0.5)
    reciprocal = phase.cell.reciprocal / (2 * np.pi)
    most = np.ceil(_MAGNETIC_LIMIT * np.array(phase.cell.parameters[:3])).astype(int) + 1
    box = np.stack(np.meshgrid(*(np.arange(-m, m + 1) for m in most), indexing="ij"), axis=-1).reshape(-1, 3)
    inverse_d = np.linalg.norm((box + k) @ reciprocal, axis=1)
    # Lines that lie together by symmetry count as one, whose strength is drawn once.
    inverse_d, counts = np.unique(np.round(inverse_d[inverse_d < _MAGNETIC_LIMIT], 5), return_counts=True)
    inverse_d, counts = inverse_d[inverse_d > 0.01], counts[inverse_d > 0.01]
    fading = np.exp(-_MAGNETIC_FADE / 2 * inverse_d**2)
    return inverse_d, counts * fading * rng.exponential(size=len(inverse_d))


@lru_cache(maxsize=4)
def _can_lines(metal: str, radiation: Radiation) -> Lines:
    edge, atoms, b_iso = _CANS[metal]
    count = len(atoms)
    crystal = Crystal(
        Cell(edge, edge, edge, 90, 90, 90),
        (metal,) * count,
        np.array(atoms),
        np.eye(3, dtype=np.int64)[None],
        np.zeros((1, 3)),
        b_iso=np.full(count, b_iso),
        name=metal,
    )
    lines = simulate_reflections(crystal, LIMIT, radiation, X_RAY_WAVELENGTH if radiation == "x-ray" else None)
    seen = lines.f_squared > 1e-6 * lines.f_squared.max()
    return lines.inverse_d[seen], (lines.multiplicity * lines.f_squared)[seen]
