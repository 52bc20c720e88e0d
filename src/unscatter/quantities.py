"""What the names and units in files mean: one table for text, NeXus, CIF, and planes of diffuse scattering.

A label such as "2theta (deg)", "q_nm^-1" or "d-Spacing [Angstrom]" is a kind of quantity and a unit; a value of it is
factor * number + offset in the unit that unscatter uses for its dimension: degrees, Angstrom, 1/Angstrom, keV,
microseconds and reciprocal-lattice units.
"""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Dimension = Literal["angle", "length", "inverse length", "inverse area", "energy", "time", "index"]

#: The unit in which unscatter keeps a quantity of each dimension.
UNITS: dict[Dimension, str] = {
    "angle": "deg",
    "length": "A",
    "inverse length": "1/A",
    "inverse area": "1/A^2",
    "energy": "keV",
    "time": "microseconds",
    "index": "r.l.u.",
}
#: A wavelength that a file states is refused outside of this range, in Angstrom: nobody diffracts with it.
WAVELENGTHS = (0.05, 20.0)
#: h c in keV Angstrom, and h^2 / (2 m) of the neutron in keV Angstrom^2 (CODATA 2018, exact and to 9 digits).
PHOTON, NEUTRON = 12.398419843320026, 8.18042096e-5

_LENGTHS = {
    "a|å|aa|angstroms?|ångströms?|ångstroms?|angströms?|ang|angs|angst": 1.0,
    "nm|nanomet(?:er|re)s?": 10.0,
    "pm|picomet(?:er|re)s?": 0.01,
    "m|met(?:er|re)s?": 1e10,
    "fm": 1e-5,
    "um|µm|microns?|micromet(?:er|re)s?": 1e4,
    # units of Siegbahn, in books and old files
    "kx|kxu|kx[ -]?units?": 1.00207,
    "xu|x\\.u\\.?|x[ -]units?": 1.00207e-3,
    "må|milliångstr(?:o|ö)ms?|milliangstroms?": 1e-3,
    "mm|millimet(?:er|re)s?": 1e7,
    "cm|centimet(?:er|re)s?": 1e8,
}
#: Spellings of units (of the whole word, without regard to case) and how many of ours they are.
SPELLINGS: dict[Dimension, dict[str, float]] = {
    "angle": {
        r"deg|degs|degrees?|°|\^?[oº]|grad|°2th(?:eta)?|deg2th(?:eta)?": 1.0,
        "rad|radians?": 180 / math.pi,
        "mrad|milliradians?": 0.18 / math.pi,
        "[uµ]rad|microradians?": 0.18e-3 / math.pi,
        "gon|gons|gradians?": 0.9,
        "cdeg|centideg(?:ree)?s?": 0.01,
        "mdeg|millideg(?:ree)?s?": 0.001,
        "arcmin|minutes? of arc": 1 / 60,
        "arcsec|seconds? of arc": 1 / 3600,
    },
    "length": _LENGTHS,
    "inverse length": {
        rf"1/(?:{names})|(?:{names})(?:\^|\*\*)?-1|(?:inverse |inv[._ ]*|reciprocal |per )(?:{names})": 1 / factor
        for names, factor in _LENGTHS.items()
    },
    "inverse area": {
        rf"1/(?:{names})(?:\^|\*\*)?2|(?:{names})(?:\^|\*\*)?-2": factor**-2 for names, factor in _LENGTHS.items()
    },
    "energy": {"kev|kiloelectron ?volts?": 1.0, "ev|electron ?volts?": 1e-3},
    "time": {
        "[uµ]s|[uµ]sec|mus|musec|microsec(?:ond)?s?": 1.0,
        "ms|msec|millisec(?:ond)?s?": 1e3,
        "ns|nsec|nanosec(?:ond)?s?": 1e-3,
        "s|sec|seconds?": 1e6,
    },
    "index": {
        r"r\.?\s?l\.?\s?u\.?|reciprocal[ -]lattice units?|lattice units?|hkl|in [\d.]+ (?:a|å|angstrom)\^?-1": 1.0
    },
}
#: Of these the case tells: a thousandth or a million.
_BY_CASE: dict[str, float] = {"meV": 1e-6, "MeV": 1e3, "µeV": 1e-9, "ueV": 1e-9}

#: What a wavelength is called in words, of several languages.
WAVELENGTH_WORDS = (
    r"wave[\s_-]?length|lamb?da|λ|labda|wellenl(?:ae|ä)nge|longueur d[ '’]onde|longitud de onda|lunghezza d['’]onda|"
    r"comprimento de onda|długość fali|длина волны|波長|波长"
)

#: Names of quantities, as `_plain` spells them, with kind, dimension, and the factor that the name itself brings.
NAMES: tuple[tuple[str, str, Dimension, float], ...] = (
    (r"(?:2[x×]?theta|twotheta|2th|tth|ttheta|2t)(?:corrected|corr|scan|obs|angle|value|position|pos|meas|calc)?|"
     r"polarangle|(?:scattering|diffraction)angle(?:\(?2theta\)?)?|"
     r"(?:angle|pos|position|detector|scan|axis|winkel|beugungswinkel)\(?2theta\)?|"
     # a coupled scan counts in the angle of its detector
     r"(?:theta|th|omega|om|gonio)/?(?:2theta|twotheta|2th|tth)",
     "two-theta", "angle", 1.0),
    (r"theta|th|braggangle|braggangletheta|angletheta", "theta", "angle", 1.0),
    (r"(?:s=)?sin(?:\(theta\)|theta)/(?:lambda|l)|stol|stl", "Q", "inverse length", 4 * math.pi),
    (r"1/d|d\*|dstar|d\^?-1|reciprocalspacing|"
     r"(?:s=)?2\*?sin(?:\(theta\)|theta)/(?:lambda|l)", "Q", "inverse length", 2 * math.pi),
    (r"(?:[qsk]=)?4\*?(?:pi|π)\*?sin(?:\(theta\)|theta)/(?:lambda|l)|"
     r"\|?q\|?|qabs|modq|qtot|mod_q|scatteringvector(?:magnitude)?q?|momentumtransferq?|wavevectortransferq?|"
     r"qvector|qvalue|k?transferq|scatvec|qspace|q[aå](?:\^?-1)?", "Q", "inverse length", 1.0),
    (r"1/d\^?2|d\*\^?2|dstar\^?2|d\^?-2", "1/d^2", "inverse area", 1.0),
    (r"(?:10\^?4|1e4|10000)(?:/d\^?2|\*?d\^?-2)", "1/d^2", "inverse area", 1e-4),
    (r"qnm(?:\^?-1)?", "Q", "inverse length", 0.1),
    (r"d|dspac?ing|dspac|dvalue|dwert|dhkl|d\(hkl\)|(?:lattice|interplanar|plane)spacing|spacing|netzebenenabstand|dobs",
     "d", "length", 1.0),
    (r"t\.?o\.?f\.?|time(?:of)?flight|flighttime|timeofflight\w*", "time of flight", "time", 1.0),
    (r"energy|photonenergy|incidentenergy|beamenergy|energyincident|e|ei|xrayenergy", "energy", "energy", 1.0),
    (r"(?:incident|mono|monochromator|source|beam|xray|neutron)?(?:wavelength|lamb?da)\w{0,8}|wl\d?|lam[12]?|labda\w{0,8}|"
     + WAVELENGTH_WORDS.replace(" ", ""), "wavelength", "length", 1.0),
    (r"omega|om|chi|phi|psi|rocking(?:curve|scan)?|eta|kappa|azimuth(?:al)?(?:angle)?", "another angle", "angle", 1.0),
    (r"angle|angles|winkel|position|pos", "an angle", "angle", 1.0),
    (r"r|radius|radialdistance", "radius", "length", 1.0),
    (r"q?[hkl]", "index", "index", 1.0),
    (r"frequency|wave_?number|ramanshift|bindingenergy|delay|voltage|current|field|pressure|strip(?:no|number)?|bin(?:no|number)?|"
     r"(?:delta|δ)(?:2theta|twotheta|tth|theta)|(?:2theta|twotheta|tth)(?:offset|shift|error|zero)|"
     r"q\^?2|log\(?q\)?|log10\(?q\)?|lnq|sin\^?2\(?theta\)?|channels?|pixels?|points?|pt|step|row|no|nr|number|index|idx|"
     r"epoch|temperature", "another quantity", "index", 1.0),
)  # fmt: skip
_PATTERNS = tuple((re.compile(names), kind, dimension, factor) for names, kind, dimension, factor in NAMES)
_UNIT_PATTERNS = tuple(
    (re.compile(names, re.IGNORECASE), dimension, factor)
    for dimension, spellings in SPELLINGS.items()
    for names, factor in spellings.items()
)

_NUMBER = re.compile(r"([-+]?)(\d+\.?\d*|\.\d+)(?:[eEdD]([-+]?\d{1,3}))?(?:\((\d+)\))?")
#: A name with its unit behind it: in brackets, after a stroke, a comma, an underscore or a blank.
_DIVISIONS = (
    r"(.+?)\s*[\[(<]([^\[\]()<>]+)[\])>]\s*",
    r"(.+?)\s*/\s*(\S.*)",
    r"(.+?)\s*,\s*(\S.*)",
    r"(.+?)_(\S+)",
    r"(.+)_(\S+)",
    r"(.+?)\s+(\S.*)",
)
_LEADING = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eEdD][-+]?\d{1,3})?(?:\(\d+\))?)\s*(.*)", re.DOTALL)
_DEGREES_OF_TWO_THETA = re.compile(r"[\[(]\s*(?:°|deg)\s*2\s?(?:th|θ)", re.IGNORECASE)
_TRANSFORMED = re.compile(
    r"(?:log(?:10|e)?|ln|lg|sqrt|√|square root)[\W_]*(?:of\s)?\W*(?:i|s|y|f|int\w*|counts?|cts|cps|signal|data)\b.*|"
    r"(?:i|y|int\w*|counts?|cts|cps|signal|data)[\W_]*(?:log(?:10|e)?|ln|lg|sqrt|\^\s?0\.5|\^\(?1/2|db\b|decibel)\W*.*|"
    r"db|decibels?|(?:i|int\w*|counts?)\s*[*·×x]\s*(?:[qsk]|2?-?theta|2?θ)\b.*|[qsk]\s*(?:\^|\*\*)?\s*[1-4]?\s*[*·×]\s*(?:i|int\w*|s\(q\)).*|"
    r"s\(q\)\s*-\s*1|[fh]\s?\(\s?[qs]\s?\)|pdf|"
    # F(Q) of PDFgetX3 with its unit
    r"f\s?[\[(]\s?\$?\\?(?:AA|A|Å|nm)\b.*",
    re.IGNORECASE,
)
_NOT_FINITE = re.compile(r"[-+]?(nan|inf)", re.IGNORECASE)


@dataclass(frozen=True)
class Unit:
    """A unit: how many of the unit that unscatter uses for its dimension."""

    dimension: Dimension
    factor: float
    offset: float = 0.0


@dataclass(frozen=True)
class Quantity:
    """What a column or an axis holds: value = factor * number + offset, in the unit of its dimension.

    kind: "two-theta", "theta", "Q" (2 pi / d), "d", "1/d^2", "time of flight", "energy", "wavelength", "radius",
    "index" (h, k, l), "another angle" (omega, chi, ...), "another quantity" (a number, a time), or "an angle", of
    which nobody says which. name: as the file has it. unit_given: whether the file names the unit; if not, it is
    assumed to be that of the dimension.
    """

    kind: str
    dimension: Dimension
    factor: float = 1.0
    offset: float = 0.0
    name: str = ""
    unit_given: bool = False

    def values(self, numbers: ArrayLike) -> NDArray[np.float64]:
        """The numbers of a file in our unit."""
        return self.factor * np.asarray(numbers, dtype=np.float64) + self.offset


def find_unit(text: str) -> Unit | None:
    """Read the name of a unit: "deg", "nm^-1", "1/Angstrom", "r.l.u.", "keV"; None if it is not known."""
    text = _unit_text(text)
    if text in _BY_CASE:
        return Unit("energy", _BY_CASE[text])
    for names, dimension, factor in _UNIT_PATTERNS:
        if names.fullmatch(text):
            return Unit(dimension, factor)
    return None


def in_unit_of(dimension: Dimension, numbers: ArrayLike, unit: str) -> NDArray[np.float64]:
    """Numbers in the unit that unscatter uses for a dimension; no unit at all counts as that one.

    Raises ValueError for a unit that is not known or measures something else.
    """
    values = np.asarray(numbers, dtype=np.float64)
    if not unit.strip():
        return values
    found = find_unit(unit)
    if found is None or found.dimension != dimension:
        raise ValueError(f"unit {unit.strip()[:30]!r} is no {dimension}; expected for example {UNITS[dimension]}")
    return found.factor * values + found.offset


def find_quantity(label: str, unit: str = "") -> Quantity | None:
    """Read the label of a column or an axis; None if no name in it is known.

    label: "2theta", "Q (1/A)", "q_nm^-1", "2th_deg", "d-Spacing [Angstrom]", "Q / nm^-1". unit: where the file names
    it beside the label. Raises ValueError for a unit that is not known, or of another dimension than the name.
    """
    # HighScore: Pos. [°2Th.]
    if _DEGREES_OF_TWO_THETA.search(unicodedata.normalize("NFKC", f"{label} [{unit}]")):
        return Quantity("two-theta", "angle", name=label.strip(), unit_given=True)
    for name, inside in _splits(label):
        known = _named(name, label)
        # what is no axis of diffraction may be in any unit: Temperature (K)
        other = known is not None and known.kind == "another quantity" and re.search(r"[\[(]", label) is not None
        if known is not None and (not inside or other or find_unit(inside) is not None):
            return _with_unit(known, unit.strip() or inside)
    return None


def is_transformed(name: str) -> bool:
    """Whether a name is of logarithms, roots or products of intensities: "log10(I)", "sqrt(counts)", "I*Q^2"."""
    return _TRANSFORMED.fullmatch(name.strip()) is not None


def parse_number(text: str) -> tuple[float, float] | None:
    """Value and standard uncertainty of a printed number, or None if it is none: "12.3(4)" is (12.3, 0.4).

    The uncertainty is NaN where none is given; "90.", "1.5D+03" and "nan" are numbers too.
    """
    found = _NUMBER.fullmatch(text)
    if found is None:
        return (math.nan, math.nan) if _NOT_FINITE.fullmatch(text) else None
    sign, digits, exponent, brackets = found.groups()
    value = float(f"{sign}{digits}e{exponent or 0}")
    if brackets is None:
        return value, math.nan
    # the bracket counts in units of the last digit
    return value, float(f"{brackets}e{int(exponent or 0) - len(digits.partition('.')[2])}")


def parse_quantity(text: str) -> tuple[float, str] | None:
    """A number and the unit behind it, "" where none is known: "7.2932e-11 m" is (7.2932e-11, "m")."""
    found = _LEADING.match(text)
    if found is None:
        return None
    number = parse_number(found.group(1))
    assert number is not None, "the pattern of a number"
    words = re.split(r"[\s,;)\]]+", found.group(2).lstrip("([").strip(), maxsplit=1)
    return number[0], words[0] if words[0] and find_unit(words[0]) is not None else ""


def wavelength_in_angstrom(value: float, unit: str = "", radiation: str | None = None) -> float:
    """Wavelength in Angstrom from a length or an energy: h c / E for photons, h / sqrt(2 m E) for neutrons.

    Without a unit it is in Angstrom, or in metres where it is below 1e-8: nothing else is as small. Energies in meV
    are those of neutrons, others too if radiation is "neutron". Raises ValueError for other units; whether the result
    can be is asked by `require_wavelength`.
    """
    found = Unit("length", 1e10 if 0 < value < 1e-8 else 1.0) if not unit.strip() else find_unit(unit)
    if found is None or found.dimension not in ("length", "energy"):
        raise ValueError(
            f"wavelength {value:g} {unit}: expected a length or an energy, for example 1.5406 A or 8.05 keV"
        )
    angstrom = value * found.factor
    if found.dimension == "energy":
        slow = radiation == "neutron" or found.factor < 1e-5
        with np.errstate(divide="ignore", invalid="ignore"):
            wavelength = np.sqrt(np.float64(NEUTRON) / angstrom) if slow else np.float64(PHOTON) / angstrom
        return float(wavelength)
    return angstrom


def require_wavelength(angstrom: float) -> float:
    """Give back a wavelength that a file states; raises ValueError outside of 0.05 to 20 Angstrom."""
    low, high = WAVELENGTHS
    if not low <= angstrom <= high:
        raise ValueError(
            f"the file states a wavelength of {angstrom:.4g} A; expected {low:g} to {high:g} A: "
            "give the right one in Angstrom, for example --wavelength 1.5406"
        )
    return angstrom


def spacings_to_two_theta(d: ArrayLike, wavelength: float) -> NDArray[np.float64]:
    """Two-theta in degrees of spacings in Angstrom, 2 arcsin(lambda / 2 d); NaN where no angle reaches them."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(2 * np.degrees(np.arcsin(wavelength / (2 * np.asarray(d, dtype=np.float64)))))


def spacings(quantity: Quantity, numbers: ArrayLike) -> NDArray[np.float64]:
    """Spacings in Angstrom of the numbers of a quantity of kind "d", "Q" or "1/d^2".

    Raises ValueError for any other kind.
    """
    values = quantity.values(numbers)
    with np.errstate(divide="ignore", invalid="ignore"):
        if quantity.kind == "d":
            return values
        if quantity.kind == "Q":
            return np.asarray(2 * np.pi / values)
        if quantity.kind == "1/d^2":
            return np.asarray(1 / np.sqrt(values))
    raise ValueError(f"{quantity.name or quantity.kind} is {quantity.kind}, which is no spacing; expected d or Q")


def _named(name: str, label: str) -> Quantity | None:
    plain = _plain(name)
    for pattern, kind, dimension, factor in _PATTERNS:
        if pattern.fullmatch(plain):
            return Quantity(kind, dimension, factor, name=label.strip())
    return None


def _with_unit(known: Quantity, unit: str) -> Quantity:
    if not unit or known.kind == "another quantity":
        return known
    found = find_unit(unit)
    if found is None or found.dimension != known.dimension:
        raise ValueError(
            f"{known.name!r} in {unit[:30]!r}: that is no unit of {known.kind}; "
            f"expected for example {UNITS[known.dimension]}"
        )
    return Quantity(known.kind, known.dimension, known.factor * found.factor, found.offset, known.name, True)


def _splits(label: str) -> list[tuple[str, str]]:
    """Ways to divide a label into a name and a unit, the likeliest first."""
    text = label.lstrip("#*!%;").strip(" \t\"',;:=")
    ways = (re.fullmatch(pattern, text) for pattern in _DIVISIONS)
    found = [(text, ""), *((way.group(1), way.group(2)) for way in ways if way)]
    # silx and pyFAI write names and symbols: Scattering vector $q$ ($nm^{-1}$)
    if divided := re.fullmatch(r"(.+?)\$(.+?)\$\s*\((.+)\)", text):
        found.append((divided.group(2), divided.group(3)))
    return found


def _plain(name: str) -> str:
    """A name without case, blanks, hyphens and underscores, Greek letters spelled out."""
    text = unicodedata.normalize("NFKC", name).lower()
    for letter, word in (
        ("θ", "theta"),
        ("ϑ", "theta"),
        ("ϴ", "theta"),
        ("λ", "lambda"),
        ("ω", "omega"),
        ("⋅", ""),
        ("·", ""),
    ):
        text = text.replace(letter, word)
    text = re.sub(r"[$\\{}\s_.]|(?<=\w)\*(?=theta)", "", text)
    text = re.sub(r"-(?!\d)", "", text)
    return text if text in ("1/d", "d*") else text.rstrip(":=")


def _unit_text(text: str) -> str:
    """A unit without markup: LaTeX, superscripts, brackets, and the signs for minus and micro."""
    text = unicodedata.normalize("NFKC", text.replace("Ã…", "Å").replace("Â°", "°")).strip(" \t\"'.,;:")
    # Origin writes nm\+(-1)
    text = re.sub(r"\\\+\(([^)]*)\)", r"^\1", text)
    # xmgrace A\S-1\N
    text = re.sub(r"\\S([^\\]*)\\N", r"^\1", text)
    text = re.sub(r"\\?(?<![A-Za-z])(?:circ|degree)\b", "o", text).replace("\\AA", "A").replace("\\mu", "µ")
    text = re.sub(r"[$\\{}\[\]()<>]|mathrm|\btext\b", "", text).replace("−", "-").replace("–", "-")
    # NFKC turns the micro sign into the Greek letter
    text = re.sub(r"^in (?!\d)", "", text.replace("μ", "µ").replace("θ", "theta"))
    return re.sub(r"\s*([/^*-])\s*", r"\1", " ".join(text.split()))
