"""unscatter's search for lattices beside other open programs, on the same lists of lines, in one run.

python -m venv peers && peers/bin/pip install mlindex==0.1.3 rietx==1.10.0
python benchmarks/index_peers.py runs/icsd.h5 --peers peers/bin/python [--each 1] [--recipe paper] [--seed 3]

Patterns of test structures are drawn, as many of each Bravais lattice from cF to tP, which are those that mlindex's
run_analytical knows, and one each of oP and mP, which only the others do; lines are found once, and each program is
given the same list (mlindex the first 20). A cell is right where its reduced primitive cell is that of the structure
within 0.3 %. CPU seconds are those after all imports; the first call of each program, which compiles, is left out.
"""

import argparse
import json
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from engine_accuracy import draw, recipe_called, true_metric

from unscatter.nouns.cell import Cell
from unscatter.nouns.lines import Lines
from unscatter.powder.refine.index import index
from unscatter.powder.refine.lines import find_lines
from unscatter.powder.refine.metric import primitive_metric, same_lattice
from unscatter.powder.samples.cache import PhaseLines
from unscatter.powder.samples.tables import CachedCrystals
from unscatter.symmetry import bravais_lattice
from unscatter.train.powder.splits import split_table

LATTICES = ("cF", "cI", "cP", "hP", "hR", "tI", "tP")
BEYOND = ("oP", "mP")
PEERS = ("mlindex", "rietx")
LONGEST_S = 900


@dataclass(frozen=True)
class Said:
    """What a program said of a list: whether its first cell is right, and CPU seconds; None where it was cut off."""

    right: bool
    seconds: float | None


def is_right(cell: Any, centring: str, phase: PhaseLines) -> bool:
    """Whether a cell (six numbers, or None) is that of the structure."""
    if cell is None:
        return False
    centring = "C" if centring in "ABC" else centring
    truth = true_metric(phase.cell, phase.space_group)
    return same_lattice(truth, primitive_metric(Cell.from_sequence(cell), centring))


def ask_ours(lines: Lines, phase: PhaseLines) -> Said:
    begin = time.process_time()
    found = index(lines)
    seconds = time.process_time() - begin
    best = found[0] if found else None
    return Said(best is not None and is_right(best.cell.parameters, best.bravais[1], phase), seconds)


def ask_peer(python: Path, name: str, lines: Lines, phase: PhaseLines) -> Said:
    table = {
        "wavelength": lines.wavelength,
        "two_theta": lines.two_theta.tolist(),
        "two_theta_error": lines.two_theta_error.tolist(),
        "area": lines.area.tolist(),
    }
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(table, file)
        file.flush()
        command = [str(python), str(Path(__file__).with_name("peers.py")), name, file.name]
        try:
            out = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST_S, check=True)
        except subprocess.TimeoutExpired:
            return Said(False, None)
        except subprocess.CalledProcessError as error:
            print(f"{name} ended: {error.stderr.strip().splitlines()[-1:]}")
            return Said(False, None)
    answer = json.loads(out.stdout.strip().splitlines()[-1])
    return Said(is_right(answer["cell"], answer["centring"], phase), answer["seconds"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("structures", type=Path)
    parser.add_argument("--peers", type=Path, required=True, help="Python of the environment of the other programs")
    parser.add_argument("--each", type=int, default=1, help="patterns of each lattice")
    parser.add_argument("--recipe", default="paper")
    parser.add_argument("--seed", type=int, default=3)
    options = parser.parse_args()
    crystals = CachedCrystals([options.structures])
    split = split_table(crystals, "prototype")
    rows = np.random.default_rng(options.seed).permutation(split.test)
    names = np.array([bravais_lattice(int(crystals.space_group[row])) for row in rows])
    chosen = [row for name in (*LATTICES, *BEYOND) for row in rows[names == name][: options.each]]
    said: dict[str, list[Said]] = {"unscatter": [], **{name: [] for name in PEERS}}
    warm = False
    for number, row in enumerate(chosen):
        pattern, phase, _ = draw(
            recipe_called(options.recipe), crystals, int(row), options.seed, number, split.training
        )
        lines = find_lines(pattern)
        if not warm:
            ask_ours(lines, phase)
            warm = True
        said["unscatter"].append(ask_ours(lines, phase))
        for name in PEERS:
            said[name].append(ask_peer(options.peers, name, lines, phase))
        each = "   ".join(f"{name} {show(answers[-1])}" for name, answers in said.items())
        print(f"{bravais_lattice(phase.space_group)} {len(lines):3d} lines   {each}", flush=True)
    for name, answers in said.items():
        seconds = [one.seconds for one in answers if one.seconds is not None]
        right = sum(one.right for one in answers)
        print(f"{name:<10} right {right:2d} of {len(answers)}   median {np.median(seconds):7.2f} CPU-s")


def show(one: Said) -> str:
    seconds = "cut off" if one.seconds is None else f"{one.seconds:.1f} s"
    return f"{'right' if one.right else 'wrong'} {seconds}"


if __name__ == "__main__":
    main()
