"""What a command says, where and how loudly: tables on standard output, news on standard error, JSON for machines."""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import Annotated, Any, TypeAlias, TypeVar

from tyro.conf import FlagCreatePairsOff, arg

from unscatter.progress import PATIENCE, is_quiet

Shown = TypeVar("Shown")
#: A dataclass whose fields are options of a command by their own names.
Flat: TypeAlias = Annotated[Shown, arg(name="")]


@dataclass(frozen=True)
class Screen:
    """How much a command says, and for whom."""

    options: Annotated[Path | None, arg(metavar="FILE.toml")] = None
    """read options from here; those typed win. `unscatter options RESULT` prints such a file."""
    verbose: Annotated[FlagCreatePairsOff[bool], arg(aliases=["-v"])] = False
    """also say what is done at each step, on standard error."""
    quiet: Annotated[FlagCreatePairsOff[bool], arg(aliases=["-q"])] = False
    """say nothing but what went wrong."""
    json: FlagCreatePairsOff[bool] = False
    """print one line of JSON for each result, for machines, in place of tables."""

    def __post_init__(self) -> None:
        """Let the log be heard as loudly as was asked."""
        level = logging.INFO if self.verbose else logging.ERROR if self.quiet else logging.WARNING
        logging.getLogger("unscatter").setLevel(level)

    def tell(self, text: str, record: dict[str, Any], written: tuple[Path, ...] = ()) -> None:
        """Print a result: its table and the files that were written, or all of it as a line of JSON."""
        if self.quiet:
            return
        if self.json:
            say(json.dumps({**record, "written": [str(path) for path in written]}, default=str))
            return
        say(text)
        for count, path in enumerate(written):
            say(f"  {'' if count else 'wrote':<10} {path}")

    def note(self, text: str) -> None:
        """Print a line that belongs to no single result."""
        if not self.quiet and not self.json:
            say(text)


class _Handler(logging.Handler):
    """The log on standard error, a line a message, without tearing a progress bar."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print a message."""
        say(f"unscatter: {record.getMessage()}", error=True)


def listen() -> None:
    """Send the log of the package to standard error."""
    logger = logging.getLogger("unscatter")
    if not any(isinstance(handler, _Handler) for handler in logger.handlers):
        logger.addHandler(_Handler())


def say(text: str, *, error: bool = False) -> None:
    """Print without tearing a progress bar."""
    from tqdm import tqdm

    tqdm.write(text, file=sys.stderr if error else sys.stdout)


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """Show on a terminal how long something has taken, from two seconds on, where it cannot tell how much is left."""
    if is_quiet() or not sys.stderr.isatty():
        yield
        return
    done = Event()
    clock = Thread(target=_tick, args=(what, done), daemon=True)
    clock.start()
    try:
        yield
    finally:
        done.set()
        clock.join()


def _tick(what: str, done: Event) -> None:
    from tqdm import tqdm

    started = time.monotonic()
    if done.wait(PATIENCE):
        return
    with tqdm(desc=what, leave=False, bar_format="{desc}{postfix}") as bar:
        while not done.wait(0.5):
            bar.set_postfix_str(f"{time.monotonic() - started:.0f} s")


@contextmanager
def reporting_progress(what: str, *, hidden: bool = False) -> Iterator[Callable[[float, str], None]]:
    """Give a function to tell the share that is done, 0 to 1, and the step; on a terminal it moves a bar."""
    from tqdm import tqdm

    with tqdm(total=1.0, desc=what, leave=False, disable=True if hidden else None, bar_format=_BAR) as bar:

        def report(share: float, step: str) -> None:
            bar.set_postfix_str(step, refresh=False)
            # Each step counts from 0 to 1.
            bar.n = min(share, 1.0)
            bar.refresh()

        yield report


_BAR = "{desc} {percentage:3.0f} %|{bar}| {elapsed}, {remaining} left{postfix}"


def indent(text: str) -> str:
    """Move every line two columns to the right."""
    return "\n".join("  " + line for line in text.splitlines())
