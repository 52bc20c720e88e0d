"""Prediction sets: they hold the truth as often as promised, and no more than the limit asks for."""

from dataclasses import replace

import numpy as np
import pytest

from unscatter.nouns.prediction_sets import PredictionSets
from unscatter.powder.classify.classify import LEVELS, classify
from unscatter.powder.classify.conformal import conformal_limit, probability_above, read_prediction_sets
from unscatter.powder.demonstration import simulate_corundum


@pytest.fixture(scope="module")
def ranking():
    return classify(simulate_corundum(), engine="none")


def test_nine_of_ten_truths_are_in_the_set_although_the_probabilities_are_far_too_sure():
    rng = np.random.default_rng(3)
    logits = rng.standard_normal((4000, 14))
    truths = np.array([rng.choice(14, p=np.exp(row) / np.exp(row).sum()) for row in logits])
    sure = np.exp(4 * logits) / np.exp(4 * logits).sum(axis=1, keepdims=True)
    above = [probability_above(p, int(truth)) for p, truth in zip(sure, truths, strict=True)]
    limit = conformal_limit(above[:1000], 0.9)
    inside = np.mean(np.array(above[1000:]) <= limit)
    # Of 1000 known and 3000 new patterns the share scatters by 1.1 %.
    assert inside == pytest.approx(0.9, abs=0.035)


def test_from_few_patterns_nothing_is_promised():
    assert conformal_limit([0.0] * 8, 0.9) == 1.0
    assert conformal_limit([0.0] * 8 + [0.5], 0.9) == 0.5


def test_the_likeliest_is_not_surprising():
    assert probability_above(np.array([0.2, 0.5, 0.3]), 1) == 0.0
    assert probability_above(np.array([0.2, 0.5, 0.3]), 0) == pytest.approx(0.8)


def test_a_set_begins_with_the_likeliest_and_grows_with_its_limit(ranking):
    names = [one.name for one in ranking.top(230, "Bravais lattice")]
    sizes = []
    for limit in (0.0, 0.5, 0.9, 1.0):
        wide = replace(ranking, sets=PredictionSets(0.9, dict.fromkeys(LEVELS, limit), "a test"))
        found = [one.name for one in wide.prediction_set("Bravais lattice")]
        assert found == names[: len(found)]
        sizes.append(len(found))
    assert sizes[0] == 1
    assert sizes[-1] == 14
    assert sizes == sorted(sizes)


@pytest.mark.parametrize("ranker", ["network", "crystallography"])
def test_the_limits_that_come_with_the_package_are_of_every_level(ranker):
    sets = read_prediction_sets(ranker)
    assert set(sets.limits) == set(LEVELS)
    assert sets.coverage == 0.9
    assert all(0 <= limit <= 1 for limit in sets.limits.values())


def test_what_is_written_tells_the_members_of_each_set(ranking):
    record = ranking.to_dict()["prediction_sets"]
    assert record["members"]["Bravais lattice"][0] == ranking.top(1, "Bravais lattice")[0].name
    assert PredictionSets.from_dict(record) == ranking.sets


def test_without_limits_a_set_is_refused(ranking):
    with pytest.raises(ValueError, match="no limits of prediction sets"):
        replace(ranking, sets=None).prediction_set("Bravais lattice")
