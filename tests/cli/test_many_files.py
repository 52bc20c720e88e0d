"""Many files in one call: by several processes or by a Dask cluster, each once, faults told, nothing lost."""

import json
import os
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from cluster import cluster
from unscatter.cli.files import Told, each_file
from unscatter.cli.screen import Screen
from unscatter.workers import Workers

FILES = 12


def slow_copy(path: Path, log: Path) -> list[Told]:
    """Write down that the file was worked on; a file that says `fault` is at fault."""
    text = path.read_text()
    if "fault" in text:
        raise ValueError(f"{path.name} is at fault")
    time.sleep(0.2)
    (log / path.name).write_text(text)
    return [Told("", {"file": path.name}, kept=text)]


def make_files(folder: Path) -> list[Path]:
    paths = [folder / f"{n:02d}.txt" for n in range(FILES)]
    for n, path in enumerate(paths):
        path.write_text("fault" if n == 5 else str(n))
    return paths


@pytest.mark.parametrize("jobs", [1, 2])
def test_each_file_is_worked_on_once_and_a_fault_is_told(
    tmp_path: Path, jobs: int, capsys: pytest.CaptureFixture[str]
) -> None:
    paths, log = make_files(tmp_path), tmp_path / "log"
    log.mkdir()
    code, told = each_file(paths, partial(slow_copy, log=log), Screen(quiet=True), Workers(jobs=jobs))
    assert code == 2
    assert sorted(int(one.kept) for one in told) == [n for n in range(FILES) if n != 5]
    assert "05.txt is at fault" in capsys.readouterr().err


def test_a_worker_that_is_killed_loses_no_file(tmp_path: Path) -> None:
    paths, log = make_files(tmp_path), tmp_path / "log"
    log.mkdir()
    with cluster(tmp_path, 3, Path(__file__).parent) as place:
        _, told = each_file(paths, partial(slow_copy, log=log), Screen(quiet=True), Workers(scheduler=place))
    assert sorted(int(one.kept) for one in told) == [n for n in range(FILES) if n != 5]
    assert len(list(log.iterdir())) == FILES - 1


def test_a_scheduler_that_is_not_there_is_told(tmp_path: Path) -> None:
    pytest.importorskip("distributed", reason='needs Dask: pip install "unscatter[cluster]"')
    with pytest.raises(ValueError, match="no Dask scheduler answers"):
        each_file(
            make_files(tmp_path), partial(slow_copy, log=tmp_path), Screen(), Workers(scheduler="tcp://127.0.0.1:9")
        )


def test_two_processes_give_what_one_gives(tmp_path: Path, small_classifier: str) -> None:
    from unscatter.powder.demonstration import simulate_corundum, write_pattern

    for name in ("a", "b"):
        write_pattern(tmp_path / f"{name}.xye", simulate_corundum())
    answers = []
    # Sums in another number of threads differ in their last digits; worker processes have one each.
    one_thread = {**os.environ, **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")}
    for jobs in ("1", "2"):
        command = [sys.executable, "-m", "unscatter", "classify", "a.xye", "b.xye", "--weights", small_classifier]
        done = subprocess.run(
            [*command, "--no-picture", "--jobs", jobs, "--out", jobs],
            cwd=tmp_path,
            env=one_thread,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        record = json.loads((tmp_path / jobs / "b.classified.json").read_text())
        answers.append([one["probability"] for one in record["levels"]["space group"]])
        assert f"{jobs}/b.classified.json" in done.stdout
    np.testing.assert_allclose(answers[0], answers[1], rtol=1e-6)
