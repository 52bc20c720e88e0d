"""Rankings of space groups as JSON, all of it, and as CSV, the 230 space groups or one line a pattern."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from unscatter.io.files import held, replacing, require_file
from unscatter.nouns.pattern import Pattern
from unscatter.nouns.ranking import Ranking

#: The layout of the JSON file; the first had no measured points.
FORMAT, FORMAT_VERSION = "unscatter ranking", 2
_COLUMNS = ("two_theta", "intensity", "sigma")


def write_json(path: str | Path, ranking: Ranking) -> None:
    """Write a ranking with its pattern as JSON, whole or not at all, each column of the pattern in one line.

    Raises FileNotFoundError if the folder does not exist.
    """
    columns = {name: getattr(ranking.pattern, name) for name in _COLUMNS}
    lines = [f'"{name}": {json.dumps(column.tolist())}' for name, column in columns.items() if column is not None]
    table = {"format": FORMAT, "format_version": FORMAT_VERSION, **ranking.to_dict()}
    text = json.dumps(table, indent=1).removesuffix("\n}") + ',\n "data": {\n  ' + ",\n  ".join(lines) + "\n }\n}"
    with replacing(path) as part:
        part.write_text(text + "\n", encoding="utf-8")


def read_ranking(path: str | Path) -> Ranking:
    """Read what write_json wrote, exactly.

    Raises ValueError for another file or one of an earlier unscatter, which holds no pattern, FileNotFoundError for
    none.
    """
    path = require_file(path)
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        table = None
    if not isinstance(table, dict) or table.get("format") != FORMAT:
        raise ValueError(f"{path} is no {FORMAT}; expected the JSON that unscatter classify wrote")
    if table["format_version"] != FORMAT_VERSION:
        advice = "classify the pattern again" if table["format_version"] < FORMAT_VERSION else "upgrade unscatter"
        raise ValueError(f"{path} has layout {table['format_version']}, expected {FORMAT_VERSION}: {advice}")
    about = table["pattern"]
    pattern = Pattern(
        **{name: np.array(column) for name, column in table["data"].items()},
        wavelength=about["wavelength_A"],
        second_wavelength=about["second_wavelength_A"],
        radiation=about["radiation"],
        title=about["title"],
        source=about["source"],
        simulated=about["simulated"],
        assumptions=tuple(about["assumptions"]),
    )
    return Ranking.from_dict(table, pattern)


def write_csv(path: str | Path, ranking: Ranking) -> None:
    """Write the 230 space groups, the likeliest first, each with its classes and their probabilities."""
    coarser = [level for level in ranking.levels if level != "space group"]
    of_group = {level: _class_of_group(ranking, level) for level in coarser}
    rows: list[list[Any]] = [["pattern", "rank", "number", "space group", "probability"]]
    for level in coarser:
        rows[0] += [level, f"p({level})"]
    for rank, one in enumerate(ranking.top(230), 1):
        number = one.groups[0]
        row: list[Any] = [ranking.label, rank, number, one.name, f"{one.probability:.6g}"]
        for level in coarser:
            row += of_group[level][number]
        rows.append(row)
    _write_rows(path, rows)


def add_to_summary(path: str | Path, rankings: Iterable[Ranking]) -> None:
    """Write one line for each pattern: the likeliest class of each level, five space groups, the estimated cell.

    Lines of other files that are there already stay; a file with other columns, of another program or version, is kept
    as it is, and the lines go to NAME-2.csv. Of two processes that add lines at once the second waits.
    """
    header, rows = _summary(rankings)
    new = {str(row[0]) for row in rows}
    with held(path):
        target, number = Path(path), 1
        while (kept := _kept_rows(target, header)) is None:
            number += 1
            target = Path(path).with_name(f"{Path(path).stem}-{number}{Path(path).suffix}")
        _write_rows(target, [header, *(row for row in kept if row[0] not in new), *rows])


def _kept_rows(path: Path, header: list[str]) -> list[list[str]] | None:
    """Rows of a summary that is there; none if there is no file, None if it is of another kind."""
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8", errors="replace") as file:
        found = list(csv.reader(file))
    return found[1:] if found and found[0] == header and all(len(row) == len(header) for row in found) else None


def _summary(rankings: Iterable[Ranking]) -> tuple[list[str], list[list[Any]]]:
    rows: list[list[Any]] = []
    header = ["file", "simulated", "radiation", "wavelength_A"]
    for ranking in rankings:
        pattern = ranking.pattern
        row: list[Any] = [pattern.source, pattern.simulated, pattern.radiation or "", pattern.wavelength]
        header = header[:4]
        for level in (level for level in ranking.levels if level != "space group"):
            best = ranking.top(1, level)[0]
            row += [best.name, f"{best.probability:.6g}"]
            header += [level, f"p({level})"]
        for rank, one in enumerate(ranking.top(5), 1):
            row += [one.name, f"{one.probability:.6g}"]
            header += [f"space group {rank}", f"p({rank})"]
        row += [f"{number:.5g}" for number in (ranking.volume, *ranking.edges)]
        header += ["volume_A3", "a_A", "b_A", "c_A"]
        rows.append(row)
    return header, rows


def _class_of_group(ranking: Ranking, level: str) -> dict[int, list[str]]:
    """Name and probability of the class that each space group belongs to."""
    found = {}
    for one in ranking.top(230, level):
        found.update({number: [one.name, f"{one.probability:.6g}"] for number in one.groups})
    return found


def _write_rows(path: str | Path, rows: list[list[Any]]) -> None:
    with replacing(path) as part, part.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
