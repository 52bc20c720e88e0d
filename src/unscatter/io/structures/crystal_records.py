"""What a format of crystals hands back: structures that are yet to be made, so that a bad one stops no other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from unscatter.nouns.crystal import Crystal

#: Name of a structure, the function that makes it, and what it makes it from; it may raise any error of a damaged file.
Record: TypeAlias = tuple[str, Callable[[Any], Crystal], Any]


def broken(name: str, error: Exception) -> Record:
    """A record of what cannot be read; it raises the error when it is to be made."""

    def fail(error: Exception) -> Crystal:
        raise error

    return name, fail, error
