"""What a file holds, as bytes, text and lines: decoded once, then offered to one format after another."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from functools import cached_property

_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}

#: Control characters, without those that part lines and columns.
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1a"))


@dataclass(frozen=True)
class Content:
    """The bytes of a file, and the text in them if they are text."""

    data: bytes

    @cached_property
    def text(self) -> str:
        """The file as text with Unix line ends, or "" if it is binary."""
        for mark, encoding in _MARKS.items():
            if self.data.startswith(mark):
                return _unix(self.data.decode(encoding, errors="replace"))
        if _is_binary(self.data):
            return ""
        try:
            return _unix(self.data.decode("utf-8"))
        except UnicodeDecodeError:  # titles in the code page of an old instrument
            return _unix(self.data.decode("latin-1"))

    @cached_property
    def lines(self) -> list[str]:
        """The lines of the text, without their ends."""
        return self.text.split("\n")

    def head(self, count: int) -> list[str]:
        """The first lines: `count` of them, empty ones added where the file is shorter."""
        return (self.lines[:count] + [""] * count)[:count]


def _is_binary(data: bytes) -> bool:
    # old programs leave a few stray bytes in a title: only many of them make a file binary
    return 20 * len(data.translate(None, _CONTROLS)) < 19 * len(data)


def _unix(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")
