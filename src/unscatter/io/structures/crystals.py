"""Read crystal structures from any file or folder: find its format, and make one structure after the other."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Protocol, TypeAlias

from unscatter.io.files import describe
from unscatter.io.structures import crystal_cif, crystal_folder, crystal_list, crystal_table
from unscatter.io.structures.crystal_records import Record
from unscatter.nouns.crystal import Crystal

#: What is told about a structure that could not be read: its name and the reason.
Report: TypeAlias = Callable[[str, str], None]


class Format(Protocol):
    """What a module of this package offers for the crystals it reads."""

    NAME: str

    def recognises(self, path: Path) -> bool:
        """Whether the content of a file, or a folder, is of this format."""
        ...

    def read(self, path: Path) -> Iterator[Record]:
        """The structures in it, yet to be made; raises OSError if it cannot be opened."""
        ...


#: Tried from first to last.
FORMATS: tuple[Format, ...] = (crystal_folder, crystal_table, crystal_list, crystal_cif)


def warn_unreadable(name: str, reason: str) -> None:
    """Warn that a structure was skipped, and why."""
    warnings.warn(f"skipped {name}: {reason}", stacklevel=3)


def read_crystals(source: str | Path | Iterable[str | Path], report: Report = warn_unreadable) -> Iterator[Crystal]:
    """Structures from CIFs (a file, folder, zip or list of paths), a Parquet or CSV table, or several of these.

    The format is found by content. Every structure that cannot be read is handed to `report` with the reason, and
    skipped; so is a file of no known format. Raises FileNotFoundError if the source does not exist.
    """
    for path in [source] if isinstance(source, str | Path) else source:
        yield from _read(Path(path), report)


def _read(path: Path, report: Report) -> Iterator[Crystal]:
    if not path.exists():
        raise FileNotFoundError(f"no structures at {path}; give a CIF, a folder, a .zip, a .parquet or a .csv")
    form = next((form for form in FORMATS if form.recognises(path)), None)
    if form is None:
        names = "; ".join(form.NAME for form in FORMATS)
        report(str(path), f"{describe(path)}; expected structures: {names}")
        return
    for name, make, content in form.read(path):
        try:
            crystal = make(content)
        except (ValueError, KeyError, IndexError, RuntimeError, OSError) as error:
            report(name, f"{error}" or type(error).__name__)
        else:
            yield crystal
