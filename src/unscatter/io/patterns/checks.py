"""Whether what a reader found can be a powder pattern, said in one line if not."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unscatter.io.patterns.scan import Scan

#: A pattern with fewer points, or over fewer degrees, says nothing about a symmetry.
LEAST_POINTS = 50
LEAST_RANGE = 5.0
#: Background subtraction leaves a few points below zero; more than this fraction is a fault.
MOST_NEGATIVE = 0.1
#: Spacings in Angstrom that the largest angle may reach down to.
SPACINGS = (0.12, 20.0)


def trim(scan: Scan) -> Scan:
    """Take out what is no measurement, and turn a downward scan round.

    Left out are FullProf's end marks, angles up to zero, and masked (NaN) points at both ends.
    Raises ValueError if there are not as many intensities as angles.
    """
    if scan.two_theta.size != scan.intensity.size:
        raise ValueError(
            f"{scan.two_theta.size} angles for {scan.intensity.size} intensities; expected one for each: "
            "export it again"
        )
    if scan.two_theta.size > 1 and np.all(np.diff(scan.two_theta) < 0):
        scan = scan[::-1]
    # FullProf ends its lists with -1000 or -10000
    scan = _without_ends(scan, np.isin(scan.intensity, (-1000.0, -10000.0)))
    # a detector that passes zero measures the other side of the beam
    scan = scan[~(scan.two_theta <= 0)]
    return _without_ends(scan, ~np.isfinite(scan.intensity))


def _without_ends(scan: Scan, lost: NDArray[np.bool_]) -> Scan:
    kept = np.flatnonzero(~lost)
    return scan[kept[0] : kept[-1] + 1] if kept.size else scan[:0]


def check(scan: Scan) -> None:
    """Raise ValueError if the numbers cannot be a powder pattern."""
    _check_angles(scan)
    _check_intensity(scan)
    _check_sigma(scan)
    _check_wavelength(scan)


def _check_angles(scan: Scan) -> None:
    angles = scan.two_theta
    if not np.all(np.isfinite(angles)):
        raise ValueError(f"{np.sum(~np.isfinite(angles))} angles are not numbers; expected two-theta in degrees")
    steps = np.diff(angles)
    if np.any(steps <= 0):
        row = int(np.argmax(steps <= 0))
        raise ValueError(
            f"two-theta does not increase: {angles[row]:g} is followed by {angles[row + 1]:g} deg; "
            "expected one scan with each angle once: sort the points, or save one scan"
        )
    if angles.size < LEAST_POINTS or angles[-1] - angles[0] < LEAST_RANGE:
        span = f"{angles[0]:g} to {angles[-1]:g} deg" if angles.size else "no range"
        raise ValueError(
            f"{angles.size} points over {span} are too few; expected at least {LEAST_POINTS} points over "
            f"{LEAST_RANGE:g} deg: give the whole pattern"
        )
    if angles[-1] > 180:
        raise ValueError(
            f"angles up to {angles[-1]:g}; expected two-theta of at most 180 deg: convert the first column"
        )


def _check_intensity(scan: Scan) -> None:
    lost = int(np.sum(~np.isfinite(scan.intensity)))
    if lost:
        raise ValueError(f"{lost} intensities inside the range are not numbers; leave those points out of the file")
    if not np.any(scan.intensity):
        raise ValueError("every intensity is zero; expected counts: look whether the right column was saved")
    low, high = float(scan.intensity.min()), float(scan.intensity.max())
    below = float(np.mean(scan.intensity < 0))
    if below > MOST_NEGATIVE or -low > high:
        raise ValueError(
            f"{below:.0%} of the intensities are negative (down to {low:g}); expected counts: "
            "give the pattern before its background was subtracted"
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
    smallest = wavelength / (2 * np.sin(np.radians(scan.two_theta[-1]) / 2))
    if not SPACINGS[0] < smallest < SPACINGS[1]:
        raise ValueError(
            f"wavelength {wavelength:g} and angles up to {scan.two_theta[-1]:g} deg reach {smallest:.3g} A; "
            f"expected between {SPACINGS[0]:g} and {SPACINGS[1]:g}: give it in Angstrom, "
            "for example --wavelength 1.5406"
        )
