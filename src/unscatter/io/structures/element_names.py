"""Elements and isotopes as files of structures write them."""

from __future__ import annotations

import re

import gemmi

_SYMBOL = re.compile(r"(\d*)([A-Z][a-z]?)")


def symbol(label: str) -> str:
    """Element or isotope in a label: "O2-" is O, "O-H1" is O, "D" and "7Li" stay; ValueError if none."""
    match = _SYMBOL.match(label.strip())
    for length in (2, 1):
        name = match.group(2)[:length] if match else ""
        if name and gemmi.Element(name).atomic_number:
            return (match.group(1) if match else "") + name
    raise ValueError(f"{label!r} names no element")
