"""Files of SPEC: scans that begin with a line #S, each with names of its columns in a line #L."""

from __future__ import annotations

import re

_SCAN = re.compile(r"^#S \d+", re.MULTILINE)
#: Each scan gets what stands above all of them, up to so many characters.
_HEAD = 20_000


def scans_of_spec(text: str) -> list[str]:
    """The text of each scan of a file of SPEC with what stands above the first; empty for fewer than two."""
    places = [found.start() for found in _SCAN.finditer(text)]
    if len(places) < 2:
        return []
    ends = [*places[1:], len(text)]
    head = text[: min(places[0], _HEAD)]
    return [head + text[first:last] for first, last in zip(places, ends, strict=True)]
