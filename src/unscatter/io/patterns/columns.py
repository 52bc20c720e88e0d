"""Columns of text: an axis, intensity and perhaps its uncertainty (xy, xye, csv, dat, txt, INS 10).

Comments begin with # ; ! ' % or a word; columns are parted by blanks, tabs, commas or semicolons; a decimal
comma is understood where no number of the table has a point. Which column is which, the names above them say;
without names the first is the axis, the second the intensity, the third of three its uncertainty (or it stands in
brackets).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from unscatter.io.patterns.checks import LEAST_POINTS, MOST_MISSING
from unscatter.io.patterns.conditions import fill_values
from unscatter.io.patterns.content import Content
from unscatter.io.patterns.header import facts, first_page, take_json
from unscatter.io.patterns.labels import (
    DIFFRACTION,
    INTENSITIES,
    Label,
    are_lines,
    assumed_intensity,
    choose_axis,
    choose_intensity,
    column_of,
    find_labels,
    other_quantity,
)
from unscatter.io.patterns.marks import marked
from unscatter.io.patterns.passes import choose_pass
from unscatter.io.patterns.pyfai import axis_of_geometry
from unscatter.io.patterns.refused import refuse_text
from unscatter.io.patterns.scan import Scan, choose_number, join, refuse_changing
from unscatter.io.patterns.shapes import second_axis, without_counter
from unscatter.io.patterns.spec import scans_of_spec
from unscatter.io.patterns.stated_axis import UNKNOWN, stated_axis
from unscatter.io.patterns.table_of_text import ONE_COLUMN, Table, table_of
from unscatter.quantities import Quantity, parse_number

NAME = "columns of text"
BLOCKS = "number of the pass over the angles, or of the scan of SPEC"
ASSUMES: tuple[str, ...] = (
    "a table without names is two-theta in degrees, intensity, and in three columns its uncertainty",
    "where the header names an anode and no wavelength, its K-alpha 1",
)

#: More columns than this without names are the rows of an image, not a pattern.
_MOST_COLUMNS = 10


def recognises(content: Content) -> bool:
    """Whether the file is text: the format to try when every other has declined."""
    return bool(content.text.strip())


def read(content: Content) -> Scan:
    """Read columns of numbers.

    Of a file of SPEC each scan is read, of any other one pass or the sum of all. Raises ValueError if there are none,
    if a line breaks off, if they are the rows of an image or a list of lines.
    """
    refuse_text(content)
    if scans := scans_of_spec(content.text):
        return _of_spec(scans, content.block)
    return choose_pass(_read_text(content.text), content.block)


def _read_text(text: str) -> Scan:
    table = table_of(text)
    header, cut = first_page(table.header)
    found = find_labels(header, table.values.shape[1], table.separator)
    scan = _unnamed(table, header) if found is None else _named(table, *found)
    remark = f"lines of words among the rows were not read, the first of them {table.remark[:60]!r}" * bool(
        table.remark
    )
    return _without_fill(_interpolated(scan, header), header).telling(cut, remark)


def _without_fill(scan: Scan, header: list[str]) -> Scan:
    """NaN for what the header says to stand for points that were not measured."""
    for fill in fill_values(header):
        gap = scan.intensity == fill
        if gap.any() and gap.mean() < MOST_MISSING and (fill <= 0 or fill >= np.nanmax(scan.intensity)):
            told = f"{int(gap.sum())} points are {fill:g}, which the header says to mark a gap: not measured, left out"
            scan = replace(scan, intensity=np.where(gap, np.nan, scan.intensity)).telling(told)
    return scan


def _of_spec(scans: list[str], block: str) -> Scan:
    """The scans over an axis of diffraction put together, or the one that is asked for."""
    if block:
        return _read_text(choose_number(scans, block)[0])
    read: list[Scan] = []
    left: list[str] = []
    for number, text in enumerate(scans, 1):
        try:
            read.append(_read_text(text))
        except ValueError as error:
            left.append(f"{number} ({error})")
    kinds = [scan.axis.kind if scan.axis else "two-theta" for scan in read]
    best = next((kind for kind in DIFFRACTION if kind in kinds), "")
    kept = [scan for scan, kind in zip(read, kinds, strict=True) if kind == best]
    if not kept:
        raise ValueError(f"none of the {len(scans)} scans of SPEC is a pattern: {left[0] if left else 'another axis'}")
    if len({scan.axis for scan in kept}) > 1:
        raise ValueError(f"{len(kept)} scans over axes in different units; expected one: choose it with --block 1")
    told = f"of {len(scans)} scans of SPEC {len(kept)} are over {best}: these are used (--block chooses)"
    return join(kept).telling(told if len(scans) > 1 else "")


def _named(table: Table, labels: list[Label], header: list[str]) -> Scan:
    # a column of words has no numbers
    empty = np.all(np.isnan(table.values), axis=0)
    labels = [Label("") if none else label for label, none in zip(labels, empty, strict=True)]
    axis = choose_axis(labels)
    # a scan of SPEC may list h, k, l beside every point
    if are_lines(labels) and not (axis is not None and _is_even(table.values[:, axis])):
        names = ", ".join(label.text for label in labels if label.text)
        raise ValueError(
            f"a list of lines (columns {names}), not a pattern; expected the intensity at every step of two-theta: "
            "give the measured pattern"
        )
    intensity = choose_intensity(labels)
    # 2theta (Cu Ka1)
    known = facts([*header, *(label.text for label in labels)])
    told = list(known.pop("assumptions"))
    quantity = None if axis is None else labels[axis].axis
    if axis is None:
        axis = 0 if intensity != 0 else 1
        json, words = take_json([line.strip(" \t#") for line in header])
        quantity = (
            stated_axis(words, json) if labels[axis].unit is None and not other_quantity(labels[axis].text) else None
        )
        if quantity is None:
            quantity, how = _by_unit(labels[axis])
            told.append(how)
    if intensity is None:
        intensity = assumed_intensity(labels, axis)
        told.append(f"the column {labels[intensity].text or intensity + 1!r} is assumed to be the intensity")
    columns = table.values
    values, sigma = (
        columns[:, intensity],
        _sigma(table, labels, intensity),
    )
    for place in _scales(labels, intensity, columns):
        if (scale := _varying(columns[:, place], labels[place].text)) is not None:
            values, sigma = values / scale, None if sigma is None else sigma / scale
            told.append(f"the intensity was divided by the column {labels[place].text!r}")
    for place, label in enumerate(labels):
        if label.role == "factor":
            refuse_changing(columns[:, place], f"the column {label.text!r}")
        if label.role in ("bad", "good", "quality") and (bad := marked(columns[:, place], label.role)).any():
            values = np.where(bad, np.nan, values)
            told.append(f"{int(bad.sum())} points are marked in the column {label.text!r}")
    if len(labels) > 3 or len([label for label in labels if label.role in INTENSITIES]) > 1:
        used = [labels[place].text for place in (axis, intensity)]
        told.append(f"of {len(labels)} columns {' and '.join(used)} are used")
    if quantity is None:
        # told above
        return Scan(columns[:, axis], values, sigma, **known, assumptions=tuple(told))
    return Scan(columns[:, axis], values, sigma, axis=quantity, **known, assumptions=tuple(told))


def _interpolated(scan: Scan, header: list[str]) -> Scan:
    """Positions and intensities times the factors in a line INTER of FullProf's XYDATA."""
    if not any(line.strip().upper().startswith("XYDATA") for line in header[:1]):
        return scan
    words = next((line.split() for line in header[1:6] if line.strip().upper().startswith("INTER")), [])
    factors = [found[0] for word in words[1:3] if (found := parse_number(word)) is not None]
    if len(factors) < 2 or factors == [1.0, 1.0] or not min(factors) > 0:
        return scan
    along, up = factors
    sigma = None if scan.sigma is None else up * scan.sigma
    scan = replace(scan, positions=along * scan.positions, intensity=up * scan.intensity, sigma=sigma)
    return scan.telling(f"positions were multiplied by {along:g} and intensities by {up:g}, as the line INTER says")


def _is_even(axis: NDArray[np.float64]) -> bool:
    steps = np.diff(axis)
    return bool(
        steps.size >= LEAST_POINTS - 1 and np.all(steps * steps[0] > 0) and np.ptp(steps) < 0.5 * abs(steps.mean())
    )


def _by_unit(label: Label) -> tuple[Quantity | None, str]:
    """What the axis is whose name means nothing, by its unit if it has one, and what is told of that.

    UNKNOWN for units of what may be Q or 1/d, or is no axis of diffraction.
    """
    unit, other = label.unit, other_quantity(label.text)
    if other is not None:
        return other, ""
    if unit is None or unit.dimension == "angle":
        quantity = None if unit is None else Quantity("two-theta", "angle", unit.factor, unit.offset, label.text, True)
        return quantity, f"the column {label.text!r} is assumed to be two-theta in degrees"
    if unit.dimension == "length" and unit.factor <= 10:
        return Quantity(
            "d", "length", unit.factor, 0.0, label.text, True
        ), f"the column {label.text!r} is assumed to be d"
    return Quantity(UNKNOWN, unit.dimension, unit.factor, unit.offset, label.text, True), ""


def _scales(labels: list[Label], intensity: int, columns: NDArray[np.float64]) -> list[int]:
    """Columns of counting times, unless the intensity is per second already, and of monitors."""
    found = [column_of(labels, "monitor")]
    if not labels[intensity].is_rate:
        time, clock = column_of(labels, "time"), column_of(labels, "clock")
        # a time that runs on and on is that of the day
        running = clock is not None and bool(np.all(np.diff(columns[:, clock]) > 0))
        found.append(clock if time is None and not running else time)
    return [place for place in found if place is not None]


def _sigma(table: Table, labels: list[Label], intensity: int) -> NDArray[np.float64] | None:
    """Standard uncertainty from the column that is called so, or a variance, or a weight, or from brackets."""
    columns = table.values
    with np.errstate(divide="ignore", invalid="ignore"):
        # S, where it is the only column beside an axis, is the intensity itself
        if (place := column_of(labels, "sigma")) is not None and place != intensity:
            return columns[:, place]
        if (place := column_of(labels, "relative sigma")) is not None and (of := choose_intensity(labels)) is not None:
            percent = 0.01 if "%" in labels[place].text or "percent" in labels[place].text.lower() else 1.0
            return np.asarray(percent * columns[:, place] * np.abs(columns[:, of]))
        if (place := column_of(labels, "variance")) is not None:
            return np.sqrt(columns[:, place])
        if (place := column_of(labels, "weight")) is not None and np.all(columns[:, place] > 0):
            return np.asarray(1 / np.sqrt(columns[:, place]))
    if np.all(np.isfinite(table.brackets)):
        return table.brackets
    return None


def _varying(scale: NDArray[np.float64], name: str) -> NDArray[np.float64] | None:
    """Times or monitor counts relative to their mean, if they differ from point to point."""
    if np.ptp(scale) <= 1e-3 * np.max(np.abs(scale)):
        return None
    if not np.all(scale > 0):
        raise ValueError(
            f"the column {name!r} falls to {scale.min():g}, by which nothing can be divided: take out those "
            "points, or that column where the intensities do not need it"
        )
    return np.asarray(scale / scale.mean())


def _unnamed(table: Table, header: list[str]) -> Scan:
    values = table.values[:, ~np.all(np.isnan(table.values), axis=0)]
    count = values.shape[1]
    if count < 2:
        raise ValueError(ONE_COLUMN)
    if count > _MOST_COLUMNS:
        raise ValueError(
            f"{count} numbers a line: an image or a table of many patterns; expected two or three columns: "
            "integrate the image, or save one pattern as two-theta and intensity"
        )
    known = facts(header)
    told = list(known.pop("assumptions"))
    json, words = take_json([line.strip(" \t#") for line in header])
    axis = stated_axis(words, json)
    if axis is None:
        axis, how = axis_of_geometry(json, values[:, 0])
        told += [how] if how else []
    sigma = table.brackets if np.all(np.isfinite(table.brackets)) else None
    if count > 3 and count % 2 == 0 and np.all(np.diff(values.reshape(-1, 2)[:, 0]) > 0):
        told.append(f"the {count} columns without names are pairs of position and intensity, one behind the other")
        pairs = values.reshape(-1, 2)
        return Scan(pairs[:, 0], pairs[:, 1], axis=axis, **known, assumptions=tuple(told))
    values, how = without_counter(values)
    told += [how] if how else []
    if (other := second_axis(values)) is not None:
        return Scan(values[:, 0], *other.columns(values), axis=axis, **known, assumptions=(*told, other.words))
    count = values.shape[1]
    if count == 3:
        sigma = values[:, 2]
        told.append("the third column is assumed to be the uncertainty of the second")
    if count > 3:
        told.append(f"of {count} columns without names the second is assumed to be the intensity")
    return Scan(values[:, 0], values[:, 1], sigma, axis=axis, **known, assumptions=tuple(told))
