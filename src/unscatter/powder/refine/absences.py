"""Which lines the space groups of a lattice extinguish, in all settings that the lattice admits."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from unscatter.nouns.arrays import Integers
from unscatter.powder.refine.predicted import holohedry
from unscatter.symmetry import LabelSet, bravais_lattice, label_set, operations

Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Setting:
    """An extinction group on given axes: its class among the 99, the axes, and its operations.

    rotations (m, 3, 3) and translations (m, 3): x' = R x + t, on the axes of the lattice.
    """

    label: int
    axes: str
    rotations: Integers
    translations: NDArray[np.float64]

    def absent(self, hkl: Integers) -> Flags:
        """Whether each hkl (n, 3) is extinguished: h R = h and h t not whole for an operation."""
        fixed = np.all(np.einsum("ni,mij->nmj", hkl, self.rotations) == hkl[:, None, :], axis=2)
        turns = hkl @ self.translations.T
        return np.asarray(np.any(fixed & (np.abs(turns - np.round(turns)) > 1e-3), axis=1))


def extinguished(hkl: Integers, bravais: str) -> tuple[tuple[Setting, ...], Flags]:
    """All settings of the extinction groups of a lattice, and which lines (settings, n) each extinguishes.

    A line of a powder holds all hkl that the metric makes equivalent; it is absent where all of them are. Settings
    that extinguish the same of these lines, with the same class, are given once.
    """
    rotations = holohedry(bravais)
    images = np.unique(np.einsum("ni,mij->mnj", hkl, rotations).reshape(len(rotations), -1), axis=0)
    kept: dict[tuple[int, bytes], tuple[Setting, Flags]] = {}
    for setting in settings_of(bravais):
        flat = setting.absent(images.reshape(-1, 3)).reshape(len(images), len(hkl))
        absent = np.all(flat, axis=0)
        kept.setdefault((setting.label, absent.tobytes()), (setting, absent))
    found = list(kept.values())
    return tuple(setting for setting, _ in found), np.array([absent for _, absent in found]).reshape(-1, len(hkl))


@cache
def settings_of(bravais: str) -> tuple[Setting, ...]:
    """One representative of each extinction group of a lattice in each choice of axes that keeps the lattice."""
    labels = label_set("extinction-99")
    return tuple(
        Setting(label, name, *_turned(labels, label, matrix))
        for label in range(len(labels))
        if bravais_lattice(labels.groups(label)[0]) == bravais
        for name, matrix in _axes(bravais, labels.groups(label))
    )


def _turned(labels: LabelSet, label: int, matrix: Integers) -> tuple[Integers, NDArray[np.float64]]:
    """Operations of the first group of a class on other axes: rows of `matrix` are the new axes in the old ones."""
    rotations, translations = operations(labels.groups(label)[0])
    # x = P' x_new with rows of P the new axes.
    to_new = np.linalg.inv(matrix.T)
    turned = np.round(to_new @ rotations @ matrix.T).astype(np.int64)
    return turned, (translations @ to_new.T) % 1.0


def _axes(bravais: str, groups: tuple[int, ...]) -> list[tuple[str, Integers]]:
    """Names and matrices of the choices of axes: rows are the new axes in those of the reference setting."""
    identity = np.eye(3, dtype=np.int64)
    if bravais[0] == "o":
        return _orthorhombic(bravais, groups[0])
    if bravais == "mP":
        # The glide is along c, a or a + c: three choices of cell.
        return [
            ("c", identity),
            ("a", np.array([[0, 0, 1], [0, -1, 0], [1, 0, 0]])),
            ("n", np.array([[-1, 0, -1], [0, 1, 0], [1, 0, 0]])),
        ]
    if bravais in ("tP", "tI", "cP", "cI", "cF", "mC", "aP", "hP", "hR"):
        return [("", identity)]
    raise ValueError(f"no Bravais lattice is called {bravais!r}")


def _orthorhombic(bravais: str, group: int) -> list[tuple[str, Integers]]:
    """Permutations of the axes; of a base-centred lattice those that leave the centred face ab."""
    identity = np.eye(3, dtype=np.int64)
    found = []
    for order in permutations(range(3)):
        matrix = identity[list(order)]
        if np.linalg.det(matrix) < 0:
            matrix = -matrix
        if bravais != "oC" or _centred_face(group, matrix):
            found.append(("".join("abc"[k] for k in order), matrix))
    return found


def _centred_face(group: int, matrix: Integers) -> bool:
    """Whether the centring is (1/2, 1/2, 0) on the new axes."""
    rotations, translations = operations(group)
    centring = translations[np.all(rotations == np.eye(3), axis=(1, 2))] @ np.linalg.inv(matrix.T).T % 1.0
    return bool(np.any(np.all(np.abs(centring - [0.5, 0.5, 0.0]) < 1e-6, axis=1)))
