"""What can move in a molecule: groups about bonds, the whole about an axis, the whole along a direction."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from unscatter.diffuse.crystal.geometry import atoms_beyond, bonds, turn_about
from unscatter.nouns.cell import Cell
from unscatter.nouns.molecule import Molecule

#: Which molecule moves: None is both.
Which: TypeAlias = Literal["A", "B"] | None


@dataclass(frozen=True)
class Torsion:
    """A turn of the atoms beyond bonds, in degrees: of the bond ("N", "C4"), N stays and what hangs on C4 turns.

    Several bonds turn by one angle, each counter-clockwise as seen against the direction from the atom that stays
    to the one that turns.
    """

    bonds: tuple[tuple[str, str], ...]
    which: Which = None
    unit = "deg"

    @property
    def name(self) -> str:
        """As it is written on the command line."""
        return _prefix(self.which) + ",".join(f"{fixed}-{moving}" for fixed, moving in self.bonds)

    def fits(self, molecule: Molecule) -> bool:
        """Whether the molecule has all atoms that are named."""
        return {label for bond in self.bonds for label in bond} <= set(molecule.atom_labels)

    def move(self, molecule: Molecule, cell: Cell, amount: float) -> Molecule:
        """Turn the groups; raises ValueError where an atom is missing, named twice, or the bond is none."""
        positions = molecule.positions.copy()
        for fixed, moving, beyond in self.groups(molecule, molecule):
            axis = positions[moving] - positions[fixed]
            positions[beyond] = turn_about(positions[beyond], positions[fixed], axis, amount)
        return replace(molecule, positions=positions)

    def require_unbroken(self, molecule: Molecule, whole: Molecule) -> None:
        """Raise ValueError where a group that turns hangs on copies of the molecule, which turn on their own.

        whole: the molecule, and after it its copies by symmetry.
        """
        for fixed, moving, beyond in self.groups(molecule, whole):
            if np.any(beyond[len(molecule.elements) :]):
                labels = molecule.atom_labels
                raise ValueError(
                    f"{molecule.name}: what turns about {labels[fixed]}-{labels[moving]} is bonded to copies by "
                    "symmetry; list the molecule whole, or turn the other side of the bond"
                )

    def groups(self, molecule: Molecule, whole: Molecule) -> list[tuple[int, int, NDArray[np.bool_]]]:
        """The atoms of each bond by their place in the molecule, and which of the whole turn."""
        bonded, found = bonds(whole), []
        for fixed, moving in self.bonds:
            i, j = _place(molecule, fixed), _place(molecule, moving)
            try:
                found.append((i, j, atoms_beyond(bonded, i, j)))
            except ValueError as error:
                distance = float(np.linalg.norm(molecule.positions[i] - molecule.positions[j]))
                raise ValueError(
                    f"{molecule.name}: nothing turns about {fixed}-{moving}, {distance:.2f} Angstrom apart: {error}"
                ) from error
        return found


@dataclass(frozen=True)
class Turn:
    """A turn of a whole molecule about the lattice direction uvw through its centroid, in degrees."""

    direction: tuple[float, float, float]
    which: Which = None
    unit = "deg"

    @property
    def name(self) -> str:
        """As it is written on the command line."""
        return _prefix(self.which) + _direction_words(self.direction)

    def move(self, molecule: Molecule, cell: Cell, amount: float) -> Molecule:
        """Turn the molecule."""
        axis = np.array(self.direction) @ cell.direct
        centre = molecule.positions.mean(axis=0)
        return replace(molecule, positions=turn_about(molecule.positions, centre, axis, amount))


@dataclass(frozen=True)
class Shift:
    """A translation of a whole molecule along the lattice direction uvw, in Angstrom."""

    direction: tuple[float, float, float]
    which: Which = "B"
    unit = "Angstrom"

    @property
    def name(self) -> str:
        """As it is written on the command line."""
        return "shift " + _prefix(self.which) + _direction_words(self.direction)

    def move(self, molecule: Molecule, cell: Cell, amount: float) -> Molecule:
        """Move the molecule."""
        axis = np.array(self.direction) @ cell.direct
        return replace(molecule, positions=molecule.positions + amount * axis / np.linalg.norm(axis))


Motion: TypeAlias = Torsion | Turn | Shift

_PREFIX = re.compile(r"^\s*([AB])\s*:\s*")


def parse_rotation(text: str) -> Torsion | Turn:
    """Read "N1-C7" (a bond), "N1-C7,N2-C9" (bonds that turn together) or "[0 0 1]" (an axis of the lattice).

    "A:" or "B:" before it moves one of the two molecules alone. Raises ValueError where it is none of these.
    """
    which, rest = _split_prefix(text)
    if rest.startswith("["):
        return Turn(_direction(rest), which)
    pairs = [tuple(part.strip() for part in bond.split("-")) for bond in rest.split(",")]
    if any(len(pair) != 2 or not all(pair) for pair in pairs):
        raise ValueError(f"{text!r} names no bond and no axis; write for example N1-C7, N1-C7,N2-C9 or [0 0 1]")
    return Torsion(tuple((pair[0], pair[1]) for pair in pairs), which)


def parse_shift(text: str) -> Shift:
    """Read "[0 0 1]", a direction of the lattice along which B moves, or A with "A:" before it.

    Raises ValueError where it is none.
    """
    which, rest = _split_prefix(text)
    return Shift(_direction(rest), which or "B")


def parse_range(text: str) -> NDArray[np.float64]:
    """Read "-60:60:1", from the first to the last value in steps; ValueError where it is no such range."""
    try:
        first, last, step = (float(number) for number in text.split(":"))
    except ValueError as error:
        raise ValueError(f"{text!r} is no range; write first:last:step, for example -60:60:1") from error
    if step <= 0 or last <= first:
        raise ValueError(f"range {text!r} is empty; write first:last:step with last > first and step > 0")
    return np.asarray(first + step * np.arange(int(np.floor((last - first) / step + 1e-6)) + 1), dtype=np.float64)


def _split_prefix(text: str) -> tuple[Which, str]:
    match = _PREFIX.match(text)
    if match is None:
        return None, text.strip()
    which: Which = "A" if match.group(1) == "A" else "B"
    return which, text[match.end() :].strip()


def _direction(text: str) -> tuple[float, float, float]:
    numbers = text.strip("[] ").replace(",", " ").split()
    try:
        u, v, w = (float(number) for number in numbers)
    except ValueError as error:
        raise ValueError(f"{text!r} is no direction; write three numbers, for example [0 0 1]") from error
    if u == v == w == 0:
        raise ValueError(f"direction {text!r} points nowhere; write for example [0 0 1]")
    return u, v, w


def _prefix(which: Which) -> str:
    return "" if which is None else f"{which}:"


def _direction_words(direction: tuple[float, float, float]) -> str:
    return "[" + " ".join(f"{number:g}" for number in direction) + "]"


def _place(molecule: Molecule, label: str) -> int:
    places = [n for n, name in enumerate(molecule.atom_labels) if name == label]
    if len(places) != 1:
        names = " ".join(molecule.atom_labels[:40])
        raise ValueError(f"{molecule.name} has {len(places)} atoms {label!r}, expected one; its atoms are {names}")
    return places[0]
