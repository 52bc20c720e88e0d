"""How long it takes to read a text pattern of three million rows (39 MB).

    python benchmarks/reading_speed.py

Prints seconds of CPU, without the start of Python.
"""

import tempfile
import time
from pathlib import Path

import numpy as np

from unscatter.io.patterns import read_pattern

ROWS = 3_000_000


def main() -> None:
    two_theta = 1 + 4e-5 * np.arange(ROWS)
    counts = np.random.default_rng(0).poisson(1000, ROWS)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "large.xy"
        rows = "\n".join(f"{x:.5f} {y}" for x, y in zip(two_theta.tolist(), counts.tolist(), strict=True))
        path.write_text(f"# wavelength 1.5406\n{rows}\n")
        started = time.process_time()
        pattern = read_pattern(path)
        seconds = time.process_time() - started
        size = path.stat().st_size / 1e6
    assert np.array_equal(pattern.intensity, counts), "the numbers come back"
    print(f"{size:.1f} MB, {pattern.two_theta.size} rows: {seconds:.2f} s of CPU")


if __name__ == "__main__":
    main()
