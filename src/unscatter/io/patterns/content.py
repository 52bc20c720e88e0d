"""What a file holds, as bytes, text and lines: read and decoded once, then offered to one format after another."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from unscatter.io.files import first_bytes
from unscatter.io.text.decode import decode

#: A larger file is no powder pattern (bytes).
LARGEST_FILE = 256 * 2**20

#: Characters that are looked at where the first lines of a text are asked for.
_HEAD = 2**16


@dataclass(frozen=True)
class Content:
    """A file, and the text in it if it is text. block: which part of a file of several is wanted, "" for any."""

    path: Path
    block: str = ""

    @cached_property
    def start(self) -> bytes:
        """The first bytes."""
        return first_bytes(self.path, 4096)

    @cached_property
    def data(self) -> bytes:
        """All bytes; raises ValueError for more than a pattern can have."""
        size = self.path.stat().st_size
        if size > LARGEST_FILE:
            raise ValueError(f"{size >> 20} MB are too much for a powder pattern; give one scan, not a series or image")
        return self.path.read_bytes()

    @cached_property
    def text(self) -> str:
        """The file as text with Unix line ends, or "" if it is binary."""
        return "" if self.start.startswith(b"\x89HDF") else decode(self.data)

    @cached_property
    def lines(self) -> list[str]:
        """The lines of the text, without their ends."""
        return self.text.split("\n")

    def head(self, count: int) -> list[str]:
        """The first lines: `count` of them, empty ones added where the file is shorter."""
        return (self._top[:count] + [""] * count)[:count]

    @cached_property
    def _top(self) -> list[str]:
        return self.text[:_HEAD].split("\n")
