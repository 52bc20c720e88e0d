"""What one lattice leaves unexplained is offered as a second phase, where a lattice explains it."""

import numpy as np
import pytest

from unscatter import Pattern, classify
from unscatter.nouns.cell import Cell
from unscatter.nouns.ranking import Ranking

WAVELENGTH = 1.5406
ANGLES = np.arange(15.0, 100.0, 0.02)
FLUORITE = (Cell(5.4113, 5.4113, 5.4113), lambda h: np.all(h % 2 == h[:, :1] % 2, axis=1))
RUTILE = (Cell(4.594, 4.594, 2.959), lambda h: np.ones(len(h), dtype=bool))


def mixture(*phases: tuple) -> Pattern:
    """Counts of phases (cell, condition, share), intensities at random, seen by a diffractometer."""
    total = np.zeros_like(ANGLES)
    for number, (cell, condition, share) in enumerate(phases):
        h = np.stack(np.meshgrid(*[np.arange(-6, 7)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
        h = h[condition(h) & np.any(h != 0, axis=1)]
        length = np.round(np.linalg.norm(h @ cell.reciprocal, axis=1) / (2 * np.pi), 7)
        inverse_d, count = np.unique(length[length < 1.9 / WAVELENGTH], return_counts=True)
        area = count / inverse_d**2 * np.random.default_rng(number).exponential(1.0, len(count))
        places = 2 * np.degrees(np.arcsin(inverse_d * WAVELENGTH / 2))
        for place, height in zip(places, share * area / area.max(), strict=True):
            x = (ANGLES - place) / 0.12
            total += height * (0.5 * np.exp(-4 * np.log(2) * x**2) + 0.5 / (1 + 4 * x**2))
    counts = np.random.default_rng(0).poisson(8000 * total / total.max() + 80).astype(float)
    return Pattern(ANGLES, counts, wavelength=WAVELENGTH, radiation="x-ray")


@pytest.fixture(scope="module")
def ranking() -> Ranking:
    return classify(mixture((*FLUORITE, 1.0), (*RUTILE, 0.05)))


def test_some_rutile_in_ceria_is_offered_with_its_cell(ranking: Ranking) -> None:
    assert ranking.top(1, "Bravais lattice")[0].name == "cF"
    found = ranking.second_phase
    assert found is not None
    assert found.bravais == "tP"
    np.testing.assert_allclose(found.cell.parameters[:3], (4.594, 4.594, 2.959), rtol=1e-3)
    assert found.indexed > 4 * found.foreign
    assert next(one for one in ranking.findings if one.name == "phases").verdict != "good"
    assert "second phase" in str(ranking)


def test_it_stays_in_the_file(ranking: Ranking) -> None:
    back = Ranking.from_dict(ranking.to_dict(), ranking.pattern)
    assert back.second_phase is not None
    assert back.second_phase.cell == ranking.second_phase.cell


def test_one_phase_has_no_second() -> None:
    ranking = classify(mixture((*RUTILE, 1.0)))
    assert ranking.top(1, "Bravais lattice")[0].name == "tP"
    assert ranking.second_phase is None
