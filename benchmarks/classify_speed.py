"""How long a scientist waits: process start to files written, and the time of a pattern among many.

The first two lines count everything from the start of Python to its end: imports, reading, network, files, picture.
Pin it to one core (Linux: taskset -c 0) for a time that does not depend on how many there are.

python benchmarks/classify_speed.py [--weights group-230] [--count 256]
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from unscatter.powder.classify.classify import BATCH, classify_many
from unscatter.powder.demonstration import simulate_corundum, write_pattern
from unscatter.powder.pattern.channels import network_channels
from unscatter.weights import open_network


def best_of(repeats: int, work: Callable[[], object]) -> float:
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def command_seconds(weights: str, *options: str) -> float:
    """Seconds from process start to process end, best of five, with the files of the system warm."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "corundum.xye"
        write_pattern(path, simulate_corundum())
        command = [sys.executable, "-m", "unscatter", "classify", str(path), "--out", folder, "--weights", weights]
        return best_of(5, lambda: subprocess.run([*command, *options], check=True, capture_output=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", default="group-230")
    parser.add_argument("--count", type=int, default=256)
    options = parser.parse_args()
    print(f"process start to JSON, CSV and PNG written : {command_seconds(options.weights):7.2f} s")
    alone = command_seconds(options.weights, "--engine", "none")
    print(f"the same, network alone (--engine none)    : {alone:7.2f} s")
    alone = command_seconds(options.weights, "--engine", "none", "--no-picture")
    print(f"  and without the picture                  : {alone:7.2f} s")
    pattern = simulate_corundum()
    assert pattern.wavelength is not None, "the demonstration has a wavelength"
    stretches = np.linspace(0.97, 1.03, options.count)
    many = [replace(pattern, wavelength=pattern.wavelength * stretch) for stretch in stretches]
    classify_many(many[:BATCH], options.weights, engine="none")
    bulk = best_of(3, lambda: classify_many(many, options.weights, engine="none")) / options.count
    single = best_of(20, lambda: classify_many(many[:1], options.weights, engine="none"))
    classify_many(many[:1], options.weights)
    engine = best_of(3, lambda: classify_many(many[:1], options.weights))
    scaling = best_of(20, lambda: network_channels(pattern.two_theta, pattern.intensity, 1.5403))
    channels = np.zeros((BATCH, 3, 4096), dtype=np.float32)
    network = open_network(options.weights)
    alone = best_of(5, lambda: network(channels=channels)) / BATCH
    print(f"a pattern, lines, lattices and symbols too : {1e3 * engine:7.0f} ms")
    print(f"a pattern, network alone                   : {1e3 * single:7.2f} ms")
    print(f"a pattern, {options.count:5d} at once, network alone    : {1e3 * bulk:7.2f} ms")
    print(f"  of which its channels                    : {1e3 * scaling:7.2f} ms")
    print(f"  of which the network, {BATCH} at once         : {1e3 * alone:7.2f} ms")


if __name__ == "__main__":
    main()
