"""XYZ: the number of atoms, a comment, then a line "symbol x y z" for each; extended XYZ names its columns."""

from __future__ import annotations

import re

from unscatter.io.structures.atom_list import Parsed, take

NAME = "XYZ"
PARTS = False
#: Angstrom in a bohr, which a comment may say that positions are in (CODATA 2018).
_BOHR = 0.529177210903


def recognises(text: str) -> bool:
    """Whether the first line is a number."""
    return text.partition("\n")[0].strip().isdigit()


def read(text: str, part: int | None) -> Parsed:
    """Read an XYZ file: the number of atoms, a comment, then symbol x y z; raises ValueError for other lines."""
    lines = text.splitlines()
    count = int(lines[0])
    rest = [line for line in lines[2 + count :] if line.strip()]
    comment = lines[1] if len(lines) > 1 else ""
    symbol, first = _columns(comment)
    length = _BOHR if re.search(r"\bbohrs?\b", comment, re.IGNORECASE) else 1.0
    try:
        atoms = [line.split() for line in take(lines[2:], count)]
        positions = [[length * float(number) for number in atom[first : first + 3]] for atom in atoms]
        if any(len(position) < 3 for position in positions):
            raise ValueError("fewer than three coordinates")
        symbols = [atom[symbol] for atom in atoms]
    except (ValueError, IndexError) as error:
        raise ValueError(f"atom lines damaged ({error}), expected: symbol x y z") from error
    if rest:
        raise ValueError(f"{len(rest)} lines follow the {count} atoms, expected one molecule: split the file")
    return "", symbols, positions, ()


def _columns(comment: str) -> tuple[int, int]:
    """Columns of the symbol and of x, as the properties of an extended XYZ file give them; 0 and 1 in any other."""
    said = re.search(r"Properties=\"?([\w:]+)", comment)
    fields = said[1].split(":") if said else []
    places, at = {}, 0
    for name, count in zip(fields[::3], fields[2::3], strict=False):
        places[name.lower()] = at
        at += int(count) if count.isdigit() else 1
    return (places["species"], places["pos"]) if {"species", "pos"} <= set(places) else (0, 1)
