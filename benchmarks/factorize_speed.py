"""How long a scientist waits: process start to files written, and the network against the published pair.

python benchmarks/factorize_speed.py
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from unscatter.diffuse.demonstration import simulate_demonstration
from unscatter.io.results.components import write_plane
from unscatter.nn.pix2pix import Generator, GeneratorConfig
from unscatter.weights import open_network


def best_of(repeats: int, work: Callable[[], object]) -> float:
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def command_seconds() -> float:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "plane.h5"
        write_plane(path, simulate_demonstration(pixels=256).plane)
        command = [sys.executable, "-m", "unscatter", "factorize", str(path), "--out", folder]
        return best_of(4, lambda: subprocess.run(command, check=True, capture_output=True))


def network_seconds() -> float:
    network = open_network("factorize-256")
    inputs = np.zeros((1, 6, 256, 256), dtype=np.float32)
    guesses = np.zeros((1, 2, 256, 256), dtype=np.float32)
    network(inputs=inputs, guesses=guesses)
    return best_of(5, lambda: network(inputs=inputs, guesses=guesses))


def published_seconds() -> float:
    """Both published generators, one after the other, as the published package runs them."""
    generators = [Generator(GeneratorConfig()).eval() for _ in range(2)]
    plane = torch.zeros(1, 1, 256, 256)
    with torch.inference_mode():
        return best_of(3, lambda: [generator(plane) for generator in generators])


def main() -> None:
    ours, published = network_seconds(), published_seconds()
    print(f"process start to HDF5 and PNG written, 256 x 256 plane : {command_seconds():6.2f} s")
    print(f"network alone                                          : {ours:6.3f} s")
    print(f"the published pair of generators                       : {published:6.3f} s")
    print(f"ratio                                                  : {published / ours:6.1f}")


if __name__ == "__main__":
    main()
