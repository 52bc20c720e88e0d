"""Frozen sets: powder patterns written once to an HDF5 file, for those who want the same ones without making them.

A set grows in FILE.part, which remembers how far it has come, and gets its name when it is whole.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from unscatter.io.growing import count_complete, create_rows, write_rows
from unscatter.io.hdf5 import Store, attribute, require_format
from unscatter.powder.samples.draw import (
    CachedCrystals,
    PowderRecipe,
    PowderSamples,
    RandomCrystals,
    draw_samples,
    recipe_record,
)
from unscatter.version import __version__
from unscatter.workers import ALONE, Workers, spread

NAME = "unscatter powder samples"
#: The layout written here; a reader refuses a later one.
FORMAT_VERSION = 1
#: Samples written at once; an interruption loses at most so many.
BLOCK = 64


def write_samples(
    path: str | Path,
    recipe: PowderRecipe,
    count: int,
    crystals: CachedCrystals | RandomCrystals,
    seed: int = 0,
    *,
    provenance: Mapping[str, Any] | None = None,
    progress: bool = True,
    workers: Workers = ALONE,
) -> None:
    """Write the samples 0 to count - 1 of (recipe, seed) to an HDF5 file, their structures chosen at random.

    Data sets: inputs, group and cell as in PowderSamples, and row, the number of the structure. provenance: kept with
    the set; workers: who makes the samples, which are the same whoever does. An interrupted call is taken up by the
    same call. Raises ValueError where FILE.part is the beginning of another set, FileNotFoundError if there is no
    such folder.
    """
    path = Path(path)
    if count < 1:
        raise ValueError(f"a set holds one sample or more, got count {count}")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{path.parent}: no such folder to write {path.name} to; make it first")
    what = {
        "format": NAME,
        "format_version": FORMAT_VERSION,
        "version": __version__,
        "recipe": json.dumps(recipe_record(recipe)),
        "structures": _identity(crystals),
        "count": count,
        "seed": seed,
    }
    what |= {} if provenance is None else {"provenance": json.dumps(provenance)}
    part = path.with_name(f"{path.name}.part")
    first = count_complete(part, what)
    chosen = np.random.default_rng(seed).integers(len(crystals), size=count)
    starts = range(first, count, BLOCK)
    with (
        tqdm(total=count, initial=first, unit="sample", disable=not progress) as bar,
        spread(partial(_block, recipe, crystals, chosen, seed), starts, workers) as blocks,
    ):
        for start, rows in zip(starts, blocks, strict=True):
            if not part.exists():
                create_rows(part, what, rows[0], count, chunked=("inputs",))
            write_rows(part, rows, start)
            bar.update(len(rows))
    part.replace(path)


def _block(
    recipe: PowderRecipe,
    crystals: CachedCrystals | RandomCrystals,
    chosen: NDArray[np.int64],
    seed: int,
    start: int,
) -> list[dict[str, NDArray[Any]]]:
    """Rows of one block of samples, of the structures chosen for them."""
    block = chosen[start : start + BLOCK]
    return _rows(draw_samples(recipe, crystals, block, seed, start), block)


def _rows(samples: PowderSamples, numbers: NDArray[np.int64]) -> list[dict[str, NDArray[Any]]]:
    inputs, group, cell = samples.inputs, samples.group, samples.cell
    return [
        {"inputs": inputs[j], "group": np.asarray(group[j]), "cell": cell[j], "row": np.asarray(number)}
        for j, number in enumerate(numbers)
    ]


def _identity(crystals: CachedCrystals | RandomCrystals) -> str:
    """What tells one table of structures from another."""
    if isinstance(crystals, RandomCrystals):
        groups = hashlib.sha256(repr(crystals.groups).encode()).hexdigest()[:12]
        return f"random, seed {crystals.seed}, {crystals.count} of groups {groups}"
    names = hashlib.sha256(b"".join(cache.names.tobytes() for cache in crystals.caches)).hexdigest()
    return f"{len(crystals)} structures, names {names[:12]}"


@dataclass(frozen=True)
class FrozenSamples:
    """A frozen set: `PowderSamples` in blocks, read from the file when they are asked for."""

    path: Path
    size: int
    recipe: PowderRecipe
    seed: int

    def __len__(self) -> int:
        """Return the number of samples."""
        return self.size

    def read(self, start: int = 0, stop: int | None = None) -> PowderSamples:
        """Read the samples start to stop - 1, all that follow where no stop is given."""
        with Store(self.path) as store:
            inputs, group, cell = (store.require(name)[start:stop] for name in ("inputs", "group", "cell"))
        return PowderSamples(inputs, group, cell)

    def blocks(self, size: int = BLOCK) -> Iterator[PowderSamples]:
        """Read all samples, `size` at once."""
        for start in range(0, self.size, size):
            yield self.read(start, start + size)


def read_samples(path: str | Path) -> FrozenSamples:
    """Open a frozen set; samples are read when they are asked for.

    Raises ValueError for another file or one of a later unscatter, FileNotFoundError if there is none.
    """
    with Store(path) as store:
        found = store.root.attrs
        require_format(store, NAME, FORMAT_VERSION, "simulate powder")
        recipe = PowderRecipe(**json.loads(attribute(store.root, "recipe")))
        return FrozenSamples(Path(path), int(store.require("complete")[()]), recipe, int(found["seed"]))
