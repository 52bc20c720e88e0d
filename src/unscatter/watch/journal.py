"""What has been done with which file, in a small SQLite database: nothing is done twice or lost over restarts."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from unscatter.watch.complete import Stamp

State = Literal["running", "done", "failed"]

_LAYOUT = """
CREATE TABLE IF NOT EXISTS work (
    path TEXT NOT NULL, job TEXT NOT NULL, size INTEGER NOT NULL, changed INTEGER NOT NULL,
    state TEXT NOT NULL, reason TEXT NOT NULL, written TEXT NOT NULL, at REAL NOT NULL,
    PRIMARY KEY (path, job)
)
"""


@dataclass(frozen=True)
class Entry:
    """The last thing that was done with a file: state, why it failed, and what was written."""

    path: Path
    job: str
    stamp: Stamp
    state: State
    reason: str
    written: tuple[Path, ...]


class Journal:
    """The database. Each change is one transaction that is on disk before the next step is taken."""

    def __init__(self, path: Path) -> None:
        """Open the journal, or begin it; its folder is made."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        with closing(self._connect()) as base, base:
            base.execute(_LAYOUT)

    def needs_work(self, path: Path, job: str, stamp: Stamp) -> bool:
        """Whether this version of a file has not been dealt with: never seen, changed since, or killed at work."""
        found = self.entry(path, job)
        return found is None or found.stamp != stamp or found.state == "running"

    def entry(self, path: Path, job: str) -> Entry | None:
        """What is known of a file."""
        with closing(self._connect()) as base:
            row = base.execute("SELECT * FROM work WHERE path = ? AND job = ?", (str(path), job)).fetchone()
        return None if row is None else _entry(row)

    def entries(self) -> list[Entry]:
        """All that is known, in the order in which it happened."""
        with closing(self._connect()) as base:
            return [_entry(row) for row in base.execute("SELECT * FROM work ORDER BY at")]

    def counts(self) -> dict[str, int]:
        """How many files are in each state."""
        with closing(self._connect()) as base:
            return dict(base.execute("SELECT state, count(*) FROM work GROUP BY state").fetchall())

    def note(
        self, path: Path, job: str, stamp: Stamp, state: State, reason: str = "", written: Sequence[Path] = ()
    ) -> None:
        """Write down a state, in place of an earlier one of the same file and job."""
        names = json.dumps([str(one) for one in written])
        row = (str(path), job, stamp.size, stamp.changed, state, reason, names, time.time())
        with closing(self._connect()) as base, base:
            base.execute("INSERT OR REPLACE INTO work VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)

    def _connect(self) -> sqlite3.Connection:
        # A rollback journal, not WAL: that needs shared memory, which network file systems do not have.
        base = sqlite3.connect(self.path, timeout=30)
        base.execute("PRAGMA synchronous = FULL")
        return base


def _entry(row: tuple[str, str, int, int, State, str, str, float]) -> Entry:
    path, job, size, changed, state, reason, written, _ = row
    return Entry(Path(path), job, Stamp(size, changed), state, reason, tuple(map(Path, json.loads(written))))
