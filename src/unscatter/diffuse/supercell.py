"""Back to a crystal: arrangements that have refined alphas, and the plane recomputed from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from unscatter.diffuse.plane.fold import local_gain, plane_lattice
from unscatter.diffuse.plane.forward import order_waves, short_range_order
from unscatter.diffuse.refine.disorder_model import read_models
from unscatter.io.results.supercell import PLACEHOLDERS
from unscatter.nouns.arrays import Floats
from unscatter.nouns.cell import Cell
from unscatter.nouns.components import Components
from unscatter.nouns.findings import Finding, Findings
from unscatter.nouns.molecule import Molecule
from unscatter.nouns.order import OrderParameters, OrderTargets
from unscatter.nouns.plane import PlaneAxes
from unscatter.nouns.supercell import Supercell
from unscatter.progress import steps
from unscatter.version import __version__

#: Cells along an axis by how many axes there is order along, and how many boxes are drawn.
DEFAULT_EDGE, DEFAULT_BOXES = {1: 256, 2: 48, 3: 20}, {1: 32, 2: 16, 3: 4}
#: Proposed swaps a site.
SWEEPS = 24
#: By how much of what is missing the aim moves each half sweep, and how far at most, as an alpha.
STEERING, FARTHEST = 0.3, 0.05
#: Width, in reciprocal cells, over which I_FF follows the data, as in a factorization.
GAIN_WIDTH = 0.25
#: From where a finding is fair and poor: s.u. between alphas of the boxes and targets, r.m.s.; the lowest I_SRO of the
#: targets; R of the boxes in units of what the factorization and the noise of finite boxes leave.
MISSED_ALPHA, NEGATIVE_ORDER, WORSE_FIT = (1.5, 3.0), (-0.01, -0.1), (1.25, 2.0)
#: Most sites times vectors whose neighbours are kept in memory.
MOST_NEIGHBOURS = 100_000_000


@dataclass(frozen=True)
class ClosedLoop:
    """The measured plane against planes recomputed from alphas and from a supercell, each as R = sum |dI| / sum I.

    short_range_order: (ny, nx), I_SRO of the boxes, averaged; plane: (ny, nx), what the boxes scatter.
    r_factorization: of I_FF I_SRO; r_alphas: with the series of the refined alphas in place of I_SRO; r_supercell: with
    I_SRO of the boxes; for both I_FF follows the data anew over a quarter of a cell, as in a factorization. r_noise:
    what the finite boxes alone add, from how much they differ (NaN for one box).
    """

    short_range_order: Floats
    plane: Floats
    r_factorization: float
    r_alphas: float
    r_supercell: float
    r_noise: float

    def to_dict(self) -> dict[str, float]:
        """The R values as plain numbers, NaN left out."""
        names = ("r_factorization", "r_alphas", "r_supercell", "r_noise")
        return {name: getattr(self, name) for name in names if np.isfinite(getattr(self, name))}

    def finding(self) -> Finding:
        """Whether the boxes scatter what was measured, as well as the factorization has it."""
        noise = self.r_noise if np.isfinite(self.r_noise) else 0.0
        ratio = self.r_supercell / max(float(np.hypot(self.r_factorization, noise)), 1e-12)
        words = f"R of the boxes is {self.r_supercell:.1%}, {self.r_factorization:.1%} as factorized"
        return Finding("plane", ratio, *WORSE_FIT, words + f", finite boxes alone make {noise:.1%}" * (noise > 0))

    def __str__(self) -> str:
        """Return a sentence for each R."""
        noise = f"the noise of finite boxes alone makes {self.r_noise:.1%}" if np.isfinite(self.r_noise) else "one box"
        return (
            f"R against the measured plane: factorization {self.r_factorization:.1%}, refined alphas "
            f"{self.r_alphas:.1%}, supercell {self.r_supercell:.1%} ({noise})"
        )


def read_species_pair(
    cell: Cell, model_a: str | None, model_b: str | None, generators: Sequence[str] = ()
) -> tuple[Molecule, Molecule | None]:
    """Read what sits on a site, A and B (None: a vacancy), as `unscatter refine molecules` does; placeholders if none.

    Raises ValueError for a B without an A.
    """
    if model_a is None:
        if model_b not in (None, "vacancy"):
            raise ValueError("--model-b says what B is, but not what A is; give --model-a as well")
        return PLACEHOLDERS[0], PLACEHOLDERS[1] if model_b is None else None
    (model,) = read_models([model_a], [model_b or "vacancy"], generators)
    return model.molecules(cell)


def default_box(targets: OrderTargets) -> tuple[int, int, int]:
    """Cells along a, b, c: one along an axis that no vector runs along, for layers without order between them."""
    runs = np.any(np.concatenate(targets.members) != 0, axis=0)
    edge = DEFAULT_EDGE[int(runs.sum())]
    a, b, c = (edge if one else 1 for one in runs)
    return a, b, c


def draw_supercell(
    targets: OrderTargets,
    cell: Cell,
    *,
    concentration: float = 0.5,
    box: tuple[int, int, int] | None = None,
    boxes: int | None = None,
    sweeps: int = SWEEPS,
    seed: int = 0,
) -> Supercell:
    """Draw boxes of A and B that have given alphas, eq. (4), by swapping A and B (Monte Carlo).

    A swap of two sites is accepted as by Metropolis with chi^2 / 2 as the energy, where chi^2 is the sum of
    ((alpha_v - target) / s)^2 over all vectors of all orbits. s is the s.u. of the target, or what one swap can change
    where that is more. The aim is steered so that the boxes meet the targets on average. In everything but these
    alphas the arrangement is as random as it can be.

    Raises ValueError for a box in which a vector would meet its own image, or a concentration without both species.
    """
    box = default_box(targets) if box is None else box
    runs = int(np.sum(np.array(box) > 1))
    boxes = DEFAULT_BOXES[max(runs, 1)] if boxes is None else boxes
    vectors, number = targets.half_space
    _check(vectors, box, boxes, concentration)
    rng = np.random.default_rng(seed)
    sites = int(np.prod(box))
    occupied = swap_monte_carlo(
        vectors, targets.alpha[number], targets.standard_error[number], concentration, box, boxes, sweeps, rng
    )
    alpha = np.stack([_alphas(one, vectors) for one in occupied])
    counts = np.bincount(number)
    reached = np.stack([np.bincount(number, weights=one) / counts for one in alpha])
    provenance = {"program": "unscatter", "version": __version__, "sweeps": sweeps, "seed": seed, "sites": sites}
    lowest = _lowest_order(vectors, targets.alpha[number], box)
    drawn = Supercell(cell, occupied, targets, reached, _notes(lowest), provenance)
    return replace(drawn, findings=_findings(drawn, lowest))


def _lowest_order(vectors: NDArray[np.int64], alpha: Floats, box: tuple[int, int, int]) -> float:
    """Where the series of the targets is lowest: it is the intensity of a crystal and cannot be negative."""
    series = np.zeros(box)
    for sign in (1, -1):
        np.add.at(series, tuple(np.mod(sign * vectors, box).T), alpha)
    return 1 + float(np.real(np.fft.fftn(series)).min())


def _notes(lowest: float) -> tuple[str, ...]:
    """Say where no arrangement has the targets."""
    if lowest > NEGATIVE_ORDER[0]:
        return ()
    return (
        f"the series of the targets falls to I_SRO = {lowest:.2f}, which no arrangement has: the boxes come as near as "
        "their s.u. allow",
    )


def _findings(drawn: Supercell, lowest: float) -> Findings:
    """How near the boxes come to the targets, and whether any arrangement could."""
    targets, boxes = drawn.targets, len(drawn.occupied)
    # What one swap in one of the boxes changes, and how far the mean of the boxes is known: nearer they cannot come.
    least = 1 / (drawn.occupied.size * drawn.concentration * (1 - drawn.concentration))
    error = np.hypot(targets.standard_error, drawn.reached.std(axis=0) / np.sqrt(boxes))
    away = np.abs(drawn.reached.mean(axis=0) - targets.alpha) / np.maximum(error, least)
    worst = int(np.argmax(away))
    square = float(np.sqrt(np.mean(away**2)))
    words = (
        f"alphas of the boxes lie {square:.1f} s.u. from their targets (r.m.s.), {targets.labels[worst]} farthest: "
        f"{away[worst]:.1f}"
    )
    sign = f"falls to {lowest:.2f}, which no arrangement has" if lowest < 0 else f"is {lowest:.2f} or more"
    each = (
        Finding("alphas", square, *MISSED_ALPHA, words),
        Finding("arrangement", lowest, *NEGATIVE_ORDER, f"I_SRO of the targets {sign}"),
    )
    return Findings(each, "supercell")


def _check(vectors: NDArray[np.int64], box: tuple[int, int, int], boxes: int, concentration: float) -> None:
    """Refuse boxes that are too small, too large or without both species."""
    reach = np.abs(vectors).max(axis=0)
    needed = np.where(reach > 0, 2 * reach + 1, 1)
    if np.any(np.array(box) < needed) or boxes < 1:
        enough = " ".join(str(2 * n if n > 1 else 1) for n in needed)
        raise ValueError(
            f"{boxes} boxes of {' x '.join(map(str, box))} cells are too small for vectors of up to "
            f"{' '.join(map(str, reach))} cells: type --box {enough}, or refine fewer vectors"
        )
    sites = int(np.prod(box))
    if not 1 <= round(concentration * sites) <= sites - 1:
        raise ValueError(
            f"concentration {concentration:g} leaves no A or no B in {sites} sites; give one within 0 to 1"
        )
    if sites * len(vectors) > MOST_NEIGHBOURS:
        raise ValueError(
            f"a box of {sites} sites with {len(vectors)} vectors needs too much memory; give a smaller --box and more "
            "--boxes"
        )


def swap_monte_carlo(
    vectors: NDArray[np.int64],
    alpha: Floats,
    error: Floats,
    concentration: float,
    box: tuple[int, int, int],
    boxes: int,
    sweeps: int,
    rng: np.random.Generator,
) -> NDArray[np.uint8]:
    """Boxes (boxes, nx, ny, nz) with exactly the concentration and with alphas within about `error` of the targets.

    vectors: (m, 3), one of each v and -v; alpha, error: (m,). All boxes are swapped side by side, one pair in each.
    """
    sites, count = int(np.prod(box)), round(concentration * int(np.prod(box)))
    m = count / sites
    scale = sites * m * (1 - m)
    # In numbers of pairs A-A: C_v = N (m^2 + m (1 - m) alpha_v). One swap changes it by a few.
    target = sites * m**2 + scale * alpha
    weight = 1 / np.maximum(error * scale, 1.0) ** 2
    neighbours = _neighbours(vectors, box)
    occupied = np.zeros((boxes, sites), dtype=np.int16)
    places = np.argsort(rng.random((boxes, sites)), axis=1)
    filled, empty = places[:, :count].copy(), places[:, count:].copy()
    row = np.arange(boxes)
    occupied[row[:, None], filled] = 1
    gap = np.stack([_pairs(one, box, vectors) for one in occupied]) - target
    proposals, shift = sweeps * sites, np.zeros_like(target)
    length = max(sites // 2, 1)
    for start in steps(range(0, proposals, length), "drawing boxes"):
        block = min(length, proposals - start)
        if start > proposals // 3:
            # Disorder pulls alphas towards zero: aim beyond the targets until the mean of the boxes meets them.
            further = np.clip(shift - STEERING * (gap.mean(axis=0) + shift), -FARTHEST * scale, FARTHEST * scale)
            gap, shift = gap - (further - shift), further
        from_a = rng.integers(0, count, (block, boxes))
        from_b = rng.integers(0, sites - count, (block, boxes))
        allowed = 2 * rng.exponential(size=(block, boxes))
        for p, q, most in zip(from_a, from_b, allowed, strict=True):
            i, j = filled[row, p], empty[row, q]
            near_j = neighbours[j]
            # Pairs that j gains and i loses; i itself is no longer occupied when j comes to be.
            gained = occupied[row[:, None, None], near_j] - (near_j == i[:, None, None])
            change = gained.sum(axis=1) - occupied[row[:, None, None], neighbours[i]].sum(axis=1)
            rise = np.sum(weight * change * (2 * gap + change), axis=1)
            taken = rise < most
            gap += change * taken[:, None]
            lucky = row[taken]
            occupied[lucky, i[taken]], occupied[lucky, j[taken]] = 0, 1
            filled[lucky, p[taken]], empty[lucky, q[taken]] = j[taken], i[taken]
    return occupied.reshape(boxes, *box).astype(np.uint8)


def _neighbours(vectors: NDArray[np.int64], box: tuple[int, int, int]) -> NDArray[np.int32]:
    """Sites at v and at -v of every site, (sites, 2, m)."""
    site = np.stack(np.unravel_index(np.arange(int(np.prod(box))), box), axis=-1)
    both = np.stack([vectors, -vectors])
    moved = [np.mod(site[:, axis, None, None] + both[..., axis], box[axis]).astype(np.int32) for axis in range(3)]
    return np.asarray((moved[0] * box[1] + moved[1]) * box[2] + moved[2], dtype=np.int32)


def _correlation(occupied: NDArray[np.uint8]) -> Floats:
    """Numbers of pairs A-A at every vector of a periodic box, by FFT, (nx, ny, nz)."""
    spectrum = np.abs(np.fft.fftn(occupied)) ** 2
    return np.asarray(np.real(np.fft.ifftn(spectrum)))


def _pairs(occupied: NDArray[np.int16], box: tuple[int, int, int], vectors: NDArray[np.int64]) -> Floats:
    counts = _correlation(occupied.reshape(box).astype(np.uint8))[tuple(vectors.T)]
    return np.asarray(np.rint(counts), dtype=np.float64)


def _alphas(occupied: NDArray[np.uint8], vectors: NDArray[np.int64]) -> Floats:
    """alpha_v = (<s s_v> - m^2) / (m (1 - m)), eq. (4), of a periodic box."""
    m = float(occupied.mean())
    alphas = (_correlation(occupied)[tuple(vectors.T)] / occupied.size - m**2) / (m * (1 - m))
    return np.asarray(alphas, dtype=np.float64)


def close_loop(components: Components, supercell: Supercell) -> ClosedLoop:
    """Recompute the plane from the boxes, with all their alphas as far as the targets reach, and compare with the data.

    Vectors that were no target count too: boxes are as random in them as they can be, and noise of about
    (number of pairs)^-1/2 each is what finite boxes add.

    Raises ValueError for a plane without axes.
    """
    axes = components.plane.axes
    if axes is None:
        raise ValueError("the plane has no axes to compute I_SRO on; factorize it again with --cell and --axes")
    vectors = _cuboid(np.abs(np.concatenate(supercell.targets.members)).max(axis=0))
    alphas = np.stack([_alphas(one, vectors) for one in supercell.occupied])
    each = np.stack([_on_plane(vectors, alpha, axes) for alpha in alphas])
    seen = components.plane.measured
    total = max(float(np.abs(components.plane.intensity[seen]).sum()), 1e-300)
    noise = float("nan")
    if len(each) > 1:
        spread = each.std(axis=0, ddof=1) / np.sqrt(len(each))
        # Mean of |x| of Gaussian numbers.
        noise = float(np.sqrt(2 / np.pi) * np.sum((components.form_factor * spread)[seen])) / total
    ordered = each.mean(axis=0)
    series = supercell.targets.order(supercell.concentration)
    target = np.asarray(short_range_order(order_waves(series, axes), axes.x, axes.y))
    _, r_alphas = _recompute(components, axes, target)
    plane, r_supercell = _recompute(components, axes, ordered)
    return ClosedLoop(ordered, plane, components.r_factor, r_alphas, r_supercell, noise)


def _recompute(components: Components, axes: PlaneAxes, ordered: Floats) -> tuple[Floats, float]:
    """I_FF I_SRO with I_FF brought to this I_SRO as a factorization brings it to its own, and R."""
    seen = components.plane.measured
    intensity = np.where(seen, components.plane.intensity, 0.0)
    lattice = plane_lattice(axes)
    plane = components.form_factor * ordered
    if lattice is not None:
        width = (GAIN_WIDTH * lattice.window[0], GAIN_WIDTH * lattice.window[1])
        plane = plane * local_gain(intensity, np.clip(plane, 0, None), seen.astype(float), axes.x, axes.y, width)
    return plane, float(np.abs(intensity - plane)[seen].sum() / max(np.abs(intensity).sum(), 1e-300))


def _cuboid(reach: NDArray[np.int64]) -> NDArray[np.int64]:
    """The origin and one of each v and -v with components of up to `reach`."""
    index = [np.arange(-one, one + 1) for one in reach]
    vectors = np.stack(np.meshgrid(*index, indexing="ij"), axis=-1).reshape(-1, 3)
    return vectors[len(vectors) // 2 :]


def _on_plane(vectors: NDArray[np.int64], alpha: Floats, axes: PlaneAxes) -> Floats:
    waves = order_waves(OrderParameters(vectors, alpha), axes)
    return np.asarray(short_range_order(waves, axes.x, axes.y))
