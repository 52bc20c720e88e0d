"""Lattices of lists of lines: published ones, simulated ones with missing and foreign lines, or none at all."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from unscatter.nouns.cell import Cell
from unscatter.nouns.lattice import Lattice
from unscatter.nouns.lines import Lines
from unscatter.powder.refine.figures import f20, m20
from unscatter.powder.refine.index import index
from unscatter.powder.refine.metric import primitive_metric, same_lattice, symmetry_of
from unscatter.powder.refine.nodes import predicted
from unscatter.powder.refine.settle import Observed, settle

CU = 1.5405929
# Cu K-alpha 1 two-theta in degrees: NIST SRM 640 (silicon), SRM 660 (LaB6), PDF 46-1212 (corundum).
SILICON = [28.442, 47.303, 56.122, 69.130, 76.376, 88.030, 94.953, 106.709, 114.092, 127.545, 136.893]
LAB6 = [21.358, 30.385, 37.442, 43.507, 48.958, 53.989, 63.219, 67.548, 71.746, 75.844, 79.870, 83.847, 87.792]
CORUNDUM = [25.578, 35.152, 37.776, 41.675, 43.355, 46.175, 52.549, 57.496, 59.739, 61.117, 61.298, 66.519, 68.212]
CORUNDUM += [70.418, 74.297, 76.869, 77.224]


def list_lines(two_theta: list[float] | NDArray[np.float64], wavelength: float) -> Lines:
    place = np.unique(np.asarray(two_theta, dtype=np.float64))
    unknown = np.full(len(place), np.nan)
    return Lines(
        place, np.full(len(place), 0.005), np.ones(len(place)), unknown, unknown, wavelength, (place[0], place[-1])
    )


def simulate_lines(cell: Cell, centring: str, count: int, seed: int, zero: float = 0.0, foreign: int = 0) -> Lines:
    """The first lines of a lattice, a tenth of them missing, with errors of 0.005 degrees."""
    rng = np.random.default_rng(seed)
    matrix = np.linalg.inv(primitive_metric(cell, centring))
    volume = cell.volume / {"P": 1, "C": 2, "I": 2, "F": 4, "R": 3}[centring]
    most = min((3 * 30 * count / (4 * np.pi * volume)) ** (2 / 3), (2 * 0.98 / CU) ** 2)
    _, q = predicted(matrix, float(most))
    q = q[np.concatenate([[True], np.diff(q) > 2e-3 * q[1:]])]
    q = q[rng.random(len(q)) > 0.1][:count]
    two_theta = np.degrees(2 * np.arcsin(np.sqrt(q) * CU / 2))
    two_theta = two_theta + zero + 0.005 * rng.standard_normal(len(q))
    others: NDArray[np.float64] = rng.uniform(two_theta[0], two_theta[-1], foreign)
    return list_lines(np.concatenate([two_theta, others]), wavelength=CU)


def holds(found: tuple[Lattice, ...], cell: Cell, bravais: str) -> bool:
    truth = primitive_metric(cell, bravais[1])
    return any(
        one.bravais == bravais and same_lattice(truth, primitive_metric(one.cell, one.bravais[1])) for one in found
    )


@pytest.mark.parametrize(
    ("lines", "bravais", "cell"),
    [
        (SILICON, "cF", (5.4309, 5.4309, 5.4309)),
        (LAB6, "cP", (4.1569, 4.1569, 4.1569)),
        (CORUNDUM, "hR", (4.7587, 4.7587, 12.9929)),
    ],
)
def test_standards_are_indexed_from_their_published_lines(
    lines: list[float], bravais: str, cell: tuple[float, ...]
) -> None:
    best = index(list_lines(lines, wavelength=CU))[0]
    assert best.bravais == bravais
    assert best.cell.parameters[:3] == pytest.approx(cell, rel=3e-4)
    assert best.foreign == 0
    assert best.m20 > 50


@pytest.mark.parametrize(
    ("bravais", "cell"),
    [
        ("oP", Cell(8.48, 5.397, 6.958)),
        ("oF", Cell(9.1, 12.4, 17.7)),
        ("tI", Cell(5.94, 5.94, 13.1)),
        ("hP", Cell(9.42, 9.42, 6.88, 90, 90, 120)),
        ("hR", Cell(4.99, 4.99, 17.06, 90, 90, 120)),
        ("mP", Cell(7.11, 9.55, 10.3, 90, 104.2, 90)),
        ("mC", Cell(12.9, 6.31, 9.4, 90, 117.5, 90)),
        ("aP", Cell(5.9, 7.2, 9.6, 98.0, 103.4, 94.1)),
    ],
)
def test_a_lattice_is_found_with_lines_missing_and_one_foreign_line(bravais: str, cell: Cell) -> None:
    lines = simulate_lines(cell, bravais[1], 30, seed=3, foreign=1)
    assert holds(index(lines)[:3], cell, bravais)


def test_a_shifted_scale_is_told_with_the_lattice() -> None:
    cell = Cell(9.42, 9.42, 6.88, 90, 90, 120)
    best = index(simulate_lines(cell, "P", 30, seed=4, zero=0.05))[0]
    assert best.bravais == "hP"
    assert best.cell.parameters == pytest.approx(cell.parameters, rel=1e-3)
    assert best.zero == pytest.approx(0.05, abs=0.01)


@pytest.mark.parametrize("zero", [-0.5, 0.5])
def test_a_zero_of_half_a_degree_is_found_with_a_cubic_lattice(zero: float) -> None:
    best = index(list_lines(np.array(LAB6) + zero, wavelength=CU))[0]
    assert best.bravais == "cP"
    assert best.cell.a == pytest.approx(4.1569, rel=1e-3)
    assert best.zero == pytest.approx(zero, abs=0.03)


def test_many_weak_lines_of_nothing_do_not_hide_the_strong_ones_of_silicon() -> None:
    junk = np.random.default_rng(3).uniform(5, 140, 120)
    place = np.concatenate([SILICON, junk])
    area = np.concatenate([np.ones(len(SILICON)), np.full(len(junk), 0.002)])
    order = np.argsort(place)
    unknown = np.full(len(place), np.nan)
    lines = Lines(place[order], np.full(len(place), 0.005), area[order], unknown, unknown, CU, (5.0, 140.0))
    best = index(lines)[0]
    assert best.bravais == "cF"
    assert best.cell.a == pytest.approx(5.4309, rel=3e-4)


def test_a_suspected_cell_is_found_though_the_search_may_not_look_there() -> None:
    cell = Cell(5.9, 7.2, 9.6, 98.0, 103.4, 94.1)
    lines = simulate_lines(cell, "P", 30, seed=5)
    suspected = Cell(5.95, 7.26, 9.68, 98.0, 103.4, 94.1)
    assert holds(index(lines, systems=("cubic",), cell=suspected)[:1], cell, "aP")
    assert not holds(index(lines, systems=("cubic",)), cell, "aP")


def test_no_lattice_exceeds_the_largest_volume_be_it_named_or_a_multiple() -> None:
    cell = Cell(5.1, 6.3, 7.9, 90, 104, 90)
    lines = simulate_lines(cell, "P", 30, seed=8)
    for largest in (0.6 * cell.volume, 1.5 * cell.volume):
        found = index(lines, max_volume=largest, cell=cell, systems=["monoclinic"])
        assert all(one.primitive_volume <= 1.001 * largest for one in found)
        assert holds(found, cell, "mP") == (largest > cell.volume)


def test_lines_anywhere_are_explained_by_nothing_symmetric() -> None:
    rng = np.random.default_rng(6)
    lines = list_lines(np.sort(rng.uniform(10, 80, 25)), wavelength=CU)
    assert index(lines, systems=("cubic", "tetragonal", "hexagonal", "rhombohedral")) == ()


def test_too_few_lines_are_refused() -> None:
    with pytest.raises(ValueError, match="3 lines name no lattice"):
        index(list_lines([20.0, 30.0, 40.0], wavelength=CU))


def test_an_unknown_system_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\['trigonal'\] are not known"):
        index(list_lines(SILICON, wavelength=CU), systems=("trigonal",))


def test_m20_and_f20_follow_their_definitions() -> None:
    # A lattice of 30 lines at equal distances of which 20 are seen, each off by a tenth of the distance.
    predicted_q = np.arange(1, 31) * 0.01
    calculated = np.delete(predicted_q, slice(3, 13))[:20]
    observed = calculated + 0.001 * (-1) ** np.arange(20)
    assert m20(observed, calculated, predicted_q) == pytest.approx(0.30 / (2 * 0.001 * 30))
    assert f20(observed, calculated, predicted_q) == pytest.approx(20 / (0.001 * 30))


def angles_of(cell: Cell, centring: str, last: float) -> NDArray[np.float64]:
    """Two-theta in degrees of all lines of a lattice up to `last`."""
    most = (2 * np.sin(np.radians(last / 2)) / CU) ** 2
    _, q = predicted(np.linalg.inv(primitive_metric(cell, centring)), float(most))
    return np.degrees(2 * np.arcsin(np.unique(np.round(np.sqrt(q), 7)) * CU / 2))


def test_a_zero_of_the_scale_hides_no_small_lattice_behind_a_large_one() -> None:
    magnesite = Cell(4.6339, 4.6339, 15.0177, 90, 90, 120)
    rng = np.random.default_rng(3)
    angles = angles_of(magnesite, "R", 118.0) + 0.08
    seen = angles[rng.random(len(angles)) > 0.2]
    best = index(list_lines(seen + 0.003 * rng.standard_normal(len(seen)), CU))[0]
    assert holds((best,), magnesite, "hR")
    assert best.zero == pytest.approx(0.08, abs=0.01)


def test_the_lattice_of_the_strongest_lines_stands_among_the_first_where_a_minor_phase_has_more_lines() -> None:
    fluorite, quartz = Cell(5.463, 5.463, 5.463), Cell(4.9134, 4.9134, 5.4052, 90, 90, 120)
    strong, weak = angles_of(fluorite, "F", 118.0), angles_of(quartz, "P", 118.0)
    place = np.concatenate([strong, weak])
    area = np.concatenate([np.full(len(strong), 1.0), np.full(len(weak), 0.02)])
    order = np.argsort(place)
    unknown = np.full(len(place), np.nan)
    lines = Lines(
        place[order], np.full(len(place), 0.005), area[order], unknown, unknown, CU, (place.min(), place.max())
    )
    assert holds(index(lines)[:4], fluorite, "cF")


def test_foreign_lines_beside_those_of_a_lattice_do_not_pull_it() -> None:
    cell = Cell(3.609, 9.114, 11.394)
    own = angles_of(cell, "P", 60.0)[:22]
    beside = own[[1, 4, 7, 10, 13, 16]] + 0.03
    lines = list_lines(np.concatenate([own, beside]), CU)
    lines = replace(lines, fwhm=np.full(len(lines), 0.04), two_theta_error=np.full(len(lines), 0.001))
    metric = symmetry_of(primitive_metric(cell, "P"))
    found = settle(metric, Observed.of(lines))
    assert found.foreign == 6
    assert same_lattice(found.metric.matrix, metric.matrix, 3e-4)
