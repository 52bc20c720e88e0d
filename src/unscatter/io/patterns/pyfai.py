"""Which unit the first column of a pyFAI file is in, where its header gives the geometry and not the unit.

The radial axis ends where the farthest corner of the detector is (or before): at two-theta in degrees or radians, at Q
in 1/nm or 1/A, or at a radius. Geometry: J. Kieffer & D. Karkoulis, J. Phys. Conf. Ser. 425, 202012 (2013).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unscatter.quantities import Quantity, find_quantity

#: The units of pyFAI, by the names it gives them.
_UNITS = ("2th_deg", "2th_rad", "q_nm^-1", "q_A^-1", "d*2_nm^-2", "d*2_A^-2", "r_mm", "r_m")
#: How well the end of the axis must agree with the corner of the detector.
_CLOSE = 0.02


def axis_of_geometry(header: dict[str, Any], column: NDArray[np.float64]) -> tuple[Quantity | None, str]:
    """The quantity of a radial axis whose header says where the detector stands, and why; None, "" if it does not.

    header: the JSON object of a pyFAI file; column: its first column.
    """
    two_theta, wavelength = _corner(header)
    if not 0 < two_theta < math.pi or column.size < 2 or not np.all(np.isfinite(column[[0, -1]])):
        return None, ""
    ends = _ends(two_theta, wavelength, float(header["dist"]))
    step = float(column[-1] - column[-2])
    # bins are given by their centres
    last = float(column[-1]) + step / 2
    fitting = [unit for unit in ends if abs(last / ends[unit] - 1) < _CLOSE]
    if len(fitting) != 1:
        return None, ""
    unit = fitting[0]
    return find_quantity(unit), (
        f"the axis has no name; it ends at {column[-1]:.4g}, as {unit} does at the corner of the detector "
        f"({ends[unit]:.4g}), and is taken for that (--axis says otherwise)"
    )


def _ends(two_theta: float, wavelength: float | None, distance: float) -> dict[str, float]:
    """Where the axis ends in each unit; those of Q only with a wavelength (metres)."""
    radius = distance * math.tan(two_theta)
    ends = {"2th_deg": math.degrees(two_theta), "2th_rad": two_theta, "r_mm": 1e3 * radius, "r_m": radius}
    if wavelength:
        q = 4e-10 * math.pi * math.sin(two_theta / 2) / wavelength
        ends |= {"q_A^-1": q, "q_nm^-1": 10 * q}
        ends |= {"d*2_A^-2": (q / (2 * math.pi)) ** 2, "d*2_nm^-2": 100 * (q / (2 * math.pi)) ** 2}
    return {unit: end for unit, end in ends.items() if end > 0}


def _corner(header: dict[str, Any]) -> tuple[float, float | None]:
    """Two-theta in radians of the farthest corner of the detector, 0 if the header does not say; wavelength in m."""
    try:
        detector = header["detector_config"]
        size = [
            float(detector[name]) * float(n)
            for name, n in zip(("pixel1", "pixel2"), detector["max_shape"], strict=True)
        ]
        distance, poni = float(header["dist"]), [float(header["poni1"]), float(header["poni2"])]
        angles = [float(header.get(f"rot{i}", 0.0)) for i in (1, 2)]
        wavelength = float(header["wavelength"]) if header.get("wavelength") else None
    except (KeyError, TypeError, ValueError):
        return 0.0, None
    corners = [(a - poni[0], b - poni[1]) for a in (0.0, size[0]) for b in (0.0, size[1])]
    return max(_angle(*corner, distance, angles) for corner in corners), wavelength


def _angle(slow: float, fast: float, distance: float, angles: list[float]) -> float:
    """Two-theta of a point of the detector, which is turned by rot1 and rot2 (rot3 is about the beam)."""
    a, b = angles
    point = np.array([slow, fast, distance])
    about_slow = np.array([[1, 0, 0], [0, math.cos(a), math.sin(a)], [0, -math.sin(a), math.cos(a)]])
    about_fast = np.array([[math.cos(b), 0, -math.sin(b)], [0, 1, 0], [math.sin(b), 0, math.cos(b)]])
    x, y, z = about_fast @ about_slow @ point
    return math.atan2(math.hypot(x, y), z)
