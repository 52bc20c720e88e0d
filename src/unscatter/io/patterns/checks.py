"""Whether what a reader found can be a powder pattern, said in one line if not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from unscatter.io.patterns.not_measured import not_measured
from unscatter.io.patterns.passes import in_order
from unscatter.io.patterns.scan import Scan
from unscatter.io.planes.missing import ABSURD
from unscatter.nouns.pattern import FEW_NEGATIVE, far_below_zero

#: A pattern with fewer points, or over fewer degrees, says nothing about a symmetry.
LEAST_POINTS = 50
LEAST_RANGE = 5.0
#: More points than this fraction without an intensity are a fault.
MOST_MISSING = 0.5
#: Spacings in Angstrom that the largest angle may reach down to.
SPACINGS = (0.12, 20.0)
#: A step three times the one before it, or a third of it, in more than this fraction: no scan, but a list of lines.
MOST_UNEVEN = 0.2


def trim(scan: Scan) -> Scan:
    """Take out what is no measurement, and turn a downward scan round.

    Left out are FullProf's end marks, angles up to zero, and points that were not measured (`not_measured`), which are
    told. Raises ValueError if there are not as many intensities as angles.
    """
    if scan.positions.size != scan.intensity.size:
        raise ValueError(
            f"{scan.positions.size} angles for {scan.intensity.size} intensities; expected one for each: "
            "export it again"
        )
    if scan.positions.size > 1 and np.all(np.diff(scan.positions) < 0):
        scan = scan[::-1]
    # FullProf ends its lists with -1000 or -10000
    scan = _without_ends(scan, np.isin(scan.intensity, (-1000.0, -10000.0)))
    # a detector that passes zero measures the other side of the beam
    if scan.positions.size and np.all(scan.positions <= 0):
        scan = replace(scan, positions=-scan.positions)[::-1].telling("all angles are negative: the sign was left out")
    scan = in_order(_without_unknown(scan[~(scan.positions <= 0)]))
    missing = ~np.isfinite(scan.intensity) | (np.abs(scan.intensity) > ABSURD)
    return _telling_negative(_without_gaps(_without_ends(scan, missing)))


def _without_unknown(scan: Scan) -> Scan:
    """The scan with NaN for intensities whose uncertainty is no number, negative or beyond 1e30: not measured."""
    sigma = scan.sigma
    if sigma is None or sigma.size != scan.intensity.size:
        return scan
    unknown = ~((sigma >= 0) & (sigma < ABSURD))
    count = int(np.sum(unknown & np.isfinite(scan.intensity)))
    if not unknown.any() or unknown.mean() > MOST_MISSING:
        return scan
    told = f"{count} points have no uncertainty (not a number, negative or beyond 1e30): not measured" if count else ""
    sound = np.where(unknown, 0.0, sigma)
    return replace(scan, intensity=np.where(unknown, np.nan, scan.intensity), sigma=sound).telling(told)


def _telling_negative(scan: Scan) -> Scan:
    below = float(np.mean(scan.intensity < 0)) if scan.intensity.size else 0.0
    if below <= FEW_NEGATIVE:
        return scan
    return scan.telling(
        f"{below:.0%} of the intensities are negative: a background was taken away, and they are kept as they are"
    )


def _without_ends(scan: Scan, lost: NDArray[np.bool_]) -> Scan:
    kept = np.flatnonzero(~lost)
    return scan[kept[0] : kept[-1] + 1] if kept.size else scan[:0]


def _without_gaps(scan: Scan) -> Scan:
    """The points that have an intensity, and how many have none, and why."""
    reasons = not_measured(scan.intensity)
    if not reasons:
        return _with_sound_sigma(scan)
    lost = np.logical_or.reduce(list(reasons.values()))
    count = int(lost.sum())
    if count > MOST_MISSING * scan.intensity.size:
        raise ValueError(
            f"{count} of {scan.intensity.size} intensities are not numbers; expected one at every angle: "
            "look whether the right column was saved"
        )
    return _with_sound_sigma(scan[~lost].telling(*(_told(scan.positions[w], why) for why, w in reasons.items())))


def _told(where: NDArray[np.float64], why: str) -> str:
    return f"{where.size} points, between {where[0]:g} and {where[-1]:g} deg, are {why}: not measured, left out"


def _with_sound_sigma(scan: Scan) -> Scan:
    """Without uncertainties where none is a number: some programs write a column of NaN."""
    if scan.sigma is None or np.any(np.isfinite(scan.sigma)):
        return scan
    return replace(scan, sigma=None)


def check(scan: Scan) -> None:
    """Raise ValueError if the numbers cannot be a powder pattern."""
    _check_angles(scan)
    _check_intensity(scan)
    _check_sigma(scan)
    _check_wavelength(scan)


def _check_angles(scan: Scan) -> None:
    angles = scan.positions
    if not np.all(np.isfinite(angles)):
        raise ValueError(f"{np.sum(~np.isfinite(angles))} angles are not numbers; expected two-theta in degrees")
    steps = np.diff(angles)
    if np.any(steps <= 0):
        row = int(np.argmax(steps <= 0))
        raise ValueError(
            f"two-theta does not increase: {angles[row]:g} is followed by {angles[row + 1]:g} deg; "
            "expected one scan with each angle once: sort the points, or save one scan"
        )
    if uneven(angles):
        raise ValueError(
            f"the {angles.size} angles are as uneven as a list of lines, not a pattern; expected the intensity at "
            "every step of two-theta: give the measured pattern"
        )
    if angles.size < LEAST_POINTS or angles[-1] - angles[0] < LEAST_RANGE:
        span = f"{angles[0]:g} to {angles[-1]:g} deg" if angles.size else "no range"
        raise ValueError(
            f"{angles.size} points over {span} are too few; expected at least {LEAST_POINTS} points over "
            f"{LEAST_RANGE:g} deg: give the whole pattern, or, if the axis is not two-theta in degrees, say what it is "
            "with --axis theta (or q, q-nm, d)"
        )
    if angles[-1] > 180:
        raise ValueError(
            f"angles up to {angles[-1]:g}; expected two-theta of at most 180 deg: say what the axis is with "
            "--axis q-nm (or theta, q, d), or convert the first column"
        )


def uneven(positions: NDArray[np.float64]) -> bool:
    """Whether points lie as unevenly as lines do, not as the steps of a scan."""
    steps = np.diff(positions)
    if steps.size < 10 or np.any(steps <= 0):
        return False
    ratio = steps[1:] / steps[:-1]
    return bool(np.mean((ratio > 3) | (ratio < 1 / 3)) > MOST_UNEVEN)


def _check_intensity(scan: Scan) -> None:
    if not np.any(scan.intensity):
        raise ValueError("every intensity is zero; expected counts: look whether the right column was saved")
    low, high = float(scan.intensity.min()), float(scan.intensity.max())
    below = float(np.mean(scan.intensity < 0))
    if far_below_zero(scan.intensity):
        raise ValueError(
            f"{below:.0%} of the intensities are negative (down to {low:g}, maximum {high:g}); expected "
            "counts: give the pattern before its background was subtracted"
        )


def _check_sigma(scan: Scan) -> None:
    if scan.sigma is None:
        return
    if scan.sigma.size != scan.intensity.size:
        raise ValueError(f"{scan.sigma.size} uncertainties for {scan.intensity.size} intensities: export it again")
    wrong = int(np.sum(~(np.isfinite(scan.sigma) & (scan.sigma >= 0))))
    if wrong:
        raise ValueError(
            f"{wrong} uncertainties are negative or not numbers; expected the standard uncertainty "
            "in the third column: take that column out"
        )


def _check_wavelength(scan: Scan) -> None:
    wavelength = scan.wavelength
    if wavelength is None:
        return
    if not 0 < wavelength <= 50:
        raise ValueError(f"wavelength {wavelength:g} cannot be; expected Angstrom, for example --wavelength 1.5406")
    # Bragg's law at the largest angle: d = lambda / (2 sin theta)
    smallest = wavelength / (2 * np.sin(np.radians(scan.positions[-1]) / 2))
    if not SPACINGS[0] < smallest < SPACINGS[1]:
        raise ValueError(
            f"wavelength {wavelength:g} and angles up to {scan.positions[-1]:g} deg reach {smallest:.3g} A; "
            f"expected between {SPACINGS[0]:g} and {SPACINGS[1]:g}: give it in Angstrom, "
            "for example --wavelength 1.5406"
        )
