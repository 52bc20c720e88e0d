"""Order parameters of the real hk1 plane from the command line alone, against Table 2 of Fuller & Rudden (2024).

python benchmarks/trisamide_command_line.py [--data ../shared/data/trisamide]

The plane is saved as .npy, with its negative noise and with saturated pixels at the level of saturation; everything
else is words to `unscatter`. The measured plane is not shipped: no licence is stated for it.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from trisamide_order import SATURATION, read_signed_plane, read_table
from trisamide_plane import DATA

from unscatter.laue import laue_rotations, orbit


def commands(folder: Path, plane) -> list[list[str]]:
    """The two commands, as typed."""
    axes = plane.axes
    u, v, origin = (",".join(f"{c:.10g}" for c in vector) for vector in (axes.u, axes.v, axes.origin))
    x, y = (f"{axis[0]:.10g}:{axis[-1]:.10g}" for axis in (axes.x, axes.y))
    cell = [f"{number:g}" for number in plane.cell.parameters]
    level = f"{SATURATION:g}"
    where = ["--axes", f"u={u}:{x} v={v}:{y} origin={origin}", "--cell", *cell]
    out = ["--out", str(folder), "--no-picture"]
    return [
        ["factorize", str(folder / "hk1.npy"), *where, "--saturation", level, *out],
        ["refine", "order", str(folder / "hk1.factorized.h5"), "--laue", "6/m", "--no-picture"],
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    data = parser.parse_args().data
    if not data.is_dir():
        print(f"skipped: {data} is not there; give the folder of hk1_measured_8bit.npz with --data")
        return
    plane, table = read_signed_plane(data), read_table(data)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        np.save(folder / "hk1.npy", plane.intensity)
        for words in commands(folder, plane):
            print("$ unscatter", " ".join(f'"{word}"' if " " in word else word for word in words))
            subprocess.run([sys.executable, "-m", "unscatter", *words], check=True)
        found = json.loads((folder / "hk1.order.json").read_text(encoding="utf-8"))
    rotations = laue_rotations("6/m")
    alpha = {
        tuple(vector): row["alpha"]
        for row in found["parameters"]
        for vector in orbit(np.array([row[axis] for axis in "uvw"]), rotations).tolist()
    }
    difference = np.array([alpha[vector] - yell for vector, yell in table.items()])
    rms = float(np.sqrt(np.mean(difference**2)))
    print(f"rms difference from the column Yell of Table 2, {len(table)} parameters: {rms:.4f}")


if __name__ == "__main__":
    main()
