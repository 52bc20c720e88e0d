"""Watch a folder and work on every file that is complete, once."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from unscatter.watch.complete import Settling, Stamp
from unscatter.watch.journal import Journal
from unscatter.watch.rules import JOBS, USUAL, Rule, is_input, rule_for

logger = logging.getLogger(__name__)

#: Told of each file that was dealt with: its path, the job, and what came of it or why nothing did.
Tell = Callable[[Path, str, str], None]
#: With once: seconds that a file without an end (empty, held by a writer) is waited for, in times of the patience.
_AT_REST = 10
#: What a job may raise over a file that is at fault; anything else is a fault of ours and is told as such.
_FAULTS_OF_A_FILE = (ValueError, OSError, MemoryError)


@dataclass(frozen=True)
class Watching:
    """What is watched, where results go, and how long a file must rest before it counts as complete (s)."""

    folder: Path
    out: Path
    rules: tuple[Rule, ...] = USUAL
    patience: float = 2.0
    recursive: bool = False

    @property
    def journal(self) -> Journal:
        """The record beside the results of what has been done."""
        return Journal(self.out / ".unscatter-watch.sqlite")

    def files(self) -> list[Path]:
        """What may be an input: no results, nothing hidden."""
        found = self.folder.rglob("*") if self.recursive else self.folder.iterdir()
        return sorted(one for one in found if is_input(one) and not one.is_relative_to(self.out) and one.is_file())

    def left_alone(self) -> list[Path]:
        """Files that no rule is for."""
        return [path for path in self.files() if rule_for(path, self.rules) is None]


class Watcher:
    """Looks through the folder again and again; what is new and complete is worked on."""

    def __init__(self, watching: Watching, tell: Tell) -> None:
        """Begin where the journal left off."""
        self.watching, self.tell = watching, tell
        self.journal = watching.journal
        self.settling = Settling(watching.patience)

    def look(self) -> list[tuple[Path, Rule]]:
        """Work on every file that is complete and has not been dealt with; the others, which are waited for."""
        waiting = []
        for path, rule in list(self._files()):
            try:
                if not self.journal.needs_work(self._key(path), rule.job, Stamp.of(path)):
                    continue
            except OSError:
                continue
            if self.settling.is_complete(path):
                self._work(path, rule)
            else:
                waiting.append((path, rule))
        return waiting

    def give_up(self, waiting: list[tuple[Path, Rule]]) -> None:
        """Set those aside that have rested long and will not become complete by themselves."""
        for path, rule in waiting:
            reason = self.settling.hopeless(path, _AT_REST * self.watching.patience)
            if reason:
                self._refuse(path, rule, Stamp.of(path), reason)

    def status(self, waiting: int) -> str:
        """One line: how many files are done, set aside, and waited for."""
        counts = self.journal.counts()
        return f"{counts.get('done', 0)} done, {counts.get('failed', 0)} set aside, {waiting} waiting"

    def _files(self) -> Iterator[tuple[Path, Rule]]:
        for path in self.watching.files():
            rule = rule_for(path, self.watching.rules)
            if rule is not None:
                yield path, rule

    def _work(self, path: Path, rule: Rule) -> None:
        """One file: written down as running, worked on, and written down with what came of it.

        Results are written whole or not at all, so that a kill at any step leaves the file to be worked on again.
        """
        key, stamp = self._key(path), Stamp.of(path)
        self.journal.note(key, rule.job, stamp, "running")
        try:
            written, summary = JOBS[rule.job][1](path, rule.options, self._stem(path))
        except _FAULTS_OF_A_FILE as error:
            reason = " ".join(str(error).split()) or type(error).__name__
        except Exception as error:  # a fault of ours on one file must not end the watch
            logger.exception("%s: this is a fault of unscatter", path)
            reason = f"a fault of unscatter, please report it: {type(error).__name__}: {error}"
        else:
            self.journal.note(key, rule.job, stamp, "done", summary, written)
            self._aside(path).unlink(missing_ok=True)
            self.tell(path, rule.job, summary)
            return
        self._refuse(path, rule, stamp, _for_a_folder(path, reason))

    def _refuse(self, path: Path, rule: Rule, stamp: Stamp, reason: str) -> None:
        # Where a person looks for it; the file itself stays where its owner put it.
        note = self._aside(path)
        note.parent.mkdir(parents=True, exist_ok=True)
        note.write_text(f"{path}\n{reason}\n", encoding="utf-8")
        self.journal.note(self._key(path), rule.job, stamp, "failed", reason)
        self.tell(path, rule.job, f"set aside: {reason}")

    def _key(self, path: Path) -> Path:
        return path.relative_to(self.watching.folder)

    def _stem(self, path: Path) -> Path:
        """Where results go: as the file lies in the folder, with its ending if another file has the same stem."""
        key = self._key(path)
        rivals = [one for one in path.parent.glob(f"{path.stem}.*") if rule_for(one, self.watching.rules)]
        stem = self.watching.out / (key.with_suffix("") if len(rivals) < 2 else key)
        stem.parent.mkdir(parents=True, exist_ok=True)
        return stem

    def _aside(self, path: Path) -> Path:
        return self.watching.out / "set-aside" / f"{'.'.join(self._key(path).parts)}.txt"


def watch(
    watching: Watching,
    tell: Tell,
    *,
    once: bool = False,
    interval: float = 5.0,
    polling: bool = False,
    status: Callable[[str], None] | None = None,
    stop: threading.Event | None = None,
) -> dict[str, int]:
    """Watch a folder until `stop` is set; with once, until nothing in it is waiting. Returns how many files are what.

    interval: seconds between two looks where nothing is reported to happen; polling: do not rely on reports of the
    file system, as on network drives. Raises FileNotFoundError where the folder is not there.
    """
    if not watching.folder.is_dir():
        raise FileNotFoundError(f"{watching.folder}: no such folder to watch; make it first")
    watcher, stop = Watcher(watching, tell), stop or threading.Event()
    with _wakened(watching, polling) as wake:
        while not stop.is_set():
            waiting = watcher.look()
            if status is not None:
                status(watcher.status(len(waiting)))
            if once and not waiting:
                break
            if once:
                watcher.give_up(waiting)
            # A file that rests has to be looked at again although nothing happens to it.
            wake.wait(min(interval, max(watching.patience, 0.05)) if waiting else interval)
            wake.clear()
    return watcher.journal.counts()


def _for_a_folder(path: Path, reason: str) -> str:
    """A reason without the name of the file, which stands before it, and with where its options are typed."""
    for name in (str(path), path.name):
        reason = reason.removeprefix(f"{name}: ").removeprefix(f"{name} ")
    asks_for_an_option = re.search("--[a-z]", reason)
    return f"{reason}. Options for a watched folder stand in a file, --rules" if asks_for_an_option else reason


@contextmanager
def _wakened(watching: Watching, polling: bool) -> Iterator[threading.Event]:
    """An event that is set when something happens in the folder; never, where it has to be polled."""
    wake = threading.Event()
    if polling:
        yield wake
        return
    from watchdog.events import FileSystemEvent, FileSystemEventHandler
    from watchdog.observers import Observer

    class Handler(FileSystemEventHandler):
        def on_any_event(self, event: FileSystemEvent) -> None:
            wake.set()

    observer = Observer()
    observer.schedule(Handler(), str(watching.folder), recursive=watching.recursive)
    observer.start()
    try:
        yield wake
    finally:
        observer.stop()
        observer.join()
