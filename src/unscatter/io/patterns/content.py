"""What a file holds, as bytes, text and lines: read and decoded once, then offered to one format after another."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from unscatter.io.files import first_bytes

#: A larger file is no powder pattern (bytes).
LARGEST_FILE = 256 * 2**20

_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}

#: Control characters, without those that part lines and columns.
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1a"))
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


def decode(data: bytes) -> str:
    """Bytes as text with Unix line ends: UTF-8, UTF-16 with or without its mark, or an old code page; "" if binary."""
    for mark, encoding in _MARKS.items():
        if data.startswith(mark):
            return _unix(data.decode(encoding, errors="replace"))
    if wide := _unmarked_utf16(data):
        return _unix(data.decode(wide, errors="replace"))
    if _is_binary(data):
        return ""
    try:
        return _unix(data.decode("utf-8"))
    except UnicodeDecodeError:  # titles in the code page of an old instrument
        return _unix(data.decode("latin-1"))


def _unmarked_utf16(data: bytes) -> str:
    """Which UTF-16 it is, where every other byte of the beginning is zero, as in a table of numbers; else ""."""
    even, odd = data[0:4096:2], data[1:4096:2]
    for zeros, others, encoding in ((odd, even, "utf-16-le"), (even, odd, "utf-16-be")):
        if len(odd) >= 8 and zeros.count(0) > 0.9 * len(zeros) and not _is_binary(others):
            return encoding
    return ""


def _is_binary(data: bytes) -> bool:
    # old programs leave a few stray bytes in a title: only many of them make a file binary
    return 20 * len(data.translate(None, _CONTROLS)) < 19 * len(data)


def _unix(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
