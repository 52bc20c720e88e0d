"""Planes and directions as people write them: "hk1", "h,-h,l", "[H,H,0]", "h=-8:8 k=-8:8 l=1"."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from unscatter.nouns.plane import PlaneAxes

_NUMBER = r"(?:\d+\.?\d*|\.\d+)"
_TERM = re.compile(rf"[+-]?(?:{_NUMBER}[hkl]?|[hkl])")
_INDEX = re.compile(rf"(?:{_TERM.pattern})(?:[+-]{_NUMBER}?[hkl]?)*")
_ITEM = re.compile(r"(\w+)=(\[[^\]]*\]|\S+)")

_PLANE_EXAMPLES = 'write for example "hk1", "h0l", "hhl", "h,-h,l" or "origin=0,0,0.5 u=1,1,0 v=0,0,1"'
_AXES_EXAMPLES = (
    'write for example --axes "h=-8:8 k=-8:8 l=1" (columns, rows, fixed index; first:last pixel) '
    'or --axes "u=1,0,0:-8:8 v=0.5,1,0:-6:6 origin=0,0,1"'
)


@dataclass(frozen=True)
class Section:
    """A plane through reciprocal space, not yet divided into pixels: hkl = origin + x u + y v.

    origin, u, v: (3,) in reciprocal-lattice units; name: as the user wrote it.
    """

    origin: NDArray[np.float64]
    u: NDArray[np.float64]
    v: NDArray[np.float64]
    name: str = ""


def parse_section(text: str) -> Section:
    """Read the name of a plane.

    Either three indices, with commas or blanks between them where one has a factor or a sum ("hk1", "h0l",
    "hk0.5", "h-1l", "hhl", "h,-h,l", "h,2h,l"): of the letters, the first runs along x, the second along y.
    Or "origin=0,0,0.5 u=1,1,0 v=0,0,1". Raises ValueError for anything else.
    """
    try:
        origin, u, v = _explicit_section(text) if "=" in text else _lettered_section(text)
    except ValueError as error:
        raise ValueError(f'plane "{text}": {error}; {_PLANE_EXAMPLES}') from None
    if np.linalg.norm(np.cross(u, v)) < 1e-9:
        raise ValueError(f'plane "{text}": u and v are parallel and span no plane; {_PLANE_EXAMPLES}')
    return Section(origin, u, v, text)


def parse_direction(label: str) -> NDArray[np.float64] | None:
    """Read the direction of an axis from its label: "Qh", "[H,-H,0]", "[0 k 0] (r.l.u.)"; else None."""
    brackets = re.search(r"\[(.*?)\]", label)
    text = (brackets.group(1) if brackets else label).strip().lower()
    if lone := re.fullmatch(r"(?:q_?)?([hkl])(?:_?(?:index|axis))?", text):
        return np.array([letter == lone.group(1) for letter in "hkl"], dtype=np.float64)
    try:
        columns = _index_columns(text)
    except ValueError:
        return None
    used = [column for column in columns[:, 1:].T if np.any(column)]
    return used[0] if len(used) == 1 and not np.any(columns[:, 0]) else None


def split_names(text: str) -> list[str]:
    """Names of axes in one text, "D2:D1:D0", "[Ql,Qk,Qh]" or "[0,0,5L]:[0,K,0]": at colons, else at commas."""
    text = text.strip()
    separator = ":" if ":" in text else ","
    if separator == "," and text.count("[") == 1 and text.startswith("[") and parse_direction(text) is None:
        text = text.strip("[]")
    names = re.split(rf"{separator}(?![^\[]*\])", text)
    return [name.strip() for name in names if name.strip()]


def parse_plane_axes(text: str, shape: tuple[int, int], known: PlaneAxes | None = None) -> PlaneAxes:
    """Read where the pixels of a plane of `shape` (ny, nx) lie: the axes of `parse_turned_axes`."""
    return parse_turned_axes(text, shape, known)[0]


def parse_turned_axes(
    text: str, shape: tuple[int, int], known: PlaneAxes | None = None
) -> tuple[PlaneAxes, tuple[bool, bool]]:
    """Read where the pixels of a plane of `shape` (ny, nx) lie, and whether its rows and columns are to be turned.

    "h=-8:8 k=-8:8 l=1": the first range runs along the columns (x), the second along the rows (y), each
    from the centre of the first pixel to the centre of the last; the third index is fixed. Or, for any plane,
    "u=1,0,0:-8:8 v=0.5,1,0:-6:6 origin=0,0,1". A range that decreases, "h=8:-8", turns the array.
    known: what the file says; its names of columns and rows count, whatever the order of the ranges, and with them the
    fixed index alone, "l=1", is enough. Raises ValueError with an example for anything else.
    """
    try:
        items = _items(text)
        if known is not None and len(items) == 1 and set(items) <= set("hkl"):
            return _at_level(known, *items.popitem()), (False, False)
        parts = _vector_axes(items) if "u" in items else _letter_axes(items)
        (u, x_range), (v, y_range), origin = parts
        if known is not None and "u" not in items and np.allclose(known.u, v) and np.allclose(known.v, u):
            u, x_range, v, y_range = v, y_range, u, x_range
        pairs = zip((x_range, y_range), shape[::-1], strict=True)
        x, y = (np.linspace(min(ends), max(ends), count) for ends, count in pairs)
        turned = y_range[0] > y_range[1], x_range[0] > x_range[1]
        return PlaneAxes(origin, u, v, x, y), turned
    except ValueError as error:
        raise ValueError(f'axes "{text}": {error}; {_AXES_EXAMPLES}') from None


def _at_level(known: PlaneAxes, letter: str, text: str) -> PlaneAxes:
    place = "hkl".index(letter)
    if abs(known.u[place]) > 1e-9 or abs(known.v[place]) > 1e-9:
        raise ValueError(f"{letter} runs along the plane {known.name()} of the file and is not one number")
    origin = known.origin.copy()
    origin[place] = _number(text)
    return replace(known, origin=origin)


def names_axes(text: str | None) -> bool:
    """Whether a text names axes of the file, "h=Q1 k=Q2 l=Q3", rather than give ranges."""
    try:
        values = _items(text).values() if text else ()
    except ValueError:
        return False
    return any(re.match(r"[A-Za-z_\[]", value) for value in values)


def parse_axis_names(text: str) -> tuple[dict[str, NDArray[np.float64]], dict[str, float]]:
    """Read "h=Q1 k=Q2 l=Q3" or "h=Q1 k=Q2 l=0.5": directions by the name of the axis, and fixed indices by letter.

    A direction other than h, k, l is written behind the name: "Q1=[H,H,0] Q2=[0,0,L]". Raises ValueError with an
    example for anything else.
    """
    found: dict[str, NDArray[np.float64]] = {}
    fixed: dict[str, float] = {}
    for key, value in _items(text).items():
        direction = parse_direction(value)
        if key in ("h", "k", "l") and re.match(r"[A-Za-z_]", value):
            found[value] = np.array([key == letter for letter in "hkl"], dtype=np.float64)
        elif key in ("h", "k", "l"):
            fixed[key] = _number(value)
        elif direction is not None:
            found[key] = direction
        else:
            raise ValueError(
                f'axes "{text}": {key}={value} is no direction; write for example --axes "h=Q1 k=Q2 l=Q3" '
                'or --axes "Q1=[H,H,0] Q2=[0,0,L]"'
            )
    return found, fixed


def parse_volume_axes(text: str, shape: tuple[int, ...]) -> list[tuple[str, NDArray[np.float64]]]:
    """Read where the voxels of an array of `shape` (slow, middle, fast) lie: letter and values of each axis of it.

    "h=-8:8 k=-8:8 l=-2:2": as for planes, the first range runs along the columns, the last axis of the array, the
    second along the rows, the third along the layers. Raises ValueError with an example for anything else.
    """
    try:
        items = _items(text)
        if set(items) != {"h", "k", "l"} or not all(":" in value for value in items.values()):
            raise ValueError("a volume needs a range first:last for each of h, k and l")
        pairs = zip(items.items(), shape[::-1], strict=True)
        return [(key, np.linspace(*_range(value), count)) for (key, value), count in pairs][::-1]
    except ValueError as error:
        example = 'write for example --axes "h=-8:8 k=-8:8 l=-2:2" (fastest axis first; first:last voxel)'
        raise ValueError(f'axes "{text}": {error}; {example}') from None


_Ranged = tuple[NDArray[np.float64], tuple[float, float]]


def _letter_axes(items: dict[str, str]) -> tuple[_Ranged, _Ranged, NDArray[np.float64]]:
    if set(items) != {"h", "k", "l"}:
        raise ValueError(f"expected h, k and l once each, got {', '.join(items) or 'nothing'}")
    ranged = [key for key in items if ":" in items[key]]
    if len(ranged) != 2:
        raise ValueError(f"two of h, k, l need a range first:last and one a number, got {len(ranged)} ranges")
    unit = dict(zip("hkl", np.eye(3), strict=True))
    (fixed,) = set(items) - set(ranged)
    first, second = ((unit[key], _range(items[key])) for key in ranged)
    return first, second, unit[fixed] * _number(items[fixed])


def _vector_axes(items: dict[str, str]) -> tuple[_Ranged, _Ranged, NDArray[np.float64]]:
    if set(items) != {"u", "v", "origin"}:
        raise ValueError(f"expected u, v and origin once each, got {', '.join(items)}")
    first, second = (_ranged_vector(items[key]) for key in "uv")
    return first, second, _vector(items["origin"])


def _ranged_vector(text: str) -> _Ranged:
    vector, colon, limits = text.partition(":")
    if not colon:
        raise ValueError(f'"{text}" has no range: expected three numbers and first:last')
    return _vector(vector), _range(limits)


def _explicit_section(text: str) -> tuple[NDArray[np.float64], ...]:
    items = _items(text)
    if set(items) != {"origin", "u", "v"}:
        raise ValueError(f"expected origin, u and v once each, got {', '.join(items)}")
    return _vector(items["origin"]), _vector(items["u"]), _vector(items["v"])


def _lettered_section(text: str) -> tuple[NDArray[np.float64], ...]:
    columns = _index_columns(text.strip().lower())
    used = [column for column in columns[:, 1:].T if np.any(column)]
    if len(used) != 2:
        raise ValueError(f"a plane has two letters that run and one index that does not, got {len(used)} letters")
    return columns[:, 0], used[0], used[1]


def _index_columns(text: str) -> NDArray[np.float64]:
    """Three indices as a matrix (3, 4): the constant and the factors of h, k, l in each."""
    text = text.strip("()[] ")
    if re.search(r"[,\s]", text):
        indices = re.split(r"[,\s]+", text)
    else:
        # Without separators "0l" is the index 0 and the letter l, not zero times l.
        indices = re.findall(rf"-?(?:{_NUMBER}|[hkl])", text)
        if "".join(indices) != text:
            raise ValueError("it has characters that are no index")
    if len(indices) != 3:
        raise ValueError(f"expected three indices, got {len(indices)}")
    return np.array([_index(index) for index in indices])


def _index(text: str) -> NDArray[np.float64]:
    """One index such as "-1", "2h" or "h+k" as (4,): the constant and the factors of h, k, l."""
    if not _INDEX.fullmatch(text):
        raise ValueError(f'"{text}" is no index')
    factors = np.zeros(4)
    for term in _TERM.findall(text):
        letter = term[-1] if term[-1] in "hkl" else ""
        number = term.removesuffix(letter)
        factors["hkl".find(letter) + 1 if letter else 0] += float(f"{number}1" if number in "+-" else number)
    return factors


def _items(text: str) -> dict[str, str]:
    items = _ITEM.findall(text)
    if _ITEM.sub("", text).strip() or len(dict(items)) != len(items):
        raise ValueError("expected name=value items with blanks between them")
    return dict(items)


def _range(text: str) -> tuple[float, float]:
    first, _, last = (part.strip() for part in text.partition(":"))
    ends = _number(first), _number(last)
    if ends[0] == ends[1]:
        raise ValueError(f'range "{text}" has no length: give first:last, the centres of the first and last pixel')
    return ends


def _vector(text: str) -> NDArray[np.float64]:
    numbers = [_number(part) for part in text.split(",")]
    if len(numbers) != 3:
        raise ValueError(f'"{text}" is not three numbers')
    return np.array(numbers)


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise ValueError(f'"{text}" is not a number') from None
    if not np.isfinite(number):
        raise ValueError(f'"{text}" is not finite')
    return number
