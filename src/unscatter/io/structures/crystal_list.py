"""A list of paths of CIFs, one a line, that count from the folder of the list."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from unscatter.io.files import first_bytes
from unscatter.io.structures import crystal_cif
from unscatter.io.structures.crystal_records import Record

NAME = "list of paths of CIFs"


def recognises(path: Path) -> bool:
    """Whether the first line that says something is the path of a file."""
    lines = first_bytes(path, 1 << 12).decode("utf-8", errors="replace").split("\n")
    first = next((line.strip() for line in lines if line.strip()), "")
    # What is no text may hold what no path can.
    return first.isprintable() and bool(first) and len(first) < 1024 and (path.parent / first).is_file()


def read(path: Path) -> Iterator[Record]:
    """Give every block of every file of the list."""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.strip():
            yield from crystal_cif.read(path.parent / line.strip())
