"""Whether a file has been written whole: it has stopped growing, and no HDF5 writer holds it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

_SIGNATURE = b"\x89HDF\r\n\x1a\n"
#: Flags in a superblock of version 3: opened for writing, opened for single-writer multiple-reader access.
_OPEN_FOR_WRITING = 0b101


@dataclass(frozen=True)
class Stamp:
    """Size in bytes and time of change in nanoseconds: what tells one version of a file from another."""

    size: int
    changed: int

    @classmethod
    def of(cls, path: Path) -> Stamp:
        """The stamp of a file as it is now; raises OSError where there is none any more."""
        found = path.stat()
        return cls(found.st_size, found.st_mtime_ns)


@dataclass
class Settling:
    """Files seen before, and since when each has looked as it does.

    patience: seconds that a file must stay as it is. On network file systems times and sizes arrive late, so both are
    compared with what was seen here, by a clock of this machine.
    """

    patience: float
    seen: dict[Path, tuple[Stamp, float]] = field(default_factory=dict)

    def is_complete(self, path: Path) -> bool:
        """Whether the file has not changed for `patience` seconds, is not empty, and nobody writes to it."""
        try:
            return self._rest(path) >= self.patience and not _unfinished(path)
        except OSError:
            self.seen.pop(path, None)
            return False

    def hopeless(self, path: Path, patience: float) -> str:
        """Why a file that has rested for `patience` seconds is not complete, in words; empty where it may become so."""
        try:
            return _unfinished(path) if self._rest(path) >= patience else ""
        except OSError:
            return ""

    def _rest(self, path: Path) -> float:
        """Seconds since the file was first seen as it is now."""
        stamp, now = Stamp.of(path), time.monotonic()
        before, since = self.seen.get(path, (None, now))
        if stamp != before:
            self.seen[path] = (stamp, now)
            return 0.0
        return now - since


def _unfinished(path: Path) -> str:
    if not path.stat().st_size:
        return "the file is empty; it is tried again when something is written to it"
    if is_being_written(path):
        return (
            "an HDF5 writer has it open, or ended without closing it: close it, or clear the mark with "
            f"h5clear -s {path.name}; it is tried again then"
        )
    return ""


def is_being_written(path: Path) -> bool:
    """Whether an HDF5 file says that a writer has it open (SWMR or not).

    A writer of the latest file format marks the superblock while it is at work. Source: HDF5 File Format
    Specification, version 3.0, II.A.
    """
    with path.open("rb") as file:
        head = file.read(12)
    return len(head) == 12 and head[:8] == _SIGNATURE and head[8] >= 3 and bool(head[11] & _OPEN_FOR_WRITING)
