import numpy as np
import pytest

from unscatter.nouns.pattern import Pattern
from unscatter.powder.classify.classify import classify
from unscatter.powder.classify.combine import Combination, belief, combine, features_of, lattice_logs, sum_classes
from unscatter.powder.demonstration import corundum, simulate_corundum
from unscatter.symmetry import BRAVAIS_LATTICES, label_set

RULE = Combination(weight=0.5, cap=6.0, floor=0.05, bias=0.0, slopes=(2.0, -2.0, 1.0, -1.0, 0.5))
QUALITY = {"seen": 0.9, "foreign": 0.0, "margin": 8.0, "predicted": 1.5, "lines": 40.0, "free": 2.0}


@pytest.fixture(scope="module")
def ranking():
    return classify(simulate_corundum())


def test_without_a_lattice_the_network_is_the_answer_but_for_a_floor():
    network = np.random.default_rng(0).dirichlet(np.full(230, 0.1))
    found = combine(network, {}, {}, {"lines": 2.0}, RULE)
    lattices = sum_classes(network, label_set("bravais-14"))
    expected = 0.95 * lattices + 0.05 / 14
    np.testing.assert_allclose(sum_classes(found, label_set("bravais-14")), expected, rtol=1e-9)


def test_evidence_turns_the_answer_by_no_more_than_the_cap():
    even = np.full(14, 1 / 14)
    logs = lattice_logs(even, {"hR": -10.0, "mC": -1000.0}, features_of(QUALITY), RULE)
    assert np.exp(logs).sum() == pytest.approx(1.0)
    assert BRAVAIS_LATTICES[int(np.argmax(logs))] == "hR"
    q = belief(features_of(QUALITY), RULE)
    assert logs.max() - logs.min() == pytest.approx(q * RULE.cap)


def test_a_lattice_that_explains_nothing_is_not_believed():
    poor = {"seen": 0.1, "foreign": 1.0, "margin": -5.0, "predicted": 8.0, "lines": 6.0, "free": 3.0}
    assert belief(features_of(poor), RULE) < 0.05 < 0.9 < belief(features_of(QUALITY), RULE)


def test_corundum_is_rhombohedral_with_its_cell_although_the_network_says_otherwise(ranking):
    assert ranking.top(1, "Bravais lattice")[0].name == "hR"
    assert ranking.top(1)[0].name == "R-3c"
    assert ranking.fit.lattice.cell.a == pytest.approx(corundum().cell.a, rel=1e-3)
    assert ranking.fit.lattice.cell.c == pytest.approx(corundum().cell.c, rel=1e-3)
    alone = classify(simulate_corundum(), engine="none")
    np.testing.assert_array_equal(ranking.network, alone.probabilities)
    assert alone.fit is None


def test_levels_of_one_answer_do_not_contradict_each_other(ranking):
    for level, name in (("Bravais lattice", "bravais-14"), ("crystal system", "system-7")):
        sums = sum_classes(ranking.probabilities, label_set(name))
        np.testing.assert_allclose(ranking.probabilities_of(level), sums, atol=1e-12)


@pytest.mark.parametrize(
    "intensity",
    [
        np.full(2000, 100.0),
        np.linspace(200.0, 1100.0, 2000),
        np.random.default_rng(5).poisson(200.0, 2000).astype(float),
    ],
    ids=["constant", "ramp", "noise"],
)
def test_a_pattern_without_lines_is_refused_in_one_line(intensity):
    pattern = Pattern(np.linspace(5, 100, 2000), intensity, wavelength=1.5406, radiation="x-ray")
    with pytest.raises(ValueError, match="no line stands above the noise") as refused:
        classify(pattern)
    assert "\n" not in str(refused.value)
