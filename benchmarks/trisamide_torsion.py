"""The tert-butyl torsion on the real hk1 plane of the paper's crystal: the curve of Fig. 5(b), Fuller & Rudden 2024.

python benchmarks/trisamide_torsion.py [--data ../shared/data/trisamide] [--weights factorize-256] [--picture FILE.png]

Angles are counted from the published average structure. Neither the measured plane nor the structure file is shipped;
see trisamide_plane.py.
"""

import argparse
import time
from pathlib import Path

from trisamide_plane import DATA, read_measured_plane

from unscatter.diffuse.crystal.motions import parse_range, parse_rotation
from unscatter.diffuse.factorize.factorize import factorize
from unscatter.diffuse.plot.molecules import plot_molecules
from unscatter.diffuse.refine.disorder_model import read_models
from unscatter.diffuse.refine.molecules import refine_molecules
from unscatter.io.results.picture import save_figure

#: The column: three arms, and the second molecule half a period higher; and the mirror image of both.
ARMS, MIRROR, BOND = ("-y,x-y,z", "-x,-y,z+1/2"), "x,y,1/2-z", "N-C4"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--weights", default="factorize-256")
    parser.add_argument("--picture", type=Path)
    given = parser.parse_args()
    if not given.data.is_dir():
        print(f"skipped: {given.data} is not there; give the folder of hk1_measured_8bit.npz with --data")
        return
    components = factorize(read_measured_plane(given.data), given.weights)
    (model,) = read_models([str(given.data / "trisamide_average.cif")], [MIRROR], ARMS)
    for against in ("form-factor", "data"):
        started = time.perf_counter()
        scan = (parse_rotation(BOND), parse_range("-60:60:1"))
        fit = refine_molecules(components, model, [scan], against=against)
        print(f"{fit}\n  {time.perf_counter() - started:.1f} s")
        if given.picture and against == "form-factor":
            save_figure(plot_molecules(fit), given.picture)


if __name__ == "__main__":
    main()
