"""Small-molecule CIF: the listed sites with their labels; symmetry is not applied."""

from __future__ import annotations

import re

import gemmi

from unscatter.io.structures.atom_list import Parsed, only

NAME = "CIF"
PARTS = True


def recognises(text: str) -> bool:
    """Whether a line begins a data block."""
    return re.search(r"^\s*data_", text, re.MULTILINE | re.IGNORECASE) is not None


def read(text: str, part: int | None) -> Parsed:
    """Read the listed sites of a small-molecule CIF; symmetry is not applied."""
    try:
        document = gemmi.cif.read_string(text)
    except (ValueError, RuntimeError) as error:
        raise ValueError(f"CIF damaged ({error}): check it with gemmi validate FILE") from error
    blocks = [block for block in document if block.find_loop("_atom_site_fract_x")]
    block = only(blocks, "blocks with a loop of _atom_site_fract_x", "keep one")
    structure = gemmi.make_small_structure_from_block(block)
    if not structure.cell.is_crystal():
        raise ValueError("no cell, expected _cell_length_a and its five companions: add them")
    sites = _sites_of_part(list(structure.sites), part)
    positions = [structure.cell.orthogonalize(site.fract).tolist() for site in sites]
    # A label that tells no element is left for the error to show.
    symbols = [str(site.element.name) if site.element.atomic_number else str(site.label) for site in sites]
    return "", symbols, positions, [str(site.label) for site in sites]


def _sites_of_part(sites: list[gemmi.SmallStructure.Site], part: int | None) -> list[gemmi.SmallStructure.Site]:
    """Keep the ordered sites and those of one disorder group."""
    groups = sorted({site.disorder_group for site in sites} - {0})
    if part is None and len(groups) > 1:
        raise ValueError(f"disorder groups {groups}, expected one: name it, as in file.cif#{groups[0]}")
    if part is not None and part not in groups:
        raise ValueError(f"no disorder group {part}: the file has {groups or 'none'}")
    return sites if part is None else [site for site in sites if site.disorder_group in (0, part)]
