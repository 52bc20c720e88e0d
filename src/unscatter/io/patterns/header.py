"""What the lines above a table of numbers say in words, units and JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from unscatter.io.patterns.conditions import conditions, is_stripped
from unscatter.io.patterns.scan import Radiation
from unscatter.io.patterns.title import find_title
from unscatter.io.text.transformed import refuse_transformed_words
from unscatter.quantities import (
    WAVELENGTH_WORDS,
    Quantity,
    find_quantity,
    find_unit,
    parse_number,
    wavelength_in_angstrom,
)
from unscatter.tubes import K_ALPHA_1, TUBES

_RADIATIONS: dict[Radiation, str] = {
    "neutron": r"\bneutrons?\b",
    "x-ray": r"\bx-?\s?rays?\b|\bsynchrotron\b",
}
_NAMED = re.compile(
    rf"(?:{WAVELENGTH_WORDS}|\bWL|\bLam(?=[12]?[\"\']?[\s:=,;]+\d)|\bwave(?=[\s_]?[12]?\s*[:=])|\blo(?=\s+\d\.\d)|"
    r"(?P<line>\b(?:K[\s_-]?)?(?:alpha|α|(?<=K)a|(?<=K[\s_-])a)(?=[\s_-]?[12]\b))|(?P<energy>\b(?:(?:photon|incident|beam|"
    r"x-?ray)[ _-]?)?(?:energy|énergie|energie|energ[ií]a)(?=\b|_)|"
    r"\bE_?i?(?=\s?(?:[\[(]\s?[kM]?eV\s?[\])]\s?[:=]|=))))",
    re.IGNORECASE,
)
#: Behind the name: which of several, a unit in brackets or behind a stroke, and some characters that are no digits.
_VALUE = re.compile(
    r"(?P<which>[\s_-]*(?i:K[\s_-]?)?(?i:alpha|α|a)?[\s_-]?[12](?!\d|\.\d|,\d+(?![\d.])))?"
    # lambda1/lambda2: both behind it
    rf"(?:\s*[/,&]\s*(?i:{WAVELENGTH_WORDS}|K?[\s_-]?(?:alpha|α|a))?[\s_-]?2(?![\d.,]))?"
    r"(?:\s*[\[(](?P<unit>[^\])\n]{1,20})[\])]|\s*(?:[_/|,;]|\bin\b)\s*(?P<stroke>[^\s\d:=,;|]{1,12})(?=[\s:=,;|]))?"
    r"[^\d\n.+-]{0,30}?(?P<number>[-+]?(?:\d+[.,]?\d*|\.\d+)(?:[eEdD][-+]?\d+)?(?:\(\d+\))?)"
    r"(?:\s*(?:\+/?-|±)\s*[\d.,eE]+-?\d*)?"
    r"[\s,;|]*[\[(]?(?:units?\s*[:=]?\s*)?(?P<after>[^\s\d,;:|)\]]{1,12}(?:\^?-1)?)?"
)
#: A line of its own for the unit.
_UNIT_LINE = re.compile(rf"(?:{WAVELENGTH_WORDS})[\s_-]*units?[\s:=]+(\S+)", re.IGNORECASE)
_BEHIND = re.compile(r"[\s,;/&]+(?:and\s+)?(\d+[.,]\d+)")
#: K-alpha 2 over K-alpha 1, of chromium to silver.
_DOUBLETS = (1.001, 1.01)
_OTHER = re.compile(
    r"[\s_-]*(?:resolution|loss|transfer|window|threshold|range|band|ring|spread|step|min|max|cut-?off|unit|"
    r"errors?\b|offset|shift|uncertainty|sigma|esd|s\.?u\b)",
    re.IGNORECASE,
)
#: What stands before a number that is not the wavelength: the end of a range, a width, one that no longer holds.
_OTHER_BEFORE = re.compile(
    r"(?:\b(?:min|max|minimum|maximum|delta|old|wrong|previous)|[Δδ]|\bd)[\s_-]*(?:(?:lambda|λ|wavelength|E)\s*/\s*)?$",
    re.IGNORECASE,
)
_SECOND = re.compile(r"(?:^|alpha|α|a|\s|_|-)2\s*$", re.IGNORECASE)
_FIRST_LINE = re.compile(r"(?:alpha|α|K[\s_-]?a)[\s_-]?1\s*$", re.IGNORECASE)
#: By how much the mean of a doublet differs from its first line, at most.
_MEAN = 3e-3
_BETA = re.compile(r"(?:beta|β|K[\s_-]?b)[\s_-]?\d?\s*$", re.IGNORECASE)
_ANODES = "|".join(K_ALPHA_1)
_ANODE = re.compile(
    rf"\b(?:anode|target|tube|source)(?:[\s_]*material)?[\s\"'=:,]*\b(?P<named>{_ANODES})\b|"
    rf"\b(?P<line>{_ANODES})[\s_-]?K[\s_-]?(?:alpha|α|a)(?:[\s_-]?[12])?\b",
    re.IGNORECASE,
)
#: What is longer than a page is prose or a log: this many lines at either end, and characters of a line, are looked at.
_LINES, _LONGEST = 300, 1000


@dataclass(frozen=True)
class _Wavelength:
    """A wavelength in a header; second: K-alpha 2; first_line: it is called K-alpha 1."""

    angstrom: float
    second: bool
    note: str = ""
    first_line: bool = False


def facts(lines: Iterable[str]) -> dict[str, Any]:
    """What header lines say: title, wavelengths in Angstrom, radiation, whether simulated, and what was assumed.

    A wavelength counts only after "wavelength", "lambda" or "WL", an energy only with its unit: a bare "1.9 A" may be
    anything. A header in JSON, as pyFAI writes it, is read as JSON. An anode stands for its K-alpha 1.
    """
    kept = [line.strip(" \t#;!'\"%*") for line in lines]
    table, kept = take_json(kept)
    kept = [line[:_LONGEST] for line in kept]
    text = "\n".join(kept)
    named = [name for name, words in _RADIATIONS.items() if re.search(words, text, re.IGNORECASE)]
    radiation = named[0] if len(named) == 1 else None
    said = _UNIT_LINE.search(text)
    unit = _unit(said[1].strip(",;")) if said else ""
    found = [*_from_json(table, radiation), *(one for line in kept for one in _from_words(line, radiation, unit))]
    first, second, notes = _choose(found)
    if second is not None and is_stripped(text):
        second, notes = None, [*notes, "K-alpha 2 was taken out of the intensities, says the header"]
    notes += conditions(kept)
    refuse_transformed_words(kept)
    if first is None and radiation != "neutron" and (anode := _anode(text)):
        first, radiation = K_ALPHA_1[anode], "x-ray"
        notes.append(f"the wavelength is not given: K-alpha 1 of the anode {anode}, {first:.5g} A, is assumed")
    return {
        "title": find_title(kept, table),
        "wavelength": first,
        "second_wavelength": second,
        "radiation": radiation,
        "simulated": re.search(r"\bsimulated\b", text, re.IGNORECASE) is not None,
        "assumptions": tuple(notes),
    }


def first_page(lines: list[str]) -> tuple[list[str], str]:
    """The lines above a table, or the first and last of very many, and what has to be told of that.

    A line that is not JSON is cut at a length that no statement has.
    """
    told = ""
    if len(lines) > 2 * _LINES:
        told = f"of {len(lines)} lines above the table the first and last {_LINES} were looked at"
        lines = [*lines[:_LINES], *lines[-_LINES:]]
    return [line if "{" in line[:10] else line[:_LONGEST] for line in lines], told


def take_json(lines: list[str]) -> tuple[dict[str, Any], list[str]]:
    """The first JSON object of some lines, and the lines without it; an empty one where there is none."""
    start = next((i for i, line in enumerate(lines) if line.startswith("{")), None)
    if start is None:
        return {}, lines
    text = "\n".join(lines[start:])
    try:
        table, end = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return {}, lines
    return (table, lines[:start] + text[end:].split("\n")) if isinstance(table, dict) else ({}, lines)


def wavelength_of(value: Any, unit: str = "", radiation: str | None = None) -> float | None:
    """Wavelength in Angstrom of a number or a text such as "0.7 A", unchecked; None if it is none."""
    if isinstance(value, dict):
        unit = str(value.get("unit") or value.get("units") or unit)
        value = value.get("value")
    if isinstance(value, str):
        found = _VALUE.match(value)
        if found is None:
            return None
        value, unit = _number(found["number"]), _unit(found["after"]) or unit
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    try:
        return wavelength_in_angstrom(float(value), unit, radiation)
    except ValueError:
        return None


def wavelength_of_tube(said: Any, anode: str, unit: str = "") -> tuple[float | None, str]:
    """The wavelength that is said, or K-alpha 1 of the anode where none is, which is told."""
    value, anode = wavelength_of(said, unit), anode.strip().capitalize()
    if value or anode not in K_ALPHA_1:
        return value, ""
    return K_ALPHA_1[anode], f"K-alpha 1 of the anode {anode} is assumed"


def _from_json(table: dict[str, Any], radiation: str | None) -> Iterator[_Wavelength]:
    for name, said in table.items():
        if isinstance(said, dict) and "value" not in said:
            yield from _from_json(said, radiation)
            continue
        quantity = _quantity(name)
        if quantity is None or quantity.kind not in ("wavelength", "energy"):
            continue
        unit = next((str(table[key]) for key in (f"{name}_unit", f"{name}_units") if key in table), "")
        unit = unit or _unit(name.rpartition("_")[2])
        value = wavelength_of(said, unit, radiation)
        known = bool(unit) or isinstance(said, dict) or re.search(r"eV\b", str(said)) is not None
        if value is not None and (quantity.kind == "wavelength" or known):
            yield _Wavelength(value, second=False)


def _quantity(name: str) -> Quantity | None:
    try:
        return find_quantity(name)
    except ValueError:
        return None


def _from_words(line: str, radiation: str | None, usual: str) -> Iterator[_Wavelength]:
    """Wavelengths named in a line; usual: the unit that another line gives for them."""
    done = 0
    for named in _NAMED.finditer(line):
        found = _VALUE.match(line, named.end())
        if found is None or named.start() < done or _OTHER.match(line, named.end()):
            continue
        if _OTHER_BEFORE.search(line[: named.start()]):
            continue
        unit = _unit(found["unit"]) or _unit(found["stroke"]) or _unit(found["after"]) or usual
        before = line[: named.start()]
        # without a point, an exponent or a unit it may be anything: lambda/2, wavelength 1
        vague = not unit and not re.search(r"[.,eE]", found["number"])
        inside = (found["unit"] or "").strip()
        if vague or _BETA.search(before) or _BETA.search(inside) or (named["energy"] and not _is_energy(unit)):
            continue
        value = wavelength_of(_number(found["number"]), unit, radiation)
        if value is not None and not (named["line"] and not _is_of_tube(value)):
            done = found.end("number")
            # of "K-alpha 1/K-alpha 2" the first number is the first
            inside = re.split(r"(?<=1)\s*[/,&]", inside)[0]
            which = (found["which"] or "").rstrip()
            marks = (before, which, f"{named[0]}{which}", inside)
            second = any(_SECOND.search(mark) for mark in marks)
            first_line = any(_FIRST_LINE.search(mark) for mark in marks)
            yield _Wavelength(value, second, _note(found["number"], unit), first_line)
            # K-alpha 2 behind K-alpha 1, under one name
            behind = _BEHIND.match(line, found.end("number"))
            other = wavelength_of(_number(behind[1]), unit, radiation) if behind else None
            if other is not None and not second and _DOUBLETS[0] * value < other < _DOUBLETS[1] * value:
                yield _Wavelength(other, second=True)


def _is_of_tube(angstrom: float) -> bool:
    """Whether a wavelength is about one of K-alpha of a tube: what stands behind "K-alpha 1" may be anything."""
    return any(abs(angstrom - line) < 3e-3 for tube in TUBES.values() for line in (tube.first, tube.second))


def _choose(found: list[_Wavelength]) -> tuple[float | None, float | None, list[str]]:
    """First and second wavelength, and what has to be told of the choice."""
    firsts = [one for one in found if not one.second]
    seconds = [one for one in found if one.second]
    if not firsts:
        return None, None, []
    first = firsts[0]
    lines = [one for one in firsts if one.first_line and abs(one.angstrom - first.angstrom) < _MEAN * first.angstrom]
    notes = [first.note] if first.note else []
    if lines and lines[0].angstrom != first.angstrom:
        notes.append(f"K-alpha 1, {lines[0].angstrom:.6g} A, is used, not the mean {first.angstrom:.6g} A")
        first = lines[0]
    others = {f"{one.angstrom:.5g}" for one in firsts if abs(one.angstrom - first.angstrom) > 1e-3 * first.angstrom}
    if others:
        notes.append(
            f"of the wavelengths in the header {first.angstrom:.5g} A is used, not {', '.join(sorted(others))}"
        )
    return first.angstrom, seconds[0].angstrom if seconds else None, notes


def _note(number: str, unit: str) -> str:
    value = _number(number)
    if unit or not 0 < value < 1e-8:
        return ""
    return f"the wavelength {number} has no unit: taken as metres"


def _number(text: str) -> float:
    found = parse_number(text.replace(",", ".").rstrip("."))
    return float("nan") if found is None else found[0]


def _unit(text: str | None) -> str:
    """The text if it is a unit of length or energy, else ""."""
    found = find_unit(text) if text else None
    return text or "" if found is not None and found.dimension in ("length", "energy") else ""


def _is_energy(unit: str) -> bool:
    found = find_unit(unit) if unit else None
    return found is not None and found.dimension == "energy"


def _anode(text: str) -> str | None:
    found = _ANODE.search(text)
    return (found["named"] or found["line"]).capitalize() if found else None
