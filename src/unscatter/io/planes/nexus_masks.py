"""Masks beside the signal of an NXdata group: what their names and shapes say, and arrays that nobody asked for."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from unscatter.io.hdf5 import Node, Store, attribute, require_numbers
from unscatter.io.planes.grids import Slices
from unscatter.nouns.arrays import Mask

#: Masks in the group of the signal, {0} its name: what is not zero in the first was not measured (NeXus; bits of
#: NXdetector), what is zero in the second. Without case.
BAD = ("{0}_mask", "mask", "pixel_mask", "bad_pixel_mask", "bad_pixels", "bad", "dead_pixels", "hot_pixels", "invalid",
       "masked")  # fmt: skip
#: Flags: of whole numbers what is not zero was not measured, unless most are one and the others zero.
QUALITY = ("quality", "{0}_quality", "data_quality", "quality_flags", "{0}_flags", "flags", "flag", "{0}_status",
           "status", "dq")  # fmt: skip
#: Where these uncertainties of a signal are no number, or negative, it was not measured.
ERRORS = ("{0}_errors", "errors", "{0}_error", "error", "sigma", "{0}_sigma")
#: How many pixels or events a value was made of: none means not measured.
COUNTS = ("npix", "npixels", "n_pixels", "num_pixels", "number_of_pixels", "num_events", "n_events", "coverage",
          "multiplicity", "redundancy", "hits", "{0}_npix", "{0}_coverage")  # fmt: skip
#: Names of arrays that a signal is divided by, {0} its name. Without case.
NORMS = ("norm", "{0}_norm", "norms", "normalization", "normalisation", "{0}_normalization", "{0}_normalisation",
         "monitor", "{0}_monitor")  # fmt: skip
#: Squares of uncertainties.
VARIANCES = ("{0}_variance", "{0}_variances", "variances", "variance", "{0}_errors_squared", "errors_squared")
#: The largest number that a detector counts (NXdetector; DAWN).
SATURATION = ("saturation_value", "saturation", "saturated_value", "count_cutoff", "countrate_correction_count_cutoff")
GOOD = ("valid", "is_valid", "valid_pixels", "good", "good_pixels")
_OF_DETECTORS = ("instrument/detector/pixel_mask", "detector/pixel_mask")
#: Pixels along either side of what is looked at to judge a whole array.
_SAMPLE = 1024
#: Fields that belong to a signal and are no data of their own.
_BELONGING = ("_errors", "_error", "errors", "_weights", "_uncertainties", "_scaling_factor", "_offset")


@dataclass(frozen=True)
class SignalMask:
    """A mask: its name, and what of a block it marks as not measured."""

    name: str
    marks: Callable[[Slices], Mask]


def find_masks(store: Store, group_name: str, name: str, node: Node) -> list[SignalMask]:
    """Masks of a signal `node`: of its shape, or of that of its last axes, and then of every layer.

    Raises ValueError for a mask of the group that fits neither.
    """
    group: Node = store.get(group_name or "/")
    said = attribute(node, "mask") or attribute(group, "mask")
    bad = [pattern.format(name).lower() for pattern in BAD] + ([said.lower()] if said else [])
    members = [*group, *([said] if said and said not in group else [])]
    found = []
    for member in members:
        good = member.lower() in GOOD
        mask = store.dataset(member, group) if member != name and (good or member.lower() in bad) else None
        if mask is not None:
            found.append(_fitting(store, member, mask, name, node, good=good))
    found += _flags_and_errors(store, group, name, node) + _saturated(store, group_name, name, node)
    entry = group_name.rpartition("/")[0]
    for path in dict.fromkeys(
        f"{holder}/{inside}".strip("/") for holder in (group_name, entry) for inside in _OF_DETECTORS
    ):
        mask = store.dataset(path)
        # a detector's own may be of the images that the signal was made of
        if mask is not None and mask.shape == node.shape:
            found.append(_fitting(store, "pixel_mask", mask, name, node, good=False))
    return found


def _flags_and_errors(store: Store, group: Node, name: str, node: Node) -> list[SignalMask]:
    """What flags of quality mark, and uncertainties that are no number, where they have the shape of the signal."""
    flags = [pattern.format(name).lower() for pattern in QUALITY]
    counts = [pattern.format(name).lower() for pattern in (*COUNTS, *NORMS)]
    errors = [said for said in (attribute(node, "uncertainties"), *(text.format(name) for text in ERRORS)) if said]
    found = []
    for member in group:
        flagged, uncertain = member.lower() in flags, member in errors
        other = store.dataset(member, group) if member != name and (flagged or uncertain) else None
        if member.lower() in counts and member != name:
            found += _empty(store, group, member, node)
        if other is None or other.shape != node.shape or other.dtype.kind not in ("biu" if flagged else "f"):
            continue
        sample = np.asarray(other[middle_of(other.shape)])
        if flagged:
            found.append(SignalMask(member, _by_flags(other, good=_means_good(sample))))
        elif np.any(_is_number(sample)):
            found.append(SignalMask(f"{member} as not known", _by_errors(other)))
    return found


def _saturated(store: Store, group_name: str, name: str, node: Node) -> list[SignalMask]:
    """What reaches the largest number that a detector counts, which the signal, its group or the detector states.

    That of a detector is of what it counted itself: of data that are no whole numbers only what equals it is meant.
    """
    group: Node = store.get(group_name or "/")
    entry = group_name.rpartition("/")[0]
    own = [_number_of(node.attrs.get(said)) for said in SATURATION]
    own += [_number_of(store.numbers(said.format(name), group)) for said in (*SATURATION, "{0}_saturation_value")]
    instrument = store.get(f"{entry}/instrument".strip("/"))
    holders = [] if instrument is None or not hasattr(instrument, "keys") else [*instrument]
    paths = [f"{entry}/instrument/{holder}/{said}".strip("/") for holder in holders for said in SATURATION]
    of_detectors = [_number_of(store.numbers(path)) for path in paths]
    stated = [[number for number in numbers if number is not None and number > 0] for numbers in (own, of_detectors)]
    if not any(stated):
        return []
    limit = (stated[0] or stated[1])[0]
    label = f"the saturation value {limit:g} as met"
    if stated[0] or node.dtype.kind in "iu":
        return [SignalMask(label, lambda slices: np.asarray(node[slices] >= limit))]
    return [SignalMask(label, lambda slices: np.asarray(node[slices] == limit))]


def _number_of(said: object) -> float | None:
    """The one number of an attribute or a data set; None where it has none, or several."""
    values = np.ravel(np.asarray(said)) if said is not None else np.empty(0)
    return float(values[0]) if values.size == 1 and values.dtype.kind in "fiu" else None


def _empty(store: Store, group: Node, member: str, node: Node) -> list[SignalMask]:
    """What was made of no pixel or event, where the array that counts them has the shape of the signal."""
    counts = store.dataset(member, group)
    if (
        counts is None
        or counts.shape != node.shape
        or counts.dtype.kind not in "iuf"
        or not np.any(counts[middle_of(counts.shape)] > 0)
    ):
        return []
    return [SignalMask(f"{member} as empty", lambda slices: ~(counts[slices] > 0))]


def middle_of(shape: tuple[int, ...]) -> Slices:
    """A part of an array that tells of all of it: of a volume its middle layer, and of that not more than is needed."""
    layers = tuple(slice(count // 2, count // 2 + 1) for count in shape[:-2])
    starts = ((max(0, (count - _SAMPLE) // 2), count) for count in shape[-2:])
    return (*layers, *(slice(start, min(start + _SAMPLE, count)) for start, count in starts))


def _means_good(sample: np.ndarray) -> bool:
    """Whether flags say what is good: ones where something was measured, in most places, and zeros."""
    return bool(np.all((sample == 0) | (sample == 1)) and sample.mean() > 0.5)


def _is_number(errors: np.ndarray) -> Mask:
    return np.asarray(np.isfinite(errors) & (errors >= 0))


def _by_flags(flags: Node, *, good: bool) -> Callable[[Slices], Mask]:
    return lambda slices: np.asarray((flags[slices] == 0) if good else (flags[slices] != 0))


def _by_errors(errors: Node) -> Callable[[Slices], Mask]:
    return lambda slices: ~_is_number(errors[slices])


def _fitting(store: Store, label: str, mask: Node, name: str, node: Node, *, good: bool) -> SignalMask:
    require_numbers(mask, store.path)
    if mask.ndim < 1 or mask.shape != node.shape[-mask.ndim :] or (mask.ndim < 2 <= node.ndim):
        raise ValueError(
            f"{store.path}: mask {label} has shape {mask.shape} and {name} {node.shape}; they must be the same, or "
            "that of its last axes: write it so, or take it out of the file and give it with --mask"
        )

    def marks(slices: Slices) -> Mask:
        part = mask[slices[len(slices) - mask.ndim :]]
        which = np.asarray(part == 0 if good else part != 0)
        return np.broadcast_to(which, (*(1,) * (len(slices) - which.ndim), *which.shape))

    return SignalMask(label, marks)


def unused_arrays(store: Store, group_name: str, name: str) -> list[str]:
    """Names of other arrays of the shape of the signal, which are not used: fits, backgrounds, normalizations."""
    group: Node = store.get(group_name or "/")
    node: Node = store.dataset(name, group)
    known = {pattern.format(name).lower() for pattern in (*BAD, *GOOD, *QUALITY, *ERRORS, *VARIANCES)} | {name.lower()}
    known |= {
        said.lower() for said in (attribute(node, "mask"), attribute(group, "mask"), attribute(node, "uncertainties"))
    }
    found = []
    for member in group:
        if member.lower() in known or member.endswith(_BELONGING):
            continue
        # a look around opens no other file, and what cannot be read is not missed
        with suppress(ValueError):
            link = type(group.get(member, getlink=True)).__name__
            other = store.dataset(member, group) if link == "HardLink" else None
            found += [member] if other is not None and other.shape == node.shape else []
    return found
