"""Whether seven common substances are named on a laboratory diffractometer that has one fault at a time.

python benchmarks/engine_standards.py [--counts 2000] [--seed 0]

CeO2, NaCl, KCl, ThO2, Si, LaB6 and Al2O3 with the Cu K-alpha doublet, which no file tells of, 10 to 90 degrees, 3 %
background and so many counts in the highest point. Faults are those of recipe `measured` and worse: K-beta of 3 %,
tungsten of 1 %, lines of an aluminium can, a peak of air beside the beam, lines that lean, a zero of 0.5 degrees,
crystallites of 80 Angstrom, texture, 100 counts. The mark is + where the likeliest lattice has the true name and cell,
else the symbol of what was named. KCl without its odd lines is a primitive cell of half the edge to any powder.
"""

import argparse
import time
from dataclasses import replace

import numpy as np

from unscatter.nouns.cell import Cell
from unscatter.nouns.crystal import Crystal
from unscatter.nouns.pattern import Pattern
from unscatter.powder.crystal.reflections import simulate_reflections
from unscatter.powder.pattern.instrument import Instrument, read_instruments
from unscatter.powder.pattern.profile import simulate_profile
from unscatter.powder.refine.engine import interpret
from unscatter.powder.refine.lines import find_lines
from unscatter.powder.refine.metric import primitive_metric, same_lattice
from unscatter.symmetry import operations

# Cell, space group, Bravais lattice, sites.
STANDARDS: dict[str, tuple[tuple[float, float, bool], int, str, dict[str, tuple[float, float, float]]]] = {
    "CeO2": ((5.4113, 5.4113, False), 225, "cF", {"Ce": (0, 0, 0), "O": (0.25, 0.25, 0.25)}),
    "NaCl": ((5.6402, 5.6402, False), 225, "cF", {"Na": (0, 0, 0), "Cl": (0.5, 0.5, 0.5)}),
    "KCl": ((6.2931, 6.2931, False), 225, "cF", {"K": (0, 0, 0), "Cl": (0.5, 0.5, 0.5)}),
    "ThO2": ((5.5970, 5.5970, False), 225, "cF", {"Th": (0, 0, 0), "O": (0.25, 0.25, 0.25)}),
    "Si": ((5.4312, 5.4312, False), 227, "cF", {"Si": (0.125, 0.125, 0.125)}),
    "LaB6": ((4.1569, 4.1569, False), 221, "cP", {"La": (0, 0, 0), "B": (0.1975, 0.5, 0.5)}),
    "Al2O3": ((4.7587, 12.9929, True), 167, "hR", {"Al": (0, 0, 0.35217), "O": (0.30624, 0, 0.25)}),
}
FAULTS = ("none", "K-beta", "tungsten", "can", "beam", "lean", "zero", "broad", "texture", "few counts", "all small")
WAVELENGTHS = (1.540593, 1.544427)


def crystal(name: str) -> Crystal:
    (a, c, hexagonal), group, _, sites = STANDARDS[name]
    rotations, translations = operations(group)
    cell = Cell(a, a, c, 90, 90, 120 if hexagonal else 90)
    return Crystal(cell, tuple(sites), np.array(list(sites.values())), rotations, translations, name=name)


def instrument_with(fault: str) -> Instrument:
    lab = replace(read_instruments()["lab-cu"], range=(10.0, 90.0, 0.02), axial=(0.02, 0.02))
    small = fault == "all small"
    if fault == "beam":
        lab = replace(lab, range=(2.0, 90.0, 0.02))
    if fault == "lean":
        lab = replace(lab, axial=(0.06, 0.06))
    if fault == "zero" or small:
        lab = replace(lab, zero=0.05 if small else 0.5)
    others = ((1.392218, 0.01 if small else 0.03),) if fault == "K-beta" or small else ()
    others += ((1.47639, 0.01),) if fault == "tungsten" else ()
    waves, weights = (tuple(column) for column in zip(*others, strict=True)) if others else ((), ())
    return replace(lab, wavelengths=WAVELENGTHS + waves, weights=(1.0, 0.5, *(1.5 * w for w in weights)))


def simulate(name: str, fault: str, counts: float, seed: int) -> Pattern:
    rng = np.random.default_rng([seed, len(name), FAULTS.index(fault)])
    instrument = instrument_with(fault)
    lines = simulate_reflections(crystal(name), instrument.limit, "x-ray", WAVELENGTHS[0], 0.5)
    if fault in ("texture", "all small"):
        spread = rng.normal(0, 0.8 if fault == "texture" else 0.3, len(lines.f_squared))
        lines = replace(lines, f_squared=lines.f_squared * np.exp(spread))
    intensity = simulate_profile(lines, instrument, size=80.0 if fault == "broad" else 800.0)
    intensity = intensity / intensity.max()
    two_theta = instrument.two_theta
    if fault in ("can", "all small"):
        cell = Cell(4.0496, 4.0496, 4.0496, 90, 90, 90)
        rotations, translations = operations(225)
        metal = Crystal(cell, ("Al",), np.zeros((1, 3)), rotations, translations)
        can = simulate_profile(simulate_reflections(metal, instrument.limit, "x-ray"), instrument)
        intensity = intensity + (0.1 if fault == "can" else 0.02) * can / can.max()
    intensity = intensity + 0.03
    if fault == "beam":
        intensity = intensity + 0.3 * np.exp(-two_theta / 2) + 0.05 * np.exp(-(((two_theta - 2.8) / 0.15) ** 2))
    counted = rng.poisson((100.0 if fault == "few counts" else counts) * intensity).astype(np.float64)
    return Pattern(two_theta, counted, wavelength=WAVELENGTHS[0], radiation="x-ray", source=f"{name}, {fault}")


def mark(name: str, pattern: Pattern) -> tuple[str, float]:
    """What the engine says of a pattern, and CPU seconds."""
    begin = time.process_time()
    best = interpret(pattern, lines=find_lines(pattern), time_limit=60.0).best
    seconds = time.process_time() - begin
    if best is None:
        return "-", seconds
    bravais = STANDARDS[name][2]
    true = primitive_metric(crystal(name).cell, bravais[1])
    same = same_lattice(true, primitive_metric(best.lattice.cell, best.lattice.bravais[1]), 6e-3)
    return ("+" if same and best.lattice.bravais == bravais else best.lattice.bravais), seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--counts", type=float, default=2000.0)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    print(f"{'':<12}" + "".join(f"{name:>8}" for name in STANDARDS) + "   CPU-s")
    right = 0
    for fault in FAULTS:
        marks = [mark(name, simulate(name, fault, options.counts, options.seed)) for name in STANDARDS]
        right += sum(one == "+" for one, _ in marks)
        print(
            f"{fault:<12}" + "".join(f"{one:>8}" for one, _ in marks) + f"   {sum(t for _, t in marks):5.1f}",
            flush=True,
        )
    print(f"right: {right} of {len(FAULTS) * len(STANDARDS)}")


if __name__ == "__main__":
    main()
