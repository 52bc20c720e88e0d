"""Molecules: the published species and their pairs, random orientations, mixed cells, structure files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from itertools import combinations
from pathlib import Path
from typing import TypeVar

import gemmi
import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import pdist, squareform
from scipy.spatial.transform import Rotation

from unscatter.types import Cell, Molecule

#: The two halves of the published species; no molecule is in both.
SPLITS = ("training", "validation")
#: The shape class of ring molecules, which fill a hexagonal cell with unique axis b.
RINGS = 3
#: Two atoms closer than this (Angstrom) cannot be of one molecule; the shortest bond, H-H, is 0.74.
SHORTEST_BOND = 0.5


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
        return tuple(map(_parse_species, _split_records(text)))
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


def read_molecule(path: str | Path) -> Molecule:
    """Read one molecule from a MOL or SDF (V2000), XYZ or small-molecule CIF file, told apart by content.

    Positions in Angstrom as the file has them; of a CIF the listed sites, a along x and b in the xy plane.
    Raises FileNotFoundError, or ValueError if the file is of another format or does not hold one molecule.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no file {path}: give the path of a .sdf, .mol, .xyz or .cif file")
    text = path.read_text(encoding="utf-8-sig", errors="replace")
    try:
        name, elements, positions = _parse(text)
        molecule = Molecule(name or path.stem, tuple(map(_element, elements)), np.array(positions))
        _refuse_impossible(molecule)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    return molecule


#: Name, element symbols and Cartesian positions in Angstrom.
_Parsed = tuple[str, Sequence[str], Sequence[Sequence[float]]]
_T = TypeVar("_T")


def _parse(text: str) -> _Parsed:
    lines = text.splitlines()
    if len(lines) > 3 and re.search(r"V[23]000\s*$", lines[3]):
        return _parse_molfile(_only(_split_records(text), "molecules", "split the file"))
    if lines and lines[0].strip().isdigit():
        return _parse_xyz(lines)
    if re.search(r"^\s*data_", text, re.MULTILINE | re.IGNORECASE):
        return _parse_cif(text)
    raise ValueError("neither MOL/SDF (V2000), XYZ nor CIF; convert it, for example: obabel FILE -O molecule.xyz")


def _only(found: Sequence[_T], what: str, advice: str) -> _T:
    if len(found) != 1:
        raise ValueError(f"holds {len(found)} {what}, expected one: {advice}")
    return found[0]


def _element(symbol: str) -> str:
    """Spell an element symbol as the periodic table does."""
    element = gemmi.Element(symbol)
    if element.atomic_number == 0:
        raise ValueError(f"{symbol!r} is no element: write symbols such as C, Cl or D")
    return str(element.name)


def _refuse_impossible(molecule: Molecule) -> None:
    """Refuse missing coordinates and atoms on top of each other, the mark of unresolved disorder."""
    if not molecule.elements:
        raise ValueError("holds no atoms, expected at least one: export it again")
    if not np.all(np.isfinite(molecule.positions)):
        raise ValueError("an atom without coordinates, expected x, y, z of every atom: complete or delete it")
    distances = squareform(pdist(molecule.positions)) + np.diag([np.inf] * len(molecule.elements))
    i, j = np.unravel_index(np.argmin(distances), distances.shape)
    if distances[i, j] < SHORTEST_BOND:
        raise ValueError(
            f"atoms {i + 1} and {j + 1} are {distances[i, j]:.2f} apart, expected {SHORTEST_BOND} or more: "
            "keep one orientation of a disordered molecule, and give Angstrom"
        )


# --- one parser a format ---


def _split_records(text: str) -> list[str]:
    """Cut an SDF into its records, keeping the leading line of each: the name, which may be empty."""
    records = re.split(r"^\$\$\$\$[^\n]*\n?", text, flags=re.MULTILINE)
    return [record for record in records if record.strip()]


def _parse_molfile(record: str) -> _Parsed:
    """Read the atoms of a V2000 molfile: fixed columns, x y z of ten characters each, then the symbol."""
    lines = record.splitlines()
    if "V2000" not in lines[3]:
        raise ValueError("a V3000 molfile, expected V2000: save it as V2000, or obabel FILE -O molecule.xyz")
    try:
        atoms = _take(lines[4:], int(lines[3][:3]))
        positions = [[float(line[start : start + 10]) for start in (0, 10, 20)] for line in atoms]
    except ValueError as error:
        raise ValueError(f"atom block damaged ({error}), expected V2000 layout: export it again") from error
    return lines[0].strip(), [line[31:34].strip() for line in atoms], positions


def _parse_xyz(lines: list[str]) -> _Parsed:
    """Read an XYZ file: the number of atoms, a comment, then symbol x y z."""
    count = int(lines[0])
    rest = [line for line in lines[2 + count :] if line.strip()]
    try:
        atoms = [line.split() for line in _take(lines[2:], count)]
        positions = [[float(number) for number in (x, y, z)] for _, x, y, z, *_ in atoms]
    except ValueError as error:
        raise ValueError(f"atom lines damaged ({error}), expected: symbol x y z") from error
    if rest:
        raise ValueError(f"{len(rest)} lines follow the {count} atoms, expected one molecule: split the file")
    return "", [atom[0] for atom in atoms], positions


def _take(lines: list[str], count: int) -> list[str]:
    if len(lines) < count:
        raise ValueError(f"{count} atoms announced, {len(lines)} lines left")
    return lines[:count]


def _parse_cif(text: str) -> _Parsed:
    """Read the listed sites of a small-molecule CIF; symmetry is not applied."""
    try:
        document = gemmi.cif.read_string(text)
    except (ValueError, RuntimeError) as error:
        raise ValueError(f"CIF damaged ({error}): check it with gemmi validate FILE") from error
    blocks = [block for block in document if block.find_loop("_atom_site_fract_x")]
    block = _only(blocks, "blocks with a loop of _atom_site_fract_x", "keep one")
    structure = gemmi.make_small_structure_from_block(block)
    if not structure.cell.is_crystal():
        raise ValueError("no cell, expected _cell_length_a and its five companions: add them")
    groups = sorted({site.disorder_group for site in structure.sites} - {0})
    if len(groups) > 1:
        raise ValueError(f"disorder groups {groups}, expected one: delete the sites of all but one")
    positions = [structure.cell.orthogonalize(site.fract).tolist() for site in structure.sites]
    return "", [_site_symbol(site) for site in structure.sites], positions


def _site_symbol(site: gemmi.SmallStructure.Site) -> str:
    """Name the element of a site, or give its label where that tells no element."""
    return str(site.element.name) if site.element.atomic_number else str(site.label)


def _parse_species(record: str) -> Species:
    name, elements, positions = _parse_molfile(record)
    properties = dict(re.findall(r"^> +<(\w+)>.*\n(.*)$", record, re.MULTILINE))
    a, b, c = map(float, properties["CELL"].split())
    molecule = Molecule(name, tuple(elements), np.array(positions), int(properties["GROUP"]), (a, b, c))
    return Species(molecule, properties["SPLIT"], properties["ROTATED"] == "yes")
