"""Do the quoted uncertainties of refined alphas hold? Simulated planes of all lattices, noise and gaps.

python benchmarks/order_coverage.py [--planes 210] [--few 50] [--weights factorize-256] [--pixels 96]
    [--against order data form-factor]

Each plane: hk1 of columns of the demonstration's molecules in a primitive cell of each of the 14 Bravais lattices, of
random size, with order from the Monte Carlo bank, factorized, and refined in Laue class -1 in three ways: with I_SRO,
I_FF refined, and I_FF known.
The data choose the list of vectors and the reach of I_FF. `few`: so many more planes of 0.5 to 10 counts a pixel.
Printed: the fraction of true alphas within 1 and 2 s.u. (68 and 95 % if the intervals are honest), bias and scatter.
Parameters that a plane does not determine are left out, as the table says.
"""

import argparse
import time
from collections import defaultdict

import numpy as np

from unscatter.diffuse.crystal.order import apply_window, bank_cube, monte_carlo_bank, to_order_parameters
from unscatter.diffuse.demonstration import trisamide_columns
from unscatter.diffuse.factorize.factorize import factorize
from unscatter.diffuse.plane.forward import atom_pair, simulate_plane
from unscatter.diffuse.plane.planes import axis_plane
from unscatter.diffuse.refine.order import refine_order
from unscatter.diffuse.samples.artefacts import add_counting_noise
from unscatter.nouns.cell import Cell
from unscatter.nouns.components import Components
from unscatter.nouns.order import OrderParameters
from unscatter.nouns.plane import Plane

#: A conventional cell for each of the 14 Bravais lattices, the edges in units of the first.
LATTICES = {
    "aP": (1, 1.1, 0.9, 82, 97, 104),
    "mP": (1, 0.8, 1.2, 90, 103, 90),
    "mC": (1, 0.8, 1.2, 90, 103, 90),
    "oP": (1, 1.2, 0.8, 90, 90, 90),
    "oC": (1, 1.2, 0.8, 90, 90, 90),
    "oI": (1, 1.2, 0.8, 90, 90, 90),
    "oF": (1, 1.2, 0.8, 90, 90, 90),
    "tP": (1, 1, 0.8, 90, 90, 90),
    "tI": (1, 1, 0.8, 90, 90, 90),
    "hP": (1, 1, 0.6, 90, 90, 120),
    "hR": (1, 1, 0.9, 90, 90, 120),
    "cP": (1, 1, 1, 90, 90, 90),
    "cI": (1, 1, 1, 90, 90, 90),
    "cF": (1, 1, 1, 90, 90, 90),
}
#: Edges of a primitive cell in those of the conventional one. Molecules sit on lattice points, so alphas are counted
#: in primitive edges.
PRIMITIVE = {
    "P": np.eye(3),
    "C": np.array([[1, -1, 0], [1, 1, 0], [0, 0, 2]]) / 2,
    "I": np.array([[-1, 1, 1], [1, -1, 1], [1, 1, -1]]) / 2,
    "F": np.array([[0, 1, 1], [1, 0, 1], [1, 1, 0]]) / 2,
    "R": np.array([[2, 1, 1], [-1, 1, 1], [-1, -2, 1]]) / 3,
}
#: Gaps: strips and a beam stop, as fractions of the edge of the plane.
STRIP = 0.03


def primitive_cell(lattice: str, edge: float) -> Cell:
    """Primitive cell of a Bravais lattice with a first edge of that length in Angstrom."""
    rows = PRIMITIVE[lattice[1]] @ Cell(*LATTICES[lattice]).direct
    lengths = np.linalg.norm(rows, axis=1)
    cosines = [rows[i] @ rows[j] / (lengths[i] * lengths[j]) for i, j in ((1, 2), (0, 2), (0, 1))]
    return Cell(*(edge * lengths / lengths[0]).tolist(), *np.degrees(np.arccos(cosines)).tolist())


def draw_plane(
    rng: np.random.Generator, lattice: str, pixels: int, counts_range: tuple[float, float] = (10, 100)
) -> tuple[Components, OrderParameters]:
    """One plane hk1 with its truth: random cell size, order of the Monte Carlo bank, counts, strips not measured.

    Below ten counts a pixel they are whole numbers, drawn from Poisson's law.
    """
    cell = primitive_cell(lattice, rng.uniform(12, 16))
    axes = axis_plane(cell, 2, 1.0, rng.uniform(2.5, 3.5), pixels)
    alpha, concentration = bank_cube(int(rng.integers(len(monte_carlo_bank()[0]))))
    # No order along the normal, so that alphas in the plane are all there is.
    flat = np.zeros_like(alpha)
    middle = alpha.shape[0] // 2
    flat[:, :, middle] = alpha[:, :, middle]
    order = to_order_parameters(apply_window(flat, 5.0), concentration)
    form, ordered, intensity = simulate_plane(atom_pair(*trisamide_columns()), order, axes, cell)
    level = float(np.exp(rng.uniform(*np.log(counts_range)))) if counts_range[1] <= 10 else rng.uniform(*counts_range)
    if counts_range[1] <= 10:
        scale = level / float(intensity.mean())
        form, counts = form * scale, rng.poisson(intensity * scale).astype(np.float64)
    else:
        counts = add_counting_noise(intensity, level, rng.standard_normal(intensity.shape))
    gaps = np.zeros(counts.shape, dtype=bool)
    width = max(int(STRIP * pixels), 1)
    for start in rng.integers(0, pixels - width, 3):
        gaps[start : start + width] = True
    middle_pixel = pixels // 2
    gaps[middle_pixel - width : middle_pixel + width, middle_pixel - width : middle_pixel + width] = True
    plane = Plane(np.where(gaps, np.nan, np.clip(counts, 0, None)), axes, cell, simulated=True)
    return Components(plane, form, ordered), order


def expected_alphas(order: OrderParameters) -> dict[tuple[int, ...], float]:
    """The truth of v and -v."""
    found = dict(zip(map(tuple, order.vectors.tolist()), order.alpha.tolist(), strict=True))
    return found | {tuple(-c for c in vector): value for vector, value in found.items()}


def cover(name: str, count: int, counts: tuple[float, float], options: argparse.Namespace) -> None:
    """Draw planes, refine them in three ways, and print how often the truth lies within the uncertainties."""
    pulls: dict[tuple[str, str], list[np.ndarray]] = defaultdict(list)
    errors: dict[str, list[np.ndarray]] = defaultdict(list)
    seconds: dict[str, float] = defaultdict(float)
    lattices = list(LATTICES)
    for number in range(count):
        lattice = lattices[number % len(lattices)]
        rng = np.random.default_rng([options.seed, number] if name == "usual" else [options.seed, number, 1])
        truth, order = draw_plane(rng, lattice, options.pixels, counts)
        expected = expected_alphas(order)
        found = factorize(truth.plane, options.weights)
        for against in options.against:
            started = time.process_time()
            fit = refine_order(found, against=against, form_factors=[truth.form_factor])
            seconds[against] += time.process_time() - started
            difference = fit.alpha - [expected.get(tuple(vector), 0.0) for vector in fit.vectors.tolist()]
            kept = fit.determined
            pulls[against, lattice].append((difference / fit.standard_error)[kept])
            errors[against].append(difference[kept])
    for against in options.against:
        rows = {lattice: np.concatenate(pulls[against, lattice]) for lattice in lattices if pulls[against, lattice]}
        for lattice, pull in {**rows, "all": np.concatenate(list(rows.values()))}.items():
            one, two = (np.mean(np.abs(pull) < bound) for bound in (1, 2))
            print(
                f"{name:<6} {against:<12} {lattice:<5} {len(pull):6d} alphas   in 1 s.u. {one:.3f}   2 s.u. {two:.3f}"
                f"   mean pull {pull.mean():+.3f}"
            )
        difference = np.concatenate(errors[against])
        print(
            f"{name:<6} {against:<12} bias {difference.mean():+.5f}, scatter {difference.std():.5f}, "
            f"{seconds[against] / count:.2f} s a plane",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--planes", type=int, default=210)
    parser.add_argument("--few", type=int, default=50)
    parser.add_argument("--weights", default="factorize-256")
    parser.add_argument("--pixels", type=int, default=96)
    ways = ("order", "data", "form-factor")
    parser.add_argument("--against", nargs="+", choices=ways, default=ways)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if options.few:
        cover("few", options.few, (0.5, 10), options)
    if options.planes:
        cover("usual", options.planes, (10, 100), options)


if __name__ == "__main__":
    main()
