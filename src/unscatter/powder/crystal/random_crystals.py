"""Draw a random crystal of a wanted space group: real statistics, no database."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from importlib.resources import as_file, files

import gemmi
import numpy as np
from numpy.typing import NDArray

from unscatter.io.structures.crystal_symmetry import label_space_group
from unscatter.io.structures.crystals import Report, warn_unreadable
from unscatter.nouns.cell import Cell
from unscatter.nouns.crystal import Crystal
from unscatter.symmetry import (
    BRAVAIS_LATTICES,
    CRYSTAL_SYSTEMS,
    bravais_lattice,
    crystal_system,
    operations,
    space_group,
)

#: What a source of random crystals begins with: random:50000, or random:50000,7 for another seed than 0.
PREFIX = "random:"
#: Names of random crystals: their seed and their number.
NAME = re.compile(r"random-\d+-\d+")

# Atoms keep at least this share of the sum of their radii apart (spheres that fill the volume).
_CLOSEST = 0.55
# Atoms of a primitive cell that are drawn at most; nine in ten known structures have fewer than 72.
_MOST_ATOMS = 160
# Every group learns from itself and, with the weight of this many orbits, from its crystal system.
_PRIOR = 50.0


@dataclass(frozen=True)
class CrystalStatistics:
    """What real crystals look like, learned from a table of structures.

    orbits: (231, 30) counts of structures by space group and number of orbits; site_orders: (231, 49) counts
    of orbits by space group and order of the site symmetry; elements: (119,) counts of structures by atomic
    number; kinds: (12,) counts by number of different elements; atom_volumes: (119,) in Angstrom^3;
    log_volume_spread: standard deviation of ln(volume / sum of atom volumes); shapes: (14, k, 5) examples of
    b/a, c/a and the three angles in degrees for each Bravais lattice.
    """

    orbits: NDArray[np.float64]
    site_orders: NDArray[np.float64]
    elements: NDArray[np.float64]
    kinds: NDArray[np.float64]
    atom_volumes: NDArray[np.float64]
    log_volume_spread: float
    shapes: NDArray[np.float64]


@cache
def read_crystal_statistics() -> CrystalStatistics:
    """Statistics that come with the package, from 154 925 structures of the Materials Project (CC BY 4.0).

    Source: Jain et al., APL Materials 1, 011002 (2013). Made by tools/build_crystal_statistics.py.
    """
    with as_file(files("unscatter.data") / "crystal_statistics.npz") as path, np.load(path) as data:
        arrays = {name: data[name].astype(np.float64) for name in data.files}
    return CrystalStatistics(**{**arrays, "log_volume_spread": float(arrays["log_volume_spread"])})


def draw_crystal(
    rng: np.random.Generator,
    number: int,
    statistics: CrystalStatistics | None = None,
    tolerance: float | None = 0.01,
    attempts: int = 200,
) -> Crystal:
    """Random crystal of space group `number`: cell, elements and occupied sites as frequent as in real ones.

    With a tolerance (Angstrom), crystals are drawn until spglib finds the wanted group; with None the first
    one is taken, and may by chance be more symmetric. Raises ValueError if all attempts fail.
    """
    statistics = statistics or read_crystal_statistics()
    for _ in range(attempts):
        crystal = _draw_once(rng, number, statistics)
        if crystal and (tolerance is None or label_space_group(crystal, tolerance) == number):
            return crystal
    raise ValueError(f"no crystal of space group {number} in {attempts} attempts; allow more attempts")


def draw_crystals(query: str, report: Report = warn_unreadable) -> Iterator[Crystal]:
    """Random crystals "COUNT" or "COUNT,SEED", each a pure function of the seed and its number.

    Space groups are drawn as often as the square root of their share of real structures, so that rare ones are not
    too rare to learn. Those that could not be drawn are handed to `report` with the reason. Raises ValueError for
    another query.
    """
    count, seed = _count_and_seed(query)
    shares = _shares(np.sqrt(read_crystal_statistics().orbits.sum(axis=1)))
    for i in range(count):
        rng = np.random.default_rng([seed, i])
        name = f"random-{seed}-{i}"
        try:
            crystal = draw_crystal(rng, int(rng.choice(len(shares), p=shares)))
        except ValueError as error:
            report(name, str(error))
        else:
            yield replace(crystal, name=name)


def _count_and_seed(query: str) -> tuple[int, int]:
    match = re.fullmatch(rf"(?:{PREFIX})?(\d+)(?:,(\d+))?", query)
    if match is None or int(match[1]) == 0:
        raise ValueError(
            f"{query!r} is no number of random crystals; type for example {PREFIX}50000, or {PREFIX}50000,7"
        )
    return int(match[1]), int(match[2] or 0)


@dataclass(frozen=True)
class _Sites:
    """Points of a grid of 24ths with one order of site symmetry, and projections on their kinds of site."""

    points: NDArray[np.float64]
    projections: NDArray[np.float64]


@lru_cache(maxsize=230)
def _sites(number: int) -> dict[int, _Sites]:
    """Examples of all special positions of a group, by order of the site symmetry; 1 is the general position.

    Special positions are fixed by coordinates of multiples of 1/24, as are all translations of the reference
    settings, so the points of that grid visit each of them.
    """
    rotations, translations, centring = _cosets(number)
    grid = np.stack(np.meshgrid(*[np.arange(24)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    moved = (np.einsum("gij,nj->ngi", rotations - np.eye(3, dtype=np.int64), grid) + translations) % 24
    fixed = np.any(np.all(moved[:, :, None] == centring % 24, axis=-1), axis=-1)
    orders = fixed.sum(axis=1)
    chosen = np.random.default_rng(number).permutation(len(grid))
    sites = {}
    for order in np.unique(orders):
        picked = chosen[orders[chosen] == order][:96]
        projections = np.einsum("ng,gij->nij", fixed[picked] / order, rotations.astype(float))
        sites[int(order)] = _Sites(grid[picked] / 24, projections)
    return sites


@lru_cache(maxsize=230)
def _cosets(number: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Rotations, and translations and centring in 24ths."""
    group = space_group(number).operations()
    rotations = np.array([op.rot for op in group.sym_ops], dtype=np.int64) // gemmi.Op.DEN
    translations = np.array([op.tran for op in group.sym_ops], dtype=np.int64)
    return rotations, translations, np.array(list(group.cen_ops), dtype=np.int64)


@lru_cache(maxsize=230)
def _operations(number: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    return operations(number)


def _draw_once(rng: np.random.Generator, number: int, statistics: CrystalStatistics) -> Crystal | None:
    orders = _draw_orders(rng, number, statistics)
    rotations, _, centring = _cosets(number)
    multiplicities = len(rotations) // orders
    if multiplicities.sum() > _MOST_ATOMS:
        return None
    atoms = _draw_elements(rng, len(orders), statistics)
    volumes = statistics.atom_volumes[atoms]
    volume = len(centring) * np.sum(multiplicities * volumes)
    cell = _draw_cell(rng, number, volume * np.exp(statistics.log_volume_spread * rng.normal()), statistics)
    radii = np.cbrt(3 * volumes / (4 * np.pi))
    placed = _place(rng, number, orders, radii, cell)
    if not placed:
        return None
    return Crystal(
        cell=cell,
        elements=tuple(str(gemmi.Element(int(atoms[k])).name) for k in placed),
        positions=np.array(list(placed.values())),
        rotations=_operations(number)[0],
        translations=_operations(number)[1],
        space_group=number,
        name=f"random {number}",
    )


def _draw_orders(rng: np.random.Generator, number: int, statistics: CrystalStatistics) -> NDArray[np.int64]:
    """Orders of the site symmetry of each orbit."""
    orbit_counts, order_counts = _counts(number, statistics)
    count = 1 + rng.choice(len(orbit_counts) - 1, p=_shares(orbit_counts[1:]))
    possible = np.array(list(_sites(number)))
    return np.asarray(rng.choice(possible, size=count, p=_shares(order_counts[possible] + 0.5)))


@lru_cache(maxsize=230)
def _same_system(number: int) -> NDArray[np.int64]:
    return np.array([n for n in range(1, 231) if crystal_system(n) == crystal_system(number)])


def _counts(number: int, statistics: CrystalStatistics) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Counts of numbers of orbits and of site orders, rare groups filled up from their crystal system."""
    both = []
    for table in (statistics.orbits, statistics.site_orders):
        family = table[_same_system(number)].sum(axis=0)
        both.append(table[number] + _PRIOR * family / max(family.sum(), 1.0))
    return both[0], both[1]


def _draw_elements(rng: np.random.Generator, orbits: int, statistics: CrystalStatistics) -> NDArray[np.int64]:
    """Atomic number of each orbit, every drawn element used where there are orbits enough."""
    kinds = min(1 + int(rng.choice(len(statistics.kinds) - 1, p=_shares(statistics.kinds[1:]))), orbits)
    elements = rng.choice(len(statistics.elements), size=kinds, replace=False, p=_shares(statistics.elements))
    used = np.concatenate([np.arange(kinds), rng.integers(kinds, size=orbits - kinds)])
    return np.asarray(elements[rng.permutation(used)])


def _draw_cell(rng: np.random.Generator, number: int, volume: float, statistics: CrystalStatistics) -> Cell:
    """Cell of the given volume in the shape of a real one of the same Bravais lattice."""
    shapes = statistics.shapes[BRAVAIS_LATTICES.index(bravais_lattice(number))]
    b, c, *angles = (float(x) for x in shapes[rng.integers(len(shapes))])
    if crystal_system(number) in CRYSTAL_SYSTEMS[:3]:
        # Axes without a common length are stretched a little, so that no two cells are alike.
        b, c = b * float(np.exp(0.05 * rng.normal())), c * float(np.exp(0.05 * rng.normal()))
    elif crystal_system(number) != "cubic":
        c *= float(np.exp(0.05 * rng.normal()))
    a = float(np.cbrt(volume / Cell(1.0, b, c, *angles).volume))
    return Cell(a, a * b, a * c, *angles)


def _place(
    rng: np.random.Generator, number: int, orders: NDArray[np.int64], radii: NDArray[np.float64], cell: Cell
) -> dict[int, NDArray[np.float64]]:
    """Positions of the orbits that find room, the most symmetric first, by their number."""
    placed: dict[int, NDArray[np.float64]] = {}
    for k in np.argsort(-orders, kind="stable").tolist():
        sites = _sites(number)[int(orders[k])]
        closest = _CLOSEST * (radii[k] + radii[[k, *placed]])
        for _ in range(8):
            n = rng.integers(len(sites.points))
            x0, projection = sites.points[n], sites.projections[n]
            x = x0 + projection @ (rng.random(3) - x0)
            if _has_room(number, np.array([x, *placed.values()]), int(orders[k]), closest, cell):
                placed[k] = x % 1.0
                break
    return placed


def _has_room(number: int, points: NDArray[np.float64], order: int, closest: NDArray[np.float64], cell: Cell) -> bool:
    """Whether the images of the first point keep away from each other and from all other points."""
    rotations, translations = _operations(number)
    apart = (rotations @ points[0] + translations)[:, None] - points
    vectors = (apart - np.round(apart)) @ cell.direct
    near = np.einsum("gni,gni->gn", vectors, vectors) < closest**2
    # As many images as the order of the site symmetry lie on the point itself.
    return int(near[:, 0].sum()) == order and not near[:, 1:].any()


def _shares(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(counts / counts.sum())
