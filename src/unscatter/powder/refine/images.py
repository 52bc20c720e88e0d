"""Lines that are images of stronger ones: other wavelengths that the beam holds."""

from __future__ import annotations

import numpy as np

from unscatter.nouns.lines import Lines
from unscatter.tubes import TUBES, tube_of

# The largest share of its line that an image has: K-beta 1 of the tube, W L-alpha 1 (1.47640 A) of tungsten, which
# settles on anodes of old tubes, and half the wavelength.
_TUNGSTEN = 1.47640
_SHARES = {"K-beta": 0.25, "W L-alpha": 0.05, "lambda/2": 0.05}
# How near an image must be, in FWHM, and how strong its line is beside the strongest.
_NEAR, _STRONG = 0.4, 0.02


def flag_images(lines: Lines) -> tuple[str, ...]:
    """One word a line: "" or what it may be an image of, as "K-beta of 3", counted from 0.

    An image has the d of a strong line seen with another wavelength, and a few per cent of its area. X-rays of a tube
    bring K-beta and tungsten; neutrons and monochromators bring half the wavelength.
    """
    flags = [""] * len(lines)
    if not len(lines):
        return ()
    strong = np.flatnonzero(lines.area > _STRONG * lines.area.max())
    for name, wavelength in _other_wavelengths(lines):
        sine = wavelength / (2 * lines.d[strong])
        seen = np.degrees(2 * np.arcsin(np.minimum(sine, 1.0)))
        for parent, place in zip(strong[sine < 1], seen[sine < 1], strict=True):
            image = int(np.argmin(np.abs(lines.two_theta - place)))
            near = abs(lines.two_theta[image] - place) < _NEAR * lines.fwhm[image]
            if near and image != parent and lines.area[image] < _SHARES[name] * lines.area[parent]:
                flags[image] = flags[image] or f"{name} of {parent}"
    return tuple(flags)


def _other_wavelengths(lines: Lines) -> list[tuple[str, float]]:
    found = []
    if lines.radiation != "neutron":
        tube = tube_of(lines.wavelength)
        if tube is not None:
            found.append(("K-beta", tube.beta))
            if tube is TUBES["Cu"]:
                found.append(("W L-alpha", _TUNGSTEN))
    found.append(("lambda/2", lines.wavelength / 2))
    return found
