"""Geometry of molecules: bonds from distances, the atoms beyond a bond, turns, and copies by symmetry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import gemmi
import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import cdist
from scipy.spatial.transform import Rotation

from unscatter.nouns.arrays import Floats
from unscatter.nouns.cell import Cell
from unscatter.nouns.molecule import Molecule

#: Two atoms are bonded if no further apart than the sum of their covalent radii and this, in Angstrom.
BOND_TOLERANCE = 0.3
#: Two images of an atom closer than this, in Angstrom, are one atom on a symmetry element.
SAME_SITE = 0.1


@dataclass(frozen=True)
class Operation:
    """A symmetry operation in fractional coordinates, x' = R x + t; rotation: R (3, 3); translation: t (3,)."""

    rotation: Floats
    translation: Floats

    def __matmul__(self, other: Operation) -> Operation:
        """Return the operation that does `other` first and this one after it."""
        return Operation(self.rotation @ other.rotation, self.rotation @ other.translation + self.translation)

    @property
    def key(self) -> tuple[int, ...]:
        """The same for operations that differ by a translation of the lattice alone."""
        whole = [*np.round(self.rotation * 1e4).ravel(), *np.round((self.translation % 1) * 1e4) % 10_000]
        return tuple(int(number) for number in whole)

    def apply(self, positions: ArrayLike, cell: Cell) -> Floats:
        """Carry Cartesian positions (n, 3) in Angstrom to their images."""
        fractional = np.asarray(positions, dtype=np.float64) @ np.linalg.inv(cell.direct)
        return np.asarray((fractional @ self.rotation.T + self.translation) @ cell.direct, dtype=np.float64)


def parse_operation(text: str) -> Operation:
    """Read an operation written as in a CIF, such as "x,y,1/2-z"; ValueError where it is none."""
    try:
        op = gemmi.Op(text.replace(" ", ""))
    except (RuntimeError, ValueError) as error:
        raise ValueError(f"{text!r} is no symmetry operation ({error}); write one such as x,y,1/2-z") from error
    return Operation(np.array(op.rot, dtype=np.float64) / op.DEN, np.array(op.tran, dtype=np.float64) / op.DEN)


def generate_operations(generators: Sequence[Operation]) -> list[Operation]:
    """Return all products of the generators, the identity first; those that differ by a lattice translation once.

    Raises ValueError if they do not close within 192 operations, the most a space group has in a cell.
    """
    found = [Operation(np.eye(3), np.zeros(3))]
    keys = {found[0].key}
    for known in found:
        for generator in generators:
            product = generator @ known
            if product.key not in keys:
                keys.add(product.key)
                found.append(product)
        if len(found) > 192:
            raise ValueError("the symmetry operations do not close to a group: check them")
    return found


def complete_molecule(molecule: Molecule, operations: Sequence[Operation], cell: Cell) -> Molecule:
    """Return the molecule with its images under the operations; an image on top of an atom is left out.

    Images keep the labels of their originals.
    """
    elements: list[str] = []
    labels: list[str] = []
    positions = np.empty((0, 3))
    for operation in operations:
        images = operation.apply(molecule.positions, cell)
        new = np.all(cdist(images, positions) > SAME_SITE, axis=1)
        positions = np.concatenate([positions, images[new]])
        elements += [symbol for symbol, is_new in zip(molecule.elements, new, strict=True) if is_new]
        labels += [label for label, is_new in zip(molecule.atom_labels, new, strict=True) if is_new]
    return replace(molecule, elements=tuple(elements), positions=positions, labels=tuple(labels))


def bonds(molecule: Molecule) -> NDArray[np.bool_]:
    """Which atoms are bonded, (n, n): no further apart than their covalent radii and BOND_TOLERANCE."""
    radii = np.array([gemmi.Element(symbol.lstrip("0123456789")).covalent_r for symbol in molecule.elements])
    reach = radii[:, None] + radii[None, :] + BOND_TOLERANCE
    found = cdist(molecule.positions, molecule.positions) < reach
    return np.asarray(found & ~np.eye(len(radii), dtype=bool))


def atoms_beyond(bonded: NDArray[np.bool_], fixed: int, moving: int) -> NDArray[np.bool_]:
    """The atoms that hang on `moving` when its bond to `fixed` is cut, `moving` among them, (n,).

    Raises ValueError if the two are not bonded, or if the bond is part of a ring.
    """
    if not bonded[fixed, moving]:
        raise ValueError("these atoms are not bonded")
    cut = bonded.copy()
    cut[fixed, moving] = cut[moving, fixed] = False
    beyond = np.zeros(len(cut), dtype=bool)
    beyond[moving] = True
    while True:
        grown = beyond | cut[beyond].any(axis=0)
        if np.array_equal(grown, beyond):
            break
        beyond = grown
    if beyond[fixed]:
        raise ValueError("this bond is part of a ring, about which nothing can turn")
    return beyond


def turn_about(positions: ArrayLike, origin: ArrayLike, axis: ArrayLike, degrees: float) -> Floats:
    """Turn positions (n, 3) by an angle about an axis (3,) through a point (3,), counter-clockwise against the axis."""
    direction = np.asarray(axis, dtype=np.float64)
    rotation = Rotation.from_rotvec(np.radians(degrees) * direction / np.linalg.norm(direction))
    origin = np.asarray(origin, dtype=np.float64)
    return np.asarray(rotation.apply(np.asarray(positions) - origin) + origin, dtype=np.float64)
