"""How first answers hold out as a measurement gets worse: one thing at a time, all else as on a good day.

python benchmarks/classify_robustness.py --structures reflections.h5 [--count 100] [--engine none both] [--out folder]

Test structures of the split that the network was trained with, on a neutron diffractometer (BT-1) and on one with a
tube (Cu K-alpha), 2 % background, 2 10^4 counts in the highest point. A curve is the share of patterns whose Bravais
lattice is named first, against one of: counts, share of the range that was measured, zero shift, area of an impurity,
texture, K-beta. A pattern that is refused counts as wrong. Writes robustness.csv and robustness.png.
"""

from __future__ import annotations

import argparse
import csv
import inspect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from tqdm import tqdm

from unscatter.io.files import replacing
from unscatter.nouns.pattern import Pattern
from unscatter.powder.classify.classify import classify_many
from unscatter.powder.samples.draw import CachedCrystals, PowderRecipe, draw_pattern
from unscatter.symmetry import bravais_lattice
from unscatter.train.powder.evaluate import held_out_source
from unscatter.weights import open_network

NEUTRON = PowderRecipe(
    "neutron", neutron=("bt1-ge311",), background=(0.02, 0.02), counts=(2e4, 2e4), size=(2000.0, 2000.0)
)
LAB = replace(NEUTRON, name="lab", x_ray=("lab-cu",), neutron_share=0.0)
BASES = {"neutron": NEUTRON, "x-ray": LAB}


def with_counts(recipe: PowderRecipe, level: float) -> PowderRecipe:
    return replace(recipe, counts=(level, level))


def with_impurity(recipe: PowderRecipe, level: float) -> PowderRecipe:
    return replace(recipe, impurity=1.0, impurity_area=level, impurity_power=0.0) if level else recipe


def with_texture(recipe: PowderRecipe, level: float) -> PowderRecipe:
    return replace(recipe, textured=1.0, texture=level) if level > 1 else recipe


def with_k_beta(recipe: PowderRecipe, level: float) -> PowderRecipe:
    return replace(recipe, contaminated=1.0, k_beta=(level, level)) if level else recipe


def as_it_is(pattern: Pattern, level: float) -> Pattern:
    return pattern


def cut_short(pattern: Pattern, level: float) -> Pattern:
    """The first part of the pattern."""
    n = int(np.ceil(level * len(pattern.two_theta)))
    return replace(pattern, two_theta=pattern.two_theta[:n], intensity=pattern.intensity[:n])


def shifted(pattern: Pattern, level: float) -> Pattern:
    return replace(pattern, two_theta=pattern.two_theta + level)


def same_recipe(recipe: PowderRecipe, level: float) -> PowderRecipe:
    return recipe


Spoil = tuple[
    str,
    tuple[float, ...],
    Callable[[PowderRecipe, float], PowderRecipe],
    Callable[[Pattern, float], Pattern],
    tuple[str, ...],
]
BOTH = ("neutron", "x-ray")
EFFECTS: dict[str, Spoil] = {
    "counts": ("counts in the highest point", (50, 100, 200, 500, 1e3, 3e3, 1e4, 1e5), with_counts, as_it_is, BOTH),
    "range": ("share of the range", (1.0, 0.8, 0.6, 0.5, 0.4, 0.3), same_recipe, cut_short, BOTH),
    "zero": ("zero shift (deg)", (0.0, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5), same_recipe, shifted, BOTH),
    "impurity": ("area of an impurity", (0.0, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5), with_impurity, as_it_is, BOTH),
    "texture": ("March-Dollase r, to", (1.0, 1.25, 1.5, 2.0, 3.0), with_texture, as_it_is, BOTH),
    "k_beta": ("K-beta / K-alpha", (0.0, 0.005, 0.01, 0.02, 0.05), with_k_beta, as_it_is, ("x-ray",)),
}


def draw_measured(recipe: PowderRecipe, crystals: CachedCrystals, rows: np.ndarray) -> list[Pattern]:
    """The patterns of all rows; the same rows have the same noise and the same impurity at every level."""
    patterns = []
    for j, row in enumerate(rows.tolist()):
        two_theta, intensity, instrument, _ = draw_pattern(recipe, crystals, row, 11, j, rows)
        second = instrument.wavelengths[1] if instrument.radiation == "x-ray" else None
        patterns.append(
            Pattern(
                two_theta,
                intensity,
                wavelength=instrument.wavelengths[0],
                second_wavelength=second,
                radiation=instrument.radiation,
                title=crystals.name(row),
                simulated=True,
            )
        )
    return patterns


def first_lattices(patterns: Iterable[Pattern], engine: str) -> list[str]:
    """First answer for the Bravais lattice of each pattern, "" where it was refused."""
    known = "engine" in inspect.signature(classify_many).parameters
    if engine != "none" and not known:
        raise SystemExit(f"this unscatter has no engine to classify with: --engine {engine} is for a later one")
    options = {"engine": engine} if known else {}
    answers = []
    for pattern in patterns:
        try:
            answers.append(classify_many([pattern], **options)[0].top(1, "Bravais lattice")[0].name)
        except ValueError:
            answers.append("")
    return answers


def measure(options: argparse.Namespace) -> list[dict[str, str | float]]:
    """One row for each effect, level, radiation and engine."""
    record = open_network("group-230").card.record
    source = held_out_source(record, recipes=("paper",), structures=(options.structures,))
    crystals, rows = source.crystals, source.held_out("test", options.count)
    truth = np.array([bravais_lattice(int(number)) for number in crystals.space_group[rows]])
    found: list[dict[str, str | float]] = []
    cases = [
        (name, radiation, level)
        for name in options.effects
        for radiation in EFFECTS[name][4]
        for level in EFFECTS[name][1]
    ]
    for name, radiation, level in tqdm(cases, unit="point", disable=None):
        _, _, recipe_with, pattern_with, _ = EFFECTS[name]
        recipe = recipe_with(BASES[radiation], level)
        patterns = [pattern_with(pattern, level) for pattern in draw_measured(recipe, crystals, rows)]
        for engine in options.engine:
            right = float(np.mean(np.array(first_lattices(patterns, engine)) == truth))
            found.append(
                {
                    "effect": name,
                    "level": level,
                    "radiation": radiation,
                    "engine": engine,
                    "right": right,
                    "n": len(rows),
                }
            )
    return found


def draw_figure(found: Sequence[dict[str, str | float]]) -> Figure:
    """A panel for each effect, a curve for each radiation and engine, with the binomial standard error."""
    names = list(dict.fromkeys(str(row["effect"]) for row in found))
    figure = Figure(figsize=(4.2 * min(3, len(names)), 3.3 * -(-len(names) // 3)), layout="constrained")
    for place, name in enumerate(names):
        panel = figure.add_subplot(-(-len(names) // 3), min(3, len(names)), place + 1)
        for radiation, color in (("neutron", "#1f4e79"), ("x-ray", "#d95f02")):
            for engine, style in (("none", "--"), ("both", "-")):
                curve = [r for r in found if (r["effect"], r["radiation"], r["engine"]) == (name, radiation, engine)]
                if curve:
                    x, y = (np.array([float(r[key]) for r in curve]) for key in ("level", "right"))
                    error = np.sqrt(y * (1 - y) / float(curve[0]["n"]))
                    label = f"{radiation}, {'network' if engine == 'none' else 'network and engine'}"
                    panel.errorbar(x, 100 * y, 100 * error, color=color, linestyle=style, marker="o", ms=3, label=label)
        if name == "counts":
            panel.set_xscale("log")
        panel.set_xlabel(EFFECTS[name][0])
        panel.set_ylim(0, 100)
        panel.set_ylabel("lattice named first (%)")
    figure.axes[0].legend(fontsize=8)
    return figure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--structures", type=Path, required=True, help="reflection cache")
    parser.add_argument("--count", type=int, default=100, help="test structures")
    parser.add_argument("--engine", nargs="+", choices=("none", "both"), default=["none"])
    parser.add_argument("--effects", nargs="+", choices=tuple(EFFECTS), default=list(EFFECTS))
    parser.add_argument("--out", type=Path, default=Path())
    options = parser.parse_args()
    found = measure(options)
    options.out.mkdir(parents=True, exist_ok=True)
    with replacing(options.out / "robustness.csv") as part, part.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(found[0]))
        writer.writeheader()
        writer.writerows(found)
    draw_figure(found).savefig(options.out / "robustness.png", dpi=150)
    for name in options.effects:
        print(f"\n{EFFECTS[name][0]}")
        for radiation in EFFECTS[name][4]:
            for engine in options.engine:
                curve = [r for r in found if (r["effect"], r["radiation"], r["engine"]) == (name, radiation, engine)]
                points = "  ".join(f"{r['level']:g}: {100 * float(r['right']):.0f}" for r in curve)
                print(f"  {radiation:8} {engine:5} {points}")


if __name__ == "__main__":
    main()
