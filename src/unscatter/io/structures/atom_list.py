"""What a format of molecules hands back, and what several of them refuse."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias, TypeVar

#: Name, element symbols, Cartesian positions in Angstrom, and labels of the atoms (none: ()).
Parsed: TypeAlias = tuple[str, Sequence[str], Sequence[Sequence[float]], Sequence[str]]
_T = TypeVar("_T")


def only(found: Sequence[_T], what: str, advice: str) -> _T:
    """The one there is; raises ValueError for none and for several."""
    if len(found) != 1:
        raise ValueError(f"holds {len(found)} {what}, expected one: {advice}")
    return found[0]


def take(lines: list[str], count: int) -> list[str]:
    """The first `count` lines; raises ValueError if there are fewer."""
    if len(lines) < count:
        raise ValueError(f"{count} atoms announced, {len(lines)} lines left")
    return lines[:count]
