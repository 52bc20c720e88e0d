"""A Dask cluster of separate processes on this machine, one of whose workers is killed in the middle of the work."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def cluster(folder: Path, kill_after: float, modules: Path | None = None) -> Iterator[str]:
    """The address of a scheduler with two workers; the first is killed after so many seconds, when both are there.

    modules: a folder that the workers import from too.
    """
    distributed = pytest.importorskip("distributed", reason='needs Dask: pip install "unscatter[cluster]"')
    paths = [*([str(modules)] if modules else []), *sys.path]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"}
    address = folder / "scheduler.json"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": environment, "cwd": folder}
    head = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--scheduler-file", str(address), "--port", "0"]
    scheduler = subprocess.Popen([*head, "--host", "127.0.0.1", "--no-dashboard"], **quiet)
    tail = [sys.executable, "-m", "distributed.cli.dask_worker", "--scheduler-file", str(address), "--nthreads", "1"]
    workers = [subprocess.Popen([*tail, "--no-nanny", "--no-dashboard"], **quiet) for _ in range(2)]
    try:
        end = time.monotonic() + 120
        while not address.exists() and time.monotonic() < end:
            time.sleep(0.2)
        place = json.loads(address.read_text())["address"]
        with distributed.Client(place) as client:
            client.wait_for_workers(2, timeout=120)
        killing = f"import os, time; time.sleep({kill_after}); os.kill({workers[0].pid}, {int(signal.SIGKILL)})"
        killer = subprocess.Popen([sys.executable, "-c", killing])
        yield place
        killer.wait(60)
        assert workers[0].wait(10) == -signal.SIGKILL
    finally:
        for process in (*workers, scheduler):
            process.kill()
            process.wait(20)
