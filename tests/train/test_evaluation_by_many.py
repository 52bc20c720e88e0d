"""Evaluations by several processes, or by a cluster that loses a worker, give the scores of one process."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from cluster import cluster
from unscatter.nn.relationnet import RelationNet, RelationNetConfig
from unscatter.train.diffuse.evaluate import EvaluationOptions, score
from unscatter.train.diffuse.measures import Scored
from unscatter.train.powder.classifier_scores import Predictions, predict
from unscatter.train.powder.patterns import PatternOptions, PatternSource
from unscatter.workers import Workers

PLANES = EvaluationOptions(count=6, distances=False)


@pytest.fixture(scope="module")
def alone() -> Scored:
    return score(PLANES, "no lattice")


def assert_same(scored: Scored, alone: Scored) -> None:
    assert len(scored.planes) == len(alone.planes) == PLANES.count
    assert [plane.title for plane in scored.planes] == [plane.title for plane in alone.planes]
    np.testing.assert_allclose(scored.truth, alone.truth, rtol=1e-4)
    np.testing.assert_allclose(scored.errors(), alone.errors(), rtol=1e-2)


def test_planes_are_scored_alike_by_two_processes(alone: Scored) -> None:
    assert_same(score(PLANES, "no lattice", Workers(jobs=2)), alone)


def test_planes_are_scored_once_each_by_a_cluster_that_loses_a_worker(alone: Scored, tmp_path: Path) -> None:
    with cluster(tmp_path, 5) as place:
        assert_same(score(PLANES, "no lattice", Workers(scheduler=place)), alone)


def test_patterns_are_answered_once_each_by_a_cluster_that_loses_a_worker(structures: Path, tmp_path: Path) -> None:
    torch.manual_seed(0)
    config = RelationNetConfig(width=16, blocks=1, patch_width=8, folded_width=8, kept_width=4)
    network = RelationNet(config).eval()
    options = PatternOptions(structures=(structures,), recipes=("paper",), split="random", fractions=(0.6, 0.2, 0.2))
    source = PatternSource(options, "network")
    rows = np.concatenate([source.split.training, source.split.validation, source.split.test])
    ask = partial(predict, network, source, source.recipes[0], rows, size=4)
    with cluster(tmp_path, 6) as place:
        spread_out: Predictions = ask(workers=Workers(scheduler=place))
    for one, other in zip(spread_out, ask(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)
    assert len(spread_out.labels) == len(rows)
