"""Numbers printed for people: 12,345 and 12.345 and 12 345 of thousands, made numbers for machines."""

from __future__ import annotations

import re
from functools import partial

# Characters at the end of a text that tell how its table is written.
_LOOKED_AT = 20_000
# Blanks that do not break and apostrophes stand in no other place inside a number.
_ODD = re.compile(r"(?<=\d)[\u00a0\u202f\u2009'\u2019](?=\d{3}(?!\d))")
_FIELD = r"[-+]?\d{1,3}(?:%s\d{3})+(?:%s\d+)?"
_QUOTED_COMMA = re.compile(rf'"\s*({_FIELD % (",", "[.]")})\s*"')
_BLANK = re.compile(r"(?<=\d) (?=\d{3}(?!\d))")


def without_thousands(text: str) -> str:
    """A text whose numbers have no separators of thousands, where the table at its end shows that they had.

    "12,345" in quotation marks; 12,345 between tabs or semicolons beside numbers with a point; 12.345,6 beside numbers
    with a comma alone; 12 345 between semicolons or tabs; 12'345 and blanks that do not break anywhere.
    """
    end = text[-_LOOKED_AT:]
    if _ODD.search(end):
        text = _ODD.sub("", text)
        end = text[-_LOOKED_AT:]
    if _QUOTED_COMMA.search(end):
        return _QUOTED_COMMA.sub(lambda found: found.group(1).replace(",", ""), text)
    rows = [line for line in end.split("\n")[1:-1] or end.split("\n") if line[:1].isdigit()]
    mark = next((mark for mark in ";\t" if rows and all(mark in row for row in rows)), "")
    return _of_fields(text, [field.strip() for row in rows for field in row.split(mark)], mark) if mark else text


def _of_fields(text: str, fields: list[str], mark: str) -> str:
    """The same for fields between semicolons or tabs."""
    for thousand, decimal in ((",", "."), (".", ",")):
        grouped = re.compile(_FIELD % (re.escape(thousand), re.escape(decimal)))
        large = [field for field in fields if grouped.fullmatch(field)]
        # 15,020 alone may be a decimal comma: a number with the other mark, or two groups, tells
        told = any(decimal in field and thousand not in field for field in fields) or any(
            field.count(thousand) > 1 or decimal in field for field in large
        )
        plain = re.compile(rf"[-+]?\d*(?:{re.escape(decimal)}\d+)?(?:[eE][-+]?\d+)?")
        if large and told and all(grouped.fullmatch(field) or plain.fullmatch(field) for field in fields):
            every = re.compile(rf"(?<![^\s{mark}])({grouped.pattern})(?![^\s{mark}])")
            return every.sub(partial(_ungrouped, thousand), text)
    grouped = re.compile(_FIELD % (" ", "[.,]"))
    return _BLANK.sub("", text) if any(grouped.fullmatch(field) for field in fields) else text


def _ungrouped(thousand: str, found: re.Match[str]) -> str:
    return found.group(1).replace(thousand, "")
