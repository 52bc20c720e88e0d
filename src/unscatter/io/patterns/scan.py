"""What a reader hands back before anyone has checked it, and how several ranges become one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Radiation = Literal["neutron", "x-ray"]


@dataclass(frozen=True)
class Scan:
    """The numbers of a file as they stand: two_theta in degrees, wavelengths in Angstrom, all unchecked.

    seconds is the counting time per point, where intensity holds counts and the file says how long.
    """

    two_theta: NDArray[np.float64]
    intensity: NDArray[np.float64]
    sigma: NDArray[np.float64] | None = None
    wavelength: float | None = None
    second_wavelength: float | None = None
    radiation: Radiation | None = None
    title: str = ""
    simulated: bool = False
    seconds: float | None = None

    def __getitem__(self, keep: NDArray[np.bool_] | slice) -> Scan:
        """The points that are kept."""
        sigma = None if self.sigma is None else self.sigma[keep]
        return replace(self, two_theta=self.two_theta[keep], intensity=self.intensity[keep], sigma=sigma)


def grid(start: float, step: float, count: int) -> NDArray[np.float64]:
    """Evenly spaced angles: start, start + step, ... (count,) in degrees."""
    return np.asarray(start + step * np.arange(count), dtype=np.float64)


def join(ranges: Sequence[Scan]) -> Scan:
    """Put ranges that follow one another end to end, scaled to the longest counting time per point.

    Raises ValueError if there is no range, or if two of them cover the same angles.
    """
    filled = sorted((part for part in ranges if part.two_theta.size), key=lambda part: float(part.two_theta[0]))
    if not filled:
        raise ValueError("no range with data found; expected at least one scan over two-theta: export it again")
    if len(filled) == 1:
        return filled[0]
    return _chain(_same_time(_without_overlap(filled)))


def _without_overlap(ranges: list[Scan]) -> list[Scan]:
    kept = [ranges[0]]
    for part in ranges[1:]:
        last = kept[-1]
        if part.two_theta[0] <= last.two_theta[0] or part.two_theta[-1] <= last.two_theta[-1]:
            raise ValueError(
                f"{len(ranges)} scans that overlap ({_span(last)} and {_span(part)} deg); expected one, "
                "or ranges that follow one another: export the scan you want as two columns"
            )
        kept.append(part[part.two_theta > last.two_theta[-1]])
    return kept


def _same_time(ranges: list[Scan]) -> list[Scan]:
    times = [part.seconds or 0.0 for part in ranges]
    if min(times) <= 0 or min(times) == max(times):
        return ranges
    return [_scaled(part, max(times) / time) for part, time in zip(ranges, times, strict=True)]


def _scaled(part: Scan, factor: float) -> Scan:
    # once scaled, a number is no longer a count and its square root no longer its uncertainty
    sigma = np.sqrt(np.maximum(part.intensity, 1.0)) if part.sigma is None else part.sigma
    return replace(part, intensity=part.intensity * factor, sigma=sigma * factor)


def _chain(ranges: list[Scan]) -> Scan:
    sigmas = [part.sigma for part in ranges if part.sigma is not None]
    return replace(
        ranges[0],
        two_theta=np.concatenate([part.two_theta for part in ranges]),
        intensity=np.concatenate([part.intensity for part in ranges]),
        sigma=np.concatenate(sigmas) if len(sigmas) == len(ranges) else None,
        seconds=None,
    )


def _span(part: Scan) -> str:
    return f"{part.two_theta[0]:g}-{part.two_theta[-1]:g}"
