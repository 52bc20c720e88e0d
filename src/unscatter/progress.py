"""Progress bars for what takes long, where there is a terminal to show them and nobody asked for silence."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from typing import TypeVar

Thing = TypeVar("Thing")

#: Seconds after which a bar is worth showing.
PATIENCE = 2.0


def steps(things: Iterable[Thing], what: str, total: int | None = None) -> Iterator[Thing]:
    """Go through things with a bar that appears after PATIENCE seconds and goes when they are done.

    Shown on a terminal only, and not where the log of unscatter is set to errors alone (`-q`).
    """
    from tqdm import tqdm

    hidden = True if is_quiet() else None
    yield from tqdm(things, desc=what, total=total, delay=PATIENCE, leave=False, disable=hidden)


def is_quiet() -> bool:
    """Whether nothing but errors is to be said."""
    return logging.getLogger("unscatter").level >= logging.ERROR
