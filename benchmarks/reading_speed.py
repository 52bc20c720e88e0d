"""How long it takes to read a text pattern of 39 MB, and to take a plane of 2001 x 2001 apart whose lattice is unknown.

    python benchmarks/reading_speed.py

Prints seconds of CPU, without the start of Python.
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from unscatter.diffuse.demonstration import simulate_demonstration
from unscatter.diffuse.factorize.factorize import factorize
from unscatter.io.patterns import read_pattern
from unscatter.nouns.plane import Plane

#: Bytes of each file.
SIZE = 39_000_000

#: A row of each way of printing, and what stands above the table.
LAYOUTS: dict[str, tuple[str, Callable[[float, int], str]]] = {
    "plain": ("# wavelength 1.5406\n", lambda x, y: f"{x:.5f} {y}"),
    "a remark behind every row": ("", lambda x, y: f"{x:.5f} {y} # of the instrument"),
    "a line of words every tenth row": ("", lambda x, y: f"{x:.5f} {y}" + "\nthe stage has moved" * (y % 10 == 0)),
    "quoted CSV": ("two-theta,intensity\n", lambda x, y: f'"{x:.5f}","{y}"'),
    "quoted thousands": ("two-theta,intensity\n", lambda x, y: f'"{x:.5f}","{y:,}"'),
    "12,345 between tabs": ("two-theta\tintensity\n", lambda x, y: f"{x:.5f}\t{y:,}"),
    "12'345 between semicolons": ("two-theta;intensity\n", lambda x, y: f"{x:.5f};{y:,}".replace(",", "'")),
    "uncertainties in brackets": ("", lambda x, y: f"{x:.5f} {y}({y % 97 + 1})"),
    "gaps marked -": ("", lambda x, y: f"{x:.5f} {y if y % 100 else '-'}"),
    "ten megabytes of prose above": (
        "ground by hand and measured as E = 12 of things\n" * 200_000,
        lambda x, y: f"{x:.5f} {y}",
    ),
}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "large.xy"
        for name, (head, row) in LAYOUTS.items():
            rows = (SIZE - len(head)) // (len(row(10.0, 12345)) + 1)
            two_theta = 1 + 120 / rows * np.arange(rows)
            counts = np.random.default_rng(0).poisson(12000, rows)
            path.write_text(head + "\n".join(map(row, two_theta.tolist(), counts.tolist())) + "\n")
            started = time.process_time()
            pattern = read_pattern(path, axis="two-theta")
            seconds = time.process_time() - started
            assert np.isin(pattern.intensity, counts).all(), "the numbers come back"
            size = path.stat().st_size / 1e6
            print(f"{name:<32} {size:5.1f} MB, {pattern.two_theta.size} rows: {seconds:.2f} s of CPU", flush=True)
    plane = Plane(simulate_demonstration(pixels=2001).plane.intensity)
    started = time.process_time()
    factorize(plane)
    print(f"a plane of 2001 x 2001 without lattice: {time.process_time() - started:.2f} s of CPU")


if __name__ == "__main__":
    main()
