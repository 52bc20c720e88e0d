"""Lines of text that say that the intensities below them are logarithms or roots."""

from __future__ import annotations

import re
from collections.abc import Iterable

from unscatter.quantities import is_transformed

_JOINT = r"[\s:=,(\[]*"
_SENTENCE = re.compile(
    r"\b(?:y|intensit(?:y|ies)|counts?|signal)(?:[\s_-]*(?:axis|scale|units?|label|values?))?\b" + _JOINT +
    r"(?:is|are|in|on|an?|as|the|shown|plotted|given|scale|of|type)?" + _JOINT + r"(?:is|are|in|on|an?|as)?\s*"
    r"\b(?:log(?:10|arithm\w*|[\s_-]?scaled?|[\s_-]?transformed)?|ln|sqrt|square[\s_-]roots?)\b"
    r"(?![\s_-]*(?:file|book|entry|no)|\s*[:=]\s*(?:no|off|false))",
    re.IGNORECASE,
)  # fmt: skip
#: Of a log that somebody keeps.
_OF_A_FILE = re.compile(r"[:=]|\b(?:file|book|entry)\b", re.IGNORECASE)


def refuse_transformed_words(lines: Iterable[str]) -> None:
    """Raise ValueError for a line such as "# Y axis: log10 of counts" or "log10(intensity)"."""
    for line in lines:
        bare = line.strip(" \t#;!%*/\"'")[:300]
        found = _SENTENCE.search(bare)
        alone = is_transformed(bare) and _OF_A_FILE.search(bare) is None
        words = bare if alone else found[0].strip() if found else ""
        if words:
            raise ValueError(
                f"the header says {words[:60]!r}: logarithms or roots, not intensities; expected counts: "
                "turn them back (10**y, exp(y) or y**2) and save those"
            )
