"""What a reader hands back before anyone has checked it, and how several ranges become one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from unscatter.io.patterns.shapes import shapes_differ
from unscatter.quantities import Quantity

#: More points than this, or more ranges put together, are no pattern.
MOST_POINTS, MOST_RANGES = 10_000_000, 1000

T = TypeVar("T")
Radiation = Literal["neutron", "x-ray"]

#: The axis of formats that know no other.
TWO_THETA = Quantity("two-theta", "angle", name="two-theta", unit_given=True)


@dataclass(frozen=True)
class Scan:
    """The numbers of a file as they stand, all unchecked.

    positions: along the axis, in the unit of the file; axis: what they are, None where the file does not name it;
    wavelengths in Angstrom. seconds: counting time per point, where the file says how long; per_second: intensity is
    counts per second already. assumptions: what was taken for granted or left out, one sentence each.
    """

    positions: NDArray[np.float64]
    intensity: NDArray[np.float64]
    sigma: NDArray[np.float64] | None = None
    axis: Quantity | None = TWO_THETA
    wavelength: float | None = None
    second_wavelength: float | None = None
    radiation: Radiation | None = None
    title: str = ""
    simulated: bool = False
    seconds: float | None = None
    per_second: bool = False
    assumptions: tuple[str, ...] = ()

    def __getitem__(self, keep: NDArray[np.bool_] | NDArray[np.intp] | slice) -> Scan:
        """The points that are kept."""
        sigma = None if self.sigma is None else self.sigma[keep]
        return replace(self, positions=self.positions[keep], intensity=self.intensity[keep], sigma=sigma)

    def telling(self, *sentences: str) -> Scan:
        """The same, with more that was assumed."""
        new = tuple(sentence for sentence in sentences if sentence and sentence not in self.assumptions)
        return replace(self, assumptions=self.assumptions + new) if new else self


def at_same_time(part: Scan, times: NDArray[np.float64] | None, least: float = 0.0) -> Scan:
    """Counts as if each point had been counted for the longest time; what is per second stays.

    times: seconds of each point, None where the file has none; what differs by less than `least` of it is one time.
    Raises ValueError for times that are not one for each point, or not positive.
    """
    if times is None:
        return part
    if times.size != part.intensity.size or not np.all(times > 0):
        raise ValueError(
            f"{times.size} counting times for {part.intensity.size} points, from {times.min(initial=0):g} s; expected "
            "a time over zero for each: export the scan as two columns of text in counts per second"
        )
    longest = float(times.max())
    if part.per_second or np.ptp(times) <= least * longest:
        return replace(part, seconds=longest)
    factor = longest / times
    told = f"counts were scaled to the longest counting time of a point, {longest:g} s"
    return replace(_scaled(part, factor), seconds=longest).telling(told)


def refuse_changing(factor: NDArray[np.float64], name: str) -> None:
    """Raise ValueError for a factor of each point that changes, where it is not known whether it was applied."""
    if np.ptp(factor) > 1e-3 * np.max(np.abs(factor)):
        raise ValueError(
            f"{name} changes between {factor.min():g} and {factor.max():g}, and whether and how the intensities were "
            "corrected for it is not known: correct them, and save two-theta and intensity as two columns of text"
        )


def grid(start: float, step: float, count: int) -> NDArray[np.float64]:
    """Evenly spaced angles: start, start + step, ... (count,) in degrees."""
    return np.asarray(start + step * np.arange(count), dtype=np.float64)


def count_points(start: float, stop: float, step: float) -> int:
    """How many points an even grid has; raises ValueError for what is no grid of a pattern."""
    if not (step > 0 and start < stop and (stop - start) / step < MOST_POINTS):
        raise ValueError(
            f"a range of {start:g} to {stop:g} by {step:g} deg; expected start < stop and a step between them: correct "
            "the header, or export the scan again"
        )
    return round((stop - start) / step) + 1


def require_few(ranges: Sequence[object]) -> None:
    """Raise ValueError for more ranges than a pattern is put together from."""
    if len(ranges) > MOST_RANGES:
        raise ValueError(f"more than {MOST_RANGES} scans in one file; expected one: export the scan you want")


def whole(numbers: NDArray[np.float64], count: int, text: str) -> NDArray[np.float64]:
    """The numbers of a text; without the last, cut in two, where they are too few and it ends in a digit."""
    return numbers[:-1] if numbers.size < count and text[-1:].isdigit() else numbers


def announced(count: int, found: int, what: str = "points") -> str:
    """Say that a file holds a few points less than its header announces; "" if it holds them all.

    Raises ValueError if more than a tenth is missing: then the file was cut.
    """
    if found >= count:
        return ""
    if found < 0.9 * count:
        raise ValueError(f"cut short: {count} {what} announced, {found} found; copy the file again")
    return f"the header announces {count} {what}, the file holds {found}: these are used"


def join(ranges: Sequence[Scan], block: str = "") -> Scan:
    """Put ranges that follow one another end to end, scaled to the longest counting time; repeats of one are added.

    block: the number of the one range that is wanted, "" for all. Raises ValueError if there is no range, or if two of
    them overlap without being the same.
    """
    require_few(ranges)
    ranges = choose_number(ranges, block)
    filled = sorted((part for part in ranges if part.positions.size), key=lambda part: float(part.positions[0]))
    if not filled:
        raise ValueError("no range with data found; expected at least one scan over two-theta: export it again")
    _refuse_wavelengths(filled)
    distinct = [_sum(repeats) for repeats in _repeats(filled)]
    if len(distinct) == 1:
        return distinct[0]
    told = f"{len(distinct)} ranges were joined end to end"
    if len({part.per_second for part in distinct}) > 1:
        raise ValueError(
            "ranges of counts and of counts per second; expected one of them: choose one with --block 1 (or 2, ...)"
        )
    times = {part.seconds for part in distinct}
    scaled = len(times) > 1 and None not in times and not any(part.per_second for part in distinct)
    told += f", scaled to the longest counting time, {max(t or 0.0 for t in times):g} s" if scaled else ""
    told += " as they are: not each has a counting time" if None in times and not distinct[0].per_second else ""
    return _chain(_same_time(_without_overlap(distinct))).telling(told)


def _refuse_wavelengths(ranges: Sequence[Scan]) -> None:
    """Raise ValueError for ranges of several wavelengths: angles of one are not those of another."""
    found = sorted({part.wavelength for part in ranges if part.wavelength is not None})
    if found and found[-1] > (1 + 1e-4) * found[0]:
        raise ValueError(
            f"{len(ranges)} scans with wavelengths from {found[0]:g} to {found[-1]:g} A; expected one: choose one with "
            "--block 1 (or 2, ...)"
        )


def choose_number(found: Sequence[T], block: str) -> Sequence[T]:
    """The one of that number, counted from 1, or all where none is asked for; raises ValueError if there is no such."""
    if not block:
        return found
    if not block.strip().isdigit() or not 1 <= int(block) <= len(found):
        raise ValueError(f"no scan {block!r}; the file has {len(found)}: choose for example --block 1")
    return [found[int(block) - 1]]


def _repeats(ranges: list[Scan]) -> list[list[Scan]]:
    """Ranges over the same points, put together."""
    groups: list[list[Scan]] = []
    for part in ranges:
        for group in groups:
            if _same_points(group[0], part):
                group.append(part)
                break
        else:
            groups.append([part])
    return groups


def _same_points(one: Scan, other: Scan) -> bool:
    if one.positions.size != other.positions.size or one.positions.size < 2:
        return False
    step = abs(float(one.positions[-1] - one.positions[0])) / (one.positions.size - 1)
    return bool(np.all(np.abs(one.positions - other.positions) < 0.1 * step)) and one.per_second == other.per_second


def _sum(repeats: list[Scan]) -> Scan:
    """The sum of counts, or the mean of counts per second weighted by their times."""
    first, count = repeats[0], len(repeats)
    if count == 1:
        return first
    share = max(shapes_differ(first.intensity, other.intensity) for other in repeats[1:])
    if share:
        raise ValueError(
            f"{count} scans over the same range that differ by {share:.0%} in shape are no repeats of one; expected "
            "one pattern: choose it by its number, for example --block 1"
        )
    times = np.array([part.seconds or 1.0 for part in repeats])
    weights = times / times.sum() if first.per_second else np.ones(count)
    sigma = None
    if all(part.sigma is not None for part in repeats):
        sigma = np.sqrt(sum((w * part.sigma) ** 2 for w, part in zip(weights, repeats, strict=True)))
    return replace(
        first,
        intensity=np.asarray(sum(w * part.intensity for w, part in zip(weights, repeats, strict=True))),
        sigma=sigma,
        seconds=None if first.seconds is None else float(times.sum()),
    ).telling(f"{count} scans over the same range were {'averaged' if first.per_second else 'added'}")


def _without_overlap(ranges: list[Scan]) -> list[Scan]:
    kept = [ranges[0]]
    for part in ranges[1:]:
        last = kept[-1]
        if part.positions[0] <= last.positions[0] or part.positions[-1] <= last.positions[-1]:
            raise ValueError(
                f"{len(ranges)} scans that overlap ({_span(last)} and {_span(part)} deg); expected one, "
                "or ranges that follow one another: choose one with --block 1 (or 2, ...)"
            )
        kept.append(part[part.positions > last.positions[-1]])
    return kept


def _same_time(ranges: list[Scan]) -> list[Scan]:
    times = [part.seconds or 0.0 for part in ranges]
    if min(times) <= 0 or min(times) == max(times) or any(part.per_second for part in ranges):
        return ranges
    return [_scaled(part, max(times) / time) for part, time in zip(ranges, times, strict=True)]


def _scaled(part: Scan, factor: float | NDArray[np.float64]) -> Scan:
    # once scaled, a number is no longer a count and its square root no longer its uncertainty
    sigma = np.sqrt(np.maximum(part.intensity, 1.0)) if part.sigma is None else part.sigma
    return replace(part, intensity=part.intensity * factor, sigma=sigma * factor)


def _chain(ranges: list[Scan]) -> Scan:
    sigmas = [part.sigma for part in ranges if part.sigma is not None]
    return replace(
        ranges[0],
        positions=np.concatenate([part.positions for part in ranges]),
        intensity=np.concatenate([part.intensity for part in ranges]),
        sigma=np.concatenate(sigmas) if len(sigmas) == len(ranges) else None,
        seconds=None,
        assumptions=tuple(dict.fromkeys(sentence for part in ranges for sentence in part.assumptions)),
    )


def _span(part: Scan) -> str:
    return f"{part.positions[0]:g}-{part.positions[-1]:g}"
