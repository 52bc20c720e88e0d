"""What a header says of the axis in sentences: "x-axis: Q (1/nm)", "plot of I against Q (1/A)", a unit alone."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from unscatter.io.patterns.labels import AXES, DIFFRACTION, LONGEST, plain_name
from unscatter.quantities import Quantity, find_quantity, find_unit

_STATEMENT = re.compile(
    r"(?:the )?(?:x[-_ ]?(?:axis|units?|label|column|title)(?: unit)?(?: is)?|axis|abscissa|"
    r"(?:radial|dim1)[-_ ]?units?|units?|scan[-_ ]?(?:axis|mode|type)|data[-_ ]?format|columns?[-_ ]?1|1)"
    r"\s*(?:[:=]|\bis\b)\s*(.+)",
    re.IGNORECASE,
)
#: The kind of an axis of which only the unit is known, and that does not tell what it is.
UNKNOWN = "not known"
#: Names of axes in a sentence, and a unit of the axis alone.
_WITH_UNIT = re.compile(
    r"(?<![\w.])(?:momentum transfer(?: q)?|scattering vector(?: q)?|\|?q\|?|d(?:[- ]?spacings?)?|"
    r"(?:(?:2|two)[-_ ]?[x×*·]?[-_ ]?)?theta|2?\u03b8)(?=[\s(\[/,_])",
    re.IGNORECASE,
)
_UNIT_OF_AXIS = re.compile(r"(?:the )?x[-_ ]?(?:axis[-_ ]?)?units?\s*(?:[:=]|\bis\b|\s)\s*(.+)", re.IGNORECASE)


def stated_axis(header: Sequence[str], table: Mapping[str, object]) -> Quantity | None:
    """What a header says of the axis in a line of its own ("x-axis: Q (1/nm)", "2-Theta Angle (Degrees)"), or JSON."""
    keys = ("unit", "radial_unit", "dim1_unit", "axis", "x_unit", "dataformat")
    said = [(str(table[key]), True) for key in keys if key in table]
    for line in header:
        bare = re.sub(r"^\s*[#!;%'*/]+", "", line).strip()
        stated = _STATEMENT.fullmatch(bare)
        said.append((stated.group(1) if stated else bare, stated is not None))
    for text, is_stated in said:
        found = _axis_in(text)
        # a letter alone may be anything, unless it is said to be the axis
        if found is not None and (
            found.unit_given or len(plain_name(text)) > 2 or (is_stated and found.kind in DIFFRACTION)
        ):
            return found
        if is_stated and found is None and (unit := _by_unit_alone(text)) is not None:
            return unit
        # "q_nm^-1 scattering": a name with its unit, and a remark; with a number behind it, it is a fact
        first, _, remark = text.partition(" ")
        found = None if re.search(r"\d", remark) else _axis_in(first)
        if found is not None and found.unit_given and found.kind in DIFFRACTION:
            return found
    return next((axis for line in header if (axis := _mentioned(line)) is not None), None)


def _mentioned(line: str) -> Quantity | None:
    """An axis that a line names with its unit, "plot of I against Q (1/A)", or as one of two, "d vs. intensity".

    Lines with decimals or assignments state facts: "Q range 0.5 to 25 1/A", "Qmax = 25 1/A". A unit of the axis that
    does not tell what is in it makes it UNKNOWN.
    """
    if len(line) > LONGEST:
        return None
    bare = re.sub(r"^\s*[#!;%'*/@]+", "", line).strip()
    if unit := _UNIT_OF_AXIS.fullmatch(bare):
        return _by_unit_alone(unit[1])
    if re.search(r"\d\.\d|[=:]\s*[-+]?\d|\d\s*(?:-|to)\s*\d", bare):
        return None
    pair = re.split(r"\s+(?:vs\.?|versus|against)\s+", re.sub(r"^.*?[:=]\s*|^.*?\bof\s+", "", bare))
    for part in pair if len(pair) == 2 else ():
        found = _axis_in(part)
        if found is not None and found.kind in DIFFRACTION:
            return found
    for name in _WITH_UNIT.finditer(bare):
        behind = bare[name.end() :].lstrip(" ([/,_").removeprefix("in ")
        text = re.split(r"[)\],;\"\t]|\s{2,}", behind, maxsplit=1)[0]
        if re.match(r"[)\]]?\s?[:=]?\s?[-+]?\d+(?![\w:])", behind[len(text) :]):
            # a value: distance d (mm) 250
            continue
        words = text.split()
        for count in (3, 2, 1):
            if find_unit(" ".join(words[:count])) is not None:
                found = _axis_in(f"{name[0].strip()} ({' '.join(words[:count])})")
                short = found is not None and (found.kind != "d" or found.factor <= 10)
                if found is not None and short and found.unit_given and found.kind in DIFFRACTION:
                    return found
    return None


def _by_unit_alone(text: str) -> Quantity | None:
    unit = find_unit(text)
    if unit is None or (unit.dimension == "angle" and unit.factor == 1):
        return None
    if unit.dimension == "angle":
        return Quantity("an angle", "angle", unit.factor, unit.offset, f"x in {text.strip()}", True)
    if unit.dimension == "length" and unit.factor <= 10:
        return Quantity("d", "length", unit.factor, unit.offset, f"x in {text.strip()}", True)
    return Quantity(UNKNOWN, unit.dimension, unit.factor, unit.offset, f"x in {text.strip()[:30]}", True)


def _axis_in(text: str) -> Quantity | None:
    try:
        found = find_quantity(text)
    except ValueError:
        return None
    return found if found is not None and found.kind in AXES else None
