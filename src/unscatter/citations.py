"""What to cite for a result, as BibTeX with DOIs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from importlib.resources import files
from typing import Any

from unscatter.weights import find_weights

#: The method behind each job, by its key in references.bib.
METHODS = {
    "factorize": ("fuller2024",),
    "report": ("fuller2024",),
    "refine order": ("fuller2024",),
    "refine molecules": ("fuller2024",),
    "supercell": ("fuller2024",),
    "classify": ("lolla2022",),
}


def read_references() -> dict[str, str]:
    """All entries of references.bib by key."""
    text = (files("unscatter.data") / "references.bib").read_text(encoding="utf-8")
    return {key: entry for entry, key in re.findall(r"^(@\w+\{(\w+),.*?^\})", text, re.DOTALL | re.MULTILINE)}


def cite_result(provenance: Mapping[str, Any]) -> str:
    """BibTeX of the software, the method and the weights behind a result, and of what its provenance says to `cite`."""
    said = [*METHODS.get(str(provenance.get("job")), ()), *map(str, provenance.get("cite", ()))]
    if "weights" in provenance:
        said += find_weights(str(provenance["weights"])).cite
    return "\n\n".join([_software(str(provenance["version"])), *bibtex(said)])


def bibtex(said: Iterable[str]) -> list[str]:
    """Entries for keys, or for words that name the first author and the year; words that name none become a note."""
    known = read_references()
    found: dict[str, str] = {}
    for words in said:
        key = next((key for key in known if words == key or _names(words, known[key])), words)
        entry = known.get(key, f"@misc{{{re.sub('[^a-z0-9]', '', words.lower())[:20]},\n  note = {{{words}}},\n}}")
        # The words of a card stand above the entry, for people.
        found[key] = found.get(key, entry) if words == key and key in known else f"% {words}\n{entry}"
    return list(found.values())


def _names(words: str, entry: str) -> bool:
    author, year = re.search(r"author\s*=\s*\{([^,}]+)", entry), re.search(r"year\s*=\s*\{(\d{4})", entry)
    return bool(author and year and author[1] in words and year[1] in words)


def _software(version: str) -> str:
    return (
        f"% unscatter {version} (BSD-3-Clause)\n@software{{unscatter,\n  author  = {{{{The unscatter developers}}}},\n"
        "  title   = {unscatter: deep learning that takes diffraction data apart},\n"
        f"  version = {{{version}}},\n  license = {{BSD-3-Clause}},\n}}"
    )
