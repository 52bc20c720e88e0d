"""What the names above the columns of a table mean: which is the axis, which the intensity, which its uncertainty."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from unscatter.quantities import Quantity, Unit, find_quantity, find_unit, is_transformed

#: Names of columns, as `plain_name` spells them, and what they hold; the first that fits counts.
ROLES: dict[str, str] = {
    "observed": r"y_?obs|i_?obs|io|yo|obs|observed|observedintensity|intensity_?obs|i_?exp|y_?exp|exp|experimental|"
    r"meas|measured|i_?meas|y_?meas|zobs",
    "intensity": r"i|int|intens|intensity|intensities|intensität|intensitaet|intensité|counts?|cts|cps|y\d?|"
    r"(?:y_?)?data|i\(.*\)|s\(q\)|f\(q\)|impulse|imp|photons|ycounts|counts_?total|totalcounts|height|rel\.?int(?:ensity)?|"
    r"i_?(?:corr?(?:ected)?|norm(?:ali[sz]ed)?)|(?:corr?(?:ected)?|norm(?:ali[sz]ed)?)_?(?:i|int\w*|counts)|sum|total|"
    r"relativeintensity|i/?i0|i/imax|intensity\d|hits|signal_?norm(?:alised|alized)?",
    "other intensity": r"net|i_?raw|raw_?(?:i|int\w*|counts)|raw|signal|detector\w*|det\d?\w*|roi\d?|channel\d?|"
    r"chan\d|counter|mean|psd|"
    r"lynxeye\w*|pixcel\w*",
    "sigma": r"sigma|sig|s|esd|err|errors?|e\d?|std|stdev|stddev|su|s\.u\.?|uncertainty|fehler|σ|±|e\.s\.d\.?|"
    r"(?:sigma|sig|esd|err|error|errors|std|s|e|d|σ|delta|uncertainty)_?(?:of_?)?\(?(?:i|y|int|intensity|counts|obs|"
    r"iobs|yobs)\)?|(?:i|y|int|intensity|counts|iobs|yobs)_?(?:sigma|sig|esd|err|errors?|std|su|uncertainty)|"
    r"standard(?:deviation|uncertainty|error)|statisticalerror",
    "relative sigma": r"(?:rel(?:ative)?\.?|fractional|percent(?:age)?)[_.]?"
    r"(?:err(?:ors?)?|sigma|sig|esd|unc(?:ertainty)?|std)|(?:d|δ|Δ|delta_?|sigma|σ|err)_?i/i|(?:sigma|esd|err(?:or)?|std)_?(?:rel(?:ative)?|percent)",
    "variance": r"variances?|errors?_?squared|var|sigma\^?2|sig\^?2|esd\^?2|σ2",
    "weight": r"weights?|w|wt|1/\(?(?:sigma|σ|err(?:or)?|esd|s)\)?\^?2",
    "time": r"time_?per_?step|count(?:ing)?_?time|step_?time|exposure(?:_?time)?|live_?time|"
    r"integration_?time|dwell(?:_?time)?",
    "clock": r"time|seconds?|sec|elapsed(?:_?time)?",
    "monitor": r"monitor\d?|mon\d?|i0|i_0|norm",
    "factor": r"att(?:en(?:uat(?:or|ion|ed)?)?)?(?:_?f(?:actor|ilter)?)?\d?|filters?|absorber|absorption|"
    r"trans(?:mission)?|scale(?:_?factor)?|scaling|factor|corr(?:ection)?(?:_?factor)?|dark(?:_?(?:counts?|current|i))?|efficiency|"
    r"flat_?field|norm(?:ali[sz]ation)?_?factor|normali[sz]ation|dead_?time(?:_?corr(?:ection)?)?",
    "bad": r"masks?|masked|bad|exclude[ds]?|excluded|is_?bad|invalid|reject(?:ed)?|outliers?|saturated|dead",
    "good": r"valid|good|is_?valid|use[ds]?|included?|ok",
    "quality": r"flags?|quality|status|quality_?flags?|dq",
    "h": r"h",
    "k": r"k",
    "l": r"l",
    "width": r"fwhm\w*|integralbreadth|breadth|width",
    "multiplicity": r"multiplicity|mult|m|j",
    "another": r"(?:[yi]_?)?fit|fitted|model|"
    r"y_?cal\w*|i_?cal\w*|calc\w*|bkg|bg|bck|back(?:g|gr|ground)?|y_?b(?:kg|ack)?|diff\w*|residuals?|"
    r"y_?obs-y_?cal\w*|posr|phase|delta|\(hkl\)|hkl|area|temperature|fobs|f\^?2|f|fc|fo",
}
_ROLES = tuple((re.compile(names), role) for role, names in ROLES.items())
#: Which of several columns is the intensity.
INTENSITIES = ("observed", "intensity", "other intensity")
#: Which of several axes is used: what needs no conversion first, what cannot be converted last.
AXES = ("two-theta", "d", "Q", "1/d^2", "theta", "an angle", "time of flight", "energy", "another angle", "radius")
DIFFRACTION = AXES[:5]
#: Units that stand in a line of units and belong to no axis.
_UNITS_OF_INTENSITY = re.compile(
    r"counts?|cts|cps|counts/s|a\.?u\.?|arb\.?(?:units)?|counts?persecond|-|1", re.IGNORECASE
)


#: A longer line is no sentence and no name (characters).
LONGEST = 300
#: A line of its own for each column: "# column 2 = Q (1/nm)".
_COUNTED = re.compile(r"\W*(?:col(?:umn)?[-_ #]*)(\d+)\s*[:=.)-]+\s*([^;]+?)(?:\s+units?[\s:=]+(\S+))?", re.IGNORECASE)
#: What may stand before the names of the columns, and before each: "Columns: ", "#L " of SPEC, "x = ".
_BEFORE_ALL = re.compile(
    r"\s*(?:#L\s+|(?:[#!;%'*/]+\s*)?(?:(?:columns?|fields?|names?|labels?|header|data)\s*[:=]\s*)?)",
    re.IGNORECASE,
)
_BEFORE_ONE = re.compile(
    r"\s*(?:[xyez]|dy|e[xy]|col(?:umn)?[ _]?\d+|[\[(]\d+[\])])\s*(?:[:=]\s*|(?<=[\])])\s*)", re.IGNORECASE
)
#: A number alone or with a unit, not the 2 of 2theta.
_IS_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?![\w.])")
#: Of counts in so much time, which no counting time divides.
_RATE = re.compile(
    r"(?:k|m)?cps|(?:counts?|cts|impulse?s?|imp|photons?)?(?:/|per)_?s(?:ec(?:ond)?s?)?|hz|(?:counts?|cts|imp)\.?s\^?-1|1/s|s\^?-1|"
    r"(?:count)?_?rate",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Label:
    """A name of a column: what it says, and either a role or a quantity."""

    text: str
    role: str = ""
    axis: Quantity | None = None

    @property
    def known(self) -> bool:
        """Whether it means anything: a role, a quantity, or at least the unit of one."""
        return bool(self.role) or self.axis is not None or self.unit is not None

    @property
    def unit(self) -> Unit | None:
        """The unit in brackets at its end."""
        found = re.search(r"[\[(]([^\[\]()]+)[\])]\s*$", self.text)
        return find_unit(found.group(1)) if found else None

    @property
    def is_rate(self) -> bool:
        """Whether it names counts in so much time, as cps or "counts/s" do."""
        return is_rate(self.text)


def is_rate(text: str) -> bool:
    """Whether a name, or the unit in it, is of counts in so much time: no counting time divides them once more."""
    words = re.split(r"[\s\[\](),]+", text)
    return any(_RATE.fullmatch(word) is not None for word in words) or _RATE.fullmatch(plain_name(text)) is not None


@lru_cache(maxsize=4096)
def parse_label(text: str) -> Label:
    """Read one name; neither role nor axis where it means nothing."""
    plain = plain_name(text)
    if is_transformed(text):
        return Label(text, "transformed")
    bare = re.sub(r"[\[(][^\])]*[\])]$", "", plain)
    # I / a.u., Intensity, counts
    divided = re.fullmatch(r"(.+?)[,/](.+)", plain)
    before = divided[1] if divided is not None and _UNITS_OF_INTENSITY.fullmatch(divided[2]) else plain
    for names, role in _ROLES:
        if any(names.fullmatch(name) for name in (plain, bare, before)):
            # E and S are uncertainties, d and Q never
            return Label(text, "relative sigma" if role == "sigma" and "%" in plain else role)
    try:
        return Label(text, axis=find_quantity(text))
    except ValueError:
        return Label(text)


def find_labels(header: Sequence[str], width: int, separator: str) -> tuple[list[Label], list[str]] | None:
    """Names of the columns, and the header without their line; None if no line is one of names.

    width: columns of the table; separator: the character between them, "" for blanks. The line may stand anywhere in
    the header, the nearest to the table wins; a line of units may follow it. Or each column has a line of its own.
    """
    if found := _counted(header, width) or _stacked(header, width):
        return found
    # a line of units alone is that of the names above it
    places = range(len(header) - 1, -1, -1)
    for units_too, place in ((units_too, place) for units_too in (False, True) for place in places):
        for words in _divisions(header[place], separator):
            if not units_too and all(_is_unit(word) for word in words):
                continue
            # names of other columns than there are do not matter
            names = [parse_label(word) for word in words[: width + 1]]
            parted = bool(separator) and separator in header[place]
            labels = _accepted(names, width, separated=parted and (width > 2 or _units_alone(header[place + 1 :])))
            if labels:
                units, rest = _with_units(labels, header[place + 1 : place + 2], separator)
                return units, [*header[:place], *header[place + 1 + rest :]]
    return None


def _counted(header: Sequence[str], width: int) -> tuple[list[Label], list[str]] | None:
    """Names that stand one a line, with the number of their column."""
    found = {place: match for place, line in enumerate(header) if (match := _COUNTED.fullmatch(line.rstrip()))}
    names = {int(match.group(1)): match.group(2).strip(" \t\"',;") for match in found.values()}
    names |= {int(match[1]): f"{names[int(match[1])]} ({match[3]})" for match in found.values() if match[3]}
    first = 0 if 0 in names else 1
    labels = [parse_label(names.get(column + first, "")) for column in range(width)]
    if len(names) < 2 or not any(label.axis is not None or label.unit is not None for label in labels):
        return None
    return labels, [line for place, line in enumerate(header) if place not in found]


def _stacked(header: Sequence[str], width: int) -> tuple[list[Label], list[str]] | None:
    """Names that stand one a line, right above the table: an axis, intensities, and nothing else."""
    if any(len(line) > LONGEST for line in header[-width:]):
        return None
    labels = [parse_label(line.strip(" \t#!;%\"'")) for line in header[-width:]]
    axes = [label for label in labels if label.axis is not None]
    if len(labels) < width or len(axes) != 1 or any(label.axis is None and not label.role for label in labels):
        return None
    return labels, [*header[:-width]]


def choose_axis(labels: Sequence[Label]) -> int | None:
    """Number of the column that is the axis; None where no name is one."""
    for kind in AXES:
        for place, label in enumerate(labels):
            if label.axis is not None and label.axis.kind == kind:
                return place
    return next((place for place, label in enumerate(labels) if label.axis is not None), None)


def choose_intensity(labels: Sequence[Label]) -> int | None:
    """Number of the column that is the intensity; None where no name is one.

    Raises ValueError where the only one holds logarithms or roots.
    """
    for role in INTENSITIES:
        for place, label in enumerate(labels):
            if label.role == role:
                return place
    for label in labels:
        refuse_transformed(label.text)
    return None


def refuse_transformed(name: str) -> None:
    """Raise ValueError for a name of logarithms or roots of intensities."""
    if is_transformed(name):
        raise ValueError(
            f"{name[:60]!r} names logarithms or roots, products with Q, or F(Q) of total scattering, not "
            "intensities; expected counts: turn them back (10**y, exp(y), y**2 or y/Q**2) and save those, or give the "
            "pattern they were made of"
        )


def assumed_intensity(labels: Sequence[Label], axis: int) -> int:
    """Number of the column that is taken for the intensity where no name is one: the first that means nothing else."""
    others = [place for place in range(len(labels)) if place != axis]
    nameless = [place for place in others if not labels[place].known]
    return next(iter(nameless or [place for place in others if labels[place].axis is None] or others))


def other_quantity(text: str) -> Quantity | None:
    """The quantity that a name means where that is no axis of diffraction: a channel, a temperature, a time."""
    try:
        found = find_quantity(text)
    except ValueError:
        return None
    return found if found is not None and found.kind == "another quantity" else None


def column_of(labels: Sequence[Label], role: str) -> int | None:
    """Number of the first column of a role; None where there is none."""
    return next((place for place, label in enumerate(labels) if label.role == role), None)


def are_lines(labels: Sequence[Label]) -> bool:
    """Whether the columns are those of a list of lines: indices, or widths beside spacings, and no step of an axis."""
    roles = {label.role for label in labels}
    return {"h", "k", "l"} <= roles or "width" in roles or ("multiplicity" in roles and len(labels) > 3)


def _accepted(labels: list[Label], width: int, *, separated: bool) -> list[Label]:
    """The labels, one for each column, if they are such; empty if not. separated: parted as names are, by commas."""
    axes = [label for label in labels if label.axis is not None]
    known = [label for label in labels if label.known]
    if any(label.axis is None and not label.role and _IS_NUMBER.match(label.text) for label in labels):
        # a statement: wavelength 0.7093 (A)
        return []
    if len(axes) == len(labels):
        # one name of several words, or a title
        return []
    if len(labels) == width and known and (axes or any(label.role in INTENSITIES for label in labels)):
        # a title of as many words may hold one that looks like a name; parted by commas or tabs they are names
        return labels if len(known) >= 2 or (separated and axes) else []
    # names, and then a remark in the same line; or fewer names than columns
    first = labels[:width]
    if len(first) >= 2 and all(label.known for label in first) and any(label.axis is not None for label in first):
        return first + [Label("")] * (width - len(first))
    return []


def _divisions(line: str, separator: str) -> list[list[str]]:
    """Ways to divide a line into names."""
    whole = _BEFORE_ALL.sub("", line, count=1).strip(" \r\n" if separator == "\t" else None)
    bare = re.sub(r"^\[(.*)\]$", r"\1", whole.strip().strip(",;"))
    # the first column of a spreadsheet, its index, may have no name
    ways = [whole.split(separator), bare.split(separator)] if separator else []
    ways += [
        re.split(r"\s{2,}|\t", bare),
        re.split(r"\s*[,;]\s*", bare),
        re.split(r"\s*\|\s*", bare.strip("| ")),
        _words(bare),
    ]
    return [[_BEFORE_ONE.sub("", word).strip(" \t\"'{}:;,<>") for word in way] for way in ways if len(way) > 1]


def _words(line: str) -> list[str]:
    """Words of a line; "2 theta", and a unit in brackets, belong to the word before."""
    joined = re.sub(r"(?i)\b(2|two)[\s-]+theta", "2theta", line)
    joined = re.sub(r"\s+(?=[\[(][^\])]*[\])])", "", joined)
    joined = re.sub(r"(?i)\b(time)[\s-]of[\s-]flight", "time-of-flight", joined)
    return re.sub(r"(?i)\bd[\s-]spacing", "d-spacing", joined).split()


def _with_units(labels: list[Label], following: Sequence[str], separator: str) -> tuple[list[Label], int]:
    """Labels with the units of the line below them, and 1 if that holds units, else 0."""
    for line in following:
        for units in _divisions(line, separator):
            if len(units) == len(labels) and all(_is_unit(unit) for unit in units):
                return [_in_unit(label, unit) for label, unit in zip(labels, units, strict=True)], 1
    return labels, 0


def _units_alone(lines: Sequence[str]) -> bool:
    return all(_is_unit(word) for line in lines for word in re.split(r"[,;\t]|\s{2,}", line))


def _is_unit(text: str) -> bool:
    plain = re.sub(r"[\s\[\]()]", "", text)
    return not plain or find_unit(text) is not None or _UNITS_OF_INTENSITY.fullmatch(plain) is not None


def _in_unit(label: Label, unit: str) -> Label:
    found = find_unit(unit)
    if label.axis is None or label.axis.unit_given or found is None or found.dimension != label.axis.dimension:
        return label
    return Label(f"{label.text} ({unit})", label.role, find_quantity(label.text, unit))


def plain_name(text: str) -> str:
    """A name without blanks and quotes, in small letters."""
    return re.sub(r"[\s\"'$]", "", text).lower()
