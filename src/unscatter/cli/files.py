"""What commands on files share: one bad file does not stop the rest, and lines that leave the bar whole."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TextIO


def each_file(
    files: tuple[Path, ...], work: Callable[[Path], None], example: str = "unscatter factorize plane.h5"
) -> int:
    """Do the work for every file; one that fails is reported and does not stop the rest."""
    from tqdm import tqdm

    if not files:
        raise ValueError(f"no file given; type for example: {example}")
    failed = 0
    # disable=None: a bar on a terminal, none in a log.
    for path in tqdm(files, unit="file", leave=False, disable=True if len(files) == 1 else None):
        try:
            work(path)
        except (ValueError, OSError) as error:
            if len(files) == 1:
                raise
            failed += 1
            say(f"unscatter: {error}", file=sys.stderr)
    if failed:
        print(f"unscatter: {failed} of {len(files)} files failed", file=sys.stderr)
    return 2 if failed else 0


def say(text: str, file: TextIO | None = None) -> None:
    """Print without tearing the progress bar."""
    from tqdm import tqdm

    tqdm.write(text, file=file or sys.stdout)


def indent(text: str) -> str:
    """Move every line two columns to the right."""
    return "\n".join("  " + line for line in text.splitlines())
