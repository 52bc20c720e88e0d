"""Voxels a second and memory of taking whole volumes apart, and how well alphas put in come out.

python benchmarks/volume_speed.py [--sizes 128 256 512]

Each size runs in a process of its own, from a Yell 1.0 file on disk to the written result, so that its peak memory is
its own. Beside it a loop over planes with the network, timed on a few layers and extrapolated.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from unscatter.diffuse.factorize.factorize import factorize
from unscatter.diffuse.volume import factorize_volume
from unscatter.io.hdf5 import open_own
from unscatter.io.planes.read import read_diffraction, read_plane
from unscatter.io.results.volume import write_volume
from unscatter.nouns.volume import Volume

EDGE, CELL = 8.0, (10.0, 11.0, 7.0, 90.0, 90.0, 90.0)
ALPHAS = {(1, 0, 0): -0.12, (0, 1, 0): -0.08, (1, 1, 0): 0.06, (0, 0, 1): 0.10, (1, 0, 1): -0.05, (2, 0, 0): 0.03}
COUNTS, MISSING, PLANES = 5.0, 0.1, 4


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[128, 256, 512])
    parser.add_argument("--file", type=Path, help="take this one apart and print what it took, as JSON")
    options = parser.parse_args()
    if options.file:
        print(json.dumps(take_apart(options.file)))
        return
    print("voxels     wall s    CPU s  10^6 voxels/s  peak MB  rms alpha  loop, CPU s")
    with tempfile.TemporaryDirectory() as folder:
        for size in options.sizes:
            path = write_crystal(Path(folder) / f"{size}.h5", size)
            command = [sys.executable, __file__, "--file", str(path)]
            told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            rate = size**3 / told["wall"] / 1e6
            print(
                f"{size}^3    {told['wall']:8.1f} {told['cpu']:8.1f} {rate:14.2f} {told['megabytes']:8.0f} "
                f"{told['rms']:10.4f} {loop_over_planes(path, size):12.0f}"
            )
            path.unlink()


def write_crystal(path: Path, size: int) -> Path:
    """A simulated volume with counting noise and missing spheres' worth of voxels, layer by layer."""
    axis = np.linspace(-EDGE, EDGE, size)
    rng = np.random.default_rng(0)
    with open_own(path, "w") as file:
        file["format"] = "Yell 1.0"
        file["lower_limits"], file["step_sizes"] = np.full(3, -EDGE), np.full(3, axis[1] - axis[0])
        file["unit_cell"] = np.array(CELL)
        data = file.create_dataset("data", (size,) * 3, np.float32, chunks=(size, min(size, 64), 4))
        h, k = axis[:, None], axis[None, :]
        for n, level in enumerate(axis):
            phase = {v: 2 * np.pi * (h * v[0] + k * v[1] + level * v[2]) for v in ALPHAS}
            order = 1 + sum(2 * alpha * np.cos(phase[v]) for v, alpha in ALPHAS.items())
            form = np.exp(-0.02 * (h**2 + k**2 + level**2)) * (1 + 0.3 * np.cos(1.3 * h) * np.cos(0.8 * k))
            counts = rng.poisson(COUNTS * form * order).astype(np.float32)
            data[:, :, n] = np.where(rng.random(counts.shape) < MISSING, np.nan, counts)
    return path


def take_apart(path: Path) -> dict[str, float]:
    started, cpu = time.perf_counter(), time.process_time()
    volume = read_diffraction(path)
    assert isinstance(volume, Volume)
    components = factorize_volume(volume)
    write_volume(path.with_suffix(".result.h5"), components, "benchmark")
    wall, used = time.perf_counter() - started, time.process_time() - cpu
    path.with_suffix(".result.h5").unlink()
    found = dict(zip(map(tuple, components.order.vectors.tolist()), components.order.alpha, strict=True))
    both = found | {tuple(-x for x in vector): alpha for vector, alpha in found.items()}
    rms = float(np.sqrt(np.mean([(both[vector] - alpha) ** 2 for vector, alpha in ALPHAS.items()])))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    return {"wall": wall, "cpu": used, "megabytes": peak, "rms": rms}


def loop_over_planes(path: Path, size: int) -> float:
    started = time.process_time()
    for level in np.linspace(-1, 1, PLANES):
        factorize(read_plane(path, plane=f"hk{level:.3f}"))
    return (time.process_time() - started) / PLANES * size


if __name__ == "__main__":
    main()
