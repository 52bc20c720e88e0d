"""Which files a job on patterns is for, and what is known of each: folders, tables, and names for their results."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

from unscatter.io.files import require_file
from unscatter.io.patterns.header import wavelength_of_tube
from unscatter.io.text.decode import decode
from unscatter.jobs.options import make_options, table_of
from unscatter.jobs.pattern_reading import PatternReading
from unscatter.quantities import find_unit, require_wavelength, wavelength_in_angstrom

Options = TypeVar("Options", bound=PatternReading)

#: What a table may say of a file beside its name.
COLUMNS = ("wavelength", "radiation", "axis", "block")
#: In a folder these are no measured patterns, and are passed over.
_NO_PATTERNS = {".png", ".jpg", ".jpeg", ".gif", ".svg", ".pdf", ".md", ".json", ".toml", ".html", ".py", ".log",
                ".doc", ".docx", ".ins", ".inp", ".pcr", ".par", ".poni", ".onnx"}  # fmt: skip
_ENERGIES = ("energy", "photon energy", "incident energy", "e", "ei")
#: Other names of columns.
_NAMES = {
    "file": ("filename", "file name", "file_name", "path", "pattern", "scan"),
    "wavelength": ("lambda", "λ", "wl", "wave length", *_ENERGIES),
    "radiation": ("probe", "beam"),
    "axis": ("x axis",),
    "block": (),
    "anode": ("target", "tube"),
}
_RADIATIONS = {"n": "neutron", "neutrons": "neutron", "x": "x-ray", "xray": "x-ray", "xrays": "x-ray",
               "x-rays": "x-ray", "synchrotron": "x-ray", "tube": "x-ray"}  # fmt: skip
_AXES = {"2theta": "two-theta", "2-theta": "two-theta", "twotheta": "two-theta", "tth": "two-theta", "2th": "two-theta",
         "qnm": "q-nm", "q-a": "q", "d-spacing": "d"}  # fmt: skip
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
    its column ("wavelength (nm)", "12.4 keV"); a column of energies or anodes stands for it. Other columns are passed
    over. Raises ValueError with the line for what cannot be, and for a column whose name is nearly a known one.
    """
    path = require_file(path)
    lines = [line for line in decode(path.read_bytes()).split("\n") if not line.startswith("#")]
    mark = max(",;\t", key=lines[0].count)
    rows = csv.DictReader(lines, delimiter=mark, skipinitialspace=True)
    names = {_meaning(name, path): name for name in rows.fieldnames or []}
    if "file" not in names:
        raise ValueError(
            f"{path} has the columns {', '.join(rows.fieldnames or []) or 'none'}; expected file and any of "
            f"{', '.join(COLUMNS)}, for example a first line file,wavelength,radiation"
        )
    known: dict[Path, dict[str, Any]] = {}
    for row in rows:
        # Windows parts folders by backslashes
        name = (row.get(names["file"]) or "").strip().replace("\\", "/")
        if not name:
            continue
        try:
            given = _row({key: row.get(names[key]) or "" for key in names}, names)
            if known.get(path.parent / name, given) != given:
                raise ValueError(f"{name} stands in the table twice, with different entries; expected one row for it")
            known[path.parent / name] = given
        except ValueError as error:
            raise ValueError(f"{path}, line {rows.line_num}: {error}") from None
    return known


def _row(row: Mapping[str, str], names: Mapping[str, str]) -> dict[str, Any]:
    """The options that a row gives; an empty cell gives none."""
    given: dict[str, Any] = {key: row[key].strip() for key in COLUMNS if row.get(key, "").strip()}
    if "radiation" in given:
        said = given["radiation"].lower().replace(" ", "-")
        given["radiation"] = _RADIATIONS.get(said, said)
    if "axis" in given:
        said = re.sub(r"[\s_]", "-", given["axis"].lower())
        given["axis"] = _AXES.get(said, said)
    if "wavelength" not in given and (anode := row.get("anode", "").strip().capitalize()):
        found_line, _ = wavelength_of_tube(None, anode)
        if found_line is None:
            raise ValueError(f"anode {anode!r} is not known; expected for example Cu, or a column wavelength")
        given["wavelength"] = found_line
    elif "wavelength" in given:
        found = re.fullmatch(r"([-+\d.eE]+)\s*(\S*)", re.sub(r"(?<=\d),(?=\d)", ".", given["wavelength"]))
        inside = re.search(r"[\[(](.+?)[\])]|_(\w+)$", names["wavelength"])
        unit = found.group(2) if found else ""
        unit = unit or ((inside.group(1) or inside.group(2)) if inside else "")
        if found is None or (unit and find_unit(unit) is None):
            raise ValueError(f"wavelength {given['wavelength']!r}; expected a number in Angstrom, for example 1.5406")
        if _plain(names["wavelength"]) in _ENERGIES and not unit:
            raise ValueError(f"energy {given['wavelength']!r} has no unit; expected one, for example energy (keV)")
        given["wavelength"] = require_wavelength(
            wavelength_in_angstrom(float(found.group(1)), unit, given.get("radiation"))
        )
    return given


def _plain(name: str) -> str:
    """The name of a column without case and unit."""
    return re.sub(r"\s*[\[(].*|_(?:a|nm|pm|m|kev|ev|mev|angstrom)$", "", name.strip(), flags=re.IGNORECASE).lower()


def _meaning(name: str, path: Path) -> str:
    """What a column holds, "file" or one of COLUMNS or "anode"; its plain name where it is none of them.

    Raises ValueError for a name that is nearly one of them.
    """
    plain = _plain(name)
    for meaning, names in _NAMES.items():
        if plain in (meaning, *names):
            return meaning
    if near := get_close_matches(plain, ("file", *COLUMNS), n=1, cutoff=0.75):
        raise ValueError(
            f"{path} has a column {name!r}, which is none that is known: if {near[0]} is meant, call it so"
        )
    return plain


def options_for(options: Options, path: Path, known: Mapping[Path, Mapping[str, Any]], job: str) -> Options:
    """The options with what a table says of this file, found by its path or else by its name alone."""
    row = _row_of(path, known)
    # made anew, so that what the table says is checked
    return make_options(type(options), table_of(replace(options)) | dict(row), f"{job}: {path}") if row else options


def outside_of_table(paths: Sequence[Path], known: Mapping[Path, Mapping[str, Any]]) -> str:
    """What has to be told of files that a table says nothing of; "" if it has a row for each, or there is no table."""
    without = [path.name for path in paths if _row_of(path, known) is None] if known else []
    if not without:
        return ""
    names = ", ".join(without[:5]) + (", ..." if len(without) > 5 else "")
    return f"the table has no row for {len(without)} of {len(paths)} files ({names}): they are read without one"


def _row_of(path: Path, known: Mapping[Path, Mapping[str, Any]]) -> Mapping[str, Any] | None:
    if path in known:
        return known[path]
    by_name = [given for other, given in known.items() if other.resolve() == path.resolve()]
    by_name = by_name or [given for other, given in known.items() if other.name == path.name]
    return by_name[0] if len(by_name) == 1 else None


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
