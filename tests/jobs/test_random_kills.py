"""A few kills at random times; benchmarks/random_kills.py does a hundred, over more commands."""

import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "random_kills.py"


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9 and fork are of Unix")
@pytest.mark.parametrize("command", ["volume", "watch"])
def test_a_kill_at_a_random_time_leaves_the_old_state_or_the_new(command: str) -> None:
    told = subprocess.run(
        [sys.executable, str(BENCHMARK), "--kills", "2", "--commands", command], capture_output=True, text=True
    )
    assert told.returncode == 0, told.stdout + told.stderr
    name, kills, *_, faults, _ = told.stdout.splitlines()[1].split()
    assert (name, kills, faults) == (command, "2", "0")
