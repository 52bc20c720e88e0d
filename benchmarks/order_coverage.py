"""Do the quoted uncertainties of refined alphas hold? Simulated planes of all lattices, noise and gaps.

python benchmarks/order_coverage.py [--planes 200] [--weights factorize-256] [--pixels 96]

Each plane: hk1 of columns of the demonstration's molecules in a random cell of each lattice family, with order from the
Monte Carlo bank, factorized, and refined in Laue class -1 in three ways: with I_SRO, I_FF refined, and I_FF known.
Printed: the fraction of true alphas within 1 and 2 s.u. (68 and 95 % if the intervals are honest), bias and scatter.
Parameters that a plane does not determine are left out, as the table says.
"""

import argparse
import time
from collections import defaultdict

import numpy as np

from unscatter.diffuse.artefacts import add_counting_noise
from unscatter.diffuse.demonstration import trisamide_columns
from unscatter.diffuse.factorize import factorize
from unscatter.diffuse.forward import atom_pair, simulate_plane
from unscatter.diffuse.order import apply_window, bank_cube, monte_carlo_bank, to_order_parameters
from unscatter.diffuse.planes import axis_plane
from unscatter.diffuse.refine_order import refine_order
from unscatter.types import Cell, Components, OrderParameters, Plane

#: A cell for each of the lattice families, the edges in units of the first.
FAMILIES = {
    "triclinic": (1, 1.1, 0.9, 82, 97, 104),
    "monoclinic": (1, 0.8, 1.2, 90, 103, 90),
    "orthorhombic": (1, 1.2, 0.8, 90, 90, 90),
    "tetragonal": (1, 1, 0.8, 90, 90, 90),
    "trigonal": (1, 1, 0.9, 90, 90, 120),
    "hexagonal": (1, 1, 0.6, 90, 90, 120),
    "cubic": (1, 1, 1, 90, 90, 90),
}
#: Gaps: strips and a beam stop, as fractions of the edge of the plane.
STRIP = 0.03


def draw_plane(rng: np.random.Generator, family: str, pixels: int) -> tuple[Components, OrderParameters]:
    """One plane hk1 with its truth: random cell size, order of the Monte Carlo bank, counts, strips not measured."""
    edge = rng.uniform(12, 16)
    ratios = FAMILIES[family]
    cell = Cell(*(edge * ratio for ratio in ratios[:3]), *ratios[3:])
    axes = axis_plane(cell, 2, 1.0, rng.uniform(2.5, 3.5), pixels)
    alpha, concentration = bank_cube(int(rng.integers(len(monte_carlo_bank()[0]))))
    # No order along the normal, so that alphas in the plane are all there is.
    flat = np.zeros_like(alpha)
    middle = alpha.shape[0] // 2
    flat[:, :, middle] = alpha[:, :, middle]
    order = to_order_parameters(apply_window(flat, 5.0), concentration)
    form, ordered, intensity = simulate_plane(atom_pair(*trisamide_columns()), order, axes, cell)
    counts = add_counting_noise(intensity, rng.uniform(10, 100), rng.standard_normal(intensity.shape))
    gaps = np.zeros(counts.shape, dtype=bool)
    width = max(int(STRIP * pixels), 1)
    for start in rng.integers(0, pixels - width, 3):
        gaps[start : start + width] = True
    middle_pixel = pixels // 2
    gaps[middle_pixel - width : middle_pixel + width, middle_pixel - width : middle_pixel + width] = True
    plane = Plane(np.where(gaps, np.nan, np.clip(counts, 0, None)), axes, cell, simulated=True)
    return Components(plane, form, ordered), order


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--planes", type=int, default=203)
    parser.add_argument("--weights", default="factorize-256")
    parser.add_argument("--pixels", type=int, default=96)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    pulls: dict[tuple[str, str], list[np.ndarray]] = defaultdict(list)
    errors: dict[str, list[np.ndarray]] = defaultdict(list)
    seconds: dict[str, float] = defaultdict(float)
    families = list(FAMILIES)
    for number in range(options.planes):
        family = families[number % len(families)]
        truth, order = draw_plane(np.random.default_rng([options.seed, number]), family, options.pixels)
        expected = dict(zip(map(tuple, order.vectors.tolist()), order.alpha, strict=True))
        expected |= {tuple(-c for c in vector): value for vector, value in expected.items()}
        found = factorize(truth.plane, options.weights)
        for against in ("order", "data", "form-factor"):
            started = time.perf_counter()
            fit = refine_order(found, against=against, form_factors=[truth.form_factor])
            seconds[against] += time.perf_counter() - started
            difference = fit.alpha - [expected.get(tuple(vector), 0.0) for vector in fit.vectors.tolist()]
            kept = fit.determined
            pulls[against, family].append((difference / fit.standard_error)[kept])
            errors[against].append(difference[kept])
    for against in ("order", "data", "form-factor"):
        rows = {family: np.concatenate(pulls[against, family]) for family in families if pulls[against, family]}
        for family, pull in {**rows, "all": np.concatenate(list(rows.values()))}.items():
            print(
                f"{against:<12} {family:<13} {len(pull):6d} alphas   within 1 s.u. {np.mean(np.abs(pull) < 1):.3f}   "
                f"2 s.u. {np.mean(np.abs(pull) < 2):.3f}   mean pull {pull.mean():+.3f}"
            )
        difference = np.concatenate(errors[against])
        print(
            f"{against:<12} bias {difference.mean():+.5f}, scatter {difference.std():.5f}, "
            f"{seconds[against] / options.planes:.2f} s a plane"
        )


if __name__ == "__main__":
    main()
