"""Which of the lines above a table of numbers names the sample: a title that says what it is, or a line of prose."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

_NAMED = re.compile(
    r"^(?:title|sample(?:[ _-]?(?:name|id|ident(?:ification)?|description))?|specimen|compound|material|phase|name)"
    r"\s*[:=]\s*(?P<title>\S.*)$",
    re.IGNORECASE,
)
_NAMES_IN_JSON = ("title", "sample", "sample_name", "name")
#: "key: value", "key = value" and "/path": what programs write about themselves.
_BOOKKEEPING = re.compile(r"^[\w .()\[\]/-]{1,40}[:=]|://|[/\\]\w+[/\\]|^[/\\]|\.\w{2,4}$")
_STAMP = re.compile(
    r"\b\d{1,2}:\d{2}(?::\d{2})?\b|\b\d{4}-\d{2}-\d{2}\b|\b\d{1,2}[./]\d{1,2}[./]\d{2,4}\b|"
    r"\b(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\.? \d{1,2}\b"
)
_ABOUT_THE_FILE = re.compile(
    r"^(?:created|written|exported|generated|saved|converted|produced|printed|processed|integrated|azimuthal|"
    r"date|time|file|path|user|operator|version|program|software|instrument|diffractometer|detector|"
    r"copyright|licen[cs]e|pyFAI|GSAS|FullProf|Mantid|HighScore|EVA|DIFFRAC|TOPAS|data (?:from|file|collected|saved)|"
    r"(?:this|the) (?:file|data)|units?|comments?|header|end of|begin|scan|points?|columns?|neutron|x-?rays?|"
    r"wave ?length|lambda)\b",
    re.IGNORECASE,
)
_COLUMN = re.compile(
    r"^(?:2[ _-]?theta|two[ _-]?theta|2θ|tth|ttheta|theta|angle|position|pos|q|d|d[ _-]?spacing|x|y|deg|degrees?|°|a|"
    r"nm|1/a|1/nm|intensity|int|i|counts?|cts|cps|yobs|yo|ycalc|y_?obs|y_?calc|obs|calc|bkg|background|sigma|sig|"
    r"e|err|error|esd|std|uncertainty|weight|w|monitor|time|s|k|no|nr|index|and)$",
    re.IGNORECASE,
)
#: Longer lines are no titles.
_LONGEST = 200


def find_title(lines: Iterable[str], table: Mapping[str, Any] | None = None) -> str:
    """The title among header lines (stripped of comment signs) and a JSON header; empty where there is none.

    A line that says that it is a title, such as "sample: quartz", comes first. Else it is the first line of prose: no
    key with a value, no heading of columns, no date, path, unit or program.
    """
    kept = [line.strip(" \t=-*~_") for line in lines]
    for line in kept:
        if (named := _NAMED.match(line)) is not None:
            return named["title"].strip(" \t'\"")[:_LONGEST]
    for name in _NAMES_IN_JSON:
        value = (table or {}).get(name)
        if isinstance(value, str) and value.strip():
            return value.strip()[:_LONGEST]
    return next((line[:_LONGEST] for line in kept if _is_prose(line)), "")


def _is_prose(line: str) -> bool:
    # [Data] is the head of a section
    if not re.search(r"[^\W\d_]{2}", line) or len(line) > _LONGEST or re.fullmatch(r"\[[^\]]*\]", line):
        return False
    if any(pattern.search(line) for pattern in (_BOOKKEEPING, _STAMP, _ABOUT_THE_FILE)):
        return False
    words = [word.strip("()[]{}'\".") for word in re.split(r"[\s,;|\t]+", line)]
    return not all(_COLUMN.match(word) or not re.search(r"[^\W\d_]", word) for word in words if word)
