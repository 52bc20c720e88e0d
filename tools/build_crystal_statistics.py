"""Learn crystal statistics from tables: python tools/build_crystal_statistics.py TABLE... --out FILE.

The shipped file was made from the Materials Project (CC BY 4.0; Jain et al., APL Materials 1, 011002, 2013):
counts and averages only, no structure.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.linalg import lsqr

from unscatter.atoms import atomic_number
from unscatter.io.structures.crystal_symmetry import site_multiplicities
from unscatter.io.structures.crystals import read_crystals
from unscatter.nouns.crystal import Crystal
from unscatter.nouns.sites import coset_representatives
from unscatter.symmetry import BRAVAIS_LATTICES, bravais_lattice

_SHAPES = 200


class Counts:
    """Running counts over crystals."""

    def __init__(self) -> None:
        self.orbits = np.zeros((231, 30))
        self.site_orders = np.zeros((231, 49))
        self.elements = np.zeros(119)
        self.kinds = np.zeros(12)
        self.shapes: dict[str, list[list[float]]] = defaultdict(list)
        self.contents: list[dict[int, int]] = []
        self.volumes: list[float] = []

    def add(self, crystal: Crystal) -> None:
        number = crystal.space_group
        if number is None:
            return
        rotations, _, centring = coset_representatives(crystal)
        multiplicities = site_multiplicities(crystal)
        self.orbits[number, min(len(multiplicities), 29)] += 1
        np.add.at(self.site_orders[number], len(rotations) * len(centring) // multiplicities, 1)
        content: dict[int, int] = defaultdict(int)
        for element, multiplicity in zip(crystal.elements, multiplicities, strict=True):
            content[atomic_number(element)] += int(multiplicity)
        self.elements[list(content)] += 1
        self.kinds[min(len(content), 11)] += 1
        self.contents.append(content)
        self.volumes.append(crystal.cell.volume)
        a, b, c, *angles = crystal.cell.parameters
        self.shapes[bravais_lattice(number)].append([b / a, c / a, *angles])

    def atom_volumes(self) -> tuple[np.ndarray, float]:
        """Volumes of atoms that add up to those of cells, and the spread of the logarithm of the ratio."""
        volumes = np.array(self.volumes)
        rows = np.repeat(np.arange(len(volumes)), [len(c) for c in self.contents])
        columns = np.concatenate([list(c) for c in self.contents])
        counts = np.concatenate([list(c.values()) for c in self.contents])
        matrix = csr_array((counts / volumes[rows], (rows, columns)), shape=(len(volumes), 119))
        found = np.clip(lsqr(matrix, np.ones(len(volumes)), damp=1e-3)[0], 3.0, 120.0)
        return found, float(np.std(np.log(1 / np.clip(matrix @ found, 0.2, 5.0))))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tables", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, default=Path("src/unscatter/data/crystal_statistics.npz"))
    options = parser.parse_args()
    counts = Counts()
    for crystal in read_crystals(options.tables):
        counts.add(crystal)
    volumes, spread = counts.atom_volumes()
    rng = np.random.default_rng(0)
    shapes = [rng.permutation(np.array(counts.shapes[name]))[:_SHAPES] for name in BRAVAIS_LATTICES]
    # Lattices with few examples repeat them.
    shapes = [np.resize(s, (_SHAPES, 5)) for s in shapes]
    np.savez_compressed(
        options.out,
        orbits=counts.orbits.astype(np.uint32),
        site_orders=counts.site_orders.astype(np.uint32),
        elements=counts.elements.astype(np.uint32),
        kinds=counts.kinds.astype(np.uint32),
        atom_volumes=volumes.astype(np.float32),
        log_volume_spread=np.float32(spread),
        shapes=np.array(shapes).astype(np.float32),
    )
    print(f"{len(counts.volumes)} structures -> {options.out}, {options.out.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
