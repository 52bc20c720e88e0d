"""Lines and speed beside pymatgen's neutron and X-ray calculators: python benchmarks/powder_reference.py.

Fifty structures of all 14 lattices, drawn at random or taken from --table. pymatgen gets our neutron lengths
and we get its X-ray form factors, so that what is compared is geometry, symmetry and structure factors.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np
from pymatgen.analysis.diffraction import neutron, xrd
from pymatgen.core import Lattice, Structure

from unscatter.atoms import neutron_lengths
from unscatter.io.structures.crystals import read_crystals
from unscatter.nouns.crystal import Crystal
from unscatter.nouns.sites import coset_representatives, primitive_atoms
from unscatter.powder.crystal import reflections as ours
from unscatter.powder.crystal.random_crystals import draw_crystal
from unscatter.powder.pattern.instrument import Instrument, read_instruments
from unscatter.powder.pattern.peaks import place_peaks
from unscatter.powder.pattern.profile import simulate_profile, simulate_profiles
from unscatter.symmetry import BRAVAIS_LATTICES, SPACE_GROUPS, bravais_lattice

_RANGE = (3.0, 155.0)


def drawn(count: int) -> list[Crystal]:
    """Random crystals, the lattices taken in turn."""
    rng = np.random.default_rng(0)
    groups = {b: [n for n in SPACE_GROUPS if bravais_lattice(n) == b] for b in BRAVAIS_LATTICES}
    names = [BRAVAIS_LATTICES[k % len(BRAVAIS_LATTICES)] for k in range(count)]
    return [draw_crystal(rng, int(rng.choice(groups[name]))) for name in names]


def taken(table: str, count: int) -> list[Crystal]:
    """Structures of a table, the lattices taken in turn, without elements the calculators do not know."""
    crystals = list(read_crystals(table))
    order = np.random.default_rng(0).permutation(len(crystals))
    chosen: list[Crystal] = []
    pools = {
        b: iter([c for c in (crystals[i] for i in order) if bravais_lattice(c.space_group or 1) == b])
        for b in BRAVAIS_LATTICES
    }
    while len(chosen) < count:
        crystal = next(pools[BRAVAIS_LATTICES[len(chosen) % len(BRAVAIS_LATTICES)]])
        if set(crystal.elements) <= set(neutron.ATOMIC_SCATTERING_LEN) & set(xrd.ATOMIC_SCATTERING_PARAMS):
            chosen.append(crystal)
    return chosen


def to_pymatgen(crystal: Crystal) -> Structure:
    atoms, site = primitive_atoms(crystal)
    centring = coset_representatives(crystal)[2]
    positions = (atoms[:, None] + centring).reshape(-1, 3)
    species = [crystal.elements[k] for k in np.repeat(site, len(centring))]
    return Structure(Lattice(crystal.cell.direct), species, positions)


def pymatgen_amplitudes(elements: list[str], inverse_d: np.ndarray, *_: object) -> np.ndarray:
    """X-ray form factors as pymatgen has them: Z - 41.78214 s^2 sum a exp(-b s^2)."""
    s2 = (inverse_d[:, None] / 2) ** 2
    columns = []
    for element in elements:
        a, b = np.array(xrd.ATOMIC_SCATTERING_PARAMS[element]).T
        z = Structure(Lattice.cubic(3), [element], [[0, 0, 0]])[0].specie.Z
        columns.append(z - 41.78214 * s2[:, 0] * np.sum(a * np.exp(-b * s2), axis=1))
    return np.array(columns).T.astype(complex)


def compare(crystals: Iterable[Crystal], calculator: Any, instrument: Instrument) -> tuple[float, float, int]:
    """Largest difference of positions (deg) and of intensities over the strongest, and lines compared."""
    position, intensity, count = 0.0, 0.0, 0
    for crystal in crystals:
        theirs = calculator.get_pattern(to_pymatgen(crystal), scaled=True, two_theta_range=_RANGE)
        lines = place_peaks(_reflections(crystal, instrument), instrument)
        inside = (lines.position >= _RANGE[0]) & (lines.position <= _RANGE[1])
        x, y = lines.position[inside], lines.area[inside]
        # Lines on top of each other are one line there, and lines below 1e-5 of the strongest are left out.
        nearest = np.argmin(np.abs(theirs.x[:, None] - x), axis=0)
        close = np.abs(theirs.x[nearest] - x) < 1e-4
        summed = np.bincount(nearest[close], weights=y[close], minlength=len(theirs.x))
        summed *= 100 / summed.max()
        position = max(position, float(np.max(np.abs(theirs.x[nearest] - x)[close])))
        intensity = max(intensity, float(np.max(np.abs(summed - theirs.y))) / 100)
        intensity = max(intensity, float(np.max(y[~close], initial=0.0) / y.max()) - 1e-5)
        count += len(theirs.x)
    return position, intensity, count


def best(job: Callable[[], object], repeats: int) -> float:
    """Shortest processor time in seconds of a few runs."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        job()
        times.append(time.process_time() - start)
    return min(times)


def _reflections(crystal: Crystal, instrument: Instrument) -> ours.Reflections:
    wavelength = None if instrument.radiation == "x-ray" else instrument.wavelengths[0]
    return ours.simulate_reflections(crystal, instrument.limit, instrument.radiation, wavelength)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--table", help="parquet or csv of structures instead of random crystals")
    parser.add_argument("--count", type=int, default=50)
    options = parser.parse_args()
    crystals = taken(options.table, options.count) if options.table else drawn(options.count)
    bt1 = read_instruments()["lolla-2022"]
    lab = replace(bt1, radiation="x-ray", wavelengths=(1.5418,), axial=(0.0, 0.0))
    symbols = sorted({element for crystal in crystals for element in crystal.elements})
    lengths = neutron_lengths(symbols, bt1.wavelengths[0])
    neutron.ATOMIC_SCATTERING_LEN.update(dict(zip(symbols, lengths.real.tolist(), strict=True)))
    # pymatgen knows no absorption: its lengths are real, and so are ours here.
    ours.neutron_lengths = lambda e, w=None: neutron_lengths(e, w).real.astype(complex)  # type: ignore
    nd = neutron.NDCalculator(wavelength=bt1.wavelengths[0])
    xr = xrd.XRDCalculator(wavelength=lab.wavelengths[0])
    print(
        "neutron  position {:.1e} deg, intensity {:.1e} of the strongest, {} lines".format(*compare(crystals, nd, bt1))
    )
    own = ours.scattering_amplitudes
    ours.scattering_amplitudes = pymatgen_amplitudes
    print(
        "x-ray    position {:.1e} deg, intensity {:.1e} of the strongest, {} lines".format(*compare(crystals, xr, lab))
    )
    ours.scattering_amplitudes = own
    structures = [to_pymatgen(crystal) for crystal in crystals]
    slow = best(lambda: [nd.get_pattern(s, two_theta_range=_RANGE) for s in structures], 2)
    single = best(lambda: [simulate_profile(_reflections(c, bt1), bt1) for c in crystals], 5)
    many = [bt1] * len(crystals)
    batch = best(lambda: simulate_profiles([_reflections(c, bt1) for c in crystals], many), 5)
    cached = [_reflections(c, bt1) for c in crystals]
    lists = best(lambda: [_reflections(c, bt1) for c in crystals], 5)
    profiles = best(lambda: simulate_profiles(cached, many), 10)
    n = len(crystals)
    print(f"pymatgen sticks                 {n / slow:8.1f} /s")
    print(f"ours, 3041 points, one by one   {n / single:8.1f} /s   x {slow / single:.0f}")
    print(f"ours, 3041 points, {n} at once   {n / batch:8.1f} /s   x {slow / batch:.0f}")
    print(f"ours, reflection lists          {n / lists:8.1f} /s   x {slow / lists:.0f}")
    print(f"ours, profiles from lists       {n / profiles:8.1f} /s")
    print(f"lines a structure: {np.mean([len(r) for r in cached]):.0f} on average")


if __name__ == "__main__":
    main()
