"""Where the engine loses patterns: lines, search, ranking, evidence, each tried with what the stage before should give.

python benchmarks/engine_losses.py runs/icsd.h5 [--recipe measured] [--count 60] [--part training] [--records l.jsonl]

The engine is asked alone. Where it does not name the true lattice with its cell (reduced, within 0.3 %), the stage that
lost it is told:
  evidence  the true lattice was found, and another one has more evidence even where the true one is laid on it;
  ranking   it was found, and has more evidence than all others once it is laid on the pattern;
  foreign   the search finds the true cell from the true ones among the lines, and not from all;
  lines     it does not find it from these either;
  beyond    as lines, from fewer than 12 true lines, and evidence prefers another lattice.
`would` counts those whose evidence would choose the true lattice if it were among those laid on the pattern. Choose
rules on the training part; the test part is for engine_accuracy.py.
"""

import argparse
import json
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
from engine_accuracy import draw, of_structure, recipe_called, true_metric

from unscatter.nouns.lattice import Lattice
from unscatter.nouns.lines import Lines
from unscatter.nouns.pattern import Pattern
from unscatter.powder.pattern.instrument import Instrument
from unscatter.powder.refine.engine import Interpretation, interpret
from unscatter.powder.refine.hypotheses import WEIGHED, weigh_lattices
from unscatter.powder.refine.index import index
from unscatter.powder.refine.lines import find_lines
from unscatter.powder.refine.metric import lattice_of, primitive_metric, same_lattice, subgroups, symmetry_of
from unscatter.powder.refine.observation import observe
from unscatter.powder.samples.cache import PhaseLines
from unscatter.powder.samples.tables import CachedCrystals
from unscatter.symmetry import bravais_lattice
from unscatter.train.powder.splits import split_table

STAGES = ("right", "evidence", "ranking", "foreign", "lines", "beyond")
FEWEST = 12


def true_lattice(phase: PhaseLines, zero: float) -> Lattice:
    """The lattice of a structure, with the zero of its pattern."""
    metric = symmetry_of(true_metric(phase.cell, phase.space_group))
    name = bravais_lattice(phase.space_group)
    found = next(one for one in (metric, *subgroups(metric)) if one.bravais == name)
    return replace(lattice_of(found), zero=zero)


def has_cell(found: Lattice, phase: PhaseLines) -> bool:
    return same_lattice(true_metric(phase.cell, phase.space_group), primitive_metric(found.cell, found.bravais[1]))


def true_lines(lines: Lines, phase: PhaseLines, instrument: Instrument) -> Lines:
    """Lines near one of the structure, and not images."""
    sine = lines.wavelength / 2 * phase.inverse_d()
    theta = np.arcsin(sine[sine < 1])
    true = np.degrees(2 * theta) + instrument.zero + instrument.displacement * np.cos(theta)
    off = np.min(np.abs(lines.two_theta[:, None] - true), axis=1) if len(true) else np.full(len(lines), 9.0)
    kept = off < np.maximum(0.03, np.minimum(0.5 * lines.fwhm, 4 * lines.two_theta_error))
    return lines.chosen(kept)


def places(found: tuple[Lattice, ...], phase: PhaseLines) -> int:
    return next((n for n, one in enumerate(found, 1) if has_cell(one, phase)), 0)


def stage(pattern: Pattern, phase: PhaseLines, instrument: Instrument, found: Interpretation) -> dict:
    """Which stage loses a pattern, and what was seen on the way."""
    lines, true = found.lines, true_lines(found.lines, phase, instrument)
    best = found.best
    told = {
        "lines": len(lines),
        "true_lines": len(true),
        "foreign_of_20": 20 - int(np.isin(lines.two_theta[:20], true.two_theta).sum()) if len(lines) >= 20 else -1,
        "place": places(found.lattices, phase),
        "best": f"{best.lattice.bravais} {best.lattice.primitive_volume:.0f}" if best else "",
        "hypotheses": len(found.hypotheses),
    }
    if best is not None and of_structure(best.lattice, phase):
        return told | {"stage": "right", "would": True}
    # The true lattice laid on the pattern beside the others.
    given = (true_lattice(phase, instrument.zero), *found.lattices[: WEIGHED - 1])
    _, weighed = weigh_lattices(observe(pattern, lines), given) if len(lines) else (None, ())
    mine = max((h.value for h in weighed if of_structure(h.lattice, phase)), default=-np.inf)
    others = max((h.value for h in weighed if not of_structure(h.lattice, phase)), default=-np.inf)
    other = next((h.lattice for h in weighed if not of_structure(h.lattice, phase)), None)
    told |= {
        "ahead": round(float(np.clip(mine - others, -1e4, 1e4)), 1),
        "against": f"{other.bravais} {other.primitive_volume:.0f}" if other else "",
        "would": bool(mine > others),
    }
    if told["place"]:
        name = "ranking" if told["would"] else "evidence"
    elif len(true) >= 4 and places(index(true, time_limit=60.0), phase):
        name = "foreign"
    elif len(true) >= FEWEST or told["would"]:
        name = "lines"
    else:
        name = "beyond"
    return told | {"stage": name}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("structures", type=Path)
    parser.add_argument("--recipe", default="measured")
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--first", type=int, default=0, help="number of the first pattern")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--part", choices=("training", "validation", "test"), default="training", help="of the split")
    parser.add_argument("--records", type=Path, help="one line a pattern is written here")
    options = parser.parse_args()
    crystals = CachedCrystals([options.structures])
    split = split_table(crystals, "prototype")
    rows = np.random.default_rng(options.seed).permutation(getattr(split, options.part))
    recipe, found = recipe_called(options.recipe), []
    for number in range(options.first, options.first + options.count):
        pattern, phase, instrument = draw(recipe, crystals, int(rows[number]), options.seed, number, split.training)
        begin = time.process_time()
        said = interpret(pattern, lines=find_lines(pattern), time_limit=120.0)
        seconds = time.process_time() - begin
        one = {"number": number, "truth": bravais_lattice(phase.space_group), "radiation": pattern.radiation}
        one |= {
            "volume": round(true_volume(phase)),
            "seconds": round(seconds, 2),
            **stage(pattern, phase, instrument, said),
        }
        one |= {"parts": {k: round(v, 2) for k, v in said.seconds.items()}}
        found.append(one)
        print(json.dumps(one), flush=True)
        if options.records is not None:
            with options.records.open("a", encoding="utf-8") as file:
                file.write(json.dumps(one) + "\n")
    report(options.recipe, found)


def true_volume(phase: PhaseLines) -> float:
    return float(np.sqrt(np.linalg.det(true_metric(phase.cell, phase.space_group))))


def report(recipe: str, found: list[dict]) -> None:
    counts = Counter(one["stage"] for one in found)
    print(f"{recipe}, {len(found)} patterns: first answer of the engine, or the stage that lost it")
    for name in STAGES:
        would = sum(one["stage"] == name and one["would"] for one in found)
        print(f"  {name:<10}{counts[name]:4d} {100 * counts[name] / len(found):6.1f} %   would {would}")
    half, most = np.quantile([one["seconds"] for one in found], [0.5, 0.9])
    print(f"  CPU-s a pattern, median and 90 %: {half:.1f} and {most:.1f}")


if __name__ == "__main__":
    main()
