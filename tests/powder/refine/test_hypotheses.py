"""Lattices that a powder may mistake for one another, weighed on simulated patterns."""

import numpy as np

from unscatter.nouns.cell import Cell
from unscatter.nouns.lattice import Lattice
from unscatter.nouns.pattern import Pattern
from unscatter.powder.pattern.line_shape import LineShape
from unscatter.powder.refine.hypotheses import fit_lattice, weigh_lattices
from unscatter.powder.refine.larger import larger_lattices
from unscatter.powder.refine.lines import find_lines
from unscatter.powder.refine.metric import primitive_metric, same_lattice
from unscatter.powder.refine.observation import observe
from unscatter.powder.refine.predicted import predict_lines

CU = 1.5406
WIDTH = LineShape((0.0, 0.0, 0.0256), (0.4, 0.0), wavelengths=(CU,), cut=20.0)


def simulate(cell: Cell, bravais: str, seed: int = 0, weak: float = 1.0, strong: Cell | None = None) -> Pattern:
    """Counts of a lattice with intensities at random; `weak`: of lines that `strong`, a smaller cell, does not have."""
    rng = np.random.default_rng(seed)
    x = np.arange(10.0, 90.0, 0.02)
    squared = predict_lines(cell, bravais, 2 / CU * np.sin(np.radians(45))).inverse_d_squared
    area = 200 * rng.exponential(1.0, len(squared)) / squared
    if strong is not None:
        own = predict_lines(strong, bravais, 1.0).inverse_d_squared
        area[np.abs(squared[:, None] - own).min(axis=1) > 1e-9] *= weak
    columns = WIDTH.columns(np.degrees(2 * np.arcsin(np.sqrt(squared) * CU / 2)), x).matrix()
    return Pattern(x, rng.poisson(100 + columns @ area).astype(float), wavelength=CU, radiation="x-ray")


def test_a_monoclinic_lattice_near_an_orthorhombic_one_is_told_from_it_about_the_right_axis() -> None:
    true = Cell(5.2, 6.4, 7.3, 90, 90.35, 90)
    pattern = simulate(true, "mP")
    observation = observe(pattern, find_lines(pattern))
    _, found = weigh_lattices(observation, [Lattice(Cell(5.2, 6.4, 7.3), "oP")])
    best = found[0].lattice
    assert best.bravais == "mP"
    assert same_lattice(primitive_metric(best.cell, "P"), primitive_metric(true, "P"), 3e-4)


def test_an_orthorhombic_lattice_stays_one() -> None:
    cell = Cell(5.2, 6.4, 7.3)
    pattern = simulate(cell, "oP", seed=1)
    _, found = weigh_lattices(observe(pattern, find_lines(pattern)), [Lattice(cell, "oP")])
    assert found[0].lattice.bravais == "oP"


def test_a_cell_of_three_times_the_volume_is_found_from_the_lines_that_a_third_leaves() -> None:
    small, true = Cell(4.1, 5.3, 6.2), Cell(4.1, 5.3, 18.6)
    pattern = simulate(true, "oP", seed=2, weak=0.1, strong=small)
    lines = find_lines(pattern)
    third = fit_lattice(observe(pattern, lines), Lattice(small, "oP"))
    larger = larger_lattices(third.lattice, third.model)
    metric = primitive_metric(true, "P")
    assert any(same_lattice(primitive_metric(one.cell, one.bravais[1]), metric) for one in larger)
    _, found = weigh_lattices(observe(pattern, lines), [Lattice(small, "oP")])
    assert found[0].lattice.bravais == "oP"
    assert same_lattice(primitive_metric(found[0].lattice.cell, "P"), metric)
