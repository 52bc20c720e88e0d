"""Figures of merit of the factorization on the real hk1 plane of the paper's crystal.

python benchmarks/trisamide_plane.py [--data ../shared/data/trisamide]

The measured plane is not shipped: no licence is stated for it. hk1_measured_8bit.npz holds a published 8-bit rendering:
grey levels with their sign, saturated pixels marked, h, k, l and the cell.
"""

import argparse
import sys
from pathlib import Path

from unscatter.diffuse.demonstration import simulate_demonstration
from unscatter.diffuse.factorize.factorize import factorize
from unscatter.nouns.plane import Plane

sys.path.append(str(Path(__file__).parents[1] / "tests"))
from trisamide import read_measured_plane

__all__ = ["DATA", "read_measured_plane"]

DATA = Path(__file__).parents[2] / "shared" / "data" / "trisamide"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    folder = parser.parse_args().data
    if not folder.is_dir():
        print(f"skipped: {folder} is not there; give the folder of hk1_measured_8bit.npz with --data")
        return
    planes = {"measured": read_measured_plane(folder), "simulated": simulate_demonstration().plane}
    for name, plane in planes.items():
        for known in (True, False):
            components = factorize(plane if known else Plane(plane.intensity))
            print(
                f"{name:<10} lattice {components.provenance['lattice']:<10} coverage {100 * plane.coverage:5.1f} %  "
                f"explained {100 * components.explained:5.1f} %  R {100 * components.r_factor:5.1f} %  "
                f"I_SRO {components.short_range_order.min():.2f} to {components.short_range_order.max():.2f}"
            )


if __name__ == "__main__":
    main()
