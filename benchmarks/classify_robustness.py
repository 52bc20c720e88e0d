"""How first answers hold out as a measurement gets worse: one thing at a time, all else as on a good day.

python benchmarks/classify_robustness.py --structures reflections.h5 [--count 100] [--engine none both] [--out folder]

Test structures of the split that the network was trained with, on a neutron diffractometer (BT-1) and on one with a
tube (Cu K-alpha), 2 % background, 2 10^4 counts in the highest point. A curve is the share of patterns whose Bravais
lattice is named first, against one of: counts, share of the range that was measured, zero shift, area of an impurity,
texture, K-beta. A pattern that is refused counts as wrong. --few takes fewer levels, --in-turn one diffractometer for
each structure, in turn, for one curve: the engine takes seconds a pattern. Answers stand in the folder as one line a
point, so that an interrupted call goes on. Writes robustness.csv and robustness.png; intervals are Wilson's, of 95 %.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from scipy.stats import binomtest
from tqdm import tqdm

from unscatter.io.files import replacing
from unscatter.nouns.pattern import Pattern
from unscatter.powder.classify.classify import classify
from unscatter.powder.samples.draw import CachedCrystals, PowderRecipe, draw_pattern
from unscatter.symmetry import bravais_lattice
from unscatter.train.powder.evaluate import held_out_source
from unscatter.weights import open_network

NEUTRON = PowderRecipe(
    "neutron", neutron=("bt1-ge311",), background=(0.02, 0.02), counts=(2e4, 2e4), size=(2000.0, 2000.0)
)
LAB = replace(NEUTRON, name="lab", x_ray=("lab-cu",), neutron_share=0.0)
BASES = {"neutron": NEUTRON, "x-ray": LAB}
COLOURS = {"neutron": "#1f4e79", "x-ray": "#d95f02", "in turn": "#1f4e79"}


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


@dataclass(frozen=True)
class Effect:
    """What gets worse: its name on an axis, levels, those of --few, the level that spoils nothing, and what it does."""

    axis: str
    levels: tuple[float, ...]
    few: tuple[float, ...]
    neutral: float | None
    recipe: Callable[[PowderRecipe, float], PowderRecipe]
    pattern: Callable[[Pattern, float], Pattern]
    radiations: tuple[str, ...] = ("neutron", "x-ray")


EFFECTS = {
    "counts": Effect(
        "counts in the highest point",
        (50, 100, 200, 500, 1e3, 3e3, 1e4, 1e5),
        (50, 200, 1e3, 1e5),
        None,
        with_counts,
        as_it_is,
    ),
    "range": Effect("share of the range", (1.0, 0.8, 0.6, 0.5, 0.4, 0.3), (1.0, 0.4), 1.0, same_recipe, cut_short),
    "zero": Effect(
        "zero shift (deg)",
        (0.0, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5),
        (0.0, 0.2, 0.5),
        0.0,
        same_recipe,
        shifted,
    ),
    "impurity": Effect(
        "area of an impurity",
        (0.0, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5),
        (0.0, 0.1, 0.5),
        0.0,
        with_impurity,
        as_it_is,
    ),
    "texture": Effect("March-Dollase r, to", (1.0, 1.25, 1.5, 2.0, 3.0), (1.0, 3.0), 1.0, with_texture, as_it_is),
    "k_beta": Effect(
        "K-beta / K-alpha", (0.0, 0.005, 0.01, 0.02, 0.05), (0.0, 0.05), 0.0, with_k_beta, as_it_is, ("x-ray",)
    ),
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


def first_lattice(pattern: Pattern, engine: str) -> str:
    """The first answer for the Bravais lattice, "" where the pattern was refused."""
    chosen = "none" if engine == "none" else "crystallography"
    try:
        return classify(pattern, engine=chosen).top(1, "Bravais lattice")[0].name
    except ValueError:
        return ""


@dataclass(frozen=True)
class Point:
    """Answers at one level: how many of n patterns were named rightly by each engine."""

    effect: str
    level: float
    radiation: str
    engine: str
    right: int
    n: int

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's interval of 95 % of the share that is right."""
        found = binomtest(self.right, self.n).proportion_ci(method="wilson")
        return float(found.low), float(found.high)


def cases_of(options: argparse.Namespace) -> list[tuple[str, str, float]]:
    """Effect, radiation and level of every point; "in turn" where structures take turns."""
    return [
        (name, radiation, level)
        for name in options.effects
        for radiation in (("in turn",) if options.in_turn else EFFECTS[name].radiations)
        for level in (EFFECTS[name].few if options.few else EFFECTS[name].levels)
    ]


def patterns_of(name: str, radiation: str, level: float, crystals: CachedCrystals, rows: np.ndarray) -> list[Pattern]:
    """The patterns of a point."""
    effect = EFFECTS[name]
    turns = effect.radiations if radiation == "in turn" else (radiation,)
    drawn = [draw_measured(effect.recipe(BASES[one], level), crystals, rows) for one in turns]
    return [effect.pattern(drawn[k % len(turns)][k], level) for k in range(len(rows))]


def measure(options: argparse.Namespace) -> list[Point]:
    """One point for each effect, level, radiation and engine; those of an earlier call are not asked again."""
    record = open_network("group-230").card.record
    source = held_out_source(record, recipes=("paper",), structures=(options.structures,))
    crystals, rows = source.crystals, source.held_out("test", options.count)
    truth = [bravais_lattice(int(number)) for number in crystals.space_group[rows]]
    store = options.out / "robustness.jsonl"
    lines = store.read_text(encoding="utf-8").splitlines() if store.is_file() else []
    known = {(p.effect, p.radiation, p.level, p.engine, p.n): p for p in (Point(**json.loads(one)) for one in lines)}
    found: list[Point] = []
    for name, radiation, level in tqdm(cases_of(options), unit="point", disable=None):
        for engine in options.engine:
            # What spoils nothing is the same for all effects that ask the same diffractometers.
            alike = [name] + [
                other
                for other in EFFECTS
                if level == EFFECTS[name].neutral and EFFECTS[other].radiations == EFFECTS[name].radiations
            ]
            keys = [(other, radiation, EFFECTS[other].neutral, engine, len(rows)) for other in alike[1:]]
            before = next((known[k] for k in [(name, radiation, level, engine, len(rows)), *keys] if k in known), None)
            if before is None:
                patterns = patterns_of(name, radiation, level, crystals, rows)
                right = sum(first_lattice(p, engine) == t for p, t in zip(patterns, truth, strict=True))
                before = Point(name, level, radiation, engine, right, len(rows))
                with store.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(asdict(before)) + "\n")
                known[(name, radiation, level, engine, len(rows))] = before
            found.append(replace(before, effect=name, level=level))
    return found


def curves_of(found: Sequence[Point], name: str) -> dict[tuple[str, str], list[Point]]:
    """The points of an effect by radiation and engine."""
    curves: dict[tuple[str, str], list[Point]] = {}
    for point in found:
        if point.effect == name:
            curves.setdefault((point.radiation, point.engine), []).append(point)
    return curves


def draw_figure(found: Sequence[Point]) -> Figure:
    """A panel for each effect, a curve for each radiation and engine, with intervals of 95 %."""
    names = list(dict.fromkeys(point.effect for point in found))
    figure = Figure(figsize=(4.2 * min(3, len(names)), 3.3 * -(-len(names) // 3)), layout="constrained")
    for place, name in enumerate(names):
        panel = figure.add_subplot(-(-len(names) // 3), min(3, len(names)), place + 1)
        for (radiation, engine), curve in curves_of(found, name).items():
            x, y = np.array([p.level for p in curve]), np.array([p.right / p.n for p in curve])
            low, high = np.array([p.interval for p in curve]).T
            label = f"{'network' if engine == 'none' else 'network and engine'}, {radiation}"
            style = {"color": COLOURS[radiation], "linestyle": "--" if engine == "none" else "-"}
            bars = 100 * np.array([y - low, high - y])
            panel.errorbar(x, 100 * y, bars, marker="o", ms=3, capsize=2, elinewidth=0.7, label=label, **style)
        if name == "counts":
            panel.set_xscale("log")
        panel.set_xlabel(EFFECTS[name].axis)
        panel.set_ylim(0, 100)
        panel.set_ylabel("lattice named first (%)")
    figure.axes[0].legend(fontsize=8)
    return figure


def report(found: Sequence[Point], name: str) -> None:
    """Print the curves of an effect: share in per cent and its interval."""
    print(f"\n{EFFECTS[name].axis}")
    for (radiation, engine), curve in curves_of(found, name).items():
        points = "  ".join(
            f"{p.level:g}: {100 * p.right / p.n:.0f} ({100 * p.interval[0]:.0f}-{100 * p.interval[1]:.0f})"
            for p in curve
        )
        print(f"  {radiation:8} {engine:5} n {curve[0].n}  {points}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--structures", type=Path, required=True, help="reflection cache")
    parser.add_argument("--count", type=int, default=100, help="test structures")
    parser.add_argument("--engine", nargs="+", choices=("none", "both"), default=["none"])
    parser.add_argument("--effects", nargs="+", choices=tuple(EFFECTS), default=list(EFFECTS))
    parser.add_argument("--few", action="store_true", help="fewer levels")
    parser.add_argument("--in-turn", action="store_true", help="structures take turns between the diffractometers")
    parser.add_argument("--out", type=Path, default=Path())
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    found = measure(options)
    with replacing(options.out / "robustness.csv") as part, part.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("effect", "level", "radiation", "engine", "right", "n", "low", "high"))
        writer.writerows([*asdict(point).values(), *point.interval] for point in found)
    draw_figure(found).savefig(options.out / "robustness.png", dpi=150)
    for name in options.effects:
        report(found, name)


if __name__ == "__main__":
    main()
