"""A zip of texts, unpacked no further than a pattern can be, whatever it claims."""

from __future__ import annotations

import zipfile
import zlib
from io import BytesIO
from types import TracebackType
from typing import Self

from unscatter.io.patterns.content import Content
from unscatter.io.text.decode import decode

#: All members that are read together unpack to no more than this (bytes).
LARGEST_CONTENT = 64 * 2**20
#: More members than this are no pattern.
_MOST_MEMBERS = 10_000
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, KeyError, NotImplementedError, UnicodeError)


def is_zip(content: Content) -> bool:
    """Whether the file begins as a zip."""
    return content.start.startswith(b"PK\x03\x04")


class Archive:
    """A zip open for reading, to be used in a with statement; what zipfile raises over damage becomes a ValueError."""

    def __init__(self, content: Content) -> None:
        """Remember the file; it is opened by the with statement."""
        self._content = content
        self._left = LARGEST_CONTENT

    def __enter__(self) -> Self:
        """Open the archive; raises ValueError if it is damaged."""
        try:
            self._archive = zipfile.ZipFile(BytesIO(self._content.data))
        except _DAMAGE as error:
            raise ValueError(_damaged(error)) from error
        self.names = self._archive.namelist()[:_MOST_MEMBERS]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the archive."""
        self._archive.close()
        if isinstance(error, _DAMAGE) and not isinstance(error, ValueError):
            raise ValueError(_damaged(error)) from error

    def text(self, name: str) -> str:
        """A member as text; raises ValueError once more has been unpacked than the limit."""
        with self._archive.open(name) as member:
            data = member.read(self._left + 1)
        self._left -= len(data)
        if self._left < 0:
            raise ValueError(
                f"{name} and what was read before unpack to more than {LARGEST_CONTENT >> 20} MB, too much for a "
                "pattern; expected one scan: export it as two columns of text"
            )
        return decode(data)


def _damaged(error: BaseException) -> str:
    return f"a damaged zip ({type(error).__name__}); copy the file again"
