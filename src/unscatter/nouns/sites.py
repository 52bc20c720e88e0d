"""The atoms of a primitive cell of a crystal, and the operations that are not centring."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from unscatter.nouns.crystal import Crystal

# Images of a site closer than this (Angstrom) are one atom: coordinates such as 0.333 for 1/3 are rounded.
_SAME_ATOM = 0.05


def coset_representatives(
    crystal: Crystal,
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """One operation for each rotation, the identity first, and the centring: (n, 3, 3), (n, 3), (c, 3)."""
    return _split(crystal.rotations.tobytes(), crystal.translations.tobytes())


def primitive_atoms(crystal: Crystal) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Positions (p, 3) of the atoms of one primitive cell, in the given axes, and the site (p,) of each."""
    rotations, translations, centring = coset_representatives(crystal)
    images = np.einsum("gij,nj->ngi", rotations, crystal.positions) + translations
    moved = images - crystal.positions[:, None]
    apart = moved[:, :, None] + centring
    apart -= np.round(apart)
    stabiliser = np.any(np.sum((apart @ crystal.cell.direct) ** 2, axis=-1) < _SAME_ATOM**2, axis=-1)
    # Operations g s, with s in the stabiliser of x, move x to the same place: keep the first of each coset.
    table = _products(rotations.tobytes(), len(rotations))
    n = len(rotations)
    first = np.where(stabiliser[:, None, :], table, n).min(axis=-1)
    site, operation = np.nonzero(first == np.arange(n))
    return images[site, operation], site


def centrings(crystal: Crystal) -> int:
    """Lattice points in the cell: 1 for P, 2 for A, C and I, 3 for R, 4 for F."""
    return len(coset_representatives(crystal)[2])


@lru_cache(maxsize=2048)
def _split(
    rotation_bytes: bytes, translation_bytes: bytes
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Part operations into one for each rotation, the identity first, and the centring translations."""
    rotations = np.frombuffer(rotation_bytes, dtype=np.int64).reshape(-1, 3, 3)
    translations = np.frombuffer(translation_bytes).reshape(-1, 3)
    identity = np.all(rotations == np.eye(3), axis=(1, 2))
    keys = [r.tobytes() for r in rotations]
    kept = sorted({key: i for i, key in reversed(list(enumerate(keys)))}.values())
    kept.sort(key=lambda i: not identity[i])
    return rotations[kept], translations[kept], translations[identity]


@lru_cache(maxsize=2048)
def _products(rotation_bytes: bytes, n: int) -> NDArray[np.int64]:
    """Multiplication table (n, n): entry [g, s] is the operation g s."""
    rotations = np.frombuffer(rotation_bytes, dtype=np.int64).reshape(n, 3, 3)
    number = {r.tobytes(): i for i, r in enumerate(rotations)}
    return np.array([[number[np.ascontiguousarray(g @ s).tobytes()] for s in rotations] for g in rotations])
