"""Symmetry: 230 space groups, the coarser classes that a powder can tell apart, and the orbits of sites."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import permutations, product

import gemmi
import numpy as np
from numpy.typing import NDArray

#: The numbers of the 230 space groups, International Tables A.
SPACE_GROUPS: tuple[int, ...] = tuple(range(1, 231))

#: The seven crystal systems, from the least to the most symmetric.
CRYSTAL_SYSTEMS: tuple[str, ...] = (
    "triclinic",
    "monoclinic",
    "orthorhombic",
    "tetragonal",
    "trigonal",
    "hexagonal",
    "cubic",
)

#: The 14 Bravais lattices; base-centred lattices are C whichever face is centred, so oA counts as oC.
BRAVAIS_LATTICES: tuple[str, ...] = (
    "aP",
    "mP",
    "mC",
    "oP",
    "oC",
    "oI",
    "oF",
    "tP",
    "tI",
    "hP",
    "hR",
    "cP",
    "cI",
    "cF",
)

_FAMILY = dict(zip(CRYSTAL_SYSTEMS, "amothhc", strict=True))
_CENTRING = {"A": "C", "B": "C", "C": "C", "F": "F", "I": "I", "P": "P", "R": "R"}


@dataclass(frozen=True)
class LabelSet:
    """A partition of the 230 space groups into named classes.

    classes: the names; of_group: (230,) integers, the class of space group n at entry n - 1, -1 if outside.
    """

    name: str
    classes: tuple[str, ...]
    of_group: NDArray[np.int64]

    def __len__(self) -> int:
        """Return the number of classes."""
        return len(self.classes)

    def label(self, number: int) -> int:
        """Class of a space group number, -1 if the set does not hold it; ValueError outside 1..230."""
        return int(self.of_group[_checked(number) - 1])

    def groups(self, label: int) -> tuple[int, ...]:
        """Space group numbers of a class."""
        return tuple(int(n) + 1 for n in np.flatnonzero(self.of_group == label))


def space_group(number: int) -> gemmi.SpaceGroup:
    """Space group in its reference setting (unique axis b, hexagonal axes, second origin).

    Raises ValueError outside 1..230.
    """
    return gemmi.get_spacegroup_reference_setting(_checked(number))


def hermann_mauguin(number: int) -> str:
    """Short Hermann-Mauguin symbol of a space group, for example "Fm-3m"."""
    # gemmi marks hexagonal axes of rhombohedral groups by the letter H.
    return str(space_group(number).short_name()).replace("H", "R")


def operations(number: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Rotations (n, 3, 3) and translations (n, 3) of a space group in its reference setting: x' = R x + t."""
    return operations_from(space_group(number).operations())


def operations_from(group: gemmi.GroupOps) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Rotations (n, 3, 3) and translations (n, 3) in [0, 1) of gemmi's operations, centring included."""
    ops = list(group)
    rotations = np.array([op.rot for op in ops], dtype=np.int64) // gemmi.Op.DEN
    translations = np.array([op.tran for op in ops], dtype=np.float64) / gemmi.Op.DEN
    return rotations, translations % 1.0


def crystal_system(number: int) -> str:
    """Crystal system of a space group, one of CRYSTAL_SYSTEMS."""
    return str(space_group(number).crystal_system_str())


def bravais_lattice(number: int) -> str:
    """Bravais lattice of a space group, one of BRAVAIS_LATTICES."""
    group = space_group(number)
    return _FAMILY[group.crystal_system_str()] + _CENTRING[group.centring_type()]


@cache
def extinction_groups() -> tuple[tuple[int, ...], ...]:
    """The 99 sets of space groups that share a lattice and an extinction symbol, by their first numbers.

    Axes of orthorhombic groups may be renamed, since a powder does not know them. The absences alone make 97
    sets: International Tables A (2002), table 3.1.4.1, writes P31 and P62, and cubic P21 and P42, as two
    symbols where screw axes of different order extinguish the same lines; so does this function.
    """
    sets: dict[tuple[str, bytes, int], list[int]] = {}
    for number in SPACE_GROUPS:
        sets.setdefault(_extinction_key(number), []).append(number)
    return tuple(tuple(numbers) for numbers in sets.values())


@cache
def label_set(name: str) -> LabelSet:
    """Named partition of the space groups: one of LABEL_SETS.

    "group-144" holds the groups of table 1 of Lolla et al., J. Appl. Cryst. 55, 882 (2022); 86 are outside.
    Raises ValueError for a name that is not known.
    """
    if name not in LABEL_SETS:
        raise ValueError(f"no label set is called {name!r}; there are {', '.join(LABEL_SETS)}")
    return LABEL_SETS[name](name)


def _checked(number: int) -> int:
    if not 1 <= number <= 230:
        raise ValueError(f"space group number {number} cannot be: expected 1 to 230")
    return int(number)


def _bravais_set(name: str) -> LabelSet:
    return _from_names(name, BRAVAIS_LATTICES, [bravais_lattice(n) for n in SPACE_GROUPS])


def _system_set(name: str) -> LabelSet:
    return _from_names(name, CRYSTAL_SYSTEMS, [crystal_system(n) for n in SPACE_GROUPS])


def _group_set(name: str) -> LabelSet:
    return LabelSet(name, tuple(hermann_mauguin(n) for n in SPACE_GROUPS), np.arange(230))


def _paper_set(name: str) -> LabelSet:
    table = tomllib.loads((files("unscatter.data") / "group_144.toml").read_text(encoding="utf-8"))
    numbers = [n for ranges in table.values() for first, last in ranges for n in range(first, last + 1)]
    of_group = np.full(230, -1)
    of_group[np.array(numbers) - 1] = np.arange(len(numbers))
    return LabelSet(name, tuple(hermann_mauguin(n) for n in numbers), of_group)


def _extinction_set(name: str) -> LabelSet:
    of_group = np.empty(230, dtype=np.int64)
    for index, numbers in enumerate(extinction_groups()):
        of_group[np.array(numbers) - 1] = index
    return LabelSet(name, tuple(" ".join(map(hermann_mauguin, g)) for g in extinction_groups()), of_group)


def _from_names(name: str, classes: tuple[str, ...], names: list[str]) -> LabelSet:
    return LabelSet(name, classes, np.array([classes.index(n) for n in names]))


#: The named partitions and what makes them.
LABEL_SETS = {
    "bravais-14": _bravais_set,
    "system-7": _system_set,
    "extinction-99": _extinction_set,
    "group-144": _paper_set,
    "group-230": _group_set,
}

# Conditions repeat after at most six indices (6_1 along c), so a cube of -6..6 shows all of them.
_EDGE = 13
_HKL = np.array(list(product(range(-6, 7), repeat=3)), dtype=np.int32)


def _extinction_key(number: int) -> tuple[str, bytes, int]:
    absent = np.asarray(space_group(number).operations().systematic_absences(_HKL), dtype=bool)
    cube = absent.reshape(_EDGE, _EDGE, _EDGE)
    family = bravais_lattice(number)[0] + ("R" if bravais_lattice(number) == "hR" else "")
    settings = permutations(range(3)) if family == "o" else [(0, 1, 2)]
    return family, max(np.transpose(cube, axes).tobytes() for axes in settings), _screw_order(number)


def _screw_order(number: int) -> int:
    """Order of the highest screw axis where screw axes alone, no glide planes, extinguish lines; else 0."""
    group = space_group(number).operations()
    centring = np.array(list(group.cen_ops), dtype=float) / gemmi.Op.DEN
    allowed = _HKL[np.all(_whole(_HKL @ centring.T), axis=1)]
    orders = [0]
    # An operation without translation extinguishes nothing.
    for op in (op for op in group.sym_ops if any(op.tran)):
        rotation = np.array(op.rot) // gemmi.Op.DEN
        kept = allowed[np.all(allowed @ rotation == allowed, axis=1)]
        if not np.all(_whole(kept @ np.array(op.tran) / gemmi.Op.DEN)):
            if np.linalg.det(rotation) < 0:
                return 0
            orders.append(_order(rotation))
    return max(orders)


def _whole(numbers: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.abs(numbers - np.round(numbers)) < 1e-6


def _order(rotation: NDArray[np.int64]) -> int:
    power, order = rotation, 1
    while not np.array_equal(power, np.eye(3)):
        power, order = power @ rotation, order + 1
    return order
