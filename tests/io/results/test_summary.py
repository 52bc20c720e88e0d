"""classified.csv when several processes add their lines to it at once."""

import csv
import multiprocessing
from pathlib import Path

import numpy as np

from unscatter.io.results.ranking import add_to_summary
from unscatter.nouns.pattern import Pattern
from unscatter.nouns.ranking import Classes, Ranking

PROCESSES, EACH = 4, 12


def ranking_of(source: str) -> Ranking:
    angles = np.linspace(10, 100, 50)
    pattern = Pattern(angles, 1 + angles, wavelength=1.54, source=source)
    single = Classes(tuple(map(str, range(1, 231))), tuple((n,) for n in range(1, 231)))
    return Ranking(pattern, np.full(230, 1 / 230), {"space group": single}, 100.0, (4.0, 5.0, 6.0))


def add_some(path: Path, number: int) -> None:
    for n in range(EACH):
        add_to_summary(path, [ranking_of(f"{number}-{n}.xy")])


def test_no_line_is_lost_when_several_processes_add_theirs_at_once(tmp_path: Path) -> None:
    summary = tmp_path / "classified.csv"
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=add_some, args=(summary, number)) for number in range(PROCESSES)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        assert process.exitcode == 0
    with summary.open(newline="") as file:
        found = sorted(row["file"] for row in csv.DictReader(file))
    assert found == sorted(f"{number}-{n}.xy" for number in range(PROCESSES) for n in range(EACH))
