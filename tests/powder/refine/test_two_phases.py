"""Two phases of like amounts in one pattern: neither is hidden by the other, nor both by a large cell."""

import numpy as np
import pytest

from unscatter.nouns.cell import Cell
from unscatter.nouns.lattice import Lattice
from unscatter.nouns.pattern import Pattern
from unscatter.powder.pattern.line_shape import LineShape
from unscatter.powder.refine.among_others import among_others
from unscatter.powder.refine.engine import interpret
from unscatter.powder.refine.index import index
from unscatter.powder.refine.lines import find_lines
from unscatter.powder.refine.metric import primitive_metric, same_lattice
from unscatter.powder.refine.predicted import predict_lines
from unscatter.powder.refine.search import SYSTEMS
from unscatter.powder.refine.settle import Observed

CU = 1.5406
WIDTH = LineShape((0.0, 0.0, 0.01), (0.4, 0.0), wavelengths=(CU,), cut=20.0)
CUBIC, HEXAGONAL = Lattice(Cell(3.931, 3.931, 3.931), "cP"), Lattice(Cell(4.238, 4.238, 23.8, 90, 90, 120), "hR")


def simulate(shares: dict[Lattice, float], seed: int = 0) -> Pattern:
    """Counts of lattices with intensities at random, each with a share of all intensity."""
    rng = np.random.default_rng(seed)
    x = np.arange(10.0, 90.0, 0.02)
    total = np.full(len(x), 50.0)
    for lattice, share in shares.items():
        squared = predict_lines(lattice.cell, lattice.bravais, 2 / CU * np.sin(np.radians(45))).inverse_d_squared
        area = rng.exponential(1.0, len(squared)) / squared
        columns = WIDTH.columns(np.degrees(2 * np.arcsin(np.sqrt(squared) * CU / 2)), x).matrix()
        total += columns @ (share * 2000 * area / area.sum())
    return Pattern(x, rng.poisson(total).astype(float), wavelength=CU, radiation="x-ray")


def is_one(found: Lattice | None, true: Lattice) -> bool:
    metrics = [primitive_metric(one.cell, one.bravais[1]) for one in (found or true, true)]
    return found is not None and found.bravais == true.bravais and same_lattice(*metrics)


@pytest.mark.parametrize("share", [0.35, 0.5])
def test_both_phases_of_a_mixture_are_named(share: float) -> None:
    best = interpret(simulate({CUBIC: share, HEXAGONAL: 1 - share})).best
    assert best is not None
    first, second = (HEXAGONAL, CUBIC) if is_one(best.lattice, HEXAGONAL) else (CUBIC, HEXAGONAL)
    assert is_one(best.lattice, first)
    assert is_one(best.beside, second)


@pytest.mark.parametrize(("share", "main"), [(0.3, HEXAGONAL), (0.65, CUBIC)])
def test_the_phase_that_there_is_most_of_comes_first(share: float, main: Lattice) -> None:
    best = interpret(simulate({CUBIC: share, HEXAGONAL: 1 - share})).best
    assert best is not None
    assert is_one(best.lattice, main)


def test_one_phase_has_none_beside_it() -> None:
    best = interpret(simulate({HEXAGONAL: 1.0})).best
    assert best is not None
    assert is_one(best.lattice, HEXAGONAL)
    assert best.beside is None


def test_each_phase_is_found_among_the_lines_of_both() -> None:
    lines = find_lines(simulate({CUBIC: 0.5, HEXAGONAL: 0.5}))
    found = index(lines)
    assert all(any(is_one(one, phase) for one in found) for phase in (CUBIC, HEXAGONAL))


def test_what_stands_among_others_explains_other_lines_each() -> None:
    observed = Observed.of(find_lines(simulate({CUBIC: 0.5, HEXAGONAL: 0.5})))
    found = among_others(observed, observed, SYSTEMS)
    assert len(found) >= 2
    both = found[0].indexed & found[1].indexed
    assert both.sum() < 0.7 * found[1].indexed.sum()


def test_lines_anywhere_are_no_phases() -> None:
    rng = np.random.default_rng(4)
    angles = np.sort(rng.uniform(15, 80, 30))
    q = (2 * np.sin(np.radians(angles / 2)) / CU) ** 2
    slope = 2 * np.sin(np.radians(angles)) / CU**2 * np.pi / 180
    observed = Observed(angles, np.full(30, 0.008), q, slope, rng.exponential(1.0, 30), CU)
    assert among_others(observed, observed, SYSTEMS) == []
