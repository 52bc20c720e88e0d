"""Whoever works, one process, several or a cluster that loses a worker: the same volumes and samples."""

import os
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import h5py
import numpy as np
import pytest

from cluster import cluster
from unscatter.io.hdf5 import open_own
from unscatter.jobs.simulate import SimulatePowderOptions, simulate_powder
from unscatter.workers import Workers, spread


def slow_square(log: Path, number: int) -> int:
    time.sleep(0.25)
    with (log / str(number)).open("a") as file:
        file.write("x")
    return number**2


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("ordered", [True, False])
def test_answers_come_from_one_process_or_several(tmp_path: Path, jobs: int, ordered: bool) -> None:
    with spread(partial(slow_square, tmp_path), range(6), Workers(jobs=jobs), ordered=ordered) as answers:
        found = list(answers)
    expected = [n**2 for n in range(6)]
    assert found == expected if ordered else sorted(found) == expected


KEPT: list[np.ndarray] = []


def growing(number: int) -> int:
    """Keeps 400 MB a call, for longer than joblib waits between two looks at a process's memory."""
    KEPT.append(np.ones(50_000_000))
    time.sleep(1.1)
    return number


def test_processes_whose_memory_has_grown_are_replaced_without_a_word(recwarn: pytest.WarningsRecorder) -> None:
    pytest.importorskip("psutil", reason="without it joblib looks at no memory")
    with spread(growing, range(6), Workers(jobs=2)) as answers:
        assert list(answers) == list(range(6))
    assert not recwarn.list


def test_answers_of_a_cluster_stay_in_order_when_a_worker_is_killed(tmp_path: Path) -> None:
    with (
        cluster(tmp_path, 2, Path(__file__).parent) as place,
        spread(partial(slow_square, tmp_path), range(24), Workers(scheduler=place)) as answers,
    ):
        assert list(answers) == [n**2 for n in range(24)]


def write_volume(path: Path, alpha: float) -> None:
    axis = np.linspace(-2, 2, 65)
    h, k, l = axis[:, None, None], axis[None, :, None], axis[None, None, :]  # noqa: E741
    order = 1 + 2 * alpha * np.cos(2 * np.pi * h) + 0.1 * np.cos(2 * np.pi * (k + l))
    counts = np.random.default_rng(0).poisson(60 * np.exp(-0.1 * (h**2 + k**2 + l**2)) * order).astype(np.float32)
    with open_own(path, "w") as file:
        file["format"] = "Yell 1.0"
        file["data"], file["lower_limits"], file["step_sizes"] = counts, np.full(3, -2.0), np.full(3, axis[1] - axis[0])
        file["unit_cell"] = np.array([5.0, 6.0, 7.0, 90, 90, 90])


def test_volumes_taken_apart_by_a_cluster_that_loses_a_worker_are_those_of_one_process(tmp_path: Path) -> None:
    alphas = (-0.1, -0.05, 0.05, 0.1)
    for n, alpha in enumerate(alphas):
        write_volume(tmp_path / f"{n}.h5", alpha)
    files = [f"{n}.h5" for n in range(len(alphas))]
    command = [sys.executable, "-m", "unscatter", "factorize", *files, "--volume", "--no-picture", "-q"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with cluster(tmp_path, 8) as place:
        spread_out = [*command, "--scheduler", place, "--out", "cluster"]
        assert subprocess.run(spread_out, cwd=tmp_path, env=environment).returncode == 0
    assert subprocess.run([*command, "--out", "alone"], cwd=tmp_path, env=environment).returncode == 0
    for n, alpha in enumerate(alphas):
        tables = [np.genfromtxt(tmp_path / who / f"{n}.order.csv", delimiter=",")[1:] for who in ("cluster", "alone")]
        np.testing.assert_allclose(tables[0], tables[1], rtol=1e-9)
        nearest = tables[0][np.all(np.abs(tables[0][:, :3]) == (1, 0, 0), axis=1), 3]
        assert nearest == pytest.approx([alpha], abs=0.006)


def test_a_set_of_patterns_made_by_a_cluster_that_loses_a_worker_is_that_of_one_process(tmp_path: Path) -> None:
    options = SimulatePowderOptions(count=200, seed=3)
    with cluster(tmp_path, 4) as place:
        simulate_powder(tmp_path / "cluster.h5", options, workers=Workers(scheduler=place))
    simulate_powder(tmp_path / "alone.h5", options)
    with h5py.File(tmp_path / "cluster.h5") as one, h5py.File(tmp_path / "alone.h5") as other:
        assert set(one) == set(other)
        for name in other:
            np.testing.assert_array_equal(one[name][()], other[name][()])
