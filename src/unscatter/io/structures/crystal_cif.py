"""CIF: one structure for each block with atoms, with the operations that it lists, or those of the group it names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import gemmi
import numpy as np
from numpy.typing import NDArray

from unscatter.io.files import first_bytes
from unscatter.io.hdf5 import SHORTEST_EDGE
from unscatter.io.structures.crystal_records import Record, broken
from unscatter.io.structures.crystal_symmetry import closed_operations
from unscatter.io.structures.element_names import symbol
from unscatter.nouns.cell import Cell
from unscatter.nouns.crystal import Crystal
from unscatter.symmetry import operations_from

NAME = "CIF"
#: No crystal has so much room for an atom, in cubic Angstrom.
_MOST_EMPTY = 5000.0
#: Comments and licences may stand before the first block.
_HEAD = 1 << 20


def recognises(path: Path) -> bool:
    """Whether a line near the beginning of the file begins a data block."""
    return path.is_file() and re.search(rb"^\s*data_", first_bytes(path, _HEAD), re.M | re.I) is not None


def read(path: Path) -> Iterator[Record]:
    """Give every block of the file."""
    return blocks_of(str(path), path.read_bytes)


def blocks_of(name: str, content: Callable[[], bytes]) -> Iterator[Record]:
    """Every block with atoms of a CIF; one broken record where there is none, or nothing can be read."""
    try:
        document = gemmi.cif.read_string(content().decode("utf-8", errors="replace"))
    except (ValueError, RuntimeError, OSError) as error:
        yield broken(name, error)
        return
    blocks = _with_atoms(document)
    if not blocks:
        yield broken(name, ValueError(_NO_ATOMS))
    yield from ((f"{name}:{block.name}", _from_block, block) for block in blocks)


_NO_ATOMS = "no atoms: expected a loop with _atom_site_fract_x"


def _with_atoms(document: gemmi.cif.Document) -> list[gemmi.cif.Block]:
    return [block for block in document if block.find_loop("_atom_site_fract_x")]


def read_cif(text: str) -> list[Crystal]:
    """Structures of a CIF, one for each block with atoms.

    Raises ValueError where the text is no CIF, or a block has no cell, no symmetry or unknown elements.
    """
    blocks = _with_atoms(gemmi.cif.read_string(text))
    if not blocks:
        raise ValueError(_NO_ATOMS)
    return [_from_block(block) for block in blocks]


def _from_block(block: gemmi.cif.Block) -> Crystal:
    structure = gemmi.make_small_structure_from_block(block)
    if not block.find_value("_cell_length_a"):
        raise ValueError("no cell: expected _cell_length_a and the like")
    rotations, translations, number = _cif_symmetry(structure, block)
    sites = list(structure.sites)
    _refuse_other_units(structure.cell, len(sites) * len(rotations))
    return Crystal(
        cell=Cell(*structure.cell.parameters),
        elements=tuple(symbol(site.type_symbol or site.label) for site in sites),
        positions=np.array([site.fract.tolist() for site in sites]),
        rotations=rotations,
        translations=translations,
        occupancies=np.array([site.occ if np.isfinite(site.occ) else 1.0 for site in sites]),
        b_iso=np.array([_b_iso(site) for site in sites]),
        space_group=number,
        name=block.name,
    )


def _refuse_other_units(cell: gemmi.UnitCell, atoms: int) -> None:
    """Raise ValueError for edges that no cell has in Angstrom, and for volumes no atoms fill."""
    edges = f"{cell.a:g} {cell.b:g} {cell.c:g}"
    if min(cell.a, cell.b, cell.c) < SHORTEST_EDGE:
        raise ValueError(f"cell edges {edges}: no crystal has these in Angstrom; expected Angstrom, not nm")
    if cell.volume > _MOST_EMPTY * max(atoms, 1):
        raise ValueError(f"cell edges {edges} for at most {atoms} atoms; expected Angstrom, not pm")


def _cif_symmetry(
    structure: gemmi.SmallStructure, block: gemmi.cif.Block
) -> tuple[NDArray[np.int64], NDArray[np.float64], int | None]:
    """Operations of a CIF: those it lists, else those of the group it names."""
    if len(structure.symops):
        ops = [gemmi.Op(text) for text in structure.symops]
        group = gemmi.find_spacegroup_by_ops(gemmi.GroupOps(ops))
        return *closed_operations(ops), group.number if group else None
    group = gemmi.find_spacegroup_by_name(structure.spacegroup_hm or "", structure.cell.alpha, structure.cell.gamma)
    if group is None and structure.spacegroup_number:
        group = gemmi.get_spacegroup_reference_setting(structure.spacegroup_number)
    if group is None:
        raise ValueError(f"no symmetry: neither operations nor a known group ({structure.spacegroup_hm!r})")
    return *operations_from(group.operations()), int(group.number)


def _b_iso(site: gemmi.SmallStructure.Site) -> float:
    """B = 8 pi^2 U, from the mean of the tensor where only that is given; NaN where neither is."""
    u = site.u_iso or (site.aniso.u11 + site.aniso.u22 + site.aniso.u33) / 3
    return 8 * np.pi**2 * u if u > 0 else float("nan")
