"""Molecules from structure files: MOL and SDF (V2000), XYZ, small-molecule CIF, told apart by content."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias, TypeVar

import gemmi
import numpy as np
from scipy.spatial.distance import pdist, squareform

from unscatter.nouns.molecule import Molecule

#: Two atoms closer than this (Angstrom) cannot be of one molecule; the shortest bond, H-H, is 0.74.
SHORTEST_BOND = 0.5

#: Name, element symbols, Cartesian positions in Angstrom, and labels of the atoms (none: ()).
Parsed: TypeAlias = tuple[str, Sequence[str], Sequence[Sequence[float]], Sequence[str]]
_T = TypeVar("_T")


def read_molecule(path: str | Path, part: int | None = None) -> Molecule:
    """Read one molecule from a MOL or SDF (V2000), XYZ or small-molecule CIF file, told apart by content.

    Positions in Angstrom as the file has them; of a CIF the listed sites with their labels, a along x and b in the
    xy plane; symmetry is not applied. part: of a CIF with several disorder groups, the one to keep beside the
    ordered sites. Raises FileNotFoundError, or ValueError if the file is of another format or does not hold one
    molecule.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no file {path}: give the path of a .sdf, .mol, .xyz or .cif file")
    text = path.read_text(encoding="utf-8-sig", errors="replace")
    try:
        name, elements, positions, labels = _parse(text, part)
        symbols = tuple(map(_element, elements))
        molecule = Molecule(name or path.stem, symbols, np.array(positions), labels=tuple(labels))
        _refuse_impossible(molecule)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    return molecule


def _parse(text: str, part: int | None) -> Parsed:
    lines = text.splitlines()
    if re.search(r"^\s*data_", text, re.MULTILINE | re.IGNORECASE) and not _is_molfile(lines):
        return _parse_cif(text, part)
    if part is not None:
        raise ValueError(f"part {part} was asked for, but only a CIF has disorder groups: leave the part out")
    if _is_molfile(lines):
        return parse_molfile(_only(split_records(text), "molecules", "split the file"))
    if lines and lines[0].strip().isdigit():
        return _parse_xyz(lines)
    raise ValueError("neither MOL/SDF (V2000), XYZ nor CIF; convert it, for example: obabel FILE -O molecule.xyz")


def _is_molfile(lines: list[str]) -> bool:
    return len(lines) > 3 and re.search(r"V[23]000\s*$", lines[3]) is not None


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


def split_records(text: str) -> list[str]:
    """Cut an SDF into its records, keeping the leading line of each: the name, which may be empty."""
    records = re.split(r"^\$\$\$\$[^\n]*\n?", text, flags=re.MULTILINE)
    return [record for record in records if record.strip()]


def parse_molfile(record: str) -> Parsed:
    """Read the atoms of a V2000 molfile: fixed columns, x y z of ten characters each, then the symbol.

    Raises ValueError for a V3000 molfile or a damaged atom block.
    """
    lines = record.splitlines()
    if "V2000" not in lines[3]:
        raise ValueError("a V3000 molfile, expected V2000: save it as V2000, or obabel FILE -O molecule.xyz")
    try:
        atoms = _take(lines[4:], int(lines[3][:3]))
        positions = [[float(line[start : start + 10]) for start in (0, 10, 20)] for line in atoms]
    except ValueError as error:
        raise ValueError(f"atom block damaged ({error}), expected V2000 layout: export it again") from error
    return lines[0].strip(), [line[31:34].strip() for line in atoms], positions, ()


def _parse_xyz(lines: list[str]) -> Parsed:
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
    return "", [atom[0] for atom in atoms], positions, ()


def _take(lines: list[str], count: int) -> list[str]:
    if len(lines) < count:
        raise ValueError(f"{count} atoms announced, {len(lines)} lines left")
    return lines[:count]


def _parse_cif(text: str, part: int | None) -> Parsed:
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
    sites = _sites_of_part(list(structure.sites), part)
    positions = [structure.cell.orthogonalize(site.fract).tolist() for site in sites]
    return "", [_site_symbol(site) for site in sites], positions, [str(site.label) for site in sites]


def _sites_of_part(sites: list[gemmi.SmallStructure.Site], part: int | None) -> list[gemmi.SmallStructure.Site]:
    """Keep the ordered sites and those of one disorder group."""
    groups = sorted({site.disorder_group for site in sites} - {0})
    if part is None and len(groups) > 1:
        raise ValueError(f"disorder groups {groups}, expected one: name it, as in file.cif#{groups[0]}")
    if part is not None and part not in groups:
        raise ValueError(f"no disorder group {part}: the file has {groups or 'none'}")
    return sites if part is None else [site for site in sites if site.disorder_group in (0, part)]


def _site_symbol(site: gemmi.SmallStructure.Site) -> str:
    """Name the element of a site, or give its label where that tells no element."""
    return str(site.element.name) if site.element.atomic_number else str(site.label)
