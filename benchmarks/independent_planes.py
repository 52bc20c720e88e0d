"""Factorization, lattice and form factor on crystals of a second independent simulator: three dimensions, many zones.

python benchmarks/independent_planes.py [--count 28] [--seed 0] [--weights factorize-256] [--given alone found cell]

Binary crystals of 24 x 24 x 24 cells by Monte Carlo, seven kinds of order in turn; their pair correlations and the
transforms of two molecules summed directly in float64; cells of all systems, planes hk0 to oblique, turned or not;
gaps of up to 55 % of the plane, half of them without their Friedel mates. Nothing of unscatter's own simulation is
used. Errors are in the scaling of the published code. Rules of the program are chosen on other seeds than 0.
"""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from form_factor_marks import ghost, scar
from handed_in import run
from lattice_accuracy import is_right, triple
from numpy.typing import NDArray
from scipy import fft

from unscatter.diffuse.factorize.factorize import factorize
from unscatter.diffuse.plane.scaling import scale_as_published
from unscatter.nouns.cell import Cell
from unscatter.nouns.plane import Plane, PlaneAxes

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

PIXELS, EDGE = 256, 24
KINDS = ("plain", "sharp", "clipped", "checkerboard", "stripes", "incommensurate", "weak")
#: Zones: two indices that span the plane's lattice, and a step to the next plane.
ZONES = (
    ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    ((1, 0, 0), (0, 0, 1), (0, 1, 0)),
    ((0, 1, 0), (0, 0, 1), (1, 0, 0)),
    ((1, 1, 0), (0, 0, 1), (0, 1, 0)),
    ((1, 0, -1), (0, 1, -1), (0, 0, 1)),
    ((1, 0, 0), (0, 1, 1), (0, 0, 1)),
)


@dataclass(frozen=True)
class Made:
    """A plane and the truth behind it; translations (2, 2) in pixels."""

    plane: Plane
    form_factor: Floats
    order: Floats
    translations: Floats
    kind: str

    @property
    def gaps(self) -> float:
        """Share of the plane that was not measured."""
        return float(1 - self.plane.measured.mean())


def make(seed: int, number: int) -> Made:
    """Plane `number` of a seed."""
    rng = np.random.default_rng([77, seed, number])
    kind = KINDS[number % len(KINDS)]
    cell, axes, translations = _place(rng)
    hkl = axes.hkl()
    form = _form_factor(rng, hkl @ cell.reciprocal, 1.1 * cell.volume ** (1 / 3))
    order = _order(rng, kind, axes)
    intensity = form * order
    if rng.random() < 0.6:
        counts = math.exp(rng.uniform(math.log(5.0), math.log(2000.0)))
        intensity = rng.poisson(intensity / intensity.mean() * counts) / counts
    seen = _measured(rng, hkl @ cell.reciprocal)
    return Made(Plane(np.where(seen, intensity, np.nan), axes, cell, simulated=True), form, order, translations, kind)


def _place(rng: np.random.Generator) -> tuple[Cell, PlaneAxes, Floats]:
    """A cell, a plane of it in square pixels, and two translations in pixels."""
    place = np.arange(PIXELS) - (PIXELS - 1) / 2
    while True:
        cell = _cell(rng)
        one, other, step = (np.array(v, dtype=float) for v in ZONES[rng.integers(len(ZONES))])
        pixel = 2 * math.exp(rng.uniform(math.log(3.0), math.log(12.0))) / PIXELS
        across, second = one @ cell.reciprocal, other @ cell.reciprocal
        x = across / np.linalg.norm(across)
        y = second - (second @ x) * x
        y /= np.linalg.norm(y)
        turn = rng.choice([0.0, rng.uniform(0, 2 * np.pi)])
        x, y = x * math.cos(turn) + y * math.sin(turn), y * math.cos(turn) - x * math.sin(turn)
        translations = np.array([[v @ x, v @ y] for v in (across, second)]) / pixel
        spacing = abs(np.linalg.det(translations)) / np.linalg.norm(translations, axis=1)
        if spacing.min() < 9 or np.linalg.norm(translations, axis=1).max() > PIXELS / 3:
            continue
        origin = step * float(rng.choice([0.0, 0.0, 1.0, 0.5]))
        # The middle of the picture is the foot of the plane.
        origin = origin @ cell.reciprocal
        origin = (origin - (origin @ x) * x - (origin @ y) * y) @ np.linalg.inv(cell.reciprocal)
        u, v = (direction @ np.linalg.inv(cell.reciprocal) for direction in (x, y))
        return cell, PlaneAxes(origin, u, v, place * pixel, place * pixel), translations


def _cell(rng: np.random.Generator) -> Cell:
    a, b, c = np.exp(rng.uniform(math.log(3.6), math.log(14.0), 3))
    angles = rng.uniform(75, 110, 3)
    return [
        Cell(a, a, a, 90, 90, 90),
        Cell(a, a, c, 90, 90, 90),
        Cell(a, b, c, 90, 90, 90),
        Cell(a, a, c, 90, 90, 120),
        Cell(a, b, c, 90, angles[1], 90),
        Cell(a, b, c, *angles),
    ][rng.integers(6)]


def _order(rng: np.random.Generator, kind: str, axes: PlaneAxes) -> Floats:
    """I_SRO of a plane: the direct sum over pair correlations of a crystal, mean 1 over a cell of it."""
    alpha = _correlations(rng, kind)
    half = EDGE // 2 - 1
    near = np.arange(-half, half + 1)
    v = np.stack(np.meshgrid(near, near, near, indexing="ij"), axis=-1).reshape(-1, 3)
    distance = np.linalg.norm(v, axis=1)
    if kind == "clipped":
        window = (distance < rng.uniform(2.5, 4.5)).astype(float)
    else:
        window = np.exp(-((distance / (rng.uniform(6, 8) if kind == "sharp" else rng.uniform(3, 6))) ** 2))
    weight = alpha[tuple(v.T % EDGE)] * window
    v, weight = v[np.abs(weight) > 1e-6], weight[np.abs(weight) > 1e-6]
    start, x, y = (
        np.exp(2j * np.pi * np.multiply.outer(v @ part, axis))
        for part, axis in ((axes.origin, np.ones(1)), (axes.u, axes.x), (axes.v, axes.y))
    )
    return np.asarray(np.clip(((weight[:, None] * start * y).T @ x).real, 0.0, None))


def _correlations(rng: np.random.Generator, kind: str) -> Floats:
    """Pair correlations <s_r s_r+v> - <s>^2 over the variance, (EDGE, EDGE, EDGE), of crystals at a temperature."""
    coupling = _couplings(rng, kind)
    fields = float(rng.normal(0, 0.4)) if kind in ("plain", "weak", "clipped") else 0.0
    kernel = fft.rfftn(coupling)
    spins = np.sign(rng.normal(size=(3, EDGE, EDGE, EDGE)))
    power = np.zeros(spins.shape[1:])
    for step in range(360):
        local = fft.irfftn(fft.rfftn(spins, axes=(1, 2, 3)) * kernel, s=spins.shape[1:], axes=(1, 2, 3)) + fields
        turned = rng.random(spins.shape) < 0.2
        up = np.where(rng.random(spins.shape) < 1 / (1 + np.exp(-2 * local)), 1.0, -1.0)
        spins = np.where(turned, up, spins)
        if step >= 160 and step % 8 == 0:
            deviation = spins - spins.mean(axis=(1, 2, 3), keepdims=True)
            power += np.mean(np.abs(fft.fftn(deviation, axes=(1, 2, 3))) ** 2, axis=0)
    alpha = fft.ifftn(power).real
    return np.asarray(alpha / alpha[0, 0, 0])


def _couplings(rng: np.random.Generator, kind: str) -> Floats:
    """Couplings over k T to all neighbours, (EDGE, EDGE, EDGE)."""
    made = np.zeros((EDGE, EDGE, EDGE))

    def couple(v: tuple[int, ...], value: float) -> None:
        made[v] += value
        made[tuple(-n for n in v)] += value

    axes = ((1, 0, 0), (0, 1, 0), (0, 0, 1))
    if kind == "stripes":
        couple(axes[rng.integers(3)], rng.uniform(0.5, 1.2) * rng.choice([-1, 1]))
        return made
    if kind == "incommensurate":
        special = int(rng.integers(3))
        for n, v in enumerate(axes):
            couple(v, 0.19)
            if n == special:
                couple(tuple(2 * i for i in v), -0.19 * rng.uniform(0.5, 0.9))
        return made
    size = {"sharp": 0.2, "checkerboard": 0.19, "weak": 0.05}.get(kind, 0.15)
    for v in axes:
        sign = {"checkerboard": -1.0, "sharp": rng.choice([-1.0, 1.0])}.get(kind, rng.normal())
        couple(v, size * sign * rng.uniform(0.7, 1.0))
    if kind not in ("checkerboard", "sharp"):
        for v in ((1, 1, 0), (1, -1, 0), (1, 0, 1), (0, 1, 1), (1, 1, 1)):
            couple(v, 0.4 * size * rng.normal())
    return made


def _form_factor(rng: np.random.Generator, q: Floats, room: float) -> Floats:
    """|F_A - F_B|^2 of two motifs no wider than `room`: different ones, one turned, or one and a hole; damped."""
    first = _molecule(rng, room)
    kind = int(rng.integers(4))
    if kind == 0:
        second = _molecule(rng, room)
    elif kind == 1:
        second = (first[0][:0], first[1][:0])
        first = (first[0][:2], first[1][:2])
    else:
        axis = np.linalg.qr(rng.normal(size=(3, 3)))[0]
        angle = math.pi if kind == 2 else rng.choice([math.pi / 3, math.pi / 2, math.pi / 6])
        c, s = math.cos(angle), math.sin(angle)
        second = (first[0] @ axis @ np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) @ axis.T + 0.2, first[1])
    difference = _transform(first, q) - _transform(second, q)
    return np.abs(difference) ** 2 * np.exp(-rng.uniform(0.0, 0.1) * np.sum(q**2, axis=-1))


def _molecule(rng: np.random.Generator, room: float) -> tuple[Floats, Floats]:
    """Positions (n, 3) in Angstrom and charges (n,): a flake of fused rings, a zigzag chain or a cage, in any pose."""
    while True:
        kind = int(rng.integers(3))
        if kind == 0:
            net = np.array([(1.5 * i, math.sqrt(3) * (j + i / 2) + s, 0) for i in range(-3, 4) for j in range(-3, 4)
                            for s in (0.0, 1.0)]) * 1.4  # fmt: skip
            net[1::2, 1] = net[::2, 1]
            net[1::2, 0] = net[::2, 0] + 1.4
            places = net[np.linalg.norm(net - [0.7, 0, 0], axis=1) < rng.uniform(1.5, 5.5)]
            places = places[rng.random(len(places)) < 0.9]
        elif kind == 1:
            n = int(rng.integers(2, 10))
            places = np.stack([1.27 * np.arange(n), 0.85 * (np.arange(n) % 2), np.zeros(n)], axis=1)
        else:
            corners = np.array([(1, 1, 1), (1, -1, -1), (-1, 1, -1), (-1, -1, 1)]) / math.sqrt(3)
            places = np.concatenate([np.zeros((1, 3)), rng.uniform(1.5, 2.3) * corners[: int(rng.integers(1, 5))]])
        if len(places) and np.ptp(places, axis=0).max() <= room:
            break
    charges = rng.choice([6.0, 7.0, 8.0, 14.0, 17.0], size=len(places), p=[0.6, 0.12, 0.18, 0.05, 0.05])
    return (places - places.mean(axis=0)) @ np.linalg.qr(rng.normal(size=(3, 3)))[0], charges


def _transform(molecule: tuple[Floats, Floats], q: Floats) -> NDArray[np.complex128]:
    """Sum of f(Q) exp(i Q x), f two Gaussians: core and shell."""
    s2 = np.sum((q / (4 * np.pi)) ** 2, axis=-1)
    total = np.zeros(s2.shape, dtype=complex)
    for place, charge in zip(*molecule, strict=True):
        total += charge * (0.45 * np.exp(-3 * s2) + 0.55 * np.exp(-25 * s2)) * np.exp(1j * (q @ place))
    return total


def _measured(rng: np.random.Generator, q: Floats) -> Mask:
    """Pixels that were measured, 45 to 100 %: modules seen through a turning crystal, beam stop, wedges, one half."""
    if rng.random() < 0.1:
        return np.ones(q.shape[:2], dtype=bool)
    place = np.linspace(-1, 1, PIXELS)
    x, y = np.meshgrid(place, place)
    while True:
        seen = np.hypot(x, y) > rng.uniform(0.03, 0.2)
        both = rng.random() < 0.5
        for part in rng.permutation(4)[: rng.integers(1, 4)]:
            blind = (_modules, _wedge, _rim, _half)[part](rng, x, y)
            seen &= ~(blind & blind[::-1, ::-1] if both and part < 2 else blind)
        if seen.mean() >= 0.45:
            return np.asarray(seen)


def _modules(rng: np.random.Generator, x: Floats, y: Floats) -> Mask:
    """Two families of gaps between modules, bent about a far centre."""
    angle, far = rng.uniform(0, 2 * np.pi), rng.uniform(0.3, 4)
    dx, dy = x - far * math.cos(angle), y - far * math.sin(angle)
    radius, turn = np.hypot(dx, dy), np.arctan2(dy, dx) * far
    pitch = rng.uniform(0.25, 0.8, 2)
    width = pitch * rng.uniform(0.04, 0.25, 2)
    shift = rng.uniform(0, 1, 2)
    return np.asarray((radius + shift[0]) % pitch[0] < width[0]) | ((turn + shift[1]) % pitch[1] < width[1])


def _wedge(rng: np.random.Generator, x: Floats, y: Floats) -> Mask:
    start, width = rng.uniform(0, 2 * np.pi), rng.uniform(0.2, 1.6)
    return np.asarray((np.arctan2(y, x) - start) % (2 * np.pi) < width)


def _rim(rng: np.random.Generator, x: Floats, y: Floats) -> Mask:
    return np.asarray(np.hypot(x - rng.normal(0, 0.1), y - rng.normal(0, 0.1)) > rng.uniform(0.75, 1.1))


def _half(rng: np.random.Generator, x: Floats, y: Floats) -> Mask:
    angle = rng.uniform(0, 2 * np.pi)
    return np.asarray(x * math.cos(angle) + y * math.sin(angle) > rng.uniform(0.1, 0.7))


@dataclass(frozen=True)
class Score:
    """Squared errors of I_SRO and I_FF, of I_FF in gaps, lattice right, confidence, scar, ghost, CPU seconds."""

    order: float
    form: float
    in_gaps: float
    right: bool
    confidence: str
    scar: float
    ghost: float
    seconds: float


def score(made: Made, given: str, weights: str) -> Score:
    """Take one plane apart and compare."""
    plane = made.plane if given == "cell" else Plane(made.plane.intensity, simulated=True)
    started = time.process_time()
    components = factorize(plane, weights, lattice="none" if given == "alone" else "find")
    seconds = time.process_time() - started
    pairs = ((components.short_range_order, made.order), (components.form_factor, made.form_factor))
    order, form = ((scale_as_published(a) - scale_as_published(b)) ** 2 for a, b in pairs)
    found = components.found_lattice
    right = found is not None and is_right(found, made.translations, made.order)
    scarred = scar(components.form_factor, made.form_factor, plane.measured)
    haunted = ghost(components.form_factor, made.form_factor, made.translations, made.order)
    in_gaps = float(form[~plane.measured].mean()) if made.gaps else math.nan
    word = "none" if found is None else found.confidence
    return Score(float(order.mean()), float(form.mean()), in_gaps, right, word, scarred, haunted, seconds)


def report(given: str, planes: list[Made], scores: list[Score]) -> Iterator[str]:
    """Errors and right lattices, of all and of each kind of plane."""
    scarred, haunted = (np.nanmedian([getattr(s, name) for s in scores]) for name in ("scar", "ghost"))
    yield (
        f"{given:<6} I_SRO {triple([s.order for s in scores])}   I_FF {triple([s.form for s in scores])}   in gaps "
        f"{np.nanmean([s.in_gaps for s in scores]):.4f}   scar {scarred:.2f}   ghost {haunted:.3f}   "
        f"{np.mean([s.seconds for s in scores]):.2f} CPU-s"
    )
    groups = {kind: [made.kind == kind for made in planes] for kind in KINDS}
    groups |= {"gaps of 30 % and more": [made.gaps >= 0.3 for made in planes]}
    if given == "found":
        groups |= {word: [s.confidence == word for s in scores] for word in ("sure", "likely", "uncertain", "none")}
    for name, those in groups.items():
        chosen = [s for s, of in zip(scores, those, strict=True) if of]
        if chosen:
            order, form, right = (np.mean([getattr(s, n) for s in chosen]) for n in ("order", "form", "right"))
            words = f", {100 * right:3.0f} % right" if given == "found" else ""
            yield f"  {name:<22} {len(chosen):3d} planes, I_SRO {order:.4f}, I_FF {form:.4f}{words}"


if __name__ == "__main__":
    run(__doc__, 28, ("alone", "found", "cell"), make, score, report)
