"""Whether `unscatter watch` and `unscatter serve` stay as small as they are, hour after hour.

    nice python benchmarks/soak.py --minutes 20

A file is written into a watched folder and another is uploaded to the page every few seconds: corundum patterns with
other noise, small planes, and one in ten that is broken. Prints the resident memory of both processes (their tasks,
which end, are not counted) and their open files each minute, then the median of the second and of the last quarter of
the time, and whether each file was answered.
"""

import argparse
import json
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from unscatter.powder.demonstration import simulate_corundum, write_pattern

#: Growth of the median memory from the second to the last quarter of the time that counts as flat.
FLAT = 1.05
PATIENCE, BROKEN_EACH = 300.0, 10


@dataclass
class Samples:
    """Resident memory in MB and open files of a process, once in a few seconds."""

    pid: int
    memory: list[float] = field(default_factory=list)
    files: list[int] = field(default_factory=list)

    def take(self) -> None:
        status = Path(f"/proc/{self.pid}/status").read_text()
        self.memory.append(int(status.split("VmRSS:")[1].split()[0]) / 1024)
        self.files.append(len(list(Path(f"/proc/{self.pid}/fd").iterdir())))

    def quarters(self) -> tuple[float, float]:
        quarter = max(1, len(self.memory) // 4)
        return statistics.median(self.memory[quarter : 2 * quarter]), statistics.median(self.memory[-quarter:])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--every", type=float, default=5.0, help="seconds between two files")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        return soak(Path(folder), options.minutes * 60, options.every)


def soak(folder: Path, seconds: float, every: float) -> int:
    watched, port = folder / "watched", free_port()
    watched.mkdir()
    start = [sys.executable, "-m", "unscatter"]
    log = (folder / "log").open("w")
    watch = subprocess.Popen([*start, "watch", str(watched)], stdout=log, stderr=log)
    serve = subprocess.Popen([*start, "serve", "--port", str(port), "--workers", "1"], stdout=log, stderr=log)
    page = f"http://127.0.0.1:{port}"
    try:
        until(lambda: fetch(f"{page}/api/jobs") is not None, 120, "the page does not come up")
        samples = {"watch": Samples(watch.pid), "serve": Samples(serve.pid)}
        written, answers = drive(watched, page, seconds, every, samples)
        out = watched / "unscatter"
        until(lambda: len(results(out)) >= written, PATIENCE, "the watch leaves files behind")
    finally:
        for process in (watch, serve):
            process.terminate()
            process.wait(30)
    watched_answers = Counter(results(out))
    print(f"watch: {written} files, {dict(watched_answers)}; serve: {dict(answers)}")
    growth = {name: report(name, found) for name, found in samples.items()}
    flat = all(grown <= FLAT for grown in growth.values())
    print("flat" if flat else f"not flat: grown by more than {FLAT - 1:.0%}")
    return 0 if flat else 1


def drive(
    watched: Path, page: str, seconds: float, every: float, samples: dict[str, Samples]
) -> tuple[int, Counter[str]]:
    """Write and upload until the time is over; how many files were written, and what the page answered."""
    answers: Counter[str] = Counter()
    began, told, number = time.monotonic(), 0, 0
    while time.monotonic() - began < seconds:
        write_input(watched, number)
        answers[ask(page, number)] += 1
        number += 1
        for one in samples.values():
            one.take()
        if (time.monotonic() - began) // 60 >= told:
            now = "   ".join(f"{name} {one.memory[-1]:6.1f} MB, {one.files[-1]}" for name, one in samples.items())
            print(f"{told:4d} min   {now} open files", flush=True)
            told += 1
        time.sleep(max(0.0, number * every - (time.monotonic() - began)) if every else 0)
    return number, answers


def write_input(folder: Path, number: int) -> Path:
    """The next file, under its name when it is whole."""
    if number % BROKEN_EACH == BROKEN_EACH - 1:
        path = folder / f"{number:05d}.xye"
        path.write_text("no pattern at all\n")
    elif number % 2:
        path = folder / f"{number:05d}.xye"
        write_pattern(path, simulate_corundum(seed=number))
    else:
        path = folder / f"{number:05d}.npy"
        np.save(path, small_plane(number))
    return path


def small_plane(seed: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    h, k = np.meshgrid(np.linspace(-4, 4, 96), np.linspace(-4, 4, 96))
    order = (1 - 0.4 * np.cos(2 * np.pi * h)) * (1 + 0.2 * np.cos(2 * np.pi * k))
    return np.random.default_rng(seed).poisson(50 * np.exp(-0.05 * (h**2 + k**2)) * order).astype(float)


def ask(page: str, number: int) -> str:
    """Upload a file, begin its task, and wait for the state that it ends in."""
    with tempfile.TemporaryDirectory() as folder:
        path = write_input(Path(folder), number)
        taken = fetch(f"{page}/api/files?name={path.name}", path.read_bytes())
    assert taken is not None, "the page took no file"
    job = "factorize" if path.suffix == ".npy" else "classify"
    task = fetch(f"{page}/api/tasks", json.dumps({"job": job, "file": taken["id"], "options": {}}).encode())
    assert task is not None, "the page began no task"
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        state = (fetch(f"{page}/api/tasks/{task['id']}") or {})["state"]
        if state in ("done", "failed"):
            return str(state)
        time.sleep(0.2)
    return "not answered"


def fetch(address: str, body: bytes | None = None) -> dict[str, Any] | None:
    """The JSON that an address answers with; None where nothing listens yet."""
    kind = "application/json" if address.endswith("/tasks") else "application/octet-stream"
    request = urllib.request.Request(address, data=body, headers={"Content-Type": kind} if body else {})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            found: dict[str, Any] = json.load(answer)
            return found
    except urllib.error.HTTPError:
        raise
    except urllib.error.URLError:
        return None


def results(out: Path) -> list[str]:
    """One word a file that the watch has dealt with."""
    aside = out / "set-aside"
    done = [*out.glob("*.classified.json"), *out.glob("*.factorized.h5")]
    return ["done"] * len(done) + ["set aside"] * (len(list(aside.iterdir())) if aside.is_dir() else 0)


def until(ready: Any, seconds: float, words: str) -> None:
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end, words
        time.sleep(0.5)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def report(name: str, samples: Samples) -> float:
    early, late = samples.quarters()
    print(
        f"{name}: {early:.1f} MB in the second quarter, {late:.1f} MB in the last ({late / early - 1:+.1%}), "
        f"most {max(samples.memory):.1f} MB; open files {min(samples.files)} to {max(samples.files)}"
    )
    return late / early


if __name__ == "__main__":
    sys.exit(main())
