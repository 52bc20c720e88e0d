"""Which phases of simulated mixtures are named, and down to which share of the intensity.

python benchmarks/simulated_mixtures.py runs/icsd.h5 [--count 40] [--phases 2 3] [--part training] [--records m.jsonl]

Two or three structures, one crystal system drawn after the other, primitive cells up to 250 Angstrom^3, on a laboratory
diffractometer with the Cu K-alpha doublet that no file tells of: 10 to 80 degrees, 300 to 5000 counts in the highest
point, 2 to 10 % background, crystallites of 400 to 3000 Angstrom, a zero of 0.08 degrees (standard deviation). Shares
are of all intensity, none below a tenth. The first lattice is the one that classify fits, the second the one that it
offers beside; a phase is named where the lattice has its Bravais symbol and its reduced cell within 0.3 %.
Choose rules on the training part.
"""

import argparse
import json
import time
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
from known_structures import true_metric
from weighed_mixtures import Answer, report

from unscatter.nouns.lattice import Lattice
from unscatter.nouns.pattern import Pattern
from unscatter.powder.classify.classify import classify
from unscatter.powder.pattern.instrument import read_instruments
from unscatter.powder.pattern.peaks import join_peaks, place_lines
from unscatter.powder.pattern.profile import show_peaks, sum_peaks
from unscatter.powder.refine.metric import primitive_metric, same_lattice
from unscatter.powder.samples.cache import PhaseLines
from unscatter.powder.samples.tables import CachedCrystals
from unscatter.symmetry import bravais_lattice, space_group
from unscatter.train.powder.splits import split_table

LARGEST, LEAST = 250.0, 0.1
SYSTEMS = ((195, 230), (168, 194), (143, 167), (75, 142), (16, 74), (3, 15))


def draw_phases(rng: np.random.Generator, crystals: CachedCrystals, rows: np.ndarray, count: int) -> list[PhaseLines]:
    """Structures with small cells, each of a system that is drawn first."""
    found: list[PhaseLines] = []
    while len(found) < count:
        low, high = SYSTEMS[int(rng.integers(len(SYSTEMS)))]
        groups = crystals.space_group[rows]
        row = int(rng.choice(rows[(groups >= low) & (groups <= high)]))
        phase = crystals.lines(row, "x-ray")
        points = {"P": 1, "R": 3, "F": 4}.get(space_group(phase.space_group).centring_type(), 2)
        if phase.cell.volume / points <= LARGEST:
            found.append(phase)
    return found


def draw_mixture(
    rng: np.random.Generator, crystals: CachedCrystals, rows: np.ndarray, count: int
) -> tuple[Pattern, list[PhaseLines], np.ndarray]:
    """A pattern, its phases, and their shares of the intensity."""
    phases = draw_phases(rng, crystals, rows, count)
    shares = LEAST + (1 - count * LEAST) * rng.dirichlet(np.ones(count))
    instrument = replace(
        read_instruments()["lab-cu"], range=(10.0, 80.0, 0.02), zero=0.08 * float(rng.standard_normal())
    )
    parts = []
    for phase, share in zip(phases, shares, strict=True):
        inverse_d = phase.inverse_d()
        size = float(np.exp(rng.uniform(*np.log([400.0, 3000.0]))))
        peaks = place_lines(inverse_d, phase.strength * inverse_d**2, instrument, size=size, strain=0.0)
        parts.append(replace(peaks, area=peaks.area * share / peaks.area.sum()))
    two_theta = instrument.two_theta
    intensity = sum_peaks(show_peaks(join_peaks(parts), instrument), two_theta, cut=instrument.cut)[0]
    intensity = intensity / intensity.max() + float(rng.uniform(0.02, 0.1))
    counts = rng.poisson(float(np.exp(rng.uniform(*np.log([300.0, 5000.0])))) * intensity).astype(np.float64)
    return Pattern(two_theta, counts, None, instrument.wavelengths[0], None, "x-ray"), phases, shares


def phase_of(found: Lattice | None, phases: list[PhaseLines], names: tuple[str, ...]) -> str:
    """The phase that has this lattice, "" where none has."""
    if found is not None:
        metric = primitive_metric(found.cell, found.bravais[1])
        for phase, name in zip(phases, names, strict=True):
            same = same_lattice(true_metric(phase.cell, phase.space_group), metric)
            if same and found.bravais == bravais_lattice(phase.space_group):
                return name
    return ""


def ask(pattern: Pattern, phases: list[PhaseLines], shares: np.ndarray, number: int) -> Answer:
    """What classify says of one mixture."""
    names = tuple(f"{bravais_lattice(p.space_group)} {p.cell.volume:.0f}" for p in phases)
    try:
        ranking = classify(pattern)
    except ValueError as error:
        return Answer(str(number), names, tuple(shares), "", "", f"refused: {error}", "none", "refused", False)
    first = ranking.fit.lattice if ranking.fit is not None else None
    other = ranking.second_phase
    return Answer(
        str(number),
        names,
        tuple(round(float(share), 3) for share in shares),
        phase_of(first, phases, names),
        phase_of(other, phases, names),
        first.describe() if first else "none",
        other.describe() if other else "none",
        next((one.verdict for one in ranking.findings if one.name == "phases"), "not tested"),
        first is not None and first.bravais == ranking.top(1, "Bravais lattice")[0].name,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("structures", type=Path)
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--phases", type=int, nargs="+", default=[2, 3])
    parser.add_argument("--part", choices=("training", "validation", "test"), default="training", help="of the split")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--records", type=Path, help="one line a pattern is written here")
    options = parser.parse_args()
    crystals = CachedCrystals([options.structures])
    rows = getattr(split_table(crystals, "prototype"), options.part)
    begin = time.process_time()
    for count in options.phases:
        answers = []
        for number in range(options.count):
            rng = np.random.default_rng([options.seed, count, number])
            answers.append(ask(*draw_mixture(rng, crystals, rows, count), number))
            one = answers[-1]
            weights = ", ".join(f"{p} {100 * f:.0f} %" for p, f in zip(one.phases, one.fractions, strict=True))
            said = f"{one.first or 'none of them'} ({one.first_lattice}); {one.second or '-'} ({one.second_lattice})"
            print(f"{number:3d} {weights:<40} {said}", flush=True)
            if options.records is not None:
                with options.records.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(asdict(one)) + "\n")
        print(f"{count} phases, {options.part} part")
        report(answers)
    print(f"  CPU-s a pattern, mean: {(time.process_time() - begin) / options.count / len(options.phases):.1f}")


if __name__ == "__main__":
    main()
