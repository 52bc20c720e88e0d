"""The command that watches a folder."""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path

from tyro.conf import Positional

from unscatter.cli.screen import Flat, Screen, say
from unscatter.watch.rules import USUAL, read_rules
from unscatter.watch.watcher import Watching
from unscatter.watch.watcher import watch as watch_folder


def watch(
    folder: Positional[Path],
    /,
    out: Path | None = None,
    rules: Path | None = None,
    once: bool = False,
    interval: float = 5.0,
    patience: float = 2.0,
    recursive: bool = False,
    polling: bool = False,
    screen: Flat[Screen] = Screen(),
) -> int:
    """Watch a folder: planes and patterns are taken apart and classified as they are written, each once.

    What was done stands in a journal beside the results, so that a restart goes on where it stopped. A file that is at
    fault is set aside with the reason in OUT/set-aside.

    Args:
        folder: where the instrument writes.
        out: folder for the results and the journal; FOLDER/unscatter where it is left out.
        rules: TOML file that says which names get which job with which options: tables [[watch]] with pattern, job,
            options. Without it the ending of a name decides.
        once: work on what is there, and end.
        interval: seconds between two looks where nothing is reported to happen.
        patience: seconds that a file must not have changed to count as complete.
        recursive: also folders inside it.
        polling: look by the clock alone, for network drives that report nothing.
    """
    watching = Watching(
        folder, out or folder / "unscatter", USUAL if rules is None else read_rules(rules), patience, recursive
    )
    stop = threading.Event()
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, lambda number, frame: stop.set())

    def tell(path: Path, job: str, words: str) -> None:
        screen.tell(f"{path}: {words}", {"file": path, "job": job, "result": words})

    def status(line: str) -> None:
        if sys.stderr.isatty() and not screen.quiet:
            print(f"\r{line:<60}", end="", file=sys.stderr, flush=True)

    try:
        counts = watch_folder(watching, tell, once=once, interval=interval, polling=polling, status=status, stop=stop)
    except KeyboardInterrupt:
        counts = watching.journal.counts()
    if not screen.quiet and not screen.json:
        say(f"{counts.get('done', 0)} done, {counts.get('failed', 0)} set aside; results in {watching.out}")
        if others := watching.left_alone():
            endings = ", ".join(sorted({path.suffix or path.name for path in others}))
            say(f"{len(others)} left alone, of a kind ({endings}) that no rule is for: --rules says which job they get")
    return 0
