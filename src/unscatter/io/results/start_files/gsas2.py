"""The instrument as GSAS-II reads it: .instprm."""

from __future__ import annotations

import math

import numpy as np

from unscatter.io.results.start_files.start import DOUBLET, Start

#: Variances in centideg^2 of a FWHM^2 in deg^2.
VARIANCE = 1e4 / (8 * math.log(2))
# GSAS-II takes no lesser asymmetry.
_LEAST = 0.002


def gsas2_text(start: Start) -> str:
    """Instrument parameters of a start: U, V, W of the Gaussian variance in centideg^2, X / cos + Y tan in centideg.

    Zero holds the displacement too, where the lines are on average, for it needs the radius of the goniometer. Source:
    defaultIparms.py of GSAS-II.
    """
    u, v, w, x, y = start.widths
    fit = start.fit
    second = start.pattern.second_wavelength
    beam = (
        f"Lam:{start.wavelength:.7g}"
        if second is None
        else f"Lam1:{start.wavelength:.7g}\nLam2:{second:.7g}\nI(L2)/I(L1):{DOUBLET:g}"
    )
    lines = [
        # The one line of words: some readers take every other # for the head of a bank.
        f"#GSAS-II instrument parameter file of {start.data_name} from unscatter classify, in Zero are the zero "
        f"{fit.zero:.5f} and the mean of the displacement {fit.displacement:.5f} cos(theta), the phase is in the CIF",
        f"Type:{'PNC' if start.neutron else 'PXC'}",
        "Bank:1.0",
        *beam.splitlines(),
        f"Zero:{mean_zero(start):.5f}",
        f"Polariz.:{0.0 if start.neutron else 0.5:g}",
        "Azimuth:0.0",
        *(f"{name}:{value * VARIANCE:.6g}" for name, value in (("U", u), ("V", v), ("W", w))),
        f"X:{100 * x:.6g}",
        f"Y:{100 * y:.6g}",
        "Z:0.0",
        f"SH/L:{max(2 * fit.axial, _LEAST):.6g}",
    ]
    return "\n".join(lines) + "\n"


def mean_zero(start: Start) -> float:
    """Zero in degrees with the displacement at the mean cosine of the lines."""
    cosine = np.cos(np.radians(start.fit.two_theta / 2))
    return float(start.fit.zero + start.fit.displacement * cosine.mean())
