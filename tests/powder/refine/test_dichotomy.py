"""The search to the end: what is within its bounds is found, and what is not found is not there."""

import time

import numpy as np
import pytest

from unscatter.nouns.cell import Cell
from unscatter.nouns.lines import Lines
from unscatter.powder.refine.dichotomy import EXHAUSTIVE, SIGMAS, WINDOW, _hit, exhaust
from unscatter.powder.refine.index import index
from unscatter.powder.refine.metric import primitive_metric, same_lattice
from unscatter.powder.refine.predicted import predict_lines
from unscatter.powder.refine.search import Effort, Problem, pose
from unscatter.powder.refine.settle import Observed

WAVELENGTH = 1.5406


def angles(cell: Cell, bravais: str, foreign: int = 0, seed: int = 0) -> np.ndarray:
    """20 lines of a lattice, each fifth missing and some foreign ones among them, with an s.u. of 0.008 degrees."""
    rng = np.random.default_rng(seed)
    hkl = predict_lines(cell, bravais, 1.2).hkl
    length = np.unique(np.round(np.linalg.norm(hkl @ cell.reciprocal, axis=1) / (2 * np.pi), 6))
    two_theta = 2 * np.degrees(np.arcsin(length * WAVELENGTH / 2))
    two_theta = two_theta[rng.random(len(two_theta)) > 0.2]
    two_theta = two_theta[np.concatenate([[True], np.diff(two_theta) > 0.08])]
    others = rng.uniform(two_theta[0], two_theta[20], foreign)
    found = np.sort(np.concatenate([two_theta[: 20 - foreign], others]))
    return np.asarray(found + rng.normal(0, 0.008, 20))


def posed(two_theta: np.ndarray) -> Problem:
    q = (2 * np.sin(np.radians(two_theta / 2)) / WAVELENGTH) ** 2
    slope = 2 * np.sin(np.radians(two_theta)) / WAVELENGTH**2 * np.pi / 180
    some = np.ones(len(q))
    return pose(Observed(two_theta, 0.008 * some, q, slope, some, WAVELENGTH), Effort(window=WINDOW, sigmas=SIGMAS))


CASES = [
    ("cubic", Cell(12.0, 12.0, 12.0), "cI"),
    ("tetragonal", Cell(4.594, 4.594, 2.959), "tP"),
    ("tetragonal", Cell(3.785, 3.785, 9.514), "tI"),
    ("hexagonal", Cell(6.523, 6.523, 3.855, 90, 90, 120), "hP"),
    ("hexagonal", Cell(4.759, 4.759, 12.99, 90, 90, 120), "hR"),
    ("orthorhombic", Cell(8.48, 5.40, 6.96), "oP"),
    ("orthorhombic", Cell(6.2, 11.8, 8.4), "oC"),
    ("orthorhombic", Cell(7.1, 9.3, 13.6), "oI"),
    ("orthorhombic", Cell(2.9, 4.4, 11.5), "oP"),
]


@pytest.mark.parametrize(("system", "cell", "bravais"), CASES)
@pytest.mark.parametrize("foreign", [0, 2])
def test_a_lattice_within_the_bounds_is_found(system: str, cell: Cell, bravais: str, foreign: int) -> None:
    found, ruled_out = exhaust(posed(angles(cell, bravais, foreign)), system, time.thread_time() + 60)
    assert ruled_out.largest > 0
    truth = primitive_metric(cell, bravais[1])
    # Half a box off before it is refined.
    assert any(same_lattice(truth, one, 6e-3) for one in found), ruled_out.describe()


def test_lines_of_nothing_are_ruled_out_to_the_end() -> None:
    rng = np.random.default_rng(3)
    two_theta = np.sort(rng.uniform(8, 25, 20))
    problem = posed(two_theta)
    for system in ("cubic", "tetragonal", "hexagonal"):
        found, ruled_out = exhaust(problem, system, time.thread_time() + 60, max_volume=1000)
        assert not found
        assert ruled_out.largest == 1000
        assert "no cell" in ruled_out.describe()


def test_no_box_is_given_up_that_holds_a_cell_which_explains_the_line() -> None:
    rng = np.random.default_rng(1)
    for _ in range(300):
        kind = int(rng.integers(4))
        parameters = np.sort(rng.uniform(0.01, 0.2, 3))
        if kind < 3:
            parameters[1] = parameters[0]
        if kind == 0:
            parameters[2] = parameters[0]
        h, k, n = (int(x) for x in rng.integers(0, 4, 3))
        if h + k + n == 0:
            continue
        mixed = parameters[0] * h * k if kind == 2 else 0.0
        q = float(parameters @ np.array([h * h, k * k, n * n]) + mixed)
        share = rng.uniform(0, 0.3)
        box = np.concatenate([parameters * (1 - share), parameters * (1 + rng.uniform(0, 0.3))])
        assert _hit(q - 1e-9, q + 1e-9, kind, box)


def test_time_that_is_up_is_told_and_nothing_claimed() -> None:
    _, ruled_out = exhaust(posed(angles(Cell(8.48, 5.40, 6.96), "oP")), "orthorhombic", time.thread_time() - 1)
    assert ruled_out.largest == 0
    assert "before anything could be ruled out" in ruled_out.describe()


def test_index_tells_what_it_ruled_out() -> None:
    two_theta, some = angles(Cell(8.48, 5.40, 6.96), "oP"), np.ones(20)
    lines = Lines(two_theta, 0.008 * some, some, 0.1 * some, 0.1 * some, WAVELENGTH, (5.0, 60.0))
    told: list[str] = []
    found = index(lines, exhaustive=True, progress=lambda step, _: told.append(step))
    assert found[0].bravais == "oP"
    assert all(any(step.startswith(f"{system}, all up to") for step in told) for system in EXHAUSTIVE)
    assert "orthorhombic, all up to 500 A^3 (18 of 20 lines): best score" in " ".join(found[0].provenance["searched"])
