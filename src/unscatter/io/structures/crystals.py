"""Read crystal structures: folders, zips and lists of CIFs, and tables; and name their symmetry."""

from __future__ import annotations

import csv
import re
import warnings
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from importlib import import_module
from math import gcd
from pathlib import Path
from typing import Any, TypeAlias

import gemmi
import numpy as np
from numpy.typing import NDArray

from unscatter.atoms import atomic_number
from unscatter.nouns.cell import Cell
from unscatter.nouns.crystal import Crystal
from unscatter.nouns.sites import coset_representatives, primitive_atoms
from unscatter.symmetry import operations, operations_from

#: What is told about a structure that could not be read: its name and the reason.
Report: TypeAlias = Callable[[str, str], None]

_SYMBOL = re.compile(r"(\d*)([A-Z][a-z]?)")
_TABLES = {".parquet", ".csv"}


def warn_unreadable(name: str, reason: str) -> None:
    """Warn that a structure was skipped, and why."""
    warnings.warn(f"skipped {name}: {reason}", stacklevel=3)


def read_crystals(source: str | Path | Iterable[str | Path], report: Report = warn_unreadable) -> Iterator[Crystal]:
    """Structures from CIFs (a file, folder, zip or .txt list of paths), a .parquet or .csv table, or several.

    Every structure that cannot be read is handed to `report` with the reason, and skipped. Raises
    FileNotFoundError if the source does not exist.
    """
    if not isinstance(source, str | Path):
        for entry in source:
            yield from read_crystals(entry, report)
        return
    path = Path(source)
    if not path.exists():
        raise FileNotFoundError(f"no structures at {path}; give a CIF, a folder, a .zip, a .parquet or a .csv")
    if path.suffix.lower() in _TABLES:
        yield from _parsed(
            (
                (str(row.get("material_id", row.get("id", "")) or n), _from_row, row)
                for n, row in enumerate(_rows(path), 1)
            ),
            report,
        )
    elif path.suffix.lower() == ".txt":
        listed = [path.parent / line.strip() for line in path.read_text().splitlines() if line.strip()]
        yield from _parsed(_blocks((str(p), p.read_bytes) for p in listed), report)
    else:
        yield from _parsed(_blocks(_cif_files(path)), report)


def read_cif(text: str) -> list[Crystal]:
    """Structures of a CIF, one for each block with atoms.

    Raises ValueError where the text is no CIF, or a block has no cell, no symmetry or unknown elements.
    """
    document = gemmi.cif.read_string(text)
    blocks = [block for block in document if block.find_loop("_atom_site_fract_x")]
    if not blocks:
        raise ValueError("no atoms: expected a loop with _atom_site_fract_x")
    return [_from_block(block) for block in blocks]


def label_space_group(crystal: Crystal, tolerance: float = 0.1) -> int:
    """Number of the space group found by spglib with `tolerance` in Angstrom.

    Atoms that share a site count as one kind of atom. Raises ValueError where spglib finds no symmetry, and
    ImportError with what to install where spglib is missing.
    """
    found = ask_spglib("get_symmetry_dataset", _spglib_cell(crystal), symprec=tolerance)
    if found is None:
        raise ValueError(f"{crystal.name or 'structure'}: spglib finds no symmetry within {tolerance:g} Angstrom")
    return int(found.number)


def prototype_key(crystal: Crystal) -> str:
    """Structure type for splits without leakage: group, anonymous formula and multiplicities of the sites.

    For example "225_A1B1_4.4" for rock salt. Structures with different keys are of different types.
    Raises ValueError if the space group is not known.
    """
    if crystal.space_group is None:
        raise ValueError(f"{crystal.name or 'structure'}: label the space group before asking for its prototype")
    multiplicities = site_multiplicities(crystal)
    sites: dict[str, list[int]] = defaultdict(list)
    for element, multiplicity in zip(crystal.elements, multiplicities, strict=True):
        sites[element].append(int(multiplicity))
    kinds = sorted((sum(m), sorted(m)) for m in sites.values())
    unit = gcd(*(count for count, _ in kinds))
    formula = "".join(f"{chr(65 + i)}{count // unit}" for i, (count, _) in enumerate(kinds))
    return f"{crystal.space_group}_{formula}_" + ".".join("-".join(map(str, m)) for _, m in kinds)


def site_multiplicities(crystal: Crystal) -> NDArray[np.int64]:
    """Number of atoms of each site in the cell, (n,)."""
    _, site = primitive_atoms(crystal)
    return np.bincount(site, minlength=len(crystal.elements)) * len(coset_representatives(crystal)[2])


def symbol(label: str) -> str:
    """Element or isotope in a label: "O2-" is O, "O-H1" is O, "D" and "7Li" stay; ValueError if none."""
    match = _SYMBOL.match(label.strip())
    for length in (2, 1):
        name = match.group(2)[:length] if match else ""
        if name and gemmi.Element(name).atomic_number:
            return (match.group(1) if match else "") + name
    raise ValueError(f"{label!r} names no element")


def _parsed(items: Iterable[tuple[str, Callable[[Any], Crystal], Any]], report: Report) -> Iterator[Crystal]:
    for name, parse, content in items:
        try:
            crystal = parse(content)
        except (ValueError, KeyError, IndexError, RuntimeError, OSError) as error:
            report(name, f"{error}" or type(error).__name__)
        else:
            yield crystal


def _cif_files(path: Path) -> Iterator[tuple[str, Callable[[], bytes]]]:
    if path.is_dir():
        for file in sorted(path.rglob("*.cif")):
            yield str(file), file.read_bytes
    elif zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for name in sorted(n for n in archive.namelist() if n.lower().endswith(".cif")):
                yield f"{path}:{name}", lambda name=name: archive.read(name)  # type: ignore[misc]
    else:
        yield str(path), path.read_bytes


def _blocks(
    sources: Iterable[tuple[str, Callable[[], bytes]]],
) -> Iterator[tuple[str, Callable[[Any], Crystal], Any]]:
    """Every block of every file; a file that is no CIF comes as one item that fails when parsed."""
    for name, content in sources:
        try:
            document = gemmi.cif.read_string(content().decode("utf-8", errors="replace"))
        except (ValueError, RuntimeError, OSError) as error:
            yield name, _fail, error
            continue
        blocks = [block for block in document if block.find_loop("_atom_site_fract_x")]
        if not blocks:
            yield name, _fail, ValueError("no atoms: expected a loop with _atom_site_fract_x")
        yield from ((f"{name}:{block.name}", _from_block, block) for block in blocks)


def _fail(error: Exception) -> Crystal:
    raise error


def _from_block(block: gemmi.cif.Block) -> Crystal:
    structure = gemmi.make_small_structure_from_block(block)
    if not block.find_value("_cell_length_a"):
        raise ValueError("no cell: expected _cell_length_a and the like")
    rotations, translations, number = _cif_symmetry(structure, block)
    sites = list(structure.sites)
    return Crystal(
        cell=Cell(*structure.cell.parameters),
        elements=tuple(_site_symbol(site) for site in sites),
        positions=np.array([site.fract.tolist() for site in sites]),
        rotations=rotations,
        translations=translations,
        occupancies=np.array([site.occ if np.isfinite(site.occ) else 1.0 for site in sites]),
        b_iso=np.array([_b_iso(site) for site in sites]),
        space_group=number,
        name=block.name,
    )


def _cif_symmetry(
    structure: gemmi.SmallStructure, block: gemmi.cif.Block
) -> tuple[NDArray[np.int64], NDArray[np.float64], int | None]:
    """Operations of a CIF: those it lists, else those of the group it names."""
    if len(structure.symops):
        ops = [gemmi.Op(text) for text in structure.symops]
        group = gemmi.find_spacegroup_by_ops(gemmi.GroupOps(ops))
        return *_closed(ops), group.number if group else None
    group = gemmi.find_spacegroup_by_name(structure.spacegroup_hm or "", structure.cell.alpha, structure.cell.gamma)
    if group is None and structure.spacegroup_number:
        group = gemmi.get_spacegroup_reference_setting(structure.spacegroup_number)
    if group is None:
        raise ValueError(f"no symmetry: neither operations nor a known group ({structure.spacegroup_hm!r})")
    return *operations_from(group.operations()), int(group.number)


def _closed(ops: list[gemmi.Op]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Operations with all their products, the identity first."""
    known = {op.wrap().triplet(): op for op in [gemmi.Op("x,y,z"), *ops]}
    group = gemmi.GroupOps(list(known.values()))
    group.add_missing_elements()
    return operations_from(group)


def _site_symbol(site: gemmi.SmallStructure.Site) -> str:
    return symbol(site.type_symbol or site.label)


def _b_iso(site: gemmi.SmallStructure.Site) -> float:
    """B = 8 pi^2 U, from the mean of the tensor where only that is given; NaN where neither is."""
    u = site.u_iso or (site.aniso.u11 + site.aniso.u22 + site.aniso.u33) / 3
    return 8 * np.pi**2 * u if u > 0 else float("nan")


def _rows(path: Path) -> Iterator[Mapping[str, Any]]:
    if path.suffix.lower() == ".csv":
        with path.open(newline="", encoding="utf-8") as file:
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
    elements = [symbol(e) for e in _list(row["elem"])] if row.get("elem") else _by_number(_list(row["Z"]))
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
    return _closed([gemmi.Op(text) for text in triplets.split(";")])


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


def _by_number(numbers: list[Any]) -> list[str]:
    return [str(gemmi.Element(int(z)).name) for z in numbers]


def _spglib_cell(crystal: Crystal) -> tuple[NDArray[np.float64], NDArray[np.float64], list[int]]:
    """Cell, positions and kinds for spglib; every set of atoms on one position is a kind."""
    centring = coset_representatives(crystal)[2]
    atoms, site = primitive_atoms(crystal)
    first: dict[tuple[int, ...], int] = {}
    content: dict[int, list[tuple[int, float]]] = defaultdict(list)
    for k, position in enumerate(np.round((atoms % 1.0) * 1e3).astype(int) % 1000):
        at = first.setdefault(tuple(position), k)
        element = crystal.elements[site[k]]
        content[at].append((atomic_number(element), round(float(crystal.occupancies[site[k]]), 3)))
    kinds: dict[tuple[tuple[int, float], ...], int] = {}
    numbers = [kinds.setdefault(tuple(sorted(c)), len(kinds) + 1) for c in content.values()]
    positions = (atoms[list(content)][:, None] + centring).reshape(-1, 3)
    return crystal.cell.direct, positions, [n for n in numbers for _ in centring]


def ask_spglib(question: str, *arguments: Any, **options: Any) -> Any:
    """Answer of spglib, None where it finds none; releases differ in saying so by None, a warning or an error."""
    try:
        spglib = import_module("spglib")
    except ImportError as error:
        raise ImportError("symmetry labels need spglib: pip install 'unscatter[powder]'") from error
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            return getattr(spglib, question)(*arguments, **options)
        except getattr(getattr(spglib, "error", None), "SpglibError", ()):
            return None
