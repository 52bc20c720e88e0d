"""The demonstration pattern: corundum as a neutron diffractometer would measure it; everything is simulated."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import numpy as np

from unscatter.io.files import replacing
from unscatter.io.structures.crystals import read_cif
from unscatter.nouns.crystal import Crystal
from unscatter.nouns.pattern import Pattern
from unscatter.powder.crystal.reflections import simulate_reflections
from unscatter.powder.pattern.background import amorphous_background, chebyshev_background
from unscatter.powder.pattern.instrument import read_instruments
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
    two_theta, wavelength = instrument.two_theta, instrument.wavelengths[0]
    lines = simulate_profile(simulate_reflections(corundum(), instrument.limit, "neutron", wavelength), instrument)
    background = chebyshev_background(two_theta, BACKGROUND) + amorphous_background(two_theta, *HUMP)
    counts = np.random.default_rng(seed).poisson(PEAK_COUNTS * lines / lines.max() + background)
    return Pattern(
        two_theta,
        counts.astype(np.float64),
        sigma=np.sqrt(np.maximum(counts, 1.0)),
        wavelength=wavelength,
        radiation="neutron",
        title=TITLE,
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
