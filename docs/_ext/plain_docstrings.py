"""Docstrings of this project are plain text with `names` in backticks: carry them into reStructuredText unharmed.

Without this, |Q| would be a substitution, draw_* the beginning of emphasis, and a line of an equation a heading.
"""

from __future__ import annotations

import re
from typing import Any

from sphinx.application import Sphinx

_LITERAL = re.compile(r"(``[^`]+``|`[^`]+`)")
_SPECIAL = re.compile(r"([\\*|_])")
_ALIAS = re.compile(r"TypeAliasForwardRef\('(\w+)'\)")


def plain(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Escape what is special outside backticks; turn `name` into a literal."""
    lines[:] = [_line(line) for line in lines]


def _line(line: str) -> str:
    parts = _LITERAL.split(line)
    # Every other part stood in backticks.
    parts[::2] = [_SPECIAL.sub(r"\\\1", part) for part in parts[::2]]
    parts[1::2] = [f"``{part.strip('`')}``" for part in parts[1::2]]
    return "".join(parts)


def signature(
    app: Sphinx, what: str, name: str, obj: Any, options: Any, arguments: str | None, returned: str | None
) -> tuple[str | None, str | None]:
    """Show the name of a type alias also where it is a part of a longer type."""
    named = (text and _ALIAS.sub(r"\1", text) for text in (arguments, returned))
    return next(named), next(named)


def setup(app: Sphinx) -> dict[str, bool]:
    """Tell Sphinx."""
    app.connect("autodoc-process-docstring", plain)
    app.connect("autodoc-process-signature", signature)
    return {"parallel_read_safe": True}
