"""Frozen sets: samples written once to an HDF5 file, for those who want the same planes without making them.

A set grows in FILE.part, which remembers how far it has come, and gets its name when it is whole.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeAlias, overload

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from unscatter.diffuse.samples.draw import DiffuseRecipe, SampleDraw, collate, draw_sample, recipe_record, render
from unscatter.diffuse.samples.duplicates import find_duplicates, later_of
from unscatter.diffuse.samples.order_draws import Split
from unscatter.io.files import replacing
from unscatter.io.growing import count_complete, create_rows, write_rows
from unscatter.io.hdf5 import Store, attribute, open_own, require_format
from unscatter.nouns.cell import Cell
from unscatter.nouns.components import Components
from unscatter.nouns.plane import Plane, PlaneAxes
from unscatter.version import __version__
from unscatter.workers import ALONE, Workers, spread

Precision: TypeAlias = Literal["float32", "float16"]

NAME = "unscatter samples"
#: The layout written here; a reader refuses a later one.
FORMAT_VERSION = 1
#: Samples written at once; an interruption loses at most so many.
BLOCK = 32
#: Planes, each divided by its maximum, which stands in `<name>_maximum`.
PLANES = ("intensity", "form_factor", "short_range_order")


def write_samples(
    path: str | Path,
    recipe: DiffuseRecipe,
    count: int,
    seed: int = 0,
    split: Split = "training",
    *,
    precision: Precision = "float32",
    alphas: bool = False,
    drop_duplicates: float | None = None,
    provenance: Mapping[str, Any] | None = None,
    progress: bool = True,
    workers: Workers = ALONE,
) -> int:
    """Write the samples 0 to count - 1 of (recipe, seed, split) to an HDF5 file; return how many it holds.

    precision: of the planes; alphas: store the order parameters too; drop_duplicates: leave out samples
    whose clean plane is nearer than this sliced Wasserstein distance to an earlier one; provenance: kept with the set;
    workers: who makes the samples, which are the same whoever does.
    An interrupted call is taken up by the same call. Raises ValueError where FILE.part is the beginning of another set,
    FileNotFoundError if there is no such folder.
    """
    path = Path(path)
    if count < 1:
        raise ValueError(f"a set holds one sample or more, got count {count}")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{path.parent}: no such folder to write {path.name} to; make it first")
    what = _identity(recipe, count, seed, split, precision, alphas)
    what |= {} if provenance is None else {"provenance": json.dumps(provenance)}
    part = path.with_name(f"{path.name}.part")
    first = count_complete(part, what)
    starts = range(first, count, BLOCK)
    work = partial(_block, recipe, seed, split, alphas, count)
    with (
        tqdm(total=count, initial=first, unit="sample", disable=not progress) as bar,
        spread(work, starts, workers) as blocks,
    ):
        for start, rows in zip(starts, blocks, strict=True):
            if not part.exists():
                _create(part, what, rows[0], count)
            write_rows(part, rows, start)
            bar.update(len(rows))
    if drop_duplicates is None:
        part.replace(path)
        return count
    kept = _unique(part, drop_duplicates)
    with replacing(path) as temporary:
        _copy_rows(part, temporary, kept)
    part.unlink()
    return len(kept)


def _identity(
    recipe: DiffuseRecipe, count: int, seed: int, split: Split, precision: Precision, alphas: bool
) -> dict[str, Any]:
    """All that the content of a set depends on, as attributes of the file."""
    return {
        "format": NAME,
        "format_version": FORMAT_VERSION,
        "version": __version__,
        "recipe": json.dumps(recipe_record(recipe)),
        "count": count,
        "seed": seed,
        "split": split,
        "precision": precision,
        "alphas": alphas,
    }


def _block(
    recipe: DiffuseRecipe, seed: int, split: Split, alphas: bool, count: int, start: int
) -> list[dict[str, NDArray[Any]]]:
    """Rows of one block of samples, the last of `count` may be shorter."""
    return [_sample_row(recipe, seed, index, split, alphas) for index in range(start, min(start + BLOCK, count))]


def _sample_row(recipe: DiffuseRecipe, seed: int, index: int, split: Split, alphas: bool) -> dict[str, NDArray[Any]]:
    """One sample as one row of every data set.

    Samples are rendered one by one, so that their last digits do not depend on their neighbours.
    """
    draw = draw_sample(recipe, seed, index, split)
    samples = render(collate(recipe, [draw]))
    row: dict[str, Any] = {"index": index, "measured": samples.measured[0], **_description(draw)}
    for name in PLANES:
        plane = getattr(samples, name)[0]
        maximum = float(plane.max())
        row |= {name: plane / maximum, f"{name}_maximum": maximum}
    if alphas:
        row |= {"alpha": draw.order.alpha, "vectors": draw.order.vectors.astype(np.int8)}
    return {name: np.asarray(value) for name, value in row.items()}


def _description(draw: SampleDraw) -> dict[str, Any]:
    axes = draw.axes
    return {
        "names": np.array(draw.names, dtype="S48"),
        "concentration": draw.order.concentration,
        "cell": draw.cell.parameters,
        **{name: getattr(axes, name) for name in ("origin", "u", "v", "x", "y")},
    }


def _create(path: Path, what: dict[str, Any], row: dict[str, NDArray[Any]], count: int) -> None:
    precision = dict.fromkeys(PLANES, what["precision"])
    create_rows(path, what, row, count, dtypes=precision, chunked=(*PLANES, "measured"))


def _unique(part: Path, threshold: float) -> NDArray[np.int64]:
    """Rows of the samples that are no near-duplicates of earlier ones."""
    with open_own(part, "r") as file:
        form, order = file["form_factor"], file["short_range_order"]
        count = len(form)
        clean = (form[row].astype(np.float64) * np.clip(order[row], 0.0, None) for row in range(count))
        dropped = later_of(find_duplicates(clean, threshold))
    return np.array([row for row in range(count) if row not in dropped], dtype=np.int64)


def _copy_rows(source: Path, target: Path, rows: NDArray[np.int64]) -> None:
    with open_own(source, "r") as old:
        names = [name for name in old if name != "complete"]
        for start in range(0, len(rows), BLOCK):
            block = [{name: old[name][row] for name in names} for row in rows[start : start + BLOCK]]
            if start == 0:
                _create(target, dict(old.attrs), block[0], len(rows))
            write_rows(target, block, start)


@dataclass(frozen=True)
class FrozenSamples(Sequence[Components]):
    """A frozen set: a sequence of `Components`, each read from the file when it is asked for.

    The planes hold NaN where nothing was measured, the components are the truth.
    """

    path: Path
    size: int
    recipe: DiffuseRecipe
    seed: int
    split: Split

    def __len__(self) -> int:
        """Return the number of samples."""
        return self.size

    @overload
    def __getitem__(self, item: int) -> Components: ...
    @overload
    def __getitem__(self, item: slice) -> list[Components]: ...
    def __getitem__(self, item: int | slice) -> Components | list[Components]:
        """Read one sample, or a list of them."""
        if not isinstance(item, slice) and not -self.size <= item < self.size:
            raise IndexError(f"sample {item} of a set of {self.size}")
        with Store(self.path) as store:
            if isinstance(item, slice):
                return [self._read(store, row) for row in range(*item.indices(self.size))]
            return self._read(store, item % self.size)

    def __iter__(self) -> Iterator[Components]:
        """Read one sample after the other from the open file."""
        with Store(self.path) as store:
            for row in range(self.size):
                yield self._read(store, row)

    def _read(self, store: Store, row: int) -> Components:
        def values(name: str) -> NDArray[np.float64]:
            return np.asarray(store.require(name)[row], dtype=np.float64)

        intensity, form, order = (values(name) * values(f"{name}_maximum") for name in PLANES)
        names = [name.decode() for name in store.root["names"][row]]
        plane = Plane(
            np.where(values("measured") > 0, intensity, np.nan),
            PlaneAxes(*(values(name) for name in ("origin", "u", "v", "x", "y"))),
            Cell.from_sequence(values("cell")),
            title=" / ".join(names),
            simulated=True,
            source=self.path.name,
        )
        provenance = {
            "recipe": recipe_record(self.recipe),
            "seed": self.seed,
            "split": self.split,
            "index": int(values("index")),
            "names": names,
            "concentration": float(values("concentration")),
        }
        return Components(plane, form, order, provenance)


def read_samples(path: str | Path) -> FrozenSamples:
    """Open a frozen set; samples are read when they are asked for.

    Raises ValueError for another file or one of a later unscatter, FileNotFoundError if there is none.
    """
    with Store(path) as store:
        found = store.root.attrs
        require_format(store, NAME, FORMAT_VERSION, "simulate diffuse")
        recipe = DiffuseRecipe(**json.loads(attribute(store.root, "recipe")))
        split: Split = "validation" if attribute(store.root, "split") == "validation" else "training"
        return FrozenSamples(Path(path), int(store.require("complete")[()]), recipe, int(found["seed"]), split)
