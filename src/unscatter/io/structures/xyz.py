"""XYZ: the number of atoms, a comment, then a line "symbol x y z" for each."""

from __future__ import annotations

from unscatter.io.structures.atom_list import Parsed, take

NAME = "XYZ"
PARTS = False


def recognises(text: str) -> bool:
    """Whether the first line is a number."""
    return text.partition("\n")[0].strip().isdigit()


def read(text: str, part: int | None) -> Parsed:
    """Read an XYZ file: the number of atoms, a comment, then symbol x y z; raises ValueError for other lines."""
    lines = text.splitlines()
    count = int(lines[0])
    rest = [line for line in lines[2 + count :] if line.strip()]
    try:
        atoms = [line.split() for line in take(lines[2:], count)]
        positions = [[float(number) for number in (x, y, z)] for _, x, y, z, *_ in atoms]
    except ValueError as error:
        raise ValueError(f"atom lines damaged ({error}), expected: symbol x y z") from error
    if rest:
        raise ValueError(f"{len(rest)} lines follow the {count} atoms, expected one molecule: split the file")
    return "", [atom[0] for atom in atoms], positions, ()
