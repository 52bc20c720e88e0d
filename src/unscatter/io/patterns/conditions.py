"""What a header says of how a pattern was measured or treated that changes angles or intensities and is not undone.

The sign of a zero shift differs between programs, and whether it was applied is rarely said: it is told, not applied.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from unscatter.quantities import parse_number

_NUMBER = r"[-+]?(?:\d+[.,]?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_TWO_THETA = r"(?:2|two)[\s_-]*(?:theta|th|θ)|tth|theta|angle|angular|detector|goniometer"
_SHIFT = r"(?:zero|offset|shift|displacement|error|correction)"
_VALUE = rf"(?P<rest>[^\n\d]{{0,24}}?)(?<![\d.])(?P<value>{_NUMBER})(?![\w.]*[:/-]\d)"
#: Shifts with a number, by what they are called in the sentence.
SHIFTS: dict[str, str] = {
    "a zero shift": rf"(?<![-A-Za-z\d])(?:{_TWO_THETA})?[\s_-]*zero(?!\s*(?:counts?|background|intensit|for|padd))"
    rf"(?:[\s_-]*(?:point|shift|offset|error|correction|position|pos|pt|of)s?)*(?![a-z])|(?<![-A-Za-z\d])(?:{_TWO_THETA})[\s_()-]*"
    rf"(?:axis|deg)?[\s_()-]*{_SHIFT}s?(?![a-z])|\bzpd\b",
    "a displacement of the sample": r"\b(?:sample|specimen)[\s_-]*displacement|\bdisplacement[\s_-]*(?:error|of the)",
}
_SHIFTS = {name: re.compile(rf"(?:{words}){_VALUE}", re.IGNORECASE) for name, words in SHIFTS.items()}
#: A positive number from this on may stand for what was not measured.
_LEAST_MARK = 999.0
_SLIT = re.compile(
    r"slit[^\n]{0,40}\b(?:automatic|variable|ads|auto)\b|\b(?:automatic|variable)\b[^\n]{0,20}slit", re.IGNORECASE
)
_STRIPPED = re.compile(
    r"(?:K[\s_-]?)?(?:alpha|α|a)[\s_-]?2[^\n]{0,20}\b(?:strip|remov|subtract|eliminat)\w*(?P<said>[^\n]*)|"
    r"\b(?:strip|remov|subtract)\w*[^\n]{0,12}\bK[\s_-]?(?:alpha|α|a)[\s_-]?2(?P<said2>[^\n]*)",
    re.IGNORECASE,
)
_NOT = re.compile(r"\W*(?:no|none|false|off|0|not)\b", re.IGNORECASE)

_FILL = re.compile(
    r"\b(?:no[\s_-]?data|missing|fill|mask(?:ed)?|bad|invalid|dead|excluded|not[\s_-]measured)[\s_-]*"
    rf"(?:(?:value|point|pixel|bin|data|channel)s?)?[\s_-]*(?:[:=]|\bis\b|\bare\b|\bas\b)"
    rf"\s*(?:set to\s*)?({_NUMBER})(?![\w.]*[-:/]\d)",
    re.IGNORECASE,
)


def fill_values(lines: Iterable[str]) -> list[float]:
    """Numbers that a header says to stand for what was not measured: "missing value: -5", "masked bins are 0"."""
    said = [found for line in lines for found in _FILL.finditer(line)]
    numbers = [parse_number(found[1].replace(",", ".").rstrip(".")) for found in said]
    # a small number may count the points that are masked
    return [n[0] for n in numbers if n is not None and (n[0] <= 0 or n[0] >= _LEAST_MARK)]


def conditions(lines: Iterable[str]) -> Iterator[str]:
    """Sentences on shifts of the angles and slits that open, each once."""
    found: dict[str, str] = {}
    for line in lines:
        for name, pattern in _SHIFTS.items():
            for said in pattern.finditer(line):
                number = parse_number(said["value"].replace(",", ".").rstrip("."))
                if number is not None and number[0] != 0:
                    found.setdefault(name, f"the header names {name} ({said[0].strip()[:50]!r}): it was not applied")
        if _SLIT.search(line):
            found.setdefault("slit", "the divergence slit was automatic: intensities were not corrected for it")
    yield from found.values()


def is_stripped(text: str) -> bool:
    """Whether a header says that K-alpha 2 was taken out of the intensities."""
    return any(not _NOT.match(found["said"] or found["said2"] or "") for found in _STRIPPED.finditer(text))
