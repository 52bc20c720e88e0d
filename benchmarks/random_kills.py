"""Whether kill -9 at any time leaves the old state or the new one, and a repeated call finishes what was begun.

    python benchmarks/random_kills.py [--kills 20] [--commands volume classify watch planes patterns train]

Each command is run in a process that is killed after a random share of the time that it takes (drawn from 0 to 1);
then all that it had written is looked at, and it is called again, in the same folder, until it ends; then begun anew.
A fault is a file under its final name that is neither the old nor the new one, a journal that does not open, work
lost that was saved, or an end result that differs from that of a call that nobody killed. Prints for each command how
often it was killed, how often it had ended before, how often it went on to its end, leftovers (hidden .part files,
which no reader takes up), and faults. Exit code 1 with a fault.
"""

import argparse
import json
import multiprocessing
import os
import shutil
import signal
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from matplotlib.image import imread

from unscatter.cli.dispatch import main as unscatter
from unscatter.powder.demonstration import simulate_corundum, write_pattern

FORK = multiprocessing.get_context("fork")
NAMES = ("one", "two", "three", "four")
PLAIN = ["--engine", "none", "--wavelength", "1.5403", "--radiation", "neutron"]


@dataclass
class Command:
    """A long command in a folder, what it may leave there, and what it must have made at its end.

    lay: makes the folder as it is before the first call; words: of the command line; look: a digest of each file under
    its final name, which raises for one that is not whole.
    """

    name: str
    lay: Callable[[Path], None]
    words: Callable[[Path], list[str]]
    look: Callable[[Path], dict[str, Any]]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20, help="of each command")
    parser.add_argument("--commands", nargs="+", choices=list(COMMANDS), default=list(COMMANDS))
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    total: Counter[str] = Counter()
    print(f"{'command':<10}{'kills':>7}{'ended':>7}{'finished':>10}{'leftovers':>11}{'faults':>8}   s a call")
    for name in options.commands:
        with tempfile.TemporaryDirectory() as folder:
            counts, seconds = kill_again_and_again(COMMANDS[name], Path(folder), options.kills, options.seed)
        total += counts
        row = "".join(f"{counts[key]:>{w}}" for key, w in COLUMNS.items())
        print(f"{name:<10}{row}{seconds:11.1f}", flush=True)
    print(f"{'all':<10}" + "".join(f"{total[key]:>{w}}" for key, w in COLUMNS.items()))
    return 1 if total["faults"] else 0


COLUMNS = {"kills": 7, "ended": 7, "finished": 10, "leftovers": 11, "faults": 8}


def kill_again_and_again(command: Command, folder: Path, kills: int, seed: int) -> tuple[Counter[str], float]:
    """Counts of kills, ends and faults, and the seconds of a call that nobody kills."""
    rng = np.random.default_rng([seed, len(command.name)])
    whole = folder / "whole"
    command.lay(whole)
    old = command.look(whole)
    # The first call warms what is compiled and read once.
    call(command, whole, None)
    shutil.rmtree(whole)
    command.lay(whole)
    began = time.monotonic()
    assert call(command, whole, None) == 0, f"{command.name} does not end well by itself"
    seconds = time.monotonic() - began
    new = command.look(whole)
    counts: Counter[str] = Counter()
    place = folder / "killed"
    command.lay(place)
    while counts["kills"] < kills:
        code = call(command, place, float(rng.uniform(0, seconds)))
        counts["kills" if code == -signal.SIGKILL else "ended"] += 1
        counts["faults"] += tell(command, faults_of(command, place, old, new))
        if code == 0:
            counts["faults"] += tell(command, differences(command.look(place), new))
            begin_anew(command, place, counts)
    assert call(command, place, None) == 0, f"{command.name} does not end well after a kill"
    counts["faults"] += tell(command, differences(command.look(place), new))
    begin_anew(command, place, counts)
    return counts, seconds


def begin_anew(command: Command, place: Path, counts: Counter[str]) -> None:
    counts["finished"] += 1
    counts["leftovers"] += sum(path.name.startswith(".") and path.suffix == ".part" for path in place.rglob("*"))
    shutil.rmtree(place)
    command.lay(place)


def call(command: Command, folder: Path, seconds: float | None) -> int:
    """Run the command in a process of its own, killed after so many seconds; its exit code."""
    process = FORK.Process(target=in_silence, args=(folder, command.words(folder)))
    process.start()
    process.join(seconds)
    if process.is_alive():
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        process.join()
    assert process.exitcode is not None
    return process.exitcode


def in_silence(folder: Path, words: list[str]) -> None:
    os.chdir(folder)
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    unscatter(words)


def faults_of(command: Command, place: Path, old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """What is neither old nor new."""
    try:
        found = command.look(place)
    except Exception as error:
        return [f"not whole: {type(error).__name__}: {error}"]
    return [
        f"{name} is neither old nor new"
        for name, digest in found.items()
        if name in new and not same(digest, new[name]) and not same(digest, old.get(name))
    ]


def differences(found: dict[str, Any], new: dict[str, Any]) -> list[str]:
    missing = [f"{name} is missing" for name in new if name not in found]
    return missing + [f"{name} differs" for name in new if name in found and not same(found[name], new[name])]


def same(one: Any, other: Any) -> bool:
    if one is None or other is None:
        return False
    return bool(np.allclose(np.asarray(one, dtype=float), np.asarray(other, dtype=float), rtol=1e-5, atol=1e-7))


def tell(command: Command, faults: list[str]) -> int:
    for fault in faults:
        print(f"  {command.name}: {fault}", file=sys.stderr)
    return len(faults)


# --- The commands -----------------------------------------------------------------------------------------------------


def write_volume(path: Path, alpha: float) -> None:
    axis = np.linspace(-3, 3, 49)
    h, k, l = axis[:, None, None], axis[None, :, None], axis[None, None, :]  # noqa: E741
    order = 1 + 2 * alpha * np.cos(2 * np.pi * h) + 0.1 * np.cos(2 * np.pi * (k + l))
    counts = np.random.default_rng(0).poisson(60 * np.exp(-0.1 * (h**2 + k**2 + l**2)) * order).astype(np.float32)
    with h5py.File(path, "w") as file:
        file["format"] = "Yell 1.0"
        file["data"], file["lower_limits"], file["step_sizes"] = counts, np.full(3, -3.0), np.full(3, axis[1] - axis[0])
        file["unit_cell"] = np.array([5.0, 6.0, 7.0, 90, 90, 90])


def lay_volume(folder: Path) -> None:
    """A result of another volume of that name lies there already."""
    folder.mkdir(parents=True)
    write_volume(folder / "crystal.h5", 0.1)
    old = folder.parent / "old-volume"
    if not old.exists():
        old.mkdir()
        write_volume(old / "crystal.h5", -0.1)
        process = FORK.Process(target=in_silence, args=(old, volume_words(old)))
        process.start()
        process.join()
    for name in ("crystal.factorized.h5", "crystal.order.csv", "crystal.factorized.png"):
        shutil.copy(old / name, folder / name)


def volume_words(folder: Path) -> list[str]:
    return ["factorize", str(folder / "crystal.h5"), "--volume", "--out", str(folder)]


def look_at_volume(folder: Path) -> dict[str, Any]:
    imread(folder / "crystal.factorized.png")
    table = np.genfromtxt(folder / "crystal.order.csv", delimiter=",", skip_header=1)
    with h5py.File(folder / "crystal.factorized.h5", "r") as file:
        factors = [file[f"entry/{name}/data"][()].ravel()[::997] for name in ("I_FF", "I_SRO")]
    return {"factors": np.concatenate(factors), "alphas": table[:, 3]}


def lay_patterns(folder: Path) -> None:
    """Results of earlier scans of those names lie there already."""
    folder.mkdir(parents=True)
    old = folder.parent / "old-patterns"
    for place, seed in ((old, 0), (folder, 1)):
        place.mkdir(exist_ok=True)
        for n, name in enumerate(NAMES):
            write_pattern(place / f"{name}.xye", simulate_corundum(seed=10 * n + seed))
    if not (old / "classified.csv").exists():
        process = FORK.Process(target=in_silence, args=(old, classify_words(old)))
        process.start()
        process.join()
    for path in old.glob("*classified*"):
        shutil.copy(path, folder / path.name)


def classify_words(folder: Path) -> list[str]:
    return ["classify", *(f"{name}.xye" for name in NAMES), *PLAIN]


def look_at_patterns(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in NAMES:
        if (folder / f"{name}.classified.json").exists():
            found |= look_at_ranking(folder, name)
    summary = folder / "classified.csv"
    if summary.exists():
        rows = summary.read_text().splitlines()
        assert len(rows) == 1 + len(NAMES), f"{len(rows)} rows in classified.csv"
        found |= {f"summary of {row.split(',')[0]}": float(row.split(",")[5]) for row in rows[1:]}
    return found


def look_at_ranking(folder: Path, name: str) -> dict[str, Any]:
    """Results of one pattern; table and picture are written before the record, or after it."""
    record = json.loads((folder / f"{name}.classified.json").read_text())
    table = folder / f"{name}.classified.csv"
    if table.exists():
        assert len(table.read_text().splitlines()) == 231, f"{table.name} has not 230 rows"
    if (folder / f"{name}.classified.png").exists():
        imread(folder / f"{name}.classified.png")
    levels = {one["name"]: one["probability"] for one in record["levels"]["space group"]}
    return {name: [levels[group] for group in sorted(levels)]}


def lay_watched(folder: Path) -> None:
    folder.mkdir(parents=True)
    for n, name in enumerate(NAMES):
        write_pattern(folder / f"{name}.xye", simulate_corundum(seed=n))
    (folder / "rules.toml").write_text(
        '[[watch]]\npattern = "*.xye"\njob = "classify"\n[watch.options]\nengine = "none"\nradiation = "neutron"\n'
    )


def watch_words(folder: Path) -> list[str]:
    return ["watch", str(folder), "--once", "--patience", "0", "--polling", "--rules", str(folder / "rules.toml")]


def look_at_watched(folder: Path) -> dict[str, Any]:
    """Rankings, and that what the journal calls done is there and was done once."""
    out = folder / "unscatter"
    found: dict[str, Any] = {}
    journal = out / ".unscatter-watch.sqlite"
    if not journal.exists():
        return found
    with closing(sqlite3.connect(journal)) as base:
        assert base.execute("PRAGMA integrity_check").fetchone()[0] == "ok", "the journal is damaged"
        tables = base.execute("SELECT count(*) FROM sqlite_master WHERE name = 'work'").fetchone()[0]
        done = base.execute("SELECT path, at FROM work WHERE state = 'done'").fetchall() if tables else []
    for path, at in done:
        name = Path(path).stem
        found |= look_at_ranking(out, name)
        # Written before it was called done, and never again.
        assert (out / f"{name}.classified.json").stat().st_mtime <= at + 1e-3, f"{name} was done twice"
    return found


def lay_nothing(folder: Path) -> None:
    folder.mkdir(parents=True)


def planes_words(folder: Path) -> list[str]:
    return ["simulate", "diffuse", "--out", str(folder / "set.h5"), "--count", "64", "--recipe", "paper"]


def patterns_words(folder: Path) -> list[str]:
    return ["simulate", "powder", "--out", str(folder / "set.h5"), "--count", "192", "--recipe", "paper"]


def look_at_set(folder: Path) -> dict[str, Any]:
    """Numbers from each data set; a set that is not whole has not its name yet."""
    path = folder / "set.h5"
    if not path.exists():
        return {}
    with h5py.File(path, "r") as file:
        names = [name for name in file if file[name].dtype.kind == "f"]
        return {name: np.asarray(file[name][()], dtype=float).ravel()[::1009] for name in names}


def train_words(folder: Path) -> list[str]:
    small = ["--pixels", "48", "--batch", "6", "--steps", "24", "--recipes", "paper", "--threads", "1"]
    # The learning rate falls with the clock: over so many minutes it is the same however long a call was held up.
    often = ["--save-every", "0.002", "--validate-every", "0.05", "--minutes", "1e9"]
    return ["train", "encoder", "--out", str(folder / "run"), *small, *often]


def look_at_training(folder: Path) -> dict[str, Any]:
    """Weights of the checkpoint, which are those of no other step of a call that nobody killed; its log is whole."""
    from unscatter.train.checkpoint import read_module, read_record

    path = folder / "run" / "checkpoint.safetensors"
    if (folder / "run" / "progress.json").exists():
        json.loads((folder / "run" / "progress.json").read_text())
    if not path.exists():
        return {}
    record = read_record(path)
    step = int(record["step"])
    before = folder / "step"
    assert not before.exists() or step >= int(before.read_text()), f"step {step} after step {before.read_text()}"
    before.write_text(str(step))
    weights = read_module(path, "encoder")
    numbers = np.concatenate([tensor.numpy().astype(float).ravel() for _, tensor in sorted(weights.items())])
    assert np.all(np.isfinite(numbers)), "weights are no numbers"
    return {f"weights of step {step}": numbers}


COMMANDS = {
    command.name: command
    for command in (
        Command("volume", lay_volume, volume_words, look_at_volume),
        Command("classify", lay_patterns, classify_words, look_at_patterns),
        Command("watch", lay_watched, watch_words, look_at_watched),
        Command("planes", lay_nothing, planes_words, look_at_set),
        Command("patterns", lay_nothing, patterns_words, look_at_set),
        Command("train", lay_nothing, train_words, look_at_training),
    )
}

if __name__ == "__main__":
    sys.exit(main())
