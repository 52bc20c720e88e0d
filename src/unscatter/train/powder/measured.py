"""Patterns from an instrument to learn from, with and without labels, as a table of files lists them."""

from __future__ import annotations

import csv
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from unscatter.atoms import Radiation
from unscatter.io.files import require_file
from unscatter.io.patterns import read_pattern
from unscatter.powder.classify.classify import pattern_channels
from unscatter.train.powder.patterns import Patterns

#: Columns of a table; the first two have to be there.
COLUMNS = ("file", "space_group", "wavelength_A", "radiation")


@dataclass(frozen=True, eq=False)
class MeasuredPatterns:
    """channels: (n, 3, 4096), half precision; labels: (n,), -1 where nobody knows."""

    channels: NDArray[np.float16]
    labels: NDArray[np.int64]

    def pick(self, count: int, seed: tuple[int, ...], *, labelled: bool) -> Patterns:
        """Patterns at random, with labels or without; none where there are none. The cell is not known."""
        rows = np.flatnonzero((self.labels >= 0) == labelled)
        chosen = rows[np.random.default_rng(seed).integers(len(rows), size=count)] if len(rows) else rows
        return Patterns(
            torch.as_tensor(self.channels[chosen].astype(np.float32)),
            torch.as_tensor(self.labels[chosen]),
            torch.full((len(chosen), 4), torch.nan),
        )


def read_measured(tables: Sequence[Path], label_of_group: NDArray[np.int64]) -> MeasuredPatterns:
    """Read the patterns that tables list, .csv with the columns file, space_group, wavelength_A and radiation.

    Files are looked for beside their table; space_group is a number from 1 to 230, or empty where it is not known;
    wavelength and radiation may be empty where the file says. label_of_group: (230,), the label of each group, -1 for
    those that are not learned: such patterns count as without a label. A pattern that cannot be used is warned of and
    left out. Raises ValueError where a table lacks a column, a group is no number, or nothing is left.
    """
    channels, labels, failed = [], [], []
    entries = [entry for table in tables for entry in _entries(table)]
    for entry in tqdm(entries, unit="pattern", desc="measured", disable=None):
        try:
            pattern = read_pattern(entry.path, wavelength=entry.wavelength, radiation=entry.radiation)
            channels.append(pattern_channels(pattern).astype(np.float16))
        except (ValueError, OSError) as error:
            failed.append(f"{entry.path.name}: {error}")
            continue
        labels.append(-1 if entry.space_group is None else int(label_of_group[entry.space_group - 1]))
    if not channels:
        raise ValueError(f"none of {len(entries)} measured patterns could be used: {'; '.join(failed[:3])}")
    if failed:
        warnings.warn(f"left out {len(failed)} of {len(entries)} measured patterns: {failed[0]}", stacklevel=2)
    return MeasuredPatterns(np.stack(channels), np.array(labels, dtype=np.int64))


def mix(simulated: Patterns, measured: Patterns) -> Patterns:
    """A batch of the same size, in which measured patterns stand for some, taken evenly from all of it."""
    size = len(simulated.labels)
    kept = torch.linspace(0, size - 1, size - len(measured.labels)).round().long()
    return Patterns(*(torch.cat([a[kept], b]) for a, b in zip(simulated, measured, strict=True)))


@dataclass(frozen=True)
class _Entry:
    path: Path
    space_group: int | None
    wavelength: float | None
    radiation: Radiation | None


def _entries(table: Path) -> Iterator[_Entry]:
    # Spreadsheets begin a file with a mark of its encoding.
    with require_file(table).open(newline="", encoding="utf-8-sig") as file:
        rows = csv.DictReader(file, skipinitialspace=True)
        columns = rows.fieldnames or ()
        if "file" not in columns or "space_group" not in columns:
            raise ValueError(
                f"{table} has columns {', '.join(columns)}; expected {', '.join(COLUMNS)}, of which file and "
                "space_group have to be there"
            )
        for number, row in enumerate(rows, 2):
            try:
                group = int(float(row.get("space_group") or 0)) or None
                wavelength = float(row.get("wavelength_A") or 0) or None
                radiation = _radiation(row.get("radiation") or "")
            except ValueError as error:
                raise ValueError(f"{table}, line {number}: {error}; a number or nothing is expected") from error
            if group is not None and not 1 <= group <= 230:
                raise ValueError(f"{table}, line {number}: no space group has the number {group}; expected 1 to 230")
            yield _Entry(table.parent / row["file"], group, wavelength, radiation)


def _radiation(name: str) -> Radiation | None:
    """Which of the two; both under any name that begins so, as tables often add the anode or the source."""
    name = name.strip().lower()
    if not name:
        return None
    if name.startswith("neutron"):
        return "neutron"
    if name.startswith("x"):
        return "x-ray"
    raise ValueError(f"radiation {name!r} is not known: write neutron or x-ray")
