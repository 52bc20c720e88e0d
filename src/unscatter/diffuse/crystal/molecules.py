"""Molecules: the published species and their pairs, random orientations, mixed cells."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.transform import Rotation

from unscatter.io.structures.molfile import parse_molfile, split_records
from unscatter.nouns.cell import Cell
from unscatter.nouns.molecule import Molecule

#: The two halves of the published species; no molecule is in both.
SPLITS = ("training", "validation")
#: The shape class of ring molecules, which fill a hexagonal cell with unique axis b.
RINGS = 3


@dataclass(frozen=True)
class Species:
    """A published molecule, the split it belongs to, and whether a random rotation is to be drawn for it.

    Coordinates are stored unrotated, centroid at the origin: the long axis of group 1 and the plane normal of
    groups 2 and 3 lie along b (y). Source: Fuller & Rudden 2024; geometries from tools/build_species.py.
    """

    molecule: Molecule
    split: str
    rotated: bool


@cache
def read_species(split: str | None = None) -> tuple[Species, ...]:
    """Return the published species of a split, "training" (98) or "validation" (29), or all 127 of them.

    Raises ValueError for another split. Source: Fuller & Rudden 2024.
    """
    if split is None:
        text = files("unscatter").joinpath("data", "species.sdf").read_text(encoding="utf-8")
        return tuple(map(_parse_species, split_records(text)))
    if split not in SPLITS:
        raise ValueError(f"split {split!r} is not known: type one of {', '.join(map(repr, SPLITS))}")
    return tuple(species for species in read_species() if species.split == split)


@cache
def species_pairs(split: str) -> tuple[tuple[Species, Species], ...]:
    """Return all unordered pairs of species of one group: 1049 for "training", 98 for "validation".

    Raises ValueError for another split. Source: Fuller & Rudden 2024.
    """
    pairs = combinations(read_species(split), 2)
    return tuple((a, b) for a, b in pairs if a.molecule.group == b.molecule.group)


def draw_rotation(rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw a proper rotation matrix (3, 3), uniform over SO(3).

    A quaternion of four normal deviates points anywhere on the 3-sphere with equal chance (Shoemake 1992).
    """
    return np.asarray(Rotation.from_quat(rng.standard_normal(4)).as_matrix(), dtype=np.float64)


def rotate(molecule: Molecule, rotation: ArrayLike) -> Molecule:
    """Return the molecule turned about the origin: every position r (Angstrom) becomes R r.

    rotation: R, (3, 3). Raises ValueError if R is not a proper rotation: it would distort or mirror.
    """
    R = np.asarray(rotation, dtype=np.float64)
    if R.shape != (3, 3) or not np.allclose(R @ R.T, np.eye(3), atol=1e-6) or np.linalg.det(R) < 0:
        raise ValueError(f"not a rotation: {R.tolist()}; expected an orthogonal (3, 3) matrix of determinant 1")
    return replace(molecule, positions=molecule.positions @ R.T)


def vegard_cell(a: Molecule, b: Molecule, concentration_a: float) -> Cell:
    """Return the cell of a mixed crystal of two molecules of one group.

    Edges in Angstrom by Vegard's law, l = c_A l_A + (1 - c_A) l_B; right angles, but beta = 120 deg for rings
    (group 3). Raises ValueError for a fraction outside 0..1, two groups, or a molecule that brings no cell.
    Source: Fuller & Rudden 2024; Vegard 1921.
    """
    if not 0 <= concentration_a <= 1:
        raise ValueError(f"concentration {concentration_a} is not a fraction of A between 0 and 1")
    if a.group != b.group:
        raise ValueError(f"{a.name} is of group {a.group}, {b.name} of {b.group}: give two of one group")
    edges = concentration_a * _edges(a) + (1 - concentration_a) * _edges(b)
    return Cell.from_sequence([*edges, 90.0, 120.0 if a.group == RINGS else 90.0, 90.0])


def _edges(molecule: Molecule) -> NDArray[np.float64]:
    if molecule.cell_lengths is None:
        raise ValueError(f"{molecule.name} has no cell: set cell_lengths=(a, b, c) in Angstrom")
    return np.array(molecule.cell_lengths)


def _parse_species(record: str) -> Species:
    name, elements, positions, _ = parse_molfile(record)
    properties = dict(re.findall(r"^> +<(\w+)>.*\n(.*)$", record, re.MULTILINE))
    a, b, c = map(float, properties["CELL"].split())
    molecule = Molecule(name, tuple(elements), np.array(positions), int(properties["GROUP"]), (a, b, c))
    return Species(molecule, properties["SPLIT"], properties["ROTATED"] == "yes")
