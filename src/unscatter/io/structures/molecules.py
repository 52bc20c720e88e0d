"""Molecules from structure files: MOL and SDF (V2000), XYZ, small-molecule CIF, told apart by content."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import gemmi
import numpy as np
from scipy.spatial.distance import pdist, squareform

from unscatter.io.structures import molecule_cif, molfile, xyz
from unscatter.io.structures.atom_list import Parsed
from unscatter.nouns.molecule import Molecule

#: Two atoms closer than this (Angstrom) cannot be of one molecule; the shortest bond, H-H, is 0.74.
SHORTEST_BOND = 0.5


class Format(Protocol):
    """What a module of this package offers for the molecules it reads; PARTS: whether it knows disorder groups."""

    NAME: str
    PARTS: bool

    def recognises(self, text: str) -> bool:
        """Whether a text is of this format."""
        ...

    def read(self, text: str, part: int | None) -> Parsed:
        """The atoms, unchecked; raises ValueError for damage, and for other than one molecule."""
        ...


#: Tried from first to last.
FORMATS: tuple[Format, ...] = (molfile, xyz, molecule_cif)


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
    form = next((form for form in FORMATS if form.recognises(text)), None)
    if part is not None and (form is None or not form.PARTS):
        raise ValueError(f"part {part} was asked for, but only a CIF has disorder groups: leave the part out")
    if form is None:
        names = ", ".join(form.NAME for form in FORMATS[:-1])
        raise ValueError(
            f"neither {names} nor {FORMATS[-1].NAME}; convert it, for example: obabel FILE -O molecule.xyz"
        )
    return form.read(text, part)


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
