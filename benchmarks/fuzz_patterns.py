"""Damage to patterns of every format that is read: how many end in a result, how many are refused in one line.

    python benchmarks/fuzz_patterns.py --rounds 1000

Each round damages each file once: bits flipped, an end cut off, parts repeated, lost or overwritten, numbers put in.
Any other end than a result or one line of ValueError, more than 10 s of CPU or 1 GB of memory is printed with its seed,
and the exit code is 1.
"""

import argparse
import resource
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests" / "io" / part) for part in ("", "patterns")]

from damaged import damage, ends_well  # noqa: E402
from test_hostile_patterns import WRITERS  # noqa: E402

from unscatter.io.patterns import read_lines, read_pattern  # noqa: E402

LONGEST, LARGEST = 10.0, 2**20


def files() -> dict[str, tuple[bytes, Callable[[Path], object]]]:
    readers = {"list of lines": read_lines}
    return {name: (write(), readers.get(name, read_pattern)) for name, write in WRITERS.items()}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0, help="number of the first round, to go on from another run")
    rounds = parser.parse_args()
    warnings.simplefilter("ignore")
    total: Counter[str] = Counter()
    # kilobytes on Linux
    slowest, most, bad = 0.0, 0, 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "damaged"
        for name, (whole, read) in files().items():
            ends: Counter[str] = Counter()
            for seed in range(rounds.first, rounds.first + rounds.rounds):
                path.write_bytes(damage(whole, seed))
                started = time.process_time()
                try:
                    ends[ends_well(read, path)] += 1
                except Exception as error:
                    ends["bad"] += 1
                    print(f"{name}, seed {seed}: {type(error).__name__}: {str(error)[:200]!r}")
                seconds = time.process_time() - started
                slowest = max(slowest, seconds)
                memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
                if seconds > LONGEST or memory > max(most, LARGEST):
                    ends["bad"] += 1
                    print(f"{name}, seed {seed}: {seconds:.1f} s, {memory / 2**20:.2f} GB")
                most = max(most, memory)
            total += ends
            print(f"{name:<40} {ends['result']:>7} read {ends['refused']:>7} refused {ends['bad']:>4} otherwise")
            bad += ends["bad"]
    print(f"all: {sum(total.values())} files, {total['result']} read, {total['refused']} refused, {bad} otherwise")
    print(f"slowest {slowest:.2f} s of CPU, at most {most / 2**20:.2f} GB of memory")
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
