"""Zeros told from gaps: planes of 0.5 to 400 counts a pixel, read by default and refined.

python benchmarks/counted_zeros.py [--seeds 3]

Simulated planes hk0 with alpha(100) = -0.12 and alpha(110) = 0.06, with and without the gaps between the modules of a
detector, which the file leaves at zero. Printed: what was read as a gap, alpha(100) with its uncertainty, and what the
same refinement gives of the same counts if the gaps are known.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np

from unscatter.diffuse.factorize.factorize import factorize
from unscatter.diffuse.refine.order import refine_order
from unscatter.io import read_plane
from unscatter.nouns.cell import Cell

sys.path.append(str(Path(__file__).parents[1] / "tests"))
from order_planes import ALPHA, CELL, counted_plane, strips

MEANS = (0.5, 1.0, 1.8, 5.0, 20.0, 100.0, 400.0)


def refined(source: Path | np.ndarray, h: np.ndarray, zeros: str = "auto") -> tuple[float, float, float]:
    """alpha(100), its uncertainty, and the fraction that was not measured."""
    axes = f"h={h[0]:g}:{h[-1]:g} k={h[0]:g}:{h[-1]:g} l=0"
    plane = read_plane(source, axes=axes, cell=Cell(*CELL), zeros=zeros)
    fit = refine_order(factorize(plane), laue="-1")
    place = [tuple(vector) for vector in fit.vectors.tolist()].index((1, 0, 0))
    return float(fit.alpha[place]), float(fit.standard_error[place]), 1 - plane.coverage


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    seeds = parser.parse_args().seeds
    pulls: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "plane.npy"
        for mean in MEANS:
            for gaps in (False, True):
                for seed in range(seeds):
                    h, counts = counted_plane(mean, 201, seed, slope=False)
                    gap = strips(len(h)) & gaps
                    np.save(path, np.where(gap, 0, counts).astype(np.uint16))
                    alpha, error, missing = refined(path, h)
                    known = refined(np.where(gap, np.nan, counts), h, "measured")[0]
                    name = "gaps" if gaps else "no gaps"
                    pulls.setdefault(f"{name}, error", []).append((alpha - ALPHA[0]) / error)
                    pulls.setdefault(f"{name}, difference from gaps known", []).append((alpha - known) / error)
                    print(
                        f"mean {mean:5g} counts  zeros {np.mean(counts == 0):6.1%}  {name:<8} missing {missing:6.2%} "
                        f"(true {gap.mean():6.2%})  alpha(100) {alpha:+.4f} +- {error:.4f}, gaps known {known:+.4f}"
                    )
    for name, values in pulls.items():
        print(
            f"{name}: within 1 s.u. {np.mean(np.abs(values) < 1):.0%}, within 2 {np.mean(np.abs(values) < 2):.0%} of "
            f"{len(values)}; rms in s.u. {np.sqrt(np.mean(np.square(values))):.2f}"
        )


if __name__ == "__main__":
    main()
