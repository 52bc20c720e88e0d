"""Numbers printed for people: 12,345 and 12.345 and 12 345 of thousands, made numbers for machines.

Every expression begins with a character that is rare in a table, or a set of such: what it looks for in 39 MB is found
in tenths of a second.
"""

from __future__ import annotations

import re

from unscatter.io.text.table import first_row

#: Characters at the end of a text that tell how its table is written.
_LOOKED_AT = 20_000
_THREE = r"(?=\d{3}(?!\d))"
# Blanks that do not break and apostrophes stand in no other place inside a number.
_ODD = re.compile(rf"[\u00a0\u202f\u2009'\u2019](?<=\d.){_THREE}")
_FIELD = r"[-+]?\d{1,3}(?:%s\d{3})+(?:%s\d+)?"
_QUOTED = re.compile(r'"\s*([-+]?[\d.,]+)\s*"')
_QUOTED_ROW = re.compile(r'"[^"]*"(?:,"[^"]*")*')
_QUOTED_COMMA = re.compile(_FIELD % (",", "[.]"))


def without_thousands(text: str) -> str:
    """A text whose numbers have no separators of thousands, where the table at its end shows that they had.

    "12,345" in quotation marks; 12,345 between tabs or semicolons beside numbers with a point; 12.345,6 beside numbers
    with a comma alone; 12 345 between semicolons or tabs; 12'345 and blanks that do not break anywhere. What stands
    above the table stays.
    """
    begin = first_row(text)
    above, text = text[:begin], text[begin:]
    end = text[-_LOOKED_AT:]
    if odd := set(_ODD.findall(end)):
        # what stands nowhere else is taken out everywhere, which is faster than to look at each
        if len(_ODD.findall(end)) == sum(map(end.count, odd)):
            for mark in odd:
                text = text.replace(mark, "")
        text = _ODD.sub("", text)
        end = text[-_LOOKED_AT:]
    with_comma = [field for field in _QUOTED.findall(end) if "," in field]
    if with_comma and all(_QUOTED_COMMA.fullmatch(field) for field in with_comma):
        return above + _without_quoted_commas(text)
    rows = [line for line in end.split("\n")[1:-1] or end.split("\n") if line[:1].isdigit()]
    mark = next((mark for mark in ";\t" if rows and all(mark in row for row in rows)), "")
    return above + (_of_fields(text, [field.strip() for row in rows for field in row.split(mark)]) if mark else text)


def _without_quoted_commas(text: str) -> str:
    rows = text[-_LOOKED_AT:].split("\n")[1:-1]
    if rows and all(_QUOTED_ROW.fullmatch(row) for row in rows):
        return text.replace('","', '";"').replace(",", "")
    parts = text.split('"')
    # joined by what no text has, so that all of them are changed at once
    parts[1::2] = "\0".join(parts[1::2]).replace(",", "").split("\0")
    return '"'.join(parts)


def _of_fields(text: str, fields: list[str]) -> str:
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
            return text.replace(thousand, "")
    grouped = re.compile(_FIELD % (" ", "[.,]"))
    return re.sub(f" (?<=\\d ){_THREE}", "", text) if any(grouped.fullmatch(field) for field in fields) else text
