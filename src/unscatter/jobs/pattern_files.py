"""Which files a job on patterns is for, and what is known of each: folders, tables, and names for their results."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from unscatter.io.files import require_file
from unscatter.jobs.options import make_options, table_of
from unscatter.jobs.pattern_reading import PatternReading
from unscatter.quantities import find_unit, wavelength_in_angstrom

Options = TypeVar("Options", bound=PatternReading)

#: What a table may say of a file beside its name.
COLUMNS = ("wavelength", "radiation", "axis", "block")
#: In a folder these are no measured patterns, and are passed over.
_NO_PATTERNS = {".png", ".jpg", ".jpeg", ".gif", ".svg", ".pdf", ".md", ".json", ".toml", ".html", ".py", ".log",
                ".doc", ".docx", ".ins", ".inp", ".pcr", ".par", ".poni", ".onnx"}  # fmt: skip
_OF_US = re.compile(r".*\.(?:classified|indexed|fit|start)\.[\w.]+|classified(?:-\d+)?\.csv|\..*|.*~")


def find_patterns(places: Sequence[Path], table: Path | None = None) -> list[Path]:
    """Files, those in folders by name, and, where nothing else is given, those of a table; each once.

    Passed over in a folder are hidden files, pictures, documents and results of unscatter, and the table itself. Raises
    ValueError for a folder without a file that may be a pattern.
    """
    if not places and table is not None:
        places = list(read_table(table))
    found: dict[Path, None] = {}
    for place in places:
        inside = _in_folder(place, table) if place.is_dir() else [place]
        found.update(dict.fromkeys(inside))
    return list(found)


def _in_folder(folder: Path, table: Path | None) -> list[Path]:
    own = table.resolve() if table is not None else None
    files = [
        path
        for path in sorted(folder.iterdir())
        if path.is_file()
        and path.suffix.lower() not in _NO_PATTERNS
        and not _OF_US.fullmatch(path.name)
        and path.resolve() != own
    ]
    if not files:
        raise ValueError(f"{folder} has no file that may be a pattern; give the folder of the patterns, or files")
    return files


def read_table(path: str | Path) -> dict[Path, dict[str, Any]]:
    """Read what is known of each file from a CSV with the columns file and any of COLUMNS, parted by , ; or tabs.

    Names count from the folder of the table. A wavelength is in Angstrom, or in the unit beside it or in the name of
    its column ("wavelength (nm)", "12.4 keV"). Raises ValueError with the line for what cannot be.
    """
    path = require_file(path)
    text = path.read_text(encoding="utf-8-sig", errors="replace")
    head = text.split("\n", 1)[0]
    mark = max(",;\t", key=head.count)
    rows = csv.DictReader(text.splitlines(), delimiter=mark, skipinitialspace=True)
    names = {_plain(name): name for name in rows.fieldnames or []}
    if "file" not in names:
        raise ValueError(
            f"{path} has the columns {', '.join(rows.fieldnames or []) or 'none'}; expected file and any of "
            f"{', '.join(COLUMNS)}, for example a first line file,wavelength,radiation"
        )
    known: dict[Path, dict[str, Any]] = {}
    for row in rows:
        name = (row.get(names["file"]) or "").strip()
        if name:
            try:
                known[path.parent / name] = _row({key: row.get(names[key]) or "" for key in names}, names)
            except ValueError as error:
                raise ValueError(f"{path}, line {rows.line_num}: {error}") from None
    return known


def _row(row: Mapping[str, str], names: Mapping[str, str]) -> dict[str, Any]:
    """The options that a row gives; an empty cell gives none."""
    given: dict[str, Any] = {key: row[key].strip() for key in COLUMNS if row.get(key, "").strip()}
    if "wavelength" in given:
        found = re.fullmatch(r"([-+\d.eE]+)\s*(\S*)", given["wavelength"])
        inside = re.search(r"[\[(](.+?)[\])]|_(\w+)$", names["wavelength"])
        unit = found.group(2) if found else ""
        unit = unit or ((inside.group(1) or inside.group(2)) if inside else "")
        if found is None or (unit and find_unit(unit) is None):
            raise ValueError(f"wavelength {given['wavelength']!r}; expected a number in Angstrom, for example 1.5406")
        given["wavelength"] = wavelength_in_angstrom(float(found.group(1)), unit, given.get("radiation"))
    if "radiation" in given:
        given["radiation"] = {"n": "neutron", "neutrons": "neutron", "x": "x-ray", "xray": "x-ray"}.get(
            given["radiation"].lower(), given["radiation"].lower()
        )
    return given


def _plain(name: str) -> str:
    """The name of a column without case and unit."""
    return re.sub(r"\s*[\[(].*|_(?:a|nm|pm|m|kev|ev|mev|angstrom)$", "", name.strip(), flags=re.IGNORECASE).lower()


def options_for(options: Options, path: Path, known: Mapping[Path, Mapping[str, Any]], job: str) -> Options:
    """The options with what a table says of this file, found by its path or else by its name alone."""
    row = known.get(path)
    if row is None:
        by_name = [given for other, given in known.items() if other.resolve() == path.resolve()]
        by_name = by_name or [given for other, given in known.items() if other.name == path.name]
        row = by_name[0] if len(by_name) == 1 else {}
    # made anew, so that what the table says is checked
    return make_options(type(options), table_of(replace(options)) | dict(row), f"{job}: {path}") if row else options


def stems_of(paths: Sequence[Path]) -> dict[Path, str]:
    """What the results of each file are called: its name without suffix, or with it where two would be the same.

    Raises ValueError for files of one name from two folders.
    """
    stems = [path.stem for path in paths]
    names = {path: path.name if stems.count(path.stem) > 1 else path.stem for path in paths}
    for path in paths:
        twin = next((other for other in paths if other != path and names[other] == names[path]), None)
        if twin is not None:
            raise ValueError(
                f"{path} and {twin} would both be written as {names[path]}.classified.json; "
                "classify them one by one, each with its own --out"
            )
    return names
