import numpy as np
import pytest
import torch

from unscatter.diffuse.plane.scaling import unscale_plane
from unscatter.nouns.plane import Plane
from unscatter.train.diffuse import evaluate
from unscatter.train.diffuse.distribution import Distances
from unscatter.train.diffuse.evaluate import EvaluationOptions, distance_table, evaluate_factorize
from unscatter.train.diffuse.measures import Scored


@pytest.fixture
def scored(monkeypatch):
    """Predictions of known error in place of the network: 0.1 too high with the lattice, 0.2 without."""
    truth = np.random.default_rng(0).uniform(-0.9, 0.5, (6, 2, 64, 64)).astype(np.float32)
    # The scale is fixed by pixels that are right: a darkest and a brightest one.
    truth[..., 0, 0], truth[..., 0, 1] = -1, 1

    def score(options, given, workers):
        made = truth + np.float32(0.1 if given == "lattice given" else 0.2) * (np.abs(truth) < 1)
        planes = tuple(Plane(np.ones((64, 64))) for _ in truth)
        return Scored(unscale_plane(made, 1.0), unscale_plane(truth, 1.0), planes, (None,) * len(truth))

    monkeypatch.setattr(evaluate, "score", score)


def numbers_of(report, row, table):
    """Numbers of a row, in the table of that number."""
    lines = [line for line in report.splitlines() if line.startswith(row)]
    return [float(cell) for cell in lines[table].removeprefix(row).split()]


def test_the_report_has_errors_and_distances_with_and_without_the_lattice(scored):
    report = evaluate_factorize(EvaluationOptions(count=6))
    assert numbers_of(report, "ours, lattice given", 0) == pytest.approx([0.01] * 6, abs=1e-4)
    assert numbers_of(report, "ours, no lattice", 0) == pytest.approx([0.04] * 6, abs=1e-4)
    assert report.index("published code") < report.index("published text") < report.index("divided by the maximum")
    near, far = (numbers_of(report, row, -1) for row in ("ours, lattice given", "ours, no lattice"))
    assert all(0 < a < b for a, b in zip(near, far, strict=True))
    assert report.count("FID-x") == report.count("KID-x") == 2
    assert "published, of" not in report


def test_without_distances_errors_alone_are_printed(scored):
    assert "FID" not in evaluate_factorize(EvaluationOptions(count=1, distances=False))


class Averages(torch.nn.Module):
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.avg_pool2d(images[:, :1].float(), 32).flatten(1)


@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
def test_a_file_of_inception_adds_fid_and_kid_beside_table_1(scored, tmp_path):
    path = tmp_path / "inception.pt"
    torch.jit.save(torch.jit.script(Averages()), str(path))
    report = evaluate_factorize(EvaluationOptions(count=6, inception=path))
    assert numbers_of(report, "published, of 12607 planes", 0) == [13.1, 0.003, 36.9, 0.008]
    # 0.1 of the range [-1, 1] is 12.75 of 255 in each of four features.
    assert numbers_of(report, "ours, lattice given", -1)[0] == pytest.approx(4 * 12.75**2, rel=0.02)


def test_what_cannot_be_scored_is_refused_before_the_long_work(monkeypatch, tmp_path):
    monkeypatch.setattr(evaluate, "score", lambda *_, **__: pytest.fail("scored before looking"))
    with pytest.raises(ValueError, match="--no-distances"):
        evaluate_factorize(EvaluationOptions(count=1))
    with pytest.raises(FileNotFoundError, match="no Inception weights"):
        evaluate_factorize(EvaluationOptions(inception=tmp_path / "nothing.pt"))


def test_planes_taken_apart_by_the_shipped_network_are_scored():
    scored = evaluate.score(EvaluationOptions(count=2), "lattice given")
    assert scored.predicted.shape == scored.truth.shape == (2, 2, 256, 256)
    assert scored.predicted.min() >= 0
    assert scored.errors().shape == (2, 2)
    assert np.all(scored.errors() < 0.1)


def test_rows_stand_in_the_order_of_their_heading():
    table = distance_table({"row": [Distances(1.0, 0.1), Distances(2.0, 0.2)]}, "-x")
    heading, _, row = table.splitlines()
    assert heading.index("I_SRO") < heading.index("I_FF")
    assert row.split()[1:] == ["2.000", "0.20000", "1.000", "0.10000"]
