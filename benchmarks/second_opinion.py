"""The factorization on planes of a simulator that shares no code with the one of the training.

python benchmarks/second_opinion.py [--count 48] [--seed 0] [--weights factorize-256] [--given alone found cell]

Ising models by heat-bath Monte Carlo on square, rectangular, hexagonal, rhombic and oblique nets, as they are,
sharpened or clipped; small molecules made here; hydrogen-like form factors; half of the planes turned by any angle;
3 to 12 1/Angstrom; the gaps of a modular detector under a rotating crystal, up to 55 % of the plane. Errors in the
scaling of the published code. Rules of the program are not chosen on seed 0.
"""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from handed_in import run
from lattice_accuracy import is_right, step_across_edges, triple
from numpy.typing import NDArray
from scipy import ndimage

from unscatter.diffuse.factorize.factorize import factorize
from unscatter.diffuse.plane.scaling import scale_as_published
from unscatter.nouns.cell import Cell
from unscatter.nouns.plane import Plane, PlaneAxes

Floats = NDArray[np.float64]

PIXELS = 256
#: Spins along an edge of a net (a multiple of 3, so that every third in both directions can be turned at once),
#: nets side by side, and sweeps before and between pictures of them.
EDGE, NETS, WARM_UP, PICTURES, BETWEEN = 48, 6, 60, 16, 4
NEIGHBOURS = np.array([(1, 0), (0, 1), (1, 1), (1, -1), (2, 0), (0, 2), (2, 1), (1, 2)])
SHAPES = ("square", "rectangular", "hexagonal", "rhombic", "oblique")


@dataclass(frozen=True)
class Simulated:
    """A plane and the truth behind it: translations (2, 2) in pixels, pixel in 1/Angstrom; its kind."""

    intensity: Floats
    form_factor: Floats
    order: Floats
    translations: Floats
    pixel: float
    shape: str
    turned: bool

    def with_lattice(self) -> Plane:
        """As somebody hands it in who knows cell and axes."""
        edges = 2 * np.pi * np.linalg.inv(self.translations * self.pixel).T
        a, b = np.linalg.norm(edges, axis=1)
        gamma = math.degrees(math.acos(float(edges[0] @ edges[1] / (a * b))))
        u, v = (np.array([*row, 0.0]) for row in np.linalg.inv(self.translations))
        place = np.arange(PIXELS) - (PIXELS - 1) / 2
        axes = PlaneAxes(np.zeros(3), u, v, place, place)
        return Plane(self.intensity, axes, Cell(float(a), float(b), 7.0, 90.0, 90.0, gamma), simulated=True)


def simulate(seed: int, number: int) -> Simulated:
    """Plane `number` of a seed."""
    rng = np.random.default_rng([20260, seed, number])
    shape, turned = SHAPES[number % len(SHAPES)], bool(number // len(SHAPES) % 2)
    translations = _net(rng, shape, turned)
    pixel = math.exp(rng.uniform(math.log(6.0), math.log(24.0))) / PIXELS
    place = (np.arange(PIXELS) - (PIXELS - 1) / 2) * pixel
    level = float(rng.uniform(0, 0.3)) * place[-1] if rng.random() < 0.7 else 0.0
    q = np.stack([*np.meshgrid(place, place), np.full((PIXELS, PIXELS), level)], axis=-1)
    form = _form_factor(rng, q)
    order = _on_plane(_shaped(rng, _structure_factor(rng)), translations)
    intensity = form * order
    if rng.random() < 0.6:
        counts = math.exp(rng.uniform(math.log(5.0), math.log(2000.0)))
        intensity = rng.poisson(intensity / intensity.mean() * counts) / counts
    measured = _scanned(rng, q)
    return Simulated(np.where(measured, intensity, np.nan), form, order, translations, pixel, shape, turned)


def _net(rng: np.random.Generator, shape: str, turned: bool) -> Floats:
    """Two translations in pixels."""
    first = math.exp(rng.uniform(math.log(9.0), math.log(60.0)))
    ratio = math.exp(rng.normal(0, 0.4))
    angle = {"hexagonal": 60.0, "rhombic": rng.uniform(66, 84), "oblique": rng.uniform(64, 86)}.get(shape, 90.0)
    second = first if shape in ("square", "hexagonal", "rhombic") else float(np.clip(first * ratio, 8.0, 80.0))
    start = rng.uniform(0, 2 * np.pi) if turned else (-math.radians(angle) / 2 if shape == "rhombic" else 0.0)
    return np.array(
        [[n * math.cos(a), n * math.sin(a)] for n, a in ((first, start), (second, start + math.radians(angle)))]
    )


def _structure_factor(rng: np.random.Generator) -> Floats:
    """|sum_r (s_r - m) exp(2 pi i k r)|^2 of Ising nets in equilibrium over one cell, mean 1, (EDGE, EDGE)."""
    couplings = rng.normal(size=len(NEIGHBOURS)) / np.sum(NEIGHBOURS**2, axis=1)
    if rng.random() < 0.12:
        # Rods: order along one direction, next to none across.
        couplings *= np.where(NEIGHBOURS[:, 1] == 0, 1.5, 0.02)
    couplings *= rng.uniform(0.1, 0.5) / np.abs(couplings).sum() * 2
    field = float(rng.normal(0, 0.3))
    spins = np.sign(rng.normal(size=(NETS, EDGE, EDGE)))
    power = np.zeros((EDGE, EDGE))
    for sweep in range(WARM_UP + PICTURES * BETWEEN):
        _sweep(rng, spins, couplings, field)
        if sweep >= WARM_UP and sweep % BETWEEN == 0:
            deviation = spins - spins.mean(axis=(1, 2), keepdims=True)
            power += np.mean(np.abs(np.fft.fft2(deviation)) ** 2, axis=0)
    # What is left of chance dies with the distance.
    reach = rng.uniform(5, 14)
    place = np.fft.fftfreq(EDGE) * EDGE
    bell = np.exp(-(place[:, None] ** 2 + place**2) / (2 * reach**2))
    smooth = np.fft.fft2(np.fft.ifft2(power) * bell).real
    return np.clip(smooth / smooth.mean(), 0.0, None)


def _sweep(rng: np.random.Generator, spins: Floats, couplings: Floats, field: float) -> None:
    """Turn every spin once by the heat bath."""
    for i in range(3):
        for j in range(3):
            part = (slice(None), slice(i, None, 3), slice(j, None, 3))
            local = np.full((NETS, EDGE // 3, EDGE // 3), field)
            for (a, b), coupling in zip(NEIGHBOURS, couplings, strict=True):
                local += coupling * (np.roll(spins, (a, b), (1, 2))[part] + np.roll(spins, (-a, -b), (1, 2))[part])
            spins[part] = np.where(rng.random(local.shape) < 1 / (1 + np.exp(-2 * local)), 1.0, -1.0)


def _shaped(rng: np.random.Generator, power: Floats) -> Floats:
    """As it is, or sharpened, or clipped as published series are: mean 1."""
    kind = int(rng.integers(3))
    if kind == 1:
        power = power ** rng.uniform(1.5, 3.0)
    if kind == 2:
        low, high = power.min(), power.max()
        power = np.clip(power - low - rng.uniform(0.05, 0.4) * (high - low), 0.0, None)
    return power / power.mean()


def _on_plane(power: Floats, translations: Floats) -> Floats:
    """Unroll one cell over the plane."""
    place = np.arange(PIXELS) - (PIXELS - 1) / 2
    cells = np.stack(np.meshgrid(place, place), axis=-1) @ np.linalg.inv(translations)
    index = np.moveaxis(cells * EDGE, -1, 0)
    return np.clip(ndimage.map_coordinates(power, index, order=3, mode="grid-wrap"), 0.0, None)


def _form_factor(rng: np.random.Generator, q: Floats) -> Floats:
    """|F_A - F_B|^2 of two molecules with a damping by thermal motion."""
    motion = rng.uniform(0.0, 0.12)
    difference = _transform(_molecule(rng), q) - _transform(_molecule(rng), q)
    return np.abs(difference) ** 2 * np.exp(-motion * np.sum(q**2, axis=-1))


def _molecule(rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Positions (n, 3) in Angstrom and charges (n,): a ring, a chain or a centre with ligands, in any pose."""
    kind = int(rng.integers(3))
    if kind == 0:
        n = int(rng.integers(3, 7))
        angle = 2 * np.pi * np.arange(n) / n
        ring = np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1) * 0.5 / math.sin(math.pi / n)
        outer = ring * (1 + 1.4 / np.linalg.norm(ring[0])) * (rng.random(n) < 0.6)[:, None]
        places = np.concatenate([1.4 * ring, outer[np.any(outer != 0, axis=1)]])
    elif kind == 1:
        steps = rng.normal([1.0, 0, 0], 0.5, size=(int(rng.integers(2, 7)), 3))
        places = np.cumsum(1.45 * steps / np.linalg.norm(steps, axis=1)[:, None], axis=0)
    else:
        ligands = np.concatenate([np.eye(3), -np.eye(3)])[: int(rng.integers(2, 7))]
        places = np.concatenate([np.zeros((1, 3)), rng.uniform(1.5, 2.2) * ligands])
    pose = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    charges = rng.choice([6.0, 7.0, 8.0, 9.0, 17.0], size=len(places), p=[0.5, 0.15, 0.2, 0.1, 0.05])
    return (places - places.mean(axis=0) + rng.normal(0, 0.15, 3)) @ pose, charges


def _transform(molecule: tuple[Floats, Floats], q: Floats) -> NDArray[np.complex128]:
    """Sum of Z / (1 + (Q r)^2)^2 exp(i Q x), r a screened Bohr radius."""
    length2 = np.sum(q**2, axis=-1)
    total = np.zeros(length2.shape, dtype=complex)
    for place, charge in zip(*molecule, strict=True):
        radius = 0.6 * charge ** (-1 / 3)
        total += charge / (1 + length2 * radius**2) ** 2 * np.exp(1j * (q @ place))
    return total


def _scanned(rng: np.random.Generator, q: Floats) -> NDArray[np.bool_]:
    """Pixels that a modular flat detector records while the crystal turns, 45 to 100 % of them."""
    if rng.random() < 0.1:
        return np.ones(q.shape[:2], dtype=bool)
    while True:
        measured = _one_scan(rng, q)
        if measured.mean() >= 0.45:
            return measured


def _one_scan(rng: np.random.Generator, q: Floats) -> NDArray[np.bool_]:
    """One crystal turned about one axis: Q meets the Ewald sphere twice, on either side of the beam."""
    q_max = float(np.linalg.norm(q[0, 0]))
    wave_number = rng.uniform(0.8, 3.0) * q_max
    frame = np.linalg.qr(rng.normal(size=(3, 3)))[0] if rng.random() < 0.6 else np.roll(np.eye(3), rng.integers(3), 0)
    along, one, other = np.moveaxis(q @ frame.T, -1, 0)
    radius = np.hypot(one, other)
    depth = -np.sum(q**2, axis=-1) / (2 * wave_number)
    met = np.abs(depth) <= radius
    side = np.sqrt(np.clip(radius**2 - depth**2, 0.0, None))
    wide = q_max * rng.uniform(0.7, 1.1) / wave_number
    pitch = wide * 2 / rng.integers(2, 6, 2)
    gaps, shifts = pitch * rng.uniform(0.02, 0.22, 2), rng.uniform(0, pitch)
    start, sweep = rng.uniform(0, 2 * np.pi), math.radians(rng.choice([360.0, rng.uniform(170, 300)]))
    seen = np.zeros(met.shape, dtype=bool)
    for sign in (1, -1):
        turn = (np.arctan2(sign * side, depth) - np.arctan2(other, one) - start) % (2 * np.pi)
        beam = np.maximum(wave_number + depth, 1e-6)
        on = [along / beam, sign * side / beam]
        live = [np.abs(p) < wide for p in on]
        live += [(p + s) % w > g for p, s, w, g in zip(on, shifts, pitch, gaps, strict=True)]
        seen |= met & (turn < sweep) & np.logical_and.reduce(live)
    return seen & (np.linalg.norm(q, axis=-1) > rng.uniform(0.02, 0.1) * q_max)


@dataclass(frozen=True)
class Score:
    """Squared errors of I_SRO and I_FF, whether the lattice is right, curvature at the edges of gaps, CPU seconds."""

    order: float
    form: float
    right: bool
    confidence: str
    scar: float
    seconds: float


HANDED_IN: dict[str, Callable[[Simulated], tuple[Plane, str]]] = {
    "alone": lambda made: (Plane(made.intensity), "none"),
    "found": lambda made: (Plane(made.intensity), "find"),
    "cell": lambda made: (made.with_lattice(), "find"),
}


def score(made: Simulated, given: str, weights: str) -> Score:
    """Take one plane apart and compare."""
    plane, lattice = HANDED_IN[given](made)
    started = time.process_time()
    components = factorize(plane, weights, lattice=lattice)
    seconds = time.process_time() - started
    pairs = ((components.short_range_order, made.order), (components.form_factor, made.form_factor))
    order, form = (float(np.mean((scale_as_published(a) - scale_as_published(b)) ** 2)) for a, b in pairs)
    found = components.found_lattice
    right = found is not None and is_right(found, made.translations, made.order)
    scar = step_across_edges(components.form_factor, plane.measured)
    return Score(order, form, right, "none" if found is None else found.confidence, scar, seconds)


def report(given: str, planes: list[Simulated], scores: list[Score]) -> Iterator[str]:
    """Errors and right lattices, of all and of each kind of plane."""
    yield (
        f"{given:<6} I_SRO {triple([s.order for s in scores])}   I_FF {triple([s.form for s in scores])}   "
        f"scar {np.nanmedian([s.scar for s in scores]):.2f}   {np.mean([s.seconds for s in scores]):.2f} CPU-s"
    )
    if given != "found":
        return
    gaps = [float(np.isnan(plane.intensity).mean()) for plane in planes]
    kinds = {name: [plane.shape == name for plane in planes] for name in SHAPES}
    kinds |= {"turned": [p.turned for p in planes], "along the picture": [not p.turned for p in planes]}
    kinds |= {"gaps of 30 % and more": [gap >= 0.3 for gap in gaps], "all": [True] * len(planes)}
    kinds |= {word: [s.confidence == word for s in scores] for word in ("sure", "likely", "uncertain", "none")}
    for name, those in kinds.items():
        chosen = [s for s, of in zip(scores, those, strict=True) if of]
        if chosen:
            right, error = np.mean([s.right for s in chosen]), np.mean([s.order for s in chosen])
            yield f"  {name:<22} {len(chosen):3d} planes, {100 * right:5.1f} % right, I_SRO {error:.4f}"


if __name__ == "__main__":
    run(__doc__, 48, list(HANDED_IN), simulate, score, report)
