"""Writing a cache of reflections: structures of a source, computed in blocks by several processes.

An interrupted call leaves its blocks, and the same call takes them up.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import multiprocessing
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from unscatter.atoms import Radiation
from unscatter.io.files import replacing, require_file
from unscatter.io.hdf5 import open_own
from unscatter.io.structures import materials_project
from unscatter.io.structures.crystal_symmetry import label_space_group, prototype_key
from unscatter.io.structures.crystals import Report, read_crystals
from unscatter.io.structures.materials_project import read_materials_project
from unscatter.nouns.crystal import Crystal
from unscatter.nouns.sites import coset_representatives
from unscatter.powder.crystal import random_crystals
from unscatter.powder.crystal.random_crystals import draw_crystals
from unscatter.powder.crystal.reflections import simulate_f_squared, unique_hkl
from unscatter.powder.samples.cache import BEAMS, COLUMNS, FORMAT_VERSION, LIMIT, MOST_LINES, NAME, X_RAY_WAVELENGTH
from unscatter.powder.samples.records import merge_lines, pack_lines
from unscatter.version import __version__

Source: TypeAlias = str | Path | Iterable[str | Path]

#: Structures computed at once; an interruption loses at most so many for each process.
BLOCK = 512


def write_reflection_cache(
    source: Source,
    path: str | Path,
    workers: int = 1,
    *,
    limit: float = LIMIT,
    most_lines: int = MOST_LINES,
    tolerance: float = 0.1,
    years: Mapping[str, int] | None = None,
    provenance: Mapping[str, Any] | None = None,
    progress: bool = True,
) -> dict[str, str]:
    """Write the lines of all structures of a source to a cache; return the names that failed, with the reasons.

    source: as for read_crystals, or "mp:..." as for read_materials_project, or "random:..." as for draw_crystals;
    limit: largest 1/d in 1/Angstrom; most_lines: kept apart in one structure; tolerance: in Angstrom, for spglib,
    where the source names no space group; years: of publication, by name; provenance: kept in the file. Works in
    `workers` processes in blocks that stand in the folder FILE.part until all are done: an interrupted call is taken up
    by the same call, and makes the same file. Raises ValueError where FILE.part is of another call or no structure
    could be used, FileNotFoundError if there is no such source or folder.
    """
    path = Path(path)
    sources = [str(s) for s in ([source] if isinstance(source, str | Path) else source)]
    part = _prepare(path, {"source": sources, "limit": limit, "most_lines": most_lines, "tolerance": tolerance})
    try:
        _write_blocks(sources, part, workers, (limit, most_lines, tolerance), progress)
    except BaseException:
        # A call that came to nothing leaves no folder, so that the next one is not taken for another.
        if not any(part.glob("*.npz")):
            shutil.rmtree(part)
        raise
    what = {"limit": limit, "most_lines": most_lines, "tolerance": tolerance}
    failed = _join(part, path, {**what, "provenance": json.dumps(provenance or {})}, years or {})
    shutil.rmtree(part)
    return failed


def read_years(path: str | Path) -> dict[str, int]:
    """Years of publication by name, from a .csv or .csv.gz with the columns material_id and year.

    Raises ValueError where it has no such columns, FileNotFoundError if there is no such file.
    """
    path = require_file(path)
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as file:
        rows = csv.DictReader(file)
        if not {"material_id", "year"} <= set(rows.fieldnames or ()):
            raise ValueError(f"{path} has columns {rows.fieldnames}; expected material_id and year")
        return {row["material_id"]: int(row["year"]) for row in rows if row["year"]}


def prototype_number(key: str) -> int:
    """Give a structure type a number that is the same in all caches: the first 63 bits of the SHA-256 of its key."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big") >> 1


def _prepare(path: Path, what: dict[str, Any]) -> Path:
    """Folder for the finished blocks; raises ValueError if it is there and of another call."""
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{path.parent}: no such folder to write {path.name} to; make it first")
    part = path.with_name(f"{path.name}.part")
    part.mkdir(exist_ok=True)
    identity, note = json.dumps({**what, "version": __version__}), part / "call.json"
    if note.exists() and note.read_text(encoding="utf-8") != identity:
        raise ValueError(
            f"{part} is the beginning of another cache: {note.read_text(encoding='utf-8')}; "
            "repeat the call it came from, or delete it"
        )
    note.write_text(identity, encoding="utf-8")
    return part


def _write_blocks(
    sources: list[str], part: Path, workers: int, limits: tuple[float, int, float], progress: bool
) -> None:
    """Compute all blocks that are not in the folder yet; limits: as _write_block takes them."""
    with tqdm(total=_row_count(sources), unit="structure", disable=not progress) as bar, _processes(workers) as run:
        waiting: list[tuple[Future[None], int]] = []
        for number, (crystals, unread) in enumerate(_blocks(sources)):
            block = part / f"{number:06d}.npz"
            if not block.exists():
                waiting.append((run(_write_block, block, crystals, unread, *limits), len(crystals)))
            else:
                bar.update(len(crystals))
            # A few blocks ahead of the workers are enough, and all that memory should hold.
            while len(waiting) > 2 * workers:
                _finish(waiting, bar)
        while waiting:
            _finish(waiting, bar)


def _row_count(sources: list[str]) -> int | None:
    """Rows of all sources where they are parquet tables, which know; None where they are not."""
    if not all(s.endswith(".parquet") for s in sources):
        return None
    from pyarrow import parquet

    return sum(int(parquet.ParquetFile(s).metadata.num_rows) for s in sources)


def _blocks(sources: list[str]) -> Iterator[tuple[list[Crystal], dict[str, str]]]:
    """Structures in groups of BLOCK, each with the names and reasons of those that could not be read on the way."""
    unread: dict[str, str] = {}
    crystals = _structures(sources, unread.__setitem__)
    while block := list(islice(crystals, BLOCK)):
        yield block, dict(unread)
        unread.clear()
    if unread:
        yield [], dict(unread)


def _structures(sources: list[str], report: Report) -> Iterator[Crystal]:
    """Structures of files, of the Materials Project ("mp:...") and of chance ("random:...")."""
    readers = {materials_project.PREFIX: read_materials_project, random_crystals.PREFIX: draw_crystals}
    for source in sources:
        reader = next((readers[prefix] for prefix in readers if source.startswith(prefix)), read_crystals)
        yield from reader(source, report)


@contextmanager
def _processes(workers: int) -> Iterator[Any]:
    """Give a function that runs another in one of `workers` processes of one thread each; one worker is this one."""
    if workers < 2:
        yield _run_here
        return
    before = os.environ.get("OMP_NUM_THREADS")
    os.environ["OMP_NUM_THREADS"] = "1"
    try:
        with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
            yield pool.submit
    finally:
        if before is None:
            del os.environ["OMP_NUM_THREADS"]
        else:
            os.environ["OMP_NUM_THREADS"] = before


def _run_here(work: Any, *arguments: Any) -> Future[None]:
    done: Future[None] = Future()
    done.set_result(work(*arguments))
    return done


def _finish(waiting: list[tuple[Future[None], int]], bar: tqdm[Any]) -> None:
    future, count = waiting.pop(0)
    future.result()
    bar.update(count)


def _write_block(
    path: Path, crystals: list[Crystal], unread: dict[str, str], limit: float, most_lines: int, tolerance: float
) -> None:
    """Compute a block and write it whole or not at all."""
    rows, failed = [], dict(unread)
    for crystal in crystals:
        try:
            rows.append(_row(crystal, limit, most_lines, tolerance))
        except (ValueError, ArithmeticError) as error:
            failed[crystal.name] = str(error)
    columns: dict[str, Any] = {
        name: np.array([row[name] for row in rows]) for name in (rows[0] if rows else ()) if name != "record"
    }
    columns["records"] = np.frombuffer(b"".join(row["record"] for row in rows), dtype=np.uint8)
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **columns, failed=json.dumps(failed))


def find_phase_lines(
    crystal: Crystal, limit: float = LIMIT, beams: Sequence[tuple[Radiation, float | None]] = BEAMS
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Lines of a crystal by increasing 1/d <= limit: hkl (n, 3), 1/d (n,) and m |F|^2 d^2 (beams, n)."""
    hkl, multiplicity = unique_hkl(crystal, limit)
    q = hkl @ (crystal.cell.reciprocal / (2 * np.pi))
    inverse_d = np.sqrt(np.einsum("ni,ni->n", q, q))
    order = np.argsort(inverse_d, kind="stable")
    hkl, multiplicity, inverse_d = hkl[order], multiplicity[order], inverse_d[order]
    return hkl, inverse_d, multiplicity * simulate_f_squared(crystal, hkl, inverse_d, beams) / inverse_d**2


def _row(crystal: Crystal, limit: float, most_lines: int, tolerance: float) -> dict[str, Any]:
    """Everything the cache holds of one structure."""
    if crystal.space_group is None:
        crystal = replace(crystal, space_group=label_space_group(crystal, tolerance))
    hkl, strength = merge_lines(*find_phase_lines(crystal, limit), most_lines)
    record, strongest = pack_lines(hkl, strength)
    return {
        "record": record,
        "size": len(record),
        "space_group": crystal.space_group,
        "cells": crystal.cell.parameters,
        "prototype": prototype_number(prototype_key(crystal)),
        "poles": find_poles(crystal),
        "damped": bool(np.all(np.isfinite(crystal.b_iso))),
        "names": crystal.name.encode(),
        "strongest": strongest,
    }


def find_poles(crystal: Crystal) -> int:
    """Bits for those of a*, b*, c* that every rotation maps to itself or its opposite."""
    rotations, _, _ = coset_representatives(crystal)
    axes = np.eye(3, dtype=np.int64)
    fixed = np.all(np.abs(axes @ rotations) == axes, axis=(0, 2))
    return sum(1 << i for i in range(3) if fixed[i])


def _join(part: Path, path: Path, what: dict[str, Any], years: Mapping[str, int]) -> dict[str, str]:
    """Put all blocks into one file; return the failures of all."""
    blocks = [dict(np.load(file)) for file in sorted(part.glob("*.npz"))]
    failed: dict[str, str] = {}
    for block in blocks:
        failed |= json.loads(str(block["failed"]))
    blocks = [block for block in blocks if "size" in block]
    if not blocks:
        raise ValueError(f"none of the {len(failed)} structures could be used: {dict(islice(failed.items(), 3))}")
    columns = {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0] if name != "failed"}
    columns["year"] = np.array([years.get(name.decode(), 0) for name in columns["names"].tolist()])
    with replacing(path) as temporary, open_own(temporary, "w") as file:
        file.attrs.update({"format": NAME, "format_version": FORMAT_VERSION, "version": __version__, **what})
        file.attrs["x_ray_wavelength"] = X_RAY_WAVELENGTH
        file["records"] = columns.pop("records")
        file["size"] = columns.pop("size").astype(np.uint32)
        file["failed"] = json.dumps(failed)
        for name, column in columns.items():
            file[name] = column.astype(COLUMNS[name][0])
    return failed
