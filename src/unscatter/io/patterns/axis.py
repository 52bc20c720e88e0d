"""From the axis of a file to two-theta: by its name, by what the user says, or as an assumption that is told."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from unscatter.io.patterns.scan import TWO_THETA, Scan
from unscatter.io.patterns.stated_axis import UNKNOWN
from unscatter.quantities import Quantity, spacings, spacings_to_two_theta

#: What an axis can be declared to be, in words a user types.
Axis = Literal["two-theta", "theta", "q", "q-nm", "d"]
AXES: dict[str, Quantity] = {
    "two-theta": TWO_THETA,
    "theta": Quantity("theta", "angle", name="theta", unit_given=True),
    "q": Quantity("Q", "inverse length", name="Q in 1/A", unit_given=True),
    "q-nm": Quantity("Q", "inverse length", 0.1, name="Q in 1/nm", unit_given=True),
    "d": Quantity("d", "length", name="d in A", unit_given=True),
}
_CHOICES = "--axis two-theta (or theta, q, q-nm, d)"
#: Wavelengths to propose for a pattern over d or Q: the longest that still reaches its smallest spacing.
_PROPOSALS = (1.5406, 0.7093, 0.4133, 0.2, 0.1, 0.05)


def place(scan: Scan, declared: str | None) -> Scan:
    """Turn the positions of a scan into two-theta in degrees.

    declared: one of AXES, which wins over what the file says. Raises ValueError for an axis that is none of them, and
    for spacings where the wavelength is not known or too long to reach them.
    """
    if declared is not None and declared not in AXES:
        raise ValueError(f"axis {declared!r} is not known; expected {_CHOICES}")
    axis = scan.axis if declared is None else AXES[declared]
    if declared is not None and declared != "two-theta":
        scan = scan.telling(f"the axis was declared to be {AXES[declared].name}")
    if axis is None or axis.kind == "an angle":
        what = "the axis has no name and" if axis is None else f"the axis {axis.name!r}"
        scan = scan.telling(f"{what} is assumed to be two-theta in degrees (if not, type --axis theta, q, q-nm or d)")
        axis = axis or TWO_THETA
    if axis.kind in ("two-theta", "an angle"):
        return replace(scan, positions=axis.values(scan.positions), axis=TWO_THETA)
    if axis.kind == "theta":
        doubled = 2 * axis.values(scan.positions)
        return replace(scan, positions=doubled, axis=TWO_THETA).telling(f"{axis.name} was doubled to two-theta")
    if axis.kind in ("Q", "d", "1/d^2"):
        return _from_spacings(scan, axis)
    raise ValueError(_not_two_theta(axis))


def _from_spacings(scan: Scan, axis: Quantity) -> Scan:
    # the beam itself is no spacing, and the other side of it none either
    scan = scan[scan.positions > 0]
    d = spacings(axis, scan.positions)
    if scan.wavelength is None:
        raise ValueError(
            f"the axis is {axis.name}, not two-theta, and no wavelength is given to convert it with; expected one: "
            f"add for example --wavelength {reaching(d):g} (any that reaches the smallest spacing gives the same d)"
        )
    two_theta = spacings_to_two_theta(d, scan.wavelength)
    beyond = int(np.sum(~np.isfinite(two_theta)))
    if beyond:
        raise ValueError(
            f"the axis is {axis.name} and {beyond} of its {d.size} points, down to d = {float(d.min()):.4g} A, are out "
            f"of reach of the wavelength {scan.wavelength:g} A; expected one of at most {2 * float(d.min()):.4g} A: "
            f"add --wavelength {reaching(d):g}, or say what the axis is with --axis"
        )
    return replace(scan, positions=two_theta, axis=TWO_THETA).telling(
        f"{axis.name} was converted to two-theta with {scan.wavelength:g} A"
    )


def reaching(d: NDArray[np.float64]) -> float:
    """A wavelength in Angstrom to propose, that reaches the smallest of some spacings."""
    smallest = float(np.min(d)) if d.size else 1.0
    # a little short of 180 degrees
    return next((proposal for proposal in _PROPOSALS if proposal < 1.98 * smallest), _PROPOSALS[-1])


def _not_two_theta(axis: Quantity) -> str:
    if axis.kind == "time of flight":
        return (
            f"the axis {axis.name!r} is time of flight; expected two-theta, Q or d: export the pattern over d "
            "and type --axis d --wavelength 1.0 (any wavelength that reaches the smallest d)"
        )
    if axis.kind == "energy":
        return (
            f"the axis {axis.name!r} is an energy; expected two-theta, Q or d: convert it with the fixed angle, "
            "d = 12.398 / (2 E sin theta), and type --axis d --wavelength 1.0"
        )
    if axis.kind == UNKNOWN:
        choice = "--axis q or q-nm (Q = 2 pi / d)" if axis.dimension == "inverse length" else "--axis two-theta, q or d"
        return (
            f"the axis {axis.name!r} is of the dimension {axis.dimension}, and what it is, is not known; expected "
            f"two-theta, theta, Q or d: name it so in the header, or add {choice}"
        )
    return (
        f"the axis {axis.name!r} is {axis.kind}, not two-theta; expected two-theta, theta, Q or d: "
        f"export the scan over two-theta, or, if it is one of them after all, add {_CHOICES}"
    )
