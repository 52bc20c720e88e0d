"""Many CIFs: all of a folder and those below it, or of a zip archive."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from unscatter.io.structures import crystal_cif
from unscatter.io.structures.crystal_records import Record

NAME = "folder or .zip of CIFs"


def recognises(path: Path) -> bool:
    """Whether it is a folder or a zip archive."""
    return path.is_dir() or zipfile.is_zipfile(path)


def read(path: Path) -> Iterator[Record]:
    """Give every block of every .cif."""
    if path.is_dir():
        for file in sorted(path.rglob("*.cif")):
            yield from crystal_cif.read(file)
        return
    with zipfile.ZipFile(path) as archive:
        for name in sorted(n for n in archive.namelist() if n.lower().endswith(".cif")):
            yield from crystal_cif.blocks_of(f"{path}:{name}", partial(archive.read, name))
