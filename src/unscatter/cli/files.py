"""What commands on many files share: one bad file does not stop the rest, and many processes or machines may help."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from unscatter.cli.screen import Screen, say
from unscatter.progress import is_quiet
from unscatter.workers import Workers, spread

#: What may be wrong with a file; anything else is a fault of ours.
FAULTS = (ValueError, OSError, MemoryError)


@dataclass(frozen=True)
class Told:
    """What came of one file: its table, the same as a record for machines, what was written, and what else is kept."""

    text: str
    record: dict[str, Any]
    written: tuple[Path, ...] = ()
    kept: Any = None


def each_file(
    files: Sequence[Path],
    work: Callable[[Path], list[Told]],
    screen: Screen,
    workers: Workers = Workers(),
    example: str = "unscatter factorize plane.h5",
) -> tuple[int, list[Told]]:
    """Do the work for every file and tell what came of it; one that fails is reported and does not stop the rest.

    work: with more than one process or a scheduler it is sent there, so it must be a function of a module, or a
    functools.partial of one. Returns the exit code and all that was told.
    """
    from tqdm import tqdm

    if not files:
        raise ValueError(f"no file given; type for example: {example}")
    failed, told = 0, []
    # disable=None: a bar on a terminal, none in a log.
    hidden = True if len(files) == 1 or is_quiet() else None
    places = [path.absolute() for path in files] if workers.scheduler else files
    with spread(partial(attempt, work), places, workers, ordered=False) as answers:
        for path, answer in tqdm(answers, total=len(files), unit="file", leave=False, disable=hidden):
            if isinstance(answer, BaseException):
                if len(files) == 1:
                    raise answer
                failed += 1
                say(f"unscatter: {words_of(answer, path)}", error=True)
                continue
            for one in answer:
                screen.tell(one.text, one.record, one.written)
            told += answer
    if failed:
        say(f"unscatter: {failed} of {len(files)} files failed", error=True)
    return (2 if failed else 0), told


Answer = list[Told] | BaseException


def attempt(work: Callable[[Path], list[Told]], path: Path) -> tuple[Path, Answer]:
    """What came of one file, or what was wrong with it."""
    try:
        return path, work(path)
    except BrokenPipeError:
        raise
    except FAULTS as error:
        return path, error


def words_of(error: BaseException, path: Path | None = None) -> str:
    """What an error says, in one line."""
    if isinstance(error, MemoryError):
        return f"{path or 'the file'}: there is not enough memory for it; close other programs, or give a part of it"
    return " ".join(str(error).split())
