"""How long refining takes on one core: alphas of a factorized 256 x 256 plane, and a scan of a torsion.

OMP_NUM_THREADS=1 python benchmarks/refine_speed.py

Time of the processor, so that other programs do not count. Aims: 2 s for the alphas, 10 s for 121 angles of 60 atoms.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from unscatter.diffuse.crystal.geometry import parse_operation
from unscatter.diffuse.crystal.motions import parse_range, parse_rotation
from unscatter.diffuse.demonstration import simulate_demonstration, trisamide_columns
from unscatter.diffuse.factorize.factorize import factorize
from unscatter.diffuse.refine.disorder_model import DisorderModel
from unscatter.diffuse.refine.molecules import refine_molecules
from unscatter.diffuse.refine.order import refine_order
from unscatter.nouns.components import Components
from unscatter.nouns.molecule import Molecule
from unscatter.nouns.order_fit import Against
from unscatter.nouns.plane import Plane


def seconds(work: Callable[[], object]) -> float:
    """Time of the processor that the work takes."""
    started = time.process_time()
    work()
    return time.process_time() - started


def one_molecule() -> Molecule:
    """The first of the two molecules of a column: 60 atoms."""
    column, _ = trisamide_columns()
    kept = np.concatenate([np.arange(first, first + 3) for first in range(0, 120, 6)])
    return replace(column, elements=tuple(column.elements[n] for n in kept), positions=column.positions[kept])


def main() -> None:
    found = factorize(simulate_demonstration(pixels=256).plane)
    cases: tuple[tuple[str, str, Against], ...] = (
        ("alphas and I_FF, Laue class 6/m", "6/m", "data"),
        ("alphas and I_FF, Laue class -1", "-1", "data"),
        ("alphas from I_SRO, Laue class -1", "-1", "order"),
    )
    for words, laue, against in cases:
        spent = seconds(partial(refine_order, found, laue=laue, against=against))
        print(f"{words:<56}{spent:6.2f} s")
    mirror = parse_operation("x,y,1/2-z")
    plane = simulate_demonstration(pixels=401)
    axes, cell = plane.plane.axes, plane.plane.cell
    data = Components(Plane(plane.form_factor, axes, cell), plane.form_factor, np.ones_like(plane.form_factor))
    model = DisorderModel(one_molecule(), mirror)
    scan = [(parse_rotation("N4-C13,N5-C14,N6-C15"), parse_range("-60:60:1"))]
    spent = seconds(partial(refine_molecules, data, model, scan))
    print(f"{'121 angles of 60 atoms, 401 x 401 pixels, and the fit':<56}{spent:6.2f} s")


if __name__ == "__main__":
    main()
