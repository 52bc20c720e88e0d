"""MOL and SDF of MDL: a head of three lines, a line of counts, then atoms in fixed columns (V2000)."""

from __future__ import annotations

import re

from unscatter.io.structures.atom_list import Parsed, only, take

NAME = "MOL/SDF (V2000)"
PARTS = False


def recognises(text: str) -> bool:
    """Whether the line of counts ends with the version of a molfile."""
    lines = text.split("\n", 4)
    return len(lines) > 3 and re.search(r"V[23]000\s*$", lines[3]) is not None


def read(text: str, part: int | None) -> Parsed:
    """Read the one molecule; raises ValueError for several, V3000 and damage."""
    return parse_molfile(only(split_records(text), "molecules", "split the file"))


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
        atoms = take(lines[4:], int(lines[3][:3]))
        positions = [[float(line[start : start + 10]) for start in (0, 10, 20)] for line in atoms]
    except ValueError as error:
        raise ValueError(f"atom block damaged ({error}), expected V2000 layout: export it again") from error
    return lines[0].strip(), [line[31:34].strip() for line in atoms], positions, ()
