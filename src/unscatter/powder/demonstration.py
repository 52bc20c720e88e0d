"""The demonstration pattern: corundum as a neutron diffractometer would measure it; everything is simulated."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unscatter.io.files import replacing
from unscatter.io.structures.crystal_cif import read_cif
from unscatter.nouns.crystal import Crystal
from unscatter.nouns.pattern import Pattern
from unscatter.powder.crystal.reflections import simulate_reflections
from unscatter.powder.pattern.background import amorphous_background, chebyshev_background
from unscatter.powder.pattern.instrument import Instrument, read_instruments
from unscatter.powder.pattern.profile import simulate_profile

TITLE = "corundum (R-3c) on BT-1, Cu(311) (simulated)"
#: Counts of the strongest line above the background, and of the background: its slow part and a hump of the holder.
PEAK_COUNTS = 15000.0
BACKGROUND = (110.0, -10.0, 12.0)
HUMP = (3.0, 6.0, 200.0)


def corundum() -> Crystal:
    """alpha-Al2O3, R-3c, from the CIF that comes with the package."""
    text = (files("unscatter.data") / "demo" / "corundum.cif").read_text(encoding="utf-8")
    return read_cif(text)[0]


def simulate_corundum(seed: int = 2022) -> Pattern:
    """Corundum on BT-1 (NIST) with its Cu(311) monochromator at 1.5403 A, with background and counting noise.

    The hump is centred on the direct beam, as air scattering is; sigma is the root of the counts.
    """
    instrument = read_instruments()["bt1-cu311"]
    background = chebyshev_background(instrument.two_theta, BACKGROUND) + amorphous_background(
        instrument.two_theta, *HUMP
    )
    return simulate_measurement([corundum()], instrument, background, counts=PEAK_COUNTS, seed=seed, title=TITLE)


def simulate_measurement(
    crystals: Sequence[Crystal],
    instrument: Instrument,
    background: NDArray[np.float64] | float,
    *,
    shares: Sequence[float] | None = None,
    counts: float = 1e4,
    seed: int = 0,
    title: str = "",
) -> Pattern:
    """One scan of a powder, or of a mixture, as an instrument would count it.

    crystals: none for a glass; shares: of the intensity of all lines, one for each crystal, alike where not given;
    counts: of the strongest point above the background; background: in counts, a number or (points,). Everything in it
    is simulated. Raises ValueError where there is not one share for each crystal.
    """
    wavelength = instrument.wavelengths[0]
    lines = np.zeros_like(instrument.two_theta)
    for crystal, share in zip(crystals, shares or (1.0,) * len(crystals), strict=True):
        reflections = simulate_reflections(crystal, instrument.limit, instrument.radiation, wavelength)
        profile = np.asarray(simulate_profile(reflections, instrument))
        lines += share * profile / (profile.sum() if len(crystals) > 1 else 1.0)
    scale = counts / lines.max() if crystals else 0.0
    counted = np.random.default_rng(seed).poisson(scale * lines + background)
    return Pattern(
        instrument.two_theta,
        counted.astype(np.float64),
        sigma=np.sqrt(np.maximum(counted, 1.0)),
        wavelength=wavelength,
        radiation=instrument.radiation,
        title=title,
        source="demonstration",
        simulated=True,
    )


def write_pattern(path: Path, pattern: Pattern) -> None:
    """Write a pattern of known wavelength and radiation as columns (.xye) that say in words what they are."""
    title = pattern.title or "powder pattern"
    if pattern.simulated and "simulated" not in title:
        title += " (simulated)"
    words = f"# {title}\n# {pattern.radiation}, lambda {pattern.wavelength:g} A; two-theta (deg), intensity, sigma"
    sigma = np.sqrt(np.maximum(pattern.intensity, 1.0)) if pattern.sigma is None else pattern.sigma
    with replacing(path) as part:
        columns = np.column_stack([pattern.two_theta, pattern.intensity, sigma])
        np.savetxt(part, columns, fmt=("%.4f", "%.8g", "%.6g"), header=words, comments="")
