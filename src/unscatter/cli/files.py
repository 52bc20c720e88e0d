"""What commands on many files share: one bad file does not stop the rest."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from unscatter.cli.screen import say
from unscatter.progress import is_quiet


def each_file(
    files: tuple[Path, ...], work: Callable[[Path], None], example: str = "unscatter factorize plane.h5"
) -> int:
    """Do the work for every file; one that fails is reported and does not stop the rest."""
    from tqdm import tqdm

    if not files:
        raise ValueError(f"no file given; type for example: {example}")
    failed = 0
    # disable=None: a bar on a terminal, none in a log.
    for path in tqdm(files, unit="file", leave=False, disable=True if len(files) == 1 or is_quiet() else None):
        try:
            work(path)
        except BrokenPipeError:
            raise
        except (ValueError, OSError, MemoryError) as error:
            if len(files) == 1:
                raise
            failed += 1
            say(f"unscatter: {words_of(error, path)}", error=True)
    if failed:
        say(f"unscatter: {failed} of {len(files)} files failed", error=True)
    return 2 if failed else 0


def words_of(error: BaseException, path: Path | None = None) -> str:
    """What an error says, in one line."""
    if isinstance(error, MemoryError):
        return f"{path or 'the file'}: there is not enough memory for it; close other programs, or give a part of it"
    return " ".join(str(error).split())
