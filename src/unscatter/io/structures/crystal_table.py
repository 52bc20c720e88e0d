"""Tables of structures, CSV or Parquet: a row with cell, xyz, Z or elem, and hall or symops or sg."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

import gemmi
import numpy as np
from numpy.typing import NDArray

from unscatter.io.files import first_bytes
from unscatter.io.structures.crystal_records import Record
from unscatter.io.structures.crystal_symmetry import ask_spglib, closed_operations
from unscatter.io.structures.element_names import symbol
from unscatter.nouns.cell import Cell
from unscatter.nouns.crystal import Crystal
from unscatter.symmetry import operations

NAME = "table with the columns cell and xyz (.csv, .parquet)"
_PARQUET = b"PAR1"


def recognises(path: Path) -> bool:
    """Whether the file is Parquet, or its first line names the columns cell and xyz."""
    if not path.is_file():
        return False
    head = first_bytes(path, 1 << 16)
    columns = [name.strip(b' "\r') for name in head.split(b"\n", 1)[0].split(b",")]
    return head.startswith(_PARQUET) or {b"cell", b"xyz"} <= set(columns)


def read(path: Path) -> Iterator[Record]:
    """Give every row; raises ImportError for Parquet where pyarrow is missing."""
    for number, row in enumerate(_rows(path), 1):
        yield str(row.get("material_id", row.get("id", "")) or number), _from_row, row


def _rows(path: Path) -> Iterator[Mapping[str, Any]]:
    if first_bytes(path, len(_PARQUET)) != _PARQUET:
        with path.open(newline="", encoding="utf-8-sig") as file:
            yield from csv.DictReader(file)
        return
    try:
        parquet = import_module("pyarrow.parquet")
    except ImportError as error:
        raise ImportError(f"reading {path.name} needs pyarrow: pip install 'unscatter[powder]'") from error
    for batch in parquet.ParquetFile(path).iter_batches(4096):
        yield from batch.to_pylist()


def _from_row(row: Mapping[str, Any]) -> Crystal:
    """Structure from a row with cell, xyz, Z or elem, and hall or symops or sg; occ and b_iso where given."""
    if row.get("elem"):
        elements = [symbol(name) for name in _list(row["elem"])]
    else:
        elements = [str(gemmi.Element(int(z)).name) for z in _list(row["Z"])]
    rotations, translations = _row_symmetry(row)
    return Crystal(
        cell=Cell.from_sequence(_numbers(row["cell"])),
        elements=tuple(elements),
        positions=_numbers(row["xyz"]).reshape(-1, 3),
        rotations=rotations,
        translations=translations,
        occupancies=_numbers(row.get("occ")),
        b_iso=_numbers(row.get("b_iso")),
        space_group=int(row["sg"]) if row.get("sg") else None,
        name=str(row.get("material_id") or row.get("id") or ""),
    )


def _row_symmetry(row: Mapping[str, Any]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    if row.get("symops"):
        return _operations_of_triplets(str(row["symops"]))
    if row.get("hall"):
        return _operations_of_hall(int(row["hall"]))
    return operations(int(row["sg"]))


@lru_cache(maxsize=4096)
def _operations_of_triplets(triplets: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    return closed_operations([gemmi.Op(text) for text in triplets.split(";")])


@lru_cache(maxsize=530)
def _operations_of_hall(hall: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    found = ask_spglib("get_symmetry_from_database", hall)
    if found is None:
        raise ValueError(f"Hall number {hall} cannot be: expected 1 to 530")
    return found["rotations"].astype(np.int64), found["translations"].astype(np.float64)


def _list(value: Any) -> list[Any]:
    """List of a cell of a table: a list already, or numbers and words between brackets, commas or blanks."""
    return re.split(r"[\s,;]+", value.strip("[]() \t")) if isinstance(value, str) else list(value)


def _numbers(value: Any) -> NDArray[np.float64]:
    return np.array([] if value is None or value == "" else _list(value), dtype=np.float64)
