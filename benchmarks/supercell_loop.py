"""The loop from data to a crystal and back: factorize, refine alphas, draw boxes, recompute the plane.

python benchmarks/supercell_loop.py [--data ../shared/data/trisamide] [--boxes 16]

On the simulated demonstration plane, and on the measured hk1 plane of the same crystal where it is there (it is not
shipped; see trisamide_plane.py).
"""

import argparse
import time
from pathlib import Path

import numpy as np
from trisamide_plane import DATA, read_measured_plane

from unscatter.diffuse.demonstration import simulate_demonstration, trisamide_order
from unscatter.diffuse.factorize.factorize import factorize
from unscatter.diffuse.refine.order import refine_order
from unscatter.diffuse.supercell import close_loop, draw_supercell
from unscatter.nouns.order import OrderTargets

#: The vectors of Table 2 of Fuller & Rudden (2024), in its order: one of three equivalents in the list.
VECTORS = trisamide_order().vectors[1::3]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--boxes", type=int, default=16)
    given = parser.parse_args()
    planes = {"simulated": simulate_demonstration().plane}
    if given.data.is_dir():
        planes["measured"] = read_measured_plane(given.data)
    else:
        print(f"measured plane skipped: {given.data} is not there; give its folder with --data")
    for name, plane in planes.items():
        components = factorize(plane)
        fit = refine_order(components, laue="6/m", vectors=VECTORS.tolist())
        targets = OrderTargets(fit.vectors, fit.alpha, fit.standard_error, fit.laue)
        assert plane.cell is not None
        started = time.perf_counter()
        drawn = draw_supercell(targets, plane.cell, boxes=given.boxes)
        seconds = time.perf_counter() - started
        print(f"{name}: {given.boxes} boxes of {' x '.join(map(str, drawn.box))} in {seconds:.1f} s")
        print(f"  largest difference of an alpha from its target {drawn.worst:.4f}")
        off = np.abs(drawn.reached.mean(axis=0) - targets.alpha)
        print(f"  median {np.median(off):.4f}; {' '.join(drawn.notes)}")
        print(f"  I_FF of the factorization: {close_loop(components, drawn)}")
        print(f"  I_FF refined with the alphas: {close_loop(fit.components[0], drawn)}")


if __name__ == "__main__":
    main()
